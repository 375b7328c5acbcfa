"""FVG, fair-value-gap fill: the return to a gap that a strong bar left between the bars before and after it.

Of three bars the middle one is large, and the wicks of its neighbours do not meet: what lies between them was traded
one way only. The gap exists from the close of the third bar on. In the mode "bounce" the first convincing rejection
from its middle or deeper is traded in the direction of the gap; in the mode "fill" price is expected to close the gap,
and the first bar that turns towards it is traded against its direction, with the far edge as target.

Sources: Huddleston (ICT), fair value gap and consequent encroachment (its middle); Steidlmayer (1984), single prints of
the market profile, for the older idea.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import WINDOW, Record
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Records
from bitten.pattern import KernelPattern
from bitten_plugins.patterns.gaps import CANDLE, GapRules, gap_side, leave_gap, remember_candle
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
    LIVING,
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


class FairValueGapFillConfig(ZoneRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of FVG."""

    mode: Annotated[
        Literal["bounce", "fill"],
        Meta(description="trade the rejection from the gap in its direction, or the way into it against its direction"),
    ] = "bounce"
    min_body: Annotated[
        float, Meta(ge=0, le=1, description="least body of the middle bar, as a share of its range")
    ] = 0.5
    min_range: Annotated[
        float, Meta(ge=0, le=100, description="least range of the middle bar, in ATR as it was at its close")
    ] = 1.0
    full_range: Annotated[
        float, Meta(gt=0, le=100, description="range that earns full confidence, in that ATR; must exceed min_range")
    ] = 2.5
    min_gap: Annotated[float, Meta(ge=0, le=100, description="least height of the gap, in that ATR")] = 0.25
    full_gap: Annotated[
        float, Meta(gt=0, le=100, description="height that earns full confidence, in that ATR; must exceed min_gap")
    ] = 1.0
    min_gap_spreads: Annotated[
        float, Meta(ge=0, le=100, description="least height of the gap, in spreads of the third bar")
    ] = 2.0
    max_age: Annotated[int, Meta(ge=1, le=10_000, description="bars for which a gap lives")] = 90
    fresh_age: Annotated[
        int, Meta(ge=0, le=10_000, description="bars up to which its age costs no confidence; must be below max_age")
    ] = 5
    encroachment: Annotated[
        float, Meta(ge=0, le=1, description="depth within the gap that counts as a touch, as a share of its height")
    ] = 0.5
    stop_buffer: Annotated[
        float,
        Meta(ge=0, le=10, description="stop beyond the far edge (fill: beyond the extreme since the birth), in ATR"),
    ] = 0.25
    wick_buffer: Annotated[
        float, Meta(ge=0, le=10, description="stop at least this far beyond the signal bar's extreme, in ATR; bounce")
    ] = 0.1
    time_stop: Annotated[int, Meta(ge=0, le=100_000, description="bars a position may last; 0 for no limit")] = 45

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_order("min_range", "full_range")
        self.check_order("min_gap", "full_gap")


class Params(NamedTuple):
    """The configuration as the kernel wants it."""

    rules: Rules
    fill: bool
    birth: GapRules
    full_range: float
    full_gap: float
    max_age: int
    fresh_age: int
    encroachment: float
    max_touches: int
    close_share: float
    low_volume: float
    full_volume: float
    stop_buffer: float
    wick_buffer: float
    min_target: float
    max_target: float


# What is carried from bar to bar, but for the ring and the zones.
CARRIED: Final = np.dtype([("market", MARKET), ("volumes", WINDOW)])


class State(NamedTuple):
    """What is carried from bar to bar."""

    carried: Records  # (1,)
    volumes: Ints  # (volume_bars,) ring
    candles: Records  # (2,) the last two bars, by number of the bar modulo 2
    living: Records  # (2,) by side
    zones: Records  # (2, max_age + 1) by side: no bar brings more than one


@kernel
def _distances(zone: Record, params: Params, now: Now, seen: Seen) -> tuple[float, float]:
    """From the close to the stop and to the target."""
    if params.fill:
        return zone["best"] - seen.close + params.stop_buffer * now.atr, float(seen.close - zone["far"])
    risk = max(
        seen.close - zone["far"] + params.stop_buffer * now.atr, seen.close - seen.low + params.wick_buffer * now.atr
    )
    return risk, bounded_target(zone, seen, risk, params.min_target, params.max_target)


@kernel
def _enter(
    zone: Record, params: Params, now: Now, seen: Seen, bar: Record, origin: int, volume: float, row: int, out: Record
) -> bool:
    """Write the signal of a gap if this bar turns in the direction of the trade."""
    side = -side_of(row) if params.fill else side_of(row)
    if not now.ready or side * (now.close - now.open) <= 0 or close_position(now, side) < params.close_share:
        return False
    risk, reward = _distances(zone, params, now, seen)
    if not acceptable(params.rules, now, risk, reward):
        return False
    wide = ramp(zone["height"], params.birth.min_gap, params.full_gap)
    far = ramp(zone["displacement"], params.birth.min_range, params.full_range)
    fresh = 1.0 - ramp(zone["age"], params.fresh_age, params.max_age)
    busy = ramp(volume, params.low_volume, params.full_volume)
    cheap = cheapness(now)
    score = 0.30 * wide + 0.25 * far + 0.20 * fresh + 0.10 * busy + 0.15 * cheap
    write_signal(out, params.rules, now, bar, side, zone["time"], risk, reward, score)
    write_zone(out, origin, side_of(row) * zone["near"], side_of(row) * zone["far"])
    evidence = out["evidence"]
    evidence[2], evidence[3], evidence[4] = zone["height"], zone["displacement"], zone["age"]
    evidence[5], evidence[6], evidence[7] = zone["touches"], depth(zone, seen.low), rejection_wick(seen_from(now, side))
    evidence[8], evidence[9] = volume, now.spread
    evidence[10], evidence[11], evidence[12], evidence[13], evidence[14] = wide, far, fresh, busy, cheap
    return True


@kernel
def _judge(
    zones: Records,
    row: int,
    living: Record,
    params: Params,
    now: Now,
    bar: Record,
    origin: int,
    volume: float,
    out: Records,
    count: int,
) -> int:
    """Hold the gaps of one side against a bar; the number of signals in `out` afterwards."""
    seen = seen_from(now, side_of(row))
    kept = 0
    for place in range(living["count"]):
        zone = zones[row, place]
        if not outlives(zone, seen, params.max_age):
            continue
        touched = depth(zone, seen.low) >= params.encroachment
        if params.fill and touched:  # half the way is gone
            continue
        if touched or (params.fill and seen.close > zone["near"]):
            if _enter(zone, params, now, seen, bar, origin, volume, row, out[count]):
                count += 1
                continue
            if touched:
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
    """FVG over new bars; the number of signals written to `out`."""
    carried = state.carried[0]
    market = carried["market"]
    living, zones = state.living, state.zones
    count = 0
    for i in range(bars.size):
        bar = bars[i]
        now = market_step(market, params.rules, bar)
        volume = volume_ratio(carried["volumes"], state.volumes, bar["ticks"])
        for row in range(2):
            if living[row]["count"] > 0:
                count = _judge(zones, row, living[row], params, now, bar, market["origin"], volume, out, count)
        first = state.candles[(market["bars"] - 1) % 2]
        if market["bars"] > 2:
            middle = state.candles[market["bars"] % 2]
            side = gap_side(first["high"], first["low"], middle["open"], middle["close"], now.high, now.low)
            if side != 0:
                leave_gap(zones, living[0 if side > 0 else 1], params.birth, now, bar["time"], first, middle, side)
        remember_candle(first, now)
    return count


class FairValueGapFill(KernelPattern):
    """Rejection from a gap between the wicks around a strong bar, or the way into that gap."""

    Config = FairValueGapFillConfig
    evidence = (
        "zone_low",
        "zone_high",
        "gap",  # height of the zone, in the ATR before its birth
        "displacement",  # range of the bar that left the gap, in that ATR
        "age",  # bars since the birth
        "touches",  # bars that reached its middle before, without a signal
        "depth",  # how far the signal bar reached into the zone: 0 the near edge, 1 the far one
        "wick",  # of the signal bar on the side away from the target, as a share of its range
        "volume_ratio",  # of the signal bar to the mean of those before
        "spread",  # mean of the signal bar, points
        "gap_factor",
        "displacement_factor",
        "fresh_factor",
        "volume_factor",
        "cheap_factor",
    )
    evidence_prices = ("zone_low", "zone_high")
    kernel = scan_bars

    @property
    def signals_pending(self) -> int:
        """Every gap may still give one."""
        return 2 * (int(self.config.max_age) + 1)

    def new_state(self) -> State:
        """The state before the first bar."""
        config = self.config
        return State(
            np.zeros(1, CARRIED),
            np.zeros(config.volume_bars, np.int64),
            np.zeros(2, CANDLE),
            np.zeros(2, LIVING),
            np.zeros((2, config.max_age + 1), ZONE),
        )

    def new_params(self) -> Params:
        """The configuration as the kernel wants it."""
        config = self.config
        birth = GapRules(*(getattr(config, name) for name in GapRules._fields))
        own = {name: getattr(config, name) for name in Params._fields if name not in ("rules", "fill", "birth")}
        rules = new_rules(config, self.context, config.expiry, config.time_stop)
        return Params(rules=rules, fill=config.mode == "fill", birth=birth, **own)
