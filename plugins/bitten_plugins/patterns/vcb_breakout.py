"""VCB, volatility-compression breakout: out of the box that a squeeze has built, on a bar with range and body.

A squeeze is a run of bars whose Bollinger bands lie inside a Keltner channel around the same average. Its box is made
of its latest bars, without the current one. Once the squeeze is long enough, a close beyond the box gives the signal,
while it lasts or within `valid_bars` of the bar that released it. One squeeze gives one signal, and one that the
acceptance gate refuses uses it up.

Sources: Bollinger (2001), the squeeze; Carter (2005) ch. 11, bands inside the channel; Keltner (1960) and Raschke, the
channel; Crabel (1990), narrow ranges; Engle (1982) and Bollerslev (1986), volatility clusters.
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
    squeeze_on,
    true_range,
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
    volume_ratio,
    write_signal,
    write_zone,
)
from bitten_plugins.patterns.squeezes import SQUEEZE, build_box, follow_squeeze, median


class VcbBreakoutConfig(BarRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of VCB."""

    period: Annotated[int, Meta(ge=2, le=1000, description="bars in the bands, the channel and the median range")] = 20
    deviations: Annotated[
        float, Meta(gt=0, le=10, description="half width of the bands, population standard deviations")
    ] = 2.0
    ranges: Annotated[float, Meta(gt=0, le=10, description="half width of the channel, mean true ranges")] = 1.5
    min_bars: Annotated[int, Meta(ge=2, le=10_000, description="least length of the squeeze, bars")] = 6
    full_bars: Annotated[
        int, Meta(ge=2, le=100_000, description="length that earns full confidence; must exceed min_bars")
    ] = 24
    box_bars: Annotated[int, Meta(ge=2, le=10_000, description="latest bars of the squeeze that make its box")] = 30
    valid_bars: Annotated[
        int, Meta(ge=0, le=1000, description="bars after the one that ended the squeeze in which its box may break")
    ] = 2
    margin: Annotated[float, Meta(ge=0, le=10, description="least way of the close beyond the box, in ATR")] = 0.1
    body_share: Annotated[float, Meta(ge=0, le=1, description="least body of the bar, as a share of its range")] = 0.5
    min_range: Annotated[
        float, Meta(ge=0, le=100, description="least true range of the bar, in medians of the last `period`")
    ] = 1.2
    min_height: Annotated[float, Meta(ge=0, le=100, description="least height of the box, in ATR")] = 0.5
    max_height: Annotated[float, Meta(gt=0, le=1000, description="greatest height of the box, in ATR")] = 6.0
    rank_bars: Annotated[int, Meta(ge=2, le=10_000, description="ATRs among which the current is ranked")] = 240
    volume_bars: Annotated[int, Meta(ge=1, le=1000, description="bars before it that a volume is compared with")] = 20
    min_stop: Annotated[float, Meta(ge=0, le=10, description="stop at least this far from the close, in ATR")] = 1.0
    min_target: Annotated[float, Meta(ge=0, le=100, description="least target, in stop distances")] = 1.5
    max_target: Annotated[
        float, Meta(gt=0, le=100, description="target where the height of the box is more, in stop distances")
    ] = 3.0
    time_stop: Annotated[int, Meta(ge=0, le=100_000, description="bars a position may last; 0 for no limit")] = 40
    expiry: Annotated[
        int, Meta(ge=0, le=1000, description="bars after the signal's in which an order may fill; 0 for no limit")
    ] = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_order("min_bars", "full_bars")
        self.check_order("min_height", "max_height")
        self.check_order("min_target", "max_target", equal=True)


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    deviations: float
    ranges: float
    min_bars: int
    full_bars: int
    valid_bars: int
    margin: float
    body_share: float
    min_range: float
    min_height: float
    max_height: float
    min_stop: float
    min_target: float
    max_target: float


# What is carried from bar to bar, but for the rings.
CARRIED: Final = np.dtype(
    [
        ("market", MARKET),
        ("closes", WINDOW),
        ("ranges", WINDOW),
        ("volumes", WINDOW),
        ("atrs", RANKS),
        ("running", SQUEEZE),  # the squeeze that is on
        ("ended", SQUEEZE),  # the last one that is over
    ]
)


class State(NamedTuple):
    """What is carried from bar to bar."""

    carried: Records  # (1,)
    closes: Ints  # (period,) ring
    ranges: Ints  # (period,) ring of true ranges
    volumes: Ints  # (volume_bars,) ring
    atrs: Floats  # (rank_bars,) ring
    extremes: Ints  # (2, box_bars) ring of highs and lows


@kernel
def _enter(state: State, params: Params, now: Now, bar: Record, row: Record, step: int, volume: float) -> bool:
    """Write the signal of this bar if it breaks the box of a squeeze that is on or has just ended."""
    if not now.ready or abs(now.close - now.open) < params.body_share * max(now.high - now.low, 1):
        return False
    carried = state.carried[0]
    squeeze = carried["ended"]
    if squeeze["left"] == 0:
        squeeze = carried["running"]
        before = min(squeeze["bars"], state.extremes.shape[1]) - 1
        build_box(squeeze, state.extremes, carried["market"]["bars"] - 1, before)
    height = squeeze["high"] - squeeze["low"]
    above, below = now.close - squeeze["high"], squeeze["low"] - now.close
    side = 1 if above > below else -1
    if not max(above, below) > params.margin * now.atr:
        return False
    usual = median(state.ranges)
    if not usual > 0.0 or step < params.min_range * usual:
        return False
    if not params.min_height * now.atr <= height <= params.max_height * now.atr:
        return False
    squeeze["spent"] = 1
    squeeze["left"] = 0
    middle = 0.5 * (squeeze["high"] + squeeze["low"])
    risk = max(side * (now.close - middle), params.min_stop * now.atr)
    reward = max(params.min_target * risk, min(height, params.max_target * risk))
    if not acceptable(params.rules, now, risk, reward):
        return False
    atr_rank = rank(carried["atrs"], state.atrs, now.atr)
    long = ramp(squeeze["bars"], params.min_bars, params.full_bars)
    quiet = 1.0 - ramp(atr_rank, 0.1, 0.6)
    wide = ramp(step / usual, 1.2, 3.0)
    busy = ramp(volume, 1.0, 2.5)
    cheap = cheapness(now)
    score = 0.25 * long + 0.25 * quiet + 0.20 * wide + 0.15 * busy + 0.15 * cheap
    write_signal(row, params.rules, now, bar, side, squeeze["anchor"], risk, reward, score)
    write_zone(row, carried["market"]["origin"], squeeze["low"], squeeze["high"])
    evidence = row["evidence"]
    evidence[2], evidence[3], evidence[4] = squeeze["bars"], height / now.atr, step / usual
    evidence[5], evidence[6], evidence[7] = atr_rank, volume, now.spread
    evidence[8], evidence[9], evidence[10], evidence[11], evidence[12] = long, quiet, wide, busy, cheap
    return True


@kernel
def scan_bars(state: State, params: Params, bars: Records, out: Records) -> int:
    """VCB over new bars; the number of signals written to `out`."""
    carried = state.carried[0]
    running, ended, extremes = carried["running"], carried["ended"], state.extremes
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        now = market_step(carried["market"], params.rules, bar)
        number = carried["market"]["bars"] - 1
        step = true_range(now.high, now.low, now.before, now.gap)
        volume = volume_ratio(carried["volumes"], state.volumes, bar["ticks"])
        window_push(carried["closes"], state.closes, now.close)
        window_push(carried["ranges"], state.ranges, step)
        if now.atr > 0.0:
            rank_push(carried["atrs"], state.atrs, now.atr)
        deviation = window_std(carried["closes"], state.closes)
        mean_range = window_mean(carried["ranges"], state.ranges)
        if now.gap:
            running["bars"] = 0
            ended["left"] = 0
        else:
            on = squeeze_on(deviation, mean_range, params.deviations, params.ranges)
            ended["left"] = max(ended["left"] - 1, 0)
            if on or running["bars"] > 0:
                follow_squeeze(running, ended, params.min_bars, params.valid_bars, extremes, number, on, bar["time"])
            live = running["bars"] >= params.min_bars and running["spent"] == 0
            if (live or ended["left"] > 0) and _enter(state, params, now, bar, out[count], step, volume):
                count += 1
        slot = number % extremes.shape[1]
        extremes[0, slot] = now.high
        extremes[1, slot] = now.low
    return count


class VcbBreakout(KernelPattern):
    """Breakout from the box of a volatility squeeze."""

    Config = VcbBreakoutConfig
    evidence = (
        "zone_low",  # the box
        "zone_high",
        "squeeze_bars",
        "box_height",  # ATR
        "range_ratio",  # true range of the bar, in medians of the last
        "atr_rank",  # share of the last ATRs that are not above this one
        "volume_ratio",
        "spread",  # mean of the signal bar, points
        "long_factor",
        "quiet_factor",
        "range_factor",
        "volume_factor",
        "cheap_factor",
    )
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_bars
    signals_per_bar = 1

    def new_state(self) -> State:
        """The state before the first bar."""
        config = self.config
        return State(
            np.zeros(1, CARRIED),
            np.zeros(config.period, np.int64),
            np.zeros(config.period, np.int64),
            np.zeros(config.volume_bars, np.int64),
            np.zeros(config.rank_bars),
            np.zeros((2, config.box_bars), np.int64),
        )

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        return Params(
            rules=new_rules(config, self.context, config.expiry, config.time_stop),
            deviations=config.deviations,
            ranges=config.ranges,
            min_bars=config.min_bars,
            full_bars=config.full_bars,
            valid_bars=config.valid_bars,
            margin=config.margin,
            body_share=config.body_share,
            min_range=config.min_range,
            min_height=config.min_height,
            max_height=config.max_height,
            min_stop=config.min_stop,
            min_target=config.min_target,
            max_target=config.max_target,
        )
