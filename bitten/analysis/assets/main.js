// Unpack, draw, connect.

function trouble(text) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = false;
}

async function loadTrades(facts) {
  const columns = await unpackColumns(facts.trades.block);
  const { words, digits } = facts.trades;
  const count = columns.opened.length;
  const closed = new Float64Array(count);
  const trades = { ...columns, closed, count, words, digits, shown: new Uint8Array(count).fill(1), bySymbol: new Map() };
  const rows = words.symbol.map(() => []);
  for (let i = 0; i < count; i++) {
    const scale = 10 ** digits[trades.symbol[i]];
    rows[trades.symbol[i]].push(i);
    trades.opened[i] += trades.openedMs[i] / 1000;
    trades.closed[i] = trades.opened[i] + trades.held[i] + trades.heldMs[i] / 1000;
    for (const name of ["close", "stop", "target"]) trades[name][i] = (trades.open[i] + trades[name][i]) / scale;
    trades.open[i] /= scale;
  }
  words.symbol.forEach((symbol, code) => trades.bySymbol.set(symbol, Int32Array.from(rows[code])));
  trades.ids = await unpackText(facts.trades.ids);
  return trades;
}

async function loadCurves(facts) {
  return Promise.all(facts.curves.map(async (curve) => ({ ...curve, ...(await unpackColumns(curve.block)) })));
}

/** One line on the chosen trade, in text nodes only. */
function describe(trades, i, currency) {
  const digits = trades.digits[trades.symbol[i]];
  const parts = [
    `${trades.ids[i]}: ${trades.side[i] > 0 ? "buy" : "sell"} ${fixed(trades.lots[i], 2)} ${trades.words.symbol[trades.symbol[i]]} by ${trades.words.pattern[trades.pattern[i]]}`,
    `${stamp(trades.opened[i])} at ${price(trades.open[i], digits)}, stop ${price(trades.stop[i], digits)}, target ${price(trades.target[i], digits)}`,
    `closed ${stamp(trades.closed[i])} at ${price(trades.close[i], digits)} by ${trades.words.reason[trades.reason[i]]}`,
    `${signed(trades.r[i], 2)} R, ${signed(trades.profit[i], 2)} ${currency ?? ""}`,
  ];
  byId("chosen").textContent = parts.join(" · ");
}

/** The candle chart under its symbols; null where the run kept no candles. */
async function openChart(facts, layers) {
  const select = byId("symbol");
  const symbols = Object.keys(facts.candles);
  if (!symbols.length) {
    byId("candles").append(element("p", "empty", "This run kept no candles."));
    byId("candle-tools").hidden = true;
    return null;
  }
  symbols.forEach((symbol) => select.append(new Option(symbol, symbol)));
  const view = new CandleView(facts, layers);
  select.addEventListener("change", () => view.open(select.value));
  byId("whole").addEventListener("click", () => view.whole());
  for (const { name, marks } of layers) {
    const box = byId(`show-${name}`);
    box.parentElement.hidden = false;
    box.addEventListener("change", () => {
      marks.on = box.checked;
      view.update();
    });
  }
  await view.open(symbols[0]);
  return view;
}

/** Two lists under the chart, of which one is shown. */
function connectTabs(first) {
  const names = ["trades", "signals"];
  const open = (wanted) => {
    for (const name of names) {
      byId(`tab-${name}`).setAttribute("aria-selected", name === wanted);
      byId(`panel-${name}`).hidden = name !== wanted;
    }
  };
  for (const name of names) byId(`tab-${name}`).addEventListener("click", () => open(name));
  open(first);
  return open;
}

async function connect(facts, trades, signals, pools) {
  const tradeLayer = { name: "trades", marks: new TradeMarks(trades), rows: trades };
  const signalLayer = { name: "signals", marks: new SignalMarks(signals), rows: signals };
  const layers = [signalLayer, tradeLayer];
  if (pools) layers.unshift({ name: "pools", marks: new PoolMarks(pools), rows: pools });
  const view = await openChart(facts, layers);
  const reveal = async (layer, i) => {
    byId("chosen").textContent = "";
    if (layer === tradeLayer) describe(trades, i, facts.currency);
    else byId("chosen").textContent = describeSignal(signals, i, true);
    if (!view) return;
    if (await view.reveal(layer.marks, i)) byId("symbol").value = view.symbol;
    view.update();
    byId("candles").dataset.chosen = layer.rows.ids[i];
  };
  const lists = [listTrades(facts, trades, view, (i) => reveal(tradeLayer, i)), listSignals(signals, view, (i) => reveal(signalLayer, i))];
  const open = connectTabs(trades.count || !signals.count ? "trades" : "signals");
  if (!trades.count && !signals.count) for (const name of ["chosen", "tabs"]) byId(name).style.display = "none";
  if (!view) return;
  view.hint = (point) => {
    const i = signalLayer.marks.on ? signalLayer.marks.at(point) : -1;
    return i < 0 ? "" : describeSignal(signals, i, false);
  };
  view.chart.subscribeClick(({ point }) => {
    const i = point && signalLayer.marks.on ? signalLayer.marks.at(point) : -1;
    if (i < 0) return;
    open("signals");
    lists[0]?.unpick();
    byId("chosen").textContent = describeSignal(signals, i, true);
    byId("candles").dataset.chosen = signals.ids[i];
    view.choose(signalLayer.marks, i);
  });
}

function listTrades(facts, trades, view, choose) {
  if (!trades.count) {
    for (const name of ["filters", "list"]) byId(name).style.display = "none";
    byId("count").textContent = "No trades.";
    return null;
  }
  const list = new RowList(trades, listColumns(trades, facts.currency), choose);
  buildFilters(trades, facts.currency, () => {
    list.refresh();
    view?.update();
  });
  return list;
}

function listSignals(signals, view, choose) {
  if (!signals.count) {
    for (const name of ["signal-filters", "signal-list"]) byId(name).style.display = "none";
    byId("signal-count").textContent = "No signals.";
    return null;
  }
  const list = new RowList(signals, signalColumns(signals), choose, "signal-list");
  filterSignals(signals, () => {
    list.refresh();
    view?.update();
  });
  return list;
}

async function main() {
  const root = document.documentElement;
  if (typeof DecompressionStream === "undefined") {
    trouble("This browser cannot unpack the charts and the trade list: they need Chrome or Edge 80, Firefox 113 or Safari 16.4, or newer. The tables on this page are complete.");
    root.dataset.ready = "tables";
    return;
  }
  const facts = JSON.parse(byId("facts").textContent);
  followPrinter();
  drawCurves(await loadCurves(facts));
  const trades = await loadTrades(facts);
  drawScatters(trades);
  const signals = await loadSignals(facts);
  await connect(facts, trades, signals, facts.pools && (await loadPools(facts)));
  root.dataset.ready = "all";
}

main().catch((error) => {
  trouble(`A chart could not be drawn (${error.message}). The tables on this page are complete.`);
  document.documentElement.dataset.ready = "failed";
  throw error;
});
