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
def _usual(piece: _Piece, rings: Floats, counts: Ints, hour: int, now: int) -> tuple[float, int, bool]:
    for row, most in ((hour, OF_HOUR), (_ANY, OF_ANY)):
        start = piece.starts[row]
        known = piece.known[start : piece.starts[row + 1]]
        count = int(np.searchsorted(known, now, "right"))
        fresh, end = min(count, most), start + count
        old = min(counts[row], most - fresh)
        if fresh + old >= LEAST:
            chosen = np.empty(fresh + old)
            chosen[:fresh] = piece.spreads[end - fresh : end]
            newest = counts[row] % OF_HOUR  # where the next would go; a median asks for no order
            for i in range(newest - old, newest):
                chosen[fresh + i - newest + old] = rings[row, i if i >= 0 else i + OF_HOUR]
            return float(np.median(chosen)), fresh + old, row == hour
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
        spread, observations, of_hour = _usual(self._piece, self._rings, self._counts, now // _HOUR_NS % 24, now)
        return Usual(spread if observations else self.default, observations, of_hour)
