"""Indicators that advance by one bar: a record of state, and a kernel that takes the next value.

The state of an indicator is one record of a structured dtype (`ATR`, `ADX`, ...). It can be nested in the dtype of a
pattern's own state, pickled, copied, and carried from slice to slice; `np.zeros(1, ATR)` is a fresh one, and kernels
take the record, `state[0]`. (Records cost nothing to pass on; arrays are reference-counted at every call.) Windows
keep their values in an array beside it, the ring, because its length is a parameter.

Prices enter as int64 points relative to any fixed origin (patterns use their first close): sums stay exact, and every
float operation is odd-symmetric, so that a mirrored market gives exactly mirrored values. An indicator that is not
defined yet returns NaN, for which every comparison is false.

Formulas: Wilder (1978) for the average true range and ADX, Bollinger (2001) for the bands, Carter (2005) for the
squeeze. Seeding follows TA-Lib.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Floats, Ints

Record = Any  # one element of a structured array, its fields by name

# The last n integers; the ring is an int64 array of n.
WINDOW: Final = np.dtype([("seen", np.int64), ("total", np.int64)])  # values so far; exact sum of those in the ring

# The last n values, for ranking a new one among them; the ring is a float64 array of n.
RANKS: Final = np.dtype([("seen", np.int64)])

# An exponential average.
EMA: Final = np.dtype([("seen", np.int64), ("value", np.float64)])  # the running sum until it is seeded

# Wilder's average true range.
ATR: Final = np.dtype([("seen", np.int64), ("close", np.int64), ("value", np.float64)])

# Wilder's average directional index.
ADX: Final = np.dtype(
    [
        ("seen", np.int64),
        ("high", np.int64),
        ("low", np.int64),
        ("close", np.int64),
        ("up", np.float64),  # smoothed sums of upward movement, downward movement and true range
        ("down", np.float64),
        ("range", np.float64),
        ("value", np.float64),
    ]
)

# Fractal swing points; the ring is an int64 array of shape (2, 2k + 1), highs and lows.
SWINGS: Final = np.dtype([("seen", np.int64)])


@kernel
def window_push(window: Record, ring: Ints, value: int) -> None:
    """Let a value enter, and the oldest leave."""
    slot = window["seen"] % ring.size
    window["total"] += value - ring[slot]
    ring[slot] = value
    window["seen"] += 1


@kernel
def window_mean(window: Record, ring: Ints) -> float:
    """Simple moving average (SMA) of a full window; NaN before."""
    if window["seen"] < ring.size:
        return math.nan
    return float(window["total"] / ring.size)


@kernel
def window_std(window: Record, ring: Ints) -> float:
    """Population standard deviation (ddof 0, as Bollinger bands have it) of a full window; NaN before."""
    length = ring.size
    if window["seen"] < length:
        return math.nan
    squares = 0.0
    for i in range(length):
        deviation = float(length * ring[i] - window["total"])  # exact, so equal prices give exactly zero
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


@kernel
def rank_push(ranks: Record, ring: Floats, value: float) -> None:
    """Let a value enter, and the oldest leave."""
    ring[ranks["seen"] % ring.size] = value
    ranks["seen"] += 1


@kernel
def rank(ranks: Record, ring: Floats, value: float) -> float:
    """Share of the last n values that are not above this one; of fewer while fewer exist, at least one."""
    filled = min(ranks["seen"], ring.size)
    below = 0
    for i in range(filled):
        if ring[i] <= value:
            below += 1
    return float(below / filled)


@kernel
def ema_step(ema: Record, period: int, value: float) -> float:
    """Exponential moving average with weight 2 / (period + 1); seeded with the mean of its first `period` values."""
    ema["seen"] += 1
    if ema["seen"] <= period:
        ema["value"] += value
        if ema["seen"] < period:
            return math.nan
        ema["value"] /= period
    else:
        ema["value"] += (value - ema["value"]) * (2.0 / (period + 1.0))
    return float(ema["value"])


@kernel
def true_range(high: int, low: int, before: int, gap: bool) -> int:
    """Range of a bar including the step from the close before; after a gap the bar's own range."""
    if gap:
        return high - low
    return max(high, before) - min(low, before)


@kernel
def atr_step(atr: Record, period: int, high: int, low: int, close: int, gap: bool) -> float:
    """Average true range, in points: the mean of bars 1 to `period`, then (A (period - 1) + TR) / period.

    The first bar has no true range: NaN for the first `period` bars, as TA-Lib.
    """
    step = true_range(high, low, atr["close"], gap)
    atr["close"] = close
    atr["seen"] += 1
    ranges = atr["seen"] - 1  # this one included
    if ranges == 0:
        return math.nan
    if ranges <= period:
        atr["value"] += step
        if ranges < period:
            return math.nan
        atr["value"] /= period
    else:
        atr["value"] = (atr["value"] * (period - 1) + step) / period
    return float(atr["value"])


@kernel
def adx_step(adx: Record, period: int, high: int, low: int, close: int, gap: bool) -> float:
    """Average directional index, 0 to 100; NaN for the first 2 period - 1 bars, as TA-Lib.

    TA-Lib seeds the smoothed sums with period - 1 terms and their average with `period` values of the index. A bar
    without any range leaves the value as it was. After a gap the bar counts no directional movement.
    """
    up = high - adx["high"]
    down = adx["low"] - low
    step = true_range(high, low, adx["close"], gap)
    adx["high"] = high
    adx["low"] = low
    adx["close"] = close
    adx["seen"] += 1
    ranges = adx["seen"] - 1  # this one included
    if ranges == 0:
        return math.nan
    if ranges >= period:
        adx["up"] -= adx["up"] / period
        adx["down"] -= adx["down"] / period
        adx["range"] -= adx["range"] / period
    if up > down and up > 0 and not gap:
        adx["up"] += up
    if down > up and down > 0 and not gap:
        adx["down"] += down
    adx["range"] += step
    if ranges < period:
        return math.nan
    return _smooth_index(adx, period, ranges)


@kernel
def _smooth_index(adx: Record, period: int, ranges: int) -> float:
    index = math.nan
    if adx["range"] != 0.0:
        plus = 100.0 * (adx["up"] / adx["range"])
        minus = 100.0 * (adx["down"] / adx["range"])
        if plus + minus != 0.0:
            index = 100.0 * (abs(plus - minus) / (plus + minus))
    if not math.isnan(index):
        if ranges < 2 * period:
            adx["value"] += index
        else:
            adx["value"] = (adx["value"] * (period - 1) + index) / period
    if ranges < 2 * period - 1:
        return math.nan
    if ranges == 2 * period - 1:
        adx["value"] /= period
    return float(adx["value"])


@kernel
def swing_step(swings: Record, ring: Ints, high: int, low: int) -> tuple[bool, bool]:
    """Whether the bar k bars ago is, from now on and for ever, a swing high, and a swing low.

    A swing high lies above the highs of the k bars before it and is not exceeded by those of the k after it. Its level
    is `swing_level`.
    """
    size = ring.shape[1]
    slot = swings["seen"] % size
    ring[0, slot] = high
    ring[1, slot] = low
    swings["seen"] += 1
    if swings["seen"] < size:
        return False, False
    wing = size // 2
    middle = (swings["seen"] + wing) % size  # slot of the oldest bar, plus k
    is_high = True
    is_low = True
    for i in range(1, wing + 1):
        before = (middle - i) % size
        after = (middle + i) % size
        if ring[0, before] >= ring[0, middle] or ring[0, after] > ring[0, middle]:
            is_high = False
        if ring[1, before] <= ring[1, middle] or ring[1, after] < ring[1, middle]:
            is_low = False
    return is_high, is_low


@kernel
def swing_level(swings: Record, ring: Ints) -> tuple[int, int]:
    """High and low of the bar that `swing_step` has just judged."""
    size = ring.shape[1]
    middle = (swings["seen"] + size // 2) % size
    return ring[0, middle], ring[1, middle]
