"""Quotes that stand for bars, four to a bar."""

from __future__ import annotations

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints


@kernel
def expand_bars(
    time: Ints,
    opening: Ints,
    high: Ints,
    low: Ints,
    close: Ints,
    spread: Ints,
    default_spread: int,
    bar_ns: int,
    unit_ns: int,
    ts: Ints,
    bid: Ints,
    ask: Ints,
    long_exit: Ints,
    short_exit: Ints,
) -> int:
    """Write open, both extremes and close of every bar as quotes; return how many bars had no spread of their own.

    The open comes at the bar's time, the extremes at one and two thirds of the bar, low first where close >= open,
    the close one unit of time before the bar's end. Ask is bid + spread.

    Args:
        time: starts of the bars in ns UTC, shape (n,); prices in points and `spread` likewise, negative where absent.
        default_spread: points, where the bar has none.
        bar_ns: the period.
        unit_ns: the unit of time by which the close precedes the bar's end.
        ts: out, shape (4n,); `bid` and `ask` likewise.
        long_exit: out, shape (4n,): bids in the order open, low, high, close whatever the bar; or shape (0,).
        short_exit: out, shape (4n,): asks in the order open, high, low, close; or shape (0,).
    """
    absent = 0
    third = bar_ns // 3
    for i in range(time.size):
        k = 4 * i
        distance = spread[i]
        if distance < 0:
            distance = default_spread
            absent += 1
        rising = close[i] >= opening[i]
        ts[k] = time[i]
        ts[k + 1] = time[i] + third
        ts[k + 2] = time[i] + 2 * third
        ts[k + 3] = time[i] + bar_ns - unit_ns
        bid[k] = opening[i]
        bid[k + 1] = low[i] if rising else high[i]
        bid[k + 2] = high[i] if rising else low[i]
        bid[k + 3] = close[i]
        for j in range(k, k + 4):
            ask[j] = bid[j] + distance
        if long_exit.size:
            long_exit[k] = opening[i]
            long_exit[k + 1] = low[i]
            long_exit[k + 2] = high[i]
            long_exit[k + 3] = close[i]
            short_exit[k] = opening[i] + distance
            short_exit[k + 1] = high[i] + distance
            short_exit[k + 2] = low[i] + distance
            short_exit[k + 3] = close[i] + distance
    return absent
