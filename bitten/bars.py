"""Bars of one symbol and timeframe, built slice by slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bitten.clock import utc_offset_ns
from bitten.kernels.bars import build_bars
from bitten.model.dtypes import BAR, NS_PER_SECOND, Ints, Records
from bitten.model.quotes import BAR_UNIT_NS, Quotes

_NO_VOLUME: Ints = np.empty(0, np.int64)
_HOUR_NS = 3600 * NS_PER_SECOND


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
        """The bars that these quotes complete, dtype BAR; the array is the caller's."""
        if len(quotes) == 0:
            return self._out[:0]
        if self._fixed:
            return self._build(quotes, 0, len(quotes), 0)
        parts = []
        start = 0
        while start < len(quotes):
            shift = utc_offset_ns(self._day, int(quotes.ts[start]))
            stop = self._same_offset_until(quotes.ts, start, shift)
            parts.append(self._build(quotes, start, stop, shift))
            start = stop
        return np.concatenate(parts)

    def _same_offset_until(self, ts: Ints, start: int, shift: int) -> int:
        """Index of the first quote after `start` at which the day's clock is set otherwise; clocks turn on the hour."""
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

    def _build(self, quotes: Quotes, start: int, stop: int, shift: int) -> Records:
        ts = quotes.ts[start:stop]
        room = min(ts.size, int(ts[-1] - ts[0]) // self.bar_ns + 2) + 1
        if self._out.size < room:
            self._out = np.zeros(room, BAR)
        volume = _NO_VOLUME if quotes.volume is None else quotes.volume[start // 4 : (stop + 3) // 4]
        count = build_bars(
            ts,
            quotes.bid[start:stop],
            quotes.ask[start:stop],
            volume,
            self.bar_ns,
            shift,
            BAR_UNIT_NS if quotes.bar_ns else 0,
            self._bar,
            self._out,
        )
        bars = self._out[:count].copy()
        bars.flags.writeable = False  # every pattern of the symbol is given the same array
        return bars


class BarObserver:
    """Sees the bars of every slice, for instance to sketch candles for the report. It cannot influence anything."""

    def bars(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """The quotes of a slice and the bars they completed, by timeframe."""
