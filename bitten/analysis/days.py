"""Trading days: a day ends at 17:00 New York, when the FX market settles, summer and winter."""

from __future__ import annotations

import numpy as np

from bitten.analysis.measures import NS_PER_DAY
from bitten.clock import utc_offset_ns
from bitten.model.dtypes import Bools, Ints


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


def last_of_each(groups: Ints) -> Bools:
    """True at the last element of every run of equal values, shape (n,)."""
    flags = np.ones(groups.size, np.bool_)
    flags[:-1] = groups[1:] != groups[:-1]
    return flags
