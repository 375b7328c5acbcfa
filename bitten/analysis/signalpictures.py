"""Pictures of what became of signals, as SVG text: intervals in table rows, calibration, scores, returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from bitten.analysis.analytics import ENOUGH
from bitten.analysis.figures import counted, minus
from bitten.model.dtypes import Floats

_ROW: Final = 16  # pixels of a bar in a table row
_FARTHEST: Final = 3.0  # R; the intervals of two signals reach beyond every scale
_SIDE: Final = 300
_LEFT: Final = 44
_MARGIN: Final = 58  # with a name beside the numbers
_EDGE: Final = 10
_BOTTOM: Final = 40
_WIDTH: Final = 560
_HISTOGRAM_BARS: Final = 24


class Span(NamedTuple):
    """A value with its interval and how it is drawn: `refused`, `passed` or `plain`."""

    value: float | None
    low: float | None
    high: float | None
    kind: str = "plain"


def span_of(row: Mapping[str, Any], key: str, kind: str = "plain") -> Span:
    """The span of a figure that has `_low` and `_high` beside it."""
    return Span(row.get(key), row.get(f"{key}_low"), row.get(f"{key}_high"), kind)


def common_scale(spans: Sequence[Span]) -> tuple[float, float]:
    """(low, high) that hold zero and the spans, as far as ±3 R; beyond it they are cut."""
    ends = [end for span in spans for end in span[:3] if end is not None]
    low, high = max(-_FARTHEST, min(ends, default=0.0)), min(_FARTHEST, max(ends, default=0.0))
    return min(low, -0.1), max(high, 0.1)


def interval_bars(spans: Sequence[Span], scale: tuple[float, float]) -> str:
    """Intervals above each other on the scale that all rows of a table share, with its zero."""
    low, high = scale
    height = max(1, len(spans)) * _ROW

    def x(value: float) -> float:
        return 2 + 96 * (min(max(value, low), high) - low) / (high - low)

    parts = [f'<line class="zero" x1="{x(0):.2f}%" x2="{x(0):.2f}%" y1="0" y2="{height}"/>'] if low <= 0 <= high else []
    for k, span in enumerate(spans):
        middle = _ROW * k + _ROW // 2
        if span.low is not None and span.high is not None:
            line = f'x1="{x(span.low):.2f}%" x2="{x(span.high):.2f}%" y1="{middle}" y2="{middle}"'
            parts.append(f'<line class="reach {span.kind}" {line}/>')
        if span.value is not None:
            parts.append(f'<circle class="dot {span.kind}" cx="{x(span.value):.2f}%" cy="{middle}" r="3.5"/>')
    return f'<svg class="spans" style="height:{height}px" aria-hidden="true">{"".join(parts)}</svg>'


def reliability_diagram(figures: Mapping[str, Any]) -> str:
    """What was forecast against what came, a point per bin with its interval, on equal axes."""
    bins = figures["bins"]
    lowest = min(one[key] for one in bins for key in ("forecast", "observed_low"))
    highest = max(one[key] for one in bins for key in ("forecast", "observed_high"))
    low, high = math.floor(lowest * 10) / 10, math.ceil(highest * 10) / 10
    inner = _SIDE - _EDGE

    def x(value: float) -> float:
        return float(_MARGIN + (value - low) / (high - low) * inner)

    def y(value: float) -> float:
        return float(_EDGE + (1 - (value - low) / (high - low)) * inner)

    most = max(one["signals"] for one in bins)
    parts = [_square_grid(low, high, x, y)]
    parts.append(f'<line class="ideal" x1="{x(low):.1f}" y1="{y(low):.1f}" x2="{x(high):.1f}" y2="{y(high):.1f}"/>')
    base = figures["base_rate"]
    parts.append(f'<line class="mean" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y(base):.1f}" y2="{y(base):.1f}"/>')
    for one in bins:
        at = x(one["forecast"])
        reach = f'y1="{y(one["observed_low"]):.1f}" y2="{y(one["observed_high"]):.1f}"'
        radius = 3 + 4 * math.sqrt(one["signals"] / most)
        title = (
            f"said {_percent(one['forecast'])}, came {_percent(one['observed'])} of {counted(one['signals'], 'signal')}"
        )
        parts.append(f'<line class="reach plain" x1="{at:.1f}" x2="{at:.1f}" {reach}/>')
        dot = f'cx="{at:.1f}" cy="{y(one["observed"]):.1f}" r="{radius:.1f}"'
        parts.append(f'<circle class="dot plain" {dot}><title>{title}</title></circle>')
    middle = _MARGIN + inner / 2
    parts.append(f'<text x="{middle:.0f}" y="{_SIDE + _BOTTOM - 6}" text-anchor="middle">forecast of a win</text>')
    turned = f'transform="rotate(-90)" x="{-_EDGE - inner / 2:.0f}" y="11"'
    parts.append(f'<text {turned} text-anchor="middle">share won</text>')
    label = f"Reliability diagram over {counted(figures['signals'], 'signal')}"
    box = f'viewBox="0 0 {_MARGIN + inner + 2 * _EDGE} {_SIDE + _BOTTOM}" role="img" aria-label="{label}"'
    return f'<svg class="diagram" {box}>{"".join(parts)}</svg>'


def _square_grid(low: float, high: float, x: Any, y: Any) -> str:
    steps = round((high - low) * 10)
    every = 1 if steps <= 6 else 2
    parts = []
    for k in range(0, steps + 1, every):
        value = low + k / 10
        across = f'x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y(value):.1f}" y2="{y(value):.1f}"'
        upward = f'x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{y(low):.1f}" y2="{y(high):.1f}"'
        parts.append(f'<line class="rule" {across}/><line class="rule" {upward}/>')
        parts.append(f'<text x="{_MARGIN - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{_percent(value)}</text>')
        parts.append(f'<text x="{x(value):.1f}" y="{y(low) + 16:.1f}" text-anchor="middle">{_percent(value)}</text>')
    return "".join(parts)


def score_histogram(rows: Sequence[Mapping[str, Any]]) -> str:
    """How often each score was given, above the mean R of these signals with its interval.

    Args:
        rows: as `bitten.analysis.scores.score_figures` makes them for one shield.
    """
    most = max(row["signals"] for row in rows)
    spans = [span_of(row, "mean_r") for row in rows]
    low, high = common_scale([one for row, one in zip(rows, spans, strict=True) if row["resolved"] >= ENOUGH] or spans)
    top, base, upper, lower = 18, 150, 186, 290
    step = (_WIDTH - _LEFT - _EDGE) / 10

    def y(value: float) -> float:
        return lower - (min(max(value, low), high) - low) / (high - low) * (lower - upper)

    parts = [f'<line class="zero" x1="{_LEFT}" x2="{_WIDTH - _EDGE}" y1="{base}" y2="{base}"/>']
    for value in (low, 0.0, high):
        kind = "zero" if value == 0 else "rule"
        shown = minus(f"{value:+.1f}") if value else "0"
        parts.append(
            f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _EDGE}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{shown}</text>'
        )
    for row, span in zip(rows, spans, strict=True):
        left = _LEFT + (row["score"] - 1) * step
        middle, height = left + step / 2, (base - top) * row["signals"] / most
        bar = f'x="{left + 4:.1f}" y="{base - height:.1f}" width="{step - 8:.1f}" height="{height:.1f}"'
        title = f"score {row['score']}, {row['label']}: {counted(row['signals'], 'signal')}"
        parts.append(f'<rect class="bar-flat band-{min(row["score"] // 2, 4)}" {bar}><title>{title}</title></rect>')
        parts.append(
            f'<text x="{middle:.1f}" y="{base - height - 4:.1f}" text-anchor="middle">{row["signals"]:,}</text>'
        )
        parts.append(f'<text class="key" x="{middle:.1f}" y="{base + 16}" text-anchor="middle">{row["score"]}</text>')
        if span.low is not None and span.high is not None:
            reach = f'x1="{middle:.1f}" x2="{middle:.1f}" y1="{y(span.low):.1f}" y2="{y(span.high):.1f}"'
            parts.append(f'<line class="reach plain" {reach}/>')
        if span.value is not None:
            parts.append(f'<circle class="dot plain" cx="{middle:.1f}" cy="{y(span.value):.1f}" r="3.5"/>')
    parts.append(f'<text x="{_WIDTH - _EDGE}" y="{lower + 18}" text-anchor="end">mean R of these signals, 95 %</text>')
    box = f'viewBox="0 0 {_WIDTH} {lower + 24}" role="img" aria-label="Signals and mean R by score"'
    return f'<svg class="histogram" {box}>{"".join(parts)}</svg>'


def return_histogram(growth: Floats) -> str:
    """How the returns of many accounts are spread, shape (n,), as shares of their start balances."""
    low, high = float(np.quantile(growth, 0.005)), float(np.quantile(growth, 0.995))
    low, high = min(low, 0.0), max(high, 0.0)
    step = _round_step((high - low) / _HISTOGRAM_BARS)
    first, last = math.floor(low / step + 1e-9), max(math.ceil(high / step - 1e-9), math.floor(low / step + 1e-9) + 1)
    index = np.clip(np.floor(growth / step + 1e-9).astype(np.int64) - first, 0, last - first - 1)
    counts = np.bincount(index, minlength=last - first).tolist()
    top, base, width = 18, 150, (_WIDTH - _EDGE - _EDGE) / (last - first)
    parts = []
    for k, count in enumerate(counts):
        left, height = _EDGE + k * width, (base - top) * count / max(counts)
        kind = "gain" if first + k >= 0 else "loss"
        title = f"{_signed((first + k) * step)} to {_signed((first + k + 1) * step)}: {counted(count, 'account')}"
        bar = f'x="{left + 0.6:.1f}" y="{base - height:.1f}" width="{max(0.5, width - 1.2):.1f}" height="{height:.1f}"'
        parts.append(f'<rect class="bar-{kind}" {bar}><title>{title}</title></rect>')
    parts.append(f'<line class="zero" x1="{_EDGE}" x2="{_WIDTH - _EDGE}" y1="{base}" y2="{base}"/>')
    for k in sorted({0, -first, last - first} & set(range(last - first + 1))):
        anchor = "start" if k == 0 else "end" if k == last - first else "middle"
        place = f'x="{_EDGE + k * width:.1f}" y="{base + 16}" text-anchor="{anchor}"'
        parts.append(f"<text {place}>{_signed((first + k) * step)}</text>")
    label = f"Returns of {counted(int(growth.size), 'account')}, median {_signed(float(np.median(growth)))}"
    box = f'viewBox="0 0 {_WIDTH} {base + 22}" role="img" aria-label="{label}"'
    return f'<svg class="histogram" {box}>{"".join(parts)}</svg>'


def _round_step(rough: float) -> float:
    """The next of 1, 2, 5, 10 ... of its decade that is not below `rough`; 0.001 at least."""
    size = 10.0 ** math.floor(math.log10(max(rough, 0.001)))
    return next(factor * size for factor in (1, 2, 5, 10) if factor * size >= max(rough, 0.001) * (1 - 1e-9))


def _percent(value: float) -> str:
    return f"{value * 100:.0f} %"


def _signed(value: float) -> str:
    return minus(f"{value * 100:+.1f}" if abs(value) > 1e-9 else "0") + " %"
