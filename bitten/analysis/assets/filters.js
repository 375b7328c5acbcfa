// Which trades are listed and drawn.

function buildFilters(trades, currency, changed) {
  const box = byId("filters");
  const tests = new Map();
  const apply = () => {
    const active = [...tests.values()].filter(Boolean);
    for (let i = 0; i < trades.count; i++) trades.shown[i] = active.every((test) => test(i)) ? 1 : 0;
    countShown(trades, currency);
    changed();
  };
  const choice = (label, options, test) => {
    const select = element("select");
    select.append(new Option("all", ""));
    options.forEach(([text, value]) => select.append(new Option(text, value)));
    select.addEventListener("change", () => {
      tests.set(label, select.value === "" ? null : test(Number(select.value)));
      apply();
    });
    const holder = box.appendChild(element("label", "", `${label} `));
    holder.append(select);
  };
  for (const [label, name] of [["Account", "account"], ["Symbol", "symbol"], ["Pattern", "pattern"], ["Closed by", "reason"]]) {
    const options = trades.words[name].map((word, code) => [word, code]);
    if (options.length > 1) choice(label, options, (code) => (i) => trades[name][i] === code);
  }
  choice("Side", [["buy", 1], ["sell", -1]], (side) => (i) => trades.side[i] === side);
  choice("Result", [["profit", 1], ["loss", -1]], (sign) => (i) => Math.sign(trades.profit[i]) === sign);
  search(box, trades, (test) => {
    tests.set("search", test);
    apply();
  });
  countShown(trades, currency);
}

/** Free text: part of the fire id or of the opening time. */
function search(box, trades, changed) {
  const input = element("input");
  input.type = "search";
  input.placeholder = "date or fire id";
  input.setAttribute("aria-label", "Search by date or fire id");
  let texts = null;
  input.addEventListener("input", () => {
    texts ??= trades.ids.map((id, i) => `${id} ${stamp(trades.opened[i])}`.toLowerCase());
    const wanted = input.value.trim().toLowerCase();
    changed(wanted === "" ? null : (i) => texts[i].includes(wanted));
  });
  box.append(input);
}

function countShown(trades, currency) {
  const end = trades.words.reason.indexOf("end"); // valued at the last quotes, no result
  let [count, results, wins, net, r, measured] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < trades.count; i++) {
    if (!trades.shown[i]) continue;
    count++;
    net += trades.profit[i];
    if (trades.reason[i] === end) continue;
    results++;
    if (trades.profit[i] > 0) wins++;
    if (Number.isFinite(trades.r[i])) {
      r += trades.r[i];
      measured++;
    }
  }
  const parts = [`${fixed(count, 0)} of ${fixed(trades.count, 0)} trades`];
  if (results) parts.push(`win rate ${fixed((wins / results) * 100, 1)} %`);
  if (measured) parts.push(`mean ${signed(r / measured, 3)} R`);
  if (count && currency) parts.push(`net ${signed(net, 2)} ${currency}`);
  byId("count").textContent = parts.join(" · ");
}
