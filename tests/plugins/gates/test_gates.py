"""Every bundled gate against a hand-made situation of three accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replace_account
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from bitten.backtesting import build_pipeline
from bitten.config import read_config
from bitten.errors import ConfigError, DataError
from bitten.gate import AccountGate, GateContext, Situation
from bitten.ledger import Account, Ledger
from bitten.manager import Manager
from bitten.market import Market, MarketView
from bitten.model.dtypes import NO_PRICE
from bitten.model.facts import ExitPlan, Fire, Signal
from bitten.model.quotes import Quotes, Slice
from tests.markets import instrument
from tests.replay import settings

ACCOUNTS = [
    Account("small", balance=1_000.0, slots=1, band_low=80.0, band_high=89.0),
    Account("large", balance=50_000.0, slots=2, risk_percent=2.0),
    Account("euro", currency="EUR", balance=10_000.0, risk_percent=0.5),
]


def signal(confidence: float = 85.0, stop: int = 109_900, side: int = 1, **changes: Any) -> Signal:
    facts = Signal(
        id="s1", pattern="p", instrument=instrument(), timeframe="M1", timeframe_ns=60, side=side, time=1_000, anchor=0,
        reference_points=110_000, stop_points=stop, target_points=110_300, relative=False, confidence=confidence,
        expiry=0, plan=ExitPlan(), atr_points=40.0,
    )  # fmt: skip
    return replace(facts, **changes)


def situation(of: Signal, *fires: Fire, scale: float = 1.0, accounts: Sequence[Account] = ACCOUNTS) -> Situation:
    market = Market({"EURUSD": of.instrument}, {})
    quotes = Quotes("EURUSD", np.array([900, 1_000]), np.array([109_990, 110_000]), np.array([110_002, 110_012]))
    market.begin(Slice(1_000, {"EURUSD": quotes}))
    ledger = Ledger(accounts)
    for fire in fires:
        ledger.apply(fire)
    return Situation(of, MarketView(market, of.time), ledger, np.zeros(3), scale)


def fire(number: int, account: str) -> Fire:
    return Fire(f"f{number}", number, signal(), account, 0.1, 0)


def gate(name: str, context: GateContext | None = None, **config: Any) -> Any:
    kind = Manager().find("gates", name).load()
    return kind(kind.Config(**config), context or GateContext())


@pytest.mark.parametrize(
    ("confidence", "passed"),
    [(79.9, [0, 1, 1]), (80.0, [1, 1, 1]), (89.0, [1, 1, 1]), (89.1, [0, 1, 1]), (92.0, [0, 0, 0])],
)
def test_band_ends_are_inside(confidence: float, passed: list[int]) -> None:
    verdict = gate("band", high=91.0).decide(situation(signal(confidence)))
    assert verdict.passed.tolist() == [bool(p) for p in passed]
    assert verdict.limit.tolist()[0] == (80.0 if confidence < 80 else 89.0)


@pytest.mark.parametrize(
    ("pattern", "confidence", "passed"),
    [
        ("p", 79.9, [0, 0, 1]), ("p", 80.0, [1, 1, 1]), ("p", 89.0, [1, 1, 1]), ("p", 89.1, [0, 0, 1]),
        ("odd", 40.0, [0, 1, 1]), ("odd", 85.0, [1, 0, 1]), ("p", 19.0, [0, 0, 0]),
    ],
)  # fmt: skip
def test_band_of_auto_and_manual_accounts_and_of_a_pattern(pattern: str, confidence: float, passed: list[int]) -> None:
    """An account's own band goes first, then the pattern's, then the gate's; people are offered more."""
    rows = [ACCOUNTS[0], ACCOUNTS[1], replace_account(ACCOUNTS[2], mode="manual")]
    band = gate("band", manual=(20.0, 100.0), patterns={"odd": (30.0, 50.0)})
    verdict = band.decide(situation(signal(confidence, pattern=pattern), accounts=rows))
    assert verdict.passed.tolist() == [bool(p) for p in passed]
    assert band.rule() is None
    assert gate("band").rule() is not None


@pytest.mark.parametrize(
    ("alike", "confidence", "text"),
    [
        (True, 50.0, "the band starts at"), (True, 95.0, "the band ends at"), (False, 50.0, "the band starts at"),
        (False, 95.0, "the band ends at"), (False, 75.0, "the near end of the band is"),
    ],
)  # fmt: skip
def test_the_band_says_which_end_was_missed(alike: bool, confidence: float, text: str) -> None:
    bands = [(70.0, 90.0)] * 3 if alike else [(60.0, 70.0), (80.0, 90.0), (70.0, 80.0)]
    accounts = [Account(f"a{i}", band_low=low, band_high=high) for i, (low, high) in enumerate(bands)]
    verdict = gate("band").decide(situation(signal(confidence), accounts=accounts))
    assert not verdict.passed[0]
    assert text in verdict.reason


@pytest.mark.parametrize(
    ("name", "config", "key"),
    [
        ("band", {"patterns": {"bb_scalpp": [60.0, 100.0]}}, "patterns"),
        ("elimination", {"restore": [{"pattern": "bb_scalpp", "at": "2024-04-09T12:00:00Z"}]}, "restore"),
        ("order_rate", {"reenable": [{"pattern": "bb_scalpp", "at": "2024-04-09T12:00:00Z"}]}, "reenable"),
    ],
)
def test_a_gate_that_names_a_pattern_which_is_not_configured(name: str, config: dict[str, Any], key: str) -> None:
    source = settings(["EURUSD"], gates=[{"use": name, **config}, {"use": "fixed_lots"}])
    with pytest.raises(ConfigError) as caught:
        build_pipeline(*read_config(source))
    expected = f'{name}.{key} names "bb_scalpp", which is no configured pattern: did you mean "bb_scalp"?'
    assert expected in str(caught.value)


def test_band_the_wrong_way_round() -> None:
    with pytest.raises(ValueError, match=r"odd = \[60, 50\] goes down; perhaps \[50, 60\]"):
        gate("band", patterns={"odd": (60.0, 50.0)})


def test_slots_count_pending_orders() -> None:
    verdict = gate("slots").decide(situation(signal(), fire(1, "small"), fire(2, "large")))
    assert verdict.passed.tolist() == [False, True, True]
    assert verdict.reason.format(measured=1.0, limit=1.0) == "1 of 1 slots are taken"


def test_one_per_symbol() -> None:
    verdict = gate("one_per_symbol").decide(situation(signal(), fire(1, "large")))
    assert verdict.passed.tolist() == [True, False, True]
    assert gate("one_per_symbol", most=2).decide(situation(signal(), fire(1, "large"))).passed.all()


def test_spread_in_points_and_in_atr() -> None:
    assert gate("spread", points=12).decide(situation(signal())).passed.all()
    refused = gate("spread", points=11).decide(situation(signal()))
    assert not refused.passed.any()
    assert (refused.measured, refused.limit) == (12.0, 11.0)
    assert not gate("spread", atr=0.25).decide(situation(signal())).passed.any()
    assert gate("spread", atr=0.3).decide(situation(signal())).passed.all()


def test_risk_sizes_from_the_ask_to_the_stop() -> None:
    # a buy would fill at 1.10012, 112 points above its stop: 112 USD a lot; 10 and 1000 USD, 50 EUR = 55.0 USD at risk
    verdict = gate("risk").decide(situation(signal()))
    assert verdict.lots.tolist() == [0.08, 8.92, 0.49]
    assert verdict.passed.all()


def test_risk_counts_slippage_commission_and_the_shield() -> None:
    context = GateContext(slippage_points=8, commission_per_lot=15.0)  # on the entry and on the stop
    assert gate("risk", context).decide(situation(signal())).lots.tolist()[1] == 6.32  # 1000 / (112 + 16 + 30)
    assert gate("risk", context).decide(situation(signal(), scale=0.5)).lots.tolist()[1] == 3.16
    distance = signal(relative=True, stop_points=120, target_points=300)  # moves with the entry: slips once
    assert gate("risk", context).decide(situation(distance)).lots.tolist()[1] == 6.32  # 1000 / (120 + 8 + 30)
    assert gate("risk", percent=1.0).decide(situation(signal())).lots.tolist()[1] == 4.46


def test_risk_of_a_sell_is_measured_from_the_bid() -> None:
    short = signal(stop=110_100, side=-1, target_points=109_800)
    assert gate("risk").decide(situation(short)).lots.tolist()[1] == 10.0


def test_risk_too_small_for_the_smallest_volume_is_refused() -> None:
    verdict = gate("risk", percent=0.1).decide(situation(signal(stop=109_000)))
    # 1 USD, 50 USD and 10 EUR against 1012 USD a lot
    assert verdict.passed.tolist() == [False, True, True]
    assert verdict.lots.tolist() == [0.0, 0.04, 0.01]


@pytest.mark.parametrize("stop", [110_000, 110_005, 110_012, 110_050])
def test_risk_refuses_where_the_stop_is_reached_already(stop: int) -> None:
    """Between bid and ask too: a tiny distance from the ask would otherwise size a giant position."""
    verdict = gate("risk").decide(situation(signal(stop=stop)))
    assert not verdict.passed.any()
    assert verdict.lots is None
    assert verdict.measured == 110_000 - stop


def test_spread_says_when_it_cannot_measure() -> None:
    verdict = gate("spread", atr=0.5).decide(situation(signal(atr_points=0.0)))
    assert not verdict.passed.any()
    assert "carries no ATR" in verdict.reason
    with pytest.raises(ValueError, match="neither points nor atr says how wide"):
        gate("spread")


def test_risk_needs_a_stop() -> None:
    with pytest.raises(DataError, match="without a stop has no risk to size by; use the gate fixed_lots"):
        gate("risk").decide(situation(signal(stop=NO_PRICE)))


def test_fixed_lots() -> None:
    assert gate("fixed_lots", lots=0.126).decide(situation(signal(stop=NO_PRICE))).lots.tolist() == [0.12] * 3
    assert not gate("fixed_lots", lots=0.1).decide(situation(signal(), scale=0.05)).passed.any()


class WholeEuros(AccountGate):
    """A policy written for one account at a time."""

    def decide_one(self, situation: Situation, account: int) -> tuple[bool, float, float, str]:
        equity = float(situation.equity[account])
        passed = situation.ledger.currencies[account] == "EUR" or equity > 5_000
        return passed, equity, 5_000.0, "equity {measured:.0f} of {account} is not above {limit:.0f}"


def test_a_gate_for_one_account_at_a_time() -> None:
    verdict = WholeEuros(None, GateContext()).decide(situation(signal()))
    assert verdict.passed.tolist() == [False, True, True]
    assert verdict.measured.tolist() == [1_000.0, 50_000.0, 10_000.0]
    assert verdict.reason.format(measured=1_000.0, limit=5_000.0, account="small") == (
        "equity 1000 of small is not above 5000"
    )


def test_different_reasons_of_such_a_gate_become_one_that_fits_all() -> None:
    class Moody(WholeEuros):
        def decide_one(self, situation: Situation, account: int) -> tuple[bool, float, float, str]:
            return False, float(account), 9.0, f"mood {account}"

    verdict = Moody(None, GateContext()).decide(situation(signal()))
    assert not verdict.passed.any()
    assert verdict.reason.format(measured=2.0, limit=9.0) == "refused: measured 2, limit 9"
