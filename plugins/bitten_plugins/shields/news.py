"""The nearest scheduled release that concerns a symbol."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MINUTE
from bitten.model.instrument import Instrument
from bitten.store.calendar import EVERYWHERE, Event
from bitten.store.calendarfile import read_calendar

BEFORE, AFTER, CLEAR = 5.0, 10.0, 30.0  # minutes


class Release(NamedTuple):
    """A release as it lies at an instant."""

    minutes: float  # until it; negative after it
    factor: float
    event: Event


def news_factor(minutes: float) -> float:
    """0 from 5 minutes before a release to 10 after it, linear to 1 at 30 minutes on both sides.

    Args:
        minutes: until the release; negative after it.
    """
    near, distance = (BEFORE, minutes) if minutes >= 0 else (AFTER, -minutes)
    return min(max((distance - near) / (CLEAR - near), 0.0), 1.0)


class Calendar:
    """Releases of some impacts, by currency.

    Args:
        events: all there are.
        impacts: those that count.
    """

    def __init__(self, events: Iterable[Event], impacts: Sequence[str]) -> None:
        self._events = sorted(event for event in events if event.impact in impacts)
        self._of: dict[frozenset[str], tuple[list[int], list[Event]]] = {}

    def __len__(self) -> int:
        return len(self._events)

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and last release, ns UTC."""
        return (self._events[0].time, self._events[-1].time) if self._events else None

    def nearest(self, instrument: Instrument, now: int) -> Release | None:
        """The release that matters most at an instant: the last or the next one, whichever factor is lower.

        That is the nearest, but for one whose aftermath is not over while the next draws near. None where the symbol
        has no release at all.
        """
        times, events = self._concerning(instrument)
        i = bisect_right(times, now)
        both = [events[k] for k in (i, i - 1) if 0 <= k < len(events)]
        found = [(event.time - now) / NS_PER_MINUTE for event in both]
        releases = [Release(m, news_factor(m), event) for m, event in zip(found, both, strict=True)]
        return min(releases, key=lambda one: (one.factor, abs(one.minutes)), default=None)

    def name_at(self, instrument: Instrument, time: int) -> str | None:
        """What is released at an instant."""
        times, events = self._concerning(instrument)
        i = bisect_right(times, time) - 1
        return events[i].event or None if i >= 0 and times[i] == time else None

    def _concerning(self, instrument: Instrument) -> tuple[list[int], list[Event]]:
        currencies = frozenset((instrument.base, instrument.quote, EVERYWHERE))
        if currencies not in self._of:
            events = [event for event in self._events if event.currency in currencies]
            self._of[currencies] = [event.time for event in events], events
        return self._of[currencies]


def load_calendar(path: Path, impacts: Sequence[str]) -> Calendar:
    """A stored calendar, or a CSV or ICS file (times without a zone are UTC).

    Raises:
        DataError: it cannot be read, or a row of it cannot be used.
    """
    parsed = read_calendar(path)
    if parsed.bad:
        raise DataError(f"{parsed.bad[0]}; `bitten data calendar import {path} --bad-rows skip` leaves such rows out")
    return Calendar(parsed.events, impacts)
