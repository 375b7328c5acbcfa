"""Pools of liquidity: levels beyond which stops are thought to rest, until price has once gone through them.

Below the market stand swing lows, and if wanted the lows of the last UTC day and of the last session; above it the
highs. Both sides are kept alike: a level is multiplied by its side (+1 for lows, whose sweep is bought, -1 for highs),
so that on either side price goes through a pool by falling below it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.indicators import SWINGS, swing_level
from bitten.kernels.jit import kernel
from bitten.model.dtypes import NS_PER_SECOND, Ints, Records
from bitten_plugins.patterns.rules import Now, adverse_extreme

NOWHERE: Final = -(1 << 62)  # below every price: the nearest level of a side without pools
NS_PER_HOUR: Final = 3600 * NS_PER_SECOND
_NS_PER_DAY: Final = 24 * NS_PER_HOUR
_FOREVER: Final = 1 << 62

# Kinds of pools. There is at most one of each of the latter two on a side: the next replaces it.
SWING: Final = 0
DAY: Final = 1
SESSION: Final = 2

POOL: Final = np.dtype(
    [
        ("level", np.int64),  # relative to the market's origin, times the side
        ("pivot", np.int64),  # number of the bar that made it
        ("last", np.int64),  # number of the last bar that can sweep it
        ("kind", np.int64),
    ]
)

# A day or session that is under way.
PERIOD: Final = np.dtype(
    [
        ("open", np.int64),  # 0 between sessions
        ("number", np.int64),  # days since 1970
        ("levels", np.int64, (2,)),  # lowest low and highest high so far, times their sides
        ("pivots", np.int64, (2,)),
    ]
)


class PoolParams(NamedTuple):
    """What makes pools."""

    max_age: int  # bars
    any_period: bool  # whether days or sessions count
    periods: tuple[bool, bool]  # which of the two
    session_start: int  # ns after midnight UTC
    session_length: int  # ns


class Pools(NamedTuple):
    """The pools of both sides, by the index of the side: 0 for lows, 1 for highs."""

    swings: Records  # (1,)
    ring: Ints  # (2, 2 wing + 1) highs and lows
    pools: Records  # (2, most), each side in the order in which they became known
    sizes: Ints  # (2,)
    nearest: Ints  # (2,) the highest level of the side, NOWHERE if it has none
    periods: Records  # (2,) the day and the session under way


def new_pools(wing: int, most: int) -> Pools:
    """No pools yet; at most the newest `most` of each side are kept."""
    return Pools(
        np.zeros(1, SWINGS),
        np.zeros((2, 2 * wing + 1), np.int64),
        np.zeros((2, most), POOL),
        np.zeros(2, np.int64),
        np.full(2, NOWHERE, np.int64),
        np.zeros(2, PERIOD),
    )


@kernel
def _find_nearest(pools: Pools, k: int) -> None:
    nearest = NOWHERE
    for i in range(pools.sizes[k]):
        nearest = max(nearest, pools.pools[k, i]["level"])
    pools.nearest[k] = nearest


@kernel
def _remove(pools: Pools, k: int, index: int) -> None:
    own = pools.pools
    for i in range(index + 1, pools.sizes[k]):
        own[k, i - 1] = own[k, i]
    pools.sizes[k] -= 1


@kernel
def _add(pools: Pools, k: int, level: int, pivot: int, last: int, kind: int) -> None:
    own = pools.pools
    if kind != SWING:
        for i in range(pools.sizes[k]):
            if own[k, i]["kind"] == kind:
                _remove(pools, k, i)
                break
    if pools.sizes[k] == own.shape[1]:
        _remove(pools, k, 0)
    pool = own[k, pools.sizes[k]]
    pool["level"], pool["pivot"], pool["last"], pool["kind"] = level, pivot, last, kind
    pools.sizes[k] += 1
    _find_nearest(pools, k)


@kernel
def sweep_pools(pools: Pools, k: int, reach: float, number: int) -> tuple[int, int, int]:
    """Remove the pools of a side that lie above `reach`: price has gone through them.

    Args:
        pools: both sides.
        k: index of the side.
        reach: how far price went, relative to the market's origin, times the side.
        number: of the bar in which it happens; pools that are too old for it go as well, and are not counted.

    Returns:
        How many there were, the lowest level and the earliest pivot among them (0, 0, 0 for none).
    """
    own = pools.pools
    count, level, pivot, kept = 0, 0, 0, 0
    for i in range(pools.sizes[k]):
        pool = own[k, i]
        if pool["last"] < number:
            continue
        if reach < pool["level"]:
            level = pool["level"] if count == 0 else min(level, pool["level"])
            pivot = pool["pivot"] if count == 0 else min(pivot, pool["pivot"])
            count += 1
            continue
        own[k, kept] = pool
        kept += 1
    pools.sizes[k] = kept
    _find_nearest(pools, k)
    return count, level, pivot


@kernel
def end_periods(pools: Pools, params: PoolParams, time: int) -> None:
    """Before a bar that starts at `time` is looked at: the extremes of days and sessions that have ended are pools."""
    for kind in (DAY, SESSION):
        if not params.periods[kind - 1]:
            continue
        period = pools.periods[kind - 1]
        start = params.session_start if kind == SESSION else 0
        length = params.session_length if kind == SESSION else _NS_PER_DAY
        number = (time - start) // _NS_PER_DAY
        within = time - start - number * _NS_PER_DAY < length
        if period["open"] and (not within or number != period["number"]):
            for k in range(2):
                _add(pools, k, period["levels"][k], period["pivots"][k], _FOREVER, kind)
            period["open"] = 0
        if within and not period["open"]:
            period["open"] = 1
            period["number"] = number
            for k in range(2):
                period["pivots"][k] = -1


@kernel
def count_in_periods(pools: Pools, now: Now, number: int) -> None:
    """After a bar has been looked at: it counts in the day and the session under way."""
    for i in range(2):
        period = pools.periods[i]
        if not period["open"]:
            continue
        for k in range(2):
            extreme = adverse_extreme(now, 1 - 2 * k)
            if period["pivots"][k] < 0 or extreme < period["levels"][k]:
                period["levels"][k] = extreme
                period["pivots"][k] = number


@kernel
def add_swings(pools: Pools, max_age: int, is_high: bool, is_low: bool, number: int) -> None:
    """After a bar has been looked at: the swings that it confirms, as `swing_step` says, are pools."""
    high, low = swing_level(pools.swings[0], pools.ring)
    pivot = number - pools.ring.shape[1] // 2
    if is_low:
        _add(pools, 0, low, pivot, pivot + max_age, SWING)
    if is_high:
        _add(pools, 1, -high, pivot, pivot + max_age, SWING)
