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


@kernel
def _observe(bars: Records, default: float, known: Ints, spreads: Floats, counts: Ints) -> None:
    for i in range(bars.size):
        bar = bars[i]
        spread = bar["spread_sum"] / bar["quotes"] if bar["quotes"] > 0 and bar["spread_sum"] > 0 else default
        hour = bar["time"] // _HOUR_NS % 24
        for row in (hour, _ANY):
            known[row, counts[row]] = bar["known"]
            spreads[row, counts[row]] = spread
            counts[row] += 1


@kernel
def _usual(known: Ints, spreads: Floats, counts: Ints, hour: int, now: int) -> tuple[float, int, bool]:
    for row, most in ((hour, OF_HOUR), (_ANY, OF_ANY)):
        count = int(np.searchsorted(known[row, : counts[row]], now, "right"))
        if count >= LEAST:
            first = max(0, count - most)
            return float(np.median(spreads[row, first:count])), count - first, row == hour
    return 0.0, 0, False


@kernel
def _keep_newest(known: Ints, spreads: Floats, counts: Ints, keep: int) -> None:
    for row in range(counts.size):
        gone = max(0, counts[row] - keep)
        for i in range(counts[row] - gone):
            known[row, i] = known[row, i + gone]
            spreads[row, i] = spreads[row, i + gone]
        counts[row] -= gone


class Spreads:
    """Spread observations of one symbol; of earlier slices as many are kept as a median needs.

    Args:
        default: where there are too few, and of bars that state none, points.
    """

    def __init__(self, default: float) -> None:
        self.default = float(default)
        self._known: Ints = np.zeros((25, 2 * OF_HOUR), np.int64)
        self._spreads: Floats = np.zeros((25, 2 * OF_HOUR))
        self._counts: Ints = np.zeros(25, np.int64)

    def observe(self, bars: Records) -> None:
        """Take in the finest bars that a slice completes, dtype BAR."""
        if bars.size == 0:
            return
        if int(self._counts.max()) + bars.size > self._known.shape[1]:
            _keep_newest(self._known, self._spreads, self._counts, OF_HOUR)
            more = int(self._counts.max()) + bars.size - self._known.shape[1]
            if more > 0:
                self._known = np.pad(self._known, ((0, 0), (0, more)))
                self._spreads = np.pad(self._spreads, ((0, 0), (0, more)))
        _observe(bars, self.default, self._known, self._spreads, self._counts)

    def usual(self, now: int) -> Usual:
        """The usual spread for the hour of an instant of the current slice, from what was known at it."""
        spread, observations, of_hour = _usual(self._known, self._spreads, self._counts, now // _HOUR_NS % 24, now)
        return Usual(spread if observations else self.default, observations, of_hour)
