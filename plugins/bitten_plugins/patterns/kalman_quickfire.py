"""KAL, Kalman quickfire: the reversion of a spike against a filtered trend.

A Kalman local linear trend follows the closes. A close whose innovation is more than `arm_z` standard deviations off
arms the pattern against the spike, unless the trend itself is steep against the trade. Within `arm_bars` bars, the
first bar that closes back in the direction of the trade, in the favourable half of its range, gives the signal.

Sources: Kalman (1960); Harvey (1989), local linear trend; Durbin & Koopman (2012) ch. 2-4, innovations; Bar-Shalom et
al. (2001), normalised innovation test; Chan (2013) ch. 3, Kalman filters in mean reversion.
"""

from __future__ import annotations

import math
from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten.kernels.kalman import TREND, trend_predict, trend_start, trend_update
from bitten.model.dtypes import Records
from bitten.pattern import KernelPattern
from bitten_plugins.patterns.rules import (
    MARKET,
    BarRules,
    Now,
    Rules,
    acceptable,
    adverse_extreme,
    cheapness,
    close_position,
    market_step,
    new_rules,
    ramp,
    write_signal,
    write_zone,
)


class KalmanQuickfireConfig(BarRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of KAL."""

    level_noise: Annotated[
        float, Meta(gt=0, le=100, description="variance of the level per bar, relative to the observation noise")
    ] = 0.05
    slope_noise: Annotated[
        float, Meta(gt=0, le=100, description="variance of the slope per bar, relative to the observation noise")
    ] = 0.0005
    variance_half_life: Annotated[
        float, Meta(gt=0, le=100_000, description="half-life of the innovation variance, bars")
    ] = 60.0
    variance_cap: Annotated[
        float, Meta(ge=1, le=1000, description="a squared innovation counts at most this many variances")
    ] = 9.0
    arm_z: Annotated[float, Meta(gt=0, le=20, description="innovation that arms, in standard deviations")] = 2.2
    full_z: Annotated[
        float, Meta(gt=0, le=50, description="innovation that earns full confidence; must exceed arm_z")
    ] = 4.0
    max_slope: Annotated[float, Meta(gt=0, le=10, description="steepest trend against the trade, in ATR per bar")] = (
        0.15
    )
    arm_bars: Annotated[int, Meta(ge=1, le=1000, description="bars after the arm bar in which it may fire")] = 3
    close_share: Annotated[
        float, Meta(ge=0, le=1, description="least position of the firing close in its bar's range, as a share")
    ] = 0.5
    stop_buffer: Annotated[float, Meta(ge=0, le=10, description="stop beyond the spike's extreme, in ATR")] = 0.2
    min_stop: Annotated[float, Meta(ge=0, le=10, description="stop at least this far from the close, in ATR")] = 1.0
    time_stop: Annotated[int, Meta(ge=0, le=100_000, description="bars a position may last; 0 for no limit")] = 20
    expiry: Annotated[
        int, Meta(ge=0, le=1000, description="bars after the signal's in which an order may fill; 0 for no limit")
    ] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.full_z <= self.arm_z:
            raise ValueError(f"full_z was {self.full_z:g}, must be above arm_z ({self.arm_z:g})")


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    level_noise: float
    slope_noise: float
    variance_weight: float
    variance_cap: float
    arm_z: float
    full_z: float
    max_slope: float
    arm_bars: int
    close_share: float
    stop_buffer: float
    min_stop: float


# What is carried from bar to bar.
STATE: Final = np.dtype(
    [
        ("market", MARKET),
        ("trend", TREND),
        ("variance", np.float64),  # of innovations; 0 before the filter has started
        ("side", np.int64),  # of the armed trade; 0 where none is armed
        ("anchor", np.int64),  # start of the arm bar
        ("z", np.float64),  # |innovation| of the arm bar, in standard deviations
        ("left", np.int64),  # bars in which it may still fire
        ("extreme", np.int64),  # of the adverse side since then, times the side
    ]
)


@kernel
def _innovate(state: Record, params: Params, now: Now) -> float:
    """Advance the filter by one bar; the innovation in standard deviations as they were before it, 0 if undefined."""
    trend = state["trend"]
    if state["variance"] == 0.0:
        if now.atr > 0.0:
            trend_start(trend, float(now.close), 1.0, 0.01)
            state["variance"] = (0.5 * now.atr) ** 2
        return 0.0
    if now.gap:
        trend["level"] = now.close
        trend["level_variance"] += 1.0
        return 0.0
    trend_predict(trend, params.level_noise, params.slope_noise)
    surprise = now.close - trend["level"]
    variance = state["variance"]
    square = min(surprise * surprise, params.variance_cap * variance)
    state["variance"] = (1.0 - params.variance_weight) * variance + params.variance_weight * square
    trend_update(trend, surprise)
    return float(surprise / math.sqrt(variance))


@kernel
def _arm(state: Record, params: Params, now: Now, z: float, time: int) -> None:
    """Remember a spike, unless the trend is steep against trading its reversion."""
    if abs(z) < params.arm_z or not now.atr > 0.0:
        return
    side = -1 if z > 0.0 else 1
    if -state["trend"]["slope"] * side > params.max_slope * now.atr:
        return
    state["side"] = side
    state["anchor"] = time
    state["left"] = params.arm_bars
    state["extreme"] = adverse_extreme(now, side)
    state["z"] = abs(z)


@kernel
def _fire(state: Record, params: Params, now: Now, bar: Record, row: Record) -> bool:
    """Write the signal of an armed spike if this bar gives one."""
    side = state["side"]
    if not now.ready or side * (now.close - now.before) <= 0 or close_position(now, side) < params.close_share:
        return False
    inside = side * now.close - state["extreme"]
    risk = max(inside + params.stop_buffer * now.atr, params.min_stop * now.atr)
    reward = max(side * (state["trend"]["level"] - now.close), risk)
    if not acceptable(params.rules, now, risk, reward):
        return False
    slope = -state["trend"]["slope"] * side / now.atr
    spike = ramp(state["z"], params.arm_z, params.full_z)
    flat = 1.0 - ramp(slope, 0.0, params.max_slope)
    calm = 1.0 - ramp(now.adx, 18.0, 40.0)
    cheap = cheapness(now)
    score = 0.35 * spike + 0.25 * flat + 0.20 * calm + 0.20 * cheap
    write_signal(row, params.rules, now, bar, side, state["anchor"], risk, reward, score)
    write_zone(row, state["market"]["origin"], side * state["extreme"], state["trend"]["level"])
    evidence = row["evidence"]
    evidence[2], evidence[3], evidence[4] = state["z"], params.arm_bars - state["left"], slope
    evidence[5], evidence[6] = now.adx, now.spread
    evidence[7], evidence[8], evidence[9], evidence[10] = spike, flat, calm, cheap
    return True


@kernel
def scan_bars(state: Records, params: Params, bars: Records, out: Records) -> int:
    """KAL over new bars; the number of signals written to `out`."""
    carried = state[0]
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        now = market_step(carried["market"], params.rules, bar)
        z = _innovate(carried, params, now)
        if now.gap:
            carried["side"] = 0
        elif carried["side"] == 0:
            _arm(carried, params, now, z, bar["time"])
        else:
            carried["left"] -= 1
            carried["extreme"] = min(carried["extreme"], adverse_extreme(now, carried["side"]))
            if _fire(carried, params, now, bar, out[count]):
                count += 1
                carried["side"] = 0
            elif carried["left"] == 0:
                carried["side"] = 0
    return count


class KalmanQuickfire(KernelPattern):
    """Mean reversion of a spike against a Kalman local linear trend."""

    Config = KalmanQuickfireConfig
    evidence = (
        "zone_low",  # the way back: between the extreme of the spike and the level of the filter
        "zone_high",
        "z_arm",  # |innovation| of the arm bar, standard deviations
        "age",  # bars since the arm bar
        "slope_against",  # trend against the trade, ATR per bar
        "adx",
        "spread",  # mean of the signal bar, points
        "spike_factor",
        "flat_factor",
        "calm_factor",
        "cheap_factor",
    )
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_bars

    def new_state(self) -> Records:
        """The state before the first bar."""
        return np.zeros(1, STATE)

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        return Params(
            rules=new_rules(config, self.context, config.expiry, config.time_stop),
            level_noise=config.level_noise,
            slope_noise=config.slope_noise,
            variance_weight=1.0 - 2.0 ** (-1.0 / config.variance_half_life),
            variance_cap=config.variance_cap,
            arm_z=config.arm_z,
            full_z=config.full_z,
            max_slope=config.max_slope,
            arm_bars=config.arm_bars,
            close_share=config.close_share,
            stop_buffer=config.stop_buffer,
            min_stop=config.min_stop,
        )
