"""Win rates of the last hours by pattern, in the shape in which the web application asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from bitten.analysis.columns import Tables
from bitten.analysis.fates import signal_fates
from bitten.analysis.figures import counted
from bitten.analysis.intervals import wilson_bounds
from bitten.model.dtypes import NS_PER_MINUTE, Ints

ENOUGH: Final = 20
"""Resolved signals below which a win rate is neither named nor acted upon."""

_WEAK: Final = 0.40  # a win rate that surely lies below is what elimination looks for
_LABELS: Final = ((92.0, "top"), (66.7, "acceptable"), (0.0, "under review"))
_NS_PER_HOUR: Final = 60 * NS_PER_MINUTE


def pattern_analytics(tables: Tables, now_ns: int, hours: int = 6) -> dict[str, Any]:
    """Signals and wins by pattern over the hours before an instant, as they were known at that instant.

    Args:
        tables: signals and outcomes.
        now_ns: ns UTC; outcomes that came later are not looked at.
        hours: how far back; a signal exactly that old is no longer in.

    Returns:
        `timeframe` ("6h"), `total_signals`, `patterns` (by name in capitals: `signals`, `wins`, and `wr`, wins in
        per cent of the signals that are resolved, one decimal, None for none) and `recommendation`, one sentence.
    """
    fates = signal_fates(tables)
    seen = (fates.time > now_ns - hours * _NS_PER_HOUR) & (fates.time <= now_ns)
    done = seen & (fates.closed <= now_ns)
    size = len(fates.patterns)
    signals = np.bincount(fates.pattern[seen], minlength=size)
    resolved = np.bincount(fates.pattern[done & fates.resolved], minlength=size)
    wins = np.bincount(fates.pattern[done & (fates.won > 0)], minlength=size)
    names = [name.upper() for name in fates.patterns]
    patterns = {
        names[i]: {
            "signals": int(signals[i]),
            "wins": int(wins[i]),
            "wr": round(100 * int(wins[i]) / int(resolved[i]), 1) if resolved[i] else None,
        }
        for i in np.flatnonzero(signals).tolist()
    }
    counts = {names[i]: (int(wins[i]), int(resolved[i])) for i in np.flatnonzero(signals).tolist()}
    return {
        "timeframe": f"{hours}h",
        "total_signals": int(signals.sum()),
        "patterns": patterns,
        "recommendation": _recommendation(counts),
    }


def win_rate_label(wins: int, resolved: int) -> str | None:
    """`top` from 92 % on, `acceptable` from 66.7 %, else `under review`; None for fewer than 20 resolved signals."""
    if resolved < ENOUGH:
        return None
    share = round(100 * wins / resolved, 1)
    return next(word for least, word in _LABELS if share >= least)


def _recommendation(counts: Mapping[str, tuple[int, int]]) -> str:
    """What the intervals support; that they support nothing is said, too."""
    enough = {name: pair for name, pair in counts.items() if pair[1] >= ENOUGH}
    if not enough:
        most = max((resolved for _, resolved in counts.values()), default=0)
        return (
            f"None: at least {ENOUGH} resolved signals of a pattern are needed, there are at most {most}."
            if counts
            else "None: there were no signals."
        )
    low, high = wilson_bounds(*(_column(enough, k) for k in (0, 1)))
    parts = [
        f"Review {name}: {_told(*enough[name], float(low[i]), float(high[i]))}, below {_WEAK * 100:.0f} %."
        for i, name in enumerate(enough)
        if high[i] < _WEAK
    ]
    for i, (name, (wins, resolved)) in enumerate(enough.items()):
        rest_wins = sum(pair[0] for other, pair in counts.items() if other != name)
        rest = sum(pair[1] for other, pair in counts.items() if other != name)
        if rest >= ENOUGH and low[i] > wilson_bounds(np.array([rest_wins]), np.array([rest]))[1][0]:
            told = _told(wins, resolved, float(low[i]), float(high[i]))
            parts.append(f"Favour {name}: {told}, above the {rest_wins} of {rest} of all others.")
    return " ".join(parts) or "None: no pattern differs from the others by more than chance allows."


def _column(counts: Mapping[str, tuple[int, int]], k: int) -> Ints:
    return np.array([pair[k] for pair in counts.values()], np.int64)


def _told(wins: int, resolved: int, low: float, high: float) -> str:
    """`26 of 30 won (87 %, 70 to 95 %, top)`."""
    label = win_rate_label(wins, resolved)
    share = f"{100 * wins / resolved:.0f} %, {100 * low:.0f} to {100 * high:.0f} %"
    return f"{wins} of {counted(resolved, 'signal')} won ({share}{f', {label}' if label else ''})"
