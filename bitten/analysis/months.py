"""Returns by calendar month."""

from __future__ import annotations

from datetime import date, timedelta

from bitten.analysis.columns import last_of_each
from bitten.analysis.curves import Curve
from bitten.tradingday import trading_day

MonthlyReturns = dict[int, dict[int, float | None]]  # year to month (1 to 12; 0 is the whole year) to return

_EPOCH = date(1970, 1, 1)


def monthly_returns(curve: Curve) -> MonthlyReturns:
    """Change of equity over each month and year with data, as a share of equity at its start.

    A month's equity is that of the last trading day that closes (17:00 New York) within it. None where equity at the
    start was not positive.
    """
    days = trading_day(curve.times)
    last = last_of_each(days)
    returns: MonthlyReturns = {}
    before = month_start = year_start = curve.start
    previous: date | None = None
    for number, equity in zip(days[last].tolist(), curve.equity[last].tolist(), strict=True):
        day = _EPOCH + timedelta(days=number)
        if previous is not None and day.year != previous.year:
            year_start = before
        if previous is not None and (day.year, day.month) != (previous.year, previous.month):
            month_start = before
        year = returns.setdefault(day.year, {})
        year[day.month] = _change(month_start, equity)
        year[0] = _change(year_start, equity)
        before, previous = equity, day
    return returns


def _change(start: float, end: float) -> float | None:
    return end / start - 1 if start > 0 else None
