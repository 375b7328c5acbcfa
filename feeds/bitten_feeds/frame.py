"""Frames as a feed: what a notebook hands over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from bitten.errors import DataError
from bitten.feed import Feed, FeedContext, FeedFacts
from bitten.model.quotes import QUOTES_PER_BAR, Quotes, Slice
from bitten.model.timeframe import timeframe_ns
from bitten.store.block import Block, from_columns, to_columns
from bitten.store.columns import NO_SPREAD, BarColumns, TickColumns
from bitten.store.parquet import fingerprint
from bitten_feeds.barquotes import bar_quotes, check_apart, spread_note
from bitten_feeds.frametables import columns_of, tables_by_symbol
from bitten_feeds.horizon import END, Piece, frozen, slices

_ROWS: Final = 262_144  # quotes in a piece


class FrameConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[feed] use = "frame"`.

    Attributes:
        bars: the timeframe of the frames' bars (`time open high low close`, and `spread` in points and `volume` where
            they have them); without it frames hold ticks (`time bid ask`).
    """

    bars: str | None = None


class FrameFeed(Feed):
    """Replays frames: decimal prices become points here, and what must not enter is refused here.

    Times with a zone are converted to UTC, times without one are UTC. Column names may be in any case; the time may
    be the index of a pandas frame.
    """

    Config = FrameConfig

    def __init__(self, config: FrameConfig, context: FeedContext) -> None:
        self._context = context
        self._bar_ns = timeframe_ns(config.bars) if config.bars is not None else 0
        self._notes: list[str] = []
        self._blocks: dict[str, Block] = {}
        for symbol, table in tables_by_symbol(context.data, context.symbols).items():
            try:
                columns, rounded = columns_of(table, context.instruments[symbol], config.bars)
                block = self._blocks[symbol] = self._wanted(from_columns(columns))
            except DataError as error:
                raise DataError(f"frame of {symbol}: {error}") from error
            if rounded:
                digits = context.instruments[symbol].digits
                self._notes.append(f"{symbol}: {rounded:,} prices were rounded to {digits} digits")
            if config.bars is not None:
                check_apart(symbol, config.bars, block.time)
                if absent := int((block.columns["spread"] == NO_SPREAD).sum()):
                    self._notes.append(spread_note(context.instruments[symbol], config.bars, absent, len(block)))

    def facts(self) -> FeedFacts:
        """Counts and digests of the frames' own rows."""
        per_row = QUOTES_PER_BAR if self._bar_ns else 1
        return FeedFacts(
            quotes=sum(map(len, self._blocks.values())) * per_row,
            fingerprints={symbol: fingerprint(block) for symbol, block in self._blocks.items()},
            notes=tuple(self._notes),
        )

    def slices(self) -> Iterator[Slice]:
        """Slices of bounded size."""
        return slices({symbol: self._pieces(symbol, block) for symbol, block in self._blocks.items()})

    def _wanted(self, block: Block) -> Block:
        start, end = self._context.start, self._context.end
        first = 0 if start is None else int(block.time.searchsorted(start))
        # a bar is wanted where all of it is
        last = len(block) if end is None else int(block.time.searchsorted(end - max(self._bar_ns - 1, 0)))
        if first >= last:
            raise DataError("no rows" if len(block) == 0 else "no rows in the configured time range")
        return block.rows(slice(first, last))

    def _pieces(self, symbol: str, block: Block) -> Iterator[Piece]:
        size = _ROWS // QUOTES_PER_BAR if self._bar_ns else _ROWS
        for start in range(0, len(block), size):
            stop = start + size
            columns = to_columns(block.rows(slice(start, stop)))
            if isinstance(columns, BarColumns):
                quotes = bar_quotes(self._context.instruments[symbol], columns, self._context.intrabar == "pessimistic")
            else:
                quotes = _tick_quotes(symbol, columns)
            yield Piece(quotes, int(block.time[stop]) - 1 if stop < len(block) else END)


def _tick_quotes(symbol: str, ticks: TickColumns) -> Quotes:
    return Quotes(symbol, frozen(ticks.ts[:]), frozen(ticks.bid[:]), frozen(ticks.ask[:]))
