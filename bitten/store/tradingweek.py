"""The trading week of spot FX and metals: closed from Friday 17:00 to Sunday 17:00 New York."""

from __future__ import annotations

from typing import Final

import numpy as np

from bitten.clock import utc_offset_ns
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND, Ints
from bitten.model.instrument import Instrument

HOLE_NS: Final = 30 * NS_PER_MINUTE
"""Open market without a quote for longer than this (or than three bars) is a gap."""

DAILY_BREAK_NS: Final = 60 * NS_PER_MINUTE
"""Metals and indices pause about an hour a day after 17:00 New York; a gap must be longer by that."""

WEEK_NS: Final = 7 * 86400 * NS_PER_SECOND
CLOSE_NS: Final = (4 * 24 + 17) * 3600 * NS_PER_SECOND
"""Friday 17:00, counted from Monday 00:00, New York time."""

OPEN_NS: Final = (6 * 24 + 17) * 3600 * NS_PER_SECOND
"""Sunday 17:00, likewise."""

_MONDAY_NS: Final = 4 * 86400 * NS_PER_SECOND  # 1970-01-05
_NEW_YORK: Final = "America/New_York"


def new_york_week(utc: Ints) -> Ints:
    """Time since Monday 00:00 New York, in ns. One look-up of the offset per instant: for few instants."""
    offsets = np.array([utc_offset_ns(_NEW_YORK, int(instant)) for instant in utc], np.int64)
    week: Ints = (utc + offsets - _MONDAY_NS) % WEEK_NS
    return week


def closed_ns(start: int, end: int) -> int:
    """How long the market is closed between two instants (ns UTC)."""
    position = int(new_york_week(np.array([start], np.int64))[0])
    closed = 0
    monday = start - position
    while monday < end:
        # a change of the New York clock falls into the closed time and moves the reopening, not the closing
        reopening = monday + OPEN_NS
        shift = utc_offset_ns(_NEW_YORK, start) - utc_offset_ns(_NEW_YORK, reopening)
        closed += max(0, min(end, reopening + shift) - max(start, monday + CLOSE_NS))
        monday += WEEK_NS + shift
        start = max(start, monday)
    return closed


def pauses_daily(instrument: Instrument) -> bool:
    """Whether trading pauses every day: anything but a pair of currencies."""
    return len(instrument.base) != 3 or instrument.base.startswith("X")


class GapCounter:
    """Counts holes in the open market, chunk after chunk.

    Args:
        instrument: whose trading week it is.
        bar_ns: period of bars; 0 for ticks.
    """

    def __init__(self, instrument: Instrument, bar_ns: int = 0) -> None:
        self.threshold_ns = max(HOLE_NS, 3 * bar_ns) + (DAILY_BREAK_NS if pauses_daily(instrument) else 0)
        self.count = 0
        self._last: int | None = None

    def add(self, time: Ints) -> None:
        """Look at the next times (ns UTC, in order); a chunk that starts earlier than the last ended starts anew."""
        if time.size == 0:
            return
        before = int(time[0]) if self._last is None else min(self._last, int(time[0]))
        steps = np.diff(time, prepend=before)
        for i in np.flatnonzero(steps > self.threshold_ns).tolist():
            start, end = int(time[i] - steps[i]), int(time[i])
            if end - start - closed_ns(start, end) > self.threshold_ns:
                self.count += 1
        self._last = int(time[-1])
