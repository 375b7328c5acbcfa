"""One signal as a picture: candles, zone, levels, entry, stop, target, and what became of it; SVG that needs no script.

Colours are classes, which `assets/signals.css` gives for light, dark and paper.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from bitten.analysis.candles import CandleSet
from bitten.analysis.figures import minus
from bitten.analysis.sections import text
from bitten.clock import iso
from bitten.model.dtypes import NS_PER_MINUTE

_WIDTH: Final = 760
_HEIGHT: Final = 380
_LEFT: Final = 66
_RIGHT: Final = 126
_TOP: Final = 34
_BOTTOM: Final = 26
_LINE: Final = 13.5  # least distance of two labels
_DAY_NS: Final = 1440 * NS_PER_MINUTE
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_REACH: Final = 0.6  # of the candles' range, by which a level may lie outside and still be drawn


class Band(NamedTuple):
    """A zone of prices."""

    name: str
    low: int
    high: int


class Level(NamedTuple):
    """One price."""

    name: str
    price: int


class Mark(NamedTuple):
    """A fill or an exit."""

    time: int  # ns UTC
    price: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class SignalPicture:
    """What is drawn. Prices are points, times ns UTC."""

    candles: CandleSet
    side: int
    time: int  # of the signal
    anchor: int | None = None  # what it is about, where that is an instant
    stop: int | None = None
    target: int | None = None
    entry: Mark | None = None
    exit: Mark | None = None  # with a label such as "target +1.20 R"
    won: bool = False  # whether the exit is better than the entry
    bands: Sequence[Band] = ()
    levels: Sequence[Level] = ()
    title: str = ""  # for those who do not see the picture


class _Label(NamedTuple):
    y: float
    text: str
    css: str


class _Plot:
    """Where times and prices lie."""

    def __init__(self, picture: SignalPicture) -> None:
        candles = picture.candles
        self.time = candles.time
        self.period = candles.timeframe_ns
        self.digits = candles.digits
        low, high = int(candles.low.min()), int(candles.high.max())
        reach = _REACH * max(1, high - low)
        wanted = [picture.stop, picture.target, *(mark.price for mark in (picture.entry, picture.exit) if mark)]
        wanted += [level for band in picture.bands for level in (band.low, band.high)]
        wanted += [level.price for level in picture.levels]
        inside = [price for price in wanted if price is not None and low - reach <= price <= high + reach]
        low, high = min([low, *inside]), max([high, *inside])
        margin = 0.06 * max(1, high - low)
        self.low, self.high = low - margin, high + margin
        self.slot = (_WIDTH - _LEFT - _RIGHT) / candles.size

    def x(self, time: int) -> float:
        """Where an instant lies; candles stand side by side, whatever time passed between them."""
        row = int(self.time.searchsorted(time, "right")) - 1
        if row < 0:
            return _LEFT
        share = min(1.0, (time - int(self.time[row])) / self.period)
        return min(_LEFT + (row + share) * self.slot, _WIDTH - _RIGHT)

    def y(self, price: float) -> float:
        """Where a price lies, within the picture."""
        y = _TOP + (self.high - price) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)
        return min(max(y, _TOP), _HEIGHT - _BOTTOM)

    def price(self, points: float) -> str:
        """A price as people write it."""
        return f"{points / 10**self.digits:.{self.digits}f}"


def signal_svg(picture: SignalPicture) -> str:
    """The picture as an SVG element of class "signal"; equal input gives equal text.

    Raises:
        ValueError: there is no candle to draw.
    """
    if not picture.candles.size:
        raise ValueError("a picture of a signal needs candles")
    plot = _Plot(picture)
    title = text(picture.title)
    box = f'class="signal" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}"'
    parts = [
        *_grid(plot),
        *_bands(plot, picture),
        *_trade(plot, picture),
        *_candles(plot, picture.candles),
        *_levels(plot, picture),
        *_instants(plot, picture),
        *_marks(plot, picture),
        *_labels(plot, picture),
    ]
    return f"<svg {box}><title>{title}</title>{''.join(parts)}</svg>"


def zones(evidence: Mapping[str, float], prices: Collection[str], digits: int) -> tuple[list[Band], list[Level]]:
    """The prices among a signal's evidence: pairs `x_low` and `x_high` as bands, others as levels; 0 is none.

    Args:
        evidence: names to numbers, prices as decimals.
        prices: which of them are prices, as the pattern's `evidence_prices` says.
        digits: decimals of a price.
    """
    found = {name: round(evidence[name] * 10**digits) for name in prices if evidence.get(name)}
    bands = [
        Band(stem.replace("_", " "), found.pop(f"{stem}_low"), found.pop(f"{stem}_high"))
        for stem in [name.removesuffix("_low") for name in found if name.endswith("_low")]
        if f"{stem}_high" in found
    ]
    return bands, [Level(name.replace("_", " "), price) for name, price in found.items()]


def _grid(plot: _Plot) -> Iterator[str]:
    """Prices on the left, times below."""
    rough = (plot.high - plot.low) / 5
    size = 10 ** math.floor(math.log10(max(rough, 1.0)))
    step = next(int(factor * size) for factor in (1, 2, 5, 10) if factor * size >= rough)
    zeros = len(str(step)) - len(str(step).rstrip("0"))
    decimals = max(0, plot.digits - zeros)
    for price in range(math.ceil(plot.low / step) * step, int(plot.high) + 1, step):
        y = plot.y(price)
        yield f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(_LEFT - 7, y + 4, f"{price / 10**plot.digits:.{decimals}f}", "axis", "end")
    count = plot.time.size
    every = max(1, -(-count // 6))
    day = ""
    for row in range(every // 2, count, every):
        stamp = iso(int(plot.time[row]), 0)
        date = f"{int(stamp[8:10])} {_MONTHS[int(stamp[5:7]) - 1]}"
        label = date if plot.period >= _DAY_NS else stamp[11:16] if date == day else f"{date} {stamp[11:16]}"
        day = date
        x = _LEFT + (row + 0.5) * plot.slot
        yield f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEIGHT - _BOTTOM}" y2="{_HEIGHT - _BOTTOM + 4}"/>'
        yield _text(x, _HEIGHT - 8, label, "axis", "middle")


def _candles(plot: _Plot, candles: CandleSet) -> Iterator[str]:
    width = max(1.0, 0.66 * plot.slot)
    columns = (candles.open, candles.high, candles.low, candles.close)
    for row, (opened, high, low, close) in enumerate(np.stack(columns, axis=1).tolist()):
        x = _LEFT + (row + 0.5) * plot.slot
        top, bottom = plot.y(max(opened, close)), plot.y(min(opened, close))
        shape = f'x="{x - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(bottom - top, 1):.1f}"'
        yield f'<line class="wick" x1="{x:.1f}" x2="{x:.1f}" y1="{plot.y(high):.1f}" y2="{plot.y(low):.1f}"/>'
        yield f'<rect class="{"up" if close >= opened else "down"}" {shape}/>'


def _bands(plot: _Plot, picture: SignalPicture) -> Iterator[str]:
    """Zones from the anchor on."""
    left = plot.x(picture.anchor) if picture.anchor is not None else _LEFT
    for band in picture.bands:
        top, bottom = plot.y(band.high), plot.y(band.low)
        width = _WIDTH - _RIGHT - left
        shape = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(bottom - top, 1):.1f}"'
        yield f'<rect class="zone" {shape}/>'
        for y in (top, bottom):
            yield f'<line class="zone-edge" x1="{left:.1f}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _trade(plot: _Plot, picture: SignalPicture) -> Iterator[str]:
    """What is risked and what is hoped for, from the entry to the end."""
    if picture.entry is None:
        return
    left = plot.x(picture.entry.time)
    right = max(plot.x(picture.exit.time) if picture.exit else _WIDTH - _RIGHT, left + 2)
    for level, css in ((picture.target, "hope"), (picture.stop, "risk")):
        if level is not None:
            top, bottom = sorted((plot.y(level), plot.y(picture.entry.price)))
            shape = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
            yield f'<rect class="{css}" {shape}/>'


def _levels(plot: _Plot, picture: SignalPicture) -> Iterator[str]:
    left = plot.x(picture.time)
    right = plot.x(picture.exit.time) if picture.exit else _WIDTH - _RIGHT
    for price, css in ((picture.target, "target"), (picture.stop, "stop")):
        if price is not None:
            y = plot.y(price)
            yield f'<line class="{css}" x1="{left:.1f}" x2="{max(right, left + 6):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    start = plot.x(picture.anchor) if picture.anchor is not None else _LEFT
    for level in _seen(plot, picture):
        y = plot.y(level.price)
        yield f'<line class="level" x1="{start:.1f}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _seen(plot: _Plot, picture: SignalPicture) -> list[Level]:
    """Levels that lie within the picture."""
    return [level for level in picture.levels if plot.low <= level.price <= plot.high]


def _instants(plot: _Plot, picture: SignalPicture) -> Iterator[str]:
    """Where the anchor and the signal lie in time."""
    x = plot.x(picture.time)
    yield f'<line class="instant" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{_HEIGHT - _BOTTOM}"/>'
    yield _text(x + 3, _TOP - 10, "buy" if picture.side > 0 else "sell", "instant")
    if picture.anchor is None or not plot.time[0] <= picture.anchor < picture.time:
        return
    a = plot.x(picture.anchor) + plot.slot / 2
    if a > x - 2:  # a signal within the bar that it is about
        return
    yield f'<line class="anchor" x1="{a:.1f}" x2="{a:.1f}" y1="{_TOP - 6}" y2="{_HEIGHT - _BOTTOM}"/>'
    yield _text(a - 3, _TOP - 10, "anchor", "anchor", "end")


def _marks(plot: _Plot, picture: SignalPicture) -> Iterator[str]:
    """Entry and exit, and the way between them."""
    if picture.entry is None:
        return
    x, y = plot.x(picture.entry.time), plot.y(picture.entry.price)
    css = "won" if picture.won else "lost"
    if picture.exit is not None:
        right, end = plot.x(picture.exit.time), plot.y(picture.exit.price)
        yield f'<line class="way {css}" x1="{x:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{end:.1f}"/>'
        yield f'<circle class="exit {css}" cx="{right:.1f}" cy="{end:.1f}" r="4.5"/>'
        yield _exit_label(picture.exit.label, right, end, -1 if end <= y else 1, css)
    tip = 8 * picture.side
    yield f'<path class="entry" d="M{x - 5:.1f} {y + tip:.1f}H{x + 5:.1f}L{x:.1f} {y:.1f}Z"/>'


def _exit_label(label: str, x: float, y: float, away: int, css: str) -> str:
    """Beside the exit, away from the entry (-1 is up) and on the side that has room."""
    beside = y + (-10 if away < 0 else 18)
    if x + 7 * len(label) < _WIDTH - _RIGHT:
        return _text(x + 7, beside, label, f"outcome {css}")
    return _text(x - 7, beside, label, f"outcome {css}", "end")


def _labels(plot: _Plot, picture: SignalPicture) -> Iterator[str]:
    """Names and prices on the right, pushed apart where they would cover each other."""
    found = [
        _Label(plot.y(price), f"{name} {plot.price(price)}", css)
        for name, price, css in (
            ("target", picture.target, "target"),
            ("entry", picture.entry.price if picture.entry else None, "entry"),
            ("stop", picture.stop, "stop"),
        )
        if price is not None
    ]
    found += [
        _Label(plot.y(level.price), f"{level.name} {plot.price(level.price)}", "level")
        for level in _seen(plot, picture)
    ]
    for band in picture.bands:
        middle = (plot.y(band.low) + plot.y(band.high)) / 2
        found.append(_Label(middle, f"{band.name}", "zone"))
    found.sort()
    for label, y in zip(found, _apart([label.y for label in found]), strict=True):
        yield _text(_WIDTH - _RIGHT + 8, y + 4, label.text, label.css)


def _apart(wanted: Sequence[float]) -> list[float]:
    """Places at least a line apart and within the picture, close to where they are wanted; wanted is ascending."""
    places: list[float] = []
    for y in wanted:
        places.append(max(y, places[-1] + _LINE) if places else y)
    limit = _HEIGHT - _BOTTOM
    for row in range(len(places) - 1, -1, -1):
        places[row] = min(places[row], limit)
        limit = int(places[row] - _LINE)
    return places


def _text(x: float, y: float, content: str, css: str, anchor: str = "start") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text(minus(content))}</text>'
