"""Tickets of all symbols: Python's side of the exit kernel, shared by the simulated executor and by outcomes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bitten.executor import Report
from bitten.kernels.exits import FAR, FillRules, advance
from bitten.market import Market
from bitten.model.dtypes import (
    AT_END,
    CLOSED,
    EVENT,
    EXPIRED,
    NO_PRICE,
    OPEN,
    TICKET,
    WAITING,
    Records,
)
from bitten.model.facts import ExitPlan, Signal


class Book:
    """The tickets of one symbol and how far into the current slice they have been led."""

    def __init__(self, rules: FillRules) -> None:
        self.rules = rules
        self.tickets: Records = np.zeros(16, TICKET)
        self.events: Records = np.zeros(34, EVENT)
        self.count = 0
        self.cursor = 0

    def add(self, key: int, signal: Signal, plan: ExitPlan) -> None:
        """Append a ticket that waits for its fill."""
        if self.count == self.tickets.size:
            self.tickets = np.concatenate([self.tickets, np.zeros(self.count, TICKET)])
            self.events = np.zeros(2 * self.tickets.size + 2, EVENT)
        self.tickets[self.count] = np.zeros((), TICKET)
        ticket = self.tickets[self.count]
        ticket["key"] = key
        ticket["state"] = WAITING
        ticket["side"] = signal.side
        ticket["after"] = signal.time + self.rules.latency_ns
        ticket["expiry"] = max(signal.expiry, signal.time + 1) if signal.expiry else 0  # a stale one dies as it is born
        ticket["stop"] = signal.stop_points
        ticket["target"] = signal.target_points
        ticket["relative"] = signal.relative
        ticket["breakeven_r"] = plan.breakeven_r
        ticket["trail"] = plan.trail_points
        ticket["hold_ns"] = plan.time_stop_ns
        ticket["bar_ns"] = signal.timeframe_ns
        ticket["bar_shift"] = signal.bar_shift
        ticket["bars_left"] = plan.time_stop_bars
        self.count += 1


class TicketBooks:
    """Books by symbol over one market. Keys are the owner's and unique over all symbols."""

    def __init__(self, market: Market, rules: Mapping[str, FillRules]) -> None:
        self._market = market
        self._books = {symbol: Book(rule) for symbol, rule in rules.items()}

    def begin(self) -> None:
        """A new slice is in the market."""
        for book in self._books.values():
            book.cursor = 0

    def add(self, key: int, signal: Signal, plan: ExitPlan) -> None:
        """Take a ticket; the first quote after the signal's time plus latency fills it."""
        book = self._books[signal.symbol]
        if book.count == 0:
            book.cursor = self._market.seen(signal.symbol, signal.time)
        book.add(key, signal, plan)

    def advance(self, until: int) -> list[Report]:
        """Lead every ticket up to and including an instant; what happened, by time, then symbol, then placement."""
        reports: list[Report] = []
        for symbol, book in self._books.items():
            if book.count:
                reports.extend(self._advance(symbol, book, until))
        reports.sort(key=lambda report: report.time)  # stable: symbols keep their configured order
        return reports

    def finish(self) -> list[Report]:
        """Close every open ticket at its symbol's last quote; tickets that wait expire."""
        reports = []
        for symbol, book in self._books.items():
            last = self._market.quote(symbol, np.iinfo(np.int64).max)
            for ticket in book.tickets[: book.count]:
                time = last.time if last else int(ticket["after"])
                if ticket["state"] == OPEN and last:
                    price = last.bid if ticket["side"] > 0 else last.ask
                    reports.append(_report(ticket, CLOSED, AT_END, time, price))
                else:
                    reports.append(_report(ticket, EXPIRED, 0, max(time, int(ticket["after"])), 0))
            book.count = 0
        reports.sort(key=lambda report: report.time)
        return reports

    def _advance(self, symbol: str, book: Book, until: int) -> list[Report]:
        path = self._market.path(symbol)
        if path is None:
            waiting = book.tickets[: book.count]
            due = (waiting["state"] == WAITING) & (waiting["expiry"] > 0) & (waiting["expiry"] <= until)
            if not due.any():
                return []
            reports = [_report(ticket, EXPIRED, 0, int(ticket["expiry"]), 0) for ticket in waiting[due]]
            kept = waiting[~due].copy()
            book.tickets[: kept.size] = kept
            book.count = kept.size
            return reports
        stop = self._market.seen(symbol, until)
        book.count, events = advance(path, book.cursor, stop, until, book.tickets, book.count, book.rules, book.events)
        book.cursor = stop
        return [Report(*row) for row in book.events[:events].tolist()]


def _report(ticket: Records, kind: int, reason: int, time: int, price: int) -> Report:
    levels = [NO_PRICE if abs(int(ticket[name])) == FAR else int(ticket[name]) for name in ("stop", "target")]
    best, worst = int(ticket["best"]), int(ticket["worst"])
    return Report(int(ticket["key"]), kind, reason, time, price, levels[0], levels[1], best, worst)
