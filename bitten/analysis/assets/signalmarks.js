// Signals over the candles: a filled diamond was fired, a hollow one refused, a cross expired or was declined. The colour
// is what the signal came to at its own stop or target.

const NEAR = 12; // pixels within which a mark is the one that is meant

class SignalMarks extends TradeMarks {
  constructor(signals) {
    super(signals);
    this.places = []; // [x, y, row] of what was last drawn
  }

  drawRows(context, x, y, seen, colours) {
    const { trades: signals } = this;
    this.places = [];
    if (seen.length > SWARM) return;
    const size = seen.length > CROWDED ? 2.5 : 4.5;
    context.save();
    context.lineWidth = 1.4;
    for (const i of seen) {
      const [left, top] = [x(signals.opened[i]), y(signals.open[i])];
      if (left < -size || top === null) continue;
      this.places.push([left, top, i]);
      const r = signals.r[i];
      context.strokeStyle = context.fillStyle = r > 0 ? colours.gain : r < 0 ? colours.loss : colours.quiet;
      const path = mark(left, top, i === this.chosen ? size + 2.5 : size, signals.fate[i]);
      if (signals.fate[i] === FIRED) context.fill(path);
      context.stroke(path);
    }
    context.restore();
  }

  /** The signal whose mark is nearest to a point of the chart; -1 for none. */
  at(point) {
    let [best, found] = [NEAR ** 2, -1];
    for (const [left, top, i] of this.places) {
      const distance = (left - point.x) ** 2 + (top - point.y) ** 2;
      if (distance < best) [best, found] = [distance, i];
    }
    return found;
  }
}

const FIRED = 0; // as signalpayload.py numbers them
const REFUSED = 1;

function mark(left, top, size, fate) {
  const path = new Path2D();
  if (fate === FIRED || fate === REFUSED) {
    path.moveTo(left, top - size);
    path.lineTo(left + size, top);
    path.lineTo(left, top + size);
    path.lineTo(left - size, top);
    path.closePath();
  } else {
    const arm = size * 0.7;
    path.moveTo(left - arm, top - arm);
    path.lineTo(left + arm, top + arm);
    path.moveTo(left - arm, top + arm);
    path.lineTo(left + arm, top - arm);
  }
  return path;
}
