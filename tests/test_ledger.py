"""The account table: slots and risk are taken at the fire and freed by its end; columns equal a plain recount."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bitten.ledger import LONG_AGO, Account, Ledger
from bitten.market import Market, MarketView
from bitten.model.dtypes import NO_PRICE, NS_PER_MINUTE
from bitten.model.facts import Close, Fill, Fire, Unfilled
from bitten.model.quotes import Quotes, Slice
from bitten.sizing import points_to_money
from tests.markets import instrument
from tests.plugins.gates.test_gates import signal

ACCOUNTS = [Account("a"), Account("b", currency="EUR"), Account("c", currency="JPY", balance=1e6)]
FACTS = {"EURUSD": instrument("EURUSD"), "USDJPY": instrument("USDJPY", digits=3, pip=0.01)}


def market() -> MarketView:
    made = Market(FACTS, {})
    quotes = {
        "EURUSD": Quotes("EURUSD", np.array([5]), np.array([110_000]), np.array([110_012])),
        "USDJPY": Quotes("USDJPY", np.array([5]), np.array([150_000]), np.array([150_020])),
    }
    made.begin(Slice(10, quotes))
    return MarketView(made, 10)


def fire(number: int, row: int, symbol: str, side: int, lots: float, time: int = 0) -> Fire:
    of = replace(signal(id=f"s{number}"), instrument=FACTS[symbol], side=side, pattern=f"p{number % 2}")
    return Fire(f"f{number}", number, of, ACCOUNTS[row].id, lots, time, risk=10.0 * lots)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_columns_equal_a_recount(seed: int) -> None:
    """Fires, fills, refusals and closes in any order that can happen."""
    rng = np.random.default_rng(seed)
    ledger, view = Ledger(ACCOUNTS), market()
    waiting: list[Fire] = []
    held: list[Fill] = []
    profit = np.zeros(3)
    for number in range(60):
        step = rng.integers(0, 4)
        if step <= 1:
            symbol = str(rng.choice(list(FACTS)))
            lots = float(rng.integers(1, 9)) / 10
            made = fire(number, int(rng.integers(0, 3)), symbol, int(rng.choice([-1, 1])), lots)
            ledger.apply(made)
            waiting.append(made)
        elif step == 2 and waiting:
            one = waiting.pop(int(rng.integers(len(waiting))))
            if rng.random() < 0.3:
                ledger.apply(Unfilled(one, number, "REJECTED", "no"))
            else:
                filled = Fill(one, number, int(rng.integers(109_000, 111_000)), 0, 0)
                ledger.apply(filled)
                held.append(filled)
        elif held:
            out = held.pop(int(rng.integers(len(held))))
            money = float(rng.integers(-500, 500))
            ledger.apply(Close(out, number, 0, "stop", money, 0.0, 0.0, 0, 0))
            profit[ledger.row(out.fire.account)] += money
    live = [*waiting, *(one.fire for one in held)]
    for row, account in enumerate(ACCOUNTS):
        mine = [one for one in live if one.account == account.id]
        assert ledger.used[row] == len(mine)
        assert ledger.open_risk[row] == pytest.approx(sum(one.risk for one in mine), abs=1e-9)
        assert ledger.on_symbol("EURUSD")[row] == sum(one.signal.symbol == "EURUSD" for one in mine)
        assert ledger.balance[row] == pytest.approx(account.balance + profit[row], abs=0.005)
        dollars = sum(_dollars(one) for one in mine)
        assert ledger.exposure("USD")[row] == pytest.approx(dollars, abs=1e-6)
        worth = ledger.balance[row] + sum(_worth(one, account.currency, view) for one in held if one.fire in mine)
        assert ledger.equity(view)[row] == pytest.approx(worth, rel=1e-12)


def _dollars(one: Fire) -> float:
    units = one.signal.side * one.lots * 100_000
    return units if one.signal.symbol == "USDJPY" else -units * (one.signal.reference or 0.0)


def _worth(one: Fill, currency: str, view: MarketView) -> float:
    of = one.fire.signal
    quote: Any = view.quote(of.symbol)
    points = of.side * ((quote.bid if of.side > 0 else quote.ask) - one.price_points)
    return view.convert(points_to_money(float(points), one.fire.lots, of.instrument), of.instrument.quote, currency)


def test_what_has_ended_leaves_exactly_nothing() -> None:
    ledger = Ledger(ACCOUNTS)
    fires = [fire(number, 0, "EURUSD", 1, 0.1 * number) for number in range(1, 8)]
    for one in fires:
        ledger.apply(one)
    for one in fires:
        ledger.apply(Unfilled(one, 1, "EXPIRED", "late"))
    assert ledger.open_risk.tolist() == [0.0, 0.0, 0.0]
    assert ledger.exposure("EUR").tolist() == ledger.exposure("USD").tolist() == [0.0, 0.0, 0.0]


def test_fires_and_signals_of_late() -> None:
    ledger = Ledger(ACCOUNTS)
    for number in range(6):
        for row in range(1 + number % 2):
            shared = replace(fire(number, row, "EURUSD", 1, 0.1, time=number * NS_PER_MINUTE), id=f"{number}-{row}")
            ledger.apply(shared)
    assert ledger.fires_since(2 * NS_PER_MINUTE).tolist() == [3, 2, 0]  # strictly later
    assert ledger.fires_since(-1).tolist() == [6, 3, 0]
    assert ledger.signals_since(2 * NS_PER_MINUTE) == 3
    assert ledger.signals_since(-1, "p1") == 3
    assert ledger.signals_since(-1, "p1", besides="s1") == 2
    assert ledger.last_fire("EURUSD", 1).tolist() == [5 * NS_PER_MINUTE, 5 * NS_PER_MINUTE, LONG_AGO]
    assert ledger.last_fire("EURUSD", -1).tolist() == [LONG_AGO] * 3


def test_columns_cannot_be_written_through() -> None:
    ledger = Ledger(ACCOUNTS)
    for column in (ledger.balance, ledger.used, ledger.open_risk, ledger.exposure("USD"), ledger.slots):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_fires_are_remembered_for_a_day() -> None:
    ledger = Ledger(ACCOUNTS)
    for number in range(6_000):
        made = fire(number, number % 3, "EURUSD", 1, 0.1, time=number * NS_PER_MINUTE)
        ledger.apply(made)
        ledger.apply(Unfilled(made, made.time, "EXPIRED", "late"))
    assert len(ledger._batches) < 4_200
    assert ledger.fired("s5999").tolist() == [False, False, True]
    assert ledger.fired("s0").tolist() == [False, False, False]
    assert ledger.signals_since(5_899 * NS_PER_MINUTE) == 100


def test_exposure_goes_by_the_price_of_the_decision_where_it_is_known() -> None:
    ledger = Ledger(ACCOUNTS)
    without = replace(fire(1, 0, "EURUSD", 1, 1.0), price=1.2)
    without = replace(without, signal=replace(without.signal, reference_points=NO_PRICE))
    ledger.apply(without)
    assert ledger.exposure("EUR").tolist() == [100_000.0, 0.0, 0.0]
    assert ledger.exposure("USD").tolist() == [-120_000.0, 0.0, 0.0]
