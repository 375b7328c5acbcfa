"""Trading sessions by the clocks on the walls of London, New York and Tokyo, summer and winter.

| session | from | to | clock |
|---|---|---|---|
| London | 08:00 | 16:30 | Europe/London |
| New York | 08:00 | 17:00 | America/New_York |
| Tokyo | 09:00 | 15:00 | Asia/Tokyo |

They hold on Mondays to Fridays of their own calendar; holidays are not known. London and New York at once is a session
of its own, the overlap. London and Tokyo never meet.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from bitten.clock import utc_offset_ns
from bitten.model.dtypes import NS_PER_MINUTE, Bools, Ints

SESSIONS: Final = ("london", "new_york", "overlap", "tokyo", "other")
"""What `session_of` answers, by code."""

_NS_PER_DAY: Final = 1440 * NS_PER_MINUTE
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday
_SATURDAY: Final = 5


class Window(NamedTuple):
    """When a market place is at work, by its own clock: minutes after midnight, the first included, the last not."""

    clock: str
    start: int
    end: int


WINDOWS: Final = {
    "london": Window("Europe/London", 8 * 60, 16 * 60 + 30),
    "new_york": Window("America/New_York", 8 * 60, 17 * 60),
    "tokyo": Window("Asia/Tokyo", 9 * 60, 15 * 60),
}


def session_of(times: Ints) -> Ints:
    """The session in which each instant lies, as an index into `SESSIONS`.

    Args:
        times: ns UTC, shape (n,), in any order.
    """
    london, new_york, tokyo = (in_window(times, window) for window in WINDOWS.values())
    found: Ints = np.select([london & new_york, london, new_york, tokyo], [2, 0, 1, 3], default=4).astype(np.int64)
    return found


def in_window(times: Ints, window: Window) -> Bools:
    """Whether each instant (ns UTC, shape (n,)) lies in a window, Mondays to Fridays of its clock."""
    dates, where = np.unique(times // _NS_PER_DAY, return_inverse=True)
    # Clocks change on Sundays, when no window is open: the offset at noon UTC serves the whole date.
    offsets = np.array([_offset(window.clock, date) for date in dates.tolist()], np.int64)
    local = times + offsets[where] if times.size else times
    weekday = (local // _NS_PER_DAY + _EPOCH_WEEKDAY) % 7
    minute = local % _NS_PER_DAY // NS_PER_MINUTE
    inside: Bools = (weekday < _SATURDAY) & (minute >= window.start) & (minute < window.end)
    return inside


@lru_cache(maxsize=8192)
def _offset(clock: str, date: int) -> int:
    """How far a clock is ahead of UTC at noon UTC of a date (days since 1970-01-01), ns."""
    return utc_offset_ns(clock, date * _NS_PER_DAY + _NS_PER_DAY // 2)
