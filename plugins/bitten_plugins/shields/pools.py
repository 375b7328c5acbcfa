"""Liquidity pools and their sweeps: where stops are likely to lie, and when price has just taken them.

A pool is a confirmed swing: stops of those who trade away from a low gather below it. It exists from the close of the
third bar after its pivot; it is swept once, when a bar trades through it, or forgotten with age. A sweep completes when
price closes back on the near side of the outermost pool it took.

Sources: Osler (2003) J. Finance 58 and (2005) J. Int. Money Fin. 24 on the clustering of stops beyond obvious levels;
Wyckoff's spring and upthrust.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import NO_PRICE, Record, Records

WING: Final = 3  # bars on both sides that make a swing
MOST_POOLS: Final = 60
POOL_BARS: Final = 200  # after which a pool is forgotten, counted from its pivot
LEAST_AGE: Final = 10  # bars of the oldest pool a sweep takes
SHALLOWEST, DEEPEST = 0.05, 1.5  # penetration of the outermost level, in ATR
LEAST_WICK: Final = 0.35  # of the range, for a sweep that completes within its bar
WAITING: Final = 2  # more bars in which it may complete
ALIVE: Final = 1 << 62  # the end of a pool that has none yet

LOWS, HIGHS = 0, 1  # kinds of pools; those of lows lie below the market

POOL: Final = np.dtype(
    [
        ("kind", np.int64),
        ("level", np.int64),  # points
        ("pivot", np.int64),  # number of the pivot's bar
        ("time", np.int64),  # its start
        ("born", np.int64),  # when it was known, ns UTC
        ("ended", np.int64),  # when that was known; ALIVE before
        ("swept", np.int64),  # 1 where it ended because price traded through it
    ]
)

# One side's pools, and the sweep that has not completed yet.
SIDE: Final = np.dtype(
    [
        ("known", np.int64),  # whether `nearest` is
        ("nearest", np.int64),  # no pool of this kind lies nearer to the market, points
        ("waiting", np.int64),  # bars in which a sweep may still complete; 0 for none
        ("level", np.int64),
        ("extreme", np.int64),
    ]
)

# What all pools of a chart have in common.
BOOK: Final = np.dtype(
    [
        ("count", np.int64),
        ("first", np.int64),  # pools before this one have ended
        ("active", np.int64),
    ]
)


class Crossed(NamedTuple):
    """The pools that a bar has traded through."""

    pools: int  # how many
    level: int  # the outermost
    age: int  # bars since the oldest pivot


@kernel
def end_pool(book: Record, pools: Records, i: int, known: int, swept: int) -> None:
    """A pool is no more."""
    pools[i]["ended"] = known
    pools[i]["swept"] = swept
    book["active"] -= 1


@kernel
def forget_pools(book: Record, pools: Records, number: int, known: int) -> None:
    """Drop the pools that are too old, or too many."""
    while book["first"] < book["count"]:
        i = book["first"]
        if pools[i]["ended"] == ALIVE:
            if number - pools[i]["pivot"] <= POOL_BARS and book["active"] <= MOST_POOLS:
                break
            end_pool(book, pools, i, known, 0)
        book["first"] += 1


@kernel
def is_crossed(side: Record, kind: int, bar: Record) -> bool:
    """Whether a bar has traded through any pool of one kind."""
    if not side["known"]:
        return False
    return bool(bar["low"] < side["nearest"] if kind == LOWS else bar["high"] > side["nearest"])


@kernel
def cross_pools(book: Record, side: Record, pools: Records, kind: int, bar: Record, number: int) -> Crossed:
    """Sweep the pools of one kind beyond which a bar's extreme lies."""
    sign = 1 - 2 * kind  # multiplied by it, highs are lows of the mirrored market
    extreme = bar["low"] if kind == LOWS else bar["high"]
    count, level, oldest = 0, 0, number
    side["known"] = 0
    for i in range(book["first"], book["count"]):
        pool = pools[i]
        if pool["kind"] != kind or pool["ended"] != ALIVE:
            continue
        if sign * extreme < sign * pool["level"]:
            level = pool["level"] if count == 0 or sign * pool["level"] < sign * level else level
            oldest = min(oldest, pool["pivot"])
            count += 1
            end_pool(book, pools, i, bar["known"], 1)
        elif not side["known"] or sign * pool["level"] > sign * side["nearest"]:
            side["known"], side["nearest"] = 1, pool["level"]
    return Crossed(count, level, number - oldest)


@kernel
def add_pool(
    book: Record, side: Record, pools: Records, kind: int, level: int, pivot: int, time: int, known: int
) -> None:
    """A swing has been confirmed."""
    pool = pools[book["count"]]
    pool["kind"], pool["level"], pool["pivot"], pool["time"] = kind, level, pivot, time
    pool["born"], pool["ended"], pool["swept"] = known, ALIVE, 0
    book["count"] += 1
    book["active"] += 1
    sign = 1 - 2 * kind
    if not side["known"] or sign * level > sign * side["nearest"]:
        side["known"], side["nearest"] = 1, level


@kernel
def sweep_completed(side: Record, crossed: Crossed, kind: int, bar: Record, atr: float, spread: float) -> bool:
    """Whether a sweep of this kind completes with this bar, which is no gap; its level is the side's."""
    sign = 1 - 2 * kind
    extreme = bar["low"] if kind == LOWS else bar["high"]
    close = sign * bar["close"]
    deep = sign * (crossed.level - extreme)
    least = max(SHALLOWEST * atr, 0.5 * spread)  # no comparison holds for an ATR that is NaN
    if crossed.pools > 0 and crossed.age >= LEAST_AGE and least <= deep <= DEEPEST * atr:
        wick = (min(sign * bar["open"], close) - sign * extreme) / max(bar["high"] - bar["low"], 1)
        side["level"], side["extreme"] = crossed.level, extreme
        completed = close > sign * crossed.level and wick >= LEAST_WICK
        side["waiting"] = 0 if completed else WAITING
        return bool(completed)
    if side["waiting"] == 0:
        return False
    side["extreme"] = sign * min(sign * side["extreme"], sign * extreme)
    side["waiting"] -= 1
    if sign * (side["level"] - side["extreme"]) > DEEPEST * atr:
        side["waiting"] = 0
        return False
    if close > sign * side["level"]:
        side["waiting"] = 0
        return True
    return False


@kernel
def pool_between(pools: Records, count: int, now: int, kind: int, number: int, start: int, end: float) -> int:
    """Level of the untouched pool nearest to `start` on the way to `end`, as known at an instant; NO_PRICE for none.

    Args:
        pools: in the order of their birth, `count` of them.
        number: of the last bar that was known.
        start: price now, points; the level lies strictly beyond it.
        end: how far to look, points, itself included.
    """
    sign = 1 - 2 * kind
    found = NO_PRICE
    for k in range(count):
        pool = pools[count - 1 - k]
        if pool["born"] > now:
            continue
        if number - pool["pivot"] > POOL_BARS:
            break
        if pool["kind"] != kind or pool["ended"] <= now:
            continue
        level = sign * pool["level"]
        if sign * end <= level < sign * start and (found == NO_PRICE or level > sign * found):
            found = pool["level"]
    return found


@kernel
def drop_ended(book: Record, pools: Records) -> None:
    """Move the pools that are alive to the front."""
    kept = 0
    for i in range(book["count"]):
        if pools[i]["ended"] == ALIVE:
            pools[kept] = pools[i]
            kept += 1
    book["count"], book["first"] = kept, 0
