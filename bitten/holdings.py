"""Open positions of all accounts as columns, so that five thousand accounts are valued as fast as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bitten.market import MarketView
from bitten.model.dtypes import Floats, Ints
from bitten.model.facts import Fill, Fire
from bitten.sizing import points_to_money


class _Held(NamedTuple):
    """Open positions of one symbol as columns of equal length, in the order of their fills."""

    row: Ints  # of the account
    side: Ints
    price: Ints  # points
    lots: Floats


class Holdings:
    """What all accounts hold.

    Args:
        currencies: of the accounts, by row.
    """

    def __init__(self, currencies: Sequence[str]) -> None:
        self._distinct = sorted(set(currencies))
        self._currency: Ints = np.array([self._distinct.index(one) for one in currencies], np.int64)
        self._open: dict[str, dict[int, tuple[int, int, int, float]]] = {}  # by symbol and fire number
        self._columns: dict[str, _Held] = {}  # of them, made where they are asked for

    def open(self, row: int, fill: Fill) -> None:
        """A position was opened."""
        fire = fill.fire
        symbol = fire.signal.symbol
        self._columns.pop(symbol, None)
        position = (row, fire.signal.side, fill.price_points, fire.lots)
        self._open.setdefault(symbol, {})[fire.number] = position

    def close(self, fire: Fire) -> None:
        """A position has ended."""
        symbol = fire.signal.symbol
        self._columns.pop(symbol, None)
        held = self._open[symbol]
        del held[fire.number]
        if not held:
            del self._open[symbol]

    def floating(self, market: MarketView) -> Floats:
        """Profit of each account's open positions at the last quotes, account currency, before commission."""
        total = np.zeros(self._currency.size)
        for symbol in sorted(self._open):
            quote = market.quote(symbol)
            if quote is None:
                continue
            held, instrument = self._held(symbol), market.instruments[symbol]
            points = held.side * (np.where(held.side > 0, quote.bid, quote.ask) - held.price)
            money = points_to_money(points.astype(np.float64), held.lots, instrument)
            if len(self._distinct) == 1:
                converted = market.convert_many(money, instrument.quote, self._distinct[0])
                total += np.bincount(held.row, weights=converted, minlength=total.size)
                continue
            for code, currency in enumerate(self._distinct):
                mine = self._currency[held.row] == code
                converted = market.convert_many(money[mine], instrument.quote, currency)
                total += np.bincount(held.row[mine], weights=converted, minlength=total.size)
        return total

    def _held(self, symbol: str) -> _Held:
        if symbol not in self._columns:
            row, side, price, lots = zip(*self._open[symbol].values(), strict=True)
            self._columns[symbol] = _Held(np.array(row), np.array(side), np.array(price), np.array(lots))
        return self._columns[symbol]
