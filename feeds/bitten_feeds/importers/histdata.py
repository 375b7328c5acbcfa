"""HistData.com files: Generic ASCII ticks and M1, NinjaTrader and MetaTrader M1. Their clock is EST, UTC-5 all year."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Final

from bitten.errors import DataError
from bitten.store.importer import FileFacts, ImportOptions, symbol_from_path
from bitten.store.textfile import Dialect, TextFile, sniff
from bitten.store.textimporter import Layout, TextImporter

_TICK_STAMP: Final = re.compile(r"\d{8} \d{9}\Z")
_BAR_STAMP: Final = re.compile(r"\d{8} \d{6}\Z")
_METATRADER_NAME: Final = re.compile(r"DAT_MT_", re.IGNORECASE)
_METATRADER_DATE: Final = re.compile(r"\d{4}\.\d\d\.\d\d\Z")

_SHAPES: Final = {
    "ticks": Layout("ticks", (0,), {"bid": 1, "ask": 2}),
    "bars": Layout("bars", (0,), {"open": 1, "high": 2, "low": 3, "close": 4, "volume": 5}),
    "metatrader": Layout("bars", (0, 1), {"open": 2, "high": 3, "low": 4, "close": 5, "volume": 6}),
}
_PROOFS: Final = {
    "ticks": "rows of YYYYMMDD hhmmssmmm,bid,ask,volume",
    "bars": "rows of YYYYMMDD hhmmss;open;high;low;close;volume",
    "metatrader": "MetaTrader rows in a file named DAT_MT_...",
    "one side": "rows of YYYYMMDD hhmmss;price;volume",
}


def _shape(path: Path, dialect: Dialect | None) -> str | None:
    if dialect is None or dialect.header or not dialect.first:
        return None
    first, mark, width = dialect.first[0], dialect.delimiter, dialect.width
    if _TICK_STAMP.match(first) and mark == "," and width == 4:
        return "ticks"
    if _BAR_STAMP.match(first) and mark == ";":
        return {6: "bars", 3: "one side"}.get(width)
    if _METATRADER_DATE.match(first) and width == 7 and is_metatrader_name(path):
        return "metatrader"
    return None


def is_metatrader_name(path: Path) -> bool:
    """Whether HistData named the file: the rows are those of a MetaTrader export, the clock is not."""
    return any(_METATRADER_NAME.match(part) for part in path.parts[-2:])


class HistData(TextImporter):
    """Ticks and M1 bars of HistData.com, zipped as they come or not. Bars are bid; quiet minutes are missing."""

    name: ClassVar[str] = "histdata"

    def detect(self, path: Path, head: bytes) -> str | None:
        """The shape of the first row; HistData's MetaTrader files are told from a terminal's by their names."""
        shape = _shape(path, sniff(head))
        return None if shape is None else _PROOFS[shape]

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Ticks or M1 in EST; the symbol stands in the file name.

        Raises:
            DataError: a NinjaTrader tick file, which holds one price a row.
        """
        shape = _shape(path, TextFile(path, head).dialect)
        if shape == "one side":
            raise DataError(
                f"{path}: HistData's NinjaTrader tick files hold one side of the quote each; "
                'download "Generic ASCII" tick data, which has bid and ask'
            )
        symbol = symbol_from_path(path, options.known_symbols)
        kind = self.layout(path, TextFile(path, head).dialect, options).kind
        return FileFacts(kind, symbol, "EST", "HistData writes EST without daylight saving")

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        shape = _shape(path, dialect)
        if shape not in _SHAPES:
            raise DataError(f"{path}: the rows are none that HistData writes; leave --format away to have it detected")
        return _SHAPES[shape]
