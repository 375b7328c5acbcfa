"""Bars from quotes, and longer bars from shorter ones: one bar of carried state, any period."""

from __future__ import annotations

from typing import Final

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Record, Records

_LEAP: Final = 32


@kernel
def first_from(ts: Ints, start: int, instant: int) -> int:
    """Index of the first of the sorted times, from `start` on, at or after an instant.

    Whole blocks are leapt over; in the last one times are counted, all of them, which SIMD does faster than a search.
    """
    i = start
    while i + _LEAP <= ts.size and ts[i + _LEAP - 1] < instant:
        i += _LEAP
    block = ts[i : i + _LEAP]
    before = 0
    for k in range(block.size):
        before += block[k] < instant
    return i + before


@kernel
def take_quotes(now: Record, bid: Ints, ask: Ints) -> None:
    """Let at least one quote of its period enter a bar. Loops run over slices from 0 on: those compile to SIMD."""
    high, low = bid[0], bid[0]
    for k in range(bid.size):
        high = max(high, bid[k])
        low = min(low, bid[k])
    narrow, wide, spreads = ask[0] - bid[0], ask[0] - bid[0], 0
    for k in range(bid.size):
        spread = ask[k] - bid[k]
        narrow = min(narrow, spread)
        wide = max(wide, spread)
        spreads += spread
    if now["quotes"] == 0:
        now["open"], now["high"], now["low"] = bid[0], high, low
        now["spread_min"], now["spread_max"], now["spread_sum"] = narrow, wide, spreads
    else:
        now["high"], now["low"] = max(now["high"], high), min(now["low"], low)
        now["spread_min"], now["spread_max"] = min(now["spread_min"], narrow), max(now["spread_max"], wide)
        now["spread_sum"] += spreads
    now["close"] = bid[bid.size - 1]
    now["quotes"] += bid.size


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
        out: dtype BAR, room for every bar that can end here and one more.
    """
    count = 0
    i = 0
    n = ts.size
    out[0] = bar[0]
    while i < n:
        now = out[count]  # bars are built where they will lie
        if now["quotes"] == 0:
            now["time"] = (ts[i] + shift) // bar_ns * bar_ns - shift
            now["ticks"] = 0
        end = now["time"] + bar_ns
        first = i
        i = first_from(ts, first, end)
        if i > first:
            take_quotes(now, bid[first:i], ask[first:i])
            if volume.size:
                for k in range(first, i):
                    if k % 4 == 0:
                        now["ticks"] += volume[k // 4]
            else:
                now["ticks"] += i - first
        whole = eager_ns > 0 and i > first and ts[i - 1] >= end - eager_ns
        if whole or i < n:
            now["known"] = ts[i - 1] if whole else ts[i]
            count += 1
            out[count]["quotes"] = 0
    bar[0] = out[count]
    return count


@kernel
def merge_bars(bars: Records, bar_ns: int, shift: int, bar: Records, out: Records) -> int:
    """Write the longer bars that these bars of ticks complete and return how many; the same as `build_bars` gives.

    Args:
        bars: dtype BAR, of a period that divides the longer one; each is known with the first quote after it.
        bar_ns, shift, bar, out: as for `build_bars`.
    """
    count = 0
    out[0] = bar[0]
    for i in range(bars.size):
        part = bars[i]
        now = out[count]
        if now["quotes"] == 0:
            out[count] = part
            now["time"] = (part["time"] + shift) // bar_ns * bar_ns - shift
        else:
            now["high"], now["low"] = max(now["high"], part["high"]), min(now["low"], part["low"])
            now["spread_min"] = min(now["spread_min"], part["spread_min"])
            now["spread_max"] = max(now["spread_max"], part["spread_max"])
            now["spread_sum"] += part["spread_sum"]
            now["close"] = part["close"]
            now["ticks"] += part["ticks"]
            now["quotes"] += part["quotes"]
        if part["known"] >= now["time"] + bar_ns:
            now["known"] = part["known"]
            count += 1
            out[count]["quotes"] = 0
    bar[0] = out[count]
    return count
