"""Time stamps of every shape, alone and mixed, right to the nanosecond or refused with the row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.store.stamps import BadStampError, parse_stamps


def parsed(*stamps: str | None) -> list[str]:
    return [str(text) for text in parse_stamps(pa.array(stamps, pa.string())).ns.astype("datetime64[ns]")]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2019.02.04 02:00:00.994", "2019-02-04T02:00:00.994000000"),
        ("2019-02-04T02:00:00", "2019-02-04T02:00:00.000000000"),
        ("2019/02/04 2:00", "2019-02-04T02:00:00.000000000"),
        ("2024.01.02", "2024-01-02T00:00:00.000000000"),
        ("14.03.2019 00:00:00.000", "2019-03-14T00:00:00.000000000"),
        ("1.3.2019 09:30", "2019-03-01T09:30:00.000000000"),
        ("14/03/2019 09:30:15", "2019-03-14T09:30:15.000000000"),
        ("03/14/2019 09:30:15", "2019-03-14T09:30:15.000000000"),
        ("20200101 170000065", "2020-01-01T17:00:00.065000000"),
        ("20150201 170000", "2015-02-01T17:00:00.000000000"),
        ("20200101 22:00:00.065", "2020-01-01T22:00:00.065000000"),
        ("20060320 00:00", "2006-03-20T00:00:00.000000000"),
        ("2020-02-29 23:59:59,123456789", "2020-02-29T23:59:59.123456789"),
        ("14.03.2019 00:00:00.000 GMT+0100", "2019-03-13T23:00:00.000000000"),
        ("2013-01-01 22:00:00.295000-03:30", "2013-01-02T01:30:00.295000000"),
        ("2013-01-01T22:00:00Z", "2013-01-01T22:00:00.000000000"),
        ("1546300800", "2019-01-01T00:00:00.000000000"),
        ("1546300800.0", "2019-01-01T00:00:00.000000000"),
        ("1546300800123", "2019-01-01T00:00:00.123000000"),
        ("1546300800123456", "2019-01-01T00:00:00.123456000"),
        ("1546300800123456789", "2019-01-01T00:00:00.123456789"),
        ("1969-12-31 23:59:59", "1969-12-31T23:59:59.000000000"),
    ],
)
def test_shape(stamp: str, expected: str) -> None:
    assert parsed(stamp) == [expected]


@given(st.lists(st.integers(-(2**60), 2**62), min_size=1, max_size=40), st.integers(0, 9))
def test_any_instant_survives_being_written(instants: list[int], digits: int) -> None:
    unit = 10 ** (9 - digits)
    ns = np.array(instants) // unit * unit
    dates = ns.astype("datetime64[ns]").astype(str)
    stamps = [text[: 20 + digits].rstrip(".").replace("T", " ") for text in dates]
    years = np.array([int(text[:4]) for text in dates])
    kept = years < 2400  # later ones are taken for the Buddhist era
    np.testing.assert_array_equal(parse_stamps(pa.array(np.array(stamps)[kept])).ns, ns[kept])


def test_shapes_may_be_mixed_in_a_column() -> None:
    assert parsed("2013-01-01 22:00:00.295", "2013-01-01 22:00:01", "2013.01.01 22:00", "2013-01-01 22:00:02.3") == [
        "2013-01-01T22:00:00.295000000",
        "2013-01-01T22:00:01.000000000",
        "2013-01-01T22:00:00.000000000",
        "2013-01-01T22:00:02.300000000",
    ]


def test_one_row_decides_between_day_and_month() -> None:
    assert parsed("1/2/2019 9:05", "13/02/2019 10:00") == [
        "2019-02-01T09:05:00.000000000",
        "2019-02-13T10:00:00.000000000",
    ]
    assert parsed("1/2/2019 9:05", "02/13/2019 10:00") == [
        "2019-01-02T09:05:00.000000000",
        "2019-02-13T10:00:00.000000000",
    ]


def test_slices_of_arrow_arrays() -> None:
    column = pa.array(["x", "2013-01-01", "2013-01-02", "y"])
    assert np.diff(parse_stamps(column.slice(1, 2)).ns).tolist() == [86_400_000_000_000]
    assert parse_stamps(column.slice(0, 0)).ns.size == 0


def test_offsets_are_told() -> None:
    assert parse_stamps(pa.array(["2013-01-01 22:00:00Z"])).zoned
    assert not parse_stamps(pa.array(["2013-01-01 22:00:00"])).zoned


def test_buddhist_years_are_counted() -> None:
    stamps = parse_stamps(pa.array(["2566-01-05 10:00", "05.01.2566 10:00", "2023-01-05 10:00"]))
    assert stamps.buddhist == 2
    assert np.unique(stamps.ns).size == 1


@pytest.mark.parametrize(
    ("stamps", "row", "reason"),
    [
        (("2019.01.01", "hello"), 1, "is no time stamp"),
        (("2019.01.01", ""), 1, "is no time stamp"),
        (("2019.01.01", None), 1, "is no time stamp"),
        (("2019.01.01", "2019.13.01"), 1, "has month 13"),
        (("2019.01.01", "2019.00.01"), 1, "has month 0"),
        (("2019.02.28", "2019.02.29"), 1, "has day 29"),
        (("1900.02.29",), 0, "has day 29"),
        (("2019.01.01 24:00:00",), 0, "has hour 24"),
        (("2019.01.01 10:60:00",), 0, "has minute 60"),
        (("03/04/2019", "05/06/2019"), 0, "day/month or month/day"),
        (("2019.01.01 10:00:00Z", "2019.01.01 10:00:00"), 0, "states its offset from UTC and other stamps do not"),
    ],
)
def test_bad_stamps(stamps: tuple[str | None, ...], row: int, reason: str) -> None:
    with pytest.raises(BadStampError, match=reason) as error:
        parse_stamps(pa.array(stamps, pa.string()))
    assert error.value.row == row


def test_too_many_shapes_are_no_column_of_stamps() -> None:
    separators = [(a, b, c) for a in "-./" for b in "-./" for c in " T"]
    stamps = [
        f"{2019}{a}{'1' * m}{b}{'1' * d}{c}{'1' * h}:11:11" + (f".{'1' * f}" if f else "")
        for a, b, c in separators for m in (1, 2) for d in (1, 2) for h in (1, 2) for f in range(3)
    ]  # fmt: skip
    with pytest.raises(BadStampError, match="too many other shapes"):
        parse_stamps(pa.array(stamps))
