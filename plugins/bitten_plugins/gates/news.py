"""High-impact economic releases around an instant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from bitten.model.dtypes import NS_PER_MINUTE, Ints
from bitten.store.calendar import read_events

EVERYWHERE: Final = "ALL"
"""Stands for a currency where a release concerns them all."""


class Releases:
    """When something of high impact is released.

    Args:
        releases: (ns UTC, currency), in any order.
    """

    def __init__(self, releases: Iterable[tuple[int, str]]) -> None:
        by_currency: dict[str, list[int]] = {}
        for time, currency in releases:
            by_currency.setdefault(currency, []).append(time)
        self._times: dict[str, Ints] = {one: np.sort(np.array(times, np.int64)) for one, times in by_currency.items()}

    def minutes_since(self, currencies: Iterable[str], time: int, before: float, after: float) -> float | None:
        """Minutes since a release of these currencies whose window an instant lies in, negative ahead of it; else None.

        A release's window reaches from `before` minutes ahead of it to `after` minutes behind it, ends included.
        """
        nearest: float | None = None
        for currency in (*currencies, EVERYWHERE):
            times = self._times.get(currency)
            if times is None:
                continue
            i = int(times.searchsorted(time, "right"))
            for release in times[max(0, i - 1) : i + 1].tolist():
                minutes = (time - release) / NS_PER_MINUTE
                if -before <= minutes <= after and (nearest is None or abs(minutes) < abs(nearest)):
                    nearest = minutes
        return nearest


def read_releases(path: Path) -> Releases:
    """The high-impact releases of a stored calendar.

    Raises:
        BittenError: there is none, or it cannot be read: a news window must not silently be none.
    """
    return Releases((event.time, event.currency) for event in read_events(path) if event.impact == "high")
