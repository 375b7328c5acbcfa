"""Elimination: what counts, when a pattern is switched off, and how it comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bitten.clock import iso
from bitten.instants import instant
from bitten.model.dtypes import NS_PER_MINUTE
from tests.plugins.gates.made import NOON, USDJPY, gate, market, outcome, said, signal, situation


def feed(eliminating: Any, wins: int, n: int, start: int = 0, **changes: Any) -> int:
    """So many outcomes, a minute apart, the lost ones first; the minute after the last."""
    for i in range(n):
        won = i >= n - wins
        eliminating.learn(outcome(start + i, won, NOON + (start + i) * NS_PER_MINUTE, **changes))
    return start + n


def decide(eliminating: Any, minute: int, pattern: str = "p", **changes: Any) -> Any:
    at = NOON + minute * NS_PER_MINUTE
    return eliminating.decide(situation(signal(time=at, pattern=pattern, **changes), of_market=market(at=at)))


def test_the_evidence_is_in_the_reason() -> None:
    """Lost ones last, so that the bound comes under the limit with the 31st."""
    off = gate("elimination")
    results = [True] * 7 + [False] * 24
    for i, won in enumerate(results):
        assert decide(off, i).passed.all(), i
        off.learn(outcome(i, won, NOON + i * NS_PER_MINUTE))
    verdict = decide(off, 31)
    assert verdict.passed.tolist() == [False] * 3
    assert said(verdict) == (
        "p is switched off since 2024-04-09 12:30:00 UTC: 7 of 31 won, 95 % upper bound 39.8 %, limit 40 %"
    )
    assert (round(verdict.measured, 1), verdict.limit) == (39.8, 40.0)
    assert decide(off, 31, "other").passed.all()
    (row,) = off.tables()["eliminations"].to_pylist()
    assert (row["pattern"], row["symbol"], row["event"], row["wins"], row["n"]) == ("p", None, "eliminated", 7, 31)
    assert row["gate"] == "elimination"


@pytest.mark.parametrize(
    ("mode", "wins", "n", "passes"),
    [
        ("interval", 0, 19, True),  # too few to say
        ("interval", 0, 20, False),
        ("interval", 7, 30, True),  # its bound is 41 %
        ("plain", 0, 19, True),
        ("plain", 8, 20, True),  # 40 % are not under 40 %
        ("plain", 7, 20, False),
    ],
)
def test_boundaries(mode: str, wins: int, n: int, passes: bool) -> None:
    judged = gate("elimination", mode=mode)
    results = [True] * wins + [False] * (n - wins)
    for i, won in enumerate(results):
        judged.learn(outcome(i, won, NOON + i * NS_PER_MINUTE))
    assert decide(judged, n).passed.all() == passes


@pytest.mark.parametrize(
    ("reason", "won", "counts"),
    [
        ("target", True, True), ("stop", False, True), ("time", True, True), ("time", False, True),
        ("end", False, False), ("rejected", False, False), ("expired", False, False),
    ],
)  # fmt: skip
def test_only_what_is_resolved_counts(reason: str, won: bool, counts: bool) -> None:
    judged = gate("elimination", least=1, mode="plain")
    judged.learn(outcome(0, won, NOON, reason=reason))
    assert decide(judged, 1).passed.all() == (won or not counts)


def test_a_pattern_can_be_judged_symbol_by_symbol() -> None:
    off = gate("elimination", per="symbol")
    after = feed(off, 0, 20)
    assert not decide(off, after).passed.any()
    assert decide(off, after, instrument=USDJPY).passed.all()
    assert off.tables()["eliminations"].to_pylist()[0]["symbol"] == "EURUSD"


def test_a_person_restores_it_and_counting_starts_anew(tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    tape.write_text("")
    restore = [{"pattern": "p", "at": "2024-04-09T12:30:00"}]
    off = gate("elimination", tmp_path, restore=restore, file="tape")
    feed(off, 0, 20)
    assert not decide(off, 29).passed.any()
    assert decide(off, 30).passed.all()
    after = feed(off, 0, 19, start=30)
    assert decide(off, after).passed.all()
    feed(off, 0, 1, start=after)
    assert not decide(off, 51).passed.any()
    tape.write_text("2024-04-09T13:00:00Z q not this one\n2024-04-09T13:10:00Z p looked at it\n")
    assert not decide(off, 69).passed.any()
    assert decide(off, 70).passed.all()
    rows = off.tables()["eliminations"].to_pylist()
    assert [(row["event"], row["time"].isoformat()[11:16]) for row in rows] == [
        ("eliminated", "12:19"), ("restored", "12:30"), ("eliminated", "12:49"), ("restored", "13:10"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wins", "event"),
    [(0, "probation failed"), (3, "probation failed"), (4, "probation passed"), (6, "probation passed")],
)
def test_a_probation_is_judged_on_what_was_followed_unfired(wins: int, event: str) -> None:
    off = gate("elimination", probation_signals=10)
    after = feed(off, 0, 20)
    off.learn(outcome(99, True, NOON + after * NS_PER_MINUTE, time=NOON))  # decided before, so perhaps fired
    for i in range(9):
        off.learn(outcome(100 + i, i < wins, NOON + (after + i + 2) * NS_PER_MINUTE))
        assert not decide(off, after + i + 2).passed.any()
    off.learn(outcome(110, wins > 9, NOON + (after + 12) * NS_PER_MINUTE))
    assert decide(off, after + 12).passed.all() == (event == "probation passed")
    row = off.tables()["eliminations"].to_pylist()[-1]
    assert (row["event"], row["wins"], row["n"]) == (event, wins, 10)
    if event == "probation failed":  # and the next one begins
        for i in range(10):
            off.learn(outcome(200 + i, True, NOON + (after + 20 + i) * NS_PER_MINUTE))
        assert decide(off, after + 40).passed.all()


def test_without_a_probation_it_does_not_come_back_by_itself() -> None:
    off = gate("elimination")
    after = feed(off, 0, 20)
    after = feed(off, 500, 500, start=after + 2)
    assert not decide(off, after).passed.any()


def test_a_restoration_of_a_symbol_wants_patterns_judged_by_symbol() -> None:
    restore = [{"pattern": "p", "at": "2024-04-09", "symbol": "EURUSD"}]
    with pytest.raises(msgspec.ValidationError, match='patterns are judged over all symbols: set per = "symbol"'):
        gate("elimination", restore=restore)
    off = gate("elimination", restore=[{"pattern": "p", "at": "2024-04-09T13:00:00", "symbol": "USDJPY"}], per="symbol")
    feed(off, 0, 20)
    feed(off, 0, 20, start=20, instrument=USDJPY)
    assert not decide(off, 61).passed.any()
    assert decide(off, 61, instrument=USDJPY).passed.all()
    with pytest.raises(msgspec.ValidationError, match='at: "soon" is no date'):
        gate("elimination", restore=[{"pattern": "p", "at": "soon"}])
    assert iso(instant("2024-04-09T12:00:00"), 0) == "2024-04-09 12:00:00"
