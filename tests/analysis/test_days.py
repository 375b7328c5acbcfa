from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.analysis.columns import last_of_each
from bitten.clock import utc_offset_ns
from bitten.model.dtypes import NS_PER_SECOND
from bitten.tradingday import trading_day


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS_PER_SECOND


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2024-01-15T21:59:59", "2024-01-15"),  # winter: 17:00 New York is 22:00 UTC
        ("2024-01-15T22:00:00", "2024-01-15"),  # the close itself belongs to the day that it closes
        ("2024-01-15T22:00:01", "2024-01-16"),
        ("2024-07-15T21:00:00", "2024-07-15"),  # summer: 21:00 UTC
        ("2024-07-15T21:00:01", "2024-07-16"),
        ("2024-01-14T23:00:00", "2024-01-15"),  # Sunday evening is Monday
        ("2024-03-10T21:00:00", "2024-03-10"),  # the Sunday on which summer time began
        ("2024-03-10T21:00:01", "2024-03-11"),
        ("2024-11-03T22:00:01", "2024-11-04"),  # the Sunday on which it ended
    ],
)
def test_a_day_ends_at_17_new_york(instant, day):
    number = int(trading_day(np.array([ns(instant)]))[0])
    assert date.fromordinal(number + date(1970, 1, 1).toordinal()).isoformat() == day


@given(st.integers(ns("2000-01-01"), ns("2035-01-01")))
def test_one_offset_per_utc_date_is_enough(instant):
    exact = (instant - 1 + utc_offset_ns("NY+7", instant - 1)) // (86_400 * NS_PER_SECOND)
    assert int(trading_day(np.array([instant]))[0]) == exact


def test_no_instants_have_no_days():
    assert trading_day(np.zeros(0, np.int64)).size == 0


def test_last_of_each_run():
    assert last_of_each(np.array([1, 1, 2, 3, 3])).tolist() == [False, True, True, False, True]
    assert last_of_each(np.zeros(0, np.int64)).tolist() == []
