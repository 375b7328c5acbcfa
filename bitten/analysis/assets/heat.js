// The map of a sweep: one axis as bars, two as a heat map; the other axes stand still or are averaged.

const CELL_TALLEST = 46;
const CELL_LOWEST = 3;
const MAP_TALLEST = 620;
const BARS_HEIGHT = 320;
const MEAN = "mean";

/** What the chosen axes leave of the sweep: a value and a combination (-1 for a mean) per cell. */
function plane(sweep, figure, across, down, fixedAt) {
  const width = across.size;
  const height = down ? down.size : 1;
  const sums = new Float64Array(width * height);
  const counts = new Uint32Array(width * height);
  const rows = new Int32Array(width * height).fill(-1);
  for (let i = 0; i < sweep.count; i++) {
    let averaged = false;
    const kept = sweep.axes.every((axis) => {
      if (axis === across || axis === down) return true;
      averaged ||= fixedAt.get(axis) === MEAN;
      return fixedAt.get(axis) === MEAN || fixedAt.get(axis) === sweep.position(axis, i);
    });
    if (!kept) continue;
    const cell = (down ? sweep.position(down, i) : 0) * width + sweep.position(across, i);
    if (!averaged) rows[cell] = i;
    if (!Number.isFinite(figure.values[i])) continue;
    sums[cell] += figure.values[i];
    counts[cell]++;
  }
  return { width, height, rows, values: sums.map((sum, cell) => (counts[cell] ? sum / counts[cell] : NaN)) };
}

/** Colour of a value: around zero where the figure has a sign, else from its lowest to its highest. */
function ramp(figure, values) {
  const known = values.filter((value) => Number.isFinite(value));
  const low = known.reduce((a, b) => Math.min(a, b), Infinity);
  const high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  const middle = figure.middle; // 0, or 1 for a profit factor; null without a middle
  const reach = middle === null ? high - low : Math.max(Math.abs(low - middle), Math.abs(high - middle));
  const strength = (value) => (reach > 0 ? (middle === null ? value - low : Math.abs(value - middle)) / reach : 0);
  const good = (value) => (middle === null ? !figure.less : value >= middle);
  return {
    known: known.length, low, high, middle, reach,
    alpha: (value) => 0.05 + 0.87 * Math.min(1, strength(value)),
    paint(value, colours) {
      return (good(value) ? colours.gainAlpha : colours.lossAlpha)(this.alpha(value));
    },
  };
}

class HeatMap {
  constructor(sweep, choose) {
    this.sweep = sweep;
    this.choose = choose;
    this.box = byId("heat");
    this.canvas = this.box.appendChild(element("canvas"));
    this.tip = this.box.appendChild(element("div", "tip"));
    this.tip.hidden = true;
    this.cell = -1;
    const widest = [...sweep.axes].sort((a, b) => b.size - a.size);
    [this.across, this.down] = [widest[0], widest.length > 1 && widest[1].size > 1 ? widest[1] : null];
    this.figure = sweep.byKey.get(sweep.sort) ?? sweep.figures[0];
    const best = this.bestOf(this.figure);
    this.fixedAt = new Map(sweep.axes.map((axis) => [axis, best < 0 ? 0 : sweep.position(axis, best)]));
    this.buildTools();
    this.box.addEventListener("pointermove", (event) => this.point(event));
    this.box.addEventListener("pointerleave", () => this.goTo(-1));
    this.box.addEventListener("click", () => this.pick());
    this.box.addEventListener("keydown", (event) => this.key(event));
    redrawn(this.box, () => this.draw());
  }

  bestOf(figure, values = figure.values) {
    let best = -1;
    values.forEach((value, i) => {
      if (Number.isFinite(value) && (best < 0 || (figure.less ? value < values[best] : value > values[best]))) best = i;
    });
    return best;
  }

  buildTools() {
    const { sweep } = this;
    const tools = byId("map-tools");
    tools.replaceChildren();
    const pick = (id, label, options, value, change) => {
      const select = element("select");
      select.id = id;
      for (const [text, at] of options) select.append(new Option(text, at, false, String(at) === String(value)));
      select.addEventListener("change", () => {
        change(select.value);
        this.buildTools();
        byId(id)?.focus();
        this.cell = -1;
        this.draw();
      });
      const around = tools.appendChild(element("label", "", `${label} `));
      around.append(select);
    };
    const figures = sweep.figures.map((figure) => [figure.label, figure.key]);
    pick("figure", "Figure", figures, this.figure.key, (key) => (this.figure = sweep.byKey.get(key)));
    const axes = sweep.axes.map((axis, n) => [axis.column, n]);
    if (sweep.axes.length > 1) {
      pick("across", "Across", axes, sweep.axes.indexOf(this.across), (n) => {
        if (sweep.axes[n] === this.down) this.down = this.across;
        this.across = sweep.axes[n];
      });
      pick("down", "Down", [...axes, ["none", -1]], this.down ? sweep.axes.indexOf(this.down) : -1, (n) => {
        if (sweep.axes[n] === this.across) this.across = this.down ?? sweep.axes.find((axis) => axis !== this.across);
        this.down = sweep.axes[n] ?? null;
      });
    }
    sweep.axes.forEach((axis, n) => {
      if (axis === this.across || axis === this.down) return;
      const values = [...axis.texts.map((text, at) => [text, at]), ["mean of all", MEAN]];
      pick(`fixed-${n}`, axis.column, values, this.fixedAt.get(axis), (at) => this.fixedAt.set(axis, at === MEAN ? MEAN : Number(at)));
    });
  }

  draw() {
    const { sweep, figure, across, down, canvas } = this;
    this.plane = plane(sweep, figure, across, down, this.fixedAt);
    this.ramp = ramp(figure, this.plane.values);
    this.best = this.bestOf(figure, this.plane.values);
    const width = widthOf(this.box);
    const shape = { across, down, left: 58, top: 6, bottom: 44 };
    const context = canvas.getContext("2d");
    const font = getComputedStyle(this.box).fontFamily;
    context.font = `12px ${font}`;
    if (down) shape.left = Math.min(170, 30 + Math.max(...down.texts.map((text) => context.measureText(text).width)));
    shape.cellWidth = (width - shape.left - 2) / across.size;
    shape.cellHeight = down ? Math.max(CELL_LOWEST, Math.min(CELL_TALLEST, MAP_TALLEST / down.size)) : BARS_HEIGHT;
    const height = shape.top + shape.cellHeight * (down ? down.size : 1) + shape.bottom;
    const dense = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context.scale(dense, dense);
    context.font = `12px ${font}`;
    this.shape = shape;
    const colours = palette();
    if (down) drawCells(context, this, colours);
    else drawBars(context, this, colours, width);
    drawAxes(context, this, colours);
    this.describe(colours);
    this.canvas.dataset.best = this.best;
    this.canvas.dataset.cells = this.plane.values.length;
  }

  describe(colours) {
    const { figure, ramp: scale, sweep } = this;
    const still = sweep.axes.filter((axis) => axis !== this.across && axis !== this.down);
    const held = still.map((axis) => (this.fixedAt.get(axis) === MEAN ? `mean over ${axis.column}` : `${axis.column} ${axis.texts[this.fixedAt.get(axis)]}`));
    byId("map-title").textContent = `${figure.label}${held.length ? ` at ${held.join(", ")}` : ""}: ${figure.meaning}`;
    const legend = byId("legend");
    legend.replaceChildren();
    if (scale.known && this.down) {
      const { middle } = scale;
      const [from, to] = middle === null ? [scale.low, scale.high] : [middle - scale.reach, middle + scale.reach];
      const stops = Array.from({ length: 21 }, (_, n) => scale.paint(from + ((to - from) * n) / 20, colours));
      const bar = element("span", "ramp");
      bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
      legend.append(element("span", "", reading(figure, from, sweep.currency)), bar, element("span", "", reading(figure, to, sweep.currency)));
    }
    if (scale.known < this.plane.values.length) legend.append(element("span", "none"), element("span", "", "no trades, or undefined"));
  }

  /** The cell under a point of the canvas, -1 for none. */
  at(x, y) {
    const { left, top, cellWidth, cellHeight } = this.shape;
    const column = Math.floor((x - left) / cellWidth);
    const row = Math.floor((y - top) / cellHeight);
    return column >= 0 && column < this.plane.width && row >= 0 && row < this.plane.height ? row * this.plane.width + column : -1;
  }

  point(event) {
    const edge = this.box.getBoundingClientRect();
    this.goTo(this.at(event.clientX - edge.left, event.clientY - edge.top));
  }

  goTo(cell) {
    if (cell === this.cell) return;
    this.cell = cell;
    this.tip.hidden = cell < 0;
    if (cell < 0) return;
    const { plane: shown, shape, sweep, figure } = this;
    const [column, row] = [cell % shown.width, Math.floor(cell / shown.width)];
    const words = [`${this.across.column} ${this.across.texts[column]}`];
    if (this.down) words.push(`${this.down.column} ${this.down.texts[row]}`);
    this.tip.replaceChildren(element("b", "", reading(figure, shown.values[cell], sweep.currency)), `  ${words.join(", ")}`);
    const x = shape.left + (column + 0.5) * shape.cellWidth;
    const y = shape.top + (row + (this.down ? 0.5 : 0.1)) * shape.cellHeight;
    const room = this.box.clientWidth - this.tip.offsetWidth - 4;
    this.tip.style.left = `${Math.max(0, Math.min(room, x + 12))}px`;
    this.tip.style.top = `${Math.max(0, y - this.tip.offsetHeight - 8)}px`;
    const combination = shown.rows[cell];
    byId("cell").textContent = combination < 0 ? `${words.join(", ")}: mean ${reading(figure, shown.values[cell], sweep.currency)}` : inWords(sweep, combination);
  }

  pick() {
    if (this.cell >= 0 && this.plane.rows[this.cell] >= 0) this.choose(this.plane.rows[this.cell]);
  }

  key(event) {
    const { width, values } = this.plane;
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[event.key];
    if (event.key === "Enter") this.pick();
    if (!move) return;
    event.preventDefault();
    const next = this.cell < 0 ? Math.max(0, this.best) : this.cell + move;
    if (next >= 0 && next < values.length) this.goTo(next);
  }
}
