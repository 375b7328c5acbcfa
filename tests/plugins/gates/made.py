"""Hand-made situations of gates: three accounts in two currencies, two symbols, any instant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from bitten.gate import GateContext, Situation, Verdict
from bitten.instants import instant
from bitten.ledger import Account, Ledger
from bitten.manager import Manager
from bitten.market import Market, MarketView
from bitten.model.dtypes import NO_PRICE, NS_PER_SECOND
from bitten.model.facts import Close, ExitPlan, Fill, Fire, Outcome, Signal
from bitten.model.quotes import Quotes, Slice
from tests.markets import instrument

NOON = instant("2024-04-09T12:00:00")
EURUSD, USDJPY = instrument(), instrument("USDJPY", digits=3, pip=0.01)
ACCOUNTS = (
    Account("small", balance=1_000.0),
    Account("large", balance=50_000.0),
    Account("euro", currency="EUR", balance=10_000.0),
)


def signal(**changes: Any) -> Signal:
    """A buy of EURUSD at 1.10000, stop 100 points below, target 300 above, ATR 40 points."""
    facts = Signal(
        id="s1", pattern="p", instrument=EURUSD, timeframe="M1", timeframe_ns=60 * NS_PER_SECOND, side=1, time=NOON,
        anchor=0, reference_points=110_000, stop_points=109_900, target_points=110_300, relative=False, confidence=85.0,
        expiry=0, plan=ExitPlan(), atr_points=40.0,
    )  # fmt: skip
    return replace(facts, **changes)


def sell(**changes: Any) -> Signal:
    """Its mirror."""
    return signal(**{"side": -1, "stop_points": 110_100, "target_points": 109_700, **changes})


def market(bid: float = 110_000, ask: float | None = None, at: int = NOON, until: int | None = None) -> Market:
    """One quote of EURUSD, 12 points wide unless told, at an instant; USDJPY stands at 150.000/150.010."""
    euro = Quotes("EURUSD", np.array([at]), np.array([bid]), np.array([bid + 12 if ask is None else ask]))
    yen = Quotes("USDJPY", np.array([at]), np.array([150_000]), np.array([150_010]))
    both = Market({"EURUSD": EURUSD, "USDJPY": USDJPY}, {})
    both.begin(Slice(max(at, until or at), {"EURUSD": euro, "USDJPY": yen}))
    return both


def situation(
    of: Signal | None = None, *facts: Any, of_market: Market | None = None, at: int | None = None,
    lots: Sequence[float] = (0.0, 0.0, 0.0), loss: Sequence[float] | None = None,
    accounts: Sequence[Account] = ACCOUNTS, ledger: Ledger | None = None,
) -> Situation:  # fmt: skip
    """What a gate is shown: at the signal's instant unless told, after these facts, with lots and losses per lot."""
    of = of or signal()
    ledger = ledger or Ledger(accounts)
    for fact in facts:
        ledger.apply(fact)
    view = MarketView(of_market or market(until=at), of.time if at is None else at)
    empty = Situation(of, view, ledger, np.zeros(len(ledger.ids)))
    return empty.resized(np.array(lots, np.float64), None if loss is None else np.array(loss, np.float64))


def fire(
    number: int, account: str, of: Signal | None = None, lots: float = 0.1, risk: float = 0.0, time: int = NOON
) -> Fire:
    """An order."""
    return Fire(f"f{number}", number, of or signal(), account, lots, time, risk=risk)


def filled(one: Fire, price: int = 110_000) -> Fill:
    """The order became a position."""
    return Fill(one, one.time, price, 0, 0)


def closed(one: Fire, profit: float, time: int) -> Close:
    """The position ended."""
    return Close(filled(one), time, 0, "target", profit, 0.0, 0.0, 0, 0)


def outcome(number: int, won: bool, at: int, pattern: str = "p", reason: str | None = None, **changes: Any) -> Outcome:
    """How a signal of a pattern ended: at its target or at its stop, a minute after its decision."""
    of = signal(**{"id": f"o{number}", "pattern": pattern, "time": at - 60 * NS_PER_SECOND, **changes})
    close = 110_300 if won else 109_900
    word = reason or ("target" if won else "stop")
    return Outcome(of, of.time, NO_PRICE if word == "expired" else 110_000, at, close, word, 109_900, 0, 0)


def gate(name: str, folder: Path | None = None, **config: Any) -> Any:
    """A bundled gate, configured as in bitten.toml."""
    kind = Manager().find("gates", name).load()
    return kind(msgspec.convert(config, kind.Config), GateContext(name=name, folder=folder or Path()))


def said(verdict: Verdict, row: int = 0) -> str:
    """The reason for one account."""
    measured, limit = (
        float(np.broadcast_to(value, verdict.passed.shape)[row]) for value in (verdict.measured, verdict.limit)
    )
    return verdict.reason.format(measured=measured, limit=limit, account="")
