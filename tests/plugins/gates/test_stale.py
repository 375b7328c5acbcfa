"""Gates that look at time and price: data validity, duplicates, age and drift, the price collar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitten.errors import DataError
from bitten.market import Market, Quote
from bitten.model.dtypes import NO_PRICE, NS_PER_MINUTE, NS_PER_SECOND
from bitten.rule import PASS, Rule
from tests.markets import instrument
from tests.plugins.gates.made import EURUSD, NOON, fire, gate, market, said, sell, signal, situation


@pytest.mark.parametrize(("age", "passes"), [(0, True), (30, True), (30.001, False), (3600, False)])
def test_data_validity_of_an_old_quote(age: float, passes: bool) -> None:
    at = NOON + round(age * NS_PER_SECOND)
    verdict = gate("data_validity").decide(situation(at=at, of_market=market(until=at)))
    assert verdict.passed.tolist() == [passes] * 3
    if age == 3600:
        assert said(verdict) == "the last quote was 3600.0 s old, limit is 30 s"


@pytest.mark.parametrize(
    ("bid", "ask", "passes"),
    [(1, 1, True), (0, 12, False), (-5, 7, False), (110_001, 110_000, False), (110_000, 110_000, True)],
)
def test_data_validity_of_quotes_that_cannot_be(bid: int, ask: int, passes: bool) -> None:
    verdict = gate("data_validity").decide(situation(of_market=market(bid, ask)))
    assert verdict.passed.tolist() == [passes] * 3
    assert passes or said(verdict) == "the last quote is none: its bid is not above 0, or above its ask"


@pytest.mark.parametrize("bid", [np.nan, np.inf])
def test_data_validity_of_numbers_that_are_none(bid: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Market, "quote", lambda self, symbol, time: Quote(time, bid, bid))
    verdict = gate("data_validity").decide(situation())
    assert not verdict.passed.any()
    assert np.isfinite(verdict.measured)


def test_data_validity_without_a_quote_and_of_an_unknown_symbol() -> None:
    empty = Market({"EURUSD": EURUSD}, {})
    assert said(gate("data_validity").decide(situation(of_market=empty))) == "no quote of the symbol is known"
    strange = signal(instrument=instrument("NZDCHF"))
    assert not gate("data_validity").decide(situation(strange)).passed.any()


# -- duplicates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "passes"), [(4.999, False), (5.0, True), (600.0, True)])
def test_the_cooldown_is_per_account_symbol_and_side(minutes: float, passes: bool) -> None:
    before = NOON - round(minutes * NS_PER_MINUTE)
    first = fire(1, "large", signal(id="s0"), time=before)
    cooling = gate("duplicate", cooldown_minutes=5)
    verdict = cooling.decide(situation(signal(), first))
    assert verdict.passed.tolist() == [True, passes, True]
    assert passes or said(verdict, 1) == "it fired on this symbol and side 5.0 minutes ago, 5 are the least"
    assert cooling.decide(situation(sell(), first)).passed.all()
    assert gate("duplicate").decide(situation(signal(), first)).passed.all()


def test_a_signal_that_is_decided_again_does_not_fire_again() -> None:
    twice = gate("duplicate")
    assert twice.decide(situation(signal())).passed.all()
    fired = fire(1, "large", signal())  # by what was decided then
    assert twice.decide(situation(signal(), fired)).passed.tolist() == [True, False, True]
    verdict = twice.decide(situation(signal(), fired, at=NOON + 90 * NS_PER_SECOND))
    assert verdict.passed.tolist() == [True, False, True]
    assert said(verdict, 1).startswith("it fired this signal, or one like it, 1.5 minutes ago")
    other = twice.decide(situation(signal(id="s2"), fired, at=NOON + 90 * NS_PER_SECOND))
    assert other.passed.all()


def test_without_a_cooldown_nothing_is_refused_in_a_replay() -> None:
    assert gate("duplicate").rule() == Rule(PASS)
    assert gate("duplicate", cooldown_minutes=1).rule() is None


# -- age and drift -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "passes"), [(0, True), (120, True), (120.001, False)])
def test_the_age_of_a_signal(age: float, passes: bool) -> None:
    at = NOON + round(age * NS_PER_SECOND)
    verdict = gate("age_drift").decide(situation(at=at))
    assert verdict.passed.tolist() == [passes] * 3
    assert passes or said(verdict) == "the signal was 120.0 s old, limit is 120 s"


DRIFTS: list[tuple[Any, float, bool, str]] = [
    (signal(), 110_150, True, ""),
    (signal(), 110_151, False, "the price has gone 0.50 of the way to the target, limit is 0.5"),
    (signal(), 110_240, False, "the price has gone 0.80 of the way to the target, limit is 0.5"),
    (signal(), 109_950, True, ""),
    (signal(), 109_940, False, "the price has gone 0.60 of the way to the stop, limit is 0.5"),
    (signal(), 109_900, False, "the price is 0 points past the stop already"),
    (signal(), 110_310, False, "the price is 10 points past the target already"),
    (sell(), 109_850, True, ""),
    (sell(), 109_849, False, "the price has gone 0.50 of the way to the target, limit is 0.5"),
    (sell(), 110_050, True, ""),
    (sell(), 110_051, False, "the price has gone 0.51 of the way to the stop, limit is 0.5"),
    (sell(), 110_088, False, "the price is 0 points past the stop already"),  # a sell closes at the ask
    (sell(), 109_688, False, "the price is 0 points past the target already"),
    (signal(relative=True, stop_points=100, target_points=300), 110_150, True, ""),
    (signal(relative=True, stop_points=100, target_points=300), 109_940, False, "the price has gone 0.60"),
    (signal(target_points=NO_PRICE), 119_000, True, ""),
    (signal(stop_points=NO_PRICE, target_points=NO_PRICE), 101_000, True, ""),
    (signal(reference_points=NO_PRICE), 110_150, True, ""),  # a signal from a file, at its own instant
]


@pytest.mark.parametrize(("of", "bid", "passes", "reason"), DRIFTS)
def test_the_drift_of_the_price(of: Any, bid: int, passes: bool, reason: str) -> None:
    verdict = gate("age_drift").decide(situation(of, of_market=market(bid)))
    assert verdict.passed.tolist() == [passes] * 3
    assert passes or said(verdict).startswith(reason)


def test_drift_that_cannot_be_measured_refuses() -> None:
    at = NOON + NS_PER_SECOND
    verdict = gate("age_drift").decide(situation(signal(reference_points=NO_PRICE), at=at))
    assert said(verdict) == "the signal names no reference price to measure its drift by"
    assert not verdict.passed.any()
    with pytest.raises(DataError, match="EURUSD has no quote yet"):
        gate("age_drift").decide(situation(of_market=Market({"EURUSD": EURUSD}, {})))


# -- price collar --------------------------------------------------------------------------------------------------

COLLARS: list[tuple[Any, float, float, bool, str]] = [
    (signal(), 110_000, 110_012, True, ""),
    (signal(), 110_000, 110_040, True, ""),  # as wide as one ATR
    (signal(), 110_000, 110_041, False, "spread was 41 points, the collar is 40.0"),
    (signal(), 110_086, 110_098, True, ""),  # meant 110012, the middle is 110092: 80 points, two ATRs
    (signal(), 110_087, 110_099, False, "the entry is 81 points from the market, the collar is 80.0"),
    (sell(), 110_074, 110_086, True, ""),
    (sell(), 110_075, 110_087, False, "the entry is 81 points from the market, the collar is 80.0"),
    (signal(atr_points=0.0), 110_000, 110_012, False, "the signal carries no ATR to measure its price by"),
    (signal(reference_points=NO_PRICE), 150_000, 150_012, True, ""),
]


@pytest.mark.parametrize(("of", "bid", "ask", "passes", "reason"), COLLARS)
def test_the_collar_of_prices(of: Any, bid: int, ask: int, passes: bool, reason: str) -> None:
    verdict = gate("price_collar").decide(situation(of, of_market=market(bid, ask)))
    assert verdict.passed.tolist() == [passes] * 3
    assert passes or said(verdict) == reason


@pytest.mark.parametrize(("age", "passes"), [(2, True), (2.001, False)])
def test_the_collar_of_a_quotes_age(age: float, passes: bool) -> None:
    verdict = gate("price_collar").decide(situation(at=NOON + round(age * NS_PER_SECOND)))
    assert verdict.passed.tolist() == [passes] * 3
    with pytest.raises(DataError, match="EURUSD has no quote yet"):
        gate("price_collar").decide(situation(of_market=Market({"EURUSD": EURUSD}, {})))
