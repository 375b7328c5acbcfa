"""The fate of every signal, fired or refused: followed by quotes to its own stop, target or time stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bitten.executor import Report
from bitten.kernels.exits import FillRules
from bitten.market import Market
from bitten.model.dtypes import CLOSE_REASONS, EXPIRED, FILLED, NO_PRICE, REJECTED
from bitten.model.facts import ExitPlan, Outcome, Signal
from bitten.tickets import TicketBooks


class Outcomes:
    """Follows signals with the exit kernel as the executor would fill them, but without break-even or trailing."""

    def __init__(self, market: Market, rules: Mapping[str, FillRules]) -> None:
        self._books = TicketBooks(market, rules)
        self._signals: dict[int, Signal] = {}
        self._fills: dict[int, Report] = {}
        self._number = 0

    def begin(self) -> None:
        """A new slice is in the market."""
        self._books.begin()

    def follow(self, signal: Signal) -> None:
        """Start to follow a signal of the current slice; signals come in the order of their time."""
        plan = ExitPlan(time_stop_bars=signal.plan.time_stop_bars, time_stop_ns=signal.plan.time_stop_ns)
        self._signals[self._number] = signal
        self._books.add(self._number, signal, plan)
        self._number += 1

    def advance(self, until: int) -> list[Outcome]:
        """Signals whose fate is known by an instant, in the order in which it was decided."""
        return self._resolve(self._books.advance(until))

    def finish(self) -> list[Outcome]:
        """The data has ended: what is open is marked `end`."""
        return self._resolve(self._books.finish())

    def _resolve(self, reports: Sequence[Report]) -> list[Outcome]:
        outcomes = []
        for report in reports:
            if report.kind == FILLED:
                self._fills[report.key] = report
                continue
            signal = self._signals.pop(report.key)
            fill = self._fills.pop(report.key, None)
            if fill is None:
                word = {REJECTED: "rejected", EXPIRED: "expired"}[report.kind]
                outcomes.append(Outcome(signal, 0, NO_PRICE, report.time, NO_PRICE, word, NO_PRICE, 0, 0))
            else:
                outcomes.append(_outcome(signal, fill, report))
        return outcomes


def excursions(side: int, open_price: int, report: Report) -> tuple[int, int]:
    """(adverse, favourable) excursion in points of a closed position, neither negative."""
    return max(0, side * (open_price - report.worst)), max(0, side * (report.best - open_price))


def _outcome(signal: Signal, fill: Report, close: Report) -> Outcome:
    adverse, favourable = excursions(signal.side, fill.price, close)
    reason = CLOSE_REASONS[close.reason]
    return Outcome(signal, fill.time, fill.price, close.time, close.price, reason, fill.stop, adverse, favourable)
