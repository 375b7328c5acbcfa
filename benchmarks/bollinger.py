"""Bollinger reversion as the peers' sweep has it: a signal at every bar that closes outside its bands.

Everything is counted in points of the data (five decimals), ten of the instrument's points, so that every sum, mean and
deviation is the very number that the reference calculates. Stop and target lie six and eight average true ranges from
the fill, rounded down to a point, and half a point more.
"""

from __future__ import annotations

import math
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Records
from bitten.pattern import KernelPattern

POINT: Final = 10  # the data's point, in the instrument's


class BollingerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of bollinger."""

    period: Annotated[int, Meta(ge=2, le=10_000, description="closes in the bands' average")] = 20
    deviations: Annotated[
        float, Meta(gt=0, le=10, description="half width of the bands, population standard deviations")
    ] = 2.0


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    deviations: float


CARRIED: Final = np.dtype(
    [
        ("seen", np.int64),  # bars so far
        ("base", np.int64),  # the first close, from which closes are counted: sums stay small
        ("total", np.int64),  # of the closes in the ring
        ("squares", np.int64),
        ("atr", np.float64),  # Wilder's, period 14, seeded with the first bar's range
    ]
)


class State(NamedTuple):
    """What is carried from bar to bar."""

    carried: Records  # (1,)
    closes: Ints  # (period,) ring


@kernel
def scan_bars(state: State, params: Params, bars: Records, out: Records) -> int:
    """Bollinger reversion over new bars; the number of signals written to `out`."""
    carried = state.carried[0]
    closes = state.closes
    period = closes.size
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        size = (bar["high"] - bar["low"]) // POINT
        if carried["seen"] == 0:
            carried["base"] = bar["close"] // POINT
            carried["atr"] = size
        close = bar["close"] // POINT - carried["base"]
        carried["atr"] += (size - carried["atr"]) / 14.0
        slot = carried["seen"] % period
        carried["total"] += close - closes[slot]
        carried["squares"] += close * close - closes[slot] * closes[slot]
        closes[slot] = close
        carried["seen"] += 1
        if carried["seen"] < period:
            continue
        mean = carried["total"] / period
        variance = (carried["squares"] * period - carried["total"] * carried["total"]) / (period * period)
        width = params.deviations * math.sqrt(variance)
        if close < mean - width:
            side = 1
        elif close > mean + width:
            side = -1
        else:
            continue
        row = out[count]
        row["time"] = bar["known"]
        row["anchor"] = bar["time"]
        row["side"] = side
        row["reference"] = bar["close"]
        row["stop"] = POINT * math.floor(1.5 * 4 * carried["atr"]) + POINT // 2
        row["target"] = POINT * math.floor(2.0 * 4 * carried["atr"]) + POINT // 2
        row["relative"] = 1
        row["confidence"] = 100.0
        row["expiry"] = 0
        row["time_stop_bars"] = 0
        row["atr"] = POINT * carried["atr"]
        row["evidence"][:] = 0.0
        row["evidence"][0] = POINT * (close - mean)
        count += 1
    return count


class Bollinger(KernelPattern):
    """Back to the middle after a close outside the Bollinger bands, without any further condition."""

    Config = BollingerConfig
    evidence = ("offset",)  # of the close from the middle of its bands, points
    kernel = scan_bars
    signals_per_bar = 1

    def new_state(self) -> State:
        """The state before the first bar."""
        return State(np.zeros(1, CARRIED), np.zeros(self.config.period, np.int64))

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        return Params(self.config.deviations)
