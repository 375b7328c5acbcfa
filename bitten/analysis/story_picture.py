"""Candles around one signal as SVG: levels with their prices, the signal, entry and exit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bitten.analysis.candles import CandleSet
from bitten.analysis.textchart import Level, Mark, price_text, reach
from bitten.clock import iso

_WIDTH: Final = 1040
_HEIGHT: Final = 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 128, 22, 30
_LINES: Final = 6  # about as many price lines
_INSTANTS: Final = 6  # about as many times below
_LABEL_GAP: Final = 15  # units between labels that would overlap

_Scale = Callable[[float], float]


def story_picture(candles: CandleSet, levels: Sequence[Level], marks: Sequence[Mark]) -> str:
    """An SVG element; colours are the page's, by class.

    Args:
        candles: at least one.
        levels: horizontal lines with names, drawn from their start to their end.
        marks: the signal, the entry and the exit.
    """
    low, high = reach(candles, levels)
    margin = max(1.0, (high - low) * 0.04)
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    step = width / candles.size

    def x(time: float) -> float:
        return _LEFT + (max(0, int(np.searchsorted(candles.time, time, side="right")) - 1) + 0.5) * step

    def y(price: float) -> float:
        return _TOP + (high + margin - price) / (high - low + 2 * margin) * height

    inside = [level for level in levels if low <= level.price <= high]
    parts = [
        *_price_lines(candles, low, high, y),
        *_instants(candles, step),
        *_candles(candles, step, y),
        *(_level(level, x, y) for level in inside),
        *_marks(marks, x, y),
        *_labels(levels, low, high, candles, y),
    ]
    label = f"{candles.size} candles with signal, levels and marks"
    return f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _candles(candles: CandleSet, step: float, y: _Scale) -> list[str]:
    body = max(1.0, min(step * 0.66, 14.0))
    shapes = []
    columns = (getattr(candles, name).tolist() for name in ("open", "high", "low", "close"))
    for i, (opened, high, low, close) in enumerate(zip(*columns, strict=True)):
        at = _LEFT + (i + 0.5) * step
        top, bottom = sorted((y(opened), y(close)))
        kind = "up" if close >= opened else "down"
        wick = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y(high):.1f}" y2="{y(low):.1f}"/>'
        size = f'width="{body:.1f}" height="{max(1.0, bottom - top):.1f}"'
        shapes.append(f'<g class="{kind}">{wick}<rect x="{at - body / 2:.1f}" y="{top:.1f}" {size}/></g>')
    return shapes


def _level(level: Level, x: _Scale, y: _Scale) -> str:
    start, end = x(level.start), max(x(level.end), x(level.start) + 8)
    at = f'y1="{y(level.price):.1f}" y2="{y(level.price):.1f}"'
    return (
        f'<line class="level {level.name} reach" x1="{end:.1f}" x2="{_WIDTH - _RIGHT}" {at}/>'
        f'<line class="level {level.name}" x1="{start:.1f}" x2="{end:.1f}" {at}/>'
    )


def _marks(marks: Sequence[Mark], x: _Scale, y: _Scale) -> list[str]:
    shapes = []
    for mark in marks:
        at, price = x(mark.time), y(mark.price)
        if mark.kind == "signal":
            line = f'x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"'
            shapes.append(
                f'<line class="instant" {line}/><text x="{at:.1f}" y="{_TOP - 8}" text-anchor="middle">signal</text>'
            )
        elif mark.kind == "entry":
            points = f"{at - 7:.1f},{price - 6:.1f} {at + 4:.1f},{price:.1f} {at - 7:.1f},{price + 6:.1f}"
            shapes.append(f'<polygon class="mark entry" points="{points}"/>')
        else:
            shapes.append(f'<circle class="mark exit" cx="{at:.1f}" cy="{price:.1f}" r="5"/>')
    return shapes


def _labels(levels: Sequence[Level], low: int, high: int, candles: CandleSet, y: _Scale) -> list[str]:
    """Names and prices on the right, pushed apart where they would overlap."""
    ordered = sorted(levels, key=lambda level: -level.price)
    places: list[float] = []
    for level in ordered:
        wanted = y(min(max(level.price, low), high))
        places.append(max(wanted, places[-1] + _LABEL_GAP) if places else wanted)
    over = max(0.0, places[-1] - (_HEIGHT - _BOTTOM)) if places else 0.0
    texts = []
    for level, at in zip(ordered, places, strict=True):
        arrow = " ↑" if level.price > high else " ↓" if level.price < low else ""
        text = f"{level.name} {price_text(level.price, candles.digits)}{arrow}"
        texts.append(f'<text class="name {level.name}" x="{_WIDTH - _RIGHT + 8}" y="{at - over + 4:.1f}">{text}</text>')
    return texts


def _price_lines(candles: CandleSet, low: int, high: int, y: _Scale) -> list[str]:
    step = _round_step(max(1.0, (high - low) / _LINES))
    lines = []
    for price in range(math.ceil(low / step) * step, high + 1, step):
        at = y(price)
        lines.append(
            f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{price_text(price, candles.digits)}</text>'
        )
    return lines


def _instants(candles: CandleSet, step: float) -> list[str]:
    """Times below; a day where it is another than that of the one before."""
    texts, day = [], ""
    for i in range(0, candles.size, max(1, candles.size // _INSTANTS)):
        moment = iso(int(candles.time[i]), 0)
        at = _LEFT + (i + 0.5) * step
        text = moment[11:16] if moment[:10] == day else moment[5:16]
        day = moment[:10]
        texts.append(f'<text x="{at:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{text}</text>')
    return texts


def _round_step(rough: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 ... that is not below `rough`."""
    size = 10 ** math.floor(math.log10(rough))
    return next(int(factor * size) for factor in (1, 2, 5, 10) if factor * size >= rough)
