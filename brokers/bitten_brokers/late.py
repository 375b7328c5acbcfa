"""Simulated orders that a person released after their signal's own time: nothing is foreseen of them."""

from __future__ import annotations

from collections.abc import Mapping

from bitten.executor import Report
from bitten.fates import Book, Last
from bitten.kernels.exits import FillRules
from bitten.market import Market, quotes_path
from bitten.model.facts import Fire
from bitten.model.quotes import no_quotes


class LateOrders:
    """Leads such orders through the quotes of the current slice by the exit kernel, as far as it is asked to.

    Args:
        rules: how orders of each symbol fill, in the configured order of symbols.
        market: whose current slice holds the quotes.
    """

    def __init__(self, rules: Mapping[str, FillRules], market: Market) -> None:
        self._market = market
        self._books = {symbol: Book(rule) for symbol, rule in rules.items()}
        self._seen: dict[str, int] = {}  # quotes of the current slice that a symbol's orders have met

    def begin(self) -> None:
        """A new slice is in the market."""
        self._seen.clear()

    def place(self, fire: Fire) -> None:
        """Take an order; it meets the quotes after its own time."""
        symbol = fire.signal.symbol
        book = self._books[symbol]
        if not book.count and not book.queued:
            path = self._market.path(symbol)
            self._seen[symbol] = 0 if path is None else int(path.ts.searchsorted(fire.time, "right"))
        book.add(fire.number, fire.signal, fire.signal.plan, fire.time)

    def advance(self, until: int) -> list[Report]:
        """What has happened up to an instant, by symbol."""
        reports: list[Report] = []
        for symbol, book in self._books.items():
            if not book.count and not book.queued:
                continue
            path = self._market.path(symbol) or quotes_path(no_quotes(symbol))
            start = self._seen.get(symbol, 0)
            stop = int(path.ts.searchsorted(until, "right"))
            if stop > 0:
                book.last = Last(int(path.ts[stop - 1]), int(path.bid[stop - 1]), int(path.ask[stop - 1]))
            reports.extend(book.advance(path, until, start))
            self._seen[symbol] = stop
        return reports

    def finish(self) -> list[Report]:
        """The data has ended: what is open closes at its symbol's last quote, what waits expires."""
        return [report for book in self._books.values() for report in book.finish()]
