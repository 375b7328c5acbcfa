"""From raw confidence to the share of signals that won: isotonic and beta calibration, by scikit-learn.

Isotonic regression: the best step function that never falls (Zadrozny & Elkan 2002). Beta calibration: a logistic
regression on ln p and -ln(1 - p) whose slopes are not negative, a smooth curve of three parameters that needs less
data (Kull, Silva Filho & Flach 2017).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np

from bitten.errors import BittenError
from bitten.model.dtypes import Floats

_EDGE: Final = 1e-3  # confidences of 0 and 100 have no logarithm
_WEAK: Final = 1e6  # inverse strength of the regression's penalty: next to none


class Curve(Protocol):
    """A fitted calibration."""

    def __call__(self, raw: float) -> float:
        """The probability of winning at a raw confidence (0 to 100)."""


def require_sklearn(name: str) -> None:
    """Raise where scikit-learn is not installed.

    Raises:
        BittenError: with the command that installs it.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise BittenError(f"{name} takes scikit-learn, which is not installed: pip install 'bitten[research]'")


class Isotonic:
    """A step function between the knots of an isotonic regression, linear between them.

    Args:
        raw: confidences, 0 to 100, shape (n,).
        won: 1 for won, 0 for lost, shape (n,).
    """

    def __init__(self, raw: Floats, won: Floats) -> None:
        from sklearn.isotonic import IsotonicRegression

        model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, won)
        self._raw: Floats = model.X_thresholds_
        self._share: Floats = model.y_thresholds_

    def __call__(self, raw: float) -> float:
        """The probability of winning at a raw confidence (0 to 100)."""
        return float(np.interp(raw, self._raw, self._share))


class Beta:
    """p / (1 - p) = exp(c) s^a / (1 - s)^b of the confidence as a share s, with a and b not negative.

    Args:
        raw: confidences, 0 to 100, shape (n,).
        won: 1 for won, 0 for lost, shape (n,).
    """

    def __init__(self, raw: Floats, won: Floats) -> None:
        self._slopes: Floats = np.zeros(2)
        share = float(won.mean())
        self._constant = float(np.log(np.clip(share, _EDGE, 1 - _EDGE) / (1 - np.clip(share, _EDGE, 1 - _EDGE))))
        if share in (0.0, 1.0):
            return
        features = _features(raw)
        for used in ([0, 1], [0], [1]):  # a slope below zero is left out, as its authors do
            slopes, constant = _logistic(features[:, used], won)
            if (slopes >= 0.0).all():
                self._slopes[used], self._constant = slopes, constant
                return

    def __call__(self, raw: float) -> float:
        """The probability of winning at a raw confidence (0 to 100)."""
        return float(1.0 / (1.0 + np.exp(-(_features(np.array([raw]))[0] @ self._slopes + self._constant))))


def _features(raw: Floats) -> Floats:
    share = np.clip(raw / 100.0, _EDGE, 1.0 - _EDGE)
    return np.column_stack([np.log(share), -np.log1p(-share)])


def _logistic(features: Floats, won: Floats) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_WEAK, max_iter=1000).fit(features, won.astype(np.int64))
    return model.coef_[0], float(model.intercept_[0])


METHODS: Final[Mapping[str, Callable[[Floats, Floats], Curve]]] = {"isotonic": Isotonic, "beta": Beta}
