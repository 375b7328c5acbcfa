// The combinations of a sweep: which values each has, and its figures.

/** Facts as the page holds them, with columns by combination. The last axis changes fastest. */
function openSweep(facts) {
  const axes = facts.axes.map((axis) => ({ ...axis, size: axis.texts.length, stride: 1 }));
  for (let n = axes.length - 2; n >= 0; n--) axes[n].stride = axes[n + 1].stride * axes[n + 1].size;
  const count = axes.reduce((all, axis) => all * axis.size, 1);
  const figures = facts.figures.map((figure) => ({ ...figure, values: Float64Array.from(figure.values, (value) => value ?? NaN) }));
  const byKey = new Map(figures.map((figure) => [figure.key, figure]));
  const position = (axis, i) => Math.floor(i / axis.stride) % axis.size;
  return { currency: facts.currency, sort: facts.sort, axes, figures, byKey, count, position, shown: new Uint8Array(count).fill(1) };
}

/** A figure's value as people read it. */
function reading(figure, value, currency) {
  if (!Number.isFinite(value)) return ABSENT;
  const number = (digits) => (figure.signed ? signed(value, digits) : fixed(value, digits));
  switch (figure.kind) {
    case "count": return fixed(value, Number.isInteger(value) ? 0 : 1);
    case "percent": return `${figure.signed ? signed(value * 100, 2) : fixed(value * 100, 2)} %`;
    case "money": return number(2) + (currency ? ` ${currency}` : "");
    case "r": return `${number(3)} R`;
    case "seconds": return duration(value);
    case "days": return `${fixed(value, 1)} days`;
    default: return number(2);
  }
}

/** The same, short enough for a cell of the map. */
function brief(figure, value) {
  if (!Number.isFinite(value)) return "";
  if (figure.kind === "percent") return fixed(value * 100, 1);
  if (figure.kind === "seconds") return duration(value);
  const size = Math.abs(value);
  if (size === 0) return "0";
  return fixed(value, figure.kind === "count" || size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** One line on a combination. */
function inWords(sweep, i) {
  const settings = sweep.axes.map((axis) => `${axis.column} ${axis.texts[sweep.position(axis, i)]}`);
  const figures = sweep.figures.filter((figure) => Number.isFinite(figure.values[i]));
  const results = figures.map((figure) => `${figure.label.toLowerCase()} ${reading(figure, figure.values[i], sweep.currency)}`);
  return `Combination ${fixed(i + 1, 0)}: ${settings.join(", ")}. ${results.join(" · ") || "No figures."}`;
}

function combinationColumns(sweep) {
  const columns = [{ label: "Combination", width: 100, key: (i) => i, text: (i) => fixed(i + 1, 0) }];
  for (const axis of sweep.axes) {
    const at = (i) => sweep.position(axis, i);
    columns.push({ label: axis.column, width: Math.max(76, 9 * axis.column.length), key: (i) => axis.order[at(i)], text: (i) => axis.texts[at(i)] });
  }
  for (const figure of sweep.figures) {
    const { values } = figure;
    const column = { label: figure.label, width: Math.max(92, 8 * figure.label.length + 20), key: (i) => values[i], text: (i) => reading(figure, values[i]), downFirst: !figure.less };
    if (figure.signed) column.tone = (i) => values[i];
    columns.push({ ...column, figure: figure.key });
  }
  return columns;
}
