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

async function connect(facts, trades) {
  const select = byId("symbol");
  const symbols = Object.keys(facts.candles);
  let view = null;
  if (symbols.length) {
    symbols.forEach((symbol) => select.append(new Option(symbol, symbol)));
    view = new CandleView(facts, trades);
    select.addEventListener("change", () => view.open(select.value));
    byId("whole").addEventListener("click", () => view.whole());
    await view.open(symbols[0]);
  } else {
    byId("candles").append(element("p", "empty", "This run kept no candles."));
    byId("candle-tools").hidden = true;
  }
  if (!trades.count) {
    for (const name of ["chosen", "filters", "list"]) byId(name).style.display = "none";
    byId("count").textContent = "No trades.";
    return;
  }
  const list = new RowList(trades, listColumns(trades, facts.currency), async (i) => {
    describe(trades, i, facts.currency);
    if (!view) return;
    const drawn = await view.reveal(i);
    view.marks.update?.();
    if (drawn) select.value = view.symbol;
    byId("candles").dataset.chosen = trades.ids[i];
  });
  buildFilters(trades, facts.currency, () => {
    list.refresh();
    view?.marks.update?.();
  });
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
  await connect(facts, trades);
  root.dataset.ready = "all";
}

main().catch((error) => {
  trouble(`A chart could not be drawn (${error.message}). The tables on this page are complete.`);
  document.documentElement.dataset.ready = "failed";
  throw error;
});
