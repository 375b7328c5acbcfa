"""The picture of a check: spread by hour and rows per day, as one small SVG that follows the reader's light or dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from textwrap import wrap
from typing import Final
from xml.sax.saxutils import escape

from bitten.clock import iso
from bitten.store.check import Check

_WIDTH: Final = 900
_LEFT: Final = 64
_PANEL: Final = 170
_TOP: Final = 100
_GAP: Final = 92
_BARS: Final = 400  # days are put together where there are more

_STYLE: Final = """
  svg { background: #fff; font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 } .soft { fill: #6e7781 } .line { stroke: #d0d7de }
  .bar { fill: #2f6fb0 } .tall { stroke: #b0562f; stroke-width: 2 } .warn { fill: #b3261e; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; fill: #e6edf3 } .soft { fill: #8b949e } .line { stroke: #30363d }
    .bar { fill: #58a6ff } .tall { stroke: #f0883e } .warn { fill: #ff7b72 }
  }
"""


def picture(check: Check) -> str:
    """The check as an SVG document."""
    height = _TOP + 2 * _PANEL + _GAP + 40
    title = f"{check.symbol} {check.kind}, {check.rows:,} rows, {iso(check.first, 0)} to {iso(check.last, 0)} UTC"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        _text(_LEFT, 26, title, "title"),
        *(
            _text(_LEFT, 46 + 16 * number, line, "soft" if check.clock.plausible else "warn")
            for number, line in enumerate(wrap(f"Clock {check.clock.text}", 120))
        ),
        *([_text(_WIDTH - 20, 26, "SYNTHETIC", "warn", "end")] if check.synthetic else []),
        *_spreads(check),
        *_days(check),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _spreads(check: Check) -> Iterator[str]:
    """Median spread of every UTC hour as a bar, its 95th percentile as a line above it."""
    base = _TOP + _PANEL
    if not check.hours:
        yield _text(_LEFT, _TOP, "The source states no spreads.", "soft")
        return
    highest = max(hour.p95 for hour in check.hours) or 1
    yield _text(_LEFT, _TOP - 8, "Spread by UTC hour in points: bar median, line 95th percentile", "soft")
    yield from _axis(base, highest)
    step = (_WIDTH - _LEFT - 20) / 24
    for hour in check.hours:
        x = _LEFT + hour.hour * step
        tall = _PANEL * hour.median / highest
        yield _bar(x + 3, base - tall, step - 6, tall, f"{hour.hour:02d}:00, median {hour.median}, 95 % {hour.p95}")
        y = base - _PANEL * hour.p95 / highest
        yield f'<line class="tall" x1="{x + 3:.1f}" x2="{x + step - 3:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    for number in range(0, 24, 3):
        yield _text(_LEFT + (number + 0.5) * step, base + 16, f"{number:02d}", "soft", "middle")


def _days(check: Check) -> Iterator[str]:
    """Rows per day (or of several days together, where the history is long) as bars."""
    top = _TOP + _PANEL + _GAP
    base = top + _PANEL
    first, last = min(check.days), max(check.days)
    together = -(-(last - first + 1) // _BARS)
    groups = [
        (day, sum(check.days.get(day + offset, 0) for offset in range(together)))
        for day in range(first, last + 1, together)
    ]
    what = "Rows per day" if together == 1 else f"Rows per {together} days"
    yield _text(_LEFT, top - 8, f"{what} (UTC)", "soft")
    highest = max(rows for _, rows in groups)
    yield from _axis(base, highest)
    step = (_WIDTH - _LEFT - 20) / len(groups)
    width = max(step * 0.8, 0.5)
    for number, (day, rows) in enumerate(groups):
        tall = _PANEL * rows / highest
        yield _bar(_LEFT + number * step, base - tall, width, tall, f"{_date(day)}, {rows:,}")
    for number in sorted({0, len(groups) // 2, len(groups) - 1}):
        anchor = "start" if number == 0 else "middle" if number < len(groups) - 1 else "end"
        x = _LEFT + number * step + (width if anchor == "end" else 0)
        yield _text(x, base + 16, _date(groups[number][0]), "soft", anchor)


def _axis(base: float, highest: float) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = base - _PANEL * share
        yield f'<line class="line" x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(_LEFT - 6, y + 4, _short(highest * share), "soft", "end")


def _bar(x: float, y: float, width: float, height: float, title: str) -> str:
    shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="bar" {shape}><title>{escape(title)}</title></rect>'


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(number: float) -> str:
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if number >= limit:
            return f"{number / (1e6 if unit == 'M' else 1e3):.3g}{unit}"
    return f"{number:.0f}" if number == int(number) else f"{number:.1f}"


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


def blocks(values: Sequence[float], width: int) -> str:
    """Values as a line of block characters of at most `width`; several values share one by their mean."""
    count = min(len(values), width)
    means = [
        sum(part) / len(part)
        for i in range(count)
        if (part := values[i * len(values) // count : (i + 1) * len(values) // count])
    ]
    highest = max(means, default=0) or 1
    return "".join(_BLOCKS[0 if mean <= 0 else max(1, round(mean / highest * (len(_BLOCKS) - 1)))] for mean in means)
