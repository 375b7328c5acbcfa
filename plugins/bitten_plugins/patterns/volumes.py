"""Volume of a bar against that of the bars before it.

The state is a record of `WINDOW` and the ring of as many volumes as the average has.
"""

from __future__ import annotations

from bitten.kernels.indicators import Record, window_push
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints


@kernel
def mean_volume(window: Record, ring: Ints) -> float:
    """Mean volume of the last bars; 0 while there are fewer than the ring holds, and in data without volume."""
    if window["seen"] < ring.size:
        return 0.0
    return float(window["total"] / ring.size)


@kernel
def volume_ratio(window: Record, ring: Ints, volume: int) -> float:
    """This volume over the mean of those before, 1 where that is none; then it is taken in itself."""
    mean = mean_volume(window, ring)
    window_push(window, ring, volume)
    return volume / mean if mean > 0.0 else 1.0
