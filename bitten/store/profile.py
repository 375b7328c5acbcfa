"""What a stretch of quotes looks like by hour and by day, gathered block by block in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.model.dtypes import NS_PER_SECOND, Ints
from bitten.store.tradingweek import WEEK_NS, new_york_week

HOUR_NS: Final = 3600 * NS_PER_SECOND
DAY_NS: Final = 24 * HOUR_NS
_WIDEST: Final = 16_383  # points; wider spreads count as this one in quantiles


@dataclass(frozen=True, slots=True)
class HourSpread:
    """Spreads of one hour of the day, in points."""

    hour: int
    quotes: int
    mean: float
    median: int
    p95: int
    widest: int


class SpreadProfile:
    """Spreads by hour of the day: exact quantiles up to 16,383 points."""

    def __init__(self) -> None:
        self._counts = np.zeros((24, _WIDEST + 1), np.int64)
        self._sums = np.zeros(24, np.int64)
        self._widest = np.zeros(24, np.int64)

    def add(self, hours: Ints, spreads: Ints) -> None:
        """Count spreads (points) by their hours (0 to 23)."""
        clipped = np.minimum(spreads, _WIDEST)
        flat = np.bincount(hours * (_WIDEST + 1) + clipped, minlength=self._counts.size)
        self._counts += flat.reshape(self._counts.shape)
        self._sums += np.bincount(hours, weights=spreads, minlength=24).astype(np.int64)
        np.maximum.at(self._widest, hours, spreads)

    def hours(self) -> list[HourSpread]:
        """The hours that have quotes."""
        found = []
        for hour in np.flatnonzero(self._counts.any(axis=1)).tolist():
            running = self._counts[hour].cumsum()
            quotes = int(running[-1])
            median, p95 = (int(running.searchsorted(share * quotes)) for share in (0.5, 0.95))
            mean = float(self._sums[hour] / quotes)
            found.append(HourSpread(hour, quotes, mean, median, p95, int(self._widest[hour])))
        return found

    def wider_than(self, times: float) -> int:
        """How many spreads are wider than so many times the median of their hour."""
        return sum(
            int(self._counts[hour.hour, min(int(hour.median * times), _WIDEST) + 1 :].sum()) for hour in self.hours()
        )


class DayCounter:
    """Rows by UTC day."""

    def __init__(self) -> None:
        self.days: dict[int, int] = {}  # days since 1970 to rows

    def add(self, time: Ints) -> None:
        """Count rows by their times (ns UTC, sorted)."""
        days, counts = np.unique(time // DAY_NS, return_counts=True)
        for day, count in zip(days.tolist(), counts.tolist(), strict=True):
            self.days[day] = self.days.get(day, 0) + count


def week_positions(time: Ints) -> Ints:
    """Time since Monday 00:00 New York in ns, for many sorted times: New York's clock turns on whole hours of UTC."""
    hours = time // HOUR_NS
    distinct, inverse = np.unique(hours, return_inverse=True)
    positions: Ints = (new_york_week(distinct * HOUR_NS)[inverse] + time - hours * HOUR_NS) % WEEK_NS
    return positions
