"""Rules that all bundled bar patterns share: gaps, warm-up, the acceptance gate, and how a signal is written.

A pattern reasons in points relative to its first close, and on both sides with one formula: multiplied by the side,
a sell's prices are those of a buy in the mirrored market. Distances are therefore computed alike for both, and only
they are rounded: the stop away from the entry, the target towards it.
"""

from __future__ import annotations

import math
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import ADX, ATR, Record, adx_step, atr_step, window_push
from bitten.kernels.jit import kernel
from bitten.model.dtypes import EVIDENCE_SLOTS, NS_PER_MINUTE, Ints
from bitten.pattern import PatternContext

_NEVER: Final = np.iinfo(np.int64).max


class BarRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of every bundled bar pattern."""

    atr_period: Annotated[int, Meta(ge=2, le=500, description="Wilder period of the average true range, bars")] = 14
    adx_period: Annotated[int, Meta(ge=2, le=500, description="Wilder period of the ADX, bars")] = 14
    warm_up: Annotated[int, Meta(ge=0, le=100_000, description="bars before the first signal may come")] = 179
    gap_bars: Annotated[
        int,
        Meta(ge=0, le=1000, description="a step of more than this many bar lengths is a gap; 0 knows no gaps"),
    ] = 3
    gap_minutes: Annotated[int, Meta(ge=0, le=100_000, description="a gap is also longer than this many minutes")] = 30
    min_stop_spreads: Annotated[
        float, Meta(ge=0, le=100, description="smallest stop distance R accepted, in spreads of the bar")
    ] = 3.0
    min_stop_atr: Annotated[float, Meta(ge=0, le=100, description="smallest R accepted, in ATR")] = 0.4
    max_stop_atr: Annotated[float, Meta(gt=0, le=1000, description="largest R accepted, in ATR")] = 3.0
    min_reward: Annotated[
        float, Meta(ge=0, le=100, description="smallest (target distance - spread) / (R + spread) accepted")
    ] = 0.8

    def __post_init__(self) -> None:
        self.check_order("min_stop_atr", "max_stop_atr")

    def check_order(self, lower: str, upper: str, equal: bool = False) -> None:
        """Refuse two parameters, by name, of which the upper is not above the lower (or equal, where that is fine)."""
        low, high = getattr(self, lower), getattr(self, upper)
        if high < low or (high == low and not equal):
            raise ValueError(f"{upper} was {high:g}, must be {'at least' if equal else 'above'} {lower} ({low:g})")


class Rules(NamedTuple):
    """`BarRules` as kernels want them, with the facts of the instrument and the timeframe."""

    bar_ns: int
    gap_ns: int
    warm_up: int
    atr_period: int
    adx_period: int
    min_stop_spreads: float
    min_stop_atr: float
    max_stop_atr: float
    min_reward: float
    stops_level: int  # points
    default_spread: float  # points
    expiry_bars: int
    time_stop_bars: int


def new_rules(config: BarRules, context: PatternContext, expiry_bars: int, time_stop_bars: int) -> Rules:
    """The rules of one instance."""
    gap_ns = max(config.gap_bars * context.timeframe_ns, config.gap_minutes * NS_PER_MINUTE)
    return Rules(
        bar_ns=context.timeframe_ns,
        gap_ns=gap_ns if config.gap_bars else int(_NEVER),
        warm_up=config.warm_up,
        atr_period=config.atr_period,
        adx_period=config.adx_period,
        min_stop_spreads=config.min_stop_spreads,
        min_stop_atr=config.min_stop_atr,
        max_stop_atr=config.max_stop_atr,
        min_reward=config.min_reward,
        stops_level=context.instrument.stops_level,
        default_spread=float(context.instrument.default_spread),
        expiry_bars=expiry_bars,
        time_stop_bars=time_stop_bars,
    )


# What every bar pattern carries from bar to bar.
MARKET: Final = np.dtype(
    [
        ("bars", np.int64),  # bars seen
        ("origin", np.int64),  # the first close, to which all prices are relative
        ("time", np.int64),  # start of the last bar
        ("close", np.int64),  # its relative close
        ("atr", ATR),
        ("adx", ADX),
    ]
)


class Now(NamedTuple):
    """One bar as patterns see it: prices in points relative to the origin."""

    open: int
    high: int
    low: int
    close: int
    before: int  # close of the bar before
    gap: bool
    ready: bool  # signals may come: no gap, warmed up, indicators defined
    spread: float
    atr: float
    adx: float


@kernel
def market_step(market: Record, rules: Rules, bar: Record) -> Now:
    """Take in one bar (a record of BAR)."""
    if market["bars"] == 0:
        market["origin"] = bar["close"]
        market["time"] = bar["time"]
    origin = market["origin"]
    high = bar["high"] - origin
    low = bar["low"] - origin
    close = bar["close"] - origin
    before = market["close"]
    gap = bar["time"] - market["time"] > rules.gap_ns
    atr = atr_step(market["atr"], rules.atr_period, high, low, close, gap)
    adx = adx_step(market["adx"], rules.adx_period, high, low, close, gap)
    spread = rules.default_spread
    if bar["quotes"] > 0 and bar["spread_sum"] > 0:
        spread = bar["spread_sum"] / bar["quotes"]
    ready = market["bars"] >= rules.warm_up and not gap and atr > 0.0 and not math.isnan(adx)
    market["bars"] += 1
    market["time"] = bar["time"]
    market["close"] = close
    return Now(bar["open"] - origin, high, low, close, before, gap, ready, spread, atr, adx)


@kernel
def volume_ratio(window: Record, ring: Ints, ticks: int) -> float:
    """A bar's volume over the mean of the bars before it, as many as the ring holds, which it then joins.

    1 while fewer bars exist, and where they state no volume: a source without volumes neither helps nor harms.
    """
    ratio = 1.0
    if window["seen"] >= ring.size and window["total"] > 0:
        ratio = ticks * ring.size / window["total"]
    window_push(window, ring, ticks)
    return float(ratio)


@kernel
def adverse_extreme(now: Now, side: int) -> int:
    """The bar's low for a buy and its high for a sell, times the side."""
    return min(side * now.high, side * now.low)


@kernel
def close_position(now: Now, side: int) -> float:
    """Where the close lies in the bar's range: 1 at the favourable end, 0 at the other, 0 in a bar without range."""
    return (side * now.close - adverse_extreme(now, side)) / max(now.high - now.low, 1)


@kernel
def ramp(value: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on, linear between."""
    return min(max((value - start) / (end - start), 0.0), 1.0)


@kernel
def cheapness(now: Now) -> float:
    """1 where the spread is at most 5 % of the ATR, 0 where it is 25 % or more."""
    return 1.0 - ramp(now.spread / now.atr, 0.05, 0.25)


@kernel
def acceptable(rules: Rules, now: Now, risk: float, reward: float) -> bool:
    """The acceptance gate on distances from the close to the stop and to the target, in points."""
    if risk < rules.min_stop_spreads * now.spread or risk < rules.stops_level or reward < rules.stops_level:
        return False
    if risk < rules.min_stop_atr * now.atr or risk > rules.max_stop_atr * now.atr:
        return False
    return (reward - now.spread) / (risk + now.spread) >= rules.min_reward


@kernel
def write_signal(
    row: Record, rules: Rules, now: Now, bar: Record, side: int, anchor: int, risk: float, reward: float, score: float
) -> None:
    """Fill a record of SIGNAL but for its evidence; `score` is the confidence as a share of 1."""
    row["time"] = bar["known"]
    row["anchor"] = anchor
    row["side"] = side
    row["reference"] = bar["close"]
    row["stop"] = bar["close"] - side * math.ceil(risk)
    row["target"] = bar["close"] + side * math.floor(reward)
    row["relative"] = 0
    row["confidence"] = np.rint(1000.0 * score) / 10.0
    row["expiry"] = bar["time"] + (1 + rules.expiry_bars) * rules.bar_ns if rules.expiry_bars > 0 else 0
    row["time_stop_bars"] = rules.time_stop_bars
    row["atr"] = now.atr
    for slot in range(EVIDENCE_SLOTS):
        row["evidence"][slot] = 0.0


@kernel
def write_zone(row: Record, origin: int, edge: float, other: float) -> None:
    """The first two pieces of evidence: lower and upper edge of what the signal is about, from relative prices."""
    row["evidence"][0] = origin + np.rint(min(edge, other))
    row["evidence"][1] = origin + np.rint(max(edge, other))
