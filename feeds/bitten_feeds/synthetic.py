"""Synthetic ticks that look like FX: for the demo, benchmarks and tests. Their profits mean nothing.

The market is a function of (seed, symbol, instant): any range can be made on its own, in slices of any length, and is
the same on every platform, because randomness is PCG64's raw words and prices are integer arithmetic. What it has:
the trading week Sunday 17:00 to Friday 17:00 New York, activity and spread by hour of the New York day, volatility
that clusters by day (log-AR(1)), fat tails (Student t, 4 degrees), news with a jump and a wide spread, weekend gaps,
the daily break of metals, and no drift but a slow pull to a price level. Symbols do not correlate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from bitten.clock import iso
from bitten.errors import DataError
from bitten.feed import Feed, FeedContext, FeedFacts
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes, Slice
from bitten_feeds.synthetic_market import HOUR_NS, Market

DEFAULT_START: Final = 1_712_523_600_000_000_000  # 2024-04-07 21:00 UTC, a Sunday's open
DEFAULT_WEEKS: Final = 4


class SyntheticConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How dense and how lively the market is."""

    quotes_per_day: Annotated[
        int, msgspec.Meta(ge=100, le=5_000_000, description="mean number of quotes per symbol and trading day")
    ] = 60_000
    daily_volatility: Annotated[
        float, msgspec.Meta(ge=0.05, le=1.5, description="standard deviation of a day's return, in per cent")
    ] = 0.6
    seed: Annotated[int, msgspec.Meta(ge=0, description="which market; the run's seed if absent")] | None = None
    slice_hours: Annotated[
        int, msgspec.Meta(ge=1, le=120, description="trading hours per slice; changes memory, never results")
    ] = 6


def generate_ticks(
    instrument: Instrument,
    start: int,
    end: int,
    seed: int,
    quotes_per_day: int = 60_000,
    daily_volatility: float = 0.6,
) -> Iterator[Quotes]:
    """Quotes of one symbol with `start` <= ts < `end` (ns UTC), one chunk per trading hour, in order.

    Times are whole milliseconds and strictly increase; ask is above bid. At about 60,000 quotes a day one core makes
    tens of millions of quotes per second.

    Raises:
        DataError: `start` is before the first synthetic week.
    """
    market = Market(instrument, seed, quotes_per_day, daily_volatility, end)
    yield from market.quotes(*market.span(start, end), start, end)


class SyntheticFeed(Feed):
    """Made-up quotes with the sessions, spreads, gaps and tails of FX: labelled synthetic wherever they appear."""

    Config = SyntheticConfig

    def __init__(self, config: SyntheticConfig, context: FeedContext) -> None:
        self._start = DEFAULT_START if context.start is None else context.start
        week = 7 * 24 * HOUR_NS
        self._end = self._start + DEFAULT_WEEKS * week if context.end is None else context.end
        if self._end <= self._start:
            raise DataError(
                f"synthetic quotes from {iso(self._start, 0)} to {iso(self._end, 0)}: the end must be later"
            )
        self._config = config
        self._seed = context.seed if config.seed is None else config.seed
        self._markets = {
            symbol: Market(
                context.instruments[symbol], self._seed, config.quotes_per_day, config.daily_volatility, self._end
            )
            for symbol in context.symbols
        }

    def facts(self) -> FeedFacts:
        """The exact number of quotes, a fingerprint of what makes them, and the label."""
        total = sum(market.count(self._start, self._end) for market in self._markets.values())
        return FeedFacts(
            quotes=total,
            synthetic=True,
            fingerprints={
                symbol: hashlib.sha256(repr((market.identity, self._start, self._end)).encode()).hexdigest()
                for symbol, market in self._markets.items()
            },
            notes=(f"SYNTHETIC quotes, seed {self._seed}: results say nothing about any real market",),
        )

    def slices(self) -> Iterator[Slice]:
        """Slices of `slice_hours` trading hours; a horizon is the last instant before the next hour."""
        if not self._markets:
            return
        calendar = next(iter(self._markets.values()))  # the trading week is the same for all
        first, last = calendar.span(self._start, self._end)
        for begin in range(first, last, self._config.slice_hours):
            stop = min(begin + self._config.slice_hours, last)
            quotes = {
                symbol: _joined(symbol, list(market.quotes(begin, stop, self._start, self._end)))
                for symbol, market in self._markets.items()
            }
            horizon = min(calendar.hour_start(stop - 1) + HOUR_NS, self._end) - 1
            yield Slice(horizon, quotes)


def _joined(symbol: str, chunks: list[Quotes]) -> Quotes:
    def column(name: str) -> Any:
        parts = [getattr(chunk, name) for chunk in chunks]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    return Quotes(symbol, column("ts"), column("bid"), column("ask"))
