"""The formulas: plain numbers and arrays in, a float or None out. None means undefined, never 0 and never NaN.

Sharpe, Sortino and drawdown agree with quantstats, empyrical and ffn; all definitions with their sources stand in
docs/run-folder.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.model.dtypes import NS_PER_SECOND, Bools, Floats, Ints

TRADING_DAYS: Final = 252
NS_PER_DAY: Final = 86_400 * NS_PER_SECOND
NS_PER_YEAR: Final = NS_PER_DAY * 1461 // 4  # 365.25 days
SHORTEST_ANNUALISED_NS: Final = 30 * NS_PER_DAY
Z_95: Final = 1.959963984540054  # two-sided 95 % quantile of the normal distribution
SQN_CAP: Final = 100  # Van Tharp caps the number of trades, so that a high count cannot stand in for an edge
_NOISE: Final = 1e-12  # a spread of values below this share of their size is rounding, not variance


def finite(value: float) -> float | None:
    """The value as a Python float, None where it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None


def money(value: float) -> float | None:
    """A sum of money without the float noise that adding cents leaves behind (rounded to 6 decimals)."""
    number = finite(value)
    return None if number is None else round(number, 6) + 0.0  # + 0.0 turns -0.0 into 0.0


def ratio(above: float, below: float) -> float | None:
    """`above / below`, None where that is undefined."""
    return finite(above / below) if below else None


def wilson(wins: int, trades: int) -> tuple[float, float] | None:
    """Wilson score interval, 95 %, of a share of wins (E. B. Wilson, JASA 22, 1927); None without trades."""
    if trades == 0:
        return None
    share, z2 = wins / trades, Z_95**2
    middle = share + z2 / (2 * trades)
    half = Z_95 * math.sqrt(share * (1 - share) / trades + z2 / (4 * trades**2))
    scale = 1 + z2 / trades
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def profit_factor(profits: Floats) -> float | None:
    """Sum of the winning trades over the sum of the losing ones; None without a loss."""
    return ratio(float(profits[profits > 0].sum()), -float(profits[profits < 0].sum()))


def deviation(values: Floats) -> float | None:
    """Standard deviation with ddof 1; None for fewer than two values or where they do not differ."""
    if values.size < 2:
        return None
    spread = float(values.std(ddof=1))
    return spread if math.isfinite(spread) and spread > _NOISE * float(np.abs(values).max()) else None


def sharpe(returns: Floats) -> float | None:
    """Annual Sharpe ratio of daily returns: mean / std (ddof 1) * sqrt(252), risk-free rate 0."""
    spread = deviation(returns)
    return None if spread is None else finite(float(returns.mean()) / spread * math.sqrt(TRADING_DAYS))


def sortino(returns: Floats) -> float | None:
    """Annual Sortino ratio: mean * sqrt(252) over the root mean square of min(r, 0), taken over all n returns."""
    if returns.size < 2:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return ratio(float(returns.mean()) * math.sqrt(TRADING_DAYS), downside)


def cagr(first: float, last: float, span_ns: int) -> float | None:
    """Compound annual growth over calendar years of 365.25 days; None below 30 days, which no year can be told from."""
    if first <= 0 or last < 0 or span_ns < SHORTEST_ANNUALISED_NS:
        return None
    return finite((last / first) ** (NS_PER_YEAR / span_ns) - 1)


def sqn(multiples: Floats) -> float | None:
    """System quality number: mean R / std R (ddof 1) * sqrt(min(N, 100)) (Van Tharp)."""
    spread = deviation(multiples)
    if spread is None:
        return None
    return finite(float(multiples.mean()) / spread * math.sqrt(min(multiples.size, SQN_CAP)))


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of an equity curve from a peak."""

    depth: float  # share of the peak, 0.02 is 2 %; 0 where equity never fell
    money: float
    days: float  # calendar days from the peak to the recovery, or to the end where it is still open
    open: bool
    longest_days: float  # the longest time below a peak, which may be another fall


def drawdown(times: Ints, equity: Floats) -> Drawdown | None:
    """Measure the deepest fall. The first value is the start equity, so that a loss on the first day counts.

    Args:
        times: ns UTC, shape (n,), ascending.
        equity: money, shape (n,).
    """
    if equity.size == 0 or equity[0] <= 0:
        return None
    peaks = np.maximum.accumulate(equity)
    depths = 1 - equity / peaks
    trough = int(depths.argmax())
    peak = int(np.flatnonzero(equity[: trough + 1] == peaks[trough])[-1])
    recovered = np.flatnonzero(equity[trough:] >= peaks[trough])
    end = trough + int(recovered[0]) if recovered.size else equity.size - 1
    fallen = bool(depths[trough] > 0)
    return Drawdown(
        depth=float(depths[trough]),
        money=float(peaks[trough] - equity[trough]),
        days=float(times[end] - times[peak]) / NS_PER_DAY if fallen else 0.0,
        open=fallen and not recovered.size,
        longest_days=_longest_below(times, equity < peaks),
    )


def _longest_below(times: Ints, below: Bools) -> float:
    """Days of the longest stretch below a peak, counted from the peak before it to the first value after it."""
    starts, ends = _stretches(below)
    if starts.size == 0:
        return 0.0
    after = np.minimum(ends, times.size - 1)
    return float((times[after] - times[starts - 1]).max()) / NS_PER_DAY


def longest_streak(flags: Bools) -> int:
    """Length of the longest unbroken run of True."""
    starts, ends = _stretches(flags)
    return int((ends - starts).max()) if starts.size else 0


def _stretches(flags: Bools) -> tuple[Ints, Ints]:
    """Start (inclusive) and end (exclusive) indices of every run of True."""
    edges = np.diff(np.concatenate(([False], flags, [False])).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def covered_ns(starts: Ints, ends: Ints) -> int:
    """Length of the union of intervals, ns: overlapping positions count once."""
    if starts.size == 0:
        return 0
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum(starts, ends)[order]
    reached = np.concatenate((starts[:1], np.maximum.accumulate(ends)[:-1]))
    return int(np.maximum(ends - np.maximum(starts, reached), 0).sum())
