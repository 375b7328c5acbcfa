"""VCB once more, as its definition reads: whole arrays, floats, no state carried; markets without gaps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bitten.model.dtypes import Bools, Floats, Records
from bitten.model.instrument import Instrument
from tests.plugins.patterns.naive import Found, Market, ramp
from tests.plugins.patterns.naive_sweeps import volume_ratios


class Box(NamedTuple):
    start: int
    bars: int
    high: float
    low: float


def squeezes(m: Market) -> tuple[Bools, Floats]:
    """Per bar whether the bands lie inside the channel, and its true range."""
    before = np.concatenate([m.close[:1], m.close[:-1]])
    ranges = np.maximum(m.high, before) - np.minimum(m.low, before)
    on = np.zeros(m.close.size, np.bool_)
    for i in range(19, on.size):
        window = slice(i - 19, i + 1)
        # the margin is that of the decimals: equal widths are no squeeze
        on[i] = 2 * m.close[window].std() < 1.5 * ranges[window].mean() - 1e-9
    return on, ranges


def box_of(m: Market, on: Bools, i: int) -> Box | None:
    """The box that bar i may break: of a squeeze that ended with i or at most two bars before, else of the one on."""
    for release in range(i, i - 3, -1):
        if not on[release] and on[release - 1]:
            box = box_before(m, on, release, 30)
            if box is not None:
                return box
    return box_before(m, on, i, 29) if on[i] else None


def box_before(m: Market, on: Bools, i: int, most: int) -> Box | None:
    """The box of the squeeze bars before i, at most the newest `most`, if the squeeze has six bars by then."""
    start = i
    while on[start - 1]:
        start -= 1
    bars = i - start + int(on[i])
    first = max(start, i - most)
    return Box(start, bars, m.high[first:i].max(), m.low[first:i].min()) if bars >= 6 else None


def vcb(bars: Records, instrument: Instrument) -> list[Found]:
    """3.6; a refused signal uses its squeeze up."""
    m = Market(bars, instrument)
    on, ranges = squeezes(m)
    ratios = volume_ratios(bars)
    spent = set()
    found = []
    for i in range(179, bars.size):
        box = box_of(m, on, i)
        if box is None or box.start in spent:
            continue
        c, atr, height = m.close[i], m.atr[i], box.high - box.low
        median = float(np.median(ranges[i - 19 : i + 1]))
        d = 1 if c > box.high + 0.1 * atr else -1 if c < box.low - 0.1 * atr else 0
        body, full = abs(c - m.open[i]), max(m.high[i] - m.low[i], 1)
        if not (d and body >= 0.5 * full and ranges[i] >= 1.2 * median and 0.5 * atr <= height <= 6 * atr):
            continue
        spent.add(box.start)
        risk = max(d * (c - (box.high + box.low) / 2), atr)
        reward = max(1.5 * risk, min(height, 3 * risk))
        if m.accepts(i, risk, reward):
            window = m.atr[max(14, i - 239) : i + 1]
            score = (
                0.25 * ramp(box.bars, 6, 24)
                + 0.25 * (1 - ramp(float((window <= atr).mean()), 0.1, 0.6))
                + 0.20 * ramp(ranges[i] / median, 1.2, 3)
                + 0.15 * ramp(ratios[i], 1, 2.5)
                + 0.15 * m.cheap(i)
            )
            found.append(Found(i, box.start, d, c - d * risk, c + d * reward, 100 * score))
    return found
