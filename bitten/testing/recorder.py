"""The beginning of a real history as a market for the laws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from bitten.bars import BarLadder
from bitten.detectors import known_quotes
from bitten.errors import DataError
from bitten.history import History
from bitten.model.dtypes import BAR, Records
from bitten.model.quotes import Quotes, no_quotes
from bitten.model.timeframe import timeframe_name, timeframe_ns
from bitten.pattern import Pattern
from bitten.testing.replay import Replay
from bitten.testing.trial import Recording

BARS: Final = 20_000  # of a real history; causality runs it some fifty times


def record(history: History, kind: type[Pattern], bars: int = BARS) -> Recording:
    """The first bars of a history and its quotes, as the pipeline would hand them to a pattern.

    Args:
        history: of one symbol.
        kind: the pattern's class, for the context timeframes that it wants.
        bars: how many closed bars of the history's timeframe at least, if it has so many.

    Raises:
        DataError: the source's bars cannot make a timeframe that is wanted, or the history is empty.
    """
    timeframes = (history.timeframe, *kind.context_timeframes)
    ladder = BarLadder(timeframes)
    collected: dict[str, list[Records]] = {name: [] for name in timeframes}
    chunks = []
    source_ns = 0
    for piece in history.slices():
        quotes = piece.quotes.get(history.symbol) or no_quotes(history.symbol)
        source_ns = quotes.bar_ns or source_ns
        _check_source(kind, history, timeframes, source_ns)
        for name, rows in ladder.update(quotes).items():
            collected[name].append(rows)
        chunks.append(known_quotes(quotes))
        if sum(rows.size for rows in collected[history.timeframe]) >= bars:
            break
    market = {name: np.concatenate([np.zeros(0, BAR), *rows]) for name, rows in collected.items()}
    if not market[history.timeframe].size:
        raise DataError(f"{history.source}: it holds no closed {history.timeframe} bar of {history.symbol}")
    replay = Replay(market, _joined(history.symbol, chunks), source_ns)
    return Recording(f"{history.symbol} {history.timeframe}", replay, history.instrument, history.timeframe)


def _joined(symbol: str, chunks: Iterable[Quotes]) -> Quotes:
    columns = [(quotes.ts, quotes.bid, quotes.ask) for quotes in chunks]
    ts, bid, ask = (np.concatenate(parts).astype(np.int64) for parts in zip(*columns, strict=True))
    return Quotes(symbol, ts, bid, ask)


def _check_source(kind: type[Pattern], history: History, timeframes: Iterable[str], source_ns: int) -> None:
    for name in timeframes:
        if source_ns and timeframe_ns(name) % source_ns:
            raise DataError(
                f"{kind.__name__} wants {name} bars of {history.symbol}, but {history.source} holds "
                f"{timeframe_name(source_ns)} bars, which cannot be cut finer"
            )
