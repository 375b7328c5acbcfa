"""95 % intervals over columns of groups: of a share (Wilson) and of a mean (Student's t).

Student's t and not a bootstrap: outcomes in R are few and lumpy (−1, +2), and resampling a handful of them gives
intervals that are too narrow, while t is wide where there are few (12.7 deviations for two). It takes signals as
independent of each other; signals that run through the same hours are not, so that the truth is wider still.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from bitten.analysis.measures import Z_95
from bitten.model.dtypes import Floats, Ints

_T_95: Final = np.array(
    [
        12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
        2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963,
        2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272,
    ]
)  # fmt: skip
_NOISE: Final = 1e-9  # a variance below this share of the mean square is rounding


def t_95(freedom: Floats | Ints) -> Floats:
    """Two-sided 95 % quantile of Student's t, for degrees of freedom of shape (n,), rounded down; NaN below 1.

    A table up to 30, beyond it the expansion of Abramowitz and Stegun 26.7.5 (right to 1e-5).
    """
    whole = np.floor(np.asarray(freedom, np.float64))
    known = np.where(whole >= 1, whole, 1.0)
    z = Z_95
    terms = ((z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    far = z + sum(term / known**power for power, term in enumerate(terms, 1))
    near = _T_95[np.minimum(known, _T_95.size).astype(np.int64) - 1]
    return np.where(whole < 1, np.nan, np.where(known <= _T_95.size, near, far))


def mean_interval(count: Floats | Ints, total: Floats, squares: Floats) -> tuple[Floats, Floats, Floats]:
    """(mean, low, high) of groups of shape (n,); the interval is NaN for fewer than two values.

    Where all values of a group are alike, its interval is NaN too: that they never differed so far does not mean that
    they cannot.

    Args:
        count: how many values a group has.
        total: their sum.
        squares: the sum of their squares.
    """
    n = np.asarray(count, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        variance = (squares - n * mean**2) / (n - 1)
        told = (n >= 2) & (variance > _NOISE * squares / n)
        half = t_95(n - 1) * np.sqrt(np.where(told, variance, np.nan) / n)
    return np.where(n > 0, mean, np.nan), mean - half, mean + half


def difference_interval(first: tuple[int, float, float], second: tuple[int, float, float]) -> tuple[float, float]:
    """The interval of the difference of two means, first less second, variances apart (Welch 1947); NaN where either
    has no interval of its own.

    Args:
        first: (count, sum, sum of squares).
        second: likewise.
    """
    parts = []
    for n, total, squares in (first, second):
        if n < 2:
            return math.nan, math.nan
        variance = (squares - total**2 / n) / (n - 1)
        if variance <= _NOISE * squares / n:
            return math.nan, math.nan
        parts.append(variance / n)
    spread = sum(parts)
    freedom = spread**2 / (parts[0] ** 2 / (first[0] - 1) + parts[1] ** 2 / (second[0] - 1))
    half = float(t_95(np.array([freedom]))[0]) * math.sqrt(spread)
    middle = first[1] / first[0] - second[1] / second[0]
    return middle - half, middle + half


def wilson_bounds(wins: Ints, count: Ints) -> tuple[Floats, Floats]:
    """The Wilson score interval of `bitten.analysis.measures.wilson` for groups of shape (n,); NaN for empty ones."""
    n = np.where(count > 0, count, np.nan).astype(np.float64)
    share, z2 = wins / n, Z_95**2
    middle = share + z2 / (2 * n)
    half = Z_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    scale = 1 + z2 / n
    return np.maximum(0.0, (middle - half) / scale), np.minimum(1.0, (middle + half) / scale)
