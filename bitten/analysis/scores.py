"""How often shields gave which score, and what became of these signals."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from bitten.analysis.columns import Tables, floats, table, words
from bitten.analysis.fates import Fates, positions
from bitten.analysis.intervals import mean_interval
from bitten.analysis.measures import finite
from bitten.model.dtypes import Ints

HIGHEST: Final = 10
_FEW: Final = 2
LABELS: Final = ((8, "shielded"), (6, "guarded"), (4, "exposed"), (1, "stand down"))
"""(lowest whole score, what it is called), best first."""


def label(score: int) -> str:
    """What a whole score is called."""
    return next(word for least, word in LABELS if score >= least)


def score_figures(tables: Tables, fates: Fates) -> dict[str, list[dict[str, Any]]]:
    """By shield, for every whole score that occurs, best first: `score`, `label`, `signals`, `resolved`, `mean_r` with
    its interval. A signal counts with its first score; a shield that knows no more than two scores is left out:
    what it refused tells as much.
    """
    source = table(tables, "scores")
    shield, shields = words(source, "shield")
    signal, known = positions(source["signal_id"], fates.ids)
    # a mission that is answered later has a score of its own: the first stands for the signal
    _, first = np.unique(np.where(known, shield * max(1, fates.size) + signal, -1), return_index=True)
    kept = first[known[first]]
    score = np.clip(np.floor(floats(source, "score")[kept] + 0.5), 1, HIGHEST).astype(np.int64)
    figures = {}
    for i, name in enumerate(shields):
        mine = shield[kept] == i
        if np.unique(score[mine]).size > _FEW:
            figures[name] = _rows(score[mine], signal[kept][mine], fates)
    return figures


def _rows(score: Ints, signal: Ints, fates: Fates) -> list[dict[str, Any]]:
    r = fates.r[signal]
    told, made = np.isfinite(r), np.nan_to_num(r)
    counts = np.bincount(score, minlength=HIGHEST + 1)
    resolved = np.bincount(score[told], minlength=HIGHEST + 1)
    total, squares = (np.bincount(score, values, HIGHEST + 1).astype(np.float64) for values in (made, made**2))
    mean, low, high = mean_interval(resolved, total, squares)
    return [
        {
            "score": i,
            "label": label(i),
            "signals": int(counts[i]),
            "resolved": int(resolved[i]),
            "mean_r": finite(float(mean[i])),
            "mean_r_low": finite(float(low[i])),
            "mean_r_high": finite(float(high[i])),
        }
        for i in range(HIGHEST, 0, -1)
        if counts[i]
    ]
