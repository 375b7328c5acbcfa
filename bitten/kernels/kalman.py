"""A Kalman filter that advances by one observation: the local linear trend (Harvey 1989; Durbin & Koopman 2012).

State x = (level, slope), F = [[1, 1], [0, 1]], H = [1, 0], observation noise R = 1 (only the ratios to Q matter).
Every operation is odd-symmetric in the level and the slope: mirrored prices give exactly mirrored estimates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Floats


class Trend(NamedTuple):
    """A Kalman filter of a local linear trend with observation noise 1."""

    state: Floats  # (2,) level, and slope per bar
    covariance: Floats  # (3,) of level, of level and slope, of slope


def new_trend() -> Trend:
    """A filter that `trend_start` must place before its first step."""
    return Trend(np.zeros(2), np.zeros(3))


@kernel
def trend_start(trend: Trend, level: float, variance: float, slope_variance: float) -> None:
    """Begin at a level with slope zero."""
    trend.state[0] = level
    trend.state[1] = 0.0
    trend.covariance[0] = variance
    trend.covariance[1] = 0.0
    trend.covariance[2] = slope_variance


@kernel
def trend_predict(trend: Trend, level_noise: float, slope_noise: float) -> None:
    """Move one bar on: F = [[1, 1], [0, 1]], Q = diag(level_noise, slope_noise)."""
    trend.state[0] += trend.state[1]
    trend.covariance[0] += 2.0 * trend.covariance[1] + trend.covariance[2] + level_noise
    trend.covariance[1] += trend.covariance[2]
    trend.covariance[2] += slope_noise


@kernel
def trend_update(trend: Trend, surprise: float) -> None:
    """Take in an observation that differs from the predicted level by `surprise`."""
    total = trend.covariance[0] + 1.0
    level_gain = trend.covariance[0] / total
    slope_gain = trend.covariance[1] / total
    trend.state[0] += level_gain * surprise
    trend.state[1] += slope_gain * surprise
    trend.covariance[2] -= slope_gain * trend.covariance[1]
    trend.covariance[1] -= level_gain * trend.covariance[1]
    trend.covariance[0] -= level_gain * trend.covariance[0]
