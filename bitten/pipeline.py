"""The one loop body of live trading and replay: slice, bars, signals, shield, gates, executor, trackers.

Equal instants are settled in this order: quotes settle exits and fills, then bars close, signals, gates, orders; among
equals the configured order of patterns, then of symbols. An order fills at the first quote after its decision.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bitten.chain import Approved, GateChain
from bitten.detection import Detection, Found
from bitten.detectors import Detector
from bitten.equity import EquityLog
from bitten.executor import Executor, Report
from bitten.fates import Outcomes, excursions
from bitten.journal.memory import MemoryJournal
from bitten.ledger import AUTO, Ledger
from bitten.manager import Manager
from bitten.market import Market
from bitten.missions import ACCEPTED, Desk
from bitten.model.dtypes import AT_END, CLOSE_REASONS, CLOSED, FILLED, REJECTED
from bitten.model.facts import Alert, Close, Fill, Fire, Mission, Outcome, Signal, Unfilled
from bitten.model.quotes import Slice
from bitten.publisher import Publisher
from bitten.sizing import currency_digits, points_to_money, rounded
from bitten.tradingday import day_end, trading_day_of


@dataclass(slots=True)
class Counters:
    """What a run has seen, for summaries and notes."""

    quotes: int = 0
    first: int | None = None  # ns UTC of the first and last quote
    last: int | None = None
    over_rollover: int = 0  # positions held over 17:00 New York
    leverage: float = 0.0  # value of the largest position over its account's balance at the fill
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
    desk: Desk


class Pipeline:
    """Takes slices, one after the other, and does everything that follows from them.

    Facts are published in the order in which they happen, however the input was cut.

    Args:
        chain: makes the gate chain, given where decisions are published.
        commission_per_lot: account currency, per lot and side.
        equity_ns: the grid on which equity is recorded while positions are open.
        day: the clock on which days and long bars start.
    """

    def __init__(
        self,
        parts: Parts,
        chain: Callable[[Publisher], GateChain],
        commission_per_lot: float,
        equity_ns: int,
        day: str = "UTC",
    ) -> None:
        self.parts = parts
        self.market, self.ledger, self.executor = parts.market, parts.ledger, parts.executor
        self.counters = Counters()
        self.publisher = Publisher(parts.journal, parts.manager, parts.ledger.ids)
        self.chain = chain(self.publisher)
        self._commission = commission_per_lot
        rules = {symbol: self.executor.fill_rules(symbol) for symbol in self.market.instruments}
        self.detection = Detection(parts.detectors, rules, day)
        self.detection.observers.append(self.chain)
        self._auto = np.flatnonzero(parts.ledger.mode == AUTO)
        self._manual = np.flatnonzero(parts.ledger.mode != AUTO).tolist()
        self._outcomes = Outcomes()
        self._fates: deque[Outcome] = deque()  # of the current slice, not yet told
        self._equity_ns = equity_ns
        self._next_mark = 0
        self._day_start = self._day_end = 1 << 62
        self._horizon = -(1 << 62)
        self._fires = 0
        self._waiting: dict[int, Fire] = {}
        self._open: dict[int, Fill] = {}
        self._equity = EquityLog(self.ledger, self.market, parts.journal)

    def step(self, piece: Slice) -> None:
        """Process one slice completely."""
        self.decide(self.detection.look(piece))

    def decide(self, found: Found) -> None:
        """The second half: everything that follows from what a slice holds."""
        piece = found.piece
        self._count(piece)
        self.market.begin(piece)
        self.executor.begin(found.foreseen)
        self._fates.extend(self._outcomes.of(found.foreseen))
        self.chain.screen([item for item in found.items if isinstance(item, Signal)], self._auto)
        for item in found.items:
            if isinstance(item, Alert):
                self.publisher.publish(item)
            else:
                self._hear_answers(item.time - 1)  # those of this instant come after its signals
                self._settle(item.time)
                self._offer(item)
        self._hear_answers(piece.horizon)
        self._settle(piece.horizon)
        self._equity.write()

    def finish(self) -> None:
        """The data has ended: positions close at the last quote, signals still followed are marked `end`."""
        if self.counters.first is None:
            return
        self._equity.forget()  # what follows happens at the same instant, and counts
        foreseen = self.detection.finish()
        self.executor.begin(foreseen)
        for answer in self.parts.desk.unanswered(self._horizon):
            self.publisher.publish(answer)
        # closes count at the end of the data, together: what waited has ended before
        self._apply(sorted(self.executor.finish(), key=lambda report: report.kind == CLOSED), self._horizon)
        for outcome in self._outcomes.of(foreseen):
            self.publisher.publish(outcome)
            self.chain.learn(outcome)
        self._equity.note(self._horizon, range(len(self.ledger.ids)))
        self._equity.write()

    def _count(self, piece: Slice) -> None:
        counters, starts = self.counters, []
        for symbol, quotes in piece.quotes.items():
            if len(quotes):
                starts.append(int(quotes.ts[0]))
                counters.quotes += len(quotes)
                counters.per_symbol[symbol] = counters.per_symbol.get(symbol, 0) + len(quotes)
                counters.last = max(counters.last or 0, int(quotes.ts[-1]))
        self._horizon = piece.horizon
        if counters.first is None and starts:
            self._open_books(min(starts))

    def _open_books(self, first: int) -> None:
        """The first quote has come: record every account's start."""
        self.counters.first = first
        self._equity.note(first, range(len(self.ledger.ids)))
        self._next_mark = (first // self._equity_ns + 1) * self._equity_ns
        self._day_start, self._day_end = first - 1, day_end(first)
        self.chain.start(first)

    def _offer(self, signal: Signal) -> None:
        """A signal becomes one mission per account; AUTO accounts accept at once."""
        self.publisher.publish(signal)
        ids, expiry = self.ledger.ids, self.parts.desk.expiry(signal)
        if self._auto.size:
            self.publisher.missions(signal, signal.time, expiry, [ids[row] for row in self._auto.tolist()])
            self._fire(signal, signal.time, self.chain.decide(signal, signal.time, self._auto))
        for row in self._manual:
            mission = Mission(f"{signal.id}@{ids[row]}", signal, ids[row], "manual", signal.time, expiry)
            self.publisher.publish(mission)
            self.parts.desk.offer(mission)

    def _hear_answers(self, until: int) -> None:
        """Everything that people say of missions up to an instant: what they accept passes the gates as it is then."""
        desk = self.parts.desk
        while (due := desk.next_due()) is not None and due <= until:
            self._settle(due)
            answers = desk.due()
            for answer in answers:
                self.publisher.publish(answer)
            rows = [self.ledger.row(one.mission.account) for one in answers if one.answer == ACCEPTED]
            if rows:
                signal = answers[0].mission.signal
                self._fire(signal, due, self.chain.decide(signal, due, np.array(sorted(rows), np.int64)))

    def _fire(self, signal: Signal, time: int, approved: Approved) -> None:
        """Order for every account that the chain has approved."""
        if not approved.rows.size:
            return
        shared = {name: float(v) for name, v in approved.sizing.items() if not isinstance(v, np.ndarray)}
        columns = {name: v for name, v in approved.sizing.items() if isinstance(v, np.ndarray)}
        quote = self.market.quote(signal.symbol, time)
        price = 0.0 if quote is None else signal.instrument.price(quote.ask if signal.side > 0 else quote.bid)
        triples = zip(approved.rows.tolist(), approved.lots.tolist(), approved.risk.tolist(), strict=True)
        for row, lots, risk in triples:
            account = self.ledger.ids[row]
            self._fires += 1
            sizing = shared | {name: float(column[row]) for name, column in columns.items()}
            name = f"{signal.id}@{account}"
            fire = Fire(name, self._fires, signal, account, lots, time, price, rounded(risk, 2), sizing)
            self.publisher.publish(fire)
            self.ledger.apply(fire)
            self._waiting[fire.number] = fire
            self.executor.place(fire)

    def _settle(self, until: int) -> None:
        """Let everything happen that happens up to an instant, recording equity on its grid and at each day's end."""
        while (moment := min(self._day_end, self.chain.next_wake)) <= until:
            self._advance(moment)
            if moment == self._day_end:
                self._end_day()
            if moment == self.chain.next_wake:
                self.chain.wake(moment)
        self._advance(until)

    def _end_day(self) -> None:
        quotes = (self.market.quote(symbol, self._day_end) for symbol in self.market.instruments)
        if any(quote is not None and quote.time > self._day_start for quote in quotes):
            self._note(self._day_end, range(len(self.ledger.ids)))
        self._day_start, self._day_end = self._day_end, day_end(self._day_end + 1)

    def _note(self, time: int, rows: Iterable[int]) -> None:
        """Record equity, and let those who watch it look."""
        self._equity.note(time, rows)
        self.chain.watch(time)

    def _advance(self, until: int) -> None:
        """Lead the executor to an instant, with a look at equity on its grid while anything is open."""
        while self._next_mark <= until:
            if not self._waiting and not self._open:  # nothing can move: skip to the first mark after `until`
                self._next_mark = (until // self._equity_ns + 1) * self._equity_ns
                break
            self._apply(self.executor.advance(self._next_mark), self._next_mark)
            if rows := self.ledger.open_rows:  # a position may have closed on the way
                self._note(self._next_mark, rows)
            self._next_mark += self._equity_ns
        self._apply(self.executor.advance(until) if self._waiting or self._open else (), until)

    def _apply(self, reports: Sequence[Report], until: int) -> None:
        """Turn what the executor reports into facts, and tell the signals' fates between them, by time."""
        closed: set[int] = set()
        for position, report in enumerate(reports):
            self._tell_fates(report.time - 1)
            row = self._happened(report)
            if report.kind == CLOSED:
                closed.add(row)
            moment = self._moment(report)
            last = position + 1 == len(reports) or self._moment(reports[position + 1]) != moment
            if closed and last:  # one row per instant, after everything that happened at it
                self._note(moment, sorted(closed))
                closed.clear()
        self._tell_fates(until)

    def _tell_fates(self, until: int) -> None:
        while self._fates and self._fates[0].close_time <= until:
            outcome = self._fates.popleft()
            self.publisher.publish(outcome)
            self.chain.learn(outcome)
            self.parts.desk.over(outcome.signal.id)

    def _happened(self, report: Report) -> int:
        """Publish and book one report; the row of its account."""
        fact: Fill | Close | Unfilled
        if report.kind == FILLED:
            fire = self._waiting.pop(report.key)
            fact = Fill(fire, report.time, report.price, report.stop, report.target)
            self._open[report.key] = fact
            self._weigh(fact)
        elif report.kind == CLOSED:
            fact = self._close(self._open.pop(report.key), report)
        else:
            words = ("REJECTED", "invalid stops") if report.kind == REJECTED else ("EXPIRED", "no quote in time")
            fact = Unfilled(self._waiting.pop(report.key), report.time, *words)
        self.publisher.publish(fact)
        return self.ledger.apply(fact)

    def _weigh(self, fill: Fill) -> None:
        """Keep the largest position in multiples of its account's balance: margin is not modelled, so it is told."""
        fire = fill.fire
        instrument, row = fire.signal.instrument, self.ledger.row(fire.account)
        money = points_to_money(fill.price_points, fire.lots, instrument)
        value = self.market.convert(money, instrument.quote, self.ledger.currencies[row], fill.time)
        balance = float(self.ledger.balance[row])
        if balance > 0:
            self.counters.leverage = max(self.counters.leverage, value / balance)

    def _moment(self, report: Report) -> int:
        """When a report counts: at the end of the data a symbol's last quote may lie far back."""
        return self._horizon if report.reason == AT_END else report.time

    def _close(self, fill: Fill, report: Report) -> Close:
        """Settle a position in money: points times tick value, rounded once."""
        fire = fill.fire
        signal, instrument = fire.signal, fire.signal.instrument
        points = signal.side * (report.price - fill.price_points)
        currency = self.ledger.currency(fire.account)
        digits = currency_digits(currency)
        money = points_to_money(points, fire.lots, instrument)
        gross = rounded(self.market.convert(money, instrument.quote, currency, self._moment(report)), digits)
        commission = rounded(-2 * self._commission * fire.lots, digits) + 0.0  # + 0.0 turns -0.0 into 0.0
        if trading_day_of(fill.time) != trading_day_of(report.time):
            self.counters.over_rollover += 1
        adverse, favourable = excursions(signal.side, fill.price_points, report)
        reason = CLOSE_REASONS[report.reason]
        return Close(fill, report.time, report.price, reason, gross, commission, 0.0, adverse, favourable)
