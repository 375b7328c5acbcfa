"""Signals with their fates as columns: what every question about signals begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bitten.analysis.columns import Tables, floats, nanoseconds, table, words
from bitten.arrow import from_numpy, one_chunk, to_numpy
from bitten.model.dtypes import NS_PER_SECOND, Bools, Floats, Ints

UNRESOLVED: Final = ("end", "rejected", "expired", "")
"""Results that are no result: cut off by the end of the data, or never filled."""


@dataclass(frozen=True, slots=True)
class Fates:
    """One row per signal, in the order of the signals table; all columns of shape (n,)."""

    ids: pa.Array
    time: Ints  # of the decision, ns UTC
    pattern: Ints  # codes into `patterns`
    patterns: list[str]
    symbol: Ints
    symbols: list[str]
    side: Ints  # 1 buy, -1 sell
    confidence: Floats
    result: Ints  # codes into `results`; "" where no outcome is known
    results: list[str]
    fired: Bools
    resolved: Bools  # it ended at its own stop, target or time stop
    won: Ints  # 1 won, -1 lost, 0 neither or not resolved
    r: Floats  # NaN where not resolved or without a stop
    pips: Floats  # NaN where it was never filled
    opened: Ints  # ns UTC; 0 where it was never filled
    closed: Ints  # ns UTC; 0 where no outcome is known

    @property
    def size(self) -> int:
        """Number of signals."""
        return self.time.size

    @property
    def seconds(self) -> Floats:
        """From fill to end; NaN where not resolved."""
        return np.where(self.resolved, (self.closed - self.opened) / NS_PER_SECOND, np.nan)


def signal_fates(tables: Tables) -> Fates:
    """Join signals and outcomes. A signal without an outcome is there and not resolved."""
    signals, outcomes = table(tables, "signals"), table(tables, "outcomes")
    ids = one_chunk(signals["signal_id"])
    at, known = positions(ids, outcomes["signal_id"])
    rows = outcomes.drop_columns(["signal_id", "symbol", "pattern", "side"]).take(from_numpy(at, known=known))
    pattern, patterns = words(signals, "pattern")
    symbol, symbols = words(signals, "symbol")
    side, sides = words(signals, "side")
    result, results = words(rows, "result")
    ended = np.array([word not in UNRESOLVED for word in results], np.bool_)[result]
    r, pips = floats(rows, "r"), floats(rows, "pips")
    made = np.where(np.isfinite(r), r, pips)
    resolved = ended & np.isfinite(made)
    return Fates(
        ids=ids,
        time=nanoseconds(signals, "time"),
        pattern=pattern,
        patterns=patterns,
        symbol=symbol,
        symbols=symbols,
        side=np.array([1 if word == "buy" else -1 for word in sides], np.int64)[side],
        confidence=floats(signals, "confidence"),
        result=result,
        results=results,
        fired=flags(rows, "fired"),
        resolved=resolved,
        won=np.sign(np.where(resolved, made, 0.0)).astype(np.int64),
        r=np.where(resolved, r, np.nan),
        pips=pips,
        opened=nanoseconds(rows, "open_time"),
        closed=nanoseconds(rows, "close_time"),
    )


def positions(wanted: Any, among: Any) -> tuple[Ints, Bools]:
    """Where texts stand first among others, and whether they do; both of shape (n,), 0 where they do not.

    Args:
        wanted: Arrow strings, shape (n,).
        among: Arrow strings.
    """
    found = pc.index_in(one_chunk(wanted), value_set=one_chunk(among))
    at, known = to_numpy(found)
    if known is None:
        known = np.ones(at.size, np.bool_)
    return np.where(known, at, 0).astype(np.int64), known


def flags(source: pa.Table, name: str) -> Bools:
    """A column of yes and no, shape (n,); null becomes no."""
    values, known = to_numpy(source[name])
    yes: Bools = values if known is None else values & known
    return yes
