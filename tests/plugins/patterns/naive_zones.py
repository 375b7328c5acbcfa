"""OB and FVG once more, as patterns.md defines them: every zone followed on its own through whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bitten.model.dtypes import Floats, Records
from bitten.model.instrument import Instrument
from tests.plugins.patterns.naive import Market, ramp


class FoundInZone(NamedTuple):
    """A signal from a zone, with what it says of itself; the first six fields are those of `Found`."""

    bar: int
    anchor: int
    side: int
    stop: float
    target: float
    confidence: float
    low: float
    high: float
    displacement: float
    volume: float
    touches: int


class Zone(NamedTuple):
    """Where and why."""

    birth: int
    side: int
    low: float
    high: float
    displacement: float  # ATR
    height: float  # ATR


class Life(NamedTuple):
    """What became of a zone."""

    zone: Zone
    end: int  # bar with which it is gone
    signal: FoundInZone | None


def volume_ratios(bars: Records) -> Floats:
    """3.0, vr."""
    ticks = bars["ticks"].astype(np.float64)
    ratio = np.ones(ticks.size)
    for i in range(20, ticks.size):
        mean = ticks[i - 20 : i].mean()
        if mean > 0:
            ratio[i] = ticks[i] / mean
    return ratio


def position(m: Market, i: int, d: int) -> float:
    """3.0, pos."""
    return float((m.close[i] - m.low[i] if d > 0 else m.high[i] - m.close[i]) / max(m.high[i] - m.low[i], 1e-9))


def wick(m: Market, i: int, d: int) -> float:
    low = min(m.open[i], m.close[i]) - m.low[i]
    high = m.high[i] - max(m.open[i], m.close[i])
    return float((low if d > 0 else high) / max(m.high[i] - m.low[i], 1e-9))


def exits(m: Market, i: int, zone: Zone, stop: float) -> tuple[float, float, float]:
    """Target, R and reward of a bounce: towards the best price since birth, 1.5 R to 3 R away."""
    d, c = zone.side, m.close[i]
    span = slice(zone.birth, i + 1)
    best = m.high[span].max() if d > 0 else m.low[span].min()
    risk = abs(c - stop)
    reward = min(max(d * (best - c), 1.5 * risk), 3 * risk)
    return c + d * reward, risk, reward


def swings(m: Market, d: int) -> list[int]:
    """Bars that are swing highs (d = 1) or swing lows, whenever that is known."""
    x = m.high if d > 0 else -m.low
    return [j for j in range(3, x.size - 3) if x[j] > x[j - 3 : j].max() and x[j] >= x[j + 1 : j + 4].max()]


def order_block(m: Market, i: int, j: int, d: int) -> Zone | None:
    """The zone that the break of swing j by bar i leaves, if it does."""
    atr = m.atr[i]
    if not atr > 0 or abs(m.close[i] - m.open[i]) < 0.5 * max(m.high[i] - m.low[i], 1e-9):
        return None
    adverse = m.low if d > 0 else -m.high
    between = adverse[j + 1 : i]
    extreme = j + 1 + int(np.flatnonzero(between == between.min())[-1])
    displacement = (d * m.close[i] - adverse[extreme]) / atr
    if displacement < 1.5:
        return None
    block = extreme
    for k in range(min(extreme + 1, i - 1), max(j, extreme - 5) - 1, -1):
        if d * (m.close[k] - m.open[k]) < 0:
            block = k
            break
    far = d * min(adverse[block], adverse[extreme])
    near = max(m.open[block], m.close[block]) if d > 0 else min(m.open[block], m.close[block])
    height = d * (near - far) / atr
    if not 0.1 <= height <= 2 or height == 0:
        return None
    return Zone(i, d, min(near, far), max(near, far), displacement, height)


def order_blocks(m: Market, d: int) -> list[Zone]:
    """3.2 up to the birth of zones."""
    points = swings(m, d)
    level = m.high if d > 0 else m.low
    broken: set[int] = set()
    found = []
    known = 0
    for i in range(m.close.size):
        while known < len(points) and points[known] + 3 < i:
            known += 1
        j = points[known - 1] if known else -1
        if j < 0 or j in broken or i - j > 60 or d * (m.close[i] - level[j]) <= 0:
            continue
        broken.add(j)
        zone = order_block(m, i, j, d)
        if zone is not None:
            found.append(zone)
    return found


def live_block(m: Market, ratios: Floats, zone: Zone) -> Life:
    """3.2, later bars."""
    d = zone.side
    low, high = (zone.low, zone.high) if d > 0 else (-zone.high, -zone.low)
    departed = False
    touches = 0
    for i in range(zone.birth + 1, m.close.size):
        c, atr = m.close[i], m.atr[i]
        favourable, adverse = (m.high[i], m.low[i]) if d > 0 else (-m.low[i], -m.high[i])
        if i - zone.birth > 120 or d * c < low:
            return Life(zone, i, None)
        if not departed:
            departed = bool(favourable - high >= atr)
            continue
        if adverse > high:
            continue
        stop = (zone.low - 0.3 * atr) if d > 0 else (zone.high + 0.3 * atr)
        target, risk, reward = exits(m, i, zone, stop)
        rejects = d * c >= (low + high) / 2 and d * (c - m.open[i]) > 0 and position(m, i, d) >= 0.5
        if i >= 179 and rejects and m.accepts(i, risk, reward):
            score = (
                0.30 * ramp(zone.displacement, 1.5, 4)
                + 0.20 * (1 - ramp(i - zone.birth, 10, 120))
                + 0.25 * ramp(wick(m, i, d), 0.2, 0.7)
                + 0.10 * ramp(ratios[i], 0.8, 2)
                + 0.15 * m.cheap(i)
            )
            return Life(zone, i, found_in(zone, i, stop, target, score, ratios, touches))
        touches += 1
        if touches == 3:
            return Life(zone, i, None)
    return Life(zone, m.close.size, None)


def found_in(
    zone: Zone, i: int, stop: float, target: float, score: float, ratios: Floats, touches: int, against: bool = False
) -> FoundInZone:
    side = -zone.side if against else zone.side
    low, high, displacement = zone.low, zone.high, zone.displacement
    return FoundInZone(i, zone.birth, side, stop, target, 100 * score, low, high, displacement, ratios[i], touches)


def gaps(m: Market) -> list[Zone]:
    """3.4 up to the birth of gaps."""
    found = []
    for t in range(2, m.close.size):
        atr, size = m.atr[t - 1], m.high[t - 1] - m.low[t - 1]
        body = m.close[t - 1] - m.open[t - 1]
        d = 1 if body > 0 else -1
        low, high = (m.high[t - 2], m.low[t]) if d > 0 else (m.high[t], m.low[t - 2])
        if body == 0 or abs(body) < 0.5 * size or not size >= atr or low >= high:
            continue
        if high - low >= max(0.25 * atr, 2 * m.spread[t]):
            found.append(Zone(t, d, low, high, size / atr, (high - low) / atr))
    return found


def gap_score(m: Market, ratios: Floats, zone: Zone, i: int) -> float:
    return (
        0.30 * ramp(zone.height, 0.25, 1)
        + 0.25 * ramp(zone.displacement, 1, 2.5)
        + 0.20 * (1 - ramp(i - zone.birth, 5, 90))
        + 0.10 * ramp(ratios[i], 0.8, 2)
        + 0.15 * m.cheap(i)
    )


def live_gap(m: Market, ratios: Floats, zone: Zone) -> Life:
    """3.4, later bars."""
    d = zone.side
    middle = (zone.low + zone.high) / 2
    touches = 0
    for i in range(zone.birth + 1, m.close.size):
        c, atr = m.close[i], m.atr[i]
        if i - zone.birth > 90 or (c < zone.low if d > 0 else c > zone.high):
            return Life(zone, i, None)
        if m.low[i] > middle if d > 0 else m.high[i] < middle:
            continue
        if d > 0:
            stop = min(zone.low - 0.25 * atr, m.low[i] - 0.1 * atr)
        else:
            stop = max(zone.high + 0.25 * atr, m.high[i] + 0.1 * atr)
        target, risk, reward = exits(m, i, zone, stop)
        rejects = d * (c - m.open[i]) > 0 and position(m, i, d) >= 0.5
        if i >= 179 and rejects and m.accepts(i, risk, reward):
            return Life(zone, i, found_in(zone, i, stop, target, gap_score(m, ratios, zone, i), ratios, touches))
        touches += 1
        if touches == 3:
            return Life(zone, i, None)
    return Life(zone, m.close.size, None)


def live_filling(m: Market, ratios: Floats, zone: Zone) -> Life:
    """The other reading of 3.4: the first bar off the gap that turns towards it is traded, up to the far edge."""
    d = zone.side
    middle = (zone.low + zone.high) / 2
    for i in range(zone.birth + 1, m.close.size):
        c, atr = m.close[i], m.atr[i]
        if i - zone.birth > 90 or (m.low[i] <= middle if d > 0 else m.high[i] >= middle):
            return Life(zone, i, None)
        span = slice(zone.birth, i + 1)
        stop = m.high[span].max() + 0.25 * atr if d > 0 else m.low[span].min() - 0.25 * atr
        target = zone.low if d > 0 else zone.high
        turns = d * (c - m.open[i]) < 0 and position(m, i, -d) >= 0.5 and (c > zone.high if d > 0 else c < zone.low)
        if i >= 179 and turns and m.accepts(i, abs(c - stop), abs(c - target)):
            score = gap_score(m, ratios, zone, i)
            return Life(zone, i, found_in(zone, i, stop, target, score, ratios, 0, against=True))
    return Life(zone, m.close.size, None)


def signals(lives: list[Life]) -> list[FoundInZone]:
    """In the order in which they come: by bar, then by birth."""
    return sorted(life.signal for life in lives if life.signal is not None)


def ob(bars: Records, instrument: Instrument, most: int = 20) -> list[FoundInZone]:
    """3.2; `most` zones live on each side."""
    m = Market(bars, instrument)
    ratios = volume_ratios(bars)
    lives: list[Life] = []
    for d in (1, -1):
        own: list[Life] = []
        for zone in order_blocks(m, d):
            living = [k for k, life in enumerate(own) if life.end > zone.birth]
            if len(living) == most:
                oldest = living[0]
                own[oldest] = Life(own[oldest].zone, zone.birth, None)
            own.append(live_block(m, ratios, zone))
        lives += own
    return signals(lives)


def _all_gaps(bars: Records, instrument: Instrument, live: Callable[[Market, Floats, Zone], Life]) -> list[FoundInZone]:
    m = Market(bars, instrument)
    ratios = volume_ratios(bars)
    return signals([live(m, ratios, zone) for zone in gaps(m)])


def fvg(bars: Records, instrument: Instrument) -> list[FoundInZone]:
    """3.4."""
    return _all_gaps(bars, instrument, live_gap)


def fvg_filling(bars: Records, instrument: Instrument) -> list[FoundInZone]:
    """3.4, the alternative reading."""
    return _all_gaps(bars, instrument, live_filling)
