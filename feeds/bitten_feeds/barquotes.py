"""Bars as quotes for the pipeline."""

from __future__ import annotations

import numpy as np

from bitten.clock import iso
from bitten.errors import DataError
from bitten.kernels.barquotes import expand_bars
from bitten.kernels.jit import announce_compilation
from bitten.model.dtypes import Ints
from bitten.model.instrument import Instrument
from bitten.model.quotes import BAR_UNIT_NS, QUOTES_PER_BAR, Quotes
from bitten.model.timeframe import timeframe_ns
from bitten.store.columns import BarColumns
from bitten_feeds.horizon import frozen

_NONE: Ints = np.empty(0, np.int64)


def bar_quotes(instrument: Instrument, bars: BarColumns, pessimistic: bool) -> Quotes:
    """Four quotes a bar; with `pessimistic`, what open positions see is each bar's worse order of extremes."""
    announce_compilation()
    bar_ns = timeframe_ns(bars.timeframe)
    count = QUOTES_PER_BAR * bars.time.size
    ts, bid, ask = (np.empty(count, np.int64) for _ in range(3))
    long_exit, short_exit = (np.empty(count, np.int64) if pessimistic else _NONE for _ in range(2))
    expand_bars(
        _own(bars.time),
        _own(bars.open),
        _own(bars.high),
        _own(bars.low),
        _own(bars.close),
        _own(bars.spread),
        instrument.default_spread,
        bar_ns,
        BAR_UNIT_NS,
        ts,
        bid,
        ask,
        long_exit,
        short_exit,
    )
    return Quotes(
        instrument.symbol,
        frozen(ts),
        frozen(bid),
        frozen(ask),
        bar_ns,
        frozen(long_exit) if pessimistic else None,
        frozen(short_exit) if pessimistic else None,
        frozen(_own(bars.volume)),
    )


def _own(column: Ints) -> Ints:
    """A writable int64 copy: one kind of array for the kernel, whatever the width in the file."""
    return np.array(column, np.int64)


def check_apart(symbol: str, timeframe: str, time: Ints) -> None:
    """Check that every bar ends before the next one starts.

    Raises:
        DataError: one does not.
    """
    early = np.diff(time) < timeframe_ns(timeframe)
    if early.any():
        at = int(np.argmax(early))
        raise DataError(
            f"{timeframe} bars of {symbol} overlap: one starts at {iso(int(time[at]), 0)}, the next at "
            f"{iso(int(time[at + 1]), 0)} UTC; the timeframe or the clock of the import is wrong"
        )


def spread_note(instrument: Instrument, timeframe: str, absent: int, bars: int) -> str:
    """What a reader of the results must know where bars have no spread of their own."""
    return (
        f"{instrument.symbol}: {absent:,} of {bars:,} {timeframe} bars have no spread; the default of "
        f"{instrument.default_spread} points is used"
    )
