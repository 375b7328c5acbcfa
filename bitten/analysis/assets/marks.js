// What is drawn over the candles: every trade as a line from entry to exit, the chosen one with its levels. Signals are
// marked by a class that builds on this one (signalmarks.js).

const CROWDED = 300; // with more trades in sight, marks become small
const SWARM = 1500; // with more than these, only entries are marked

class TradeMarks {
  constructor(trades) {
    this.trades = trades;
    this.rows = new Int32Array(0); // trades of the symbol, by their opening
    this.longest = 0;
    this.chosen = -1;
    this.on = true;
    this.level = null;
    this.first = 0; // index in the level of the first candle that the chart holds
    const renderer = { draw: (target) => target.useMediaCoordinateSpace((space) => this.draw(space)) };
    this.views = [{ zOrder: () => "top", renderer: () => renderer }];
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, update: requestUpdate });
  }

  paneViews() {
    return this.views;
  }

  /** The price scale keeps the chosen trade's levels in view, as long as the trade itself is. */
  autoscaleInfo(from, to) {
    const { trades, chosen, level, first } = this;
    if (chosen < 0 || !level || !this.rows.includes(chosen)) return null;
    if (level.position(trades.opened[chosen]) - first > to || level.position(trades.closed[chosen]) - first < from) return null;
    const levels = [trades.open[chosen], trades.close[chosen], trades.stop[chosen], trades.target[chosen]];
    const known = levels.filter(Number.isFinite);
    return { priceRange: { minValue: Math.min(...known), maxValue: Math.max(...known) } };
  }

  show(rows, level, first) {
    this.rows = rows;
    this.level = level;
    this.first = first;
    this.longest = 0;
    for (const i of rows) this.longest = Math.max(this.longest, this.trades.closed[i] - this.trades.opened[i]);
  }

  draw({ context, mediaSize }) {
    if (!this.level) return;
    const scale = this.chart.timeScale();
    const origin = scale.logicalToCoordinate(0);
    if (origin === null) return;
    const step = scale.options().barSpacing;
    const x = (seconds) => origin + (this.level.position(seconds) - this.first - 0.5) * step;
    const y = (value) => this.series.priceToCoordinate(value);
    const colours = palette();
    const chosenHere = this.chosen >= 0 && this.rows.includes(this.chosen);
    if (chosenHere) this.drawZone(context, x, y, colours);
    if (this.on) this.drawRows(context, x, y, this.inSight(x, mediaSize.width), colours);
    if (chosenHere) this.drawLabels(context, x, y, colours, mediaSize);
  }

  drawRows(context, x, y, seen, colours) {
    for (const gain of [false, true]) this.drawTrades(context, x, y, seen, gain, colours);
  }

  /** Trades that touch the visible width and pass the filters. */
  inSight(x, width) {
    const { trades, rows } = this;
    const opened = (k) => trades.opened[rows[k]];
    const from = this.level.instant(this.first) - this.longest;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (opened(middle) < from) low = middle + 1;
      else high = middle;
    }
    const seen = [];
    for (let k = low; k < rows.length; k++) {
      const i = rows[k];
      const left = x(trades.opened[i]);
      if (left > width) break;
      if (trades.shown[i] && x(trades.closed[i]) >= 0) seen.push(i);
    }
    return seen;
  }

  drawTrades(context, x, y, seen, gain, colours) {
    const { trades } = this;
    const mine = seen.filter((i) => trades.profit[i] > 0 === gain);
    context.save();
    context.strokeStyle = context.fillStyle = gain ? colours.gain : colours.loss;
    if (seen.length > SWARM) {
      context.globalAlpha = 0.5;
      for (const i of mine) context.fillRect(x(trades.opened[i]) - 1, y(trades.open[i]) - 1, 2, 2);
    } else {
      this.drawLines(context, x, y, mine, gain, seen.length > CROWDED);
    }
    context.restore();
  }

  drawLines(context, x, y, rows, gain, crowded) {
    const { trades } = this;
    const size = crowded ? 2.5 : 5;
    const lines = new Path2D();
    const heads = new Path2D();
    for (const i of rows) {
      const [x1, y1, x2, y2] = [x(trades.opened[i]), y(trades.open[i]), x(trades.closed[i]), y(trades.close[i])];
      lines.moveTo(x1, y1);
      lines.lineTo(x2, y2);
      triangle(heads, x1, y1, size, trades.side[i]);
      if (crowded) continue;
      heads.moveTo(x2 + size * 0.6, y2);
      heads.arc(x2, y2, size * 0.6, 0, 7);
    }
    context.globalAlpha = crowded ? 0.6 : 1;
    context.lineWidth = crowded ? 1 : 1.6;
    context.setLineDash(gain || crowded ? [] : [4, 3]);
    context.stroke(lines);
    context.fill(heads);
  }

  drawZone(context, x, y, colours) {
    const { trades, chosen } = this;
    const [left, right] = this.zone(x);
    const band = (level, fill, line) => {
      if (!Number.isFinite(level)) return;
      const [entry, edge] = [y(trades.open[chosen]), y(level)];
      context.fillStyle = fill;
      context.fillRect(left, Math.min(entry, edge), right - left, Math.abs(edge - entry));
      context.strokeStyle = line;
      context.beginPath();
      context.moveTo(left, edge);
      context.lineTo(right, edge);
      context.stroke();
    };
    context.save();
    context.lineWidth = 1.5;
    band(trades.target[chosen], colours.gainAlpha(0.13), colours.gain);
    context.setLineDash([6, 4]);
    band(trades.stop[chosen], colours.lossAlpha(0.13), colours.loss);
    context.restore();
  }

  drawLabels(context, x, y, colours, size) {
    const { trades, chosen } = this;
    const right = Math.min(this.zone(x)[1] + 6, size.width - 120);
    const digits = trades.digits[trades.symbol[chosen]];
    context.save();
    context.font = "600 11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = colours.surface;
    const label = (name, value, colour) => {
      if (!Number.isFinite(value)) return;
      context.fillStyle = colour;
      context.strokeText(`${name} ${price(value, digits)}`, right, y(value));
      context.fillText(`${name} ${price(value, digits)}`, right, y(value));
    };
    label("target", trades.target[chosen], colours.gain);
    label("stop", trades.stop[chosen], colours.loss);
    label("entry", trades.open[chosen], colours.ink);
    context.restore();
  }

  zone(x) {
    const left = x(this.trades.opened[this.chosen]);
    return [left, Math.max(x(this.trades.closed[this.chosen]), left + 24)];
  }
}

function triangle(path, x, y, size, side) {
  path.moveTo(x, y - side * size);
  path.lineTo(x + size, y + side * size);
  path.lineTo(x - size, y + side * size);
  path.closePath();
}
