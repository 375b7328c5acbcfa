"""From the journal's facts and rows to Arrow columns; without `pa.array`, for which see `bitten.arrow`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bitten.arrow import from_numpy, from_texts
from bitten.model.dtypes import NO_PRICE
from bitten.model.facts import Close, Outcome, Signal, side_name
from bitten.model.instrument import Instrument

Columns = Sequence[Sequence[Any]]  # the values of each column, in the schema's order; None is null


def make_batch(cells: Sequence[Any], schema: pa.Schema) -> pa.RecordBatch:
    """Rows as a batch.

    Args:
        cells: the values of the first row in the schema's order, those of the second, and so on; None is null.
        schema: of words, texts, times, floats, ints and bools.
    """
    return batch_of([cells[i :: len(schema)] for i in range(len(schema))], schema)


def batch_of(columns: Columns, schema: pa.Schema) -> pa.RecordBatch:
    """Columns as a batch. Words are sorted, so that equal rows are equal bytes whatever came before them.

    Args:
        columns: equally long.
        schema: of words, texts, times, floats, ints and bools.
    """
    arrays = [_column(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def signal_columns(kept: Sequence[Any]) -> Columns:
    """The columns of signals.parquet.

    Args:
        kept: a signal, its evidence as JSON, the next signal, and so on.
    """
    signals: Sequence[Signal] = kept[::2]
    instruments = [s.instrument for s in signals]
    return [
        [s.id for s in signals],
        [s.pattern for s in signals],
        [one.symbol for one in instruments],
        [s.timeframe for s in signals],
        [side_name(s.side) for s in signals],
        [s.time for s in signals],
        [s.anchor for s in signals],
        _prices(instruments, [s.reference_points for s in signals]),
        _prices(instruments, [s.stop_points for s in signals]),
        _prices(instruments, [s.target_points for s in signals]),
        [s.relative for s in signals],
        [s.confidence for s in signals],
        [s.expiry or None for s in signals],
        [s.atr_points / s.instrument.scale if s.atr_points else None for s in signals],
        kept[1::2],
    ]


def outcome_columns(kept: Sequence[Any]) -> Columns:
    """The columns of outcomes.parquet.

    Args:
        kept: an outcome, whether its signal was fired, the next outcome, and so on.
    """
    outcomes: Sequence[Outcome] = kept[::2]
    signals = [o.signal for o in outcomes]
    instruments = [s.instrument for s in signals]
    filled = [o.open_points != NO_PRICE for o in outcomes]  # nothing is known of the others but how they ended
    pips = [one.pip_points if known else None for one, known in zip(instruments, filled, strict=True)]
    risks = [
        abs(o.open_points - o.stop_points) if known and o.stop_points != NO_PRICE else None
        for o, known in zip(outcomes, filled, strict=True)
    ]
    gains = [s.side * (o.close_points - o.open_points) for s, o in zip(signals, outcomes, strict=True)]
    return [
        [s.id for s in signals],
        [one.symbol for one in instruments],
        [s.pattern for s in signals],
        [side_name(s.side) for s in signals],
        kept[1::2],
        [o.reason for o in outcomes],
        [o.open_time if known else None for o, known in zip(outcomes, filled, strict=True)],
        _prices(instruments, [o.open_points for o in outcomes]),
        [o.close_time for o in outcomes],
        _prices(
            instruments, [o.close_points if known else NO_PRICE for o, known in zip(outcomes, filled, strict=True)]
        ),
        _ratios(gains, pips),
        _ratios(gains, risks),
        _ratios([o.mae_points for o in outcomes], pips),
        _ratios([o.mfe_points for o in outcomes], pips),
    ]


def trade_columns(closes: Sequence[Close]) -> Columns:
    """The columns of trades.parquet."""
    fills = [c.fill for c in closes]
    fires = [f.fire for f in fills]
    signals = [f.signal for f in fires]
    instruments = [s.instrument for s in signals]
    pips = [one.pip_points for one in instruments]
    gains = [s.side * (c.price_points - c.fill.price_points) for s, c in zip(signals, closes, strict=True)]
    return [
        [f.id for f in fires],
        [s.id for s in signals],
        [f.account for f in fires],
        [one.symbol for one in instruments],
        [s.pattern for s in signals],
        [side_name(s.side) for s in signals],
        [f.lots for f in fires],
        [f.time for f in fills],
        _prices(instruments, [f.price_points for f in fills]),
        _prices(instruments, [f.stop_points for f in fills]),
        _prices(instruments, [f.target_points for f in fills]),
        [c.time for c in closes],
        _prices(instruments, [c.price_points for c in closes]),
        [c.reason for c in closes],
        _ratios(gains, pips),
        [c.gross for c in closes],
        [c.commission for c in closes],
        [c.swap for c in closes],
        [c.profit for c in closes],
        _ratios([c.mae_points for c in closes], pips),
        _ratios([c.mfe_points for c in closes], pips),
    ]


def _prices(instruments: Sequence[Instrument], points: Sequence[int]) -> list[float | None]:
    """Decimal prices; None where there is none."""
    return [None if n == NO_PRICE else one.price(n) for one, n in zip(instruments, points, strict=True)]


def _ratios(points: Sequence[int], sizes: Sequence[int | None]) -> list[float | None]:
    """Distances in multiples of a size; None where that is not known, or nothing."""
    return [n / size if size else None for n, size in zip(points, sizes, strict=True)]


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return _words(values)
    if pa.types.is_string(kind):
        return from_texts(values)
    if pa.types.is_floating(kind):
        return _floats(values)
    dtype = np.bool_ if pa.types.is_boolean(kind) else np.int64
    if None not in values:
        return from_numpy(np.array(values, dtype), kind)
    known = np.array([value is not None for value in values], np.bool_)
    return from_numpy(np.array([value or 0 for value in values], dtype), kind, known)


def _floats(values: Sequence[float | None]) -> pa.Array:
    numbers = np.array(values, np.float64)  # None becomes NaN, which in Arrow is a value beside null
    known = np.ones(numbers.size, np.bool_)
    for i in np.flatnonzero(np.isnan(numbers)).tolist():
        known[i] = values[i] is not None
    return from_numpy(numbers, known=known)


def _words(values: Sequence[str | None]) -> pa.Array:
    found = set(values)
    words = sorted(word for word in found if word is not None)
    codes: dict[str | None, int] = {None: -1, **{word: code for code, word in enumerate(words)}}
    indices = np.fromiter(map(codes.__getitem__, values), np.int32, len(values))
    return pa.DictionaryArray.from_arrays(from_numpy(indices, known=indices >= 0), from_texts(words))
