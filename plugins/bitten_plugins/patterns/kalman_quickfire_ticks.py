"""KAL on ticks: the reversion of a spike against a filtered trend, on a clock of seconds.

The last mid of each second that has a tick is an observation of a Kalman local linear trend, whose noise grows with the
time between observations. An observation more than `arm_z` standard deviations off arms the pattern against the spike,
unless the trend itself is steep against the trade. Once a share of the spike has been given back for some observations
in a row, measured by the level and the deviation as they were when it armed, the signal is given.

A second is over with the first quote after it: that is the instant of a decision. The ATR and the ADX are those of the
bars. Sources as for `kalman_quickfire`.
"""

from __future__ import annotations

import math
from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten.kernels.kalman import TREND, trend_predict_over, trend_start, trend_update
from bitten.model.dtypes import NS_PER_SECOND, Ints, Records
from bitten.model.quotes import Quotes
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
    write_zone,
)
from bitten_plugins.patterns.ticks import MOOD, NEVER, TickPattern, nanoseconds, note_bar, quote_now, write_tick_signal


class KalmanQuickfireTicksConfig(BarRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of KAL on ticks."""

    level_noise: Annotated[
        float, Meta(gt=0, le=100, description="variance of the level per second, relative to the observation noise")
    ] = 0.05
    slope_noise: Annotated[
        float, Meta(gt=0, le=100, description="variance of the slope per second, relative to the observation noise")
    ] = 0.0005
    max_pause: Annotated[
        int, Meta(ge=1, le=86_400, description="a longer time between observations counts as so many seconds")
    ] = 60
    variance_half_life: Annotated[
        float, Meta(gt=0, le=100_000, description="half-life of the innovation variance, observations")
    ] = 60.0
    variance_cap: Annotated[
        float, Meta(ge=1, le=1000, description="a squared innovation counts at most this many variances")
    ] = 9.0
    arm_z: Annotated[float, Meta(gt=0, le=20, description="innovation that arms, in standard deviations")] = 3.0
    full_z: Annotated[
        float, Meta(gt=0, le=50, description="innovation that earns full confidence; must exceed arm_z")
    ] = 5.5
    max_slope: Annotated[
        float, Meta(gt=0, le=10, description="steepest trend against the trade, in ATR of the bars per second")
    ] = 0.02
    arm_seconds: Annotated[
        int, Meta(ge=1, le=86_400, description="seconds after the spike's own in which it may fire")
    ] = 15
    retrace: Annotated[float, Meta(gt=0, le=1, description="share of the spike that must have been given back")] = 0.25
    retrace_samples: Annotated[
        int, Meta(ge=1, le=1000, description="observations in a row that must show the retracement")
    ] = 2
    stop_buffer: Annotated[float, Meta(ge=0, le=10, description="stop beyond the spike's extreme, in ATR")] = 0.2
    min_stop: Annotated[float, Meta(ge=0, le=10, description="stop at least this far from the close, in ATR")] = 1.0
    time_stop: Annotated[int, Meta(ge=0, le=100_000, description="bars a position may last; 0 for no limit")] = 20
    expiry_seconds: Annotated[
        float, Meta(ge=0, le=86_400, description="seconds in which an order may fill; 0 for no limit")
    ] = 30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_order("arm_z", "full_z")


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    level_noise: float
    slope_noise: float
    max_pause: int
    variance_weight: float
    variance_cap: float
    arm_z: float
    full_z: float
    max_slope: float
    arm_seconds: int
    retrace: float
    retrace_samples: int
    stop_buffer: float
    min_stop: float
    expiry_ns: int


# What is carried from quote to quote.
STATE: Final = np.dtype(
    [
        ("market", MARKET),
        ("mood", MOOD),
        ("trend", TREND),
        ("variance", np.float64),  # of innovations; 0 before the filter has started
        ("origin", np.int64),  # bid + ask of the first observation; the filter's zero
        ("end", np.int64),  # of the second under way; 0 before the first quote
        ("bid", np.int64),  # of its last quote
        ("ask", np.int64),
        ("low", np.int64),  # its lowest bid
        ("high", np.int64),  # its highest ask
        ("side", np.int64),  # of the armed trade; 0 where none is armed
        ("anchor", np.int64),  # start of the second that armed
        ("z", np.float64),  # |innovation| of it, in standard deviations
        ("level", np.float64),  # what it was expected to be
        ("deviation", np.float64),  # standard deviation of innovations then
        ("extreme", np.int64),  # of the adverse side since then, times the side
        ("back", np.int64),  # observations in a row that show the retracement
    ]
)


@kernel
def _innovate(state: Record, params: Params, mid: float, elapsed: float, gap: bool) -> float:
    """Advance the filter to an observation; the innovation in standard deviations as they were, 0 if undefined."""
    trend = state["trend"]
    if state["variance"] == 0.0:
        atr = state["mood"]["atr"]
        if atr > 0.0:
            trend_start(trend, mid, 1.0, 0.01)
            state["variance"] = (0.5 * atr) ** 2
        return 0.0
    if gap:
        trend["level"] = mid
        trend["level_variance"] += 1.0
        return 0.0
    trend_predict_over(trend, min(elapsed, float(params.max_pause)), params.level_noise, params.slope_noise)
    surprise = mid - trend["level"]
    variance = state["variance"]
    square = min(surprise * surprise, params.variance_cap * variance)
    state["variance"] = (1.0 - params.variance_weight) * variance + params.variance_weight * square
    if state["side"] == 0:
        state["deviation"] = math.sqrt(variance)
        state["level"] = trend["level"]
    trend_update(trend, surprise)
    return float(surprise / math.sqrt(variance))


@kernel
def _adverse(state: Record, side: int) -> int:
    """The second's worst price at which the side could have been closed, times the side."""
    return int(state["low"] if side > 0 else -state["high"])


@kernel
def _arm(state: Record, params: Params, z: float) -> None:
    """Remember a spike, unless the trend is steep against trading its reversion."""
    atr = state["mood"]["atr"]
    if abs(z) < params.arm_z or not atr > 0.0:
        return
    side = -1 if z > 0.0 else 1
    if -state["trend"]["slope"] * side > params.max_slope * atr:
        return
    state["side"] = side
    state["anchor"] = state["end"] - NS_PER_SECOND
    state["z"] = abs(z)
    state["extreme"] = _adverse(state, side)
    state["back"] = 0


@kernel
def _fire(state: Record, params: Params, now: Now, mid: float, time: int, row: Record) -> bool:
    """Write the signal of an armed spike if the second that is over gives one."""
    side = state["side"]
    left = side * (state["level"] - mid) / state["deviation"]
    state["back"] = state["back"] + 1 if left <= (1.0 - params.retrace) * state["z"] else 0
    if state["back"] < params.retrace_samples or not now.ready:
        return False
    close = state["bid"] if side > 0 else state["ask"]
    risk = max(side * close - state["extreme"] + params.stop_buffer * now.atr, params.min_stop * now.atr)
    reward = max(side * (state["trend"]["level"] - mid), risk)
    if not acceptable(params.rules, now, risk, reward):
        return False
    slope = -state["trend"]["slope"] * side / now.atr
    spike = ramp(state["z"], params.arm_z, params.full_z)
    flat = 1.0 - ramp(slope, 0.0, params.max_slope)
    calm = 1.0 - ramp(now.adx, 18.0, 40.0)
    cheap = cheapness(now)
    score = 0.35 * spike + 0.25 * flat + 0.20 * calm + 0.20 * cheap
    anchor = state["anchor"]
    write_tick_signal(row, params.rules, now, time, close, side, anchor, risk, reward, score, params.expiry_ns)
    extreme = side * state["extreme"]
    write_zone(row, extreme, 0.0, 0.5 * state["origin"] - extreme + state["trend"]["level"])
    evidence = row["evidence"]
    evidence[2], evidence[3], evidence[4] = state["z"], left / state["z"], (state["end"] - anchor) / NS_PER_SECOND - 1.0
    evidence[5], evidence[6], evidence[7] = slope, now.adx, now.spread
    evidence[8], evidence[9], evidence[10], evidence[11] = spike, flat, calm, cheap
    return True


@kernel
def _observe(state: Record, params: Params, time: int, row: Record) -> bool:
    """A second is over, as is known at `time`; whether it gives a signal."""
    mood = state["mood"]
    start = state["end"] - NS_PER_SECOND
    if mood["last"] == 0:
        state["origin"] = state["bid"] + state["ask"]
        mood["last"] = start
    mid = 0.5 * (state["bid"] + state["ask"] - state["origin"])
    elapsed = start - mood["last"]
    mood["last"] = start
    gap = elapsed > params.rules.gap_ns
    if gap:
        mood["shut"] = 1
    if gap or time - state["anchor"] > (params.arm_seconds + 1) * NS_PER_SECOND:
        state["side"] = 0
    z = _innovate(state, params, mid, elapsed / NS_PER_SECOND, gap)
    if state["side"] == 0:
        _arm(state, params, z)
        return False
    state["extreme"] = min(state["extreme"], _adverse(state, state["side"]))
    if _fire(state, params, quote_now(mood, params.rules, state["bid"], state["ask"]), mid, time, row):
        state["side"] = 0
        return True
    return False


@kernel
def scan_quotes(state: Records, params: Params, bars: Records, ts: Ints, bid: Ints, ask: Ints, out: Records) -> int:
    """KAL over new bars and quotes; the number of signals written to `out`."""
    carried = state[0]
    count, known, i = 0, 0, 0
    while True:
        time = ts[i] if i < ts.size else NEVER
        while known < bars.size and bars[known]["known"] <= time:
            note_bar(carried["mood"], market_step(carried["market"], params.rules, bars[known]))
            known += 1
        if i == ts.size:
            return count
        if time >= carried["end"]:
            if carried["end"] > 0 and _observe(carried, params, time, out[count]):
                count += 1
            carried["end"] = (time // NS_PER_SECOND + 1) * NS_PER_SECOND
            carried["low"], carried["high"] = bid[i], ask[i]
        stop = carried["end"]
        if known < bars.size:
            stop = min(stop, bars[known]["known"])
        low, high = carried["low"], carried["high"]
        while i < ts.size and ts[i] < stop:
            low, high = min(low, bid[i]), max(high, ask[i])
            i += 1
        carried["low"], carried["high"] = low, high
        carried["bid"], carried["ask"] = bid[i - 1], ask[i - 1]


class KalmanQuickfireTicks(TickPattern):
    """Mean reversion of a spike against a Kalman local linear trend, on ticks."""

    Config = KalmanQuickfireTicksConfig
    evidence = (
        "zone_low",  # the way back: between the extreme of the spike and the level of the filter
        "zone_high",
        "z_arm",  # |innovation| of the second that armed, standard deviations
        "spike_left",  # share of the spike that has not been given back
        "seconds",  # from the second that armed to the one that fired
        "slope_against",  # trend against the trade, ATR per second
        "adx",
        "spread",  # of the second's last quote, points
        "spike_factor",
        "flat_factor",
        "calm_factor",
        "cheap_factor",
    )
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_quotes
    name = "kalman_quickfire_ticks"
    on_bars = "kalman_quickfire"

    def new_state(self) -> Records:
        """The state before the first quote."""
        return np.zeros(1, STATE)

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        return Params(
            rules=new_rules(config, self.context, 0, config.time_stop),
            level_noise=config.level_noise,
            slope_noise=config.slope_noise,
            max_pause=config.max_pause,
            variance_weight=1.0 - 2.0 ** (-1.0 / config.variance_half_life),
            variance_cap=config.variance_cap,
            arm_z=config.arm_z,
            full_z=config.full_z,
            max_slope=config.max_slope,
            arm_seconds=config.arm_seconds,
            retrace=config.retrace,
            retrace_samples=config.retrace_samples,
            stop_buffer=config.stop_buffer,
            min_stop=config.min_stop,
            expiry_ns=nanoseconds(config.expiry_seconds),
        )

    def room(self, bars: Records, quotes: Quotes) -> int:
        """One in two seconds: what arms in one can fire in the next at the earliest."""
        if not len(quotes):
            return 1
        seconds = int(quotes.ts[-1] - quotes.ts[0]) // NS_PER_SECOND + 2
        return min(len(quotes), seconds) // 2 + 2
