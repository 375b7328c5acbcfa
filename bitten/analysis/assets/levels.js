// One symbol's candles in every timeframe that is a whole multiple of their own, made when first needed.

const LADDER = [60, 300, 900, 3600, 14400, 86400];
const NAMES = { 60: "M1", 120: "M2", 180: "M3", 300: "M5", 600: "M10", 900: "M15", 1800: "M30", 3600: "H1", 7200: "H2", 14400: "H4", 21600: "H6", 28800: "H8", 43200: "H12", 86400: "D1" };

/** First index whose value is above `wanted`. */
function above(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Level {
  constructor(seconds, columns) {
    Object.assign(this, columns);
    this.seconds = seconds;
    this.size = this.time.length;
    this.name = NAMES[seconds] ?? `${seconds / 60} min`;
  }

  /** Where an instant lies, in candles from the first one; the fraction is the share of its candle. */
  position(seconds) {
    const i = Math.max(0, above(this.time, seconds) - 1);
    const part = (seconds - this.time[i]) / this.seconds;
    return i + (i === this.size - 1 ? part : Math.min(part, 1));
  }

  /** The instant at a position; the inverse of `position`. */
  instant(position) {
    const i = Math.max(0, Math.min(this.size - 1, Math.floor(position)));
    return this.time[i] + (position - i) * this.seconds;
  }
}

class Levels {
  constructor(base) {
    this.made = [base];
    this.seconds = [base.seconds, ...LADDER.filter((step) => step > base.seconds && step % base.seconds === 0)];
  }

  get(i) {
    return (this.made[i] ??= coarser(this.made[0], this.seconds[i]));
  }

  /** The finest timeframe that shows the span in at most `most` candles. */
  finest(from, to, most) {
    for (let i = 0; i < this.seconds.length; i++) {
      const level = this.get(i);
      if (level.position(to) - level.position(from) <= most) return i;
    }
    return this.seconds.length - 1;
  }
}

function coarser(base, seconds) {
  const { time, open, high, low, close } = base;
  const out = { time: [], open: [], high: [], low: [], close: [] };
  let last = -1;
  for (let i = 0, current = NaN; i < time.length; i++) {
    const start = Math.floor(time[i] / seconds) * seconds;
    if (start !== current) {
      current = start;
      last = out.time.push(start) - 1;
      out.open.push(open[i]);
      out.high.push(high[i]);
      out.low.push(low[i]);
      out.close.push(close[i]);
      continue;
    }
    if (high[i] > out.high[last]) out.high[last] = high[i];
    if (low[i] < out.low[last]) out.low[last] = low[i];
    out.close[last] = close[i];
  }
  return new Level(seconds, out);
}

/** Candles as report.py packs them: the close runs on, the rest is measured from it. Prices become decimals. */
function unpackCandles({ seconds, digits }, packed) {
  const { time, close, open, high, low } = packed;
  const scale = 10 ** digits;
  for (let i = 0, before = close[0]; i < close.length; i++) {
    open[i] += before;
    before = close[i];
    high[i] = (Math.max(open[i], before) + high[i]) / scale;
    low[i] = (Math.min(open[i], before) - low[i]) / scale;
    open[i] /= scale;
  }
  for (let i = 0; i < close.length; i++) close[i] /= scale;
  return new Levels(new Level(seconds, { time, open, high, low, close }));
}
