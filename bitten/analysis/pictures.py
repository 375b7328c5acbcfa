"""Small pictures as SVG text: they need no script, follow the page's colours and print sharply."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bitten.analysis.figures import counted, minus
from bitten.model.dtypes import Floats, Ints

_WIDTH: Final = 560
_HEIGHT: Final = 260
_LEFT: Final = 44
_RIGHT: Final = 8
_TOP: Final = 22
_BOTTOM: Final = 34
_STEPS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_MOST_BARS: Final = 40
_FARTHEST: Final = 20.0  # R; a stop of one point can make thousands

_Scale = Callable[[float], float]


def r_histogram(multiples: Floats, trades: int) -> str:
    """How often trades made how many R, losses and gains in the page's two colours.

    Args:
        multiples: R of the trades, finite, shape (n,); none gives a sentence instead of a picture.
        trades: how many trades there are, with R or without.
    """
    if multiples.size == 0:
        reason = "No trade with a result has a stop to measure R by." if trades else "No trades."
        return f'<p class="quiet">{reason}</p>'
    edges, counts = _bins(np.round(multiples, 9))
    mean = float(multiples.mean())
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    highest = int(counts.max())

    def x(value: float) -> float:
        return float(_LEFT + (value - edges[0]) / (edges[-1] - edges[0]) * inner_width)

    def y(count: float) -> float:
        return _TOP + (1 - count / highest) * inner_height

    parts = [_grid(highest, y), *_bars(edges, counts, x, y), _r_axis(edges, x), _mean_mark(mean, edges, x)]
    label = f"Histogram of R over {multiples.size:,} trades, mean {minus(f'{mean:.3f}')} R"
    box = f'class="histogram" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}"'
    return f"<svg {box}>{''.join(parts)}</svg>"


def diverging_bar(value: float | None, extremes: tuple[float, float]) -> str:
    """One bar right (gain) or left (loss) of a common zero, on a scale that all rows of a table share.

    Args:
        value: the row's; None draws only the zero line.
        extremes: (lowest, highest) of all rows.
    """
    low, high = min(extremes[0], 0.0), max(extremes[1], 0.0)
    reach = (high - low) or 1.0
    zero = -low / reach * 100
    parts = [f'<line class="zero" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="0" y2="14"/>']
    if value:
        width = abs(value) / reach * 100
        left, kind = (zero, "gain") if value > 0 else (zero - width, "loss")
        parts.insert(0, f'<rect class="bar-{kind}" x="{left:.2f}%" y="2" width="{width:.2f}%" height="10" rx="1.5"/>')
    return f'<svg aria-hidden="true">{"".join(parts)}</svg>'


def _bins(multiples: Floats) -> tuple[Floats, Ints]:
    """Edges on whole multiples of a round step, so that a trade stopped at exactly −1 R always starts a bar."""
    low, high = np.clip(np.quantile(multiples, (0.005, 0.995)), -_FARTHEST, _FARTHEST).tolist()
    low, high = min(low, -1.0), max(high, 1.0)
    step = next((step for step in _STEPS if (high - low) / step <= _MOST_BARS), _STEPS[-1])
    first, last = math.floor(low / step), math.floor(high / step) + 1
    edges = np.arange(first, last + 1) * step
    index = np.clip(np.floor(multiples / step + 1e-9).astype(np.int64) - first, 0, last - first - 1)
    return edges, np.bincount(index, minlength=last - first)


def _bars(edges: Floats, counts: Ints, x: _Scale, y: _Scale) -> Sequence[str]:
    bars = []
    for left, right, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True):
        kind = "loss" if right <= 1e-9 else "gain"
        title = f"{minus(f'{left:g}')} to {minus(f'{right:g}')} R: {counted(count, 'trade')}"
        place = f'x="{x(left) + 0.6:.2f}" y="{y(count):.2f}" width="{x(right) - x(left) - 1.2:.2f}"'
        bars.append(f'<rect class="bar-{kind}" {place} height="{y(0) - y(count):.2f}"><title>{title}</title></rect>')
    return bars


def _grid(highest: int, y: _Scale) -> str:
    step = _round_step(highest / 4)
    lines = []
    for count in range(0, highest + 1, step):
        lines.append(
            f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(count):.2f}" y2="{y(count):.2f}"/>'
        )
        lines.append(f'<text x="{_LEFT - 8}" y="{y(count) + 4:.2f}" text-anchor="end">{count:,}</text>')
    return "".join(lines)


def _r_axis(edges: Floats, x: _Scale) -> str:
    step = _round_step((edges[-1] - edges[0]) / 10)
    first, last = math.ceil(edges[0] / step), math.floor(edges[-1] / step)
    base = _HEIGHT - _BOTTOM
    marks = []
    for k in range(first, last + 1):
        at = x(k * step)
        marks.append(f'<line class="zero" x1="{at:.2f}" x2="{at:.2f}" y1="{base}" y2="{base + 4}"/>')
        marks.append(f'<text x="{at:.2f}" y="{base + 18}" text-anchor="middle">{minus(str(k * step))}</text>')
    marks.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 3}" text-anchor="end">R</text>')
    return "".join(marks)


def _mean_mark(mean: float, edges: Floats, x: _Scale) -> str:
    at = x(min(max(mean, edges[0]), edges[-1]))
    return (
        f'<line class="mean" x1="{at:.2f}" x2="{at:.2f}" y1="{_TOP - 6}" y2="{_HEIGHT - _BOTTOM}"/>'
        f'<text class="mean" x="{at:.2f}" y="{_TOP - 10}" text-anchor="middle">mean {minus(f"{mean:.3f}")}</text>'
    )


def _round_step(rough: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 ... that is not below `rough`."""
    size = 10 ** max(0, math.floor(math.log10(max(rough, 1.0))))
    return next(int(factor * size) for factor in (1, 2, 5, 10) if factor * size >= rough)
