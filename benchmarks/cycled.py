"""A feed for long runs: the store's quotes again and again, each time decoded anew and later by whole weeks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from benchmarks.stores import WEEK_NS
from bitten import hookimpl
from bitten.feed import Feed, FeedContext, FeedFacts
from bitten.model.quotes import Quotes, Slice
from bitten_feeds.parquet import ParquetConfig, ParquetFeed


class CycledConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[feed] use = "cycled"`."""

    store: str
    cycles: int = 1
    weeks: int = 1  # that the store holds: by so many every cycle is later than the one before


class CycledFeed(Feed):
    """Prices jump where a cycle begins; otherwise this is the store."""

    Config = CycledConfig

    def __init__(self, config: CycledConfig, context: FeedContext) -> None:
        self._config = config
        self._stored = ParquetFeed(ParquetConfig(store=config.store), context)

    def facts(self) -> FeedFacts:
        """The store's, with its quotes counted once for each cycle."""
        facts = self._stored.facts()
        quotes = None if facts.quotes is None else facts.quotes * self._config.cycles
        return FeedFacts(quotes, facts.synthetic, facts.fingerprints, (*facts.notes, "the store's quotes, cycled"))

    def slices(self) -> Iterator[Slice]:
        """Slices of the store; the first cycle is shifted too, by nothing, so that all cost the same."""
        for cycle in range(self._config.cycles):
            shift = cycle * self._config.weeks * WEEK_NS
            for piece in self._stored.slices():
                quotes = {name: _later(some, shift) for name, some in piece.quotes.items()}
                yield Slice(piece.horizon + shift, quotes)


def _later(quotes: Quotes, shift: int) -> Quotes:
    return Quotes(quotes.symbol, quotes.ts + shift, quotes.bid, quotes.ask)


class Plugin:
    """Offers the feed to a manager of one's own."""

    @hookimpl
    def bitten_feeds(self) -> Mapping[str, Any]:
        """The cycled store."""
        return {"cycled": CycledFeed}


PLUGIN: Final = {"benchmark": Plugin()}
