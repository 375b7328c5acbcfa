"""The rows of a run folder that belong to one signal, read without the others; and signals by a part of their id."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bitten.arrow import from_numpy, from_texts, read_parquet, to_numpy
from bitten.errors import BittenError
from bitten.journal.schema import TABLES

Row = dict[str, Any]

HOW_TO_LIST: Final = "`bitten explain --list` lists signals with their fate"
_REQUIRED: Final = "signals"  # a run without any other table is an old one, or one of nothing
_MOST_NAMED: Final = 3


class Named(NamedTuple):
    """What a person named: a signal, and the account of it where a fire or mission was meant."""

    signal_id: str
    account: str | None


def rows_of(folder: Path, name: str, column: str, value: str) -> list[Row]:
    """The rows of a table whose column of texts holds a value, as dicts; times are int ns UTC, null is None.

    A table that the folder lacks has no rows.

    Raises:
        BittenError: the file is damaged, or it is the table of signals and absent.
    """

    def read(path: Path) -> list[Row]:
        wanted = from_texts([value])
        found: list[Row] = []
        with pq.ParquetFile(path) as file:
            names = [one for one in TABLES[name].names if one in file.schema_arrow.names]
            for group in range(file.num_row_groups):
                if not file.metadata.row_group(group).num_rows:
                    continue
                keys = file.read_row_group(group, columns=[column])[column]
                at = np.flatnonzero(to_numpy(pc.is_in(keys, value_set=wanted))[0])
                if at.size:
                    found += as_rows(file.read_row_group(group, columns=names).take(from_numpy(at)))
        return found

    return _read(folder, name, read) or []


def column_of(folder: Path, name: str, column: str) -> list[Any]:
    """One column of texts or words of a table; empty where the folder lacks it.

    Raises:
        BittenError: as `rows_of`.
    """

    def read(path: Path) -> list[Any]:
        with pq.ParquetFile(path) as file:
            values: list[Any] = file.read(columns=[column])[column].to_pylist()
            return values

    return _read(folder, name, read) or []


def whole_table(folder: Path, name: str) -> pa.Table:
    """A table of the folder; an empty one where it lacks it.

    Raises:
        BittenError: as `rows_of`.
    """
    table = _read(folder, name, read_parquet)
    return pa.Table.from_batches([], TABLES[name]) if table is None else table


def as_rows(table: pa.Table) -> list[Row]:
    """Rows as dicts; times are int ns UTC (Python's own know no nanoseconds), null is None."""
    if not table.num_rows:  # Arrow would import pandas to make arrays of no chunks one
        return []
    columns = {name: _values(table[name]) for name in table.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    times, known = to_numpy(column)
    return [
        time if there else None
        for time, there in zip(times.tolist(), [True] * len(times) if known is None else known.tolist(), strict=True)
    ]


def _read(folder: Path, name: str, read: Callable[[Path], Any]) -> Any:
    path = folder / f"{name}.parquet"
    try:
        return read(path)
    except FileNotFoundError:
        if name == _REQUIRED:
            raise BittenError(f"{path} is missing; the run folder is incomplete, run it again") from None
        return None
    except (OSError, pa.ArrowInvalid, pa.ArrowKeyError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BittenError(f"{path} cannot be read: {reason}; the run folder is incomplete, run it again") from error


def find(folder: Path, wanted: str) -> Named | None:
    """The signal or fire of a run that an id, or a beginning or end that only one has, stands for; None for none.

    Raises:
        BittenError: several have it, or the folder is damaged.
    """
    signals = column_of(folder, "signals", "signal_id")
    if (one := _only(signals, wanted, "signals")) is not None:
        return Named(one, None)
    for signal_id, account in _splits(wanted):
        if (one := _only(signals, signal_id, "signals")) is not None:
            return Named(one, account)
    fire = _only(column_of(folder, "fires", "fire_id") or column_of(folder, "trades", "fire_id"), wanted, "fires")
    if fire is None:
        return None
    rows = rows_of(folder, "fires", "fire_id", fire) or rows_of(folder, "trades", "fire_id", fire)
    return Named(rows[0]["signal_id"], rows[0]["account"])


def near_misses(folder: Path, wanted: str) -> str:
    """`: did you mean ...?` with the ids of a run that look like it; empty for none."""
    signals = column_of(folder, "signals", "signal_id")
    signal_id = wanted.partition("@")[0]
    close = _holding(signals, signal_id) or difflib.get_close_matches(signal_id, signals, _MOST_NAMED, 0.6)
    return f": did you mean {_either(close)}?" if close else ""


def _holding(ids: Sequence[str], wanted: str) -> list[str]:
    """Ids that hold the most of what is wanted: its beginning or its end, no less than half of it."""
    for length in range(len(wanted), len(wanted) // 2, -1):
        parts = {wanted[:length], wanted[-length:]}
        if found := [one for one in ids if any(part in one for part in parts)]:
            return found[:_MOST_NAMED]
    return []


def _only(ids: Sequence[str], wanted: str, kind: str) -> str | None:
    """The id that is wanted, or the only one that begins or ends so."""
    found = {one for one in ids if one.startswith(wanted) or one.endswith(wanted)} if wanted else set()
    if wanted in found:
        return wanted
    if len(found) > 1:
        most = _either(sorted(found)[:_MOST_NAMED], "and")
        more = " ..." if len(found) > _MOST_NAMED else ""
        raise BittenError(f'"{wanted}" fits {len(found):,} {kind}: {most}{more}; give more of it, or {HOW_TO_LIST}')
    return found.pop() if found else None


def _splits(wanted: str) -> Iterator[tuple[str, str]]:
    """`SIGNAL@ACCOUNT` at each of its signs, the last first: names may hold one."""
    at = wanted.rfind("@")
    while at > 0:
        yield wanted[:at], wanted[at + 1 :]
        at = wanted.rfind("@", 0, at)


def _either(names: Iterable[str], word: str = "or") -> str:
    *most, last = [f'"{name}"' for name in names]
    return f"{', '.join(most)} {word} {last}" if most else last
