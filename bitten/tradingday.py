"""Trading days: a day ends at 17:00 New York, when the FX market settles, summer and winter."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from bitten.clock import utc_offset_ns
from bitten.model.dtypes import NS_PER_MINUTE, Ints

NS_PER_DAY: Final = 1440 * NS_PER_MINUTE
_NS_PER_HOUR: Final = 60 * NS_PER_MINUTE


def trading_day(times: Ints) -> Ints:
    """Day number (days since 1970-01-01) of the trading day to which each instant belongs.

    A day holds the instants after 17:00 New York of the evening before, up to and including its own 17:00: Sunday
    evening belongs to Monday, and a value stamped exactly at the close is that day's close.

    Args:
        times: ns UTC, shape (n,).
    """
    dates, where = np.unique((times - 1) // NS_PER_DAY, return_inverse=True)
    # New York changes its clock at 06:00 or 07:00 UTC, when it is far from 17:00 there: the offset at noon UTC
    # gives every instant of that UTC date its right day.
    offsets = np.array([utc_offset_ns("NY+7", int(date) * NS_PER_DAY + NS_PER_DAY // 2) for date in dates], np.int64)
    days: Ints = (times - 1 + offsets[where]) // NS_PER_DAY if times.size else times.astype(np.int64)
    return days


def trading_day_of(time: int) -> int:
    """The same for one instant (ns UTC)."""
    return (time - 1 + _offset_in_hour((time - 1) // _NS_PER_HOUR)) // NS_PER_DAY


@lru_cache(maxsize=1024)
def _offset_in_hour(hour: int) -> int:
    """New York changes its clock on the hour."""
    return utc_offset_ns("NY+7", hour * _NS_PER_HOUR)


def day_end(time: int) -> int:
    """17:00 New York of the trading day that an instant belongs to: the day's last instant, ns UTC."""
    local = (trading_day_of(time) + 1) * NS_PER_DAY
    return local - utc_offset_ns("NY+7", local - utc_offset_ns("NY+7", time))
