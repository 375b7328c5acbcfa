"""Quiet stretches of quotes: extremes of blocks, made once per slice, and the first quote that leaves a band."""

from __future__ import annotations

from typing import Final

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints

FAR: Final = 1 << 62  # beyond every price and instant
BLOCK: Final = 128  # quotes whose extremes are compared at once; a multiple of every SIMD width


@kernel
def lowest_highest(prices: Ints) -> tuple[int, int]:
    """Extremes of at least one price: a loop over a slice from 0 on, which compiles to SIMD instructions."""
    low, high = prices[0], prices[0]
    for k in range(prices.size):
        low = min(low, prices[k])
        high = max(high, prices[k])
    return low, high


@kernel
def block_extremes(bid: Ints, ask: Ints, out: Ints) -> None:
    """Lowest and highest bid, lowest and highest ask of every BLOCK of quotes, shape (blocks, 4), the last one short.

    Made once per slice; every later look at quiet stretches reads these alone.
    """
    for block in range(-(-bid.size // BLOCK)):
        first = block * BLOCK
        out[block, 0], out[block, 1] = lowest_highest(bid[first : first + BLOCK])
        out[block, 2], out[block, 3] = lowest_highest(ask[first : first + BLOCK])


@kernel
def first_outside(
    bid: Ints,
    ask: Ints,
    extremes: Ints,
    start: int,
    stop: int,
    low_bid: int,
    high_bid: int,
    low_ask: int,
    high_ask: int,
) -> tuple[int, int, int, int, int]:
    """Index of the first quote in [start, stop) on or beyond a band; `stop` if none.

    Returns:
        The index, and the extremes (lowest and highest bid, lowest and highest ask) of the quotes before it.
    """
    least_bid, most_bid, least_ask, most_ask = FAR, -FAR, FAR, -FAR
    i = start
    while i < stop:
        block = i // BLOCK
        end = min((block + 1) * BLOCK, stop)
        if end - i == BLOCK:
            b0, b1, a0, a1 = extremes[block, 0], extremes[block, 1], extremes[block, 2], extremes[block, 3]
        else:
            b0, b1 = lowest_highest(bid[i:end])
            a0, a1 = lowest_highest(ask[i:end])
        if b0 <= low_bid or b1 >= high_bid or a0 <= low_ask or a1 >= high_ask:
            break
        least_bid, most_bid = min(least_bid, b0), max(most_bid, b1)
        least_ask, most_ask = min(least_ask, a0), max(most_ask, a1)
        i = end
    while i < stop:
        if bid[i] <= low_bid or bid[i] >= high_bid or ask[i] <= low_ask or ask[i] >= high_ask:
            break
        least_bid, most_bid = min(least_bid, bid[i]), max(most_bid, bid[i])
        least_ask, most_ask = min(least_ask, ask[i]), max(most_ask, ask[i])
        i += 1
    return i, least_bid, most_bid, least_ask, most_ask
