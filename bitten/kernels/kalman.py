"""A Kalman filter that advances by one observation: the local linear trend (Harvey 1989; Durbin & Koopman 2012).

State x = (level, slope), F = [[1, 1], [0, 1]], H = [1, 0], observation noise R = 1 (only the ratios to Q matter).
Every operation is odd-symmetric in the level and the slope: mirrored prices give exactly mirrored estimates.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel

TREND: Final = np.dtype(
    [
        ("level", np.float64),
        ("slope", np.float64),  # per bar
        ("level_variance", np.float64),
        ("covariance", np.float64),
        ("slope_variance", np.float64),
    ]
)


@kernel
def trend_start(trend: Record, level: float, variance: float, slope_variance: float) -> None:
    """Begin at a level with slope zero; a filter must be started before its first step."""
    trend["level"] = level
    trend["slope"] = 0.0
    trend["level_variance"] = variance
    trend["covariance"] = 0.0
    trend["slope_variance"] = slope_variance


@kernel
def trend_predict(trend: Record, level_noise: float, slope_noise: float) -> None:
    """Move one bar on, with Q = diag(level_noise, slope_noise)."""
    trend["level"] += trend["slope"]
    trend["level_variance"] += 2.0 * trend["covariance"] + trend["slope_variance"] + level_noise
    trend["covariance"] += trend["slope_variance"]
    trend["slope_variance"] += slope_noise


@kernel
def trend_predict_over(trend: Record, time: float, level_noise: float, slope_noise: float) -> None:
    """Move on by any time, with F = [[1, time], [0, 1]] and Q = time diag(level_noise, slope_noise)."""
    carried = time * trend["slope_variance"]
    trend["level"] += time * trend["slope"]
    trend["level_variance"] += time * (2.0 * trend["covariance"] + carried + level_noise)
    trend["covariance"] += carried
    trend["slope_variance"] += time * slope_noise


@kernel
def trend_update(trend: Record, surprise: float) -> None:
    """Take in an observation that differs from the predicted level by `surprise`."""
    total = trend["level_variance"] + 1.0
    level_gain = trend["level_variance"] / total
    slope_gain = trend["covariance"] / total
    trend["level"] += level_gain * surprise
    trend["slope"] += slope_gain * surprise
    trend["slope_variance"] -= slope_gain * trend["covariance"]
    trend["covariance"] -= level_gain * trend["covariance"]
    trend["level_variance"] -= level_gain * trend["level_variance"]
