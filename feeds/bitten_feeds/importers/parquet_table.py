"""Foreign Parquet files, read like text files: columns by position, in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from bitten.errors import DataError
from bitten.store.textfile import Chunk, Dialect

_MAGIC: Final = b"PAR1"
_OF_A_STORE: Final = b"bitten.format"
_BATCH_ROWS: Final = 1 << 19


def is_parquet(head: bytes) -> bool:
    """Whether content starts like a Parquet file."""
    return head.startswith(_MAGIC)


class ParquetTable:
    """A Parquet file with one row per quote or bar.

    Raises:
        DataError: it is damaged, or lies inside an archive.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataError(f"{path}: Parquet inside an archive is not read; unpack it first")
        try:
            self._file = parquet.ParquetFile(path)
            names = tuple(self._file.schema_arrow.names)
            first = next(self._file.iter_batches(1), None)
        except pa.ArrowException as error:
            raise DataError(f"{path}: the Parquet file cannot be read: {error}") from error
        if _OF_A_STORE in (self._file.schema_arrow.metadata or {}):
            raise DataError(f"{path}: belongs to a bitten store; use that folder as it is, with --store or store = ...")
        cells = tuple(str(column[0]) for column in first.columns) if first is not None and first.num_rows else ()
        self.path = path
        self.dialect = Dialect("", names, len(names), False, ".", "", cells, 0)

    def chunks(
        self, texts: Mapping[str, int], numbers: Mapping[str, int], advance: Callable[[int], None]
    ) -> Iterator[Chunk]:
        """Read columns, given by role and position.

        Raises:
            DataError: a price column does not hold numbers.
        """
        roles = {**texts, **numbers}
        names = [self.dialect.header[position] for position in roles.values()]
        row = 0
        for batch in self._file.iter_batches(_BATCH_ROWS, columns=list(dict.fromkeys(names))):
            columns = dict(zip(roles, (batch.column(name) for name in names), strict=True))
            for role in numbers:
                columns[role] = self._numbers(role, columns[role])
            yield Chunk(self, row, columns, batch.num_rows)
            row += batch.num_rows
        advance(self.path.stat().st_size)

    def where(self, row: int) -> str:
        """The place of a row, counted from 0."""
        return f"{self.path}, row {row + 1}"

    def _numbers(self, role: str, column: Any) -> Any:
        try:
            return column.cast(pa.float64())
        except pa.ArrowException as error:
            raise DataError(f"{self.path}: column {role} holds {column.type}, expected numbers ({error})") from error
