"""BB, Bollinger-band scalp: back to the middle of a range after a close outside the bands.

Only in a range: a low ADX, and a bandwidth that is neither among the narrowest nor among the widest of late. The bar
before closed outside its own bands; this bar closes back inside, short of the middle, in the direction of the trade.

Sources: Bollinger (1992) and (2001), %b and bandwidth; Wilder (1978), ATR and ADX; Lento et al. (2007), contrarian use.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import (
    Ranks,
    Window,
    new_ranks,
    new_window,
    rank_step,
    window_mean,
    window_push,
    window_std,
)
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Floats, Ints, Records
from bitten.pattern import KernelPattern
from bitten_plugins.patterns.rules import (
    BarRules,
    Market,
    Now,
    Rules,
    acceptable,
    cheapness,
    market_step,
    new_market,
    new_rules,
    ramp,
    write_signal,
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


class State(NamedTuple):
    """What is carried from bar to bar."""

    market: Market
    closes: Window
    widths: Ranks
    highs: Ints  # (stop_bars,) ring, by bar number
    lows: Ints
    before: Floats  # (2,) of the bar before: close less the middle of its bands, half their width
    outside: Ints  # (1,) start of the bar before


@kernel
def _remember_extremes(state: State, now: Now) -> None:
    number = state.market.bars[0] - 1
    if number == 0:
        state.highs[:] = now.high
        state.lows[:] = now.low
    state.highs[number % state.highs.size] = now.high
    state.lows[number % state.lows.size] = now.low


@kernel
def _extreme(state: State, side: int) -> int:
    """The lowest low of the last bars for a buy, the highest high for a sell, times the side."""
    levels = state.lows if side > 0 else state.highs
    lowest = int(side * levels[0])
    for i in range(1, levels.size):
        lowest = min(lowest, side * levels[i])
    return lowest


@kernel
def _enter(
    state: State, params: Params, now: Now, bar: Records, row: Records, middle: float, half: float, rank: float
) -> bool:
    """Write the signal of this bar if it gives one."""
    beyond = abs(state.before[0]) - state.before[1]
    if not now.ready or not beyond > 0.0 or not now.adx < params.max_adx:
        return False
    side = -1 if state.before[0] > 0.0 else 1
    reward = side * (middle - now.close)
    if not 0.0 < reward < half or side * (now.close - now.open) <= 0:
        return False
    if not params.min_rank <= rank <= params.max_rank:
        return False
    inside = side * now.close - _extreme(state, side)
    risk = max(inside + params.stop_buffer * now.atr, params.min_stop * now.atr)
    if not acceptable(params.rules, now, risk, reward):
        return False
    depth = beyond / (2.0 * state.before[1])
    deep = ramp(depth, 0.0, 0.15)
    calm = 1.0 - ramp(now.adx, 12.0, params.max_adx)
    worth = ramp(reward / risk, 0.8, 1.6)
    cheap = cheapness(now)
    score = 0.30 * deep + 0.30 * calm + 0.20 * worth + 0.20 * cheap
    write_signal(row, params.rules, now, bar, side, state.outside[0], risk, reward, score)
    evidence = row["evidence"]
    evidence[0], evidence[1], evidence[2], evidence[3] = depth, now.adx, rank, now.spread
    evidence[4], evidence[5], evidence[6], evidence[7] = deep, calm, worth, cheap
    return True


@kernel
def scan_bars(state: State, params: Params, bars: Records, out: Records) -> int:
    """BB over new bars; the number of signals written to `out`."""
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        now = market_step(state.market, params.rules, bar)
        _remember_extremes(state, now)
        window_push(state.closes, now.close)
        middle = window_mean(state.closes)
        half = params.deviations * window_std(state.closes)
        if half >= 0.0:
            rank = rank_step(state.widths, half)
            if _enter(state, params, now, bar, out[count], middle, half, rank):
                count += 1
            state.before[0] = now.close - middle
            state.before[1] = half
            state.outside[0] = bar["time"]
    return count


class BbScalp(KernelPattern):
    """Return to the middle of a range after a close outside the Bollinger bands."""

    Config = BbScalpConfig
    evidence = (
        "depth",  # how far the close before lay outside its bands, in bandwidths
        "adx",
        "width_rank",  # share of the last bandwidths that are not above this one
        "spread",  # mean of the signal bar, points
        "deep_factor",
        "calm_factor",
        "worth_factor",
        "cheap_factor",
    )
    kernel = scan_bars

    def new_state(self) -> State:
        """The state before the first bar."""
        config = self.config
        return State(
            market=new_market(),
            closes=new_window(config.period),
            widths=new_ranks(config.rank_bars),
            highs=np.zeros(config.stop_bars, np.int64),
            lows=np.zeros(config.stop_bars, np.int64),
            before=np.zeros(2),
            outside=np.zeros(1, np.int64),
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
