"""How fair value gaps are born: what three bars leave open, and whether that is worth remembering."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Records
from bitten_plugins.patterns.rules import Now
from bitten_plugins.patterns.zones import begin_zone, place_for_zone, seen_from


class GapRules(NamedTuple):
    """What a gap needs to be remembered; the parameters of these names."""

    min_body: float
    min_range: float
    min_gap: float
    min_gap_spreads: float


# A bar that may yet be part of a gap, relative prices.
CANDLE: Final = np.dtype(
    [("open", np.int64), ("high", np.int64), ("low", np.int64), ("close", np.int64), ("atr", np.float64)]
)


@kernel
def remember_candle(candle: Record, now: Now) -> None:
    """Keep a bar."""
    candle["open"] = now.open
    candle["high"] = now.high
    candle["low"] = now.low
    candle["close"] = now.close
    candle["atr"] = now.atr


@kernel
def gap_side(first_high: int, first_low: int, middle_open: int, middle_close: int, high: int, low: int) -> int:
    """What three bars in a row leave open: 1 a bullish gap, -1 a bearish one, 0 none.

    A bullish gap lies between the first bar's high and the third one's low, if the middle bar closed above its open;
    a bearish one is the mirror. It is known with the third bar, not with the middle one.
    """
    if middle_close > middle_open and first_high < low:
        return 1
    if middle_close < middle_open and first_low > high:
        return -1
    return 0


@kernel
def _is_wide(rules: GapRules, now: Now, middle: Record, height: int) -> bool:
    """Whether a gap of this height is worth remembering."""
    atr = middle["atr"]
    size = middle["high"] - middle["low"]
    if now.gap or not atr > 0.0 or size < rules.min_range * atr:
        return False
    if abs(middle["close"] - middle["open"]) < rules.min_body * size:
        return False
    return bool(height >= max(rules.min_gap * atr, rules.min_gap_spreads * now.spread))


@kernel
def leave_gap(
    zones: Records, living: Record, rules: GapRules, now: Now, time: int, first: Record, middle: Record, side: int
) -> None:
    """Three bars have left a gap on a side; if it is wide enough, it is remembered.

    Args:
        zones: array (2, room) of ZONE; a new one is the last of those that live in its row.
        living: record of LIVING of that row.
        rules: what it takes.
        now: the third bar.
        time: its start.
        first: record of CANDLE.
        middle: record of CANDLE.
        side: as `gap_side` says.
    """
    seen = seen_from(now, side)
    far = max(side * first["high"], side * first["low"])
    if not _is_wide(rules, now, middle, seen.low - far):
        return
    row = 0 if side > 0 else 1
    zone = zones[row, place_for_zone(zones, row, living)]
    displacement = (middle["high"] - middle["low"]) / middle["atr"]
    begin_zone(zone, seen, seen.low, far, time, displacement, (seen.low - far) / middle["atr"])
