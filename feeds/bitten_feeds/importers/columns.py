"""Plain CSV and Parquet: columns by their usual names, or by the names that the user states.

This carries what scripts write: bars of MT5's Python package, FXCM's bid and ask candles, smart-money-concepts,
ejtrader (integer points), backtesting.py, frames saved by pandas or polars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from bitten.errors import DataError, did_you_mean
from bitten.store.archive import read_head
from bitten.store.importer import FileFacts, ImportOptions, Kind, symbol_from_path
from bitten.store.textfile import Dialect, Table, sniff
from bitten.store.textimporter import OHLC, Layout, TextImporter, side_from_path, stamps_have_offset
from bitten_feeds.importers.parquet_table import ParquetTable, is_parquet

ROLES: Final = ("time", "date", "bid", "ask", *OHLC, "volume", "spread", "ask_close")
"""What `--columns` can name. `date` and `time` together are one stamp; `spread` is in the source's own points."""

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("date", "day"),
    "time": ("timestamp", "datetime", "time", "timeutc", "timegmt", "utctime", "gmttime", "utc", "opentime", "ts",
             "tsevent", "localtime", ""),
    "bid": ("bid", "bidprice"),
    "ask": ("ask", "askprice", "offer"),
    "open": ("open", "o", "bidopen", "openbid"),
    "high": ("high", "h", "bidhigh", "highbid"),
    "low": ("low", "l", "bidlow", "lowbid"),
    "close": ("close", "c", "bidclose", "closebid"),
    "ask_close": ("askclose", "closeask"),
    "volume": ("tickvolume", "tickvol", "ticks", "volume", "vol", "v"),
    "spread": ("spread",),
}  # fmt: skip


def find_roles(names: Sequence[str]) -> dict[str, int]:
    """Positions of the columns with usual names, by role; of two names for a role the more telling one wins."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
    roles = {}
    for role, usual in _NAMES.items():
        position = next((plain.index(name) for name in usual if name in plain), None)
        if position is not None:
            roles[role] = position
    return roles


def stated_roles(path: Path, dialect: Dialect, columns: Mapping[str, str]) -> dict[str, int]:
    """Positions of the columns that the user has named, or numbered from 1.

    Raises:
        DataError: an unknown role, or a column that the file does not have.
    """
    names, width = dialect.header, dialect.width
    roles = {}
    for role, column in columns.items():
        if role not in ROLES:
            raise DataError(f'--columns names "{role}"{did_you_mean(role, ROLES)}')
        if column in names:
            roles[role] = names.index(column)
        elif column.isdigit() and 1 <= int(column) <= width:
            roles[role] = int(column) - 1
        else:
            known = did_you_mean(column, names) if names else f", columns without a header are numbered 1 to {width}"
            raise DataError(f'{path}: --columns {role}={column}: there is no column "{column}"{known}')
    return roles


def _kind(roles: Mapping[str, int]) -> Kind | None:
    if not roles.keys() & {"time", "date"}:
        return None
    if roles.keys() >= set(OHLC):
        return "bars"
    return "ticks" if roles.keys() >= {"bid", "ask"} else None


class Columns(TextImporter):
    """A table of quotes or bars. The clock is known where the stamps state their offset from UTC."""

    name: ClassVar[str] = "columns"
    generic: ClassVar[bool] = True

    def open(self, path: Path, head: bytes | None = None) -> Table:
        """A Parquet file, else a text file."""
        return ParquetTable(path) if is_parquet(read_head(path) if head is None else head) else super().open(path, head)

    def detect(self, path: Path, head: bytes) -> str | None:
        """A header with a time and prices under usual names, over at least one row of the same width."""
        dialect = ParquetTable(path).dialect if is_parquet(head) else sniff(head)
        if dialect is None or not dialect.header or len(dialect.first) != dialect.width:
            return None
        roles = find_roles(dialect.header)
        return f"columns {', '.join(roles)}" if _kind(roles) else None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Kind from the columns; symbol, and the side of bid and ask files, from the file name."""
        dialect = self.open(path, head).dialect
        layout = self.layout(path, dialect, options)
        zoned = bool(dialect.first) and stamps_have_offset(tuple(dialect.first[i] for i in layout.stamp))
        one_sided = layout.kind == "bars" and not layout.numbers.keys() & {"spread", "ask_close"}
        return FileFacts(
            layout.kind,
            symbol_from_path(path, options.known_symbols),
            "UTC" if zoned else None,
            "the stamps state their offset from UTC" if zoned else "",
            side=side_from_path(path) if one_sided else "both",
        )

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        roles = stated_roles(path, dialect, options.columns) if options.columns else find_roles(dialect.header)
        kind = _kind(roles)
        if kind is None:
            names = ", ".join(name or '""' for name in dialect.header)
            raise DataError(
                f"{path}: a time with bid and ask, or with open, high, low and close, is needed; found "
                f"{names or f'{dialect.width} columns without a header'}; "
                "say which is which with --columns time=...,bid=...,ask=..."
            )
        stamp = tuple(roles[role] for role in ("date", "time") if role in roles)
        wanted = ("bid", "ask") if kind == "ticks" else (*OHLC, "volume", "spread", "ask_close")
        return Layout(kind, stamp, {role: roles[role] for role in wanted if role in roles})
