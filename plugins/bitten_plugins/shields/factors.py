"""The arithmetic of the protection score: seven factors from 0 to 1, what each costs, and the caps.

    score = 10 - sum of weight x (1 - factor), at least 1
    at most 4 where a factor is 0, at most 6 where one is 0.25 or less

A factor that could not be measured, or whose weight is 0, costs nothing and caps nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from bitten_plugins.shields.sessions import ASIAN, FRIDAY_LATE, IN_LONDON, IN_NEW_YORK, IN_TOKYO, OVERLAP, QUIET
from bitten_plugins.shields.sessions import SUNDAY_OPEN as FIRST_HOUR

NAMES: Final = ("sweep", "spread", "volatility", "session", "news", "drift", "quotes")

LOWEST, HIGHEST = 1.0, 10.0
BROKEN, WEAK, BROKEN_CAP, WEAK_CAP = 0.0, 0.25, 4.0, 6.0

SWEPT_FOR, SWEPT_AGAINST, POOL_AHEAD, NO_SWEEP = 2, -2, -1, 0
"""What liquidity says: a sweep in the trade's direction, one against it, an untouched pool before the stop, nothing."""

_SWEEPS: Final = {SWEPT_FOR: 1.0, SWEPT_AGAINST: 0.0, POOL_AHEAD: 0.3, NO_SWEEP: 0.6}
_SESSIONS: Final = {OVERLAP: 1.0, IN_LONDON: 0.85, IN_NEW_YORK: 0.85, QUIET: 0.35, FRIDAY_LATE: 0.2, FIRST_HOUR: 0.1}
_TOKYO, _TOKYO_ELSEWHERE = 0.8, 0.5

LABELS: Final = ((8, "shielded"), (6, "guarded"), (4, "exposed"), (1, "stand down"))


def ramp(value: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on, linear between."""
    way = (value - start) / (end - start)
    return 0.0 if way < 0.0 else 1.0 if way > 1.0 else way


def sweep_factor(kind: int) -> float:
    """Of what liquidity says."""
    return _SWEEPS[kind]


def spread_factor(ratio: float, of_atr: float | None) -> float:
    """Of the spread in usual spreads, and in ATR where there is one."""
    usual = 1.0 - ramp(ratio, 1.25, 4.0)
    return usual if of_atr is None else min(usual, 1.0 - ramp(of_atr, 0.15, 0.5))


def volatility_factor(ratio: float, last: float) -> float:
    """Of the mean true range of 5 bars over that of 50, and of the last true range in ATR."""
    return 0.0 if last > 4.0 else min(ramp(ratio, 0.3, 0.6), 1.0 - ramp(ratio, 1.4, 3.0))


def session_factor(code: int, base: str, quote: str) -> float:
    """Of the session; Tokyo is worth more for the currencies that are at home there."""
    if code == IN_TOKYO:
        return _TOKYO if base in ASIAN or quote in ASIAN else _TOKYO_ELSEWHERE
    return _SESSIONS.get(code, 0.0)


def drift_factor(favourable: float, adverse: float) -> float:
    """Of the way that price has gone since the signal: towards the target in target distances, else in R."""
    return 1.0 - ramp(max(favourable, adverse) / 0.5, 0.3, 1.0)


def quotes_factor(age: float, crossed: float, backward: int) -> float:
    """Of the last quote's age in seconds, the share of crossed quotes, and the number of steps back in time."""
    fresh = 1.0 - ramp(age, 5.0, 30.0)
    return 0.5 * fresh if crossed > 0.01 or backward > 0 else fresh


def protection(factors: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The score, 1 to 10, of the factors that could be measured."""
    costs, worst = [], 1.0
    for name, factor in factors.items():
        weight = weights[name]
        if weight > 0.0:
            costs.append(weight * (1.0 - factor))
            if factor < worst:
                worst = factor
    score = HIGHEST - math.fsum(costs)
    cap = BROKEN_CAP if worst <= BROKEN else WEAK_CAP if worst <= WEAK else HIGHEST
    return min(max(score, LOWEST), cap)


def displayed(score: float) -> int:
    """The whole number that people see."""
    return math.floor(score + 0.5)


def label(score: float) -> str:
    """What the displayed score means."""
    shown = displayed(score)
    return next(text for least, text in LABELS if shown >= least)
