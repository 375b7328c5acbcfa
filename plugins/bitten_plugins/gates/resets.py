"""When an account's day starts: a time of day on some clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.clock import check_clock, to_utc, utc_offset_ns
from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MINUTE

_DAY: Final = 1440 * NS_PER_MINUTE
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")


@dataclass(frozen=True, slots=True)
class Resets:
    """Every day at `time` ("17:00") of a clock ("America/New_York"), summer and winter.

    Raises:
        ValueError: one of the two is none.
    """

    time: str
    zone: str

    def __post_init__(self) -> None:
        if not _TIME.match(self.time):
            raise ValueError(f'reset is "{self.time}": expected a time of day as "17:00"')
        try:
            check_clock(self.zone)
        except DataError as error:
            raise ValueError(f"zone: {error}") from error

    def next(self, after: int) -> int:
        """The first reset later than an instant, ns UTC."""
        of_day = (int(self.time[:2]) * 60 + int(self.time[3:])) * NS_PER_MINUTE
        today = (after + utc_offset_ns(self.zone, after)) // _DAY
        for day in (today - 1, today, today + 1):  # clocks that change may move it over a midnight
            local = np.array([day * _DAY + of_day], np.int64)
            reset = int(to_utc(local, self.zone)[0])
            if reset > after:
                return reset
        return reset + _DAY
