"""Stored rows as tables that people read: decimal prices, UTC times."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from bitten.errors import DataError, did_you_mean
from bitten.model.dtypes import Ints
from bitten.model.instrument import to_prices
from bitten.store.block import Block, names_of
from bitten.store.columns import NO_SPREAD
from bitten.store.disk import writing_to
from bitten.store.tickstore import TickStore

FORMATS: Final = ("csv", "parquet", "arrow")
_POINTS: Final = ("spread", "volume")  # columns that are no prices


def decimal_table(block: Block, digits: int, exact: bool = False) -> pa.Table:
    """A block with prices as people write them.

    Args:
        block: rows in points.
        digits: decimals of a price.
        exact: prices as decimal128 with that many decimals (for text) instead of float64.

    Returns:
        `time` as timestamp[ns, UTC], prices, and for bars `spread` in points (null where absent) and `volume`.
    """
    columns = {}
    for name in names_of(block.kind):
        column = block.columns[name]
        if name == "time":
            columns[name] = pa.array(column).view(pa.timestamp("ns", tz="UTC"))
        elif name in _POINTS:
            columns[name] = pa.array(column, mask=column == NO_SPREAD if name == "spread" else None)
        else:
            columns[name] = _decimals(column, digits) if exact else pa.array(to_prices(column, digits))
    return pa.table(columns)


def export(
    store: TickStore,
    symbol: str,
    kind: str,
    target: Path,
    start: int | None = None,
    end: int | None = None,
) -> int:
    """Write rows from `start` to before `end` (ns UTC) to a file; returns how many.

    The suffix names the format: .csv (also .csv.gz), .parquet, .arrow. The file appears when it is complete; one that
    stands there is replaced then.

    Raises:
        DataError: the store holds no such rows, the suffix is none of those, the folder does not exist, or the disk
            refuses.
    """
    form = _format(target)
    if not target.parent.is_dir():
        raise DataError(f"{target}: there is no folder {target.parent}; make it first, or choose another --output")
    plan = store.plan(symbol, kind, start, end)
    if plan.rows == 0:
        store.refuse_range(symbol, kind)
    digits = plan.metas[0].digits
    rows = 0
    with _appearing(target) as path:
        writer: Any = None
        for block in plan.blocks():
            table = decimal_table(block, digits, exact=form == "csv")
            if form == "csv":
                table = table.set_column(0, "time", table.column(0).cast(pa.timestamp(plan.time_unit, tz="UTC")))
            writer = writer or _open(form, path, target, table.schema)
            writer.write_table(table)
            rows += table.num_rows
        writer.close()
    return rows


def _format(target: Path) -> str:
    suffixes = [suffix.lstrip(".").lower() for suffix in target.suffixes]
    if suffixes[-2:] == ["csv", "gz"]:
        return "csv"
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in FORMATS:
        raise DataError(f'{target}: the format "{suffix}" is unknown{did_you_mean(suffix, FORMATS)}')
    return suffix


def _open(form: str, path: Path, target: Path, schema: pa.Schema) -> Any:
    if form == "parquet":
        return pq.ParquetWriter(path, schema, compression="zstd")
    if form == "arrow":
        return pa.ipc.new_file(path, schema)
    stream = pa.output_stream(path, compression="gzip" if target.suffix.lower() == ".gz" else None)
    stream.write(f"{','.join(schema.names)}\n".encode())  # by hand, because Arrow quotes the header
    return pcsv.CSVWriter(stream, schema, write_options=pcsv.WriteOptions(include_header=False, quoting_style="none"))


def _decimals(points: Ints, digits: int) -> pa.Array:
    """Integer points as decimal128(19, digits) without arithmetic: the scale moves the point."""
    words = np.empty((points.size, 2), "<i8")
    words[:, 0] = points
    words[:, 1] = points.astype(np.int64) >> 63  # the sign fills the upper half
    return pa.Array.from_buffers(pa.decimal128(19, digits), points.size, [None, pa.py_buffer(words)])


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A path to write to; what was written becomes `target` at the end, and goes away after an error."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    with writing_to(target, "choose another file with --output"):
        try:
            yield draft
            draft.replace(target)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
