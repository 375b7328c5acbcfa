"""Indicators that advance by one bar: a state made by `new_...`, and a kernel that takes the next value.

States are NamedTuples of small arrays, so they can be pickled, copied, and carried from slice to slice. Prices enter
as int64 points relative to any fixed origin (patterns use their first close): sums stay exact, and every float
operation is odd-symmetric, so that a mirrored market gives exactly mirrored values. An indicator that is not defined
yet returns NaN, for which every comparison is false.

Formulas: Wilder (1978) for the average true range and ADX, Bollinger (2001) for the bands, Carter (2005) for the
squeeze. Seeding follows TA-Lib.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Floats, Ints


class Window(NamedTuple):
    """The last n integers and their exact sum."""

    ring: Ints  # (n,)
    seen: Ints  # (1,) values so far
    total: Ints  # (1,) sum of the values in the ring


def new_window(length: int) -> Window:
    """An empty window of `length` values."""
    return Window(np.zeros(length, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64))


@kernel
def window_push(window: Window, value: int) -> None:
    """Let a value enter, and the oldest leave."""
    slot = window.seen[0] % window.ring.size
    window.total[0] += value - window.ring[slot]
    window.ring[slot] = value
    window.seen[0] += 1


@kernel
def window_mean(window: Window) -> float:
    """Simple moving average (SMA) of a full window; NaN before."""
    if window.seen[0] < window.ring.size:
        return math.nan
    return float(window.total[0] / window.ring.size)


@kernel
def window_std(window: Window) -> float:
    """Population standard deviation (ddof 0, as Bollinger bands have it) of a full window; NaN before."""
    length = window.ring.size
    if window.seen[0] < length:
        return math.nan
    squares = 0.0
    for i in range(length):
        deviation = float(length * window.ring[i] - window.total[0])  # exact, so equal prices give exactly zero
        squares += deviation * deviation
    return math.sqrt(squares / length) / length


@kernel
def squeeze_on(std: float, mean_range: float, deviations: float, ranges: float) -> bool:
    """Whether Bollinger bands lie strictly inside a Keltner channel around the same average.

    Args:
        std: population standard deviation of the window's closes.
        mean_range: simple average of the true range over the same window.
        deviations: half width of the bands in standard deviations (2).
        ranges: half width of the channel in mean true ranges (1.5).
    """
    return deviations * std < ranges * mean_range


class Ranks(NamedTuple):
    """The last n values, for ranking a new one among them."""

    ring: Floats  # (n,)
    seen: Ints  # (1,) values so far


def new_ranks(length: int) -> Ranks:
    """An empty window of `length` values."""
    return Ranks(np.zeros(length), np.zeros(1, np.int64))


@kernel
def rank_step(ranks: Ranks, value: float) -> float:
    """Share of the last n values, this one included, that are not above it; over fewer while fewer exist."""
    ranks.ring[ranks.seen[0] % ranks.ring.size] = value
    ranks.seen[0] += 1
    filled = min(ranks.seen[0], ranks.ring.size)
    below = 0
    for i in range(filled):
        if ranks.ring[i] <= value:
            below += 1
    return float(below / filled)


class Ema(NamedTuple):
    """An exponential average; seeded with the simple average of its first n values."""

    seen: Ints  # (1,)
    value: Floats  # (1,) the running sum until it is seeded


def new_ema() -> Ema:
    """An average that has seen nothing."""
    return Ema(np.zeros(1, np.int64), np.zeros(1))


@kernel
def ema_step(ema: Ema, period: int, value: float) -> float:
    """Exponential moving average with weight 2 / (period + 1); NaN for the first period - 1 values."""
    ema.seen[0] += 1
    if ema.seen[0] <= period:
        ema.value[0] += value
        if ema.seen[0] < period:
            return math.nan
        ema.value[0] /= period
    else:
        ema.value[0] += (value - ema.value[0]) * (2.0 / (period + 1.0))
    return float(ema.value[0])


@kernel
def true_range(high: int, low: int, before: int, gap: bool) -> int:
    """Range of a bar including the step from the close before; after a gap the bar's own range."""
    if gap:
        return high - low
    return max(high, before) - min(low, before)


class Atr(NamedTuple):
    """Wilder's average true range."""

    seen: Ints  # (1,) bars seen
    close: Ints  # (1,) the last close
    value: Floats  # (1,) the running sum until it is seeded


def new_atr() -> Atr:
    """A state before the first bar."""
    return Atr(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1))


@kernel
def atr_step(atr: Atr, period: int, high: int, low: int, close: int, gap: bool) -> float:
    """Average true range, in points: the mean of bars 1 to `period`, then (A (period - 1) + TR) / period.

    The first bar has no true range: NaN for the first `period` bars, as TA-Lib.
    """
    step = true_range(high, low, atr.close[0], gap)
    atr.close[0] = close
    atr.seen[0] += 1
    ranges = atr.seen[0] - 1  # this one included
    if ranges == 0:
        return math.nan
    if ranges <= period:
        atr.value[0] += step
        if ranges < period:
            return math.nan
        atr.value[0] /= period
    else:
        atr.value[0] = (atr.value[0] * (period - 1) + step) / period
    return float(atr.value[0])


class Adx(NamedTuple):
    """Wilder's average directional index."""

    seen: Ints  # (1,) bars seen
    last: Ints  # (3,) high, low and close of the last bar
    sums: Floats  # (3,) smoothed sums of upward movement, downward movement and true range
    value: Floats  # (1,) the running sum of the directional index until it is seeded


def new_adx() -> Adx:
    """A state before the first bar."""
    return Adx(np.zeros(1, np.int64), np.zeros(3, np.int64), np.zeros(3), np.zeros(1))


@kernel
def adx_step(adx: Adx, period: int, high: int, low: int, close: int, gap: bool) -> float:
    """Average directional index, 0 to 100; NaN for the first 2 period - 1 bars, as TA-Lib.

    TA-Lib seeds the smoothed sums with period - 1 terms and their average with `period` values of the index. A bar
    without any range leaves the value as it was. After a gap the bar counts no directional movement.
    """
    up = high - adx.last[0]
    down = adx.last[1] - low
    step = true_range(high, low, adx.last[2], gap)
    adx.last[0], adx.last[1], adx.last[2] = high, low, close
    adx.seen[0] += 1
    ranges = adx.seen[0] - 1  # this one included
    if ranges == 0:
        return math.nan
    if ranges >= period:
        for i in range(3):
            adx.sums[i] -= adx.sums[i] / period
    if up > down and up > 0 and not gap:
        adx.sums[0] += up
    if down > up and down > 0 and not gap:
        adx.sums[1] += down
    adx.sums[2] += step
    if ranges < period:
        return math.nan
    return _smooth_index(adx, period, ranges)


@kernel
def _smooth_index(adx: Adx, period: int, ranges: int) -> float:
    index = math.nan
    if adx.sums[2] != 0.0:
        plus = 100.0 * (adx.sums[0] / adx.sums[2])
        minus = 100.0 * (adx.sums[1] / adx.sums[2])
        if plus + minus != 0.0:
            index = 100.0 * (abs(plus - minus) / (plus + minus))
    if not math.isnan(index):
        if ranges < 2 * period:
            adx.value[0] += index
        else:
            adx.value[0] = (adx.value[0] * (period - 1) + index) / period
    if ranges < 2 * period - 1:
        return math.nan
    if ranges == 2 * period - 1:
        adx.value[0] /= period
    return float(adx.value[0])


class Swings(NamedTuple):
    """The last 2k + 1 bars, whose middle one may be a swing point."""

    high: Ints  # (2k + 1,)
    low: Ints  # (2k + 1,)
    seen: Ints  # (1,) bars seen


def new_swings(wing: int) -> Swings:
    """A state for fractals with `wing` bars on each side."""
    return Swings(np.zeros(2 * wing + 1, np.int64), np.zeros(2 * wing + 1, np.int64), np.zeros(1, np.int64))


@kernel
def swing_step(swings: Swings, high: int, low: int) -> tuple[bool, bool]:
    """Whether the bar `wing` bars ago is, from now on and for ever, a swing high, and a swing low.

    A swing high lies above the highs of the `wing` bars before it and is not exceeded by those of the `wing` after.
    Its level is `swing_level`.
    """
    size = swings.high.size
    swings.high[swings.seen[0] % size] = high
    swings.low[swings.seen[0] % size] = low
    swings.seen[0] += 1
    if swings.seen[0] < size:
        return False, False
    wing = size // 2
    middle = (swings.seen[0] + wing) % size  # slot of the oldest bar, plus wing
    is_high = True
    is_low = True
    for i in range(1, wing + 1):
        before = (middle - i) % size
        after = (middle + i) % size
        if swings.high[before] >= swings.high[middle] or swings.high[after] > swings.high[middle]:
            is_high = False
        if swings.low[before] <= swings.low[middle] or swings.low[after] < swings.low[middle]:
            is_low = False
    return is_high, is_low


@kernel
def swing_level(swings: Swings) -> tuple[int, int]:
    """High and low of the bar that `swing_step` has just judged."""
    middle = (swings.seen[0] + swings.high.size // 2) % swings.high.size
    return swings.high[middle], swings.low[middle]
