// Excursions against results, one point per trade, in R.

function drawScatters(trades) {
  const rows = [];
  for (let i = 0; i < trades.count; i++) if (Number.isFinite(trades.r[i]) && trades.risk[i] > 0) rows.push(i);
  const pick = (value) => Float64Array.from(rows, value);
  const result = pick((i) => trades.r[i]);
  const none = trades.count ? "No trade has a stop to measure R by." : "No trades.";
  scatter("mae-chart", "furthest against, R", pick((i) => trades.mae[i] / trades.risk[i]), result, none);
  scatter("mfe-chart", "furthest in favour, R", pick((i) => trades.mfe[i] / trades.risk[i]), result, none);
}

function scatter(id, label, excursion, result, none) {
  const box = byId(id);
  if (!excursion.length) {
    box.append(element("p", "quiet", none));
    return;
  }
  const right = quantile(excursion, 0.995) * 1.06 || 1;
  const [bottom, top] = [Math.min(quantile(result, 0.002) * 1.1, -0.2), Math.max(quantile(result, 0.998) * 1.1, 0.2)];
  let plot = null;
  redrawn(box, () => {
    plot?.destroy();
    const colours = palette();
    plot = new uPlot(
      {
        mode: 2, width: widthOf(box, 0.23), height: printing.now ? 200 : 260, padding: [8, 8, 0, 0], legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, range: [0, right] }, y: { range: [bottom, top] } },
        axes: [
          { ...axis(colours), label, labelSize: 18, labelFont: "12px system-ui, sans-serif", labelGap: 0, size: 26, space: 40 },
          { ...axis(colours), size: 34, values: (drawn, ticks) => ticks.map((tick) => fixed(tick, tick % 1 ? 1 : 0)) },
        ],
        series: [{}, { paths: points(colours) }],
      },
      [[], [excursion, result]],
      box,
    );
  });
}

function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Winners are filled, losers are hollow, so that colour does not carry the meaning alone; where points crowd the
 * colour deepens. */
function points(colours) {
  return (plot, at) => {
    const [xs, ys] = plot.data[at];
    const context = plot.ctx;
    const alpha = Math.max(0.16, Math.min(0.8, 500 / xs.length));
    const size = (xs.length > 2000 ? 3 : 4.5) * devicePixelRatio;
    context.save();
    context.beginPath();
    context.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    context.clip();
    context.fillStyle = colours.gainAlpha(alpha);
    context.strokeStyle = colours.lossAlpha(Math.min(1, alpha * 1.25));
    context.lineWidth = devicePixelRatio;
    for (let i = 0; i < xs.length; i++) {
      const x = plot.valToPos(xs[i], "x", true) - size / 2;
      const y = plot.valToPos(ys[i], "y", true) - size / 2;
      if (ys[i] > 0) context.fillRect(x, y, size, size);
      else context.strokeRect(x, y, size, size);
    }
    context.restore();
    return null;
  };
}
