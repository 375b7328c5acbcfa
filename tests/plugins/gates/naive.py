"""What an account is worth, and which rules it has broken, worked out again from the tables of a run and its quotes.

Nothing of the ledger or the gates is used: trades and quotes in, numbers out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from bitten.ledger import Account
from bitten.market import Market
from bitten.model.instrument import Instrument
from bitten.model.quotes import Slice
from bitten.sizing import points_to_money
from bitten.tradingday import day_end
from tests.markets import merge
from tests.replay import rows


class Books:
    """Every account at any instant."""

    def __init__(
        self, tables: Mapping[str, pa.Table], pieces: Sequence[Slice], accounts: Sequence[Account],
        instruments: Mapping[str, Instrument],
    ) -> None:  # fmt: skip
        self.market = Market(instruments, {})
        whole = merge(list(pieces))
        self.market.begin(whole)
        self.instruments = instruments
        self.accounts = accounts
        self.trades = {account.id: [] for account in accounts}
        for row in rows(tables, "trades"):
            self.trades[row["account"]].append(row)
        equity = rows(tables, "equity")
        self.first = ns(equity[0]["time"])
        self.last = whole.horizon
        resets, time = [], self.first - 1
        while (time := day_end(time + 1)) <= self.last:
            resets.append(time)
        self.resets = set(resets)
        self.looks = sorted({ns(row["time"]) for row in equity} | self.resets)  # every instant that was watched

    def balance(self, account: Account, time: int) -> float:
        return account.balance + sum(row["profit"] for row in self.trades[account.id] if ns(row["close_time"]) <= time)

    def equity(self, account: Account, time: int) -> float:
        worth = self.balance(account, time)
        for row in self.trades[account.id]:
            if ns(row["open_time"]) <= time < ns(row["close_time"]):
                facts = self.instruments[row["symbol"]]
                quote = self.market.quote(row["symbol"], time)
                assert quote is not None
                opened = facts.points(row["open_price"])
                points = quote.bid - opened if row["side"] == "buy" else opened - quote.ask
                money = points_to_money(float(points), row["lots"], facts)
                worth += self.market.convert(money, facts.quote, account.currency, time)
        return worth

    def until(self, time: int) -> list[int]:
        """The instants that were watched before a decision at this one."""
        return self.looks[: bisect_right(self.looks, time)]


def stop_losses(books: Books, account: Account, time: int) -> tuple[float, float]:
    """(of the day, from the peak) in percent, the worst of everything that was watched and of now."""
    start = peak = account.balance
    day = drawdown = 0.0
    for look in [*books.until(time), time]:
        equity = books.equity(account, look)
        if look != time or look in books.looks:
            peak = max(peak, equity)
        day = max(day, 100 * (start - equity) / start)
        top = max(peak, equity)
        drawdown = max(drawdown, 100 * (top - equity) / top)
        if look in books.resets:
            start, day = equity, 0.0
    return day, drawdown


def breaches(books: Books, account: Account, rules: Any) -> list[tuple[int, str, float]]:
    """(time, rule, percent) of everything that a pack with the default figures finds."""
    found: list[tuple[int, str, float]] = []
    start = peak = account.balance
    broken_day = broken = False
    for look in books.looks:
        equity, balance = books.equity(account, look), books.balance(account, look)
        loss = 100 * (start - equity) / account.balance
        if loss >= rules.daily_percent and not broken_day:
            broken_day = True
            found.append((look, "daily", loss))
        peak = max(peak, equity)
        floor = account.balance * (1 - rules.total_percent / 100)
        if rules.trailing == "always":
            floor = peak - account.balance * rules.total_percent / 100
            floor = min(floor, account.balance) if rules.trailing_lock else floor
        if equity <= floor and not broken:
            broken = True
            found.append((look, "total", rules.total_percent + 100 * (floor - equity) / account.balance))
        if look in books.resets:
            start, broken_day = balance, False
    return found


def ns(stamp: Any) -> int:
    """A cell of a time column."""
    return int(stamp.value)


def within(times: Sequence[int], after: int, until: int) -> int:
    """How many of sorted instants lie in (after, until]."""
    return bisect_right(times, until) - bisect_left(times, after + 1)
