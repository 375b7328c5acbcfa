"""Accounts as columns: balances, slots, open positions and risk of every account; changed only through `apply`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitten.holdings import Holdings
from bitten.market import MarketView
from bitten.model.dtypes import NS_PER_MINUTE, Bools, Floats, Ints
from bitten.model.facts import Close, Fill, Fire, Unfilled
from bitten.sizing import rounded

Value = TypeVar("Value", np.int64, np.float64, np.bool_)

AUTO: Final = 0
MANUAL: Final = 1
MODES: Final = ("auto", "manual")
LONG_AGO: Final = -(1 << 62)  # before anything
_REMEMBERED_NS: Final = 24 * 60 * NS_PER_MINUTE  # how far back `fires_since` and `signals_since` know
_FORGET: Final = 4096  # remembered batches of fires before old ones are looked for


@dataclass(frozen=True, slots=True)
class Tier:
    """A class of accounts. Which there are, and what they may, is configured."""

    name: str
    slots: int = 10
    risk_multiplier: float = 1.0
    modes: tuple[str, ...] = MODES


@dataclass(frozen=True, slots=True)
class Account:
    """One row of the account table, as configured. Money in `currency`."""

    id: str
    currency: str = "USD"
    balance: float = 10_000.0
    slots: int = 10  # open and pending positions at once
    band_low: float = np.nan  # confidence at which it fires, ends included; NaN where the gate's own band holds
    band_high: float = np.nan
    risk_percent: float = 1.0  # of equity, per fire
    mode: str = "auto"
    tier: str = ""
    risk_multiplier: float = 1.0  # its tier's


@dataclass(slots=True)
class _Batch:
    """Fires of one signal that left at one instant."""

    time: int
    signal: str
    pattern: str
    rows: list[int]  # of the accounts
    _column: Ints | None = None

    def column(self) -> Ints:
        """The rows as an array, made anew only where some have come."""
        if self._column is None or self._column.size != len(self.rows):
            self._column = np.array(self.rows, np.int64)
        return self._column


class Ledger:
    """The account table. Columns are arrays over accounts, in configured order."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts = tuple(accounts)
        self.ids = [account.id for account in accounts]
        self.currencies = [account.currency for account in accounts]
        self.tiers = [account.tier for account in accounts]
        self.everyone: Bools = frozen(np.ones(len(accounts), np.bool_))
        self.nobody: Bools = frozen(np.zeros(len(accounts), np.bool_))
        self.slots: Ints = frozen(np.array([account.slots for account in accounts], np.int64))
        self.band_low: Floats = frozen(np.array([account.band_low for account in accounts], np.float64))
        self.band_high: Floats = frozen(np.array([account.band_high for account in accounts], np.float64))
        self.risk_percent: Floats = frozen(np.array([account.risk_percent for account in accounts], np.float64))
        self.risk_multiplier: Floats = frozen(np.array([account.risk_multiplier for account in accounts], np.float64))
        self.mode: Ints = frozen(np.array([MODES.index(account.mode) for account in accounts], np.int64))
        self.initial: Floats = frozen(np.array([account.balance for account in accounts], np.float64))
        self._balance: Floats = self.initial.copy()
        self._used: Ints = np.zeros(len(self.ids), np.int64)
        self._risk: Floats = np.zeros(len(self.ids))
        self.balance: Floats = frozen(self._balance)
        self.used: Ints = frozen(self._used)  # slots reserved by fires that have not ended
        self.open_risk: Floats = frozen(self._risk)  # money that these lose at their first stops, account currency
        self._on_symbol: dict[str, Ints] = {}  # fires that have not ended, per account
        self._exposure: dict[str, Floats] = {}  # of them, by currency, in its own units
        self._last_fire: dict[tuple[str, int], Ints] = {}
        self._batches: list[_Batch] = []  # the fires of the last day, those of one signal and instant together
        self._of_signal: dict[str, list[_Batch]] = {}  # the same by signal
        self._fills: list[dict[int, Fill]] = [{} for _ in self.ids]  # open positions, by fire number
        self._holdings = Holdings(self.currencies)
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

        A fire reserves its slot and its risk at once; only evidence of its end (close, rejection, expiry) frees them.
        """
        fire = fact if isinstance(fact, Fire) else fact.fill.fire if isinstance(fact, Close) else fact.fire
        row = self._row[fire.account]
        if isinstance(fact, Fire):
            self._reserve(row, fire, 1)
            self._remember(row, fire)
        elif isinstance(fact, Fill):
            self._fills[row][fire.number] = fact
            self._holdings.open(row, fact)
            self._changes[row] += 1
        else:
            if self._fills[row].pop(fire.number, None) is not None:
                self._holdings.close(fire)
            self._changes[row] += 1
            self._reserve(row, fire, -1)
            if isinstance(fact, Close):
                self._balance[row] = rounded(float(self._balance[row]) + fact.profit, 2)
        return row

    def _reserve(self, row: int, fire: Fire, sign: int) -> None:
        """Book what a fire that has not ended takes up, or release it; sums of nothing are exactly nothing."""
        signal = fire.signal
        self._used[row] += sign
        self._on(signal.symbol)[row] += sign
        nothing = self._used[row] == 0
        self._risk[row] = 0.0 if nothing else self._risk[row] + sign * fire.risk
        for currency, units in _legs(fire):
            self._exposed(currency)[row] += sign * units
        if nothing:
            for column in self._exposure.values():
                column[row] = 0.0

    def _remember(self, row: int, fire: Fire) -> None:
        signal = fire.signal
        self._last(signal.symbol, signal.side)[row] = fire.time
        last = self._batches[-1] if self._batches else None
        if last is None or last.signal != signal.id or last.time != fire.time:
            self._batches.append(_Batch(fire.time, signal.id, signal.pattern, [row]))
            self._of_signal.setdefault(signal.id, []).append(self._batches[-1])
            if len(self._batches) > _FORGET and self._batches[_FORGET // 2].time < fire.time - _REMEMBERED_NS:
                self._forget(fire.time - _REMEMBERED_NS)
        else:
            last.rows.append(row)

    def _forget(self, before: int) -> None:
        self._batches = [one for one in self._batches if one.time >= before]
        self._of_signal = {}
        for one in self._batches:
            self._of_signal.setdefault(one.signal, []).append(one)

    def on_symbol(self, symbol: str) -> Ints:
        """Fires per account that have not ended on a symbol, read-only."""
        return frozen(self._on(symbol))

    def exposure(self, currency: str) -> Floats:
        """Units of a currency that an account's fires that have not ended have bought (sold: negative), read-only."""
        return frozen(self._exposed(currency))

    def last_fire(self, symbol: str, side: int) -> Ints:
        """When each account last fired on a symbol and side, ns UTC; `LONG_AGO` for never, read-only."""
        return frozen(self._last(symbol, side))

    def fires_since(self, time: int) -> Ints:
        """Fires of each account later than an instant, at most a day back."""
        counts: Ints = np.zeros(len(self.ids), np.int64)
        for batch in self._later(time):
            counts[batch.column()] += 1  # an account fires a signal once
        return counts

    def signals_since(self, time: int, pattern: str | None = None, besides: str = "") -> int:
        """Signals, besides one, that any account fired later than an instant, of one pattern or of all, at most a day
        back.
        """
        fired = {one.signal for one in self._later(time) if pattern is None or one.pattern == pattern}
        return len(fired - {besides})

    def fired(self, signal_id: str) -> Bools:
        """Which accounts have fired a signal, at most a day back; `nobody` itself where none has, read-only."""
        if signal_id not in self._of_signal:
            return self.nobody
        who: Bools = np.zeros(len(self.ids), np.bool_)
        for batch in self._of_signal.get(signal_id, ()):
            who[batch.column()] = True
        return who

    def _later(self, time: int) -> Iterator[_Batch]:
        for batch in reversed(self._batches):
            if batch.time <= time:
                return
            yield batch

    def _on(self, symbol: str) -> Ints:
        if symbol not in self._on_symbol:
            self._on_symbol[symbol] = np.zeros(len(self.ids), np.int64)
        return self._on_symbol[symbol]

    def _exposed(self, currency: str) -> Floats:
        if currency not in self._exposure:
            self._exposure[currency] = np.zeros(len(self.ids))
        return self._exposure[currency]

    def _last(self, symbol: str, side: int) -> Ints:
        key = (symbol, side)
        if key not in self._last_fire:
            self._last_fire[key] = np.full(len(self.ids), LONG_AGO)
        return self._last_fire[key]

    def equity(self, market: MarketView) -> Floats:
        """Balance plus what every open position would bring at the last quotes, per account."""
        return self._balance + self._holdings.floating(market)

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


def _legs(fire: Fire) -> tuple[tuple[str, float], tuple[str, float]]:
    """What an order buys and sells: units of its base, and of its quote at the price of the decision."""
    signal = fire.signal
    units = signal.side * fire.lots * signal.instrument.contract_size
    price = fire.price or signal.reference or 0.0
    return (signal.instrument.base, units), (signal.instrument.quote, -units * price)


def frozen(column: NDArray[Value]) -> NDArray[Value]:
    """A view that cannot be written through: a policy reads the table, only facts change it."""
    view = column.view()
    view.flags.writeable = False
    return view
