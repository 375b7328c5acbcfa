"""Delimited text files of quotes: what they are delimited by, their columns as arrays, and the line of a bad row."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from bitten.errors import DataError
from bitten.model.dtypes import Floats
from bitten.store.archive import open_content, read_head
from bitten.store.stamps import BadStampError, Stamps, parse_stamps

BLOCK_BYTES: Final = 4 << 20
"""Text decoded at a time: some 100,000 ticks; memory does not grow with the file, and larger blocks are no faster."""

ABSENT: Final = ("", "NaN", "nan", "NAN", "null", "NULL", "None", "N/A", "NA")
_DELIMITERS: Final = ("\t", ";", "|", ",")  # a comma last: beside any of the others it is a decimal comma
_NUMERIC: Final = re.compile(r"[-+]?\d")
_DECIMAL_COMMA: Final = re.compile(r"-?\d+,\d+\Z")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file is written."""

    delimiter: str
    header: tuple[str, ...]  # empty without a header line
    width: int  # columns
    wrapped: bool  # every line is one quoted field
    decimal: str
    encoding: str
    first: tuple[str, ...]  # cells of the first row of data; empty without one
    skip: int  # lines before the first row of data


def sniff(head: bytes) -> Dialect | None:
    """The dialect of a text file, from its first bytes; None for binary content and for a file without lines."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    text = head.decode(encoding, "replace").lstrip("\ufeff")
    lines = [(number, line) for number, line in enumerate(text.splitlines()) if line.strip()]
    if not lines or "\0" in text[:1000]:
        return None
    sample = lines[0][1]
    wrapped = len(sample) > 2 and sample[0] == sample[-1] == '"' and sample.count('"') == 2
    delimiter = next((mark for mark in _DELIMITERS if mark in sample), ",")
    rows = [next(csv.reader([line.strip('"') if wrapped else line], delimiter=delimiter)) for _, line in lines[:20]]
    has_header = not any(_NUMERIC.match(cell.strip()) for cell in rows[0])
    data = rows[1:] if has_header else rows
    commas = delimiter != "," and any(_DECIMAL_COMMA.match(cell.strip()) for row in data for cell in row)
    return Dialect(
        delimiter=delimiter,
        header=tuple(cell.strip() for cell in rows[0]) if has_header else (),
        width=len(rows[0]),
        wrapped=wrapped,
        decimal="," if commas else ".",
        encoding=encoding,
        first=tuple(cell.strip() for cell in data[0]) if data else (),
        skip=lines[0][0] + 1 if has_header else 0,
    )


class Table(Protocol):
    """A file of rows and columns, text or not."""

    @property
    def dialect(self) -> Dialect:
        """Its columns."""

    def chunks(
        self, texts: Mapping[str, int], numbers: Mapping[str, int], advance: Callable[[int], None]
    ) -> Iterator[Chunk]:
        """Read columns, given by role and position, in chunks of bounded size."""

    def where(self, row: int) -> str:
        """The place of a row, counted from 0, for messages."""


class Chunk:
    """Some consecutive rows of a table, by role. Numeric columns are float64, stamps text, timestamps or integers."""

    def __init__(self, file: Table, start: int, columns: Mapping[str, Any], size: int) -> None:
        self._file = file
        self._start = start
        self._columns = columns
        self._size = size

    def __len__(self) -> int:
        return self._size

    def has(self, role: str) -> bool:
        """Whether the file has such a column."""
        return role in self._columns

    def number(self, role: str) -> Floats:
        """A numeric column, NaN where a cell is empty or where the file has no such column."""
        if role not in self._columns:
            return np.full(self._size, np.nan)
        return np.asarray(pc.fill_null(self._columns[role], float("nan")).to_numpy(zero_copy_only=False), np.float64)

    def stamps(self, date: str, time: str | None = None) -> Stamps:
        """The time stamps of a column, or of a date and a time column.

        Raises:
            DataError: with `file:line` of the first stamp that is none.
        """
        column = self._columns[date]
        if pa.types.is_timestamp(column.type):
            ns = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
            return Stamps(np.asarray(ns.to_numpy(zero_copy_only=False), np.int64), column.type.tz is not None, 0)
        if time is not None and time in self._columns:
            column = pc.binary_join_element_wise(column, self._columns[time], b" ")
        try:
            return parse_stamps(column if pa.types.is_binary(column.type) else column.cast(pa.string()))
        except BadStampError as error:
            raise DataError(f'{self.where(error.row)}: "{error.text}" {error}') from error

    def where(self, row: int) -> str:
        """The place of a row of this chunk, for messages."""
        return self._file.where(self._start + row)

    def check_same(self, role: str, value: str) -> None:
        """See that a text column does not change.

        Raises:
            DataError: it does; with `file:line`.
        """
        differs = pc.not_equal(self._columns[role], value.encode())
        if pc.any(differs).as_py():
            row = pc.index(differs, True).as_py()
            found = self._columns[role][row].as_py().decode()
            raise DataError(f'{self.where(row)}: {role} changes from "{value}" to "{found}"; one file is one symbol')


class TextFile:
    """A delimited text file.

    Raises:
        DataError: the content is no text.
    """

    def __init__(self, path: Path, head: bytes | None = None) -> None:
        dialect = sniff(read_head(path) if head is None else head)
        if dialect is None:
            raise DataError(f"{path}: the file is empty or no text file")
        self.path = path
        self.dialect = dialect

    def chunks(
        self, texts: Mapping[str, int], numbers: Mapping[str, int], advance: Callable[[int], None]
    ) -> Iterator[Chunk]:
        """Read columns, given by role and position, in blocks of `BLOCK_BYTES`.

        Raises:
            DataError: a row has too few or too many cells, or a cell is no number; with `file:line`.
        """
        roles = {**texts, **numbers}
        names = [f"c{i}" for i in range(self.dialect.width)]
        types = {f"c{i}": pa.binary() for i in texts.values()} | {f"c{i}": pa.float64() for i in numbers.values()}
        convert = arrow_csv.ConvertOptions(
            column_types=types,
            include_columns=[f"c{i}" for i in dict.fromkeys(roles.values())],
            null_values=list(ABSENT),
            decimal_point=self.dialect.decimal,
        )
        parse = arrow_csv.ParseOptions(
            delimiter=self.dialect.delimiter, quote_char=False if self.dialect.wrapped else '"'
        )
        how = arrow_csv.ReadOptions(
            column_names=names, skip_rows=self.dialect.skip, block_size=BLOCK_BYTES, encoding=self.dialect.encoding
        )
        if not self.dialect.first:
            return
        with open_content(self.path, advance) as stream:
            source: Any = _Unwrapped(stream) if self.dialect.wrapped else stream
            row = 0
            try:
                with arrow_csv.open_csv(source, how, parse, convert) as reader:
                    for batch in reader:
                        columns = {role: batch.column(f"c{i}") for role, i in roles.items()}
                        yield Chunk(self, row, columns, batch.num_rows)
                        row += batch.num_rows
            except pa.ArrowInvalid as error:
                raise self._explain(numbers, error) from error

    def where(self, row: int) -> str:
        """`file:line` of a row of data, counted from 0; blank lines are no rows."""
        for count, (number, _) in enumerate(self._lines()):
            if count == row:
                return f"{self.path}:{number}"
        return f"{self.path}, row {row + 1}"

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Number and text of every line that is a row of data, one by one: only for messages."""
        encoding = "utf-8-sig" if self.dialect.encoding == "utf-8" else self.dialect.encoding
        with open_content(self.path) as stream, io.TextIOWrapper(stream, encoding, "replace") as text:
            for number, line in enumerate(text, 1):
                bare = line.strip("\r\n")
                if number > self.dialect.skip and bare:
                    yield number, bare.strip('"') if self.dialect.wrapped else bare

    def _explain(self, numbers: Mapping[str, int], error: pa.ArrowInvalid) -> DataError:
        """The first bad row, found by reading the file again line by line."""
        width = self.dialect.width
        for number, line in self._lines():
            place = f"{self.path}:{number}"
            cells = next(csv.reader([line], delimiter=self.dialect.delimiter))
            if len(cells) != width:
                return DataError(
                    f'{place}: the row has {len(cells)} cells ("{line[:80]}"), the others have {width}; '
                    "a download that was cut off ends like this"
                )
            for role, column in numbers.items():
                cell = cells[column].strip()
                if cell not in ABSENT and not _is_number(cell, self.dialect.decimal):
                    return DataError(
                        f'{place}: {role} is "{cell}", expected a number such as 1{self.dialect.decimal}2345'
                    )
        return DataError(f"{self.path}: the table cannot be read: {error}")


def _is_number(cell: str, decimal: str) -> bool:
    if decimal == "," and "." in cell:
        return False
    try:
        float(cell.replace(decimal, "."))
    except ValueError:
        return False
    return "_" not in cell


class _Unwrapped(io.RawIOBase):
    """A stream without its quotation marks: some exports wrap every whole line in a pair of them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        bare = data.replace(b'"', b"")
        while data and not bare:  # nothing but quotation marks is not the end of the file
            data = self._stream.read(len(buffer))
            bare = data.replace(b'"', b"")
        buffer[: len(bare)] = bare
        return len(bare)
