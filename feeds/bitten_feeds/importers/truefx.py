"""TrueFX tick files: `EUR/USD,20200101 22:00:00.065,1.12120,1.12172`, or re-headed `timestamp,bid,ask`; always UTC."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Final

from bitten.store.importer import FileFacts, ImportOptions, known_symbol, symbol_from_path
from bitten.store.textfile import Dialect, TextFile, sniff
from bitten.store.textimporter import Layout, TextImporter, stamps_have_offset

_PAIR: Final = re.compile(r"[A-Z]{3}/[A-Z]{3}\Z")
_STAMP: Final = re.compile(r"\d{8} \d\d:\d\d:\d\d\.\d{3}\Z")
_HEADED: Final = ("timestamp", "bid", "ask")


def _is_original(dialect: Dialect) -> bool:
    first = dialect.first
    return len(first) == 4 and bool(_PAIR.match(first[0]) and _STAMP.match(first[1]))


class TrueFx(TextImporter):
    """Ticks of TrueFX, as downloaded or with the header that other tools put over them."""

    name: ClassVar[str] = "truefx"

    def detect(self, path: Path, head: bytes) -> str | None:
        """Pair, stamp, bid and ask without a header; or the header `timestamp,bid,ask` over stamps with an offset."""
        dialect = sniff(head)
        if dialect is None or dialect.delimiter != ",":
            return None
        if _is_original(dialect):
            return "rows of EUR/USD,YYYYMMDD hh:mm:ss.mmm,bid,ask"
        if dialect.header == _HEADED and stamps_have_offset(dialect.first[:1]):
            return "header timestamp,bid,ask over stamps with their offset from UTC"
        return None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Ticks in UTC; the symbol stands in the rows, or in the name of a re-headed file."""
        dialect = TextFile(path, head).dialect
        original = _is_original(dialect)
        named = known_symbol(dialect.first[0], options.known_symbols) if original else None
        proof = "TrueFX writes UTC" if original else "the stamps state their offset from UTC"
        return FileFacts("ticks", named or symbol_from_path(path, options.known_symbols), "UTC", proof)

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        if _is_original(dialect):
            return Layout("ticks", (1,), {"bid": 2, "ask": 3}, fixed={"pair": 0})
        return Layout("ticks", (0,), {"bid": 1, "ask": 2})
