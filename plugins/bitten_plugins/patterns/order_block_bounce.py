"""OB, order-block bounce: the return to the last opposing bar before a move that broke the structure.

A strong close beyond the last swing point leaves a zone behind: the last bar against the move, near the extreme that
the move came from. Price has to depart from the zone; its first convincing rejection on the way back gives the signal,
aimed at where price has been since. A zone exists from the bar that broke the structure on, and is never moved.

Sources: Huddleston (ICT), order block as the last opposing candle before a displacement through structure; Wyckoff
(1931), accumulation before the mark-up. There is no reviewed evidence of an edge.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import SWINGS, WINDOW, Record, swing_level, swing_step
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Records
from bitten.pattern import KernelPattern
from bitten_plugins.patterns.orderblocks import PRICES, SIDE, BlockRules, break_swing, confirm_swing, remember
from bitten_plugins.patterns.rules import (
    MARKET,
    Now,
    Rules,
    acceptable,
    cheapness,
    close_position,
    market_step,
    new_rules,
    ramp,
    volume_ratio,
    write_signal,
    write_zone,
)
from bitten_plugins.patterns.zones import (
    ZONE,
    Seen,
    ZoneRules,
    bounded_target,
    depth,
    outlives,
    rejection_wick,
    seen_from,
    side_of,
)


class OrderBlockBounceConfig(ZoneRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of OB."""

    swing_bars: Annotated[
        int, Meta(ge=1, le=100, description="bars on either side that make a swing point; it exists after the last")
    ] = 3
    structure_age: Annotated[
        int, Meta(ge=2, le=10_000, description="a swing point older than this many bars cannot be broken")
    ] = 60
    min_displacement: Annotated[
        float, Meta(ge=0, le=100, description="least way from the extreme to the breaking close, in ATR")
    ] = 1.5
    full_displacement: Annotated[
        float, Meta(gt=0, le=100, description="way that earns full confidence, in ATR; must exceed min_displacement")
    ] = 4.0
    min_body: Annotated[
        float, Meta(ge=0, le=1, description="least body of the breaking bar, as a share of its range")
    ] = 0.5
    block_bars: Annotated[
        int, Meta(ge=0, le=1000, description="bars before the extreme among which the opposing bar is looked for")
    ] = 5
    min_height: Annotated[float, Meta(ge=0, le=100, description="least height of a zone, in ATR")] = 0.1
    max_height: Annotated[float, Meta(gt=0, le=100, description="greatest height of a zone, in ATR")] = 2.0
    max_zones: Annotated[
        int, Meta(ge=1, le=1000, description="zones remembered on each side, the newest; the oldest makes room")
    ] = 20
    departure: Annotated[
        float, Meta(ge=0, le=100, description="how far price must leave a zone before it counts, in ATR")
    ] = 1.0
    max_depth: Annotated[
        float, Meta(ge=0, le=1, description="deepest close within the zone that still rejects it, as a share")
    ] = 0.5
    low_wick: Annotated[
        float, Meta(ge=0, le=1, description="wick towards the zone that earns no confidence, as a share of the range")
    ] = 0.2
    full_wick: Annotated[
        float, Meta(gt=0, le=2, description="wick that earns full confidence, as a share; must exceed low_wick")
    ] = 0.7
    stop_buffer: Annotated[float, Meta(ge=0, le=10, description="stop beyond the zone's far edge, in ATR")] = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_order("min_displacement", "full_displacement")
        self.check_order("min_height", "max_height")
        self.check_order("low_wick", "full_wick")
        if self.structure_age <= self.swing_bars:
            raise ValueError(
                f"structure_age was {self.structure_age}, must be above swing_bars ({self.swing_bars}): "
                "a swing point is that old when it is known"
            )


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    birth: BlockRules
    full_displacement: float
    max_age: int
    fresh_age: int
    departure: float
    max_touches: int
    max_depth: float
    close_share: float
    low_wick: float
    full_wick: float
    low_volume: float
    full_volume: float
    stop_buffer: float
    min_target: float
    max_target: float


# What is carried from bar to bar, but for rings and zones.
CARRIED: Final = np.dtype([("market", MARKET), ("volumes", WINDOW), ("swings", SWINGS)])


class State(NamedTuple):
    """What is carried from bar to bar."""

    carried: Records  # (1,)
    volumes: Ints  # (volume_bars,) ring
    swings: Ints  # (2, 2 swing_bars + 1) ring of highs and lows
    prices: Records  # (structure_age + 1,) ring of the last bars, by number of the bar
    sides: Records  # (2,)
    zones: Records  # (2, max_zones) by side


@kernel
def _enter(
    zone: Record, params: Params, now: Now, seen: Seen, bar: Record, origin: int, volume: float, side: int, row: Record
) -> bool:
    """Write the signal of a touched zone if this bar rejects it."""
    if not now.ready or depth(zone, seen.close) > params.max_depth or seen.close <= seen.open:
        return False
    if close_position(now, side) < params.close_share:
        return False
    risk = seen.close - zone["far"] + params.stop_buffer * now.atr
    reward = bounded_target(zone, seen, risk, params.min_target, params.max_target)
    if not acceptable(params.rules, now, risk, reward):
        return False
    wick = rejection_wick(seen)
    far = ramp(zone["displacement"], params.birth.min_displacement, params.full_displacement)
    fresh = 1.0 - ramp(zone["age"], params.fresh_age, params.max_age)
    rejected = ramp(wick, params.low_wick, params.full_wick)
    busy = ramp(volume, params.low_volume, params.full_volume)
    cheap = cheapness(now)
    score = 0.30 * far + 0.20 * fresh + 0.25 * rejected + 0.10 * busy + 0.15 * cheap
    write_signal(row, params.rules, now, bar, side, zone["time"], risk, reward, score)
    write_zone(row, origin, side * zone["near"], side * zone["far"])
    evidence = row["evidence"]
    evidence[2], evidence[3], evidence[4] = zone["displacement"], zone["height"], zone["age"]
    evidence[5], evidence[6], evidence[7], evidence[8] = zone["touches"], wick, volume, now.spread
    evidence[9], evidence[10], evidence[11], evidence[12], evidence[13] = far, fresh, rejected, busy, cheap
    return True


@kernel
def _judge(
    zones: Records,
    row: int,
    living: Record,
    params: Params,
    now: Now,
    seen: Seen,
    bar: Record,
    origin: int,
    volume: float,
    out: Records,
    count: int,
) -> int:
    """Hold the zones of one side against a bar; the number of signals in `out` afterwards."""
    kept = 0
    for place in range(living["count"]):
        zone = zones[row, place]
        if not outlives(zone, seen, params.max_age):
            continue
        if zone["departed"] == 0:
            if seen.high - zone["near"] >= params.departure * now.atr:
                zone["departed"] = 1
        elif seen.low <= zone["near"]:
            if _enter(zone, params, now, seen, bar, origin, volume, side_of(row), out[count]):
                count += 1
                continue
            zone["touches"] += 1
            if zone["touches"] >= params.max_touches:
                continue
        if kept < place:
            zones[row, kept] = zone
        kept += 1
    living["count"] = kept
    return count


@kernel
def scan_bars(state: State, params: Params, bars: Records, out: Records) -> int:
    """OB over new bars; the number of signals written to `out`."""
    carried = state.carried[0]
    market, swings = carried["market"], carried["swings"]
    zones, sides = state.zones, state.sides
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        now = market_step(market, params.rules, bar)
        number = market["bars"] - 1
        volume = volume_ratio(carried["volumes"], state.volumes, bar["ticks"])
        remember(state.prices[number % state.prices.size], now)
        for row in range(2):
            own = sides[row]
            seen = seen_from(now, side_of(row))
            if own["living"]["count"] > 0:
                count = _judge(zones, row, own["living"], params, now, seen, bar, market["origin"], volume, out, count)
            if own["whole"] == 1 and seen.close > own["level"]:
                break_swing(zones, state.prices, own, params.birth, now, seen, row, number, bar["time"])
        is_high, is_low = swing_step(swings, state.swings, now.high, now.low)
        if is_high or is_low:
            middle = number - state.swings.shape[1] // 2
            high, low = swing_level(swings, state.swings)
            if is_high:
                confirm_swing(sides[0], high, middle)
            if is_low:
                confirm_swing(sides[1], -low, middle)
    return count


class OrderBlockBounce(KernelPattern):
    """Rejection of the last opposing bar before a move that broke the structure."""

    Config = OrderBlockBounceConfig
    evidence = (
        "zone_low",
        "zone_high",
        "displacement",  # from the extreme to the close that broke the structure, ATR
        "height",  # of the zone, ATR at its birth
        "age",  # bars since the birth
        "touches",  # bars that touched the zone before, without a signal
        "wick",  # towards the zone, as a share of the signal bar's range
        "volume_ratio",  # of the signal bar to the mean of those before
        "spread",  # mean of the signal bar, points
        "displacement_factor",
        "fresh_factor",
        "wick_factor",
        "volume_factor",
        "cheap_factor",
    )
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_bars

    @property
    def signals_pending(self) -> int:
        """Every zone may still give one."""
        return 2 * int(self.config.max_zones)

    def new_state(self) -> State:
        """The state before the first bar."""
        config = self.config
        return State(
            np.zeros(1, CARRIED),
            np.zeros(config.volume_bars, np.int64),
            np.zeros((2, 2 * config.swing_bars + 1), np.int64),
            np.zeros(config.structure_age + 1, PRICES),
            np.zeros(2, SIDE),
            np.zeros((2, config.max_zones), ZONE),
        )

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        birth = BlockRules(*(getattr(config, name) for name in BlockRules._fields))
        own = {name: getattr(config, name) for name in Params._fields if name not in ("rules", "birth")}
        return Params(rules=new_rules(config, self.context, config.expiry, config.time_stop), birth=birth, **own)
