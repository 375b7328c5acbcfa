"""MetaTrader 5 exports: "Export Ticks" and "Export Bars" of the symbols window. The clock is the broker's server's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from bitten.errors import DataError
from bitten.store.importer import FileFacts, ImportOptions, symbol_from_path
from bitten.store.textfile import Dialect, sniff
from bitten.store.textimporter import Layout, TextImporter

_BAR_ROLES: Final = {
    "open": "open", "high": "high", "low": "low", "close": "close",
    "tickvol": "volume", "tickvolume": "volume", "spread": "spread",
}  # fmt: skip


def _names(dialect: Dialect | None) -> list[str]:
    """Column names in lower case without the angle brackets, which some tools take off."""
    if dialect is None or dialect.delimiter != "\t":
        return []
    return [re.sub(r"[<>_ ]", "", name.lower()) for name in dialect.header]


def _positions(names: Sequence[str], roles: dict[str, str]) -> dict[str, int]:
    return {roles[name]: position for position, name in enumerate(names) if name in roles}


def _stamp(names: Sequence[str]) -> tuple[int, ...]:
    """A date and a time; bars of a day and longer have no time."""
    return tuple(names.index(name) for name in ("date", "time") if name in names)


class Mt5Ticks(TextImporter):
    """The terminal's "Export Ticks": an empty bid or ask cell means that this side has not changed."""

    name: ClassVar[str] = "mt5_ticks"
    empty_is_unchanged: ClassVar[bool] = True

    def detect(self, path: Path, head: bytes) -> str | None:
        """Tab-separated columns date, time, bid and ask; older builds write no flags."""
        names = _names(sniff(head))
        return "tab-separated columns date, time, bid, ask" if names[:4] == ["date", "time", "bid", "ask"] else None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Ticks; the symbol stands in the file name, the clock nowhere."""
        return FileFacts("ticks", symbol_from_path(path, options.known_symbols))

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        names = _names(dialect)
        if not {"date", "time", "bid", "ask"} <= set(names):
            raise DataError(
                f"{path}: MT5 tick exports have tab-separated columns date, time, bid, ask; {_found(dialect)}"
            )
        return Layout("ticks", _stamp(names), _positions(names, {"bid": "bid", "ask": "ask"}))


class Mt5Bars(TextImporter):
    """The terminal's "Export Bars": bid prices, tick volume, and a spread in points that is 0 where unrecorded."""

    name: ClassVar[str] = "mt5_bars"

    def detect(self, path: Path, head: bytes) -> str | None:
        """Tab-separated columns date, [time,] open, high, low, close and a tick volume."""
        names = _names(sniff(head))
        known = names[:1] == ["date"] and set(_BAR_ROLES.values()) <= _positions(names, _BAR_ROLES).keys()
        return "tab-separated columns date, open, high, low, close, tick volume, spread" if known else None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Bars; the symbol stands in the file name, the clock nowhere."""
        return FileFacts("bars", symbol_from_path(path, options.known_symbols))

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        names = _names(dialect)
        numbers = _positions(names, _BAR_ROLES)
        if "date" not in names or not {"open", "high", "low", "close"} <= numbers.keys():
            raise DataError(
                f"{path}: MT5 bar exports have tab-separated columns date, open, high, low, close; {_found(dialect)}"
            )
        return Layout("bars", _stamp(names), numbers)


def _found(dialect: Dialect) -> str:
    return f"this file has {', '.join(dialect.header)}" if dialect.header else "this file has no header"
