"""What a symbol's spread usually is at an hour of the day.

An observation is the mean spread of one of the finest bars there are. Usual is the median of the last 600 observations
of the same hour UTC; of the last 240 of any hour while there are fewer than 60 of it; the default while there are fewer
than 60 at all. (Ten trading days of minutes are 600 of an hour: around the close of New York spreads are many times
those of the afternoon, every day, and that is no reason for alarm.)
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import NS_PER_MINUTE, Floats, Ints, Records

OF_HOUR: Final = 600
OF_ANY: Final = 240
LEAST: Final = 60
_HOUR_NS: Final = 60 * NS_PER_MINUTE
_ANY: Final = 24  # the row of all hours together


class Usual(NamedTuple):
    """A usual spread."""

    spread: float  # points
    observations: int  # behind it; 0 for the default
    of_hour: bool  # whether they are of the same hour


class _Piece(NamedTuple):
    """The observations of a slice, those of an hour together, all of them at last; by time within each."""

    known: Ints  # (2 n,)
    spreads: Floats  # (2 n,)
    starts: Ints  # (26,): row r lies from starts[r] to starts[r + 1]


@kernel
def _observe(bars: Records, default: float, piece: _Piece) -> None:
    starts = piece.starts
    for i in range(bars.size):
        starts[bars[i]["time"] // _HOUR_NS % 24 + 1] += 1
    for hour in range(24):
        starts[hour + 1] += starts[hour]
    starts[25] = 2 * bars.size
    places = starts[:24].copy()
    for i in range(bars.size):
        bar = bars[i]
        spread = bar["spread_sum"] / bar["quotes"] if bar["quotes"] > 0 and bar["spread_sum"] > 0 else default
        hour = bar["time"] // _HOUR_NS % 24
        for place in (places[hour], bars.size + i):
            piece.known[place] = bar["known"]
            piece.spreads[place] = spread
        places[hour] += 1


@kernel
def _remember(piece: _Piece, rings: Floats, counts: Ints) -> None:
    """Let a slice become the past."""
    for row in range(25):
        start, end = piece.starts[row], piece.starts[row + 1]
        counts[row] += max(0, end - start - OF_HOUR)  # those would be overwritten
        for i in range(max(start, end - OF_HOUR), end):
            rings[row, counts[row] % OF_HOUR] = piece.spreads[i]
            counts[row] += 1


@kernel
def _middle(a: float, b: float, c: float) -> float:
    return max(min(a, b), min(max(a, b), c))


@kernel
def _select(values: Floats, k: int) -> float:
    """The k-th smallest, from 0; those before it in `values` are no greater afterwards.

    Values are swapped whether they need it or not: a branch for each would be mispredicted half of the time, and that
    costs more than all else here.
    """
    first, end = 0, values.size
    while True:
        pivot = _middle(values[first], values[(first + end) // 2], values[end - 1])
        place = first
        for i in range(first, end):  # those below the pivot to the front
            value = values[i]
            values[i] = values[place]
            values[place] = value
            place += value < pivot
        if k < place:
            end = place
            continue
        first = place
        for i in range(first, end):  # then those equal to it
            value = values[i]
            values[i] = values[place]
            values[place] = value
            place += value == pivot
        if k < place:
            return float(pivot)
        first = place


@kernel
def _median(values: Floats) -> float:
    """Of one value or more, whose order is not kept."""
    half = values.size // 2
    upper = _select(values, half)
    return upper if values.size % 2 else (values[:half].max() + upper) / 2


@kernel
def _usual(
    known: Ints, spreads: Floats, starts: Ints, rings: Floats, counts: Ints, hour: int, now: int
) -> tuple[float, int, bool]:
    """Of a piece, column by column: handing it on as one costs half as much as the median."""
    for row, most in ((hour, OF_HOUR), (_ANY, OF_ANY)):
        start = starts[row]
        count = int(np.searchsorted(known[start : starts[row + 1]], now, "right"))
        fresh, end = min(count, most), start + count
        old = min(counts[row], most - fresh)
        if fresh + old >= LEAST:
            chosen = np.empty(fresh + old)
            chosen[:fresh] = spreads[end - fresh : end]
            newest = counts[row] % OF_HOUR  # where the next would go; a median asks for no order
            front = min(old, newest)
            chosen[fresh : fresh + front] = rings[row, newest - front : newest]
            chosen[fresh + front :] = rings[row, OF_HOUR - (old - front) :]
            return _median(chosen), fresh + old, row == hour
    return 0.0, 0, False


class Spreads:
    """Spread observations of one symbol; of earlier slices as many are kept as a median needs.

    Args:
        default: where there are too few, and of bars that state none, points.
    """

    def __init__(self, default: float) -> None:
        self.default = float(default)
        self._rings: Floats = np.zeros((25, OF_HOUR))  # the newest of earlier slices
        self._counts: Ints = np.zeros(25, np.int64)
        self._piece = _Piece(np.zeros(0, np.int64), np.zeros(0), np.zeros(26, np.int64))

    def observe(self, bars: Records) -> None:
        """Take in the finest bars that a slice completes, dtype BAR."""
        if bars.size == 0:
            return
        _remember(self._piece, self._rings, self._counts)
        self._piece = _Piece(np.empty(2 * bars.size, np.int64), np.empty(2 * bars.size), np.zeros(26, np.int64))
        _observe(bars, self.default, self._piece)

    def usual(self, now: int) -> Usual:
        """The usual spread for the hour of an instant of the current slice, from what was known at it."""
        spread, observations, of_hour = _usual(*self._piece, self._rings, self._counts, now // _HOUR_NS % 24, now)
        return Usual(spread if observations else self.default, observations, of_hour)
