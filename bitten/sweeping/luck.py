"""How much of the best result luck alone would explain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, stdev
from typing import Final

from bitten.analysis.figures import minus

_EULER: Final = 0.5772156649015329  # the Euler-Mascheroni constant


def expected_best(spread: float, trials: int) -> float:
    """The expected highest Sharpe ratio of `trials` independent strategies that have no edge.

    `spread · ((1 − γ) · Φ⁻¹(1 − 1/N) + γ · Φ⁻¹(1 − 1/(N·e)))`, γ the Euler-Mascheroni constant (Bailey and López de
    Prado, "The deflated Sharpe ratio", Journal of Portfolio Management 40(5), 2014, equation 1 with mean 0).

    Args:
        spread: standard deviation of the Sharpe ratios over the trials; the result has its unit.
        trials: N, at least 2.
    """
    quantile = NormalDist().inv_cdf
    return spread * ((1 - _EULER) * quantile(1 - 1 / trials) + _EULER * quantile(1 - 1 / (trials * math.e)))


def selection_notes(combinations: int, sharpes: Sequence[float | None]) -> list[str]:
    """What a reader must know before believing the best of many combinations.

    Args:
        combinations: how many were tried.
        sharpes: their annualised Sharpe ratios, None where undefined.
    """
    if combinations < 2:
        return []
    notes = [
        f"Selection bias: the best of {combinations:,} combinations looks better than it is, because it was chosen for "
        "its luck as well. Test it on quotes that the sweep has not seen."
    ]
    known = [sharpe for sharpe in sharpes if sharpe is not None]
    if len(known) > 1 and (spread := stdev(known)) > 0:
        by_luck, best = (minus(f"{value:.2f}") for value in (expected_best(spread, len(known)), max(known)))
        notes.append(
            f"With no edge in any of them, {len(known):,} independent combinations whose Sharpe ratios spread as these "
            f"do ({spread:.2f}) would give a best Sharpe of about {by_luck} by luck alone; the best here has {best} "
            "(benchmark of the deflated Sharpe ratio, Bailey and López de Prado 2014; neighbours in a grid are alike, "
            "so fewer are independent and the benchmark is on the high side)."
        )
    return notes
