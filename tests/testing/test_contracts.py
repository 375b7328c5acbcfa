"""The contracts of feeds, gates and executors: bundled ones pass, each broken one is caught with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace as altered

from bitten.executor import Executor, ExecutorContext, Report
from bitten.feed import Feed, FeedContext, FeedFacts
from bitten.gate import Gate, Situation, Verdict
from bitten.ledger import Ledger
from bitten.manager import Manager
from bitten.model.quotes import Quotes, Slice
from bitten.screening import Offers, Screen
from bitten.testing import INSTRUMENT, LawBroken, check_executor, check_feed, check_gate, random_quotes
from bitten.testing.parts import part_rulings, part_trial
from bitten_brokers.simulated import SimulatedConfig, SimulatedExecutor
from bitten_feeds.synthetic import SyntheticFeed
from bitten_plugins.gates.band import Band
from bitten_plugins.gates.fixed_lots import FixedLots
from bitten_plugins.gates.one_per_symbol import OnePerSymbol
from bitten_plugins.gates.risk import Risk
from bitten_plugins.gates.slots import Slots
from bitten_plugins.gates.spread import MaximumSpread

CONTEXT = FeedContext(("EURUSD",), {"EURUSD": INSTRUMENT}, None, None, Path())


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class PlainFeed(Feed):
    """Two slices of quotes."""

    Config = Nothing
    stated: int | None = 100

    def __init__(self, config: Any, context: FeedContext) -> None:
        self.quotes = random_quotes(np.random.default_rng(3), 100)

    def facts(self) -> FeedFacts:
        return FeedFacts(self.stated)

    def slices(self) -> Iterator[Slice]:
        ts, bid, ask = self.quotes.ts, self.quotes.bid, self.quotes.ask
        cut = int(np.flatnonzero(ts > ts[49])[0])
        for part in (slice(0, cut), slice(cut, 100)):
            quotes = Quotes("EURUSD", ts[part], bid[part], ask[part])
            yield Slice(int(ts[part][-1]), {"EURUSD": quotes})


def spoiled(change: Callable[[Slice], Slice], **attributes: Any) -> type[Feed]:
    """A feed whose second slice is changed."""

    class Spoiled(PlainFeed):
        def slices(self) -> Iterator[Slice]:
            first, second = super().slices()
            yield first
            yield change(second)

    for name, value in attributes.items():
        setattr(Spoiled, name, value)
    return Spoiled


def quotes(piece: Slice, **columns: Any) -> Slice:
    return Slice(piece.horizon, {"EURUSD": replace(piece.quotes["EURUSD"], **columns)})


def at(column: Any, row: int, value: int) -> Any:
    column = column.copy()
    column[row] = value
    return column


def test_feeds_that_keep_the_contract_pass() -> None:
    assert check_feed(PlainFeed, CONTEXT) == 100
    start = 1_704_153_600 * 10**9
    context = replace(CONTEXT, start=start, end=start + 6 * 3600 * 10**9, seed=4)
    assert check_feed(SyntheticFeed, context) > 1000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: Slice(1, s.quotes), "slice 1 has horizon 1, not later than"),
        (lambda s: Slice(s.horizon - 1, s.quotes), "is not within"),
        (lambda s: quotes(s, ts=at(s.quotes["EURUSD"].ts, 9, 0)), "ts steps back at quote 9"),
        (lambda s: quotes(s, ts=at(s.quotes["EURUSD"].ts, 0, 0)), "is not within"),
        (lambda s: quotes(s, bid=s.quotes["EURUSD"].bid[1:]), "ts, bid and ask have lengths"),
        (lambda s: quotes(s, bid=s.quotes["EURUSD"].bid / 1e5), "have types int64, float64, int64"),
        (lambda s: quotes(s, bid=at(s.quotes["EURUSD"].bid, 5, 0)), "quote 5 is not 0 < bid <= ask"),
        (lambda s: quotes(s, ask=s.quotes["EURUSD"].bid - 1), "quote 0 is not 0 < bid <= ask"),
        (lambda s: quotes(s, bar_ns=60 * 10**9, ts=s.quotes["EURUSD"].ts[:2], bid=s.quotes["EURUSD"].bid[:2],
                          ask=s.quotes["EURUSD"].ask[:2]), "2 quotes made of bars are no multiple of 4"),
        (lambda s: quotes(s, symbol="GBPUSD"), "it is given as GBPUSD, asked for were EURUSD"),
        (lambda s: Slice(s.horizon, {}), "facts() says 100 quotes, slices() gave"),
    ],
)  # fmt: skip
def test_a_feed_that_breaks_the_contract_is_caught(change: Callable[[Slice], Slice], message: str) -> None:
    with pytest.raises(LawBroken) as caught:
        check_feed(spoiled(change), CONTEXT)
    assert message in str(caught.value)


def test_an_empty_feed_and_one_that_changes_its_mind_are_caught() -> None:
    class Empty(PlainFeed):
        stated = None

        def slices(self) -> Iterator[Slice]:
            yield Slice(1, {})

    with pytest.raises(LawBroken, match="gave no quote"):
        check_feed(Empty, CONTEXT)
    rng = np.random.default_rng()

    class Fickle(PlainFeed):
        def __init__(self, config: Any, context: FeedContext) -> None:
            self.quotes = random_quotes(rng, 100)

    with pytest.raises(LawBroken, match="read a second time"):
        check_feed(Fickle, CONTEXT)


@pytest.mark.parametrize(
    ("gate", "config", "refuses"),
    [
        (Band, None, True),
        (Slots, None, True),
        (OnePerSymbol, None, True),
        (MaximumSpread, {"points": 10}, True),
        (Risk, None, True),  # where a person answers late, the price may be beyond the stop
        (FixedLots, {"lots": 0.2}, False),
    ],
)
def test_bundled_gates_keep_the_contract(gate: type[Gate], config: Any, refuses: bool) -> None:
    for seed in range(3):
        assert (check_gate(gate, config, seed=seed) > 0) == refuses


class GateUnderTest(Gate):
    """Passes accounts that have free slots."""

    Config = Nothing

    def decide(self, situation: Situation) -> Verdict:
        ledger = situation.ledger
        used, slots = ledger.used.astype(np.float64), ledger.slots.astype(np.float64)
        return self.spoil(situation, Verdict(used < slots, used, slots, "{measured:g} of {limit:g} slots taken"))

    def spoil(self, situation: Situation, verdict: Verdict) -> Any:
        return verdict


def spend(situation: Situation, verdict: Verdict) -> Verdict:
    situation.ledger._used += 1  # the public columns cannot be written to
    return verdict


def alter_lots(situation: Situation, verdict: Verdict) -> Verdict:
    situation.lots[:] = 1.0
    return verdict


RNG = np.random.default_rng()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s, v: True, "decide returned bool, must be a Verdict"),
        (lambda s, v: altered(v, passed=v.passed.astype(np.int64)), "passed has shape (5,) and type int64"),
        (lambda s, v: altered(v, passed=np.array(True)), "passed has shape ()"),
        (lambda s, v: altered(v, lots=np.full(v.passed.size, np.nan)), "must be 5 finite numbers"),
        (lambda s, v: altered(v, lots=-np.ones(v.passed.size)), "none negative"),
        (lambda s, v: altered(v, reason="{slots} taken"), "cannot be used: KeyError"),
        (lambda s, v: altered(v, reason=" "), "a refusal has no reason"),
        (lambda s, v: altered(v, measured=np.zeros(17)), "cannot be used: ValueError"),
        (lambda s, v: altered(v, limit=float("nan")), "of a refusal is not a finite number"),
        (spend, "it changed the situation that it was given"),
        (alter_lots, "it changed the situation that it was given"),
        (lambda s, v: altered(v, measured=RNG.random(v.passed.size)), "asked again: measured is"),
        (lambda s, v: altered(v, passed=np.arange(v.passed.size) == 0), "accounts in reverse order: passed is"),
        (lambda s, v: altered(v, measured=float(v.passed.size)), "account 0 alone: measured is"),
        (lambda s, v: altered(v, lots=s.lots) if v.passed.size > 1 else v, "alone: lots is None, was"),
    ],
)
def test_a_gate_that_breaks_the_contract_is_caught(spoil: Any, message: str) -> None:
    assert check_gate(GateUnderTest) > 0
    kind = type("Spoiled", (GateUnderTest,), {"spoil": lambda self, situation, verdict: spoil(situation, verdict)})
    with pytest.raises(LawBroken) as caught:
        check_gate(kind)
    assert message in str(caught.value)


class Screening(GateUnderTest):
    """Passes signals that are confident enough."""

    def decide(self, situation: Situation) -> Verdict:
        confidence = situation.confidence
        return Verdict(situation.for_all(confidence >= 50), confidence, 50.0, "confidence was {measured:g}")

    def screen(self, offers: Offers, ledger: Ledger) -> Any:
        return self.cheat(Screen(offers.confidence >= 50, offers.confidence, 50.0))

    def cheat(self, screen: Screen) -> Any:
        return screen


@pytest.mark.parametrize(
    ("cheat", "message"),
    [
        (lambda screen: screen._replace(passed=screen.passed | True), "lets everybody pass, decide says"),
        (lambda screen: screen._replace(measured=screen.measured + 1), "measured is"),
        (lambda screen: screen._replace(limit=49.0), "limit is 49.0 on the screen, [50.0"),
        (lambda screen: screen._replace(passed=True), "a screen passed bool ()"),
        (lambda screen: screen._replace(measured=np.zeros(3)), "a screen measured (3,)"),
    ],
)
def test_a_screen_that_says_something_else_is_caught(cheat: Any, message: str) -> None:
    assert check_gate(Screening) > 0
    kind = type("Cheating", (Screening,), {"cheat": lambda self, screen: cheat(screen)})
    with pytest.raises(LawBroken) as caught:
        check_gate(kind)
    assert message in str(caught.value)


def test_the_screens_of_bundled_gates_let_something_pass() -> None:
    config = {"band": {"low": 50.0}, "spread": {"points": 8}, "price_collar": {"entry_atr": 100.0}}
    for name in ("kill_switch", "data_validity", "duplicate", "age_drift", "price_collar", "band", "spread"):
        kind = Manager().find("gates", name).load()
        trial = part_trial(kind, config.get(name))
        (ruling,) = part_rulings(trial, ("many signals at once",))
        assert (ruling.verdict, ruling.note[:2].strip().isdigit()) == ("kept", True), ruling
        assert int(ruling.note.split()[0]) > 0, name


def simulated(context: ExecutorContext, **config: Any) -> SimulatedExecutor:
    return SimulatedExecutor(SimulatedConfig(**config), context)


def test_the_simulated_executor_keeps_the_contract() -> None:
    for seed in range(3):
        assert check_executor(simulated, seed=seed) == 40
    assert check_executor(lambda context: simulated(context, latency_ms=900.0, slippage_points=3)) > 0


class Spoiler(SimulatedExecutor):
    """Changes the reports of an honest executor."""

    def __init__(self, config: SimulatedConfig, context: ExecutorContext, spoil: Any) -> None:
        super().__init__(config, context)
        self.spoil = spoil
        self.calls = 0

    def advance(self, until: int) -> Sequence[Report]:
        self.calls += 1
        reports: Sequence[Report] = self.spoil(self, list(super().advance(until)))
        return reports


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda e, r: [twice for one in r for twice in (one, one)], "expected a fill and a close"),
        (lambda e, r: [one for one in r if one.key != 7], "order 7 was reported as"),
        (
            lambda e, r: r[::-1] if len(r) > 2 else [one._replace(time=5) for one in r],
            "do not come in the order of time",
        ),
        (lambda e, r: [one._replace(time=1) for one in r], ", not after it"),
        (lambda e, r: [one._replace(price=e.calls) for one in r], "asked seldom it reports"),
    ],
)
def test_an_executor_that_breaks_the_contract_is_caught(spoil: Any, message: str) -> None:
    def make(context: ExecutorContext) -> Executor:
        return Spoiler(SimulatedConfig(), context, spoil)

    with pytest.raises(LawBroken) as caught:
        check_executor(make)
    assert message in str(caught.value)
