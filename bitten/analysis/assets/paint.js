// Colours of the current theme, and numbers as people read them.

const byId = (id) => document.getElementById(id);

/** The theme's colours, read when something is drawn. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const rgb = (name) => (alpha) => `rgba(${colour(name)}, ${alpha})`;
  return {
    surface: colour("surface"), ink: colour("ink"), quiet: colour("quiet"), line: colour("line"),
    gain: colour("gain"), loss: colour("loss"), up: colour("up"), upEdge: colour("up-edge"), down: colour("down"),
    gainAlpha: rgb("gain-rgb"), lossAlpha: rgb("loss-rgb"),
  };
}

const ABSENT = "–";
const formats = new Map();

function fixed(value, digits) {
  if (!Number.isFinite(value)) return ABSENT;
  if (!formats.has(digits)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    formats.set(digits, new Intl.NumberFormat("en-US", options));
  }
  const text = formats.get(digits).format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

const signed = (value, digits) => (value > 0 ? "+" : "") + fixed(value, digits);
const price = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : ABSENT);

/** `2024-03-04 12:30:00` in UTC. */
function stamp(seconds, length = 19) {
  return new Date(seconds * 1000).toISOString().slice(0, length).replace("T", " ");
}

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.round(whole / 60)} min`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Paper is narrower than the window, and white: charts are drawn anew for it.
const PAPER_WIDTH = 690;
const printing = { now: false };

const widthOf = (box, share = 1) => (printing.now ? Math.floor(PAPER_WIDTH * share) : box.clientWidth);
const heightOf = (screen) => (printing.now ? Math.floor(screen * 0.55) : screen);

/** Call `draw` now and whenever the width or the colours of the box have changed. */
function redrawn(box, draw) {
  let width = 0;
  const again = () => {
    width = box.clientWidth;
    draw();
  };
  again();
  new ResizeObserver(() => {
    if (!printing.now && box.clientWidth !== width) again();
  }).observe(box);
  document.addEventListener("themechange", again);
}

function followPrinter() {
  const root = document.documentElement;
  const figures = document.querySelector("#summary details");
  const turn = (now, dark) => () => {
    printing.now = now;
    if (now) root.dataset.wasDark = root.classList.contains("dark") ? "1" : "";
    root.classList.toggle("dark", dark());
    if (figures) {
      if (now) root.dataset.wasOpen = figures.open ? "1" : "";
      figures.open = now || root.dataset.wasOpen === "1";
    }
    document.dispatchEvent(new Event("themechange"));
  };
  window.addEventListener("beforeprint", turn(true, () => false));
  window.addEventListener("afterprint", turn(false, () => root.dataset.wasDark === "1"));
}
