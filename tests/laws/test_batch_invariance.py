"""Law 2: cutting the input anywhere, down to one instant at a time, changes nothing in what comes out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.markets import cut
from tests.replay import replay, rows, synthetic_slices
from tests.replay import settings as strategy


def same(first: dict, second: dict) -> None:
    for name in first:
        assert rows(first, name) == rows(second, name), name


@pytest.fixture(scope="module")
def whole() -> dict:
    tables, _ = replay(synthetic_slices(), strategy())
    assert tables["trades"].num_rows > 20  # else the law would hold for nothing
    assert tables["outcomes"].num_rows == tables["signals"].num_rows
    return tables


@given(seed=st.integers(0, 2**32 - 1), cuts=st.sampled_from([1, 10, 200]))
@settings(max_examples=12)
def test_random_cuts(whole: dict, seed: int, cuts: int) -> None:
    pieces = cut(list(synthetic_slices()), np.random.default_rng(seed), cuts)
    tables, _ = replay(pieces, strategy())
    same(whole, tables)


def test_one_instant_at_a_time() -> None:
    pieces = list(synthetic_slices(("EURUSD",)))
    tables, _ = replay(pieces, strategy(["EURUSD"], accounts=[{}]))
    shredded = cut(pieces, np.random.default_rng(0))
    assert len(shredded) > 4_000
    single, _ = replay(shredded, strategy(["EURUSD"], accounts=[{}]))
    assert tables["trades"].num_rows > 5
    same(tables, single)
