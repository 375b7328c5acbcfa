"""Candles as text: a few lines of characters with the levels and marks of one signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from bitten.analysis.candles import CandleSet
from bitten.clock import iso
from bitten.model.dtypes import Ints

HEIGHT: Final = 12  # lines of candles
_REACH: Final = 2.5  # levels this many times farther away than the candles reach would flatten them: left out


_Place = Callable[[int], int]  # of a price or a time on the canvas


class Level(NamedTuple):
    """A horizontal line with a name."""

    name: str  # stop, target, entry, exit
    price: int  # points
    start: int  # ns UTC
    end: int


class Mark(NamedTuple):
    """A point in time and price."""

    kind: str  # signal, entry, exit
    time: int
    price: int


class Glyphs(NamedTuple):
    """The characters of a chart."""

    wick: str
    up: str
    down: str
    dash: str
    entry: str
    exit: str
    level: str
    above: str
    below: str


UNICODE: Final = Glyphs("│", "┃", "█", "━", "▶", "◆", "┄", "↑", "↓")
ASCII: Final = Glyphs("|", "O", "#", "=", ">", "X", ".", "^", "v")


class Piece(NamedTuple):
    """Characters of one style: up, down, stop, target, entry, exit, quiet or nothing."""

    text: str
    style: str


class _Canvas:
    """A grid of characters, each with a style."""

    def __init__(self, width: int, height: int) -> None:
        self.cells = [[(" ", "")] * width for _ in range(height)]

    def put(self, row: int, column: int, character: str, style: str, over: bool = True) -> None:
        if 0 <= row < len(self.cells) and 0 <= column < len(self.cells[0]) and (
            over or self.cells[row][column][0] == " "
        ):  # fmt: skip
            self.cells[row][column] = (character, style)

    def line(self, row: int) -> list[Piece]:
        pieces: list[Piece] = []
        for character, style in self.cells[row]:
            if pieces and pieces[-1].style == style:
                pieces[-1] = Piece(pieces[-1].text + character, style)
            else:
                pieces.append(Piece(character, style))
        return pieces


def draw(
    candles: CandleSet, levels: Sequence[Level], marks: Sequence[Mark], width: int, glyphs: Glyphs = UNICODE
) -> list[list[Piece]]:
    """Lines of a chart: candles, levels with their names and prices to the right, and times below.

    Args:
        candles: at least one; several share a column where there are more of them than columns.
        levels: drawn where candles are not.
        marks: drawn over everything.
        width: characters of a line, labels included.
        glyphs: the characters to draw with.
    """
    labels = max((len(f"{level.name} {price_text(level.price, candles.digits)}") for level in levels), default=8) + 2
    merged = _squeezed(candles, max(8, width - labels))
    low, high = reach(merged, levels)
    canvas = _Canvas(merged.size, HEIGHT)

    def row(price: int) -> int:
        return min(HEIGHT - 1, max(0, int((high - price) / max(high - low, 1) * HEIGHT)))

    def column(time: int) -> int:
        return max(0, int(np.searchsorted(merged.time, time, side="right")) - 1)

    for i in range(merged.size):
        _candle(canvas, merged, i, row, glyphs)
    for level in levels:
        if low <= level.price <= high:
            for at in range(column(level.start), max(column(level.end), column(level.start)) + 1):
                canvas.put(row(level.price), at, glyphs.level, level.name, over=False)
    for mark in marks:
        if mark.kind in ("entry", "exit"):
            canvas.put(row(mark.price), column(mark.time), getattr(glyphs, mark.kind), mark.kind)
    names = _labels(levels, row, low, high, candles, glyphs)
    lines = [[*canvas.line(at), *names.get(at, [])] for at in range(HEIGHT)]
    return [*lines, *_times(merged, marks, column)]


def _candle(canvas: _Canvas, candles: CandleSet, i: int, row: _Place, glyphs: Glyphs) -> None:
    rising = candles.close[i] >= candles.open[i]
    style, body = ("up", glyphs.up) if rising else ("down", glyphs.down)
    for at in range(row(int(candles.high[i])), row(int(candles.low[i])) + 1):
        canvas.put(at, i, glyphs.wick, style)
    ends = row(int(candles.open[i])), row(int(candles.close[i]))
    for at in range(min(ends), max(ends) + 1):
        canvas.put(at, i, body, style)


def _squeezed(candles: CandleSet, columns: int) -> CandleSet:
    """The same with as many candles to a column as are needed."""
    share = -(-candles.size // columns)
    if share <= 1:
        return candles
    first = np.arange(0, candles.size, share)
    last = np.minimum(first + share, candles.size) - 1
    high: Ints = np.maximum.reduceat(candles.high, first)
    low: Ints = np.minimum.reduceat(candles.low, first)
    return CandleSet(
        candles.digits, candles.timeframe_ns * share, candles.time[first], candles.open[first], high, low,
        candles.close[last],
    )  # fmt: skip


def reach(candles: CandleSet, levels: Sequence[Level]) -> tuple[int, int]:
    """Lowest and highest price drawn: all candles, and the levels that do not flatten them."""
    low, high = int(candles.low.min()), int(candles.high.max())
    room = _REACH * max(high - low, 1)
    near = [level.price for level in levels if low - room <= level.price <= high + room]
    return min([low, *near]), max([high, *near])


def _labels(
    levels: Sequence[Level], row: _Place, low: int, high: int, candles: CandleSet, glyphs: Glyphs
) -> dict[int, list[Piece]]:
    """Names and prices beside the lines; one that finds its line taken moves to the next free one."""
    taken: dict[int, list[Piece]] = {}
    for level in sorted(levels, key=lambda one: -one.price):
        wanted = row(level.price)
        free = [at for at in range(HEIGHT) if at not in taken]
        at = min(free, key=lambda one: (abs(one - wanted), one < wanted))
        arrow = glyphs.above if level.price > high else glyphs.below if level.price < low else " "
        taken[at] = [Piece(f" {arrow}{level.name} {price_text(level.price, candles.digits)}", level.name)]
    return taken


def _times(candles: CandleSet, marks: Sequence[Mark], column: _Place) -> list[list[Piece]]:
    """The axis: when it begins, when the signal came, when it ends."""
    signal = next((mark for mark in marks if mark.kind == "signal"), None)
    begin, end = iso(int(candles.time[0]), 0)[5:16], iso(int(candles.time[-1]), 0)[11:16]
    texts = [(0, begin), (candles.size - len(end), end)]
    if signal is not None:  # the one that matters
        texts.insert(0, (column(signal.time), f"^ signal {iso(signal.time, 0)[11:16]}"))
    placed: list[tuple[int, str]] = []
    for at, text in texts:
        if all(at + len(text) + 2 <= other or other + len(there) + 2 <= at for other, there in placed):
            placed.append((at, text))
    line = ""
    for at, text in sorted(placed):
        line = line.ljust(at) + text
    return [[Piece(line, "quiet")]]


def price_text(points: int, digits: int) -> str:
    """A decimal price of points."""
    return f"{points / 10**digits:.{digits}f}"
