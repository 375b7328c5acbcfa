"""Equity curves: one per account, and their sum where all accounts keep one currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bitten.analysis.columns import floats, last_of_each, nanoseconds, words
from bitten.errors import DataError, did_you_mean
from bitten.model.dtypes import Floats, Ints
from bitten.tradingday import trading_day


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the statistics must know of an account beyond the tables."""

    id: str
    currency: str
    balance: float  # at the start, in `currency`
    stake: float | None = None  # what it risks per fire at the start: balance, risk percent, its tier's multiplier
    tier: str = ""
    mode: str = "auto"


@dataclass(frozen=True, slots=True)
class Curve:
    """Recorded values of one account, or of all together, ascending in time, shape (n,), money."""

    start: float  # the balance before the first value
    times: Ints  # ns UTC
    balance: Floats
    equity: Floats

    def daily_returns(self) -> tuple[Ints, Floats]:
        """(day numbers, returns) of shape (d,): each trading day's last equity over that of the day before.

        The first day is measured against the start balance. Days on which nothing was recorded are not there.
        """
        days = trading_day(self.times)
        last = last_of_each(days)
        values = np.concatenate(([self.start], self.equity[last]))
        returns = np.full(values.size - 1, np.nan)
        np.divide(values[1:], values[:-1], out=returns, where=values[:-1] > 0)
        return days[last], returns - 1


def account_curves(equity: pa.Table, accounts: Sequence[AccountFacts]) -> dict[str, Curve]:
    """The curve of every account, by its id, in the order given; an account without rows has an empty curve.

    Raises:
        DataError: the table knows an account that `accounts` does not describe.
    """
    codes, names = words(equity, "account")
    check_known(names, accounts)
    times, balance, value = nanoseconds(equity, "time"), floats(equity, "balance"), floats(equity, "equity")
    order = np.lexsort((np.arange(codes.size), times, codes))
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    rows = {name: order[bounds[i] : bounds[i + 1]] for i, name in enumerate(names)}
    empty = np.zeros(0, np.int64)
    curves = {}
    for account in accounts:
        at = rows.get(account.id, empty)
        curves[account.id] = Curve(account.balance, times[at], balance[at], value[at])
    return curves


def check_known(names: Sequence[str], accounts: Sequence[AccountFacts]) -> None:
    """Refuse tables that speak of accounts nobody described.

    Raises:
        DataError: the first such account, with a near miss.
    """
    known = {account.id for account in accounts}
    for name in names:
        if name not in known:
            raise DataError(f'the tables name account "{name}", which has no start balance{did_you_mean(name, known)}')


def common_currency(accounts: Sequence[AccountFacts]) -> str | None:
    """The one currency of all accounts, None where they differ or there is none."""
    currencies = {account.currency for account in accounts}
    return currencies.pop() if len(currencies) == 1 else None


def total_curve(curves: Sequence[Curve]) -> Curve:
    """The sum of curves at every instant at which any of them has a value; before its first value each counts
    with its start balance.
    """
    if len(curves) == 1:
        return curves[0]
    times = np.unique(np.concatenate([curve.times for curve in curves])) if curves else np.zeros(0, np.int64)
    balance, equity = np.zeros(times.size), np.zeros(times.size)
    for curve in curves:
        at = np.searchsorted(curve.times, times, side="right")
        balance += np.concatenate(([curve.start], curve.balance))[at]
        equity += np.concatenate(([curve.start], curve.equity))[at]
    return Curve(sum(curve.start for curve in curves), times, balance, equity)


def thin(curve: Curve, points: int) -> Curve:
    """The same curve with about `points` values: first, lowest, highest and last of each stretch, so that no
    extreme of the picture is lost.
    """
    if curve.times.size <= points:
        return curve
    buckets = max(1, points // 4)
    bounds = np.linspace(0, curve.times.size, buckets + 1).astype(np.int64)[:-1]
    index = np.arange(curve.times.size)
    bucket = np.searchsorted(bounds, index, side="right") - 1
    order = np.lexsort((index, curve.equity, bucket))
    ends = np.append(bounds[1:], curve.times.size) - 1
    keep = np.unique(np.concatenate((bounds, ends, order[bounds], order[ends])))
    return Curve(curve.start, curve.times[keep], curve.balance[keep], curve.equity[keep])
