"""Small histories for tests of feeds and the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bitten.feed import Feed, FeedContext
from bitten.model.dtypes import Ints
from bitten.model.instruments import load_instruments
from bitten.model.quotes import Slice
from bitten.store.columns import BarColumns, Source, TickColumns

INSTRUMENTS = load_instruments()
START = 1_398_902_400_000_000_000  # 2014-05-01 00:00 UTC
MS = 1_000_000
MINUTE = 60_000 * MS
SOURCE = Source("truefx", ("a.csv",), "UTC", {"crossed": "drop"}, {"rows": 3})


def ticks(times_ms: Iterable[int], bid: int = 138_000, spread: int = 8) -> TickColumns:
    """Ticks at ms after `START`, every quote different from its neighbours."""
    ts = START + np.array(list(times_ms), np.int64) * MS
    bids = bid + np.arange(ts.size, dtype=np.int64) * 7 % 101
    return TickColumns(ts, bids, bids + spread)


def bars(starts: Iterable[int], timeframe: str = "M1", spread: int = 5, price: int = 138_000) -> BarColumns:
    """Bars at minutes after `START`; every second one falls."""
    time = START + np.array(list(starts), np.int64) * MINUTE
    up = np.where(np.arange(time.size) % 2, -4, 4)
    opening = price + np.arange(time.size, dtype=np.int64)
    return BarColumns(
        timeframe,
        time,
        opening,
        opening + 10,
        opening - 9,
        opening + up,
        np.full(time.size, spread, np.int64),
        np.arange(time.size, dtype=np.int64) + 100,
    )


def context(
    folder: Path,
    *symbols: str,
    start: int | None = None,
    end: int | None = None,
    intrabar: str = "pessimistic",
    data: Any = None,
) -> FeedContext:
    """What the pipeline would tell a feed."""
    known = {symbol: INSTRUMENTS[symbol] for symbol in symbols}
    return FeedContext(symbols, known, start, end, folder, intrabar=intrabar, data=data)


def collect(feed: Feed) -> dict[str, tuple[Ints, Ints, Ints]]:
    """All quotes by symbol, after checking every promise that slices make."""
    parts: dict[str, list[Any]] = {}
    previous = -(2**63) + 1
    for piece in feed.slices():
        check_slice(piece, previous)
        previous = piece.horizon
        for symbol, quotes in piece.quotes.items():
            parts.setdefault(symbol, []).append((quotes.ts, quotes.bid, quotes.ask))
    return {symbol: tuple(map(np.concatenate, zip(*rows, strict=True))) for symbol, rows in parts.items()}  # type: ignore[misc]  # three columns each


def check_slice(piece: Slice, previous: int) -> None:
    assert piece.horizon > previous
    assert piece.quotes
    for symbol, quotes in piece.quotes.items():
        assert quotes.symbol == symbol
        assert len(quotes) > 0
        assert quotes.ts[0] > previous
        assert quotes.ts[-1] <= piece.horizon
        assert (np.diff(quotes.ts) >= 0).all()
        if quotes.bar_ns:
            assert len(quotes) % 4 == 0
            assert quotes.volume is not None
            assert quotes.volume.size * 4 == len(quotes)
