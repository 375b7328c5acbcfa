"""SWP on ticks: price goes through levels where stops rest, and comes back within seconds.

The levels are those of `liquidity_sweep_reversal`, made by closed bars. A quote beyond a level by enough begins a
sweep; levels that are crossed while it lasts join it and start its time anew. Once enough quotes in a row, over enough
time, lie on the near side of the outermost level, the signal is given. Lows are swept by the bid and highs by the ask,
which are the prices that touch the stops resting there. Quotes whose bid lies above the ask never count.

Sources as for `liquidity_sweep_reversal`.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.bars import first_from
from bitten.kernels.indicators import WINDOW, Record, swing_step
from bitten.kernels.jit import kernel
from bitten.model.dtypes import NS_PER_SECOND, Ints, Records
from bitten.model.quotes import Quotes
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
)
from bitten_plugins.patterns.sweeps import (
    EVIDENCE,
    SWEEP,
    SweepConfig,
    SweepParams,
    confidence,
    new_sweep_params,
    stop_distance,
    weigh,
    write_evidence,
)
from bitten_plugins.patterns.ticks import MOOD, TickPattern, nanoseconds, note_bar, quote_now, write_tick_signal

PERIOD_POOLS: Final = 2  # at most, on each side and at each bar: a day's and a session's


class LiquiditySweepReversalTicksConfig(SweepConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of SWP on ticks."""

    back_spreads: Annotated[
        float, Meta(ge=0, le=100, description="how far on the near side of the level price must be, in spreads")
    ] = 0.25
    back_quotes: Annotated[int, Meta(ge=1, le=10_000, description="quotes in a row that must be there")] = 3
    back_seconds: Annotated[float, Meta(ge=0, le=86_400, description="least time from the first of them, seconds")] = (
        2.0
    )
    hold_seconds: Annotated[
        float, Meta(gt=0, le=86_400, description="longest time from crossing the level to the signal, seconds")
    ] = 120.0
    expiry_seconds: Annotated[
        float, Meta(ge=0, le=86_400, description="seconds in which an order may fill; 0 for no limit")
    ] = 120.0


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    sweep: SweepParams
    back_spreads: float
    back_quotes: int
    back_ns: int
    hold_ns: int
    expiry_ns: int


# What is carried from quote to quote, but for sweeps, rings and pools.
CARRIED: Final = np.dtype([("market", MARKET), ("mood", MOOD), ("volumes", WINDOW)])

# What a sweep on ticks has beside that on bars. Prices are relative to the market's origin, times the side.
COURSE: Final = np.dtype(
    [
        ("start", np.int64),  # when the outermost level was crossed
        ("opened", np.int64),  # price of the sweep's first quote
        ("top", np.int64),  # most favourable price since
        ("quotes", np.int64),  # since, the first one included
        ("back", np.int64),  # quotes in a row on the near side of the level
        ("since", np.int64),  # time of the first of them
    ]
)


class State(NamedTuple):
    """What is carried from quote to quote."""

    carried: Records  # (1,)
    volumes: Ints  # (volume_bars,) ring
    sweeps: Records  # (2,) one for each side
    courses: Records  # (2,) likewise
    pools: Pools


@kernel
def _take_bar(state: State, params: Params, bar: Record) -> None:
    """A bar is known: levels that it crossed are gone, swings that it confirms are levels."""
    carried = state.carried[0]
    now = market_step(carried["market"], params.rules, bar)
    number = carried["market"]["bars"] - 1
    note_bar(carried["mood"], now)
    volume_ratio(carried["volumes"], state.volumes, bar["ticks"])
    if params.sweep.pools.any_period:
        end_periods(state.pools, params.sweep.pools, bar["time"])
    for k in range(2):
        reach = adverse_extreme(now, 1 - 2 * k)
        if reach < state.pools.nearest[k]:
            sweep_pools(state.pools, k, float(reach), number)
    if params.sweep.pools.any_period:
        count_in_periods(state.pools, now, number)
    is_high, is_low = swing_step(state.pools.swings[0], state.pools.ring, now.high, now.low)
    if is_high or is_low:
        add_swings(state.pools, params.sweep.pools.max_age, is_high, is_low, number)


@kernel
def _cross(state: State, price: int, reach: float, time: int, k: int) -> None:
    """Begin a sweep of the levels beyond `reach`, or let them join the one under way; without an ATR they are gone."""
    mood = state.carried[0]["mood"]
    number = state.carried[0]["market"]["bars"]  # of the bar that is being built
    count, level, pivot = sweep_pools(state.pools, k, reach, number)
    if count == 0 or mood["shut"] == 1 or not mood["atr"] > 0.0:
        return
    sweep, course = state.sweeps[k], state.courses[k]
    if sweep["waiting"] == 0:
        sweep["waiting"] = 1
        sweep["anchor"], sweep["number"] = time, number
        sweep["level"], sweep["extreme"] = level, price
        sweep["count"], sweep["pivot"] = 0, pivot
        course["opened"], course["top"], course["quotes"] = price, price, 0
    sweep["level"] = min(sweep["level"], level)
    sweep["count"] += count
    sweep["pivot"] = min(sweep["pivot"], pivot)
    course["start"] = time
    course["back"] = 0


@kernel
def _returned(sweep: Record, course: Record, price: int, time: int, least: float, most: float, params: Params) -> bool:
    """Bring a sweep up to date with a quote; whether price has come back and stayed.

    It is back where it lies more than `least` points on the near side of the level, and may have been `most` beyond.
    """
    sweep["extreme"] = min(sweep["extreme"], price)
    course["top"] = max(course["top"], price)
    course["quotes"] += 1
    if sweep["level"] - sweep["extreme"] > most or time - course["start"] > params.hold_ns:
        sweep["waiting"] = 0
        return False
    if not price > sweep["level"] + least:
        course["back"] = 0
        return False
    if course["back"] == 0:
        course["since"] = time
    course["back"] += 1
    return bool(course["back"] >= params.back_quotes and time - course["since"] >= params.back_ns)


@kernel
def _pace(state: State, params: Params, quotes: int, elapsed: int) -> float:
    """Quotes per time of a sweep over those of the last bars; 1 while fewer bars exist than a mean wants."""
    window = state.carried[0]["volumes"]
    if window["seen"] < state.volumes.size or window["total"] == 0:
        return 1.0
    usual = window["total"] / state.volumes.size / params.rules.bar_ns
    return float(quotes / max(elapsed, 1) / usual)


@kernel
def _fire(state: State, params: Params, now: Now, price: int, time: int, row: Record, k: int) -> bool:
    """Write the signal of a sweep from which price has come back, unless it is refused; it is used up either way."""
    sweep, course = state.sweeps[k], state.courses[k]
    sweep["waiting"] = 0
    if not now.ready or sweep["number"] - sweep["pivot"] < params.sweep.min_age:
        return False
    risk = stop_distance(params.sweep, sweep, price, now.atr)
    reward = params.sweep.reward * risk
    if not acceptable(params.rules, now, risk, reward):
        return False
    wick = (min(course["opened"], price) - sweep["extreme"]) / max(course["top"] - sweep["extreme"], 1)
    volume = _pace(state, params, course["quotes"], time - sweep["anchor"])
    factors = weigh(now, sweep, wick, volume)
    side, origin, anchor = 1 - 2 * k, state.carried[0]["market"]["origin"], sweep["anchor"]
    close = origin + side * price
    score = confidence(factors)
    write_tick_signal(row, params.rules, now, time, close, side, anchor, risk, reward, score, params.expiry_ns)
    write_evidence(row, sweep, now, origin, side, wick, volume, factors)
    row["evidence"][13] = (time - course["start"]) / NS_PER_SECOND
    return True


@kernel
def _take_quotes(state: State, params: Params, ts: Ints, bid: Ints, ask: Ints, out: Records, count: int) -> int:
    """Walk over quotes between two bars; how many signals there are then. Calls cost, so that most quotes make none."""
    mood, origin = state.carried[0]["mood"], state.carried[0]["market"]["origin"]
    nearest, sweeps, courses = state.pools.nearest, state.sweeps, state.courses
    limits, last = params.sweep, mood["last"]
    depth = limits.min_depth_atr * mood["atr"] if mood["atr"] > 0.0 else 0.0
    most = limits.max_depth * mood["atr"]
    for i in range(ts.size):
        if bid[i] > ask[i]:
            continue
        if ts[i] - last > params.rules.gap_ns and last > 0:
            mood["shut"] = 1
            sweeps[0]["waiting"] = sweeps[1]["waiting"] = 0
        last = ts[i]
        spread = ask[i] - bid[i] if ask[i] > bid[i] else params.rules.default_spread
        least = max(depth, limits.min_depth_spreads * spread)
        fired = 0
        for k in range(2):
            price = bid[i] - origin if k == 0 else origin - ask[i]
            if price + least < nearest[k]:
                _cross(state, price, price + least, last, k)
            if sweeps[k]["waiting"] == 1 and _returned(
                sweeps[k], courses[k], price, last, params.back_spreads * spread, most, params
            ):
                now = quote_now(mood, params.rules, bid[i], ask[i])
                fired += _fire(state, params, now, price, last, out[count + fired], k)
        if fired == 1:  # both sides at once contradict each other
            count += 1
    mood["last"] = last
    return count


@kernel
def scan_quotes(state: State, params: Params, bars: Records, ts: Ints, bid: Ints, ask: Ints, out: Records) -> int:
    """SWP over new bars and quotes; the number of signals written to `out`."""
    count, start = 0, 0
    for known in range(bars.size):
        stop = first_from(ts, start, bars[known]["known"])
        count = _take_quotes(state, params, ts[start:stop], bid[start:stop], ask[start:stop], out, count)
        _take_bar(state, params, bars[known])
        start = stop
    return _take_quotes(state, params, ts[start:], bid[start:], ask[start:], out, count)


class LiquiditySweepReversalTicks(TickPattern):
    """Reversal after price went through levels where stops rest, on ticks."""

    Config = LiquiditySweepReversalTicksConfig
    evidence = (*EVIDENCE, "seconds")  # from crossing the level to the signal
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_quotes
    name = "liquidity_sweep_reversal_ticks"
    on_bars = "liquidity_sweep_reversal"

    def new_state(self) -> State:
        """The state before the first quote."""
        config = self.config
        return State(
            np.zeros(1, CARRIED),
            np.zeros(config.volume_bars, np.int64),
            np.zeros(2, SWEEP),
            np.zeros(2, COURSE),
            new_pools(config.wing, config.max_pools),
        )

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        return Params(
            rules=new_rules(config, self.context, 0, config.time_stop),
            sweep=new_sweep_params(config),
            back_spreads=config.back_spreads,
            back_quotes=config.back_quotes,
            back_ns=nanoseconds(config.back_seconds),
            hold_ns=nanoseconds(config.hold_seconds),
            expiry_ns=nanoseconds(config.expiry_seconds),
        )

    def room(self, bars: Records, quotes: Quotes) -> int:
        """One for each level that can be swept: those there are, those that bars bring, and two sweeps under way."""
        most: int = self.config.max_pools
        return min(2 * most + 2 * (1 + PERIOD_POOLS) * int(bars.size) + 2, len(quotes)) + 2
