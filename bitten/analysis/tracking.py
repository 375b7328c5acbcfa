"""Tracking events: one JSON object per signal, in the keys of the system that bitten replaces.

That system stamped an event seconds after the signal and yet wrote its outcome into it, hours later. Here `timestamp`
and `datetime` are those of the signal, and `opened` and `closed` say when it filled and ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from bitten.analysis.columns import Tables
from bitten.analysis.fates import Fates, signal_fates
from bitten.clock import iso
from bitten.model.dtypes import NS_PER_SECOND

_RESULTS: Final = ("FLAT", "WIN", "LOSS")  # 0, 1 and -1
_ENDINGS: Final = {"end": "OPEN", "rejected": "REJECTED", "expired": "EXPIRED", "": "OPEN"}
_SECONDS_PER_MINUTE: Final = 60


def tracking_events(tables: Tables) -> Iterator[dict[str, Any]]:
    """One event per signal, in the order of the signals.

    Yields:
        `signal_id`, `symbol`, `direction` (BUY, SELL), `pattern_type` (in capitals), `confidence`, `outcome` (WIN,
        LOSS, FLAT; OPEN where the data ended first; REJECTED or EXPIRED where it never filled), `pips_result`,
        `timestamp` (seconds since 1970 UTC, of the signal), `datetime` (the same, ISO 8601), `trade_duration_minutes`,
        and `opened` and `closed` (ns UTC). What there is not is None; what is OPEN has no result and no end.
    """
    fates = signal_fates(tables)
    ids, minutes = fates.ids.to_pylist(), fates.seconds / _SECONDS_PER_MINUTE
    for i in range(fates.size):
        yield _event(fates, i, ids[i], float(minutes[i]))


def _event(fates: Fates, i: int, signal_id: str, minutes: float) -> dict[str, Any]:
    time = int(fates.time[i])
    over = bool(fates.resolved[i])
    return {
        "signal_id": signal_id,
        "symbol": fates.symbols[fates.symbol[i]],
        "direction": "BUY" if fates.side[i] > 0 else "SELL",
        "pattern_type": fates.patterns[fates.pattern[i]].upper(),
        "confidence": _known(fates.confidence[i], 4),
        "outcome": _RESULTS[fates.won[i]] if over else _ENDINGS.get(fates.results[fates.result[i]], "OPEN"),
        "pips_result": _known(fates.pips[i], 4) if over else None,
        "timestamp": round(time / NS_PER_SECOND, 3),
        "datetime": iso(time).replace(" ", "T") + "Z",
        "trade_duration_minutes": _known(minutes, 3),
        "opened": int(fates.opened[i]) or None,
        "closed": (int(fates.closed[i]) or None) if over else None,
    }


def _known(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
