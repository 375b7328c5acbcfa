// Every signal: unpacked, listed, filtered, told in a line.

async function loadSignals(facts) {
  const { block, ids, reasons, words, digits, total } = facts.signals;
  const columns = await unpackColumns(block);
  const count = columns.opened.length;
  const nothing = new Float64Array(count).fill(NaN);
  const signals = { ...columns, close: nothing, closed: new Float64Array(count), count, words, digits, total, shown: new Uint8Array(count).fill(1), bySymbol: new Map() };
  const rows = words.symbol.map(() => []);
  for (let i = 0; i < count; i++) {
    const scale = 10 ** digits[signals.symbol[i]];
    rows[signals.symbol[i]].push(i);
    signals.closed[i] = signals.opened[i] + signals.held[i];
    for (const name of ["stop", "target"]) signals[name][i] = (signals.open[i] + signals[name][i]) / scale;
    signals.open[i] /= scale;
  }
  words.symbol.forEach((symbol, code) => signals.bySymbol.set(symbol, Int32Array.from(rows[code])));
  signals.ids = await unpackText(ids);
  signals.reasons = await unpackText(reasons);
  return signals;
}

/** What became of a signal, in words. */
function fateOf(signals, i) {
  const fate = signals.words.fate[signals.fate[i]];
  if (fate === "fired" || signals.gate[i] < 0) return fate;
  return `${fate} by ${signals.words.gate[signals.gate[i]]}`;
}

function outcomeOf(signals, i) {
  const result = signals.words.result[signals.result[i]] || "not followed to an end";
  return Number.isFinite(signals.r[i]) ? `${result}, ${signed(signals.r[i], 2)} R` : result;
}

/** One line on a signal; the long one has its id and levels. */
function describeSignal(signals, i, long) {
  const digits = signals.digits[signals.symbol[i]];
  const word = (name) => signals.words[name][signals[name][i]];
  const reason = signals.reason[i] >= 0 ? signals.reasons[signals.reason[i]] : "";
  const refused = signals.refused[i] > 1 ? ` (${fixed(signals.refused[i], 0)} accounts)` : "";
  const fate = fateOf(signals, i) + (signals.fate[i] === FIRED ? "" : refused);
  const parts = [
    `${long ? `${signals.ids[i]}: ` : ""}${signals.side[i] > 0 ? "buy" : "sell"} ${word("symbol")} ${word("timeframe")} by ${word("pattern")}`,
    `confidence ${fixed(signals.confidence[i], 1)}${Number.isFinite(signals.score[i]) ? `, score ${fixed(signals.score[i], 1)}` : ""}`,
    reason ? `${fate}${signals.fate[i] === FIRED ? "; refused to others" : ""}: ${reason}` : fate,
    `${signals.fate[i] === FIRED ? "outcome" : "would have been"}: ${outcomeOf(signals, i)}`,
  ];
  if (long) parts.splice(1, 0, `${stamp(signals.opened[i])} at ${price(signals.open[i], digits)}, stop ${price(signals.stop[i], digits)}, target ${price(signals.target[i], digits)}`);
  return parts.join(" · ");
}

function signalColumns(signals) {
  const word = (name) => (i) => signals.words[name][signals[name][i]] ?? "";
  const text = (label, width, name) => ({ label, width, left: true, key: word(name), text: word(name) });
  const reason = (i) => (signals.reason[i] < 0 ? "" : signals.reasons[signals.reason[i]]);
  const fate = (i) => fateOf(signals, i);
  return [
    { label: "Decided (UTC)", width: 158, left: true, key: (i) => signals.opened[i], text: (i) => stamp(signals.opened[i]) },
    text("Symbol", 78, "symbol"),
    text("Pattern", 178, "pattern"),
    { label: "Side", width: 50, left: true, key: (i) => signals.side[i], text: (i) => (signals.side[i] > 0 ? "buy" : "sell") },
    { label: "Conf.", width: 62, key: (i) => signals.confidence[i], text: (i) => fixed(signals.confidence[i], 1), downFirst: true },
    { label: "Fate", width: 140, left: true, key: fate, text: fate },
    { label: "Because", long: true, width: 286, left: true, key: reason, text: reason },
    text("Ended by", 82, "result"),
    { label: "R", width: 64, key: (i) => signals.r[i], text: (i) => signed(signals.r[i], 2), downFirst: true, tone: (i) => signals.r[i] },
  ];
}

/** Which signals are listed and drawn. */
function filterSignals(signals, changed) {
  const box = byId("signal-filters");
  const tests = new Map();
  const apply = () => {
    const active = [...tests.values()].filter(Boolean);
    for (let i = 0; i < signals.count; i++) signals.shown[i] = active.every((test) => test(i)) ? 1 : 0;
    countSignals(signals);
    changed();
  };
  for (const [label, name] of [["Fate", "fate"], ["Refused by", "gate"], ["Symbol", "symbol"], ["Pattern", "pattern"], ["Ended by", "result"]]) {
    const used = new Set(signals[name]);
    const options = signals.words[name].map((word, code) => [word || "nothing", code]).filter(([, code]) => used.has(code));
    if (options.length < 2) continue;
    const select = element("select");
    select.append(new Option("all", ""));
    options.forEach(([text, value]) => select.append(new Option(text, value)));
    select.addEventListener("change", () => {
      const code = Number(select.value);
      tests.set(name, select.value === "" ? null : (i) => signals[name][i] === code);
      apply();
    });
    box.appendChild(element("label", "", `${label} `)).append(select);
  }
  countSignals(signals);
}

function countSignals(signals) {
  let [count, resolved, wins, r] = [0, 0, 0, 0];
  for (let i = 0; i < signals.count; i++) {
    if (!signals.shown[i]) continue;
    count++;
    if (!Number.isFinite(signals.r[i])) continue;
    resolved++;
    if (signals.r[i] > 0) wins++;
    r += signals.r[i];
  }
  const parts = [`${fixed(count, 0)} of ${fixed(signals.count, 0)} signals`];
  if (signals.total > signals.count) parts.push(`the newest of ${fixed(signals.total, 0)}`);
  if (resolved) parts.push(`${fixed((wins / resolved) * 100, 1)} % won`, `mean ${signed(r / resolved, 3)} R, fired or not`);
  byId("signal-count").textContent = parts.join(" · ");
}
