"""The one loop body of live trading and replay: slice, bars, signals, shield, gates, executor, trackers.

Equal instants are settled in this order: quotes settle exits and fills, then bars close, signals, gates, orders; among
equals the configured order of patterns, then of symbols. An order fills at the first quote after its decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bitten.bars import BarBuilder
from bitten.chain import GateChain, Publish
from bitten.detectors import Detector
from bitten.errors import DataError
from bitten.executor import Executor, Report
from bitten.journal.memory import MemoryJournal
from bitten.ledger import Ledger
from bitten.manager import Manager
from bitten.market import Market
from bitten.model.dtypes import CLOSE_REASONS, CLOSED, FILLED, REJECTED, Records
from bitten.model.facts import Close, EquityPoint, Fill, Fire, Signal, Unfilled
from bitten.model.quotes import Quotes, Slice
from bitten.model.timeframe import timeframe_ns
from bitten.outcomes import Outcomes, excursions
from bitten.publisher import Publisher
from bitten.sizing import points_to_money
from bitten.tradingday import day_end, trading_day_of


@dataclass(slots=True)
class Counters:
    """What a run has seen, for summaries and notes."""

    quotes: int = 0
    first: int | None = None  # ns UTC of the first and last quote
    last: int | None = None
    over_rollover: int = 0  # positions held over 17:00 New York
    per_symbol: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of."""

    market: Market
    detectors: Mapping[str, Sequence[Detector]]  # by symbol, configured order
    executor: Executor
    ledger: Ledger
    journal: MemoryJournal
    manager: Manager


class Pipeline:
    """Takes slices, one after the other, and does everything that follows from them.

    Args:
        chain: makes the gate chain, given where decisions are published.
        commission_per_lot: account currency, per lot and side.
        equity_ns: the grid on which equity is recorded while positions are open.
        day: the clock on which days and long bars start.
    """

    def __init__(
        self,
        parts: Parts,
        chain: Callable[[Publish], GateChain],
        commission_per_lot: float,
        equity_ns: int,
        day: str = "UTC",
    ) -> None:
        self.parts = parts
        self.market, self.ledger, self.executor = parts.market, parts.ledger, parts.executor
        self.counters = Counters()
        self._commission = commission_per_lot
        self._equity_ns = equity_ns
        self._next_mark = 0
        self._day_start = self._day_end = 1 << 62
        self._horizon: int | None = None
        self._fires = 0
        self._waiting: dict[int, Fire] = {}
        self._open: dict[int, Fill] = {}
        self._symbol_order = {symbol: i for i, symbol in enumerate(self.market.instruments)}
        self._outcomes = Outcomes(self.market, {s: self.executor.fill_rules(s) for s in self.market.instruments})
        self._builders = {
            symbol: {name: BarBuilder(timeframe_ns(name), day) for d in detectors for name in d.timeframes}
            for symbol, detectors in parts.detectors.items()
        }
        self.observers: list[BarObserver] = []
        self.publisher = Publisher(parts.journal, parts.manager)
        self.chain = chain(self.publisher.publish)

    def step(self, piece: Slice) -> None:
        """Process one slice completely."""
        if self._horizon is not None and piece.horizon <= self._horizon:
            raise DataError(f"a feed's horizons must increase: {piece.horizon} after {self._horizon}")
        self._horizon = piece.horizon
        self._count(piece)
        self.market.begin(piece)
        self.executor.begin()
        self._outcomes.begin()
        for signal in self._detect(piece):
            self._settle(signal.time)
            self._decide(signal)
        self._settle(piece.horizon)
        for outcome in self._outcomes.advance(piece.horizon):
            self.publisher.publish(outcome)

    def finish(self) -> None:
        """The data has ended: positions close at the last quote, signals still followed are marked `end`."""
        if self._horizon is None:
            return
        self._apply(self.executor.finish())
        for outcome in self._outcomes.finish():
            self.publisher.publish(outcome)
        self._record_equity(self._horizon, range(len(self.ledger.ids)))

    def _count(self, piece: Slice) -> None:
        counters = self.counters
        for symbol, quotes in piece.quotes.items():
            if len(quotes):
                counters.quotes += len(quotes)
                counters.per_symbol[symbol] = counters.per_symbol.get(symbol, 0) + len(quotes)
                first, last = int(quotes.ts[0]), int(quotes.ts[-1])
                counters.first = first if counters.first is None else min(first, counters.first)
                counters.last = last if counters.last is None else max(last, counters.last)
        if self._next_mark == 0 and counters.first is not None:
            for row, account in enumerate(self.ledger.ids):
                balance = float(self.ledger.balance[row])
                self.publisher.publish(EquityPoint(counters.first, account, balance, balance, 0))
            self._next_mark = (counters.first // self._equity_ns + 1) * self._equity_ns
            self._day_start, self._day_end = counters.first - 1, day_end(counters.first)

    def _detect(self, piece: Slice) -> list[Signal]:
        """All signals of a slice in the order in which they are decided."""
        found: list[tuple[tuple[int, int, int, int], Signal]] = []
        for symbol, order in self._symbol_order.items():
            quotes = piece.quotes.get(symbol) or _no_quotes(symbol)
            bars = {name: builder.update(quotes) for name, builder in self._builders.get(symbol, {}).items()}
            for observer in self.observers:
                observer.bars(symbol, quotes, bars)
            for rank, detector in enumerate(self.parts.detectors.get(symbol, ())):
                signals, alerts = detector.scan(bars, quotes, piece.horizon)
                for alert in alerts:
                    self.publisher.publish(alert)
                found.extend(((s.time, detector.order, order, rank), s) for s in signals)
        found.sort(key=lambda item: item[0])
        return [signal for _, signal in found]

    def _decide(self, signal: Signal) -> None:
        self.publisher.publish(signal)
        self._outcomes.follow(signal)
        for row in np.flatnonzero(lots := self.chain.decide(signal)).tolist():
            account = self.ledger.ids[row]
            self._fires += 1
            fire = Fire(f"{signal.id}@{account}", self._fires, signal, account, float(lots[row]), signal.time)
            self.publisher.publish(fire)
            self.ledger.apply(fire)
            self._waiting[fire.number] = fire
            self.executor.place(fire)

    def _settle(self, until: int) -> None:
        """Let everything happen that happens up to an instant, recording equity on its grid and at each day's end."""
        while self._day_end <= until:
            self._advance(self._day_end)
            quotes = (self.market.quote(symbol, self._day_end) for symbol in self.market.instruments)
            if any(quote is not None and quote.time > self._day_start for quote in quotes):
                self._record_equity(self._day_end, range(len(self.ledger.ids)))
            self._day_start, self._day_end = self._day_end, day_end(self._day_end + 1)
        self._advance(until)

    def _advance(self, until: int) -> None:
        """Lead the executor to an instant, with a look at equity on its grid while anything is open."""
        while self._next_mark <= until:
            if not self._waiting and not self._open:  # nothing can move: skip to the first mark after `until`
                self._next_mark = (until // self._equity_ns + 1) * self._equity_ns
                break
            self._apply(self.executor.advance(self._next_mark))
            self._record_equity(self._next_mark, np.flatnonzero(self.ledger.open_positions).tolist())
            self._next_mark += self._equity_ns
        if self._waiting or self._open:
            self._apply(self.executor.advance(until))

    def _apply(self, reports: Sequence[Report]) -> None:
        for report in reports:
            if report.kind == FILLED:
                fire = self._waiting.pop(report.key)
                fill = Fill(fire, report.time, report.price, report.stop, report.target)
                self._open[report.key] = fill
                self.publisher.publish(fill)
                self.ledger.apply(fill)
            elif report.kind == CLOSED:
                close = self._close(self._open.pop(report.key), report)
                self.publisher.publish(close)
                row = self.ledger.apply(close)
                self._record_equity(report.time, [row])
            else:
                fire = self._waiting.pop(report.key)
                rejected = report.kind == REJECTED
                words = ("REJECTED", "invalid stops") if rejected else ("EXPIRED", "no quote in time")
                unfilled = Unfilled(fire, report.time, *words)
                self.publisher.publish(unfilled)
                self.ledger.apply(unfilled)

    def _close(self, fill: Fill, report: Report) -> Close:
        """Settle a position in money: points times tick value, rounded once."""
        fire = fill.fire
        signal, instrument = fire.signal, fire.signal.instrument
        points = signal.side * (report.price - fill.price_points)
        currency = self.ledger.currency(fire.account)
        money = points_to_money(points, fire.lots, instrument)
        gross = round(self.market.convert(money, instrument.quote, currency, report.time), 2)
        commission = round(-2 * self._commission * fire.lots, 2) + 0.0  # + 0.0 turns -0.0 into 0.0
        if trading_day_of(fill.time) != trading_day_of(report.time):
            self.counters.over_rollover += 1
        adverse, favourable = excursions(signal.side, fill.price_points, report)
        return Close(
            fill, report.time, report.price, CLOSE_REASONS[report.reason], gross, commission, 0.0, adverse, favourable
        )

    def _record_equity(self, time: int, rows: Sequence[int]) -> None:
        if rows:
            equity = self.ledger.equity(self.market, time)
            for row in rows:
                point = EquityPoint(
                    time,
                    self.ledger.ids[row],
                    float(self.ledger.balance[row]),
                    round(float(equity[row]), 2),
                    len(self.ledger.fills[row]),
                )
                self.publisher.publish(point)


class BarObserver:
    """Sees the bars of every slice, for instance to sketch candles for the report. It cannot influence anything."""

    def bars(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """The quotes of a slice and the bars they completed, by timeframe."""


def _no_quotes(symbol: str) -> Quotes:
    nothing = np.empty(0, np.int64)
    return Quotes(symbol, nothing, nothing, nothing)
