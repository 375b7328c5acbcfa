// The columns of the trade list.

function listColumns(trades, currency) {
  const word = (name) => (i) => trades.words[name][trades[name][i]];
  const places = (i) => trades.digits[trades.symbol[i]];
  const text = (label, width, name) => ({ label, width, left: true, key: word(name), text: word(name) });
  const number = (label, width, key, show, more) => ({ label, width, key, text: show, ...more });
  const columns = [
    { label: "Opened (UTC)", width: 168, left: true, key: (i) => trades.opened[i], text: (i) => stamp(trades.opened[i]) },
    text("Symbol", 82, "symbol"),
    text("Pattern", 144, "pattern"),
    { label: "Side", width: 54, left: true, key: (i) => trades.side[i], text: (i) => (trades.side[i] > 0 ? "buy" : "sell") },
    number("Lots", 60, (i) => trades.lots[i], (i) => fixed(trades.lots[i], 2)),
    number("Entry", 90, (i) => trades.open[i], (i) => price(trades.open[i], places(i))),
    number("Exit", 90, (i) => trades.close[i], (i) => price(trades.close[i], places(i))),
    text("Closed by", 96, "reason"),
    number("Held", 78, (i) => trades.closed[i] - trades.opened[i], (i) => duration(trades.closed[i] - trades.opened[i])),
    number("Pips", 72, (i) => trades.pips[i], (i) => signed(trades.pips[i], 1), { downFirst: true, tone: (i) => trades.profit[i] }),
    number("R", 62, (i) => trades.r[i], (i) => signed(trades.r[i], 2), { downFirst: true, tone: (i) => trades.profit[i] }),
    number(`Profit${currency ? ` ${currency}` : ""}`, 112, (i) => trades.profit[i], (i) => signed(trades.profit[i], 2), { downFirst: true, tone: (i) => trades.profit[i] }),
  ];
  if (trades.words.account.length > 1) columns.splice(1, 0, text("Account", 100, "account"));
  return columns;
}
