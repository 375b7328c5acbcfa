"""The fate of every signal, fired or refused: followed by quotes to its own stop, target or time stop.

Orders of this size move no price. What an order of a signal would meet is therefore known as soon as its quotes are,
whoever fires it and however many do: one kernel call per slice and symbol follows all signals, and the simulated
executor only picks what happens to those that were fired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from bitten.executor import BOTH, ORDER, OUTCOME, Foreseen, Report
from bitten.kernels.blocks import BLOCK, FAR, block_extremes
from bitten.kernels.exits import FillRules, Path, advance, widen
from bitten.market import quotes_path
from bitten.model.dtypes import (
    AT_END,
    CLOSE_REASONS,
    CLOSED,
    EVENT,
    EXPIRED,
    FILLED,
    NO_PRICE,
    REJECTED,
    TICKET,
    WATCH,
    Ints,
    Records,
)
from bitten.model.facts import ExitPlan, Outcome, Signal
from bitten.model.quotes import Slice, no_quotes


class Last(NamedTuple):
    """The last quote of a symbol."""

    time: int
    bid: int
    ask: int


class Book:
    """The tickets of one symbol."""

    def __init__(self, rules: FillRules) -> None:
        self.rules = rules
        self.open: Records = np.zeros(16, TICKET)
        self.count = 0
        self.waiting: Records = np.zeros(16, TICKET)
        self.queued = 0
        self.last: Last | None = None
        self._watch: Records = np.zeros(1, WATCH)
        self._events: Records = np.zeros(0, EVENT)
        self._extremes: Ints = np.zeros((0, 4), np.int64)
        self._seen: Ints | None = None  # the quotes that these are of

    def add(self, key: int, signal: Signal, plan: ExitPlan, time: int) -> None:
        """Queue a ticket; the first quote after this instant plus latency fills it. Tickets come by time."""
        if self.queued == self.waiting.size:
            self.waiting = np.concatenate([self.waiting, np.zeros(self.queued, TICKET)])
        self.waiting[self.queued] = _ticket(key, signal, plan, time, self.rules.latency_ns)
        self.queued += 1

    def advance(self, path: Path, until: int, start: int = 0) -> list[Report]:
        """Lead every ticket through the quotes of a path from one on; what happened, by quote, then by placement."""
        if not self.count and not self.queued:
            return []
        blocks = -(-path.ts.size // BLOCK)
        if self._extremes.shape[0] < blocks:
            self._extremes, self._seen = np.zeros((blocks, 4), np.int64), None
        if path.long_exit is not self._seen:  # the same slice, advanced through step by step
            block_extremes(path.long_exit, path.short_exit, self._extremes)
            self._seen = path.long_exit
        tickets = self.count + self.queued
        if self.open.size < tickets:
            self.open = np.concatenate([self.open, np.zeros(tickets, TICKET)])
        if self._events.size < 2 * tickets:
            self._events = np.zeros(4 * tickets, EVENT)
        self.count, self.queued, events = advance(
            path,
            self._extremes,
            start,
            until,
            self.open,
            self.count,
            self.waiting,
            self.queued,
            self.rules,
            self._watch,
            self._events,
        )
        return list(map(Report._make, self._events[:events].tolist()))

    def finish(self) -> list[Report]:
        """Close what is open at the last quote; what waits expires."""
        reports = []
        widen(self.open, self.count, self._watch[0])
        for ticket in self.open[: self.count]:
            assert self.last is not None  # it was filled at a quote
            reports.append(_end(ticket, CLOSED, self.last.time, self.last.bid if ticket["side"] > 0 else self.last.ask))
        for ticket in self.waiting[: self.queued]:
            reports.append(_end(ticket, EXPIRED, max(self.last.time if self.last else 0, int(ticket["after"])), 0))
        self.count = self.queued = 0
        return reports


class Fates:
    """Follows all signals of a run, as the executor would fill them.

    Args:
        rules: how orders of each symbol fill, in the configured order of symbols.
    """

    def __init__(self, rules: Mapping[str, FillRules]) -> None:
        self._books = {symbol: Book(rule) for symbol, rule in rules.items()}
        self._followed: dict[int, tuple[Signal, int]] = {}  # by key: the signal, and what its ticket stands for
        self._key = 0

    def advance(self, piece: Slice, signals: Sequence[Signal]) -> list[Foreseen]:
        """What the quotes of a slice do to the signals so far and to those decided in it.

        Args:
            piece: the slice.
            signals: in the order of their time.

        Returns:
            Events by time, then symbol, then placement.
        """
        for signal in signals:
            self._follow(signal)
        reports: list[Report] = []
        for symbol, book in self._books.items():
            quotes = piece.quotes.get(symbol)
            reports.extend(book.advance(quotes_path(quotes or no_quotes(symbol)), piece.horizon))
            if quotes is not None and len(quotes):
                book.last = Last(int(quotes.ts[-1]), int(quotes.bid[-1]), int(quotes.ask[-1]))
        return self._told(reports)

    def finish(self) -> list[Foreseen]:
        """The data has ended: open positions close at their symbol's last quote, orders that wait expire."""
        return self._told([report for book in self._books.values() for report in book.finish()])

    def _follow(self, signal: Signal) -> None:
        plan = signal.plan
        book = self._books[signal.symbol]
        if plan.breakeven_r or plan.trail_points:
            bare = ExitPlan(time_stop_bars=plan.time_stop_bars, time_stop_ns=plan.time_stop_ns)
            self._take(book, signal, bare, OUTCOME)
            self._take(book, signal, plan, ORDER)
        else:
            self._take(book, signal, plan, BOTH)

    def _take(self, book: Book, signal: Signal, plan: ExitPlan, role: int) -> None:
        self._followed[self._key] = (signal, role)
        book.add(self._key, signal, plan, signal.time)
        self._key += 1

    def _told(self, reports: list[Report]) -> list[Foreseen]:
        reports.sort(key=attrgetter("time"))  # stable: symbols keep their configured order
        told = []
        for report in reports:
            signal, role = self._followed[report.key]
            told.append(Foreseen(signal, role, report))
            if report.kind != FILLED:
                del self._followed[report.key]
        return told


def _ticket(key: int, signal: Signal, plan: ExitPlan, time: int, latency_ns: int) -> tuple[float, ...]:
    """A record of TICKET that waits for its first quote, its fields in their order."""
    expiry = max(signal.expiry, time + 1) if signal.expiry else 0  # a stale one dies as it is born
    return (
        key, signal.side, time + latency_ns, expiry, signal.stop_points, signal.target_points, signal.relative,
        0, plan.breakeven_r, 0, plan.trail_points, plan.time_stop_ns, 0, signal.timeframe_ns, signal.bar_shift,
        plan.time_stop_bars, 0, 0, 0, 0, 0, 0, 0,
    )  # fmt: skip


def _end(ticket: Records, kind: int, time: int, price: int) -> Report:
    stop, target = (NO_PRICE if abs(int(ticket[name])) == FAR else int(ticket[name]) for name in ("stop", "target"))
    reason = AT_END if kind == CLOSED else 0
    return Report(
        int(ticket["key"]), kind, reason, time, price, stop, target, int(ticket["best"]), int(ticket["worst"])
    )


def excursions(side: int, open_price: int, report: Report) -> tuple[int, int]:
    """(adverse, favourable) excursion in points of a closed position, neither negative."""
    return max(0, side * (open_price - report.worst)), max(0, side * (report.best - open_price))


class Outcomes:
    """Turns what is foreseen of signals into their outcomes."""

    def __init__(self) -> None:
        self._fills: dict[str, Report] = {}  # by signal id

    def of(self, foreseen: Sequence[Foreseen]) -> list[Outcome]:
        """The outcomes that these events decide, in their order."""
        outcomes = []
        for signal, role, report in foreseen:
            if not role & OUTCOME:
                continue
            if report.kind == FILLED:
                self._fills[signal.id] = report
            else:
                outcomes.append(_outcome(signal, self._fills.pop(signal.id, None), report))
        return outcomes


def _outcome(signal: Signal, fill: Report | None, end: Report) -> Outcome:
    if fill is None:
        word = {REJECTED: "rejected", EXPIRED: "expired"}[end.kind]
        return Outcome(signal, 0, NO_PRICE, end.time, NO_PRICE, word, NO_PRICE, 0, 0)
    adverse, favourable = excursions(signal.side, fill.price, end)
    reason = CLOSE_REASONS[end.reason]
    return Outcome(signal, fill.time, fill.price, end.time, end.price, reason, fill.stop, adverse, favourable)
