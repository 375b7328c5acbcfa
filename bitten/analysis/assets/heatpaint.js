// Cells, bars and axes of the map on its canvas.

const LABEL_GAP = 10; // pixels between two labels of an axis

function hatching(context, colours) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const paint = tile.getContext("2d");
  paint.strokeStyle = colours.quiet;
  paint.globalAlpha = 0.35;
  for (const shift of [-6, 0, 6]) {
    paint.moveTo(shift, 6);
    paint.lineTo(shift + 6, 0);
  }
  paint.stroke();
  return context.createPattern(tile, "repeat");
}

function drawCells(context, map, colours) {
  const { plane: shown, shape, ramp: scale, figure } = map;
  const { left, top, cellWidth, cellHeight } = shape;
  const none = hatching(context, colours);
  const gap = Math.min(cellWidth, cellHeight) >= 8 ? 1 : 0;
  const dark = document.documentElement.classList.contains("dark");
  context.textAlign = "center";
  context.textBaseline = "middle";
  const texts = cellHeight < 15 || cellWidth < 15 ? [] : Array.from(shown.values, (value) => brief(figure, value));
  const fits = texts.length && texts.every((text) => context.measureText(text).width <= cellWidth - 6);
  shown.values.forEach((value, cell) => {
    const x = left + (cell % shown.width) * cellWidth;
    const y = top + Math.floor(cell / shown.width) * cellHeight;
    const known = Number.isFinite(value);
    context.fillStyle = known ? scale.paint(value, colours) : none;
    context.fillRect(x, y, cellWidth - gap, cellHeight - gap);
    if (!known || !fits) return;
    context.fillStyle = scale.alpha(value) > (dark ? 0.78 : 0.6) ? (dark ? "#0b0d10" : "#ffffff") : colours.ink;
    context.fillText(texts[cell], x + cellWidth / 2, y + cellHeight / 2);
  });
  if (map.best < 0) return;
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  const [column, row] = [map.best % shown.width, Math.floor(map.best / shown.width)];
  context.strokeRect(left + column * cellWidth, top + row * cellHeight, Math.max(3, cellWidth - gap), Math.max(3, cellHeight - gap));
}

function drawBars(context, map, colours, width) {
  const { plane: shown, shape, ramp: scale, figure } = map;
  const { left, top, cellWidth, cellHeight } = shape;
  const floor = scale.middle ?? 0;
  const [low, high] = scale.known ? [Math.min(floor, scale.low), Math.max(floor, scale.high)] : [0, 1];
  const room = high - low || 1;
  const y = (value) => top + 16 + ((high - value) / room) * (cellHeight - 34); // a line of text above and below
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of new Set([low, floor, high])) {
    context.fillStyle = colours.quiet;
    context.fillText(brief(figure, value), left - 8, y(value));
    context.fillStyle = value === floor ? colours.quiet : colours.line;
    context.fillRect(left, y(value), width - left - 2, 1);
  }
  const none = hatching(context, colours);
  const thick = cellWidth > 6 ? cellWidth * 0.7 : cellWidth;
  context.textAlign = "center";
  shown.values.forEach((value, cell) => {
    const x = left + cell * cellWidth + (cellWidth - thick) / 2;
    const known = Number.isFinite(value);
    context.fillStyle = known ? (value >= floor && !figure.less ? colours.gain : colours.loss) : none;
    const [from, to] = known ? [y(Math.max(value, floor)), y(Math.min(value, floor))] : [top, top + cellHeight];
    context.fillRect(x, from, thick, Math.max(1, to - from));
    if (known && cell === map.best) {
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      context.strokeRect(x, from, thick, Math.max(1, to - from));
    }
    const text = brief(figure, value);
    if (!known || context.measureText(text).width > cellWidth - 4) return;
    context.fillStyle = colours.ink;
    context.fillText(text, x + thick / 2, value >= floor ? from - 8 : to + 9);
  });
}

/** Values and names of both axes; where labels would touch, every second, third, ... is left out. */
function drawAxes(context, map, colours) {
  const { left, top, cellWidth, cellHeight, across, down } = map.shape;
  const foot = top + cellHeight * (down ? down.size : 1);
  const widest = Math.max(...across.texts.map((text) => context.measureText(text).width));
  const every = Math.max(1, Math.ceil((Math.min(widest, 150) + LABEL_GAP) / cellWidth));
  context.textBaseline = "top";
  context.textAlign = "center";
  context.fillStyle = colours.quiet;
  across.texts.forEach((text, n) => {
    if (n % every === 0) context.fillText(text, left + (n + 0.5) * cellWidth, foot + 6, 150);
  });
  context.fillStyle = colours.ink;
  context.fillText(across.key, left + (cellWidth * across.size) / 2, foot + 25);
  if (!down) return;
  const sparse = Math.max(1, Math.ceil(15 / cellHeight));
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillStyle = colours.quiet;
  down.texts.forEach((text, n) => {
    if (n % sparse === 0) context.fillText(text, left - 8, top + (n + 0.5) * cellHeight, left - 30);
  });
  context.save();
  context.translate(8, top + (cellHeight * down.size) / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillStyle = colours.ink;
  const room = cellHeight * down.size;
  context.fillText(context.measureText(down.key).width > room ? down.column : down.key, 0, 0);
  context.restore();
}
