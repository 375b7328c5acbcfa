"""A recorded market that can be cut, ended, poisoned, mirrored, scaled and begun later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from bitten.model.dtypes import BAR, Ints, Records
from bitten.model.quotes import Quotes
from bitten.pattern import Batch

BEGINNING: Final = -(1 << 62)

_PRICES: Final = ("open", "high", "low", "close")
_SPREADS: Final = ("spread_sum", "spread_min", "spread_max")
_GUARD: Final = 3  # rows of nonsense behind every array that is handed over


@dataclass(frozen=True, eq=False)
class Replay:
    """A recorded market: closed bars by timeframe and quotes, all of one symbol."""

    bars: Mapping[str, Records]
    quotes: Quotes
    source_ns: int = 0  # period of the bars that the feed replays, 0 for ticks

    @cached_property
    def instants(self) -> Ints:
        """Every instant at which something becomes known."""
        return np.unique(np.concatenate([self.quotes.ts, *self._known.values()]))

    @cached_property
    def _known(self) -> Mapping[str, Ints]:
        return {name: np.ascontiguousarray(rows["known"]) for name, rows in self.bars.items()}

    def batch(self, after: int, until: int) -> Batch:
        """What became known after one instant and up to another, in read-only arrays as the pipeline's are.

        Each array is a copy of its own with nonsense behind its end: a kernel that reads beyond finds no future there.
        """
        bars = {}
        for name, rows in self.bars.items():
            low, high = np.searchsorted(self._known[name], [after, until], "right")
            bars[name] = _guarded(rows[low:high])
        low, high = np.searchsorted(self.quotes.ts, [after, until], "right")
        columns = (self.quotes.ts, self.quotes.bid, self.quotes.ask)
        ts, bid, ask = (_guarded(column[low:high]) for column in columns)
        return Batch(bars, Quotes(self.quotes.symbol, ts, bid, ask), until, self.source_ns)

    def until(self, instant: int) -> Replay:
        """The same market, ended."""
        batch = self.batch(BEGINNING, instant)
        return Replay(batch.bars, batch.quotes, self.source_ns)

    def since(self, start: int) -> Replay:
        """The same market, begun later: no bar and no quote from before an instant."""
        bars = {name: rows[rows["time"] >= start] for name, rows in self.bars.items()}
        late = self.quotes.ts >= start
        quotes = replace(self.quotes, ts=self.quotes.ts[late], bid=self.quotes.bid[late], ask=self.quotes.ask[late])
        return Replay(bars, quotes, self.source_ns)

    def without_quotes(self) -> Replay:
        """The same bars, and no quote."""
        nothing: Ints = np.zeros(0, np.int64)
        return Replay(self.bars, Quotes(self.quotes.symbol, nothing, nothing, nothing), self.source_ns)

    def poisoned(self, after: int, rng: np.random.Generator) -> Replay:
        """The same market with random prices, spreads and volumes after an instant."""
        own = next(iter(self.bars.values()))["close"]
        middle = int(np.median(self.quotes.bid if len(self.quotes) else own))
        poison = self._changed(after, lambda bids: rng.integers(middle // 2, 2 * middle, bids.shape))
        for rows in poison.bars.values():
            late = rows["known"] > after
            for name in ("ticks", *_SPREADS):
                rows[name][late] = rng.integers(1, 1000, int(late.sum()))
        return poison

    def mirrored(self, middle: int) -> Replay:
        """The market at `middle` - p. Quotes change sides: bid' = middle - ask, ask' = middle - bid.

        Bars are bars of bids and stay so: bid' = middle - bid, with their own spreads.
        """
        image = self._changed(BEGINNING, lambda bids: middle - bids)
        quotes = replace(self.quotes, bid=middle - self.quotes.ask, ask=middle - self.quotes.bid)
        return replace(image, quotes=quotes)

    def scaled(self, factor: int) -> Replay:
        """The same market with prices and spreads times a factor."""
        image = self._changed(BEGINNING, lambda bids: factor * bids)
        for rows in image.bars.values():
            for name in _SPREADS:
                rows[name] *= factor
        quotes = replace(self.quotes, bid=factor * self.quotes.bid, ask=factor * self.quotes.ask)
        return replace(image, quotes=quotes)

    def _changed(self, after: int, change: Callable[[Records], Records]) -> Replay:
        """The same market with other bids after an instant and the spreads it had.

        `change` is given bids in any shape and must keep their shape.
        """
        bars = {}
        for name, rows in self.bars.items():
            late = rows["known"] > after
            new = rows.copy()
            levels = change(np.stack([rows[column][late] for column in _PRICES]))
            new["open"][late], new["close"][late] = levels[0], levels[3]
            new["high"][late], new["low"][late] = levels.max(axis=0), levels.min(axis=0)
            bars[name] = new
        late = self.quotes.ts > after
        bid = self.quotes.bid.astype(np.int64)
        bid[late] = change(bid[late])
        return Replay(
            bars, replace(self.quotes, bid=bid, ask=bid + (self.quotes.ask - self.quotes.bid)), self.source_ns
        )


def _guarded(rows: Records) -> Records:
    kept = np.ones(rows.size + _GUARD, rows.dtype)
    kept[: rows.size] = rows
    if rows.dtype == BAR:
        kept["time"][rows.size :] = kept["known"][rows.size :] = 1 << 62
    kept.flags.writeable = False
    return kept[: rows.size]
