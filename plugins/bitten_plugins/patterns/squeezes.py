"""Volatility squeezes and the boxes they build.

A squeeze is a run of bars whose Bollinger bands lie inside a Keltner channel; `bitten.kernels.indicators.squeeze_on`
says which bars those are. Its box spans its latest bars, the current one left out.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints

# A squeeze and its box.
SQUEEZE: Final = np.dtype(
    [
        ("bars", np.int64),  # its length so far; 0 where there is none
        ("anchor", np.int64),  # start of its first bar
        ("spent", np.int64),  # 1 once it has had its signal
        ("left", np.int64),  # of one that has ended: bars in which its box may still break
        ("high", np.int64),  # its box
        ("low", np.int64),
    ]
)


@kernel
def median(ring: Ints) -> float:
    """Median of a full ring; by counting, which needs no memory and is done for few bars only."""
    low, high = (ring.size - 1) // 2, ring.size // 2
    lower, upper = ring[0], ring[0]
    for value in ring:
        below, equal = 0, 0
        for other in ring:
            below += other < value
            equal += other == value
        if below <= low < below + equal:
            lower = value
        if below <= high < below + equal:
            upper = value
    return float(0.5 * (lower + upper))


@kernel
def build_box(squeeze: Record, extremes: Ints, number: int, bars: int) -> None:
    """The box of the `bars` bars before the bar `number`."""
    size = extremes.shape[1]
    slot = (number - 1) % size
    squeeze["high"], squeeze["low"] = extremes[0, slot], extremes[1, slot]
    for _ in range(1, bars):
        slot = slot - 1 if slot > 0 else size - 1
        squeeze["high"] = max(squeeze["high"], extremes[0, slot])
        squeeze["low"] = min(squeeze["low"], extremes[1, slot])


@kernel
def follow_squeeze(
    running: Record, ended: Record, min_bars: int, valid_bars: int, extremes: Ints, number: int, on: bool, time: int
) -> None:
    """Let a bar lengthen the squeeze, begin one, or end it."""
    if on:
        if running["bars"] == 0:
            running["anchor"] = time
            running["spent"] = 0
        running["bars"] += 1
    elif running["bars"] > 0:
        if running["bars"] >= min_bars and running["spent"] == 0:
            build_box(running, extremes, number, min(running["bars"], extremes.shape[1]))
            ended["bars"], ended["anchor"] = running["bars"], running["anchor"]
            ended["high"], ended["low"] = running["high"], running["low"]
            ended["left"] = valid_bars + 1
        running["bars"] = 0
