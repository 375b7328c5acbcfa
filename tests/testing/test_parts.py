"""The contract of shields, and what gates and shields may know of the market: broken ones are caught."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace as altered

from bitten.gate import Gate, GateContext, Insight, Score, Shield, Situation, Verdict
from bitten.market import MarketView
from bitten.model.dtypes import Records
from bitten.model.facts import Outcome, Signal
from bitten.model.quotes import Quotes
from bitten.testing import LawBroken, check_gate, check_shield
from bitten.testing.parts import part_rulings, part_trial


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class Watcher(Shield):
    """Scores by the mean spread of all quotes so far, and by the last closed bar; vetoes where the spread is wide."""

    Config = Nothing

    def __init__(self, config: Any, context: GateContext) -> None:
        super().__init__(config, context)
        self.ts = np.zeros(0, np.int64)
        self.spread = np.zeros(0, np.int64)
        self.known = np.zeros(0, np.int64)
        self.close = np.zeros(0, np.int64)
        self.lost = 0

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        self.ts = np.concatenate([self.ts, quotes.ts])
        self.spread = np.concatenate([self.spread, quotes.ask - quotes.bid])
        self.known = np.concatenate([self.known, bars["M1"]["known"]])
        self.close = np.concatenate([self.close, bars["M1"]["close"]])

    def learn(self, outcome: Outcome) -> None:
        self.lost += outcome.reason == "stop"

    def until(self, now: int) -> tuple[int, int]:
        return int(self.ts.searchsorted(now, "right")), int(self.known.searchsorted(now, "right"))

    def score(self, signal: Signal, market: MarketView) -> Score:
        quotes, bars = self.until(market.now)
        spread = float(self.spread[:quotes].mean())
        moved = float(self.close[bars - 1]) if bars else 0.0
        value = 1.0 + 8.0 * min(1.0, spread / 16)
        veto = f"spread was {spread:.1f} points" if spread > 8.1 else None
        return Score(value, 0.5, veto, {"spread": spread, "moved": moved, "lost": float(self.lost)})

    def insights(self, evidence: Mapping[str, float], signal: Mapping[str, Any]) -> Sequence[Insight]:
        return [Insight("spread", 0.5, 4.0, f"{signal['symbol']} costs {evidence['spread']:.1f} points")]


def test_a_shield_that_keeps_the_contract_passes() -> None:
    assert 0 < check_shield(Watcher) < 36
    assert len(list(part_rulings(part_trial(Watcher)))) == 5


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: 7.0, "score returned float, must be a Score"),
        (lambda s: altered(s, score=10.5), "the score is 10.5, must be 1 to 10"),
        (lambda s: altered(s, score=float("nan")), "the score is nan, must be 1 to 10"),
        (lambda s: altered(s, scale=-1.0), "scale is -1.0"),
        (lambda s: altered(s, veto=" "), "veto is ' ', must be a reason in words"),
        (lambda s: altered(s, confidence=120.0), "confidence is 120.0"),
        (lambda s: altered(s, evidence={"spread": float("inf")}), "evidence 'spread' is inf"),
        (lambda s: altered(s, scale=float(next(COUNT) % 7)), "asked again: the answer is"),
    ],
)
def test_a_score_that_breaks_the_contract_is_caught(change: Any, message: str) -> None:
    kind = type(
        "Spoiled", (Watcher,), {"score": lambda self, signal, market: change(Watcher.score(self, signal, market))}
    )
    with pytest.raises(LawBroken) as caught:
        check_shield(kind)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("insight", "message"),
    [
        (("spread", 0.5, 4.0, "x"), "holds a tuple"),
        (Insight("spread", 1.5, 4.0, "x"), "has the value 1.5"),
        (Insight("spread", 0.5, -1.0, "x"), "has the weight -1.0"),
        (Insight("spread", 0.5, 4.0, "costs {spread}"), "with its numbers filled in"),
    ],
)
def test_an_insight_that_breaks_the_contract_is_caught(insight: Any, message: str) -> None:
    kind = type("Spoiled", (Watcher,), {"insights": lambda self, evidence, signal: [insight]})
    with pytest.raises(LawBroken) as caught:
        check_shield(kind)
    assert message in str(caught.value)


class LooksAhead(Watcher):
    """Takes all quotes that it has been shown."""

    def until(self, now: int) -> tuple[int, int]:
        return self.ts.size, self.known.size


class LooksABarAhead(Watcher):
    """Of bars it takes one too many, of quotes not."""

    def until(self, now: int) -> tuple[int, int]:
        quotes, bars = super().until(now)
        return quotes, min(bars + 1, self.known.size)


class CountsSlices(Watcher):
    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        super().observe(symbol, quotes, bars)
        self.lost += 1


class Shared(Watcher):
    seen: ClassVar[list[int]] = []

    def learn(self, outcome: Outcome) -> None:
        self.seen.append(outcome.close_time)
        self.lost = len(self.seen)


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        (LooksAhead, "causality"),
        (LooksABarAhead, "causality"),
        (CountsSlices, "batch-size invariance"),
        (Shared, "determinism"),
    ],
)
def test_a_shield_that_knows_too_much_is_caught_by_the_law_for_it(kind: type[Shield], law: str) -> None:
    (ruling,) = part_rulings(part_trial(kind), (law,))
    assert (ruling.law, ruling.verdict) == (law, "broken")
    assert ruling.example.startswith("signal ")


class SpreadAhead(Gate):
    """Refuses by the widest spread of the slice, which holds what is not known yet."""

    Config = Nothing

    def __init__(self, config: Any, context: GateContext) -> None:
        super().__init__(config, context)
        self.widest = 0.0

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        if len(quotes):
            self.widest = float((quotes.ask - quotes.bid).max())

    def decide(self, situation: Situation) -> Verdict:
        passed = np.full(len(situation.ledger.ids), self.widest < 16)
        return Verdict(passed, self.widest, 16.0, "spread was {measured:g}, limit is {limit:g}")


def test_a_gate_that_looks_ahead_in_what_it_observes_is_caught() -> None:
    with pytest.raises(LawBroken, match=r"situation \d+, market cut at"):
        check_gate(SpreadAhead)
    (ruling,) = part_rulings(part_trial(SpreadAhead), ("causality",))
    assert ruling.verdict == "broken"


def test_an_unknown_law_of_parts_is_refused() -> None:
    with pytest.raises(ValueError, match='law "causalty" is unknown: did you mean "causality"'):
        list(part_rulings(part_trial(SpreadAhead), ("causalty",)))
