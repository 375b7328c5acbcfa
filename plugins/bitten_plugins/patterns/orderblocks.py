"""How order blocks are born: swing points, their break, and the zone that a break with force leaves behind."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Records
from bitten_plugins.patterns.rules import Now
from bitten_plugins.patterns.zones import LIVING, Seen, begin_zone, place_for_zone, side_of


class BlockRules(NamedTuple):
    """What a break of structure needs to leave a zone; the parameters of these names."""

    structure_age: int
    min_displacement: float
    min_body: float
    block_bars: int
    min_height: float
    max_height: float


# A bar that is remembered, relative prices.
PRICES: Final = np.dtype([("open", np.int64), ("high", np.int64), ("low", np.int64), ("close", np.int64)])

# What is carried for a side: its zones, and the last swing point, a high for buys and a low for sells.
SIDE: Final = np.dtype(
    [
        ("living", LIVING),
        ("level", np.int64),  # of the swing point, times the side
        ("bar", np.int64),  # number of its bar
        ("whole", np.int64),  # 1 until it is broken, 0 also before there was any
    ]
)


@kernel
def remember(prices: Record, now: Now) -> None:
    """Keep a bar in its place of the ring."""
    prices["open"] = now.open
    prices["high"] = now.high
    prices["low"] = now.low
    prices["close"] = now.close


@kernel
def confirm_swing(swing: Record, level: int, number: int) -> None:
    """A bar is from now on the swing point of a side (a record of SIDE) that later bars may break."""
    swing["level"] = level
    swing["bar"] = number
    swing["whole"] = 1


@kernel
def _low(prices: Records, number: int, side: int) -> int:
    """The adverse extreme of a remembered bar, times the side."""
    bar = prices[number % prices.size]
    return int(min(side * bar["high"], side * bar["low"]))


@kernel
def _lowest(prices: Records, first: int, last: int, side: int) -> int:
    """The bar of a range with the adverse extreme, the latest of equals."""
    extreme = first
    for number in range(first + 1, last + 1):
        if _low(prices, number, side) <= _low(prices, extreme, side):
            extreme = number
    return extreme


@kernel
def _opposing(prices: Records, first: int, last: int, side: int, otherwise: int) -> int:
    """The last bar of a range that closed against the side."""
    for number in range(last, first - 1, -1):
        bar = prices[number % prices.size]
        if side * bar["close"] < side * bar["open"]:
            return number
    return otherwise


@kernel
def break_swing(
    zones: Records,
    prices: Records,
    swing: Record,
    rules: BlockRules,
    now: Now,
    seen: Seen,
    row: int,
    number: int,
    time: int,
) -> None:
    """A bar closed beyond the swing point of its side; if it did so with force, a zone is born.

    The swing point is broken from now on, whatever the bar lacks to leave a zone; an old one is left as it is.

    Args:
        zones: array (2, room) of ZONE; the new one is the last of those that live in its row.
        prices: ring of PRICES that holds the bar and `structure_age` before it.
        swing: record of SIDE.
        rules: what it takes.
        now: the bar.
        seen: the same, times the side.
        row: of the side in `zones`.
        number: of the bar.
        time: its start.
    """
    if number - swing["bar"] > rules.structure_age:
        return
    swing["whole"] = 0
    if not now.atr > 0.0 or abs(now.close - now.open) < rules.min_body * max(now.high - now.low, 1):
        return
    side = side_of(row)
    extreme = _lowest(prices, swing["bar"] + 1, number - 1, side)
    bottom = _low(prices, extreme, side)
    displacement = (seen.close - bottom) / now.atr
    if displacement < rules.min_displacement:
        return
    first = max(swing["bar"], extreme - rules.block_bars)
    block = _opposing(prices, first, min(extreme + 1, number - 1), side, extreme)
    bar = prices[block % prices.size]
    near = max(side * bar["open"], side * bar["close"])
    far = min(bottom, _low(prices, block, side))
    height = (near - far) / now.atr
    if height <= 0.0 or height < rules.min_height or height > rules.max_height:
        return
    zone = zones[row, place_for_zone(zones, row, swing["living"])]
    begin_zone(zone, seen, near, far, time, displacement, height)
