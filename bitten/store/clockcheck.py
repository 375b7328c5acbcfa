"""Whether stored times can be UTC: where weekends lie, and when spreads are widest."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.model.dtypes import NS_PER_SECOND, Ints
from bitten.model.instrument import Instrument
from bitten.store.profile import DAY_NS, HOUR_NS, HourSpread, week_positions
from bitten.store.tradingweek import CLOSE_NS, OPEN_NS, WEEK_NS, pauses_daily

_PAUSE_NS: Final = (36 * HOUR_NS, 60 * HOUR_NS)  # of a weekend without holidays
_SLACK_NS: Final = 5 * 60 * NS_PER_SECOND
_EARLY_NS: Final = 40 * 60 * NS_PER_SECOND  # last quotes may come so long before the close, first ones after the open
_ROLLOVER: Final = 17
_PEAK: Final = 1.5  # times the median hour: less is no peak
_ENOUGH_DAYS: Final = 4


@dataclass(frozen=True, slots=True)
class Clock:
    """What the times show. `shift_hours` is how far they run ahead of UTC; None where they do not show it."""

    shift_hours: int | None
    text: str

    @property
    def plausible(self) -> bool:
        """False where the times contradict UTC."""
        return not self.shift_hours


class WeekEdges:
    """Collects the last and first times around weekends, and rows in closed hours."""

    def __init__(self, bar_ns: int) -> None:
        self.weekends: list[tuple[int, int]] = []  # New York week positions of the last and first row, in ns
        self.closed_rows = 0
        self.saturdays = 0
        self._bar_ns = bar_ns

    def add(self, time: Ints, previous: int | None) -> None:
        """Look at the next times (ns UTC, sorted); `previous` is the last one before them."""
        positions = week_positions(time)
        inside = (positions > CLOSE_NS + _SLACK_NS) & (positions < OPEN_NS - _SLACK_NS)
        self.closed_rows += int(inside.sum())
        self.saturdays += int(((time // DAY_NS + 3) % 7 == 5).sum())  # 1970-01-01 was a Thursday
        both = time if previous is None else np.concatenate(([previous], time))
        pauses = np.diff(both)
        for i in np.flatnonzero((pauses > _PAUSE_NS[0]) & (pauses < _PAUSE_NS[1])).tolist():
            last, first = week_positions(both[i : i + 2]).tolist()
            self.weekends.append((last + self._bar_ns, first))


def judge(edges: WeekEdges, rollover: Sequence[HourSpread], days: int, instrument: Instrument) -> Clock:
    """Compare weekends and the widest hour (by New York time) with the market's.

    Args:
        edges: what was collected.
        rollover: spread profile by New York hour; empty where there are no spreads.
        days: how many days it covers.
        instrument: metals open an hour later on Sunday.
    """
    opening = OPEN_NS + (HOUR_NS if pauses_daily(instrument) else 0)
    shifts = [shift for weekend in edges.weekends if (shift := _shift(*weekend, opening)) is not None]
    peak = _peak(rollover) if days >= _ENOUGH_DAYS else None
    spread = f"spreads are widest at {peak:02d}:00 New York" if peak is not None else "spreads show no rollover"
    if shifts:
        shift = statistics.mode(shifts)
        fits = shifts.count(shift)
        weekends = f"{fits} of {len(edges.weekends)} weekends run from {_at(CLOSE_NS, shift)} to {_at(opening, shift)}"
        if 2 * fits > len(edges.weekends):
            return Clock(shift, f"{_verdict(shift)}: {weekends} New York; {spread}")
    if peak is None:
        return Clock(None, f"not judged: {_unjudged(edges)}; {spread}")
    shift = (peak - _ROLLOVER + 12) % 24 - 12
    if abs(shift) <= 1:
        return Clock(0, f"plausible: {spread}, where it is expected at 17:00; no whole weekend to go by")
    return Clock(shift, f"{_verdict(shift)}: {spread} instead of 17:00; no whole weekend to go by")


def _unjudged(edges: WeekEdges) -> str:
    if edges.weekends:
        return "weekends do not run from Friday to Sunday 17:00 New York, nor are they shifted by whole hours"
    return "no whole weekend"


def _verdict(shift: int) -> str:
    if shift == 0:
        return "plausible"
    return (
        f"looks shifted, {abs(shift)} h {'ahead of' if shift > 0 else 'behind'} UTC; import again with another --clock"
    )


def _shift(last: int, first: int, opening: int) -> int | None:
    """Whole hours by which both ends of a weekend are late; None if they do not agree."""
    late = [_around(last - CLOSE_NS + _EARLY_NS // 2), _around(first - opening - _EARLY_NS // 2)]
    hours = [round(ns / HOUR_NS) for ns in late]
    return hours[0] if hours[0] == hours[1] else None


def _around(ns: int) -> int:
    """A difference of week positions as the nearer way round."""
    return (ns + WEEK_NS // 2) % WEEK_NS - WEEK_NS // 2


def _peak(rollover: Sequence[HourSpread]) -> int | None:
    if len(rollover) < 2:
        return None
    usual = statistics.median(hour.median for hour in rollover)
    widest = max(rollover, key=lambda hour: hour.median)  # news widens means, the rollover widens medians
    return widest.hour if widest.median > _PEAK * usual else None


def _at(position: int, shift: int) -> str:
    minutes = ((position + shift * HOUR_NS) % WEEK_NS) // (60 * NS_PER_SECOND)
    day = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[minutes // 1440]
    return f"{day} {minutes % 1440 // 60:02d}:{minutes % 60:02d}"
