"""What both forms of SWP, on bars and on ticks, have in common: parameters, evidence, confidence.

Sources: Osler (2003) and (2005), stop orders cluster just beyond obvious levels and set off cascades; Wyckoff's spring
and upthrust; Connors & Raschke (1995), turtle soup.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten_plugins.patterns.pools import NS_PER_HOUR, PoolParams
from bitten_plugins.patterns.rules import BarRules, Now, cheapness, ramp, write_zone

EVIDENCE: Final = (
    "zone_low",  # what was swept: between the outermost level and the extreme beyond it
    "zone_high",
    "penetration",  # from the level to the extreme, ATR
    "pools",  # how many levels were swept
    "age",  # of the oldest of them, bars
    "wick",  # on the swept side, share of the range
    "volume_ratio",
    "spread",  # points
    "pools_factor",
    "age_factor",
    "wick_factor",
    "volume_factor",
    "cheap_factor",
)


class SweepConfig(BarRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of both forms of SWP."""

    wing: Annotated[
        int, Meta(ge=1, le=50, description="bars on either side of a swing; it exists once those after it have closed")
    ] = 3
    max_pools: Annotated[int, Meta(ge=1, le=1000, description="newest levels kept on each side")] = 60
    max_age: Annotated[int, Meta(ge=1, le=100_000, description="bars after its own in which a swing is a level")] = 200
    day_pools: Annotated[bool, Meta(description="whether the last UTC day's high and low are levels too")] = False
    session_pools: Annotated[bool, Meta(description="whether the last session's high and low are levels too")] = False
    session_start: Annotated[float, Meta(ge=0, lt=24, description="start of the session, hours after midnight UTC")] = (
        0.0
    )
    session_hours: Annotated[float, Meta(gt=0, le=24, description="length of the session, hours")] = 6.0
    min_depth_atr: Annotated[float, Meta(ge=0, le=10, description="least way beyond the level, in ATR")] = 0.05
    min_depth_spreads: Annotated[float, Meta(ge=0, le=100, description="least way beyond the level, in spreads")] = 0.5
    max_depth: Annotated[float, Meta(gt=0, le=100, description="greatest way beyond the level, in ATR")] = 1.5
    min_age: Annotated[int, Meta(ge=0, le=100_000, description="least age of the oldest level swept, bars")] = 10
    volume_bars: Annotated[int, Meta(ge=1, le=1000, description="bars before it that a volume is compared with")] = 20
    stop_buffer: Annotated[float, Meta(ge=0, le=10, description="stop beyond the sweep's extreme, in ATR")] = 0.2
    min_stop: Annotated[float, Meta(ge=0, le=10, description="stop at least this far from the close, in ATR")] = 0.6
    reward: Annotated[float, Meta(gt=0, le=100, description="target, in multiples of the stop distance")] = 2.0
    time_stop: Annotated[int, Meta(ge=0, le=100_000, description="bars a position may last; 0 for no limit")] = 40

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_order("min_depth_atr", "max_depth")


class SweepParams(NamedTuple):
    """`SweepConfig` as kernels want it, but for the rules."""

    pools: PoolParams
    min_depth_atr: float
    min_depth_spreads: float
    max_depth: float
    min_age: int
    stop_buffer: float
    min_stop: float
    reward: float


def new_sweep_params(config: SweepConfig) -> SweepParams:
    """The parameters of one instance."""
    return SweepParams(
        PoolParams(
            config.max_age,
            config.day_pools or config.session_pools,
            (config.day_pools, config.session_pools),
            round(config.session_start * NS_PER_HOUR),
            round(config.session_hours * NS_PER_HOUR),
        ),
        min_depth_atr=config.min_depth_atr,
        min_depth_spreads=config.min_depth_spreads,
        max_depth=config.max_depth,
        min_age=config.min_age,
        stop_buffer=config.stop_buffer,
        min_stop=config.min_stop,
        reward=config.reward,
    )


# One side's sweep that waits for price to come back. Prices are relative to the market's origin, times the side.
SWEEP: Final = np.dtype(
    [
        ("waiting", np.int64),  # bars in which it may still fire (on ticks 1); 0 where there is none
        ("anchor", np.int64),  # start of the sweep bar; on ticks the sweep's first quote
        ("level", np.int64),
        ("extreme", np.int64),
        ("count", np.int64),  # pools swept
        ("pivot", np.int64),  # number of the bar that made the oldest of them
        ("number", np.int64),  # of the sweep's own bar
    ]
)


@kernel
def least_depth(params: SweepParams, atr: float, spread: float) -> float:
    """How far beyond a level price must go for a sweep, points."""
    return max(params.min_depth_atr * atr, params.min_depth_spreads * spread)


@kernel
def stop_distance(params: SweepParams, sweep: Record, close: int, atr: float) -> float:
    """From a close (relative to the origin, times the side) to the stop, points."""
    return float(max(close - sweep["extreme"] + params.stop_buffer * atr, params.min_stop * atr))


@kernel
def weigh(now: Now, sweep: Record, wick: float, volume: float) -> tuple[float, float, float, float, float]:
    """The factors of the confidence: pools, age, wick, volume, cheapness."""
    return (
        ramp(sweep["count"], 1.0, 3.0),
        ramp(sweep["number"] - sweep["pivot"], 10.0, 100.0),
        ramp(wick, 0.35, 0.75),
        ramp(volume, 0.8, 2.5),
        cheapness(now),
    )


@kernel
def confidence(factors: tuple[float, float, float, float, float]) -> float:
    """The confidence as a share of 1."""
    pools, age, wick, volume, cheap = factors
    return 0.25 * pools + 0.20 * age + 0.25 * wick + 0.15 * volume + 0.15 * cheap


@kernel
def write_evidence(
    row: Record,
    sweep: Record,
    now: Now,
    origin: int,
    side: int,
    wick: float,
    volume: float,
    factors: tuple[float, float, float, float, float],
) -> None:
    """Fill the evidence of a signal whose other fields are written; `EVIDENCE` names its slots."""
    write_zone(row, origin, side * sweep["level"], side * sweep["extreme"])
    evidence = row["evidence"]
    evidence[2] = (sweep["level"] - sweep["extreme"]) / now.atr
    evidence[3] = sweep["count"]
    evidence[4] = sweep["number"] - sweep["pivot"]
    evidence[5], evidence[6], evidence[7] = wick, volume, now.spread
    for i in range(5):
        evidence[8 + i] = factors[i]
