"""What CITADEL keeps of one symbol, and the numbers that it measures for a signal at an instant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from bitten.market import Quote
from bitten.model.dtypes import BUY, NO_PRICE, NS_PER_SECOND, Records
from bitten.model.facts import Signal
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_ns
from bitten.store.tradingweek import pauses_daily
from bitten_plugins.shields.chart import Chart, Row
from bitten_plugins.shields.factors import NO_SWEEP, POOL_AHEAD, SWEPT_AGAINST, SWEPT_FOR
from bitten_plugins.shields.freshness import Freshness
from bitten_plugins.shields.levels import Levels
from bitten_plugins.shields.news import Calendar
from bitten_plugins.shields.pools import HIGHS, LOWS
from bitten_plugins.shields.sessions import DAY_NS, session
from bitten_plugins.shields.spreads import Spreads

FOR_BARS, AGAINST_BARS = 10, 5  # in which a completed sweep counts
BEYOND_STOP: Final = 0.3  # ATR behind the stop in which a pool counts, too
REACH_NS: Final = 7 * DAY_NS  # beyond its first and last release a calendar is taken to know nothing


class Watch:
    """One symbol.

    Args:
        instrument: its facts.
        default_spread: points, where too few spreads have been seen.
        keep: levels and pools remembered for the liquidity map.
    """

    def __init__(self, instrument: Instrument, default_spread: float, keep: int) -> None:
        self.instrument = instrument
        self.pauses = pauses_daily(instrument)
        self.charts: dict[str, Chart] = {}
        self.spreads = Spreads(default_spread)
        self.freshness = Freshness()
        self.levels = Levels(keep)
        self._keep = keep
        self._finest: str | None = None

    def observe(self, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """Take in a slice."""
        self.freshness.observe(quotes)
        if self._finest is None and bars:
            self._finest = min(bars, key=timeframe_ns)
            for name in sorted(bars, key=timeframe_ns):
                self.charts[name] = Chart(timeframe_ns(name), self.spreads.default, self._keep)
        for name, chart in self.charts.items():
            chart.observe(bars[name])
        if self._finest is not None:
            self.spreads.observe(bars[self._finest])
            self.levels.observe(bars[self._finest])

    def chart(self, timeframe: str) -> Chart | None:
        """The chart of a timeframe, or the finest there is; None before there are bars."""
        return self.charts.get(timeframe) or next(iter(self.charts.values()), None)


def measure(signal: Signal, now: int, quote: Quote, watch: Watch, calendar: Calendar | None) -> dict[str, float]:
    """Everything that a score is worked out from, by name; what cannot be measured is absent.

    One dict for all: each part adds its own to it, and the order in which they do is that of the evidence.
    """
    found: dict[str, float] = {}
    chart = watch.chart(signal.timeframe)
    row = None if chart is None else chart.at(now)
    atr = row.atr if row is not None and row.atr > 0.0 else signal.atr_points or math.nan
    if chart is not None and row is not None:
        _add_liquidity(found, signal, now, quote, chart, row, atr)
    _add_spread(found, signal, now, quote, watch, atr)
    if row is not None and row.slow > 0.0:
        found["volatility"] = row.quick / row.slow
        found["range_atr"] = row.last / row.atr
    found["session"] = session(now, watch.pauses)
    if calendar is not None:
        _add_news(found, now, watch.instrument, calendar)
    _add_drift(found, signal, quote)
    fresh = watch.freshness.at(now)
    if fresh is not None:
        found["quote_age"], found["crossed_share"], found["steps_back"] = fresh
    return found


def _add_liquidity(
    found: dict[str, float], signal: Signal, now: int, quote: Quote, chart: Chart, row: Row, atr: float
) -> None:
    side = signal.side
    own, other = (LOWS, HIGHS) if side == BUY else (HIGHS, LOWS)
    for kind, bars, meaning in ((own, FOR_BARS, SWEPT_FOR), (other, AGAINST_BARS, SWEPT_AGAINST)):
        since, level = row.sweep(kind)
        if since < bars:
            found["sweep"], found["level"], found["sweep_bars"] = meaning, signal.instrument.price(level), since
            return
    distance = signal.stop_distance(quote.bid)
    if distance is not None:
        end = quote.bid - side * (distance + (BEYOND_STOP * atr if atr > 0.0 else 0.0))
        pool = chart.pool_between(own, now, row, quote.bid, end)
        if pool is not None:
            found["sweep"], found["level"] = POOL_AHEAD, signal.instrument.price(pool)
            return
    found["sweep"] = NO_SWEEP


def _add_spread(found: dict[str, float], signal: Signal, now: int, quote: Quote, watch: Watch, atr: float) -> None:
    """Spreads in points."""
    usual = watch.spreads.usual(now)
    found["spread"] = spread = float(quote.ask - quote.bid)
    found["spread_normal"], found["spread_observations"] = usual.spread, float(usual.observations)
    if usual.spread > 0.0:
        found["spread_ratio"] = spread / usual.spread
    if atr > 0.0:
        found["spread_atr"] = spread / atr
    reference = signal.reference_points
    risk = None if reference == NO_PRICE else signal.stop_distance(reference)
    if risk is not None and risk > 0:
        found["spread_r"] = spread / risk


def _add_news(found: dict[str, float], now: int, instrument: Instrument, calendar: Calendar) -> None:
    span = calendar.span
    if span is None or not span[0] - REACH_NS <= now <= span[1] + REACH_NS:
        found["news_uncovered"] = 1.0
        return
    release = calendar.nearest(instrument, now)
    if release is None:
        found["f_news"] = 1.0
        return
    found["news_minutes"] = release.minutes
    found["news_at"] = float(release.event.time // NS_PER_SECOND)
    found["f_news"] = release.factor


def _add_drift(found: dict[str, float], signal: Signal, quote: Quote) -> None:
    """How far price has gone since the signal's bar closed: of the way to the target, and to the stop."""
    reference = signal.reference_points
    if reference == NO_PRICE:
        return
    move = signal.side * (quote.bid - reference)
    risk = signal.stop_distance(reference)
    if risk is not None and risk > 0:
        found["drift_adverse"] = -move / risk if move < 0 else 0.0
    target = signal.target_points
    if target != NO_PRICE:
        reward = target if signal.relative else signal.side * (target - reference)
        if reward > 0:
            found["drift_favourable"] = move / reward if move > 0 else 0.0


def beyond(signal: Signal, quote: Quote) -> str | None:
    """ "stop" or "target" where the price at which a position would close lies at or beyond it."""
    if signal.relative:
        return None
    price = signal.side * (quote.bid if signal.side == BUY else quote.ask)
    if signal.stop_points != NO_PRICE and price <= signal.side * signal.stop_points:
        return "stop"
    if signal.target_points != NO_PRICE and price >= signal.side * signal.target_points:
        return "target"
    return None
