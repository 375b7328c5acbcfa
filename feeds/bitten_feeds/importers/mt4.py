"""MetaTrader 4: History Center CSV and the terminal's own `.hst` files. The clock is the broker's server's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND, Floats, Records
from bitten.model.timeframe import TIMEFRAMES, timeframe_ns
from bitten.store.archive import open_content, read_head
from bitten.store.importer import FileFacts, Importer, ImportOptions, RawBars, RawTicks, known_symbol, symbol_from_path
from bitten.store.textfile import Dialect, sniff
from bitten.store.textimporter import Layout, TextImporter, decimals
from bitten_feeds.importers.histdata import is_metatrader_name

_DATE: Final = re.compile(r"\d{4}\.\d\d\.\d\d\Z")
_TIME: Final = re.compile(r"\d\d:\d\d(:\d\d)?\Z")


class Mt4Csv(TextImporter):
    """The History Center's CSV: `2012.05.01,00:00,80.919,80.934,80.895,80.895,313`, no header."""

    name: ClassVar[str] = "mt4_csv"

    def detect(self, path: Path, head: bytes) -> str | None:
        """Seven columns, the first two a dotted date and a time; HistData's files of this shape are named DAT_MT_."""
        dialect = sniff(head)
        if dialect is None or dialect.header or dialect.width != 7 or is_metatrader_name(path):
            return None
        if not (_DATE.match(dialect.first[0]) and _TIME.match(dialect.first[1])):
            return None
        return "rows of YYYY.MM.DD,hh:mm,open,high,low,close,volume"

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Bars; the symbol stands in the file name, the clock nowhere."""
        return FileFacts("bars", symbol_from_path(path, options.known_symbols))

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        if dialect.width != 7:
            raise DataError(
                f"{path}: MT4 rows have 7 columns (date, time, open, high, low, close, volume), not {dialect.width}"
            )
        return Layout("bars", (0, 1), {"open": 2, "high": 3, "low": 4, "close": 5, "volume": 6})


_HEADER_BYTES: Final = 148
_HEADER: Final = np.dtype([("version", "<i4"), ("copyright", "S64"), ("symbol", "S12"), ("period", "<i4")])
_RECORDS: Final = {
    400: np.dtype(
        [("time", "<i4"), ("open", "<f8"), ("low", "<f8"), ("high", "<f8"), ("close", "<f8"), ("volume", "<f8")]
    ),
    401: np.dtype(
        [("time", "<i8"), ("open", "<f8"), ("high", "<f8"), ("low", "<f8"), ("close", "<f8"), ("volume", "<i8"),
         ("spread", "<i4"), ("real_volume", "<i8")]
    ),
}  # fmt: skip
_NO_TIMEFRAMES: Final = {10080: "weekly", 43200: "monthly"}
_CHUNK_RECORDS: Final = 1 << 18


class Mt4Hst(Importer):
    """The terminal's history files, version 400 (low before high) and 401.

    Version 400 stores prices that have been through float32: 1074.94 comes as 1074.9399. They are rounded to the
    fewest decimals that a float32 of their size cannot tell from them; the digits in the header are often wrong.
    """

    name: ClassVar[str] = "mt4_hst"

    def detect(self, path: Path, head: bytes) -> str | None:
        """A known version number, a symbol in letters and a period in the 148-byte header."""
        if len(head) < _HEADER_BYTES:
            return None
        header = np.frombuffer(head, _HEADER, 1)[0]
        symbol = bytes(header["symbol"]).split(b"\0")[0]
        if int(header["version"]) in _RECORDS and symbol.isascii() and symbol.decode().isprintable() and symbol:
            return f"header of .hst version {header['version']} for {symbol.decode()}"
        return None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Symbol and timeframe stand in the header, the clock nowhere.

        Raises:
            DataError: a period that bitten has no bars of, or no header.
        """
        if self.detect(path, head) is None:
            raise DataError(f"{path}: no header of an .hst file of version 400 or 401")
        header = np.frombuffer(head, _HEADER, 1)[0]
        minutes = int(header["period"])
        named = {timeframe_ns(name) // NS_PER_MINUTE: name for name in TIMEFRAMES}
        if minutes not in named:
            what = _NO_TIMEFRAMES.get(minutes, f"{minutes}-minute")
            raise DataError(f"{path}: holds {what} bars, allowed are {', '.join(TIMEFRAMES)}; import a shorter period")
        text = bytes(header["symbol"]).split(b"\0")[0].decode()
        symbol = known_symbol(text, options.known_symbols) or text
        return FileFacts("bars", symbol, timeframe=named[minutes])

    def read(self, path: Path, options: ImportOptions) -> Iterator[RawTicks | RawBars]:
        """See `Importer.read`."""
        version = int(np.frombuffer(read_head(path), _HEADER, 1)[0]["version"])
        record = _RECORDS[version]
        with open_content(path, options.advance) as stream:
            stream.read(_HEADER_BYTES)
            while data := stream.read(_CHUNK_RECORDS * record.itemsize):
                if len(data) % record.itemsize:
                    raise DataError(
                        f"{path}: ends in the middle of a record ({len(data) % record.itemsize} of {record.itemsize} "
                        "bytes); the file was cut off, copy it again while the terminal is closed"
                    )
                yield _hst_bars(np.frombuffer(data, record), version, path)


def _hst_bars(rows: Records, version: int, path: Path) -> RawBars:
    opening, high, low, close = (rows[name].astype(np.float64) for name in ("open", "high", "low", "close"))
    prices = np.concatenate([opening, high, low, close])
    rules = {}
    spread = np.full(rows.size, np.nan)
    if version == 400:
        digits = float32_decimals(prices)
        opening, high, low, close = (np.round(column, digits) for column in (opening, high, low, close))
        rules = {"prices": "float32 residue rounded away"}
    else:
        points = rows["spread"].astype(np.float64)
        spread = np.where(points > 0, points, np.nan) * 10.0 ** -decimals(prices, path)
    time = rows["time"].astype(np.int64) * NS_PER_SECOND
    return RawBars(time, opening, high, low, close, rows["volume"].astype(np.float64), spread, rules)


def float32_decimals(prices: Floats) -> int:
    """The fewest decimals to which all prices can be rounded within what float32 and four written decimals lose."""
    digits = 0
    while (np.abs(prices - np.round(prices, digits)) > np.abs(prices) * 1.5e-7).any():
        digits += 1
    return digits
