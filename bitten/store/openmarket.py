"""Holes in the open market: pauses that neither the weekend nor a daily break explains."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from bitten.instants import instant
from bitten.model.dtypes import NS_PER_SECOND, Ints
from bitten.model.instrument import Instrument
from bitten.store.tradingweek import HOLE_NS, pauses_daily

HOUR_NS: Final = 3600 * NS_PER_SECOND
SHOWN: Final = 10  # of the longest gaps

_ZONE: Final = ZoneInfo("America/New_York")
_FRIDAY: Final = 4


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """A stretch of open market without a row."""

    open_ns: int  # how much of it the market was open
    start: int  # ns UTC: the last row before it
    end: int  # the first row after it

    @property
    def holiday(self) -> str:
        """The bank holiday that lies in it, which usually explains it; empty for none."""
        first, last = (dt.datetime.fromtimestamp(ns // NS_PER_SECOND, _ZONE).date() for ns in (self.start, self.end))
        days = [first + dt.timedelta(days) for days in range(min((last - first).days, 366) + 1)]
        for month, day, name in ((12, 25, "Christmas"), (1, 1, "New Year")):
            if any((date.month, date.day) == (month, day) for date in days):
                return name
        return ""


class GapFinder:
    """Finds gaps block by block; keeps the longest ones and counts all.

    Args:
        instrument: metals and indices also pause from 17:00 to 18:00 New York.
        bar_ns: period of bars; 0 for ticks.
    """

    def __init__(self, instrument: Instrument, bar_ns: int) -> None:
        self.threshold_ns = max(HOLE_NS, 3 * bar_ns)
        self.count = 0
        self.open_ns = 0
        self._pauses = pauses_daily(instrument)
        self._bar_ns = bar_ns
        self._longest: list[Gap] = []

    @property
    def longest(self) -> list[Gap]:
        """The longest gaps, longest first."""
        return sorted(self._longest, key=lambda gap: (-gap.open_ns, gap.start))

    def add(self, time: Ints, previous: int | None) -> None:
        """Look at the next times; `previous` is the last one before them."""
        starts = np.concatenate((time[:1] if previous is None else np.array([previous]), time[:-1])) + self._bar_ns
        for i in np.flatnonzero(time - starts > self.threshold_ns).tolist():
            start, end = int(starts[i]), int(time[i])
            closed = sum(min(end, b) - max(start, a) for a, b in closures(start, end, self._pauses))
            if end - start - closed > self.threshold_ns:
                self._note(Gap(end - start - closed, start, end))

    def _note(self, gap: Gap) -> None:
        self.count += 1
        self.open_ns += gap.open_ns
        (heapq.heappush if len(self._longest) < SHOWN else heapq.heappushpop)(self._longest, gap)


def closures(start: int, end: int, daily: bool) -> Iterator[tuple[int, int]]:
    """When the market is closed between two instants (ns UTC): weekends and, with `daily`, the hour after 17:00.

    Hours are New York's by zone, so they follow its clock changes.
    """
    day = dt.datetime.fromtimestamp(start // NS_PER_SECOND, _ZONE).date() - dt.timedelta(days=2)
    pause = dt.timedelta(hours=1 if daily else 0)
    while True:
        closing = dt.datetime.combine(day, dt.time(17), _ZONE)
        if instant(closing) >= end:
            return
        weekend = day.weekday() == _FRIDAY
        opening = dt.datetime.combine(day + dt.timedelta(days=2 if weekend else 0), dt.time(17), _ZONE) + pause
        closed = instant(closing), instant(opening)
        if closed[1] > max(closed[0], start) and day.weekday() <= _FRIDAY:
            yield closed
        day += dt.timedelta(days=1)
