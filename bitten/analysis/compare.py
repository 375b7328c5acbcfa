"""Where two runs begin to differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bitten.analysis.columns import Tables, table
from bitten.journal.schema import TABLES

ORDER: Final = tuple(TABLES)  # what comes first in a run comes first here
_UNSET: Final = "not set"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row in which a table differs; None where one of the runs has no such row."""

    table: str
    row: int
    rows: tuple[int, int]  # how many rows the table has in each run
    first: dict[str, Any] | None
    second: dict[str, Any] | None


def different_keys(first: Any, second: Any) -> dict[str, tuple[str, str]]:
    """Keys of two configurations that differ, flattened to `patterns[0].params.length`, with both values as JSON; a
    key that one of them lacks is "not set" there.
    """
    left, right = _flat(first), _flat(second)
    keys = dict.fromkeys([*left, *right])
    return {key: (left.get(key, _UNSET), right.get(key, _UNSET)) for key in keys if left.get(key) != right.get(key)}


def _flat(value: Any, path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            found |= _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        for i, inner in enumerate(value):
            found |= _flat(inner, f"{path}[{i}]")
    elif path:
        found[path] = json.dumps(value, ensure_ascii=False, default=str)
    return found


def differences(first: Tables, second: Tables) -> list[Difference]:
    """The first difference of every table that differs, in the order of `ORDER`; empty for identical runs."""
    found = (_difference(name, table(first, name), table(second, name)) for name in ORDER)
    return [difference for difference in found if difference is not None]


def _difference(name: str, first: pa.Table, second: pa.Table) -> Difference | None:
    common = min(first.num_rows, second.num_rows)
    equal = np.ones(common, np.bool_)
    columns = [column for column in first.column_names if column in second.column_names]
    for column in columns:
        equal &= _equal(first[column][:common], second[column][:common])
    unequal = np.flatnonzero(~equal)
    at = int(unequal[0]) if unequal.size else common
    if at == first.num_rows == second.num_rows and first.column_names == second.column_names:
        return None
    return Difference(name, at, (first.num_rows, second.num_rows), _row(first, at), _row(second, at))


def _equal(first: pa.ChunkedArray, second: pa.ChunkedArray) -> Any:
    """Whether values are equal, row by row; two nulls are."""
    left, right = _plain(first), _plain(second)
    if left.type != right.type:
        return np.zeros(len(left), np.bool_)
    both_null = pc.and_(pc.is_null(left), pc.is_null(right))
    same = pc.or_(pc.fill_null(pc.equal(left, right), False), both_null)
    return same.combine_chunks().to_numpy(zero_copy_only=False)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Words as strings, times as integers: equal values are then equal whatever their dictionary."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def _row(source: pa.Table, at: int) -> dict[str, Any] | None:
    if at >= source.num_rows:
        return None
    return {name: _value(source[name][at]) for name in source.column_names}


def _value(scalar: pa.Scalar) -> Any:
    """A value to print: times as ISO text to the nanosecond, everything else as Python has it."""
    if pa.types.is_timestamp(scalar.type):
        from bitten.clock import iso

        return iso(scalar.value, 9) if scalar.is_valid else None
    return scalar.as_py()
