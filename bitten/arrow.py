"""Arrow arrays from and to numpy by their buffers.

pyarrow's own ways (`pa.array`, `to_numpy`, `pq.read_table`, Python values as arguments of compute functions) import
pandas first wherever it is installed: a fifth of a second that a backtest has no use for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bitten.model.dtypes import Bools

_KINDS: Final = {"int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64()}


def from_numpy(values: Any, kind: pa.DataType | None = None, known: Bools | None = None) -> pa.Array:
    """An Arrow array of bools, int32, int64 or float64, which shares the memory of numbers that lie in a row.

    Args:
        values: shape (n,).
        kind: the type if it is another than numpy's, of the same width: timestamps of int64.
        known: False where the result is null, shape (n,); None for nowhere.
    """
    missing = 0 if known is None else known.size - int(np.count_nonzero(known))
    validity = _bits(known) if known is not None and missing else None
    if values.dtype == np.bool_:
        return pa.Array.from_buffers(pa.bool_(), values.size, [validity, _bits(values)], missing)
    buffers = [validity, pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(kind or _KINDS[values.dtype.name], values.size, buffers, missing)


def from_texts(texts: Sequence[str | None]) -> pa.Array:
    """An Arrow array of texts; None is null."""
    known = None
    parts: Sequence[Any] = texts
    try:
        joined = "".join(parts)
    except TypeError:  # sooner known so than by looking for None
        known = np.array([text is not None for text in texts], np.bool_)
        parts = [text or "" for text in texts]
        joined = "".join(parts)
    if not joined.isascii():
        parts = [text.encode(errors="replace") for text in parts]
    ends = np.zeros(len(parts) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, parts), np.int32, len(parts)), out=ends[1:])
    missing = 0 if known is None else known.size - int(np.count_nonzero(known))
    buffers = [
        None if known is None else _bits(known),
        pa.py_buffer(ends),
        pa.py_buffer(joined.encode(errors="replace")),
    ]
    return pa.Array.from_buffers(pa.string(), len(parts), buffers, missing)


def repeated_texts(texts: Sequence[str], counts: Sequence[int]) -> pa.Array:
    """An Arrow array in which each text stands as often as its count says."""
    known = from_texts(texts)
    if all(count == 1 for count in counts):
        return known
    indices = np.repeat(np.arange(len(texts), dtype=np.int32), counts)
    return known.take(from_numpy(indices))


def to_numpy(column: pa.Array | pa.ChunkedArray) -> tuple[Any, Bools | None]:
    """Values, which where null are anything, and False where they are null or None for nowhere; both of shape (n,).

    Args:
        column: bools, or numbers or times of 32 or 64 bits; those are views of Arrow's memory and read-only.
    """
    array = one_chunk(column)
    validity, data = array.buffers()
    known = _unpacked(validity, array) if array.null_count else None
    if pa.types.is_boolean(array.type):
        return _unpacked(data, array), known
    letter = "f" if pa.types.is_floating(array.type) else "i"
    dtype = np.dtype(f"{letter}{array.type.bit_width // 8}")
    if not len(array):  # may have no memory at all
        return np.zeros(0, dtype), known
    return np.frombuffer(data, dtype, array.offset + len(array))[array.offset :], known


def one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array; pyarrow's own `combine_chunks` imports pandas where a column has no chunk at all."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.combine_chunks() if column.num_chunks else pa.nulls(0, column.type)


def read_parquet(path: Path) -> pa.Table:
    """All rows of a Parquet file.

    Raises:
        pa.ArrowInvalid: it is no Parquet file, or damaged.
        OSError: it is not there, damaged, or cannot be read.
    """
    with pq.ParquetFile(path) as file:
        return file.read()


def _bits(flags: Bools) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _unpacked(bits: pa.Buffer | None, array: pa.Array) -> Bools:
    if bits is None:
        return np.zeros(0, np.bool_)
    packed = np.frombuffer(bits, np.uint8)
    return np.unpackbits(packed, count=array.offset + len(array), bitorder="little")[array.offset :].view(np.bool_)
