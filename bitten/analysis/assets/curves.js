// Equity and drawdown: two plots that share their cursor and their zoom.

const DAY = 86400;

function drawCurves(curves) {
  const equityBox = byId("equity-chart");
  const drawdownBox = byId("drawdown-chart");
  if (!curves.length || !curves[0].time.length) {
    equityBox.append(element("p", "quiet", "No equity was recorded."));
    return;
  }
  const select = byId("curve");
  curves.forEach((curve, i) => select.append(new Option(curve.name, i)));
  byId("curve-pick").hidden = curves.length < 2;
  let plots = [];
  const draw = () => {
    plots.forEach((plot) => plot.destroy());
    const curve = curves[Number(select.value) || 0];
    plots = [equityPlot(equityBox, curve), drawdownPlot(drawdownBox, curve)];
  };
  select.addEventListener("change", draw);
  redrawn(equityBox, draw);
}

/** Share below the last peak, in per cent, zero or negative. */
function drawdowns(equity) {
  let peak = -Infinity;
  return equity.map((value) => ((peak = Math.max(peak, value)) > 0 ? (value / peak - 1) * 100 : 0));
}

// Equity is known at its records and stays as it was until the next one.
const steps = () => uPlot.paths.stepped({ align: 1 });

function equityPlot(box, curve) {
  const colours = palette();
  const money = orLast((value) => `${fixed(value, 2)} ${curve.currency}`);
  return new uPlot(
    {
      ...frame(box, 300, colours),
      axes: [timeAxis(colours), { ...axis(colours), size: 78, values: ticked("") }],
      series: [
        { label: "UTC", value: orLast((value) => stamp(value, 16)) },
        { label: "Balance", stroke: colours.quiet, width: 1, dash: [3, 3], paths: steps(), points: { show: false }, value: money },
        { label: "Equity", stroke: colours.gain, width: 1.6, paths: steps(), points: { show: false }, value: money },
      ],
    },
    [curve.time, curve.balance, curve.equity],
    box,
  );
}

function drawdownPlot(box, curve) {
  const colours = palette();
  return new uPlot(
    {
      ...frame(box, 150, colours),
      scales: { y: { range: (plot, low) => [Math.min(low * 1.08, -0.1), 0] } },
      axes: [timeAxis(colours), { ...axis(colours), size: 78, values: ticked(" %") }],
      series: [
        { label: "UTC", value: orLast((value) => stamp(value, 16)) },
        {
          label: "Drawdown", stroke: colours.loss, width: 1.2, fill: colours.lossAlpha(0.18), fillTo: 0, paths: steps(),
          points: { show: false }, value: orLast((value) => `${fixed(value, 2)} %`),
        },
      ],
    },
    [curve.time, drawdowns(curve.equity)],
    box,
  );
}

/** Labels with as many decimals as the step between them needs, so that no two read the same. */
function ticked(unit) {
  return (plot, ticks, at, space, step) => {
    const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
    const exact = Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6 ? digits + 1 : digits;
    return ticks.map((tick) => `${fixed(tick, exact)}${unit}`);
  };
}

/** A legend's text: the value under the cursor, without a cursor the last one. */
function orLast(text) {
  return (plot, value, series) => text(value ?? plot.data[series].at(-1));
}

function frame(box, height, colours) {
  return {
    width: widthOf(box),
    height: heightOf(height),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    padding: [8, 12, 0, 0],
    cursor: { sync: { key: "equity" }, drag: { x: true, y: false }, points: { size: 6, fill: colours.surface } },
    legend: { live: true },
  };
}

function axis(colours) {
  return {
    stroke: colours.quiet, font: "12px system-ui, sans-serif", gap: 6,
    grid: { stroke: colours.line, width: 1 }, ticks: { show: false }, border: { show: false },
  };
}

function timeAxis(colours) {
  const text = (seconds, step) => {
    const iso = stamp(seconds, 16);
    if (step >= 28 * DAY) return iso.slice(0, 7);
    return step >= DAY ? iso.slice(0, 10) : iso.slice(5, 16);
  };
  return { ...axis(colours), grid: { show: false }, space: 84, size: 30, values: (plot, ticks, at, space, step) => ticks.map((tick) => text(tick, step)) };
}
