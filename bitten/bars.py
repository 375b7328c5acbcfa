"""Bars of one symbol and timeframe, built slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np

from bitten.clock import utc_offset_ns
from bitten.kernels.bars import build_bars, merge_bars
from bitten.model.dtypes import BAR, NS_PER_SECOND, Ints, Records
from bitten.model.quotes import BAR_UNIT_NS, Quotes
from bitten.model.timeframe import timeframe_ns

_NO_VOLUME: Ints = np.empty(0, np.int64)
_HOUR_NS = 3600 * NS_PER_SECOND
_QUARTER_NS = _HOUR_NS // 4


class BarBuilder:
    """Builds the bars of one period.

    Args:
        bar_ns: the period.
        day: the clock on whose midnights days (and the longer intraday bars) start, e.g. "UTC" or "NY+7".
    """

    def __init__(self, bar_ns: int, day: str = "UTC") -> None:
        self.bar_ns = bar_ns
        self._day = day
        self._fixed = bar_ns <= _HOUR_NS or day == "UTC"
        self._bar: Records = np.zeros(1, BAR)
        self._out: Records = np.zeros(64, BAR)

    def update(self, quotes: Quotes) -> Records:
        """The bars that these quotes complete, dtype BAR, read-only."""
        eager = BAR_UNIT_NS if quotes.bar_ns else 0

        def build(start: int, stop: int, shift: int) -> int:
            volume = _NO_VOLUME if quotes.volume is None else quotes.volume[start // 4 : (stop + 3) // 4]
            ts, bid, ask = quotes.ts[start:stop], quotes.bid[start:stop], quotes.ask[start:stop]
            return build_bars(ts, bid, ask, volume, self.bar_ns, shift, eager, self._bar, self._out)

        return self._make(quotes.ts, build)

    def merge(self, bars: Records) -> Records:
        """The bars that these shorter bars of ticks complete: the same as from their quotes, dtype BAR, read-only."""
        return self._make(
            bars["time"],
            lambda start, stop, shift: merge_bars(bars[start:stop], self.bar_ns, shift, self._bar, self._out),
        )

    def _make(self, ts: Ints, build: Callable[[int, int, int], int]) -> Records:
        """Build from `ts[start:stop]` and what belongs to it, in stretches in which the day's clock stands still."""
        parts = []
        start = 0
        while start < ts.size:
            shift = 0 if self._fixed else utc_offset_ns(self._day, int(ts[start]))
            stop = int(ts.size) if self._fixed else self._same_offset_until(ts, start, shift)
            room = min(stop - start, int(ts[stop - 1] - ts[start]) // self.bar_ns + 2) + 2
            if self._out.size < room:
                self._out = np.zeros(room, BAR)
            parts.append(self._out[: build(start, stop, shift)].copy())
            start = stop
        bars: Records = parts[0] if len(parts) == 1 else np.concatenate([self._out[:0], *parts])
        bars.flags.writeable = False  # every pattern of the symbol is given the same array
        return bars

    def _same_offset_until(self, ts: Ints, start: int, shift: int) -> int:
        """Index of the first time after `start` at which the day's clock is set otherwise; clocks turn on the hour."""
        if utc_offset_ns(self._day, int(ts[-1])) == shift:
            return int(ts.size)
        low, high = int(ts[start]) // _HOUR_NS, int(ts[-1]) // _HOUR_NS
        while high - low > 1:
            middle = (low + high) // 2
            if utc_offset_ns(self._day, middle * _HOUR_NS) == shift:
                low = middle
            else:
                high = middle
        return max(start + 1, int(ts.searchsorted(high * _HOUR_NS)))


class BarLadder:
    """All bars of one symbol: the shortest from quotes, each longer one from the longest that it is a multiple of.

    Args:
        timeframes: names, e.g. ["M1", "M5"].
        day: as for `BarBuilder`.
    """

    def __init__(self, timeframes: Iterable[str], day: str = "UTC") -> None:
        self._builders: dict[str, BarBuilder] = {}
        self._parents: dict[str, str | None] = {}
        for name in sorted(timeframes, key=timeframe_ns):
            period = timeframe_ns(name)
            nested = [shorter for shorter in self._builders if _nests(timeframe_ns(shorter), period, day)]
            self._builders[name] = BarBuilder(period, day)
            self._parents[name] = nested[-1] if nested else None

    def update(self, quotes: Quotes) -> dict[str, Records]:
        """The bars that these quotes complete, by timeframe."""
        bars: dict[str, Records] = {}
        for name, builder in self._builders.items():
            parent = self._parents[name]
            # quotes made of bars complete a bar with its own close, before it is known that none follows
            bars[name] = builder.update(quotes) if parent is None or quotes.bar_ns else builder.merge(bars[parent])
        return bars


def _nests(shorter_ns: int, period_ns: int, day: str) -> bool:
    """Whether bars of one period never straddle those of the other."""
    if day == "UTC" or period_ns <= _HOUR_NS:
        return period_ns % shorter_ns == 0
    return _QUARTER_NS % shorter_ns == 0  # clocks are set in steps of a quarter of an hour


class BarObserver(Protocol):
    """Sees the quotes and bars of every slice before anything in it is decided: shields, and the report's candles."""

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """The quotes of a slice and the bars they completed, by timeframe."""
