"""Where things lie in a store: one folder per symbol, one Parquet file per UTC month, bars in a folder per timeframe.

STORE/EURUSD/2014-05.parquet        ticks
STORE/EURUSD/M1/2014-05.parquet     bars
STORE/.staging, STORE/.commit.json  an import that is being written or put in place (bitten.store.commit)
STORE/.cache                        downloads
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_SECOND, Ints
from bitten.model.timeframe import TIMEFRAMES

TICKS: Final = "ticks"
SUFFIX: Final = ".parquet"

_MONTH = re.compile(r"\d{4}-\d{2}\Z")
_SYMBOL = re.compile(r"[A-Za-z0-9#][A-Za-z0-9._#&+-]*\Z")
_HOUR_NS: Final = 3600 * NS_PER_SECOND


def check_symbol(symbol: str) -> str:
    """Return a symbol that can name a folder.

    Raises:
        DataError: it cannot.
    """
    if not _SYMBOL.match(symbol):
        raise DataError(
            f'symbol "{symbol}" cannot name a folder of the store: allowed are letters, digits and . _ # & + -'
        )
    return symbol


def check_kind(kind: str) -> str:
    """Return "ticks" or a timeframe's name.

    Raises:
        DataError: it is neither.
    """
    if kind != TICKS and kind not in TIMEFRAMES:
        allowed = (TICKS, *TIMEFRAMES)
        meant = next((name for name in allowed if name.lower() == kind.lower()), None)
        near = f'did you mean "{meant}"?' if meant else f"allowed are {', '.join(allowed)}"
        raise DataError(f'"{kind}" is no kind of data: {near}')
    return kind


def folder(store: Path, symbol: str, kind: str) -> Path:
    """The folder that holds a symbol's months of one kind."""
    return store / symbol if kind == TICKS else store / symbol / kind


def month_files(store: Path, symbol: str, kind: str) -> list[Path]:
    """The files of a symbol and kind, oldest first; empty where there are none."""
    home = folder(store, symbol, kind)
    if not home.is_dir():
        return []
    return sorted(path for path in home.iterdir() if path.suffix == SUFFIX and _MONTH.match(path.stem))


def symbols(store: Path) -> tuple[str, ...]:
    """Symbols that the store holds, sorted."""
    if not store.is_dir():
        return ()
    names = (path.name for path in store.iterdir() if path.is_dir() and _SYMBOL.match(path.name))
    return tuple(sorted(name for name in names if kinds(store, name)))


def kinds(store: Path, symbol: str) -> tuple[str, ...]:
    """What is held of a symbol: "ticks" first, then bars by length."""
    return tuple(kind for kind in (TICKS, *TIMEFRAMES) if month_files(store, symbol, kind))


def month_spans(time: Ints) -> Iterator[tuple[str, int, int]]:
    """Cut sorted times (ns UTC) at the turns of months: ("2014-05", first index, index after the last)."""
    start = 0
    while start < time.size:
        month = str(np.datetime64(int(time[start]), "ns").astype("datetime64[M]"))
        stop = int(time.searchsorted(month_bounds(month)[1]))
        yield month, start, stop
        start = stop


def month_bounds(month: str) -> tuple[int, int]:
    """First instant of "2014-05" and of the month after it, ns UTC."""
    number = np.datetime64(month, "M")
    first, after = np.array([number, number + 1]).astype("datetime64[ns]").astype(np.int64).tolist()
    return first, after


def granule_ns(kind: str) -> int:
    """Stretch of time within which data of two sources is compared: an hour of ticks, a day of bars below an hour."""
    if kind == TICKS:
        return _HOUR_NS
    return 24 * _HOUR_NS if kind.startswith("M") else 2**62
