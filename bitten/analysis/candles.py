"""The candles a report draws: collected while a run streams by, in memory that does not grow with its length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.model.dtypes import NS_PER_MINUTE, Ints, Records

LADDER: Final = tuple(minutes * NS_PER_MINUTE for minutes in (1, 5, 15, 60, 240, 1440))  # M1 M5 M15 H1 H4 D1

CANDLE_BUDGET: Final = 400_000  # over all symbols of a report; about a year of M1, a megabyte or two

_NAMES: Final = ("time", "open", "high", "low", "close")
_CANDLE: Final = np.dtype([(name, np.int64) for name in _NAMES])
_FIRST_CAPACITY: Final = 1024
_AT_ONCE: Final = 16_384  # bars


@dataclass(frozen=True, slots=True)
class CandleSet:
    """Bid candles of one symbol, all columns int64 of shape (n,), ascending in time; prices in points."""

    digits: int  # decimals of a price
    timeframe_ns: int
    time: Ints  # start of the candle, ns UTC
    open: Ints
    high: Ints
    low: Ints
    close: Ints

    @property
    def size(self) -> int:
        """Number of candles."""
        return self.time.size


def coarser(timeframe_ns: int) -> int | None:
    """The next step of `LADDER` that holds whole bars of this length; None above D1."""
    return next((step for step in LADDER if step > timeframe_ns and step % timeframe_ns == 0), None)


def coarsen(candles: CandleSet, timeframe_ns: int) -> CandleSet:
    """The same candles in a longer timeframe, a whole multiple of their own, aligned to 1970-01-01 UTC."""
    rows = np.empty(candles.size, _CANDLE)
    for name in _NAMES:
        rows[name] = getattr(candles, name)
    return _candle_set(_merge(rows, timeframe_ns), candles.digits, timeframe_ns)


class CandleSketch:
    """Collects closed bars slice by slice; a symbol with more than `limit` of them moves to the next coarser timeframe.

    What it holds at the end depends on the bars alone, not on how they were cut into slices.

    Args:
        limit: candles kept per symbol. Nothing is coarser than D1.
    """

    def __init__(self, limit: int = 400_000) -> None:
        self._limit = limit
        self._series: dict[str, _Series] = {}

    def add(self, symbol: str, bars: Records, *, timeframe_ns: int, digits: int) -> None:
        """Take the next closed bars of a symbol.

        Args:
            symbol: the instrument's name.
            bars: array of dtype `bitten.model.dtypes.BAR`, later than all bars added before.
            timeframe_ns: length of these bars, the same in every call for this symbol.
            digits: decimals of the symbol's prices.
        """
        if symbol not in self._series:
            self._series[symbol] = _Series(timeframe_ns, digits)
        self._series[symbol].add(bars, self._limit)

    def sets(self) -> dict[str, CandleSet]:
        """The candles of every symbol, by name, in the order in which the symbols first came."""
        for series in self._series.values():
            series.take_in(self._limit)
        return {symbol: series.candles() for symbol, series in self._series.items()}


class _Series:
    """One symbol's candles in an array that doubles when it is full."""

    def __init__(self, timeframe_ns: int, digits: int) -> None:
        self._base_ns = timeframe_ns
        self._timeframe_ns = timeframe_ns
        self._digits = digits
        self._rows = np.empty(_FIRST_CAPACITY, _CANDLE)
        self._size = 0
        self._pending = np.empty(_AT_ONCE, _CANDLE)  # not yet taken in: few at a time would cost as much as many
        self._waiting = 0

    def add(self, bars: Records, limit: int) -> None:
        if self._waiting + bars.size > self._pending.size:
            self.take_in(limit)
            if bars.size > self._pending.size:
                self._pending = np.empty(bars.size, _CANDLE)
        rows = self._pending[self._waiting : self._waiting + bars.size]
        for name in _NAMES:
            rows[name] = bars[name]
        self._waiting += bars.size

    def take_in(self, limit: int) -> None:
        self._append(self._pending[: self._waiting])
        self._waiting = 0
        while self._size > limit and (step := coarser(self._timeframe_ns)) is not None:
            self._timeframe_ns = step
            kept = _merge(self._rows[: self._size], step)
            self._rows[: kept.size] = kept
            self._size = kept.size

    def candles(self) -> CandleSet:
        return _candle_set(self._rows[: self._size].copy(), self._digits, self._timeframe_ns)

    def _append(self, rows: Records) -> None:
        if rows.size and self._timeframe_ns != self._base_ns:  # base bars are whole, and start where their maker says
            start = rows["time"][0] // self._timeframe_ns * self._timeframe_ns
            if self._rows["time"][self._size - 1] == start:  # the last candle goes on
                self._size -= 1
                rows = np.concatenate((self._rows[self._size : self._size + 1], rows))
            rows = _merge(rows, self._timeframe_ns)
        needed = self._size + rows.size
        if needed > self._rows.size:
            grown = np.empty(max(needed, 2 * self._rows.size), _CANDLE)
            grown[: self._size] = self._rows[: self._size]
            self._rows = grown
        self._rows[self._size : needed] = rows
        self._size = needed


def _merge(rows: Records, timeframe_ns: int) -> Records:
    """One candle for each run of rows that start within the same period."""
    starts = rows["time"] // timeframe_ns * timeframe_ns
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1))
    merged = np.empty(first.size, _CANDLE)
    if first.size:
        merged["time"] = starts[first]
        merged["open"] = rows["open"][first]
        merged["high"] = np.maximum.reduceat(rows["high"], first)
        merged["low"] = np.minimum.reduceat(rows["low"], first)
        merged["close"] = rows["close"][np.append(first[1:], rows.size) - 1]
    return merged


def _candle_set(rows: Records, digits: int, timeframe_ns: int) -> CandleSet:
    time, opened, high, low, close = (np.ascontiguousarray(rows[name]) for name in _NAMES)
    return CandleSet(digits, timeframe_ns, time, opened, high, low, close)
