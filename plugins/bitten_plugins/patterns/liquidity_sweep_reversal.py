"""SWP, liquidity-sweep reversal: price goes through levels where stops rest, and comes back.

A bar whose extreme goes through confirmed swings (and, if wanted, the last day's and session's extremes) by enough to
set off stops, but not by so much that it is a breakout, is a sweep of the outermost of them. A close back on the near
side of that level gives the signal: on the sweep bar itself if its wick shows the rejection, else within `wait` bars.
A signal that the acceptance gate refuses uses its sweep up, and a bar on which both sides would speak is silent.

Sources: Osler (2003) and (2005), stop orders cluster just beyond obvious levels and set off cascades; Wyckoff's spring
and upthrust; Connors & Raschke (1995), turtle soup.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import WINDOW, Record, swing_step
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Records
from bitten.pattern import KernelPattern
from bitten_plugins.patterns.pools import Pools, add_swings, count_in_periods, end_periods, new_pools, sweep_pools
from bitten_plugins.patterns.rules import (
    MARKET,
    Now,
    Rules,
    acceptable,
    adverse_extreme,
    market_step,
    new_rules,
    volume_ratio,
    write_signal,
)
from bitten_plugins.patterns.sweeps import (
    EVIDENCE,
    SWEEP,
    SweepConfig,
    SweepParams,
    confidence,
    least_depth,
    new_sweep_params,
    stop_distance,
    weigh,
    write_evidence,
)


class LiquiditySweepReversalConfig(SweepConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of SWP on bars."""

    min_wick: Annotated[
        float, Meta(ge=0, le=1, description="least wick with which the sweep bar itself may fire, as a share of it")
    ] = 0.35
    wait: Annotated[int, Meta(ge=0, le=1000, description="bars after the sweep bar in which it may fire")] = 2
    expiry: Annotated[
        int, Meta(ge=0, le=1000, description="bars after the signal's in which an order may fill; 0 for no limit")
    ] = 2


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    sweep: SweepParams
    min_wick: float
    wait: int


# What is carried from bar to bar, but for rings and pools.
CARRIED: Final = np.dtype([("market", MARKET), ("volumes", WINDOW)])


class State(NamedTuple):
    """What is carried from bar to bar."""

    carried: Records  # (1,)
    volumes: Ints  # (volume_bars,) ring
    sweeps: Records  # (2,) one for each side
    pools: Pools


@kernel
def _watch(state: State, params: Params, now: Now, time: int, k: int) -> bool:
    """Bring one side's sweep up to date; whether this is its sweep bar."""
    number = state.carried[0]["market"]["bars"] - 1
    limits = params.sweep
    sweep = state.sweeps[k]
    reach = adverse_extreme(now, 1 - 2 * k)
    count, level, pivot = 0, 0, 0
    if reach < state.pools.nearest[k]:
        count, level, pivot = sweep_pools(state.pools, k, float(reach), number)
    if now.gap:
        sweep["waiting"] = 0
        return False
    if sweep["waiting"] > 0:
        sweep["extreme"] = min(sweep["extreme"], reach)
        if sweep["level"] - sweep["extreme"] > limits.max_depth * now.atr:
            sweep["waiting"] = 0
    if count == 0 or not now.atr > 0.0 or number - pivot < limits.min_age:
        return False
    if not least_depth(limits, now.atr, now.spread) <= level - reach <= limits.max_depth * now.atr:
        return False
    sweep["waiting"] = params.wait + 1
    sweep["anchor"] = time
    sweep["level"], sweep["extreme"] = level, reach
    sweep["count"], sweep["pivot"], sweep["number"] = count, pivot, number
    return True


@kernel
def _fire(state: State, params: Params, now: Now, bar: Record, row: Record, k: int, fresh: bool, volume: float) -> bool:
    """Write the signal of one side's sweep if this bar gives one."""
    sweep = state.sweeps[k]
    if sweep["waiting"] == 0:
        return False
    sweep["waiting"] -= 1
    side = 1 - 2 * k
    close = side * now.close
    wick = (min(side * now.open, close) - adverse_extreme(now, side)) / max(now.high - now.low, 1)
    if not now.ready or close <= sweep["level"] or (fresh and wick < params.min_wick):
        return False
    sweep["waiting"] = 0
    risk = stop_distance(params.sweep, sweep, close, now.atr)
    reward = params.sweep.reward * risk
    if not acceptable(params.rules, now, risk, reward):
        return False
    factors = weigh(now, sweep, wick, volume)
    write_signal(row, params.rules, now, bar, side, sweep["anchor"], risk, reward, confidence(factors))
    write_evidence(row, sweep, now, state.carried[0]["market"]["origin"], side, wick, volume, factors)
    return True


@kernel
def scan_bars(state: State, params: Params, bars: Records, out: Records) -> int:
    """SWP over new bars; the number of signals written to `out`."""
    carried, swings = state.carried[0], state.pools.swings[0]
    ring, nearest, sweeps = state.pools.ring, state.pools.nearest, state.sweeps
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        now = market_step(carried["market"], params.rules, bar)
        number = carried["market"]["bars"] - 1
        volume = volume_ratio(carried["volumes"], state.volumes, bar["ticks"])
        if params.sweep.pools.any_period:
            end_periods(state.pools, params.sweep.pools, bar["time"])
        fired = 0
        for k in range(2):
            if adverse_extreme(now, 1 - 2 * k) < nearest[k] or sweeps[k]["waiting"] > 0:  # few bars, and calls cost
                fresh = _watch(state, params, now, bar["time"], k)
                if _fire(state, params, now, bar, out[count + fired], k, fresh, volume):
                    fired += 1
        if fired == 1:  # both sides at once contradict each other
            count += 1
        if params.sweep.pools.any_period:
            count_in_periods(state.pools, now, number)
        is_high, is_low = swing_step(swings, ring, now.high, now.low)
        if is_high or is_low:
            add_swings(state.pools, params.sweep.pools.max_age, is_high, is_low, number)
    return count


class LiquiditySweepReversal(KernelPattern):
    """Reversal after price went through levels where stops rest."""

    Config = LiquiditySweepReversalConfig
    evidence = EVIDENCE
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_bars

    def new_state(self) -> State:
        """The state before the first bar."""
        config = self.config
        return State(
            np.zeros(1, CARRIED),
            np.zeros(config.volume_bars, np.int64),
            np.zeros(2, SWEEP),
            new_pools(config.wing, config.max_pools),
        )

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        return Params(
            rules=new_rules(config, self.context, config.expiry, config.time_stop),
            sweep=new_sweep_params(config),
            min_wick=config.min_wick,
            wait=config.wait,
        )
