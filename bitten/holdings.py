"""Open positions of all accounts as columns, so that five thousand accounts are valued as fast as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitten.market import MarketView
from bitten.model.dtypes import Floats, Ints
from bitten.model.facts import Fill, Fire
from bitten.model.instrument import Instrument
from bitten.sizing import points_to_money


@dataclass(slots=True)
class _Positions:
    """Of one symbol, in the order of their fills; columns of equal length."""

    instrument: Instrument
    key: Ints  # the fire's number
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
        self._currencies = np.array(currencies)
        self._distinct = sorted(set(currencies))
        self._positions: dict[str, _Positions] = {}

    def open(self, row: int, fill: Fill) -> None:
        """A position was opened."""
        fire = fill.fire
        signal = fire.signal
        held = self._positions.get(signal.symbol)
        if held is None:
            none = np.zeros(0, np.int64)
            held = _Positions(signal.instrument, none, none, none, none, np.zeros(0))
            self._positions[signal.symbol] = held
        held.key = np.append(held.key, fire.number)
        held.row = np.append(held.row, row)
        held.side = np.append(held.side, signal.side)
        held.price = np.append(held.price, fill.price_points)
        held.lots = np.append(held.lots, fire.lots)

    def close(self, fire: Fire) -> None:
        """A position has ended."""
        held = self._positions[fire.signal.symbol]
        keep = held.key != fire.number
        for name in ("key", "row", "side", "price", "lots"):
            setattr(held, name, getattr(held, name)[keep])
        if not held.key.size:
            del self._positions[fire.signal.symbol]

    def floating(self, market: MarketView) -> Floats:
        """Profit of each account's open positions at the last quotes, account currency, before commission."""
        total = np.zeros(self._currencies.size)
        for symbol in sorted(self._positions):
            held = self._positions[symbol]
            quote = market.quote(symbol)
            if quote is None:
                continue
            points = held.side * (np.where(held.side > 0, quote.bid, quote.ask) - held.price)
            money = points_to_money(points.astype(np.float64), held.lots, held.instrument)
            for currency in self._distinct:
                mine = self._currencies[held.row] == currency if len(self._distinct) > 1 else slice(None)
                converted = market.convert_many(money[mine], held.instrument.quote, currency)
                total += np.bincount(held.row[mine], weights=converted, minlength=total.size)
        return total
