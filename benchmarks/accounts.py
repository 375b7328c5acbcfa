"""Many accounts: how long a signal takes through the whole chain for a table of 5,000, and which gate takes how much.

    python -m benchmarks.accounts [--accounts 5_000] [--signals 400]

The accounts have four currencies, three tiers, AUTO and MANUAL modes, and some thousands of open positions on three
symbols; signals come one after the other at new quotes, so that nothing is remembered from the one before. A decision
is what `GateChain.decide` does: every gate and shield, all answers checked, with and without the journal.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from rich.console import Console

from benchmarks.report import CLOCK, Sheet, conclude, json_option, machine, print_machine, quick_option
from bitten.chain import GateChain, Step
from bitten.gate import GateContext, Shield
from bitten.journal.decisions import Answers
from bitten.journal.memory import MemoryJournal
from bitten.ledger import Account, Ledger
from bitten.manager import Manager
from bitten.market import Market
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND, Ints, Records
from bitten.model.facts import ExitPlan, Fill, Fire, Signal, Unfilled
from bitten.model.instruments import load_instruments
from bitten.model.quotes import Quotes, Slice
from bitten.publisher import Publisher
from bitten.testing import random_bars

SYMBOLS: Final = ("EURUSD", "USDJPY", "XAUUSD", "GBPUSD")
PRICES: Final = {"EURUSD": 1.1, "USDJPY": 150.0, "XAUUSD": 2300.0, "GBPUSD": 1.25}
CURRENCIES: Final = ("USD", "EUR", "GBP", "JPY")
TIERS: Final = (("basic", 3, 0.5), ("plus", 6, 1.0), ("pro", 10, 1.5))
WHOLE: Final = "whole chain"
ITSELF: Final = "the chain itself: checks, who is left"
START: Final = 1_712_664_000 * NS_PER_SECOND
STEP: Final = 20 * NS_PER_SECOND  # between signals
CHAIN: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("kill_switch", {}), ("data_validity", {}), ("duplicate", {"cooldown_minutes": 1}), ("age_drift", {}),
    ("elimination", {}), ("band", {"low": 0.0}), ("citadel", {}), ("price_collar", {}), ("slots", {}), ("risk", {}),
    ("open_risk", {"resize": True}), ("exposure", {}), ("order_rate", {"signals_per_minute": 1000}), ("max_volume", {}),
    ("loss_stop", {}), ("prop_firm", {}),
)  # fmt: skip


def make_accounts(rng: np.random.Generator, count: int) -> list[Account]:
    """A table as an operator might have it."""
    accounts = []
    for i in range(count):
        tier, slots, multiplier = TIERS[int(rng.choice(3, p=[0.6, 0.3, 0.1]))]
        currency = CURRENCIES[int(rng.choice(4, p=[0.5, 0.3, 0.15, 0.05]))]
        balance = round(float(rng.lognormal(9.0, 1.0)) * (150.0 if currency == "JPY" else 1.0), 2)
        mode = "auto" if rng.random() < 0.8 else "manual"
        accounts.append(Account(f"user{i:05d}", currency, balance, slots, risk_percent=1.0, mode=mode, tier=tier,
                                risk_multiplier=multiplier))  # fmt: skip
    return accounts


def make_market(rng: np.random.Generator, signals: int) -> Market:
    """A quote of every symbol at every signal's instant."""
    instruments = load_instruments()
    market = Market({symbol: instruments[symbol] for symbol in SYMBOLS}, {})
    ts = START + np.arange(signals + 1) * STEP
    quotes = {}
    for symbol in SYMBOLS:
        bid = instruments[symbol].points(PRICES[symbol]) + np.cumsum(rng.integers(-3, 4, ts.size))
        quotes[symbol] = Quotes(symbol, ts, bid, bid + instruments[symbol].default_spread)
    market.begin(Slice(int(ts[-1]), quotes))
    return market


def make_signal(rng: np.random.Generator, market: Market, number: int, time: int) -> Signal:
    """Stop and target some spreads away from the last quote."""
    symbol = SYMBOLS[number % 3]
    quote = market.quote(symbol, time)
    assert quote is not None  # every symbol has one at every signal's instant
    spread, side = quote.ask - quote.bid, int(rng.choice([-1, 1]))
    return Signal(
        id=f"s{number}", pattern=f"pattern{number % 6}", instrument=market.instruments[symbol], timeframe="M1",
        timeframe_ns=NS_PER_MINUTE, side=side, time=time, anchor=number, reference_points=quote.bid,
        stop_points=quote.bid - side * 12 * spread, target_points=quote.bid + side * 20 * spread, relative=False,
        confidence=float(rng.uniform(60, 95)), expiry=0, plan=ExitPlan(), atr_points=6.0 * spread,
    )  # fmt: skip


def open_positions(rng: np.random.Generator, ledger: Ledger, market: Market) -> int:
    """Every account holds none to three positions; how many there are."""
    signals = [make_signal(rng, market, i, START) for i in range(12)]
    number = 0
    for account in ledger.accounts:
        for _ in range(int(rng.integers(0, 4))):
            signal = signals[int(rng.integers(12))]
            number += 1
            fire = Fire(f"f{number}", number, signal, account.id, 0.1, START - 120 * NS_PER_MINUTE, risk=20.0)
            ledger.apply(fire)
            ledger.apply(Fill(fire, START, signal.reference_points, signal.stop_points, signal.target_points))
    return number


def fire_for_an_hour(rng: np.random.Generator, ledger: Ledger, market: Market) -> int:
    """Twenty signals of the last hour were fired by half of the accounts each, and have ended; how many fires."""
    number = 1_000_000
    for i in range(20):
        signal = make_signal(rng, market, 100 + i, START)
        for row in np.flatnonzero(rng.random(len(ledger.ids)) < 0.5).tolist():
            number += 1
            time = START - (20 - i) * NS_PER_MINUTE
            fire = Fire(f"f{number}", number, signal, ledger.ids[row], 0.1, time, risk=20.0)
            ledger.apply(fire)
            ledger.apply(Unfilled(fire, time + 1, "REJECTED", "requote"))
    return number - 1_000_000


class Timed:
    """A gate or shield whose answers are timed."""

    def __init__(self, part: Any, method: str) -> None:
        self.taken = 0.0
        self._answer = getattr(part, method)
        setattr(part, method, self)

    def __call__(self, *arguments: Any) -> Any:
        """The part's own answer."""
        start = CLOCK.elapsed()
        try:
            return self._answer(*arguments)
        finally:
            self.taken += CLOCK.elapsed() - start


class Deaf(MemoryJournal):
    """A journal that keeps nothing, so that the decisions are measured alone."""

    def decisions(self, signal: str, time: int, answers: Sequence[Answers]) -> None:
        """Forgotten."""


JOURNALS: Final[dict[str, Callable[[Sequence[str]], MemoryJournal]]] = {
    "nothing": Deaf,
    "refusals": lambda ids: MemoryJournal(ids, everything=False),
    "everything": MemoryJournal,
}
"""What is kept of the decisions; a table of thousands keeps refusals (`decisions = "refused"`)."""


def make_chain(ledger: Ledger, market: Market, journal: MemoryJournal) -> GateChain:
    """The whole chain, as far as its parts are installed."""
    manager = Manager()
    known = {**manager.registry("gates"), **manager.registry("shields")}
    steps = []
    for name, config in CHAIN:
        if name in known:
            kind = known[name].load()
            context = GateContext(name=name, instruments=market.instruments)
            steps.append(Step(name, kind(kind.Config(**config), context)))
    chain = GateChain(steps, ledger, market, Publisher(journal, manager, ledger.ids))
    for i, (symbol, quotes) in enumerate(make_quotes(market).items()):
        chain.observe(symbol, quotes, {"M1": bars_before(np.random.default_rng(i), quotes)})
    return chain


def make_quotes(market: Market) -> dict[str, Quotes]:
    """The slice that is in the market, as shields are shown it."""
    found = {}
    for symbol in SYMBOLS:
        path = market.path(symbol)
        assert path is not None
        found[symbol] = Quotes(symbol, path.ts, path.bid, path.ask)
    return found


def bars_before(rng: np.random.Generator, quotes: Quotes) -> Records:
    """A day of bars that leads to the first quote: a shield that knows nothing lets nothing pass."""
    spread = int(quotes.ask[0] - quotes.bid[0])
    bars = random_bars(rng, 1440, price=int(quotes.bid[0]), volatility=4.0 * spread, spread=spread, gaps=0.0)
    for name in ("open", "high", "low", "close"):
        bars[name] += int(quotes.bid[0]) - int(bars["close"][-1])
    shift = START - int(bars["known"][-1])
    bars["time"] += shift
    bars["known"] += shift
    return bars


def decide_all(chain: GateChain, signals: Sequence[Signal], rows: Ints) -> tuple[list[float], int]:
    """Seconds of each decision, and fires approved in all."""
    times, approved = [], 0
    for signal in signals:
        start = CLOCK.elapsed()
        found = chain.decide(signal, signal.time, rows)
        times.append(CLOCK.elapsed() - start)
        approved += found.rows.size
    return times, approved


def measure(accounts: int, count: int) -> dict[str, Any]:
    """Decisions for all accounts, with one journal after the other; then once more, part by part."""
    rng = np.random.default_rng(5)
    market = make_market(rng, count)
    ledger = Ledger(make_accounts(rng, accounts))
    positions, fires = open_positions(rng, ledger, market), fire_for_an_hour(rng, ledger, market)
    signals = [make_signal(rng, market, i, START + (i + 1) * STEP) for i in range(count)]
    figures: dict[str, Any] = {"accounts": accounts, "positions": positions, "fires": fires, "signals": count}
    figures["decisions"] = {}
    everybody = np.arange(accounts)
    for kept, make in JOURNALS.items():
        decide_all(make_chain(ledger, market, make(ledger.ids)), signals[:10], everybody)
        times, approved = decide_all(make_chain(ledger, market, make(ledger.ids)), signals, everybody)
        figures["decisions"][kept] = {"seconds": times, "approved": approved}
    chain = make_chain(ledger, market, Deaf(ledger.ids))
    timed = {
        step.name: Timed(step.part, "score" if isinstance(step.part, Shield) else "decide") for step in chain.steps
    }
    times, _ = decide_all(chain, signals, everybody)
    figures["parts"] = {name: one.taken / count for name, one in timed.items()}
    silent = [name for name, one in figures["parts"].items() if one == 0]
    if silent:
        raise SystemExit(f"{', '.join(silent)} were never asked: this is no measurement of the whole chain")
    figures["parts"][ITSELF] = sum(times) / count - sum(figures["parts"].values())
    return figures


def worst_of_hundred(seconds: Sequence[float]) -> float:
    """The 99th percentile."""
    return float(np.percentile(seconds, 99))


def sheets(figures: dict[str, Any]) -> list[Sheet]:
    """Decisions, and the share of every part."""
    title = (
        f"A signal through the whole chain: {figures['accounts']:,} accounts, {figures['positions']:,} open positions, "
        f"{figures['fires']:,} fires in the hour before"
    )
    rows = [
        [
            kept, str(len(one["seconds"])), f"{one['approved'] / len(one['seconds']):,.0f}",
            *(f"{1000 * ms:.2f}" for ms in (statistics.median(one["seconds"]), worst_of_hundred(one["seconds"]))),
        ]
        for kept, one in figures["decisions"].items()
    ]  # fmt: skip
    head = ("kept in the journal", "signals", "fires per signal", "median ms", "99 % ms")
    whole = sum(figures["parts"].values())
    shares = [[name, f"{1e6 * one:,.0f}", f"{100 * one / whole:.0f} %"] for name, one in figures["parts"].items()]
    shares.append([WHOLE, f"{1e6 * whole:,.0f}", "100 %"])
    return [
        Sheet(title, head, rows),
        Sheet("The same, part by part, nothing kept", ("part", "µs per signal, mean", "share"), shares),
    ]


@click.command()
@click.option("--accounts", default=5_000, show_default=True)
@click.option("--signals", default=400, show_default=True)
@quick_option
@json_option
def main(accounts: int, signals: int, quick: bool, to: Path | None) -> None:
    """Measure and print."""
    accounts, signals = (500, 40) if quick else (accounts, signals)
    console = Console(width=130)
    facts = machine()
    print_machine(console)
    figures = {"machine": facts, **measure(accounts, signals)}
    conclude(console, figures, sheets(figures), to)


if __name__ == "__main__":
    sys.exit(main())
