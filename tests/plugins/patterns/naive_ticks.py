"""KAL and SWP on ticks once more, as their definitions read: one quote after the other, lists, no thought of speed.

Markets are without gaps; a bar counts from the instant it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bitten.model.dtypes import NS_PER_SECOND, Records
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from tests.plugins.patterns.naive import Market, ramp
from tests.plugins.patterns.naive_sweeps import Pool, swings


class Tick(NamedTuple):
    """A signal on ticks; levels are floats, before rounding to points."""

    time: int
    anchor: int
    side: int
    stop: float
    target: float
    confidence: float


class Gate(NamedTuple):
    """3.0, acceptance gate, with what a test may loosen."""

    min_reward: float = 0.8
    min_stop_spreads: float = 3.0

    def accepts(self, atr: float, spread: float, risk: float, reward: float) -> bool:
        return (
            risk >= self.min_stop_spreads * spread
            and 0.4 * atr <= risk <= 3 * atr
            and (reward - spread) / (risk + spread) >= self.min_reward
        )


def cheap(atr: float, spread: float) -> float:
    return 1 - ramp(spread / atr, 0.05, 0.25)


class Arm(NamedTuple):
    start: int
    side: int
    z: float
    level: float
    deviation: float


def kal(bars: Records, quotes: Quotes, instrument: Instrument, gate: Gate) -> list[Tick]:
    """3.1 on ticks: last mid of each second, known with the first quote after it."""
    m = Market(bars, instrument)
    second = quotes.ts // NS_PER_SECOND
    last = np.flatnonzero(second[1:] > second[:-1])
    x, p, v = np.zeros(2), np.diag([1.0, 0.01]), 0.0
    weight = 1 - 2 ** (-1 / 60)
    found: list[Tick] = []
    arm: Arm | None = None
    extreme, back, before = 0.0, 0, 0
    for i in last.tolist():
        start, time = int(second[i]) * NS_PER_SECOND, int(quotes.ts[i + 1])
        bar = int(np.searchsorted(bars["known"], time, "right")) - 1
        atr = m.atr[bar] if bar >= 0 else np.nan
        bid, ask = float(quotes.bid[i]), float(quotes.ask[i])
        mid = (bid + ask) / 2
        dt, before = min((start - before) / NS_PER_SECOND, 60.0), start
        if arm is not None and time > arm.start + 16 * NS_PER_SECOND:
            arm = None
        if v == 0.0:
            if atr > 0:
                x, v = np.array([mid, 0.0]), (0.5 * atr) ** 2
            continue
        f = np.array([[1.0, dt], [0.0, 1.0]])
        x, p = f @ x, f @ p @ f.T + dt * np.diag([0.05, 0.0005])
        expected, deviation = x[0], np.sqrt(v)
        e = mid - expected
        v = (1 - weight) * v + weight * min(e * e, 9 * v)
        gain = p[:, 0] / (p[0, 0] + 1)
        x, p = x + gain * e, p - np.outer(gain, p[0])
        within = slice(int(np.searchsorted(second, second[i])), i + 1)
        low, high = float(quotes.bid[within].min()), float(quotes.ask[within].max())
        if arm is None:
            z = e / deviation
            d = -1 if z > 0 else 1
            if abs(z) >= 3 and atr > 0 and -x[1] * d <= 0.02 * atr:
                arm, back = Arm(start, d, abs(z), expected, deviation), 0
                extreme = low if d > 0 else high
            continue
        d = arm.side
        extreme = min(extreme, low) if d > 0 else max(extreme, high)
        back = back + 1 if d * (arm.level - mid) / arm.deviation <= 0.75 * arm.z else 0
        if back < 2 or bar < 179:
            continue
        close, spread = (bid if d > 0 else ask), max(ask - bid, 0.0) or instrument.default_spread
        risk = max(d * (close - extreme) + 0.2 * atr, atr)
        reward = max(d * (x[0] - mid), risk)
        if gate.accepts(atr, spread, risk, reward):
            score = (
                0.35 * ramp(arm.z, 3, 5.5)
                + 0.25 * (1 - ramp(-x[1] * d / atr, 0, 0.02))
                + 0.20 * (1 - ramp(m.adx[bar], 18, 40))
                + 0.20 * cheap(atr, spread)
            )
            found.append(Tick(time, arm.start, d, close - d * risk, close + d * reward, 100 * score))
            arm = None
    return found


@dataclass
class Course:
    """A sweep under way; prices are the bid for lows, minus the ask for highs."""

    anchor: int
    start: int
    number: int
    opened: float
    level: float
    pivot: int
    count: int
    prices: list[float]
    back: list[int]  # times of the quotes in a row that lie on the near side


def swp(bars: Records, quotes: Quotes, instrument: Instrument, gate: Gate) -> list[Tick]:
    """3.5 on ticks."""
    m = Market(bars, instrument)
    mean = np.array([bars["ticks"][max(0, i - 19) : i + 1].mean() if i >= 19 else 0.0 for i in range(bars.size)])
    pools: list[Pool] = []
    courses: dict[int, Course] = {}
    found: list[Tick] = []
    known = 0
    for time, bid, ask in zip(quotes.ts.tolist(), quotes.bid.tolist(), quotes.ask.tolist(), strict=True):
        while known < bars.size and bars["known"][known] <= time:
            pools = [p for p in pools if not (m.low[known] < p.level if p.side > 0 else m.high[known] > p.level)]
            pools += swings(m, known)
            known += 1
        if bid > ask:
            continue
        atr = m.atr[known - 1] if known else np.nan
        spread = (ask - bid) or instrument.default_spread
        depth = max(0.05 * atr, 0.5 * spread)
        fired = []
        for d, price in ((1, bid), (-1, -ask)):
            crossed = [p for p in pools if p.side == d and price + depth < d * p.level and atr > 0]
            if crossed:
                pools = [p for p in pools if p not in crossed]
                join(courses, d, price, time, known, [p for p in crossed if p.last >= known])
            course = courses.get(d)
            if course is None:
                continue
            course.prices.append(price)
            if course.level - min(course.prices) > 1.5 * atr or time - course.start > 120 * NS_PER_SECOND:
                del courses[d]
                continue
            course.back = [*course.back, time] if price > course.level + 0.25 * spread else []
            if len(course.back) < 3 or time - course.back[0] < 2 * NS_PER_SECOND:
                continue
            del courses[d]
            if known - 1 >= 179 and course.number - course.pivot >= 10:
                fired += signal(course, d, price, time, atr, spread, float(mean[known - 1]), gate)
        found += fired if len(fired) == 1 else []
    return found


def join(courses: dict[int, Course], d: int, price: float, time: int, number: int, crossed: list[Pool]) -> None:
    """Levels have been crossed: a sweep begins, or they join the one under way."""
    if not crossed:
        return
    if d not in courses:
        courses[d] = Course(time, time, number, price, np.inf, number, 0, [], [])
    course = courses[d]
    course.start, course.back = time, []
    course.count += len(crossed)
    course.level = min(course.level, *(d * p.level for p in crossed))
    course.pivot = min(course.pivot, *(p.pivot for p in crossed))


def signal(
    course: Course, d: int, price: float, time: int, atr: float, spread: float, mean: float, gate: Gate
) -> list[Tick]:
    low, high = min(course.prices), max(course.prices)
    risk = max(price - low + 0.2 * atr, 0.6 * atr)
    if not gate.accepts(atr, spread, risk, 2 * risk):
        return []
    wick = (min(course.opened, price) - low) / max(high - low, 1)
    pace = len(course.prices) / (time - course.anchor) * 60 * NS_PER_SECOND
    score = (
        0.25 * ramp(course.count, 1, 3)
        + 0.20 * ramp(course.number - course.pivot, 10, 100)
        + 0.25 * ramp(wick, 0.35, 0.75)
        + 0.15 * ramp(pace / mean if mean else 1.0, 0.8, 2.5)
        + 0.15 * cheap(atr, spread)
    )
    return [Tick(time, course.anchor, d, d * (price - risk), d * (price + 2 * risk), 100 * score)]
