"""QuantConnect LEAN quote zips: ticks and minutes as one file a day, hours and days as one file a symbol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MS, Ints
from bitten.store.importer import FileFacts, ImportOptions, symbol_from_path
from bitten.store.textfile import Chunk, Dialect, TextFile, sniff
from bitten.store.textimporter import Layout, TextImporter

_CLOCKS: Final = {"oanda": "UTC", "fxcm": "EST"}
_DAY: Final = re.compile(r"(\d{8})_")
_STAMP: Final = re.compile(r"\d{8} \d\d:\d\d\Z")
_MS: Final = re.compile(r"\d{1,8}(\.\d+)?\Z")
_DAY_MS: Final = 86_400_000
_TIMEFRAMES: Final = {"minute": "M1", "hour": "H1", "daily": "D1"}
_BARS: Final = {"open": 1, "high": 2, "low": 3, "close": 4, "ask_close": 9}


def _day(path: Path) -> str | None:
    """The date in the name of the file, or of the zip around it."""
    for part in (path.name, path.parent.name):
        if match := _DAY.match(part):
            return match[1]
    return None


class LeanQuotes(TextImporter):
    """LEAN quotes: `ms,bid,ask`, or `time,bid o,h,l,c,size,ask o,h,l,c,size`.

    A day's file counts (fractional) milliseconds from the midnight of the date in its name. The clock is that of the
    vendor: OANDA writes UTC and FXCM writes EST (UTC-5 all year), told from the folders of a LEAN data tree.
    """

    name: ClassVar[str] = "lean"

    def detect(self, path: Path, head: bytes) -> str | None:
        """Three numbers or eleven columns a row, the first a time of day in ms with the date in the name, or a date."""
        dialect = sniff(head)
        if dialect is None or dialect.header or dialect.delimiter != ",":
            return None
        first = dialect.first[0]
        if dialect.width == 11 and _STAMP.match(first):
            return "rows of YYYYMMDD hh:mm, bid and ask bars"
        of_day = bool(_MS.match(first)) and float(first) < _DAY_MS and _day(path) is not None
        if of_day and dialect.width in (3, 11):
            return f"rows of milliseconds, {'bid, ask' if dialect.width == 3 else 'bid and ask bars'} of {_day(path)}"
        return None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Kind from the columns, symbol and vendor from the path, timeframe from the name.

        Raises:
            DataError: bars of seconds.
        """
        words = [word for part in path.parts[-6:] for word in re.split(r"[^a-z]+", part.lower())]
        if "second" in words:
            raise DataError(f"{path}: holds bars of seconds; import the ticks or minutes of the same folder tree")
        vendor = next((word for word in reversed(words) if word in _CLOCKS), None)
        timeframe = next((_TIMEFRAMES[word] for word in reversed(words) if word in _TIMEFRAMES), None)
        return FileFacts(
            self.layout(path, TextFile(path, head).dialect, options).kind,
            symbol_from_path(path, options.known_symbols),
            # a folder's name is a hint, so what the user states goes before it
            _CLOCKS[vendor] if vendor and options.clock is None else None,
            f"LEAN data of {vendor.upper()}" if vendor else "",
            timeframe,
        )

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        if dialect.width not in (3, 11) or not dialect.first:
            raise DataError(f"{path}: LEAN quotes have 3 or 11 columns, not {dialect.width}")
        stamp, numbers = ((0,), {}) if _STAMP.match(dialect.first[0]) else ((), {"ms": 0})
        if dialect.width == 3:
            return Layout("ticks", stamp, {**numbers, "bid": 1, "ask": 2})
        return Layout("bars", stamp, {**numbers, **_BARS})

    def times(self, path: Path, chunk: Chunk) -> tuple[Ints, Mapping[str, str]]:
        """Times of day from the date in the name, else stamps."""
        if not chunk.has("ms"):
            return super().times(path, chunk)
        day = _day(path)
        if day is None:
            raise DataError(
                f"{path}: the rows count milliseconds of a day that must stand in the name, as in 20140501_quote.zip"
            )
        midnight = np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}", "ns").astype(np.int64)
        ms = chunk.number("ms")
        if not (ms < _DAY_MS).all():
            row = int(np.argmin(ms < _DAY_MS))
            raise DataError(f"{chunk.where(row)}: time of day {ms[row]:g} ms, a day has {_DAY_MS}")
        return midnight + np.rint(ms * NS_PER_MS).astype(np.int64), {}
