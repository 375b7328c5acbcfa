"""Seeded random markets for tests of plugins: bars with trends, spikes, flat stretches and gaps; quotes with spreads.

They look like nothing in particular and are good for nothing but tests: prices are points, the generator is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from bitten.bars import BarLadder
from bitten.model.dtypes import BAR, NS_PER_MS, NS_PER_SECOND, Ints, Records
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_ns

START: Final = 1_704_153_600 * NS_PER_SECOND  # 2024-01-02 00:00 UTC
INSTRUMENT: Final = Instrument("EURUSD", 5, "EUR", "USD", 100_000.0, 0.0001, 0.01, 0.01, 100.0, default_spread=8)


def random_bars(
    rng: np.random.Generator,
    count: int,
    timeframe: str = "M1",
    *,
    price: int = 110_000,
    volatility: float = 20.0,
    spread: int = 8,
    gaps: float = 0.002,
) -> Records:
    """Bid bars, dtype BAR, each known with the first quote of the next.

    Args:
        rng: the randomness; equal generators make equal bars.
        count: how many bars.
        timeframe: their period.
        price: first close, points; prices never fall below half of it.
        volatility: typical step of the close, points.
        spread: typical spread, points; a tenth of the bars state none.
        gaps: share of bars after which the market is closed for a while.
    """
    period = timeframe_ns(timeframe)
    regime = np.repeat(rng.uniform(0.2, 2.0, count // 50 + 1), 50)[:count]  # quiet and busy hours
    steps = rng.standard_t(3, count) * volatility * regime
    steps += rng.normal(0.0, 0.15 * volatility, count // 100 + 1).repeat(100)[:count]  # and trends
    closes = np.maximum(price + np.rint(np.cumsum(steps)).astype(np.int64), price // 2)
    closed = rng.random(count) < gaps
    bars = np.zeros(count, BAR)
    pause = np.where(closed, rng.integers(1, 400, count), 0)
    bars["time"] = START + (np.arange(count) + np.concatenate([[0], np.cumsum(pause)[:-1]])) * period
    bars["known"][:-1] = bars["time"][1:]
    bars["known"][-1] = bars["time"][-1] + period
    bars["open"] = np.concatenate([closes[:1], closes[:-1]]) + rng.integers(-2, 3, count)
    bars["close"] = closes
    wicks = np.rint(0.4 * volatility * regime * rng.exponential(size=(2, count))).astype(np.int64)
    bars["high"] = np.maximum(bars["open"], closes) + wicks[0]
    bars["low"] = np.maximum(np.minimum(bars["open"], closes) - wicks[1], 1)
    bars["ticks"] = rng.integers(4, 200, count)
    _add_spreads(bars, rng, spread)
    return bars


def _add_spreads(bars: Records, rng: np.random.Generator, spread: int) -> None:
    count = bars.size
    narrow = rng.integers(max(1, spread // 2), spread + 1, count)
    wide = narrow + rng.integers(0, spread + 1, count)
    stated = rng.random(count) >= 0.1
    bars["quotes"] = np.where(stated, bars["ticks"], 0)
    bars["spread_min"] = np.where(stated, narrow, 0)
    bars["spread_max"] = np.where(stated, wide, 0)
    bars["spread_sum"] = np.where(stated, bars["ticks"] * narrow + wide - narrow, 0)


def random_quotes(
    rng: np.random.Generator,
    count: int,
    symbol: str = "EURUSD",
    *,
    price: int = 110_000,
    volatility: float = 2.0,
    spread: int = 8,
    pause_ms: int = 700,
) -> Quotes:
    """Quotes of one symbol, about `pause_ms` apart, some of them at the same instant.

    Args:
        rng: the randomness; equal generators make equal quotes.
        count: how many quotes.
        symbol: whose they are.
        price: first bid, points; bids never fall below half of it.
        volatility: typical step of the bid, points.
        spread: typical spread, points.
        pause_ms: mean time between quotes.
    """
    ts = START + np.cumsum(rng.geometric(1.0 / (1 + pause_ms), count) - 1) * NS_PER_MS
    steps = np.rint(rng.standard_t(3, count) * volatility).astype(np.int64)
    bid = np.maximum(price + np.cumsum(steps), price // 2)
    ask = bid + rng.integers(0, 2 * spread + 1, count)
    return Quotes(symbol, ts, bid, ask)


def bars_as_quotes(bars: Records, timeframe: str, symbol: str = "EURUSD") -> Quotes:
    """Four quotes per bar on its way from open over both extremes to close, for patterns that read quotes."""
    quarter = timeframe_ns(timeframe) // 4
    rising = bars["close"] >= bars["open"]
    path = np.empty((bars.size, 4), np.int64)
    path[:, 0], path[:, 3] = bars["open"], bars["close"]
    path[:, 1] = np.where(rising, bars["low"], bars["high"])
    path[:, 2] = np.where(rising, bars["high"], bars["low"])
    ts: Ints = (bars["time"][:, None] + np.arange(4) * quarter).ravel()
    bid = path.ravel()
    spread = np.repeat(bars["spread_sum"] // np.maximum(bars["quotes"], 1), 4)
    return Quotes(symbol, ts, bid, bid + spread)


def quotes_as_bars(quotes: Quotes, timeframes: Iterable[str]) -> dict[str, Records]:
    """The bars that quotes complete, by timeframe, each known with the first quote of the next; as the pipeline's."""
    return BarLadder(timeframes).update(quotes)


def longer_bars(bars: Records, timeframe: str) -> Records:
    """The bars of a longer period that these bars complete, known when the last of them is."""
    period = timeframe_ns(timeframe)
    if bars.size == 0:
        return bars.copy()
    starts = bars["time"] // period * period
    first = np.flatnonzero(np.concatenate([[True], starts[1:] != starts[:-1]]))
    last = np.concatenate([first[1:], [bars.size]]) - 1
    out = np.zeros(first.size, BAR)
    out["time"] = starts[first]
    for name in ("known", "close"):
        out[name] = bars[name][last]
    out["open"] = bars["open"][first]
    for name in ("high", "spread_max"):
        out[name] = np.maximum.reduceat(bars[name], first)
    for name in ("low", "spread_min"):
        out[name] = np.minimum.reduceat(bars[name], first)
    for name in ("ticks", "spread_sum", "quotes"):
        out[name] = np.add.reduceat(bars[name], first)
    complete: Records = out[bars["known"][last] >= out["time"] + period]
    return complete
