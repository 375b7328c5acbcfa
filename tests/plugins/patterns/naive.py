"""KAL and BB once more, as patterns.md defines them: whole arrays, floats, no state, no thought of speed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import talib

from bitten.model.dtypes import Floats, Records
from bitten.model.instrument import Instrument


class Found(NamedTuple):
    """A signal; levels are floats, before rounding to points."""

    bar: int
    anchor: int  # index of the anchor bar
    side: int
    stop: float
    target: float
    confidence: float


class Market:
    """Columns and indicators of a market without gaps."""

    def __init__(self, bars: Records, instrument: Instrument) -> None:
        self.open, self.high, self.low, self.close = (
            bars[name].astype(np.float64) for name in ("open", "high", "low", "close")
        )
        self.atr: Floats = talib.ATR(self.high, self.low, self.close, 14)
        self.adx: Floats = talib.ADX(self.high, self.low, self.close, 14)
        stated = (bars["quotes"] > 0) & (bars["spread_sum"] > 0)
        mean = bars["spread_sum"] / np.maximum(bars["quotes"], 1)
        self.spread: Floats = np.where(stated, mean, float(instrument.default_spread))

    def accepts(self, i: int, risk: float, reward: float) -> bool:
        """3.0, acceptance gate."""
        atr, spread = self.atr[i], self.spread[i]
        return bool(risk >= 3 * spread and 0.4 * atr <= risk <= 3 * atr and (reward - spread) / (risk + spread) >= 0.8)

    def cheap(self, i: int) -> float:
        """3.0, spf."""
        return 1 - ramp(self.spread[i] / self.atr[i], 0.05, 0.25)


def ramp(x: float, a: float, b: float) -> float:
    return min(max((x - a) / (b - a), 0.0), 1.0)


def innovations(market: Market) -> tuple[Floats, Floats, Floats]:
    """z, level and slope per bar (3.1, Step)."""
    close, atr = market.close, market.atr
    n = close.size
    z, level, slope = np.zeros(n), np.zeros(n), np.zeros(n)
    start = int(np.flatnonzero(atr > 0)[0])
    mu, beta = close[start], 0.0
    p11, p12, p22 = 1.0, 0.0, 0.01
    v = (0.5 * atr[start]) ** 2
    a = 1 - 2 ** (-1 / 60)
    for i in range(start + 1, n):
        mu += beta
        p11 += 2 * p12 + p22 + 0.05
        p12 += p22
        p22 += 0.0005
        e = close[i] - mu
        z[i] = e / math.sqrt(v)
        v = (1 - a) * v + a * min(e * e, 9 * v)
        s = p11 + 1
        k1, k2 = p11 / s, p12 / s
        mu += k1 * e
        beta += k2 * e
        p11, p12, p22 = (1 - k1) * p11, (1 - k1) * p12, p22 - k2 * p12
        level[i], slope[i] = mu, beta
    return z, level, slope


def kal(bars: Records, instrument: Instrument) -> list[Found]:
    """3.1."""
    m = Market(bars, instrument)
    z, level, slope = innovations(m)
    found = []
    armed = -1
    d = 0
    for i in range(bars.size):
        if armed < 0:
            d = -1 if z[i] > 0 else 1
            if abs(z[i]) >= 2.2 and -slope[i] * d <= 0.15 * m.atr[i]:
                armed = i
            continue
        c, spread_of_bar = m.close[i], m.high[i] - m.low[i]
        extreme = m.low[armed : i + 1].min() if d > 0 else m.high[armed : i + 1].max()
        position = (c - m.low[i] if d > 0 else m.high[i] - c) / max(spread_of_bar, 1e-9)
        if i >= 179 and (c - m.close[i - 1]) * d > 0 and position >= 0.5:
            stop = min(extreme - 0.2 * m.atr[i], c - m.atr[i]) if d > 0 else max(extreme + 0.2 * m.atr[i], c + m.atr[i])
            risk = abs(c - stop)
            reward = max(d * (level[i] - c), risk)
            if m.accepts(i, risk, reward):
                steep = -slope[i] * d / m.atr[i]
                score = (
                    0.35 * ramp(abs(z[armed]), 2.2, 4)
                    + 0.25 * (1 - ramp(steep, 0, 0.15))
                    + 0.20 * (1 - ramp(m.adx[i], 18, 40))
                    + 0.20 * m.cheap(i)
                )
                found.append(Found(i, armed, d, stop, c + d * reward, 100 * score))
                armed = -1
                continue
        if i == armed + 3:
            armed = -1
    return found


def bb(bars: Records, instrument: Instrument) -> list[Found]:
    """3.3."""
    m = Market(bars, instrument)
    n = bars.size
    mean, sd = np.full(n, np.nan), np.full(n, np.nan)
    for i in range(19, n):
        window = m.close[i - 19 : i + 1]
        mean[i], sd[i] = window.mean(), window.std()
    found = []
    for i in range(179, n):
        width = 4 * sd[max(19, i - 239) : i + 1]
        rank = float((width <= width[-1] + 1e-9).mean())
        if not (m.adx[i] < 25 and 0.15 <= rank <= 0.85):
            continue
        c = m.close[i]
        for d in (1, -1):
            before = d * (m.close[i - 1] - mean[i - 1]) + 2 * sd[i - 1]
            if not (before < -1e-9 and -2 * sd[i] < d * (c - mean[i]) < 0 and d * (c - m.open[i]) > 0):
                continue
            extreme = m.low[i - 2 : i + 1].min() if d > 0 else m.high[i - 2 : i + 1].max()
            stop = (
                min(extreme - 0.3 * m.atr[i], c - 0.8 * m.atr[i])
                if d > 0
                else max(extreme + 0.3 * m.atr[i], c + 0.8 * m.atr[i])
            )
            risk, reward = abs(c - stop), abs(mean[i] - c)
            if m.accepts(i, risk, reward):
                score = (
                    0.30 * ramp(-before / (4 * sd[i - 1]), 0, 0.15)
                    + 0.30 * (1 - ramp(m.adx[i], 12, 25))
                    + 0.20 * ramp(reward / risk, 0.8, 1.6)
                    + 0.20 * m.cheap(i)
                )
                found.append(Found(i, i - 1, d, stop, mean[i], 100 * score))
    return found
