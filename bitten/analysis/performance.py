"""How patterns did over all their signals, fired or not: by pattern, symbol, session and confidence.

A win is an outcome in favour, a loss one against; what the end of the data cut off, and what never filled, is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from bitten.analysis.columns import Tables
from bitten.analysis.fates import Fates, signal_fates
from bitten.analysis.intervals import mean_interval, wilson_bounds
from bitten.analysis.measures import finite
from bitten.arrow import from_numpy, from_texts
from bitten.journal.schema import WORD
from bitten.model.dtypes import Floats, Ints
from bitten.sessions import SESSIONS, session_of

DECILES: Final = 10

PERFORMANCE: Final = pa.schema(
    [
        ("pattern", WORD),
        ("symbol", WORD),
        ("session", WORD),  # london, new_york, overlap, tokyo, other: at the signal
        ("decile", pa.int64()),  # of confidence: 8 is 80 to below 90, 9 is 90 to 100
        ("signals", pa.int64()),
        ("fired", pa.int64()),
        ("resolved", pa.int64()),
        ("wins", pa.int64()),
        ("losses", pa.int64()),
        ("win_rate", pa.float64()),
        ("win_rate_low", pa.float64()),
        ("win_rate_high", pa.float64()),
        ("mean_r", pa.float64()),
        ("mean_r_low", pa.float64()),
        ("mean_r_high", pa.float64()),
        ("mean_pips", pa.float64()),
        ("average_duration", pa.float64()),  # seconds from fill to end, of the resolved
    ]
)


class Group(NamedTuple):
    """A way to sort signals into groups."""

    name: str
    codes: Ints  # of each signal, shape (n,)
    keys: Sequence[Any]  # what the codes mean


def by_pattern(fates: Fates) -> Group:
    """Signals by pattern."""
    return Group("pattern", fates.pattern, fates.patterns)


def by_symbol(fates: Fates) -> Group:
    """Signals by symbol."""
    return Group("symbol", fates.symbol, fates.symbols)


def by_session(fates: Fates) -> Group:
    """Signals by the session in which they came."""
    return Group("session", session_of(fates.time), SESSIONS)


def by_decile(fates: Fates) -> Group:
    """Signals by tenths of confidence; 100 belongs to the last."""
    tenth = np.floor(np.nan_to_num(fates.confidence) / (100 / DECILES))
    return Group("decile", np.clip(tenth, 0, DECILES - 1).astype(np.int64), range(DECILES))


def performance_rows(fates: Fates, *groups: Group) -> list[dict[str, Any]]:
    """One dict per combination of groups that has signals; keys documented in docs/run-folder.md."""
    cells, columns = _columns(fates, groups)
    listed = {
        name: values.tolist() if values.dtype.kind == "i" else [finite(value) for value in values.tolist()]
        for name, values in columns.items()
    }
    places = np.unravel_index(cells, [len(group.keys) for group in groups])
    names = {group.name: [group.keys[code] for code in at.tolist()] for group, at in zip(groups, places, strict=True)}
    return [
        {**{name: values[i] for name, values in names.items()}, **{name: values[i] for name, values in listed.items()}}
        for i in range(cells.size)
    ]


def performance_table(tables: Tables) -> pa.Table:
    """The run folder's performance.parquet: a row per pattern, symbol, session and tenth of confidence."""
    fates = signal_fates(tables)
    groups = [by_pattern(fates), by_symbol(fates), by_session(fates), by_decile(fates)]
    cells, columns = _columns(fates, groups)
    *places, decile = np.unravel_index(cells, [len(group.keys) for group in groups])
    arrays = [_words(at, group.keys) for group, at in zip(groups, places, strict=False)]
    arrays.append(from_numpy(np.ascontiguousarray(decile, np.int64)))
    for name in PERFORMANCE.names[len(groups) :]:
        values = columns[name]
        arrays.append(from_numpy(values, known=None if values.dtype.kind == "i" else np.isfinite(values)))
    return pa.Table.from_arrays(arrays, schema=PERFORMANCE)


def _words(codes: Ints, keys: Sequence[str]) -> pa.DictionaryArray:
    """A column of words that holds those that occur, sorted, so that equal rows are equal bytes."""
    used = sorted({keys[code] for code in np.unique(codes).tolist()})
    rank = np.array([used.index(key) if key in used else 0 for key in keys], np.int32)
    return pa.DictionaryArray.from_arrays(from_numpy(rank[codes] if codes.size else rank[:0]), from_texts(used))


def _columns(fates: Fates, groups: Sequence[Group]) -> tuple[Ints, dict[str, Any]]:
    """The combinations that have signals, as flat indices in ascending order, and their figures."""
    shape = [max(1, len(group.keys)) for group in groups]
    if not fates.size:
        return np.zeros(0, np.int64), _figures(fates, np.zeros(0, np.int64), 0)
    flat = np.ravel_multi_index([group.codes for group in groups], shape)
    cells, where = np.unique(flat, return_inverse=True)
    return cells.astype(np.int64), _figures(fates, where, cells.size)


def _figures(fates: Fates, where: Ints, size: int) -> dict[str, Any]:
    def counted(flags: Any) -> Ints:
        return np.bincount(where[flags], minlength=size).astype(np.int64)

    def total(values: Floats) -> Floats:
        return np.bincount(where, np.nan_to_num(values), size).astype(np.float64)

    resolved, wins, with_r = counted(fates.resolved), counted(fates.won > 0), counted(np.isfinite(fates.r))
    mean, low, high = mean_interval(with_r, total(fates.r), total(fates.r**2))
    least, most = wilson_bounds(wins, resolved)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = wins / resolved
        pips = total(np.where(fates.resolved, fates.pips, 0.0)) / resolved
        seconds = total(fates.seconds) / resolved
    return {
        "signals": np.bincount(where, minlength=size).astype(np.int64),
        "fired": counted(fates.fired),
        "resolved": resolved,
        "wins": wins,
        "losses": counted(fates.won < 0),
        "win_rate": share,
        "win_rate_low": least,
        "win_rate_high": most,
        "mean_r": mean,
        "mean_r_low": low,
        "mean_r_high": high,
        "mean_pips": pips,
        "average_duration": seconds,
    }
