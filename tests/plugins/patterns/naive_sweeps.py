"""SWP once more, as its definition reads: whole arrays, floats, lists, no thought of speed; markets without gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitten.model.dtypes import NS_PER_MINUTE, Floats, Records
from bitten.model.instrument import Instrument
from tests.plugins.patterns.naive import Found, Market, ramp

_DAY = 1440 * NS_PER_MINUTE


@dataclass
class Pool:
    side: int
    level: float
    pivot: int
    last: int
    kind: str = "swing"


@dataclass
class Sweep:
    bar: int
    level: float
    extreme: float
    count: int
    age: int


def volume_ratios(bars: Records) -> Floats:
    volumes = bars["ticks"].astype(np.float64)
    ratios = np.ones(bars.size)
    for i in range(20, bars.size):
        mean = volumes[i - 20 : i].mean()
        if mean > 0:
            ratios[i] = volumes[i] / mean
    return ratios


def swings(m: Market, i: int) -> list[Pool]:
    """Those that exist from the close of bar i on."""
    j = i - 3
    if j < 3:
        return []
    found = []
    if m.low[j] < m.low[j - 3 : j].min() and m.low[j] <= m.low[j + 1 : i + 1].min():
        found.append(Pool(1, m.low[j], j, j + 200))
    if m.high[j] > m.high[j - 3 : j].max() and m.high[j] >= m.high[j + 1 : i + 1].max():
        found.append(Pool(-1, m.high[j], j, j + 200))
    return found


def ended(m: Market, time: Records, i: int, length: int, kind: str) -> list[Pool]:
    """Extremes of a UTC day or session of which bar i - 1 was the last, known before bar i."""

    def part(j: int) -> int | None:
        number, offset = divmod(int(time[j]), _DAY)
        return number if offset < length else None

    if i == 0 or part(i - 1) is None or part(i) == part(i - 1):
        return []
    first = i - 1
    while first > 0 and part(first - 1) == part(i - 1):
        first -= 1
    low, high = first + int(np.argmin(m.low[first:i])), first + int(np.argmax(m.high[first:i]))
    return [Pool(1, m.low[low], low, 1 << 60, kind), Pool(-1, m.high[high], high, 1 << 60, kind)]


def swp(bars: Records, instrument: Instrument, day: bool = False, session: bool = False) -> list[Found]:
    """3.5 on bars; a refused signal uses its sweep up, and a bar on which both sides fire is silent."""
    m = Market(bars, instrument)
    ratios = volume_ratios(bars)
    pools: list[Pool] = []
    waiting: dict[int, Sweep] = {}
    found: list[Found] = []
    for i in range(bars.size):
        new = ended(m, bars["time"], i, _DAY, "day") if day else []
        new += ended(m, bars["time"], i, 360 * NS_PER_MINUTE, "session") if session else []
        pools = [p for p in pools if p.kind not in {n.kind for n in new}] + new
        fired = []
        for d in (1, -1):
            reach = m.low[i] if d > 0 else -m.high[i]
            crossed = [p for p in pools if p.side == d and reach < d * p.level]
            pools = [p for p in pools if p not in crossed]
            sweep, fresh = follow(m, i, d, reach, [p for p in crossed if p.last >= i], waiting.pop(d, None))
            if sweep is None:
                continue
            c, wick = d * m.close[i], (min(d * m.open[i], d * m.close[i]) - reach) / max(m.high[i] - m.low[i], 1)
            if i >= 179 and c > sweep.level and (not fresh or wick >= 0.35):
                risk = max(c - sweep.extreme + 0.2 * m.atr[i], 0.6 * m.atr[i])
                if m.accepts(i, risk, 2 * risk):
                    score = (
                        0.25 * ramp(sweep.count, 1, 3)
                        + 0.20 * ramp(sweep.age, 10, 100)
                        + 0.25 * ramp(wick, 0.35, 0.75)
                        + 0.15 * ramp(ratios[i], 0.8, 2.5)
                        + 0.15 * m.cheap(i)
                    )
                    fired.append(Found(i, sweep.bar, d, d * (c - risk), d * (c + 2 * risk), 100 * score))
            elif i - sweep.bar < 2:
                waiting[d] = sweep
        found += fired if len(fired) == 1 else []
        pools += swings(m, i)
    return found


def follow(
    m: Market, i: int, d: int, reach: float, crossed: list[Pool], sweep: Sweep | None
) -> tuple[Sweep | None, bool]:
    """The side's sweep after bar i, and whether i is its bar."""
    atr = m.atr[i]
    if sweep is not None:
        sweep.extreme = min(sweep.extreme, reach)
        if sweep.level - sweep.extreme > 1.5 * atr:
            sweep = None
    if crossed and atr > 0:
        level = min(d * p.level for p in crossed)
        age = i - min(p.pivot for p in crossed)
        if age >= 10 and max(0.05 * atr, 0.5 * m.spread[i]) <= level - reach <= 1.5 * atr:
            return Sweep(i, level, reach, len(crossed), age), True
    return sweep, False
