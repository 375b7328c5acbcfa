"""Does a confidence of 80 win 80 times of a hundred? Reliability, Brier score and what it is worth.

Where a calibrator has left its table, the probabilities it gave are judged, each fitted on the past of its signal
alone. Elsewhere the raw confidence divided by 100 is, which claims to be no probability: how far it is from one is what
the figures tell.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from bitten.analysis.columns import Tables
from bitten.analysis.fates import Fates
from bitten.analysis.intervals import wilson_bounds
from bitten.analysis.measures import finite
from bitten.arrow import to_numpy
from bitten.model.dtypes import Floats, Ints

_MOST_BINS: Final = 10
_LEAST_IN_BIN: Final = 20


def calibration_figures(tables: Tables, fates: Fates) -> dict[str, Any]:
    """Sample size, Brier score with its parts, skill and bins; keys documented in docs/run-folder.md.

    Args:
        tables: of the run; `calibration` is looked at if it is there.
        fates: of the signals of the same tables.
    """
    found = _calibrated(tables)
    if found is not None:
        forecast, won, raw = found
        return {"calibrated": True, **score(forecast, won), "brier_raw": finite(float(np.mean((raw - won) ** 2)))}
    judged = (fates.won != 0) & np.isfinite(fates.confidence)
    figures = score(fates.confidence[judged] / 100, (fates.won[judged] > 0).astype(np.float64))
    return {"calibrated": False, **figures, "brier_raw": figures["brier"]}


def score(forecast: Floats, won: Floats) -> dict[str, Any]:
    """Judge forecasts by what came of them (Brier 1950; the three parts after Murphy 1973, over the bins).

    Args:
        forecast: of a win, 0 to 1, shape (n,).
        won: 1 or 0, shape (n,).
    """
    if not forecast.size:
        keys = ("base_rate", "mean_forecast", "brier", "brier_base", "skill", "reliability", "resolution")
        return {"signals": 0, **dict.fromkeys(keys), "bins": []}
    base = float(won.mean())
    brier, uncertainty = float(np.mean((forecast - won) ** 2)), base * (1 - base)
    bins = _bins(forecast)
    size = np.bincount(bins).astype(np.int64)
    wins = np.bincount(bins, won)
    said, came = np.bincount(bins, forecast) / size, wins / size
    low, high = wilson_bounds(wins.astype(np.int64), size)
    return {
        "signals": int(forecast.size),
        "base_rate": base,
        "mean_forecast": float(forecast.mean()),
        "brier": brier,
        "brier_base": uncertainty,
        "skill": finite(1 - brier / uncertainty) if uncertainty > 0 else None,
        "reliability": float(np.sum(size * (said - came) ** 2) / forecast.size),
        "resolution": float(np.sum(size * (came - base) ** 2) / forecast.size),
        "bins": [
            {
                "low": float(forecast[bins == i].min()),
                "high": float(forecast[bins == i].max()),
                "signals": int(size[i]),
                "forecast": float(said[i]),
                "observed": float(came[i]),
                "observed_low": float(low[i]),
                "observed_high": float(high[i]),
            }
            for i in range(size.size)
        ],
    }


def _bins(forecast: Floats) -> Ints:
    """Up to ten bins of about equally many forecasts, at least 20 each where there are that many; equal forecasts
    share one. Codes from 0 in ascending order, shape (n,).
    """
    wanted = int(np.clip(forecast.size // _LEAST_IN_BIN, 1, _MOST_BINS))
    _, where, counts = np.unique(forecast, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2  # of each value's ranks: ties fall into one bin
    codes = np.minimum((middle * wanted / forecast.size).astype(np.int64), wanted - 1)
    _, codes = np.unique(codes, return_inverse=True)
    bins: Ints = codes[where]
    return bins


def _calibrated(tables: Tables) -> tuple[Floats, Floats, Floats] | None:
    """(probability, won, raw confidence / 100) of the calibrator's table where the first two are known; None where
    there are none.
    """
    if "calibration" not in tables:
        return None
    source = tables["calibration"]
    probability, won, raw = (_numbers(source, name) for name in ("probability", "won", "raw"))
    known = np.isfinite(probability) & np.isfinite(won)
    return (probability[known], won[known], raw[known] / 100) if known.any() else None


def _numbers(source: pa.Table, name: str) -> Floats:
    """A column of numbers or of yes and no as floats, null as NaN, shape (n,)."""
    if name not in source.column_names or pa.types.is_null(source.schema.field(name).type):
        return np.full(source.num_rows, np.nan)
    values, known = to_numpy(source[name])
    numbers = np.asarray(values, np.float64)
    return numbers if known is None else np.where(known, numbers, np.nan)
