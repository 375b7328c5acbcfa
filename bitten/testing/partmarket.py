"""A random market with signals and accounts in it, through which a gate or a shield is led."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from bitten.bars import BarLadder
from bitten.gate import Part
from bitten.ledger import Account, Ledger
from bitten.market import Market, MarketView
from bitten.model.dtypes import NS_PER_SECOND, Floats, Ints
from bitten.model.facts import ExitPlan, Fire, Outcome, Signal
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes, Slice
from bitten.testing.markets import INSTRUMENT, random_quotes
from bitten.testing.trial import attempt

ACCOUNTS: Final = 5
TIMEFRAMES: Final = ("M1", "M5")
_QUOTES: Final = 8000  # an hour and a half
_DELAYS: Final = (0, 1, 60, 240)  # seconds from a signal to its decision: a person may answer late
_LIFE_NS: Final = 240 * NS_PER_SECOND  # after which a signal has met its fate

SYMBOL: Final = INSTRUMENT.symbol


@dataclass(frozen=True, slots=True)
class Question:
    """What a part is asked: one signal, and the accounts in some rows."""

    number: int
    signal: Signal
    view: MarketView
    ledger: Ledger
    lots: Floats
    loss: Floats  # account currency that one lot loses at the stop
    rows: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PartMarket:
    """Quotes of one symbol, and signals on it, by the time at which they are decided."""

    quotes: Quotes
    signals: Sequence[Signal]
    decided: Sequence[int]  # ns UTC, per signal: its own time, or later, when a person has answered
    accounts: Sequence[Account]
    lots: Sequence[Floats]  # per signal, per account
    loss: Sequence[Floats]  # likewise
    busy: Sequence[Sequence[int]]  # per signal: how many fires of each account have not ended

    @classmethod
    def random(cls, rng: np.random.Generator, signals: int) -> PartMarket:
        """One of many; equal generators make equal markets."""
        quotes = random_quotes(rng, _QUOTES)
        at = np.sort(rng.choice(np.arange(_QUOTES // 4, _QUOTES - 1), signals, replace=False)).tolist()
        accounts = [
            Account(f"a{i}", currency, float(rng.integers(100, 100_000)), int(rng.integers(1, 4)), 20.0, 80.0)
            for i, currency in zip(range(ACCOUNTS), itertools.cycle(("USD", "EUR")), strict=False)
        ]
        lots = [np.round(rng.integers(0, 100, ACCOUNTS) / 100, 2) for _ in at]
        loss = [rng.uniform(50.0, 500.0, ACCOUNTS) for _ in at]
        busy = [rng.integers(0, 4, ACCOUNTS).tolist() for _ in at]
        made = [random_signal(rng, quotes, index, number) for number, index in enumerate(at)]
        delays = (rng.choice(_DELAYS, len(at)) * NS_PER_SECOND).tolist()
        decided = [min(signal.time + delay, int(quotes.ts[-1])) for signal, delay in zip(made, delays, strict=True)]
        order = np.argsort(decided, kind="stable").tolist()
        return cls(quotes, [made[i] for i in order], [decided[i] for i in order], accounts, lots, loss, busy)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Of the only symbol."""
        return {SYMBOL: INSTRUMENT}

    @property
    def instants(self) -> Ints:
        """Every instant at which a quote comes."""
        return np.unique(self.quotes.ts)

    @property
    def end(self) -> int:
        """The last instant."""
        return int(self.quotes.ts[-1])

    def prompt(self) -> PartMarket:
        """The same market, each signal decided at its own instant."""
        signals = sorted(self.signals, key=lambda signal: signal.time)
        return dataclasses.replace(self, signals=signals, decided=[signal.time for signal in signals])

    def quoted(self) -> Market:
        """Its quotes as one slice."""
        market = Market(self.instruments, {})
        market.begin(Slice(self.end, {SYMBOL: self.quotes}))
        return market

    def until(self, instant: int) -> PartMarket:
        """The same market, ended; signals that are decided after it never are."""
        early = self.quotes.ts <= instant
        quotes = Quotes(SYMBOL, self.quotes.ts[early], self.quotes.bid[early], self.quotes.ask[early])
        count = sum(time <= instant for time in self.decided)
        return dataclasses.replace(self, quotes=quotes, signals=self.signals[:count], decided=self.decided[:count])

    def poisoned(self, instant: int, rng: np.random.Generator) -> PartMarket:
        """The same market with random prices and spreads after an instant."""
        late = self.quotes.ts > instant
        bid, ask = self.quotes.bid.copy(), self.quotes.ask.copy()
        bid[late] = rng.integers(50_000, 200_000, int(late.sum()))
        ask[late] = bid[late] + rng.integers(0, 500, int(late.sum()))
        return dataclasses.replace(self, quotes=Quotes(SYMBOL, self.quotes.ts, bid, ask))

    def lead(
        self,
        part: Part,
        ask: Callable[[Part, Question], Any],
        cuts: Iterable[int],
        *,
        often: int = 1,
        rows: tuple[int, ...] = tuple(range(ACCOUNTS)),
    ) -> list[Any]:
        """What a part answers to each signal, where the market is cut at these instants."""
        market, ladder = Market(self.instruments, {}), BarLadder(TIMEFRAMES)
        answers: list[Any] = []
        after, told, woken = -(1 << 62), 0, int(self.quotes.ts[0])
        for until in cuts:
            low, high = np.searchsorted(self.quotes.ts, [after, until], "right")
            quotes = Quotes(SYMBOL, self.quotes.ts[low:high], self.quotes.bid[low:high], self.quotes.ask[low:high])
            market.begin(Slice(until, {SYMBOL: quotes}))
            bars = ladder.update(quotes)
            attempt(lambda: part.observe(SYMBOL, quotes, bars), "observe raised")  # noqa: B023  # called at once
            for number, time in enumerate(self.decided):
                if not after < time <= until:
                    continue
                question = self._question(number, market, rows)
                told = self._tell(part, told, time)
                woken = _wake(part, question, woken)
                answers += [ask(part, question) for _ in range(often)]
            after = until
        return answers

    def _question(self, number: int, market: Market, rows: tuple[int, ...]) -> Question:
        signal = self.signals[number]
        ledger = _ledger([self.accounts[row] for row in rows], [self.busy[number][row] for row in rows], signal)
        lots, loss = self.lots[number][list(rows)], self.loss[number][list(rows)]
        return Question(number, signal, MarketView(market, self.decided[number]), ledger, lots, loss, rows)

    def _tell(self, part: Part, told: int, now: int) -> int:
        """Let the part learn the outcomes that are known by now; how many it has been told."""
        by_time = sorted(self.signals, key=lambda signal: signal.time)
        while told < len(by_time) and by_time[told].time + _LIFE_NS <= now:
            outcome = _outcome(by_time[told])
            attempt(lambda: part.learn(outcome), "learn raised")  # noqa: B023  # called at once
            told += 1
        return told


def _wake(part: Part, question: Question, woken: int) -> int:
    """Call `mark` at every instant up to now that the part names, a few at most; the last instant it was told."""
    now = question.view.now
    for _ in range(100):
        wanted = attempt(lambda: part.wake(woken), "wake raised")  # noqa: B023  # called at once
        if not woken < wanted <= now:
            break
        woken = wanted
    else:
        return now
    if woken <= now:
        attempt(lambda: part.mark(question.view, question.ledger), "mark raised")
    return now


def random_signal(rng: np.random.Generator, quotes: Quotes, at: int, number: int) -> Signal:
    """A signal at a quote, with a stop and a target on either side of it."""
    side = int(rng.choice([-1, 1]))
    bid = int(quotes.bid[at])
    return Signal(
        id=f"signal-{number}",
        pattern="random",
        instrument=INSTRUMENT,
        timeframe="M1",
        timeframe_ns=60 * NS_PER_SECOND,
        side=side,
        time=int(quotes.ts[at]),
        anchor=number,
        reference_points=bid,
        stop_points=bid - side * int(rng.integers(20, 200)),
        target_points=bid + side * int(rng.integers(20, 200)),
        relative=False,
        confidence=float(rng.integers(0, 1001)) / 10,
        expiry=0,
        plan=ExitPlan(),
        atr_points=float(rng.integers(10, 200)),
    )


def _outcome(signal: Signal) -> Outcome:
    """Its target if its number is even, else its stop."""
    won = int(signal.id.rpartition("-")[2]) % 2 == 0
    level = signal.target_points if won else signal.stop_points
    opened, closed = signal.time + NS_PER_SECOND, signal.time + _LIFE_NS
    reason = "target" if won else "stop"
    return Outcome(signal, opened, signal.reference_points, closed, level, reason, signal.stop_points, 10, 10)


def _ledger(accounts: Sequence[Account], busy: Sequence[int], signal: Signal) -> Ledger:
    """Accounts of which each has some fires that have not ended; half of them are on the signal's symbol."""
    pound = dataclasses.replace(INSTRUMENT, symbol="GBPUSD", base="GBP")
    other = msgspec.structs.replace(signal, instrument=pound)
    ledger = Ledger(accounts)
    for row, account in enumerate(accounts):
        for i in range(busy[row]):
            fired = msgspec.structs.replace(signal if i % 2 else other, id=f"earlier-{row}-{i}")
            name, risk = f"{account.id}-{i}", account.balance / 25
            ledger.apply(Fire(name, 10 * row + i, fired, account.id, 0.1, signal.time - 1, risk=risk))
    return ledger
