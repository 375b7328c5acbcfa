// Excursions against results, one point per trade, in R.

function drawScatters(trades) {
  const rows = [];
  for (let i = 0; i < trades.count; i++) if (Number.isFinite(trades.r[i]) && trades.risk[i] > 0) rows.push(i);
  const pick = (value) => Float64Array.from(rows, value);
  const result = pick((i) => trades.r[i]);
  scatter("mae-chart", "furthest against, R", pick((i) => trades.mae[i] / trades.risk[i]), result);
  scatter("mfe-chart", "furthest in favour, R", pick((i) => trades.mfe[i] / trades.risk[i]), result);
}

function scatter(id, label, excursion, result) {
  const box = byId(id);
  if (!excursion.length) {
    box.append(element("p", "quiet", "No trade has a stop to measure R by."));
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
        mode: 2, width: widthOf(box, 0.24) || 240, height: 260, padding: [8, 8, 0, 0], legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, range: [0, right] }, y: { range: [bottom, top] } },
        axes: [
          { ...axis(colours), label, labelSize: 18, labelFont: "12px system-ui, sans-serif", labelGap: 0, space: 40 },
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

/** Winners are discs, losers are rings, so that colour does not carry the meaning alone. */
function points(colours) {
  return (plot, at) => {
    const [xs, ys] = plot.data[at];
    const context = plot.ctx;
    const alpha = Math.max(0.22, Math.min(0.8, 300 / xs.length));
    const size = (xs.length > 2000 ? 1.6 : 2.4) * devicePixelRatio;
    context.save();
    context.beginPath();
    context.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    context.clip();
    const discs = new Path2D();
    const rings = new Path2D();
    for (let i = 0; i < xs.length; i++) {
      const x = plot.valToPos(xs[i], "x", true);
      const y = plot.valToPos(ys[i], "y", true);
      const path = ys[i] > 0 ? discs : rings;
      path.moveTo(x + size, y);
      path.arc(x, y, size, 0, 7);
    }
    context.fillStyle = colours.gainAlpha(alpha);
    context.fill(discs);
    context.lineWidth = devicePixelRatio;
    context.strokeStyle = colours.lossAlpha(Math.min(1, alpha * 1.4));
    context.stroke(rings);
    context.restore();
    return null;
  };
}
