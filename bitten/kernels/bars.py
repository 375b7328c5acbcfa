"""Bars from quotes: one kernel, one bar of carried state, any period."""

from __future__ import annotations

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Records


@kernel
def build_bars(
    ts: Ints, bid: Ints, ask: Ints, volume: Ints, bar_ns: int, shift: int, eager_ns: int, bar: Records, out: Records
) -> int:
    """Write the bars that these quotes complete and return how many.

    Args:
        ts: ns UTC, sorted, shape (n,); `bid` and `ask` likewise, in points.
        volume: tick volume of source bars, one per four quotes; an empty array where the source is ticks.
        bar_ns: the period; bars start at multiples of it on a clock `shift` ns ahead of UTC.
        eager_ns: 0 for ticks: a bar is complete with the first quote at or after its end. For quotes made of bars
            the unit of time: a quote within it of the bar's end completes the bar.
        bar: the bar under construction, shape (1,), dtype BAR; `quotes` is 0 before the first quote.
        out: dtype BAR, room for every bar that can end here.
    """
    count = 0
    i = 0
    n = ts.size
    now = bar[0]
    while i < n:
        if now["quotes"] == 0:
            now["time"] = (ts[i] + shift) // bar_ns * bar_ns - shift
            now["open"] = now["high"] = now["low"] = bid[i]
            now["spread_min"] = now["spread_max"] = ask[i] - bid[i]
            now["ticks"] = 0
            now["spread_sum"] = 0
        end = now["time"] + bar_ns
        high, low = now["high"], now["low"]
        narrow, wide, spreads = now["spread_min"], now["spread_max"], now["spread_sum"]
        first = i
        while i < n and ts[i] < end:
            high = max(high, bid[i])
            low = min(low, bid[i])
            spread = ask[i] - bid[i]
            narrow = min(narrow, spread)
            wide = max(wide, spread)
            spreads += spread
            i += 1
        if i > first:
            now["close"] = bid[i - 1]
            now["quotes"] += i - first
            now["high"], now["low"] = high, low
            now["spread_min"], now["spread_max"], now["spread_sum"] = narrow, wide, spreads
            if volume.size:
                for k in range(first, i):
                    if k % 4 == 0:
                        now["ticks"] += volume[k // 4]
            else:
                now["ticks"] += i - first
        whole = eager_ns > 0 and i > first and ts[i - 1] >= end - eager_ns
        if whole or i < n:
            out[count] = now
            out[count]["known"] = ts[i - 1] if whole else ts[i]
            count += 1
            now["quotes"] = 0
    return count
