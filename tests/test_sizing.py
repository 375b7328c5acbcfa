"""Lots exactly as the table of worked cases says, and the float traps that rounding down falls into."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.errors import ConfigError, DataError
from bitten.market import Market
from bitten.model.instruments import load_instruments
from bitten.model.quotes import Quotes, Slice
from bitten.sizing import floor_to_step, lots_for_risk, points_to_money

INSTRUMENTS = load_instruments()


def market(prices: dict[str, float], rates: dict[str, float] | None = None) -> Market:
    facts = {symbol: INSTRUMENTS[symbol] for symbol in prices}
    built = Market(facts, rates or {})
    quotes = {}
    for symbol, price in prices.items():
        points = np.array([facts[symbol].points(price)])
        quotes[symbol] = Quotes(symbol, np.array([1_000]), points, points)
    built.begin(Slice(1_000, quotes))
    return built


CASES = [
    # symbol, prices of the moment, account, risk money, stop distance as a price, lots
    ("EURUSD", {"EURUSD": 1.1}, "USD", 100, 0.0020, 0.50),
    ("USDJPY", {"USDJPY": 150.0}, "USD", 100, 0.25, 0.60),
    ("XAUUSD", {"XAUUSD": 2400.0}, "USD", 100, 5.00, 0.20),
    ("EURGBP", {"EURGBP": 0.85, "GBPUSD": 1.25}, "USD", 100, 0.0015, 0.53),
    ("EURJPY", {"EURJPY": 160.0}, "EUR", 25, 0.30, 0.13),
    ("USDCNH", {"USDCNH": 7.2}, "USD", 100, 0.0100, 0.72),
    ("XAUUSD", {"XAUUSD": 2400.0}, "USD", 20, 30.0, 0.0),
]


@pytest.mark.parametrize(("symbol", "prices", "account", "risk", "distance", "lots"), CASES)
def test_worked_cases(
    symbol: str, prices: dict[str, float], account: str, risk: float, distance: float, lots: float
) -> None:
    facts = INSTRUMENTS[symbol]
    loss = -points_to_money(facts.points(distance), 1.0, facts)
    loss = market(prices).convert(loss, facts.quote, account, 1_000)
    assert lots_for_risk(np.array([float(risk)]), np.array([-loss]), facts).tolist() == [lots]


@pytest.mark.parametrize("lots", [0.29, 0.57, 1.15, 0.07, 2.01, 100.0])
def test_hundredths_survive(lots: float) -> None:
    assert floor_to_step(lots, INSTRUMENTS["EURUSD"]) == lots


def test_tenths_survive_and_exact_quotients_do() -> None:
    from dataclasses import replace

    tenths = replace(INSTRUMENTS["EURUSD"], volume_min=0.1, volume_step=0.1)
    assert floor_to_step(0.3, tenths) == 0.3
    assert floor_to_step(100 / (25_000 / 150), INSTRUMENTS["USDJPY"]) == 0.60


@given(
    risk=st.floats(0.01, 1e6), loss=st.floats(0.01, 1e6), symbol=st.sampled_from(["EURUSD", "XAUUSD", "USDJPY"])
)  # fmt: skip
def test_never_more_than_the_risk_and_never_below_the_minimum(risk: float, loss: float, symbol: str) -> None:
    facts = INSTRUMENTS[symbol]
    (lots,) = lots_for_risk(np.array([risk]), np.array([loss]), facts).tolist()
    assert lots == floor_to_step(risk / loss, facts)
    assert lots == 0 or facts.volume_min <= lots <= facts.volume_max
    assert lots * loss <= risk * (1 + 1e-9) + 1e-9 * loss
    assert lots == round(lots, 2)
    if lots == 0:
        assert risk / loss < facts.volume_min
    elif lots < facts.volume_max:
        assert (lots + facts.volume_step) * loss > risk * (1 - 1e-9)


def test_loss_converts_at_the_worse_side() -> None:
    facts = {symbol: INSTRUMENTS[symbol] for symbol in ("EURGBP", "GBPUSD", "USDJPY")}
    built = Market(facts, {})
    quotes = {
        "GBPUSD": Quotes("GBPUSD", np.array([5]), np.array([125_000]), np.array([126_000])),
        "USDJPY": Quotes("USDJPY", np.array([5]), np.array([150_000]), np.array([151_000])),
    }
    built.begin(Slice(5, quotes))
    assert built.convert(-100.0, "GBP", "USD", 5) == -126.0
    assert built.convert(100.0, "GBP", "USD", 5) == 125.0
    assert built.convert(-15_000.0, "JPY", "USD", 5) == -100.0
    assert built.convert(15_100.0, "JPY", "USD", 5) == 100.0
    assert built.convert(-1000.0, "GBP", "JPY", 5) == pytest.approx(-1000 * 1.26 * 151)  # through USD


def test_a_missing_conversion_is_an_error_never_one() -> None:
    with pytest.raises(ConfigError, match=r"profits in GBP .* add GBPUSD or USDGBP to the feed's symbols"):
        market({"EURGBP": 0.85}).convert(-1.0, "GBP", "USD", 1_000)
    assert market({"EURGBP": 0.85}, {"GBPUSD": 1.25}).convert(-1.0, "GBP", "USD", 1_000) == -1.25
    assert market({"EURGBP": 0.85}, {"USDGBP": 0.8}).convert(-1.0, "GBP", "USD", 1_000) == -1.25


def test_a_cross_without_a_quote_yet_is_an_error() -> None:
    facts = {symbol: INSTRUMENTS[symbol] for symbol in ("EURGBP", "GBPUSD")}
    built = Market(facts, {})
    built.begin(Slice(1, {"EURGBP": Quotes("EURGBP", np.array([1]), np.array([85_000]), np.array([85_010]))}))
    with pytest.raises(DataError, match="GBPUSD is needed to turn GBP into USD and has no quote yet"):
        built.convert(-1.0, "GBP", "USD", 1)
