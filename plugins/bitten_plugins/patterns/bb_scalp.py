"""BB, Bollinger-band scalp: back to the middle of a range after a close outside the bands.

Only in a range: a low ADX, and a bandwidth that is neither among the narrowest nor among the widest of late. The bar
before closed outside its own bands; this bar closes back inside, short of the middle, in the direction of the trade.

Sources: Bollinger (1992) and (2001), %b and bandwidth; Wilder (1978), ATR and ADX; Lento et al. (2007), contrarian use.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import (
    RANKS,
    WINDOW,
    Record,
    rank,
    rank_push,
    window_mean,
    window_push,
    window_std,
)
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Floats, Ints, Records
from bitten.pattern import KernelPattern
from bitten_plugins.patterns.rules import (
    MARKET,
    BarRules,
    Now,
    Rules,
    acceptable,
    cheapness,
    market_step,
    new_rules,
    ramp,
    write_signal,
    write_zone,
)


class BbScalpConfig(BarRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of BB."""

    period: Annotated[int, Meta(ge=2, le=1000, description="closes in the bands' average")] = 20
    deviations: Annotated[
        float, Meta(gt=0, le=10, description="half width of the bands, population standard deviations")
    ] = 2.0
    rank_bars: Annotated[int, Meta(ge=2, le=10_000, description="bandwidths among which the current is ranked")] = 240
    min_rank: Annotated[float, Meta(ge=0, le=1, description="least rank of the bandwidth, as a share")] = 0.15
    max_rank: Annotated[float, Meta(ge=0, le=1, description="greatest rank of the bandwidth, as a share")] = 0.85
    max_adx: Annotated[float, Meta(gt=12, le=100, description="the ADX must lie below this")] = 25.0
    stop_bars: Annotated[int, Meta(ge=1, le=100, description="bars whose extreme the stop lies beyond")] = 3
    stop_buffer: Annotated[float, Meta(ge=0, le=10, description="stop beyond that extreme, in ATR")] = 0.3
    min_stop: Annotated[float, Meta(ge=0, le=10, description="stop at least this far from the close, in ATR")] = 0.8
    time_stop: Annotated[int, Meta(ge=0, le=100_000, description="bars a position may last; 0 for no limit")] = 20
    expiry: Annotated[
        int, Meta(ge=0, le=1000, description="bars after the signal's in which an order may fill; 0 for no limit")
    ] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_rank <= self.min_rank:
            raise ValueError(f"max_rank was {self.max_rank:g}, must be above min_rank ({self.min_rank:g})")


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    deviations: float
    min_rank: float
    max_rank: float
    max_adx: float
    stop_buffer: float
    min_stop: float


# What is carried from bar to bar, but for the rings.
CARRIED: Final = np.dtype(
    [
        ("market", MARKET),
        ("closes", WINDOW),
        ("widths", RANKS),
        ("offset", np.float64),  # of the last close from the middle of its bands
        ("half", np.float64),  # half the width of those bands; 0 before there were any
        ("time", np.int64),  # start of that bar
    ]
)


class State(NamedTuple):
    """What is carried from bar to bar."""

    carried: Records  # (1,)
    closes: Ints  # (period,) ring
    widths: Floats  # (rank_bars,) ring of half widths of the bands
    extremes: Ints  # (2, stop_bars) ring of highs and lows


@kernel
def _remember_extremes(extremes: Ints, number: int, now: Now) -> None:
    if number == 0:
        extremes[0, :] = now.high
        extremes[1, :] = now.low
    slot = number % extremes.shape[1]
    extremes[0, slot] = now.high
    extremes[1, slot] = now.low


@kernel
def _extreme(extremes: Ints, side: int) -> int:
    """The lowest low of the last bars for a buy, the highest high for a sell, times the side."""
    lowest = min(side * extremes[0, 0], side * extremes[1, 0])
    for i in range(1, extremes.shape[1]):
        lowest = min(lowest, side * extremes[0, i], side * extremes[1, i])
    return int(lowest)


@kernel
def _enter(state: State, params: Params, now: Now, bar: Record, row: Record, middle: float, half: float) -> bool:
    """Write the signal of this bar, after one that closed outside its bands, if it gives one."""
    carried = state.carried[0]
    side = -1 if carried["offset"] > 0.0 else 1
    reward = side * (middle - now.close)
    if not now.adx < params.max_adx or not 0.0 < reward < half or side * (now.close - now.open) <= 0:
        return False
    width_rank = rank(carried["widths"], state.widths, half)
    if not params.min_rank <= width_rank <= params.max_rank:
        return False
    inside = side * now.close - _extreme(state.extremes, side)
    risk = max(inside + params.stop_buffer * now.atr, params.min_stop * now.atr)
    if not acceptable(params.rules, now, risk, reward):
        return False
    depth = (abs(carried["offset"]) - carried["half"]) / (2.0 * carried["half"])
    deep = ramp(depth, 0.0, 0.15)
    calm = 1.0 - ramp(now.adx, 12.0, params.max_adx)
    worth = ramp(reward / risk, 0.8, 1.6)
    cheap = cheapness(now)
    score = 0.30 * deep + 0.30 * calm + 0.20 * worth + 0.20 * cheap
    write_signal(row, params.rules, now, bar, side, carried["time"], risk, reward, score)
    write_zone(row, carried["market"]["origin"], middle - half, middle + half)
    evidence = row["evidence"]
    evidence[2], evidence[3] = abs(carried["offset"]) / carried["half"] * params.deviations, depth
    evidence[4], evidence[5], evidence[6] = now.adx, width_rank, now.spread
    evidence[7], evidence[8], evidence[9], evidence[10] = deep, calm, worth, cheap
    return True


@kernel
def scan_bars(state: State, params: Params, bars: Records, out: Records) -> int:
    """BB over new bars; the number of signals written to `out`."""
    carried = state.carried[0]
    closes = state.closes
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        now = market_step(carried["market"], params.rules, bar)
        _remember_extremes(state.extremes, carried["market"]["bars"] - 1, now)
        window_push(carried["closes"], closes, now.close)
        middle = window_mean(carried["closes"], closes)
        half = params.deviations * window_std(carried["closes"], closes)
        if half >= 0.0:
            rank_push(carried["widths"], state.widths, half)
            outside = now.ready and abs(carried["offset"]) > carried["half"]
            if outside and _enter(state, params, now, bar, out[count], middle, half):
                count += 1
            carried["offset"] = now.close - middle
            carried["half"] = half
            carried["time"] = bar["time"]
    return count


class BbScalp(KernelPattern):
    """Return to the middle of a range after a close outside the Bollinger bands."""

    Config = BbScalpConfig
    evidence = (
        "zone_low",  # the bands of the signal bar
        "zone_high",
        "z_before",  # |close before - middle|, in standard deviations of its bands
        "depth",  # how far the close before lay outside its bands, in bandwidths
        "adx",
        "width_rank",  # share of the last bandwidths that are not above this one
        "spread",  # mean of the signal bar, points
        "deep_factor",
        "calm_factor",
        "worth_factor",
        "cheap_factor",
    )
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_bars

    def new_state(self) -> State:
        """The state before the first bar."""
        config = self.config
        return State(
            np.zeros(1, CARRIED),
            np.zeros(config.period, np.int64),
            np.zeros(config.rank_bars),
            np.zeros((2, config.stop_bars), np.int64),
        )

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        return Params(
            rules=new_rules(config, self.context, config.expiry, config.time_stop),
            deviations=config.deviations,
            min_rank=config.min_rank,
            max_rank=config.max_rank,
            max_adx=config.max_adx,
            stop_buffer=config.stop_buffer,
            min_stop=config.min_stop,
        )
