// Pools of liquidity over the candles: a thin line from where a pool was born to where it was swept (a small cross) or
// ended otherwise.

const MOST_POOLS = 400; // with more in sight nothing is drawn: lines would hide the candles

class PoolMarks {
  constructor(pools) {
    this.pools = pools;
    this.rows = [];
    this.on = true;
    this.level = null;
    this.drawn = 0;
    const renderer = { draw: (target) => target.useMediaCoordinateSpace((space) => this.draw(space)) };
    this.views = [{ zOrder: () => "bottom", renderer: () => renderer }];
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, update: requestUpdate });
  }

  paneViews() {
    return this.views;
  }

  show(rows, level, first) {
    Object.assign(this, { rows, level, first });
  }

  draw({ context, mediaSize }) {
    this.drawn = 0;
    if (!this.on || !this.level) return;
    const scale = this.chart.timeScale();
    const origin = scale.logicalToCoordinate(0);
    if (origin === null) return;
    const step = scale.options().barSpacing;
    const x = (seconds) => origin + (this.level.position(seconds) - this.first - 0.5) * step;
    const { pools } = this;
    const seen = [];
    for (const i of this.rows) {
      const left = x(pools.born[i]);
      if (left > mediaSize.width) break;
      const right = Number.isFinite(pools.end[i]) ? x(pools.end[i]) : mediaSize.width;
      if (right >= 0) seen.push([i, left, right]);
      if (seen.length > MOST_POOLS) return;
    }
    this.drawn = seen.length;
    const [lines, crosses] = [new Path2D(), new Path2D()];
    for (const [i, left, right] of seen) {
      const top = this.series.priceToCoordinate(pools.level[i]);
      if (top === null || top < 0 || top > mediaSize.height) continue;
      lines.moveTo(left, top);
      lines.lineTo(right, top);
      if (!Number.isFinite(pools.swept[i])) continue;
      for (const sign of [1, -1]) {
        crosses.moveTo(right - 3, top - 3 * sign);
        crosses.lineTo(right + 3, top + 3 * sign);
      }
    }
    const colours = palette();
    context.save();
    context.strokeStyle = colours.quiet;
    context.lineWidth = 1;
    context.globalAlpha = 0.75;
    context.setLineDash([2, 2]);
    context.stroke(lines);
    context.setLineDash([]);
    context.globalAlpha = 1;
    context.lineWidth = 1.4;
    context.stroke(crosses);
    context.restore();
  }
}

/** Pools as signalpayload.py packs them; prices become decimals, and each ends where it was swept or else ended. */
async function loadPools(facts) {
  const pools = await unpackColumns(facts.pools.block);
  const rows = facts.pools.words.symbol.map(() => []);
  const count = pools.born.length;
  pools.end = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    rows[pools.symbol[i]].push(i);
    pools.level[i] /= 10 ** facts.pools.digits[pools.symbol[i]];
    pools.swept[i] += pools.born[i];
    pools.end[i] = Number.isFinite(pools.swept[i]) ? pools.swept[i] : pools.born[i] + pools.ended[i];
  }
  pools.bySymbol = new Map(facts.pools.words.symbol.map((symbol, code) => [symbol, rows[code]]));
  return pools;
}
