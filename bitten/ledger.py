"""Accounts as columns: balances, slots and open positions of every account; changed only through `apply`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bitten.market import MarketView
from bitten.model.dtypes import Floats, Ints
from bitten.model.facts import Close, Fill, Fire, Unfilled
from bitten.sizing import points_to_money, rounded

Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class Account:
    """One row of the account table, as configured. Money in `currency`; limits of 0 mean "not limited here"."""

    id: str
    currency: str = "USD"
    balance: float = 10_000.0
    slots: int = 10  # open and pending positions at once
    band_low: float = 0.0  # confidence at which it fires, ends included
    band_high: float = 100.0
    risk_percent: float = 1.0  # of equity, per fire


class Ledger:
    """The account table. Columns are arrays over accounts, in configured order."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts = tuple(accounts)
        self.ids = [account.id for account in accounts]
        self.currencies = [account.currency for account in accounts]
        self.slots: Ints = frozen(np.array([account.slots for account in accounts], np.int64))
        self.band_low: Floats = frozen(np.array([account.band_low for account in accounts], np.float64))
        self.band_high: Floats = frozen(np.array([account.band_high for account in accounts], np.float64))
        self.risk_percent: Floats = frozen(np.array([account.risk_percent for account in accounts], np.float64))
        self._balance: Floats = np.array([account.balance for account in accounts], np.float64)
        self._used: Ints = np.zeros(len(self.ids), np.int64)
        self.balance: Floats = frozen(self._balance)
        self.used: Ints = frozen(self._used)  # slots reserved by fires that have not ended
        self._on_symbol: dict[str, Ints] = {}  # fires that have not ended, per account
        self._fills: list[dict[int, Fill]] = [{} for _ in self.ids]  # open positions, by fire number
        self._changes = [0] * len(self.ids)
        self._row = {name: row for row, name in enumerate(self.ids)}

    def row(self, account: str) -> int:
        """Row of an account in every column."""
        return self._row[account]

    def currency(self, account: str) -> str:
        """Account currency."""
        return self.currencies[self._row[account]]

    def apply(self, fact: Fire | Fill | Unfilled | Close) -> int:
        """Take a journalled fact into account and return the row of the account that it changed.

        A fire reserves its slot at once; only evidence of its end (close, rejection, expiry) releases it.
        """
        fire = fact if isinstance(fact, Fire) else fact.fill.fire if isinstance(fact, Close) else fact.fire
        row = self._row[fire.account]
        if isinstance(fact, Fire):
            self._used[row] += 1
            self._on(fire.signal.symbol)[row] += 1
        elif isinstance(fact, Fill):
            self._fills[row][fire.number] = fact
            self._changes[row] += 1
        else:
            self._fills[row].pop(fire.number, None)
            self._changes[row] += 1
            self._used[row] -= 1
            self._on(fire.signal.symbol)[row] -= 1
            if isinstance(fact, Close):
                self._balance[row] = rounded(float(self._balance[row]) + fact.profit, 2)
        return row

    def on_symbol(self, symbol: str) -> Ints:
        """Fires per account that have not ended on a symbol, read-only."""
        return frozen(self._on(symbol))

    def _on(self, symbol: str) -> Ints:
        if symbol not in self._on_symbol:
            self._on_symbol[symbol] = np.zeros(len(self.ids), np.int64)
        return self._on_symbol[symbol]

    def equity(self, market: MarketView) -> Floats:
        """Balance plus what every open position would bring at the last quotes, per account."""
        equity = self._balance.copy()
        for row, fills in enumerate(self._fills):
            for fill in fills.values():
                equity[row] += self.floating(row, fill, market)
        return equity

    def floating(self, row: int, fill: Fill, market: MarketView) -> float:
        """Profit of an open position at the last quotes, account currency, before commission."""
        signal = fill.fire.signal
        quote = market.quote(signal.symbol)
        if quote is None:
            return 0.0
        points = signal.side * ((quote.bid if signal.side > 0 else quote.ask) - fill.price_points)
        money = points_to_money(points, fill.fire.lots, signal.instrument)
        return market.convert(money, signal.instrument.quote, self.currencies[row])

    def fills(self, row: int) -> Collection[Fill]:
        """Open positions of an account, in the order of their fills."""
        return self._fills[row].values()

    def changes(self, row: int) -> int:
        """How often what an account holds has changed."""
        return self._changes[row]

    @property
    def open_rows(self) -> list[int]:
        """Accounts that have open positions."""
        return [row for row, fills in enumerate(self._fills) if fills]


def frozen(column: NDArray[Number]) -> NDArray[Number]:
    """A view that cannot be written through: a policy reads the table, only facts change it."""
    view = column.view()
    view.flags.writeable = False
    return view
