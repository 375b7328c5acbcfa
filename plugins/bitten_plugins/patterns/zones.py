"""Price zones that a pattern remembers: born with a bar, judged by every later one, gone when broken, old or used up.

Prices of a zone, and those of the bars that are held against it, are multiplied by the side of the zone. So every zone
lies under the market: it is approached from above at its near edge and broken below its far one. The living zones of a
side come first in their row of an array, in the order of their birth. A gap in time does not end them.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten.model.dtypes import Records
from bitten_plugins.patterns.rules import BarRules, Now


class ZoneRules(BarRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of every pattern that waits for price to come back to a zone."""

    max_age: Annotated[int, Meta(ge=1, le=100_000, description="bars for which a zone lives")] = 120
    fresh_age: Annotated[
        int, Meta(ge=0, le=100_000, description="bars up to which its age costs no confidence; must be below max_age")
    ] = 10
    max_touches: Annotated[
        int, Meta(ge=1, le=1000, description="so many bars that touch a zone without a signal end it")
    ] = 3
    close_share: Annotated[
        float, Meta(ge=0, le=1, description="least position of the signal's close in its bar's range, as a share")
    ] = 0.5
    volume_bars: Annotated[
        int, Meta(ge=1, le=10_000, description="bars before with whose mean volume the signal bar's is compared")
    ] = 20
    low_volume: Annotated[
        float, Meta(ge=0, le=100, description="volume that earns no confidence, relative to that mean")
    ] = 0.8
    full_volume: Annotated[
        float, Meta(gt=0, le=1000, description="relative volume that earns full confidence; must exceed low_volume")
    ] = 2.0
    min_target: Annotated[float, Meta(ge=0, le=100, description="nearest target, in stop distances R")] = 1.5
    max_target: Annotated[
        float, Meta(gt=0, le=100, description="farthest target, in stop distances R; at least min_target")
    ] = 3.0
    time_stop: Annotated[int, Meta(ge=0, le=100_000, description="bars a position may last; 0 for no limit")] = 60
    expiry: Annotated[
        int, Meta(ge=0, le=1000, description="bars after the signal's in which an order may fill; 0 for no limit")
    ] = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_order("fresh_age", "max_age")
        self.check_order("low_volume", "full_volume")
        self.check_order("min_target", "max_target", equal=True)


ZONE: Final = np.dtype(
    [
        ("near", np.int64),
        ("far", np.int64),
        ("best", np.int64),  # farthest that price has been on the favourable side, since and with the birth bar
        ("time", np.int64),  # start of the birth bar
        ("age", np.int64),  # bars since
        ("touches", np.int64),  # bars that came back to it without a signal
        ("departed", np.int64),  # 1 once price has left it far enough
        ("displacement", np.float64),  # the move that made it, in ATR
        ("height", np.float64),  # in ATR
    ]
)


# The zones of one side that live; in the dtype of a pattern's own state, or as it is.
LIVING: Final = np.dtype([("count", np.int64)])


class Seen(NamedTuple):
    """One bar times a side."""

    open: int
    high: int
    low: int
    close: int


@kernel
def seen_from(now: Now, side: int) -> Seen:
    """The bar as the zones of a side see it."""
    high = side * now.high
    low = side * now.low
    return Seen(side * now.open, max(high, low), min(high, low), side * now.close)


@kernel
def side_of(row: int) -> int:
    """The side of the zones in a row."""
    return 1 - 2 * row


@kernel
def place_for_zone(zones: Records, row: int, living: Record) -> int:
    """Where a zone that is born may stand; the oldest makes room for it where all places are taken."""
    if living["count"] == zones.shape[1]:
        for place in range(zones.shape[1] - 1):
            zones[row, place] = zones[row, place + 1]
        living["count"] -= 1
    living["count"] += 1
    return int(living["count"] - 1)


@kernel
def begin_zone(zone: Record, seen: Seen, near: int, far: int, time: int, displacement: float, height: float) -> None:
    """A zone is born with a bar."""
    zone["near"] = near
    zone["far"] = far
    zone["best"] = seen.high
    zone["time"] = time
    zone["age"] = 0
    zone["touches"] = 0
    zone["departed"] = 0
    zone["displacement"] = displacement
    zone["height"] = height


@kernel
def outlives(zone: Record, seen: Seen, max_age: int) -> bool:
    """Let a later bar age a zone; whether the zone is neither too old now nor broken by the close."""
    zone["age"] += 1
    zone["best"] = max(zone["best"], seen.high)
    return bool(zone["age"] <= max_age and seen.close >= zone["far"])


@kernel
def depth(zone: Record, price: int) -> float:
    """How far a price lies within a zone: 0 at its near edge, 1 at its far one, beyond these outside."""
    return float((zone["near"] - price) / (zone["near"] - zone["far"]))


@kernel
def rejection_wick(seen: Seen) -> float:
    """The wick towards the zone, as a share of the bar's range."""
    return (min(seen.open, seen.close) - seen.low) / max(seen.high - seen.low, 1)


@kernel
def bounded_target(zone: Record, seen: Seen, risk: float, least: float, most: float) -> float:
    """Distance from the close to where price has been since the birth, but `least` to `most` times the risk."""
    return min(max(float(zone["best"] - seen.close), least * risk), most * risk)
