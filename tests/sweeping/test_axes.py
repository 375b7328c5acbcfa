"""What a person writes for an axis becomes the values that were meant, exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.errors import ConfigError
from bitten.sweeping.axes import file_axes, make_axis, parse_option, show_value
from bitten.tomlfile import TomlFile


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("10,20,30", (10, 20, 30)),
        ("10:50:10", (10, 20, 30, 40, 50)),
        ("10:49:10", (10, 20, 30, 40)),
        ("50:10:-20", (50, 30, 10)),
        ("-1:1:1", (-1, 0, 1)),
        ("1.5:3.3:0.2", (1.5, 1.7, 1.9, 2.1, 2.3, 2.5, 2.7, 2.9, 3.1, 3.3)),
        ("1:2:0.5,10", (1.0, 1.5, 2.0, 10)),
        ("true,false", (True, False)),
        ("M1, M5", ("M1", "M5")),
        ("NY+7,UTC", ("NY+7", "UTC")),
        ('"10:20","a,b"', ("10:20", "a,b")),
        ("[80, 90],[70, 90]", ([80, 90], [70, 90])),
        ("1e3", (1000.0,)),
        ("5:5:1", (5,)),
    ],
)
def test_values(text: str, values: tuple[Any, ...]) -> None:
    found = parse_option(f"some.key={text}").values
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@given(
    start=st.integers(-10_000, 10_000), step=st.integers(1, 500), count=st.integers(1, 200), places=st.integers(0, 6)
)
def test_a_range_has_no_float_noise(start: int, step: int, count: int, places: int) -> None:
    """Each value is the float next to the exact decimal, and the stop is met."""
    unit = Decimal(1).scaleb(-places)
    stop = start + step * (count - 1)
    values = parse_option(f"a.b={start * unit}:{stop * unit}:{step * unit}").values
    assert [float(value) for value in values] == [float((start + i * step) * unit) for i in range(count)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("period", "expected KEY=VALUES"),
        ("=1", "expected KEY=VALUES"),
        ("a.b=", "expected KEY=VALUES"),
        ("a.b=,", "a.b has no values"),
        ("a.b=1:2", '"1:2" is no range: write start:stop:step'),
        ("a.b=1:2:0", "1:2:0 never arrives"),
        ("a.b=5:1:1", "5:1:1 never arrives"),
        ("a.b=0:1:0.000001", "1,000,001 values, at most 100,000"),
        ("a.b=1,2,1", "a.b has 1 twice"),
        ("a.b=1,1.0", "a.b has 1 twice"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_option(text)
    assert str(caught.value).startswith(f"--grid {text}: ")
    assert message in str(caught.value)


def test_numbers_of_numpy_are_numbers() -> None:
    assert make_axis("a.b", np.arange(3), "here").values == (0, 1, 2)
    assert make_axis("a.b", [np.float64(1.5)], "here").values == (1.5,)


def test_the_table_in_the_file_takes_quoted_and_dotted_keys() -> None:
    text = '[sweep]\n"patterns.bb_scalp.period" = [10, 20]\ncosts.commission_per_lot = "0:7:3.5"\n'
    first, second = file_axes(TomlFile(text, "bitten.toml"))
    assert (first.key, first.values, first.place) == ("patterns.bb_scalp.period", (10, 20), "bitten.toml:2")
    assert (second.key, second.values) == ("costs.commission_per_lot", (0.0, 3.5, 7.0))
    assert second.place == "bitten.toml:3"


def test_values_are_shown_as_people_write_them() -> None:
    assert [show_value(value) for value in (20, 1.7, 2.0, True, "M1", [80, 90])] == [
        "20",
        "1.7",
        "2",
        "true",
        "M1",
        "[80, 90]",
    ]
