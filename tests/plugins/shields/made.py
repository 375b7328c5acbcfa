"""Hand-made markets, signals and bars for tests of shields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from bitten.gate import GateContext
from bitten.instants import instant
from bitten.manager import Manager
from bitten.market import Market, MarketView
from bitten.model.dtypes import BAR, NS_PER_MINUTE, NS_PER_SECOND, Records
from bitten.model.facts import ExitPlan, Outcome, Signal
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes, Slice
from tests.markets import instrument

CALM = instant("2024-04-10T13:30")  # a Wednesday, London and New York are open
EURUSD = instrument()


def shield(name: str, instruments: Mapping[str, Instrument] | None = None, folder: Any = None, **config: Any) -> Any:
    kind = Manager().find("shields", name).load()
    facts = {"EURUSD": EURUSD} if instruments is None else instruments
    context = GateContext(name=name, instruments=facts, **({} if folder is None else {"folder": folder}))
    return kind(kind.Config(**config), context)


def signal(side: int = 1, time: int = CALM, **changes: Any) -> Signal:
    """Stop 100 points away, target 200."""
    facts = Signal(
        id="s1", pattern="p", instrument=EURUSD, timeframe="M1", timeframe_ns=NS_PER_MINUTE, side=side, time=time,
        anchor=0, reference_points=110_000, stop_points=110_000 - side * 100, target_points=110_000 + side * 200,
        relative=False, confidence=70.0, expiry=0, plan=ExitPlan(), atr_points=40.0,
    )  # fmt: skip
    return replace(facts, **changes)


def bars(closes: Sequence[int], end: int = CALM, spread: int = 8, half: int = 20, minutes: int = 1) -> Records:
    """Bars that open at the close before, reach `half` beyond both, and are known at their end, the last at `end`."""
    made = np.zeros(len(closes), BAR)
    period = minutes * NS_PER_MINUTE
    made["known"] = end - np.arange(len(closes))[::-1] * period
    made["time"] = made["known"] - period
    made["close"] = closes
    made["open"] = np.concatenate([made["close"][:1], made["close"][:-1]])
    made["high"] = np.maximum(made["open"], made["close"]) + half
    made["low"] = np.minimum(made["open"], made["close"]) - half
    made["quotes"] = made["ticks"] = 10
    made["spread_sum"] = 10 * spread
    return made


def flat(count: int = 80, price: int = 110_000) -> list[int]:
    return [price] * count


def quotes(
    bid: int = 110_000, spread: int = 8, now: int = CALM, age: float = 0.0, count: int = 600, symbol: str = "EURUSD"
) -> Quotes:
    """Quotes a second apart that end so many seconds before an instant."""
    ts = now - round(age * NS_PER_SECOND) - np.arange(count)[::-1] * NS_PER_SECOND
    return Quotes(symbol, ts, np.full(count, bid), np.full(count, bid + spread))


def view(of: Quotes, now: int = CALM, facts: Instrument = EURUSD) -> MarketView:
    market = Market({of.symbol: facts}, {})
    market.begin(Slice(max(now, int(of.ts[-1])), {of.symbol: of}))
    return MarketView(market, now)


def outcome(of: Signal, won: bool, reason: str = "target", close_time: int = 0) -> Outcome:
    close = of.reference_points + of.side * (50 if won else -50)
    return Outcome(of, of.time, of.reference_points, close_time, close, reason, of.stop_points, 0, 0)
