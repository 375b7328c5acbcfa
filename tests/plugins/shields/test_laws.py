"""All shields in a whole pipeline: cuts change nothing, the future changes no past, late answers are scored again."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.model.quotes import Quotes, Slice
from bitten.pipeline import Pipeline
from tests.markets import between, cut, merge
from tests.replay import replay, rows, synthetic_slices
from tests.replay import settings as strategy

SHIELDS: list[dict[str, Any]] = [
    {"use": "calibrator", "least": 20, "refit": 5},
    {"use": "calibrator", "name": "smooth", "method": "beta", "least": 20, "refit": 7},
    {"use": "citadel", "sizes": [[6, 1.0], [1, 0.5]], "veto_spread_atr": 1.0},
    {"use": "session_filter", "avoid": ["rollover"], "hours": ["00:00-23:30"]},
    {"use": "spread_filter", "times": 2.0},
    {"use": "slots"},
    {"use": "risk"},
]
PERSON: dict[str, Any] = {
    "missions": {"human": "always", "after_seconds": 75.0},
    "accounts": [{"id": "main"}, {"id": "person", "mode": "manual"}],
}


def source() -> dict[str, Any]:
    return strategy(gates=SHIELDS, **PERSON)


def told(tables: dict[str, Any], pipeline: Pipeline) -> dict[str, list[Any]]:
    """Everything a run leaves, the shields' own tables among it."""
    own = {
        f"{step.name}/{name}": table.to_pylist()
        for step in pipeline.chain.steps
        for name, table in step.part.tables().items()
    }
    return {**{name: rows(tables, name) for name in tables}, **own}


@cache
def whole() -> dict[str, list[Any]]:
    return told(*replay(synthetic_slices(), source()))


def test_there_is_something_to_prove() -> None:
    everything = whole()
    assert len(everything["trades"]) > 20
    shields = {row["shield"] for row in everything["scores"]}
    assert shields == {"calibrator", "smooth", "citadel", "session_filter", "spread_filter"}
    assert len({round(row["score"]) for row in everything["scores"] if row["shield"] == "citadel"}) > 4
    assert any(row["veto"] for row in everything["scores"])
    calibrated = [row for row in everything["calibrator/calibration"] if row["probability"] is not None]
    assert len(calibrated) > 10
    assert {row["kind"] for row in everything["citadel/liquidity"]} >= {
        "pool_high",
        "pool_low",
        "london_high",
        "day_low",
    }


@given(seed=st.integers(0, 2**32 - 1), cuts=st.sampled_from([1, 10, 200]))
@settings(max_examples=5)
def test_random_cuts(seed: int, cuts: int) -> None:
    pieces = cut(list(synthetic_slices()), np.random.default_rng(seed), cuts)
    found = told(*replay(pieces, source()))
    for name, expected in whole().items():
        assert found[name] == expected, name


def test_one_instant_at_a_time() -> None:
    pieces = list(synthetic_slices(("EURUSD",)))
    one = strategy(["EURUSD"], gates=SHIELDS, **PERSON)
    shredded = cut(pieces, np.random.default_rng(0))
    assert len(shredded) > 4_000
    assert told(*replay(shredded, one)) == told(*replay(pieces, one))


@given(share=st.floats(0.3, 0.95), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=4)
def test_poisoned_future(share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    everything = merge(list(synthetic_slices()))
    first = min(int(q.ts[0]) for q in everything.quotes.values())
    until = first + int(share * (everything.horizon - first))
    poisoned = {}
    for symbol, quotes in everything.quotes.items():
        later = quotes.ts > until
        bid = np.where(later, rng.integers(1, 2 * int(quotes.bid.max()), len(quotes)), quotes.bid)
        spread = np.where(later, rng.integers(0, 5_000, len(quotes)), quotes.ask - quotes.bid)
        poisoned[symbol] = Quotes(symbol, quotes.ts, bid, bid + spread)
    found = told(*replay([Slice(everything.horizon, poisoned)], source()))
    expected = whole()
    for name, column in (("scores", "time"), ("decisions", "time"), ("trades", "close_time")):
        assert past(found[name], column, until) == past(expected[name], column, until) != []
    # pools and levels known by then, and how they stood
    mine, theirs = (
        [stood(row, until) for row in past(one["citadel/liquidity"], "born", until)] for one in (found, expected)
    )
    assert mine == theirs != []
    assert found["outcomes"] != expected["outcomes"]


@given(share=st.floats(0.3, 0.95))
@settings(max_examples=3)
def test_truncated_future(share: float) -> None:
    everything = merge(list(synthetic_slices()))
    first = min(int(q.ts[0]) for q in everything.quotes.values())
    until = first + int(share * (everything.horizon - first))
    piece = Slice(until, {s: between(q, -1, until) for s, q in everything.quotes.items()})
    found = told(*replay([piece], source()))
    assert past(found["scores"], "time", until) == past(whole()["scores"], "time", until) != []


def past(table: list[dict[str, Any]], column: str, until: int) -> list[dict[str, Any]]:
    return [
        row for row in table
        if row[column].value <= until and row.get("close_reason") != "end" and row.get("gate") != "executor"
    ]  # fmt: skip


def stood(row: dict[str, Any], until: int) -> tuple[Any, ...]:
    ended = row["ended"] if row["ended"] is not None and row["ended"].value <= until else None
    return (row["symbol"], row["timeframe"], row["kind"], row["level"], row["born"], ended)


def test_a_person_who_accepts_later_is_scored_by_the_market_of_then() -> None:
    citadel = [row for row in whole()["scores"] if row["shield"] == "citadel"]
    times: dict[str, list[dict[str, Any]]] = {}
    for row in citadel:
        times.setdefault(row["signal_id"], []).append(row)
    twice = [scores for scores in times.values() if len(scores) == 2]
    assert len(twice) > 20
    assert all(later["time"].value - first["time"].value == 75 * 10**9 for first, later in twice)
    assert sum(first["evidence"] != later["evidence"] for first, later in twice) > len(twice) / 2
