"""Law 2: cutting the input anywhere, down to one instant at a time, changes nothing in what comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bitten
from bitten.manager import FACTS
from bitten.model.quotes import Slice
from tests.markets import between, cut, merge
from tests.replay import replay, rows, synthetic_slices
from tests.replay import settings as strategy


def _hear(fact: str) -> Callable[..., None]:
    """A listener of one fact, with the argument name that its hook has."""
    namespace: dict[str, Any] = {}
    exec(f"def hear(self, {fact}):\n    self.heard.append(({fact!r}, repr({fact})))", namespace)
    return namespace["hear"]  # type: ignore[no-any-return]


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


class Listener:
    """Writes down every fact in the order in which it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []


for _fact in FACTS:
    setattr(Listener, f"bitten_{_fact}", bitten.hookimpl(specname=f"bitten_{_fact}")(_hear(_fact)))


def _early(pieces: list[Slice], symbol: str, share: float) -> list[Slice]:
    """The same with a symbol whose data ends early, while others go on."""
    whole = merge(pieces)
    quotes = whole.quotes[symbol]
    last = int(quotes.ts[int(share * (len(quotes) - 1))])
    return [Slice(whole.horizon, {**whole.quotes, symbol: between(quotes, -1, last)})]


@given(seed=st.integers(0, 2**32 - 1), cuts=st.sampled_from([3, 40, 400]), share=st.floats(0.4, 1.0))
@settings(max_examples=8)
def test_facts_are_told_in_one_order(seed: int, cuts: int, share: float) -> None:
    """Also where a symbol ends early with positions open, in another currency, and orders fill late."""
    source = strategy(
        executor={"use": "simulated", "latency_ms": 45_000.0},
        patterns=[{"use": "bb_scalp", "exit": {"time_stop_bars": 600, "trail_points": 4_000}}],
        gates=[{"use": "fixed_lots"}],
    )
    pieces = _early(list(synthetic_slices()), "USDJPY", share)
    told = []
    for cutting in (pieces, cut(pieces, np.random.default_rng(seed), cuts)):
        listener = Listener()
        tables, _ = replay(cutting, source, {"listener": listener})
        told.append((listener.heard, {name: rows(tables, name) for name in tables}))
    assert len(told[0][0]) > 100
    assert told[0] == told[1]


@given(seed=st.integers(0, 2**32 - 1), cuts=st.sampled_from([3, 40, 400]), after=st.sampled_from([0.0, 7.5, 90.0]))
@settings(max_examples=8)
def test_people_answer_at_one_time_however_the_data_is_cut(seed: int, cuts: int, after: float) -> None:
    source = strategy(
        executor={"use": "simulated", "latency_ms": 3_000.0},
        accounts=[{"id": "machine", "slots": 3}, {"id": "eva", "mode": "manual"}, {"id": "udo", "mode": "manual"}],
        missions={"human": "always", "after_seconds": after, "life_minutes": 2.0},
    )
    pieces = list(synthetic_slices())
    told = []
    for cutting in (pieces, cut(pieces, np.random.default_rng(seed), cuts)):
        listener = Listener()
        tables, _ = replay(cutting, source, {"listener": listener})
        told.append((listener.heard, {name: rows(tables, name) for name in tables}))
    assert {row["account"] for row in told[0][1]["trades"]} == {"machine", "eva", "udo"}
    assert told[0] == told[1]


def test_one_instant_at_a_time() -> None:
    pieces = list(synthetic_slices(("EURUSD",)))
    tables, _ = replay(pieces, strategy(["EURUSD"], accounts=[{}]))
    shredded = cut(pieces, np.random.default_rng(0))
    assert len(shredded) > 4_000
    single, _ = replay(shredded, strategy(["EURUSD"], accounts=[{}]))
    assert tables["trades"].num_rows > 5
    same(tables, single)
