"""What units of a signal's two currencies are worth in each account's own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bitten.errors import DataError
from bitten.gate import Situation
from bitten.ledger import Ledger
from bitten.model.dtypes import Floats, Ints


class CurrencyColumn:
    """Numbers by account currency as a column over the accounts, whose currencies never change."""

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        self._codes: Ints = np.zeros(0, np.int64)
        self._distinct: list[str] = []

    def distinct(self, ledger: Ledger) -> list[str]:
        """The currencies of the accounts, sorted."""
        if self._ledger is not ledger:
            self._ledger = ledger
            self._distinct = sorted(set(ledger.currencies))
            place = {currency: code for code, currency in enumerate(self._distinct)}
            self._codes = np.array([place[currency] for currency in ledger.currencies], np.int64)
        return self._distinct

    def of(self, ledger: Ledger, numbers: Mapping[str, float]) -> Floats:
        """One number per account, shape (accounts,)."""
        column: Floats = np.array([numbers[currency] for currency in self.distinct(ledger)], np.float64)[self._codes]
        return column


def unit_worth(situation: Situation, accounts: CurrencyColumn) -> tuple[Floats, Floats]:
    """Account money that one unit of the symbol's base and one of its quote currency stand for, shapes (accounts,).

    Converted at the side that makes more of it, for these are limits on what could be owed. The base goes through the
    symbol's own ask, so that no other cross is needed than profits need.

    Raises:
        DataError: the symbol, or a cross that converts, has no quote yet.
    """
    instrument, market, ledger = situation.signal.instrument, situation.market, situation.ledger
    quote = market.quote(instrument.symbol)
    if quote is None:
        raise DataError(f"{instrument.symbol} has no quote yet")
    price = instrument.price(quote.ask)
    of_quote = {one: -market.convert(-1.0, instrument.quote, one) for one in accounts.distinct(ledger)}
    of_base = {one: 1.0 if one == instrument.base else price * worth for one, worth in of_quote.items()}
    return accounts.of(ledger, of_base), accounts.of(ledger, of_quote)
