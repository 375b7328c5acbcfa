"""What CITADEL keeps of one symbol, and the numbers that it measures for a signal at an instant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

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


class Seen(NamedTuple):
    """The chart that a signal is measured by."""

    chart: Chart
    row: Row


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

    def seen(self, timeframe: str, now: int) -> Seen | None:
        """The chart of a timeframe at an instant, or the finest there is; None before there are bars."""
        chart = self.charts.get(timeframe) or next(iter(self.charts.values()), None)
        return None if chart is None else Seen(chart, chart.at(now))


def measure(signal: Signal, now: int, quote: Quote, watch: Watch, calendar: Calendar | None) -> dict[str, float]:
    """Everything that a score is worked out from, by name; what cannot be measured is absent."""
    seen = watch.seen(signal.timeframe, now)
    atr = seen.row.atr if seen is not None and seen.row.atr > 0.0 else signal.atr_points or math.nan
    found = _liquidity(signal, now, quote, seen, atr)
    found |= _spread(signal, now, quote, watch, atr)
    if seen is not None and seen.row.slow > 0.0:
        found["volatility"] = seen.row.quick / seen.row.slow
        found["range_atr"] = seen.row.last / seen.row.atr
    found["session"] = session(now, watch.pauses)
    found |= _news(now, watch.instrument, calendar)
    found |= _drift(signal, quote)
    fresh = watch.freshness.at(now)
    if fresh is not None:
        found["quote_age"], found["crossed_share"] = fresh.age, fresh.crossed
        found["steps_back"] = fresh.backward
    return found


def _liquidity(signal: Signal, now: int, quote: Quote, seen: Seen | None, atr: float) -> dict[str, float]:
    if seen is None:
        return {}
    instrument = signal.instrument
    own, other = (LOWS, HIGHS) if signal.side == BUY else (HIGHS, LOWS)
    (since_for, level_for), (since_against, level_against) = seen.row.sweep(own), seen.row.sweep(other)
    if since_for < FOR_BARS:
        return {"sweep": SWEPT_FOR, "level": instrument.price(level_for), "sweep_bars": since_for}
    if since_against < AGAINST_BARS:
        return {"sweep": SWEPT_AGAINST, "level": instrument.price(level_against), "sweep_bars": since_against}
    distance = signal.stop_distance(quote.bid)
    if distance is not None:
        end = quote.bid - signal.side * (distance + (BEYOND_STOP * atr if atr > 0.0 else 0.0))
        level = seen.chart.pool_between(own, now, seen.row.number, quote.bid, end)
        if level is not None:
            return {"sweep": POOL_AHEAD, "level": instrument.price(level)}
    return {"sweep": NO_SWEEP}


def _spread(signal: Signal, now: int, quote: Quote, watch: Watch, atr: float) -> dict[str, float]:
    """Spreads in points."""
    usual = watch.spreads.usual(now)
    spread = float(quote.ask - quote.bid)
    found = {"spread": spread, "spread_normal": usual.spread, "spread_observations": float(usual.observations)}
    if usual.spread > 0.0:
        found["spread_ratio"] = spread / usual.spread
    if atr > 0.0:
        found["spread_atr"] = spread / atr
    risk = signal.stop_distance(signal.reference_points)
    if signal.reference_points != NO_PRICE and risk is not None and risk > 0:
        found["spread_r"] = spread / risk
    return found


def _news(now: int, instrument: Instrument, calendar: Calendar | None) -> dict[str, float]:
    span = None if calendar is None else calendar.span
    if calendar is None or span is None or not span[0] - REACH_NS <= now <= span[1] + REACH_NS:
        return {} if calendar is None else {"news_uncovered": 1.0}
    release = calendar.nearest(instrument, now)
    if release is None:
        return {"f_news": 1.0}
    at = float(release.event.time // NS_PER_SECOND)
    return {"news_minutes": release.minutes, "news_at": at, "f_news": release.factor}


def _drift(signal: Signal, quote: Quote) -> dict[str, float]:
    """How far price has gone since the signal's bar closed: of the way to the target, and to the stop."""
    reference = signal.reference_points
    if reference == NO_PRICE:
        return {}
    move = signal.side * (quote.bid - reference)
    found = {}
    risk = signal.stop_distance(reference)
    if risk is not None and risk > 0:
        found["drift_adverse"] = max(-move, 0) / risk
    if signal.target_points != NO_PRICE:
        reward = signal.target_points if signal.relative else signal.side * (signal.target_points - reference)
        if reward > 0:
            found["drift_favourable"] = max(move, 0) / reward
    return found


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
