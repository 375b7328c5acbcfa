"""Trading sessions by local clocks, summer and winter; never by fixed hours of UTC.

London 08:00-16:30, New York 08:00-17:00 and Tokyo 09:00-15:00 of their own time. The trading week opens on Sunday and
closes on Friday at 17:00 New York. Banks roll positions to the next day around 17:00 New York; spreads are widest then.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from bitten.clock import utc_offset_ns
from bitten.model.dtypes import NS_PER_MINUTE, Ints
from bitten.sessions import WINDOWS as PLACES
from bitten.store.tradingweek import CLOSE_NS, OPEN_NS, WEEK_NS

HOUR_NS: Final = 60 * NS_PER_MINUTE
DAY_NS: Final = 24 * HOUR_NS
_MONDAY_NS: Final = 4 * DAY_NS  # 1970-01-05

LONDON, NEW_YORK, TOKYO = (PLACES[name].clock for name in ("london", "new_york", "tokyo"))

CLOSED, ROLLOVER, SUNDAY_OPEN, FRIDAY_LATE, QUIET, IN_TOKYO, IN_LONDON, IN_NEW_YORK, OVERLAP = range(9)
NAMES: Final = (
    "closed", "rollover", "sunday_open", "friday_late", "quiet", "tokyo", "london", "new_york", "overlap",
)  # fmt: skip
"""By code, as they are configured and kept as evidence."""

WORDS: Final = (
    "the weekend", "the New York rollover", "the first hour of the week", "late Friday in New York",
    "between the main sessions", "Tokyo", "London", "New York", "London and New York together",
)  # fmt: skip
"""The same for people."""


def _clock(hour: int, minute: int = 0) -> int:
    return hour * HOUR_NS + minute * NS_PER_MINUTE


LONDON_HOURS, NEW_YORK_HOURS, TOKYO_HOURS = (
    (_clock(0, PLACES[name].start), _clock(0, PLACES[name].end)) for name in ("london", "new_york", "tokyo")
)
ROLLOVER_HOURS: Final = (_clock(16, 50), _clock(18, 10))  # New York, Monday to Friday
FRIDAY_LATE_NS: Final = 4 * DAY_NS + _clock(15)  # of the New York week
FIRST_HOUR_NS: Final = HOUR_NS
_STEP_NS: Final = math.gcd(
    HOUR_NS, OPEN_NS, CLOSE_NS, FRIDAY_LATE_NS, *ROLLOVER_HOURS, *LONDON_HOURS, *NEW_YORK_HOURS, *TOKYO_HOURS
)  # no session starts or ends within one; ten minutes

ASIAN: Final = frozenset(("JPY", "AUD", "NZD"))


class Local(NamedTuple):
    """An instant on three clocks."""

    london: int  # ns since local midnight
    tokyo: int
    new_york: int
    week: int  # ns since Monday 00:00 New York


@lru_cache(maxsize=4096)
def _offsets(hour: int) -> tuple[int, int, int]:
    """How far London, Tokyo and New York are ahead of UTC in an hour of UTC: zones change on the hour."""
    return tuple(utc_offset_ns(zone, hour * HOUR_NS) for zone in (LONDON, TOKYO, NEW_YORK))  # type: ignore[return-value]


def local(now: int) -> Local:
    """The clocks at an instant, ns UTC."""
    london, tokyo, new_york = _offsets(now // HOUR_NS)
    week = (now + new_york - _MONDAY_NS) % WEEK_NS
    return Local((now + london) % DAY_NS, (now + tokyo) % DAY_NS, week % DAY_NS, week)


def session(now: int, pauses: bool = False) -> int:
    """The code of the session at an instant, the first that holds of those in the order of their codes.

    London and New York together are `OVERLAP`. The opening of the week is no rollover: its first hour is
    `SUNDAY_OPEN`.

    Args:
        now: ns UTC.
        pauses: whether the symbol pauses every day after 17:00 New York, as metals do; its week opens an hour later.
    """
    return _session_of(now // _STEP_NS, pauses)


@lru_cache(maxsize=4096)
def _session_of(step: int, pauses: bool) -> int:
    clocks = local(step * _STEP_NS)
    if CLOSE_NS <= clocks.week < OPEN_NS:
        return CLOSED
    if clocks.week >= OPEN_NS:
        if clocks.week < OPEN_NS + FIRST_HOUR_NS + (HOUR_NS if pauses else 0):
            return SUNDAY_OPEN
    elif _within(clocks.new_york, ROLLOVER_HOURS):
        return ROLLOVER
    if FRIDAY_LATE_NS <= clocks.week < CLOSE_NS:
        return FRIDAY_LATE
    london, new_york = _within(clocks.london, LONDON_HOURS), _within(clocks.new_york, NEW_YORK_HOURS)
    if london or new_york:
        return OVERLAP if london and new_york else IN_LONDON if london else IN_NEW_YORK
    return IN_TOKYO if _within(clocks.tokyo, TOKYO_HOURS) else QUIET


def _within(time: int, hours: tuple[int, int]) -> bool:
    return hours[0] <= time < hours[1]


class Window(NamedTuple):
    """A kind of period whose high and low people watch."""

    name: str
    zone: str
    hours: tuple[int, int]  # ns of the local day; may start before midnight


WINDOWS: Final = (
    Window("london", LONDON, LONDON_HOURS),
    Window("new_york", NEW_YORK, NEW_YORK_HOURS),
    Window("tokyo", TOKYO, TOKYO_HOURS),
    Window("day", NEW_YORK, (_clock(17) - DAY_NS, _clock(17))),
)
"""The sessions, and the trading day from 17:00 to 17:00 New York."""


def windows(kind: Window, first: int, last: int) -> Ints:
    """Start and end (ns UTC) of the periods of a kind, Monday to Friday, that touch a span of time; shape (n, 2)."""
    days = range(first // DAY_NS - 1, last // DAY_NS + 3)
    found = [_bounds(kind, day) for day in days if (day + 3) % 7 < 5]  # day 0 was a Thursday
    return np.array([span for span in found if span[1] > first and span[0] <= last], np.int64).reshape(-1, 2)


@lru_cache(maxsize=256)  # the symbols of a slice ask for the same
def periods(first: int, last: int) -> tuple[Ints, Ints]:
    """Start and end of the periods of all `WINDOWS` around some days (of UTC, since 1970), kind after kind, shape
    (n, 2); and where those of each kind begin, with the end of all, shape (kinds + 1,). Both read-only.
    """
    found = [windows(kind, first * DAY_NS, (last + 1) * DAY_NS) for kind in WINDOWS]
    spans, starts = np.concatenate(found), np.cumsum([0, *map(len, found)])
    spans.flags.writeable = starts.flags.writeable = False
    return spans, starts


@lru_cache(maxsize=4096)
def _bounds(kind: Window, day: int) -> tuple[int, int]:
    start, end = (_to_utc(kind.zone, day * DAY_NS + time) for time in kind.hours)
    return start, end


def _to_utc(zone: str, wall: int) -> int:
    """The instant at which a zone's clocks show a time; none of the windows starts or ends where clocks are set."""
    offset = utc_offset_ns(zone, wall - utc_offset_ns(zone, wall))
    return wall - offset


def weekday(now: int, zone: str) -> int:
    """0 for Monday to 6 for Sunday, by a zone's clock."""
    return int((now + utc_offset_ns(zone, now)) // DAY_NS + 3) % 7


def open_sessions(now: int, pauses: bool = False) -> frozenset[str]:
    """Everything that an instant is, by name: which cities are open by their own clocks, and what `session` says.

    Args:
        now: ns UTC.
        pauses: as for `session`.
    """
    code = session(now, pauses)
    if code == CLOSED:
        return frozenset((NAMES[CLOSED],))
    clocks = local(now)
    cities = {
        NAMES[IN_LONDON]: _within(clocks.london, LONDON_HOURS),
        NAMES[IN_NEW_YORK]: _within(clocks.new_york, NEW_YORK_HOURS),
        NAMES[IN_TOKYO]: _within(clocks.tokyo, TOKYO_HOURS),
    }
    found = {name for name, is_open in cities.items() if is_open}
    if NAMES[IN_LONDON] in found and NAMES[IN_NEW_YORK] in found:
        found.add(NAMES[OVERLAP])
    return frozenset((*found, NAMES[code]))
