// The candle chart: it is handed a few thousand candles around what is in sight, in a timeframe that fits the zoom.

const HANDED = 5000; // candles given to the chart at once
const MOST = 1000; // more than these in sight: a coarser timeframe
const ENOUGH = 480; // a finer timeframe that needs no more than these is taken
const MARGIN = 300; // candles left beside the view before more are handed over

class CandleView {
  /** `layers`: TradeMarks, SignalMarks and PoolMarks, what lies on top last. */
  constructor(facts, layers) {
    this.facts = facts;
    this.layers = layers;
    this.box = byId("candles");
    this.cache = new Map();
    this.pressed = false;
    this.symbol = null;
    this.chart = LightweightCharts.createChart(this.box, { width: widthOf(this.box), height: this.box.clientHeight, ...this.look() });
    this.series = this.chart.addSeries(LightweightCharts.CandlestickSeries, this.candleLook());
    for (const layer of layers) this.series.attachPrimitive(layer.marks);
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.later());
    this.chart.subscribeCrosshairMove((event) => this.read(event));
    this.watchPointer();
    redrawn(this.box, () => this.restyle());
  }

  look() {
    const colours = palette();
    const line = { color: colours.line };
    return {
      layout: { background: { color: colours.surface }, textColor: colours.quiet, fontFamily: "system-ui, sans-serif", attributionLogo: true },
      grid: { vertLines: { visible: false }, horzLines: line },
      rightPriceScale: { borderColor: colours.line },
      timeScale: { borderColor: colours.line, timeVisible: true, secondsVisible: false, lockVisibleTimeRangeOnResize: true },
      crosshair: { mode: LightweightCharts.CrosshairMode.Normal },
      kineticScroll: { touch: false, mouse: false },
      localization: { locale: "en-GB", dateFormat: "yyyy-MM-dd" },
    };
  }

  candleLook() {
    const { up, upEdge, down } = palette();
    return { upColor: up, borderUpColor: upEdge, wickUpColor: upEdge, downColor: down, borderDownColor: down, wickDownColor: down, priceLineVisible: false, lastValueVisible: false };
  }

  restyle() {
    this.series.applyOptions(this.candleLook());
    if (!printing.now) {
      this.chart.applyOptions({ ...this.look(), width: this.box.clientWidth, height: this.box.clientHeight });
      return;
    }
    // The chart paints in frames, and none come while a page goes to paper: it leaves a picture of itself instead.
    this.chart.applyOptions(this.look());
    byId("candles-picture").replaceChildren(this.chart.takeScreenshot(true));
  }

  /** While a button is held the chart scrolls relative to its own start: candles are exchanged afterwards. */
  watchPointer() {
    this.box.addEventListener("pointerdown", () => (this.pressed = true), true);
    for (const name of ["pointerup", "pointercancel"]) {
      window.addEventListener(name, () => {
        this.pressed = false;
        this.later();
      });
    }
  }

  async open(symbol) {
    if (!this.cache.has(symbol)) {
      const kept = this.facts.candles[symbol];
      this.cache.set(symbol, unpackColumns(kept.block).then((columns) => unpackCandles(kept, columns)));
    }
    const levels = await this.cache.get(symbol);
    if (this.symbol === symbol) return;
    this.symbol = symbol;
    this.levels = levels;
    this.digits = this.facts.candles[symbol].digits;
    const format = { type: "price", precision: this.digits, minMove: 10 ** -this.digits };
    this.series.applyOptions({ priceFormat: format });
    this.whole();
  }

  whole() {
    const base = this.levels.get(0);
    this.show(base.time[0], base.time[base.size - 1] + base.seconds);
  }

  /** Bring a span of time, in seconds, into view. */
  show(from, to) {
    this.hand(this.levels.finest(from, to, ENOUGH), from, to);
  }

  /** Show a trade or a signal, one of those that `marks` marks, with the market around it. */
  async reveal(marks, row) {
    const { trades } = marks;
    const symbol = trades.words.symbol[trades.symbol[row]];
    this.choose(marks, row);
    if (!this.facts.candles[symbol]) return false;
    await this.open(symbol);
    const base = this.levels.get(0);
    const [start, end] = [base.position(trades.opened[row]), base.position(trades.closed[row])];
    const around = Math.max(45, (end - start) * 0.9);
    this.show(base.instant(start - around), base.instant(end + around));
    return true;
  }

  /** One thing is chosen at a time. */
  choose(marks, row) {
    for (const layer of this.layers) layer.marks.chosen = layer.marks === marks ? row : -1;
    this.update();
  }

  update() {
    for (const layer of this.layers) layer.marks.update?.();
  }

  /** Give the chart the candles of one timeframe around a span, and show that span. */
  hand(at, from, to) {
    const level = this.levels.get(at);
    const [left, right] = [level.position(from), level.position(to)];
    const spare = Math.max(0, (HANDED - (right - left)) / 2);
    const first = Math.max(0, Math.floor(left - spare));
    const last = Math.min(level.size, Math.ceil(right + spare));
    this.at = at;
    this.held = { level, first, last };
    const data = [];
    for (let i = first; i < last; i++) {
      data.push({ time: level.time[i], open: level.open[i], high: level.high[i], low: level.low[i], close: level.close[i] });
    }
    for (const { marks, rows } of this.layers) marks.show(rows.bySymbol.get(this.symbol) ?? new Int32Array(0), level, first);
    this.series.setData(data);
    this.chart.priceScale("right").applyOptions({ autoScale: true });
    this.wanted = { from: left - first - 0.5, to: right - first - 0.5, patience: 8 };
    this.chart.timeScale().setVisibleLogicalRange(this.wanted);
    byId("timeframe").textContent = `${level.name} candles, bid`;
    Object.assign(this.box.dataset, { symbol: this.symbol, timeframe: level.name, handed: data.length });
    this.note(from, to);
  }

  later() {
    if (this.waiting || this.pressed) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.settle();
    });
  }

  /** After a move: does the view still suit its timeframe, and are there candles left on both sides? */
  settle() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || !this.held || this.pressed) return;
    if (this.wanted) {
      // the chart moves in a frame of its own: until then it still tells where it was
      if (Math.abs(range.from - this.wanted.from) > 1 && this.wanted.patience-- > 0) return this.later();
      this.wanted = null;
    }
    const { level, first, last } = this.held;
    const [left, right] = [range.from + first + 0.5, range.to + first + 0.5];
    const [from, to] = [level.instant(left), level.instant(right)];
    this.note(from, to);
    const finest = this.levels.finest(from, to, ENOUGH);
    if (right - left > MOST || finest < this.at) {
      if (finest !== this.at) this.hand(finest, from, to);
    } else if ((first > 0 && left - first < MARGIN) || (last < level.size && last - right < MARGIN)) {
      this.hand(this.at, from, to);
    }
  }

  note(from, to) {
    this.box.dataset.from = Math.round(from);
    this.box.dataset.to = Math.round(to);
  }

  read({ time, point, seriesData }) {
    const told = point && this.hint?.(point);
    if (told) {
      byId("readout").textContent = told;
      return;
    }
    const bar = seriesData.get(this.series);
    const cells = bar ? ["open", "high", "low", "close"].map((name) => `${name[0].toUpperCase()} ${price(bar[name], this.digits)}`) : [];
    byId("readout").textContent = bar ? `${stamp(time, 16)}   ${cells.join("  ")}` : "";
  }
}
