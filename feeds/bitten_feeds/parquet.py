"""The store as a feed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

import msgspec
import numpy as np

from bitten.errors import DataError
from bitten.feed import Feed, FeedContext, FeedFacts
from bitten.model.quotes import QUOTES_PER_BAR, Quotes, Slice
from bitten.model.timeframe import timeframe_ns
from bitten.store.block import to_columns
from bitten.store.columns import BarColumns, TickColumns
from bitten.store.months import source_key
from bitten.store.reader import Plan
from bitten.store.repairs import repair_note
from bitten.store.tickstore import TICKS, TickStore
from bitten_feeds.barquotes import bar_quotes, check_apart, spread_note
from bitten_feeds.horizon import END, Piece, slices

_READERS: Final = 2  # decoding threads; they work without the GIL while kernels run


class ParquetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[feed] use = "parquet"`.

    Attributes:
        store: folder of the store, relative to the configuration.
        bars: a timeframe: replay stored bars, four quotes each, instead of ticks.
    """

    store: str = "data"
    bars: str | None = None


class ParquetFeed(Feed):
    """Replays quotes from the store: row groups decoded ahead, memory for about one of them per symbol."""

    Config = ParquetConfig

    def __init__(self, config: ParquetConfig, context: FeedContext) -> None:
        self._context = context
        self._kind = config.bars or TICKS
        if config.bars is not None:
            timeframe_ns(config.bars)
        self._store = TickStore(context.folder / config.store)
        self._plans = {symbol: self._plan(symbol) for symbol in context.symbols}
        self._rows = {symbol: self._checked(symbol, plan) for symbol, plan in self._plans.items()}

    def facts(self) -> FeedFacts:
        """Counts, fingerprints and labels from the files' metadata."""
        per_row = 1 if self._kind == TICKS else QUOTES_PER_BAR
        notes = []
        for symbol, plan in self._plans.items():
            sources = {source_key(source): source for meta in plan.metas for source in meta.sources}
            if repaired := repair_note(symbol, self._kind == TICKS, sources.values()):
                notes.append(repaired)
            absent = sum(group.absent for group in plan.groups)
            if absent:
                bars = sum(group.rows for group in plan.groups)
                notes.append(spread_note(self._context.instruments[symbol], self._kind, absent, bars))
        return FeedFacts(
            quotes=sum(self._rows.values()) * per_row,
            synthetic=any(plan.synthetic for plan in self._plans.values()),
            fingerprints={symbol: plan.fingerprint for symbol, plan in self._plans.items()},
            notes=notes,
        )

    def slices(self) -> Iterator[Slice]:
        """Slices that end where a row group of the symbol that is behind ends."""
        with ThreadPoolExecutor(_READERS, "bitten-decode") as pool:
            yield from slices({symbol: self._pieces(symbol, plan, pool) for symbol, plan in self._plans.items()})

    def _plan(self, symbol: str) -> Plan:
        kinds = self._store.kinds(symbol)
        if kinds and self._kind not in kinds:
            bars = [kind for kind in kinds if kind != TICKS]
            remedy = f'replay them with bars = "{bars[0]}"' if bars else "replay them without bars"
            wanted = "ticks" if self._kind == TICKS else f"{self._kind} bars"
            raise DataError(
                f"the store {self._store.path} holds no {wanted} of {symbol}, it holds {', '.join(kinds)}: {remedy} "
                "under [feed]"
            )
        end = self._context.end
        if end is not None and self._kind != TICKS:
            end -= timeframe_ns(self._kind) - 1  # a bar is wanted where all of it is
        return self._store.plan(symbol, self._kind, self._context.start, end)

    def _checked(self, symbol: str, plan: Plan) -> int:
        """The number of rows that will come, if there are any and their points mean what is configured."""
        rows = plan.rows
        if not rows:
            self._store.refuse_range(symbol, self._kind)
        digits, configured = plan.metas[0].digits, self._context.instruments[symbol].digits
        if digits != configured:
            raise DataError(
                f"{symbol} is stored with {digits} digits and configured with {configured}: set digits = {digits} "
                f"under [instruments.{symbol}] in bitten.toml, or import it into another store"
            )
        return rows

    def _pieces(self, symbol: str, plan: Plan, pool: Executor) -> Iterator[Piece]:
        last: list[int] = []  # the start of the last bar before the block
        for position, block in enumerate(plan.blocks(pool)):
            until = plan.until(position)
            columns = to_columns(block)
            if isinstance(columns, BarColumns):
                check_apart(symbol, self._kind, np.concatenate((np.array(last, np.int64), columns.time)))
                last = columns.time[-1:].tolist() or last
                quotes = bar_quotes(self._context.instruments[symbol], columns, self._context.intrabar == "pessimistic")
            else:
                quotes = _tick_quotes(symbol, columns)
            yield Piece(quotes, END if until is None else until)


def _tick_quotes(symbol: str, ticks: TickColumns) -> Quotes:
    return Quotes(symbol, ticks.ts, ticks.bid, ticks.ask)
