"""From the journal's rows to Arrow columns; without `pa.array`, for which see `bitten.arrow`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bitten.arrow import from_numpy, from_texts


def make_batch(cells: Sequence[Any], schema: pa.Schema) -> pa.RecordBatch:
    """Rows as a batch. Words are sorted, so that equal rows are equal bytes whatever came before them.

    Args:
        cells: the values of the first row in the schema's order, those of the second, and so on; None is null.
        schema: of words, texts, times, floats, ints and bools.
    """
    columns = [_column(cells[i :: len(schema)], field.type) for i, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


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
