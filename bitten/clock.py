"""Times: the clock that is handed in, and clocks that data is written in, by rule name.

Every time inside bitten is int64 nanoseconds UTC. Vendors write local clocks: `UTC`, `EST` (fixed UTC-5 all year),
`NY+7` (broker servers: midnight is 17:00 New York), `EET`, any IANA zone, or a fixed offset such as `UTC-03:30`.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_SECOND, Ints

_FIXED = re.compile(r"UTC([+-])(\d{1,2})(?::?(\d{2}))?\Z")
_NY_PLUS = re.compile(r"NY\+(\d{1,2})\Z")


class Clock(Protocol):
    """Where time comes from: the wall in live trading and manifests, the data in replay."""

    def now_ns(self) -> int:
        """Nanoseconds UTC."""


class WallClock:
    """The seam at which the machine's own clocks are read."""

    def now_ns(self) -> int:
        """Nanoseconds UTC by the system clock."""
        return time.time_ns()

    def elapsed(self) -> float:
        """Seconds on a clock that never steps back, for progress and timings."""
        return time.perf_counter()


def iso(ns: int, digits: int = 3) -> str:
    """`2014-05-02 12:30:00.043` in UTC; `digits` of the fraction are kept, 0 for none."""
    seconds, fraction = divmod(int(ns), NS_PER_SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{fraction:09d}"[: 20 + digits] if digits else text


@lru_cache(maxsize=64)
def _zone(rule: str) -> tuple[ZoneInfo | None, int]:
    """A rule as (zone or None, seconds to add to that zone's local time)."""
    if rule == "UTC":
        return None, 0
    if rule == "EST":
        return None, -5 * 3600
    if fixed := _FIXED.match(rule):
        sign, hours, minutes = fixed.groups()
        return None, (1 if sign == "+" else -1) * (int(hours) * 3600 + int(minutes or 0) * 60)
    if shifted := _NY_PLUS.match(rule):
        return ZoneInfo("America/New_York"), int(shifted.group(1)) * 3600
    if rule == "EET":
        return ZoneInfo("Europe/Helsinki"), 0  # EU dates; the bare zone name "EET" is being retired from tzdata
    try:
        return ZoneInfo(rule), 0
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DataError(
            f'clock "{rule}" is unknown; allowed are UTC, EST (fixed UTC-5), NY+7 (server midnight = 17:00 New York), '
            "EET, an IANA zone such as Europe/London, or a fixed offset such as UTC-03:30"
        ) from error


def check_clock(rule: str) -> str:
    """Return the rule name if it names a clock.

    Raises:
        DataError: it does not.
    """
    _zone(rule)
    return rule


def utc_offset_ns(rule: str, at_ns: int) -> int:
    """How far the clock is ahead of UTC at a UTC instant, in ns."""
    zone, shift = _zone(rule)
    if zone is None:
        return shift * NS_PER_SECOND
    offset = datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC).astimezone(zone).utcoffset() or timedelta()
    return (int(offset.total_seconds()) + shift) * NS_PER_SECOND


def to_utc(local: Ints, rule: str) -> Ints:
    """Convert stamps of a local clock (ns since 1970 as if it were UTC) to ns UTC.

    Where the clock is set back an hour is ambiguous: the order of the stamps decides (a step back in local time
    means that winter time has begun). FX markets are closed then in most rules.
    """
    zone, shift = _zone(rule)
    if zone is None:
        utc: Ints = local - shift * NS_PER_SECOND
        return utc
    if local.size == 0:
        return local
    naive = local - shift * NS_PER_SECOND  # stamps of the zone itself
    hours = naive // (3600 * NS_PER_SECOND)  # zones change on whole hours of UTC
    distinct, inverse = np.unique(hours, return_inverse=True)
    offsets = np.empty((2, distinct.size), np.int64)
    for fold in (0, 1):
        for i, hour in enumerate(distinct.tolist()):
            wall = datetime(1970, 1, 1) + timedelta(hours=hour)
            offset = wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()
            offsets[fold, i] = int(offset.total_seconds()) * NS_PER_SECOND
    first: Ints = naive - offsets[0][inverse]
    second: Ints = naive - offsets[1][inverse]
    ambiguous = first != second
    if not ambiguous.any():
        return first
    # within the repeated hour: everything after the first step back of the local stamps is winter time
    stepped = np.zeros(naive.size, np.bool_)
    steps = np.flatnonzero(np.diff(naive) < 0) + 1
    for step in steps:
        if ambiguous[step]:
            stepped[step:] |= naive[step:] - naive[step] < 2 * 3600 * NS_PER_SECOND
    winter: Ints = np.where(ambiguous & stepped, second, first)
    return winter
