"""Dukascopy: `.bi5` files of the datafeed (ticks and candles), and the CSV of the web export and JForex."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MS, NS_PER_SECOND, Records
from bitten.store.archive import open_content
from bitten.store.importer import METALS, FileFacts, Importer, ImportOptions, RawBars, RawTicks, Side, symbol_from_path
from bitten.store.textfile import Dialect, TextFile, sniff
from bitten.store.textimporter import Layout, TextImporter, side_from_path, stamps_have_offset

VOLUME_SCALE: Final = 100.0
"""Volumes are millions with a fraction (279.38); they become hundredths, so that small ones keep their proportion."""

_TICK: Final = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")])
_CANDLE: Final = np.dtype(
    [("second", ">u4"), ("open", ">u4"), ("close", ">u4"), ("low", ">u4"), ("high", ">u4"), ("volume", ">f4")]
)
_LZMA_ALONE: Final = b"\x5d\x00\x00"
_TICKS_NAME: Final = re.compile(r"(\d\d)h_ticks\Z")
_CANDLES_NAME: Final = re.compile(r"(BID|ASK)_candles_(min_1|hour_1|day_1)\Z")
_TIMEFRAMES: Final = {"min_1": "M1", "hour_1": "H1", "day_1": "D1"}
_FOLDERS: Final = {"ticks": 3, "min_1": 3, "hour_1": 2, "day_1": 1}  # of year, month and day above the file
_KEEP: Final = "keep the datafeed's folders, SYMBOL/2019/01/04/00h_ticks.bi5 is hour 0 of 4 February 2019"
_THOUSANDTHS: Final = frozenset({"JPY", "HUF", "CZK", "RUB", "THB"})


@dataclass(frozen=True, slots=True)
class _Place:
    """What the path of a .bi5 file says: its content has neither date nor symbol."""

    start_ns: int  # the instant from which the file counts
    timeframe: str | None  # None for ticks
    side: Side


def _place(path: Path) -> _Place:
    """Read a path of the datafeed; the month in it counts from 0.

    Raises:
        DataError: the path lacks the date or names a day that does not exist.
    """
    name = path.name.split(".")[0]
    hour, candles = _TICKS_NAME.match(name), _CANDLES_NAME.match(name)
    if hour is None and candles is None:
        raise DataError(f"{path}: the name tells neither hour nor candle period; {_KEEP}")
    depth = _FOLDERS["ticks" if candles is None else candles[2]]
    parts = [parent.name for parent in list(path.parents)[:depth]][::-1]
    if len(parts) < depth or not all(part.isdigit() for part in parts):
        raise DataError(f"{path}: the folders above the file do not tell its date; {_KEEP}")
    year, month, day = (int(part) for part in (*parts, *("00", "01")[len(parts) - 1 :]))
    try:
        start = date(year, month + 1, day)
    except ValueError as error:
        raise DataError(
            f"{path}: there is no day {day} in month {month} counted from 0 (00 is January, 11 December); {_KEEP}"
        ) from error
    ns = (start - date(1970, 1, 1)) // timedelta(days=1) * 86400 * NS_PER_SECOND
    if hour is not None:
        return _Place(ns + int(hour[1]) * 3600 * NS_PER_SECOND, None, "both")
    assert candles is not None
    return _Place(ns, _TIMEFRAMES[candles[2]], "bid" if candles[1] == "BID" else "ask")


def point_of(symbol: str) -> float:
    """The unit of Dukascopy's integer prices: a thousandth for yen, forint, koruna, metals and indices, else 1e-5."""
    if len(symbol) != 6 or symbol[:3] in METALS or symbol[3:] in _THOUSANDTHS:
        return 1e-3
    return 1e-5


class DukascopyBi5(Importer):
    """LZMA files of big-endian records: ticks of an hour (ask before bid), candles of a day, month or year.

    Prices are integers, so the symbol must be known to scale them. An empty file is an hour without ticks.
    """

    name: ClassVar[str] = "dukascopy_bi5"

    def detect(self, path: Path, head: bytes) -> str | None:
        """An LZMA stream, or an empty file, that is named .bi5."""
        if path.suffix.lower() != ".bi5":
            return None
        if not head:
            return "0 bytes, an hour without ticks"
        return "LZMA stream in a .bi5 file" if head.startswith(_LZMA_ALONE) else None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Everything stands in the path; UTC."""
        place = _place(path)
        return FileFacts(
            "bars" if place.timeframe else "ticks",
            symbol_from_path(path, options.known_symbols),
            "UTC",
            "Dukascopy writes UTC",
            place.timeframe,
            place.side,
            filler=place.timeframe is not None,
        )

    def read(self, path: Path, options: ImportOptions) -> Iterator[RawTicks | RawBars]:
        """See `Importer.read`."""
        with open_content(path, options.advance) as stream:
            packed = stream.read()
        if not packed:
            return
        place = _place(path)
        try:
            data = lzma.decompress(packed)
        except (lzma.LZMAError, EOFError) as error:
            raise DataError(f"{path}: the LZMA stream is damaged or cut off ({error}); download it again") from error
        record = _TICK if place.timeframe is None else _CANDLE
        if len(data) % record.itemsize:
            raise DataError(f"{path}: {len(data)} bytes are no whole number of {record.itemsize}-byte records")
        scale = 1 / options.scale if options.scale else point_of(options.symbol or "")
        rows = np.frombuffer(data, record)
        yield _ticks(rows, place, scale) if place.timeframe is None else _candles(rows, place, scale)


def _ticks(rows: Records, place: _Place, point: float) -> RawTicks:
    time = place.start_ns + rows["ms"].astype(np.int64) * NS_PER_MS
    per_unit = round(1 / point)  # dividing gives the correctly rounded decimal
    return RawTicks(time, rows["bid"] / per_unit, rows["ask"] / per_unit)


def _candles(rows: Records, place: _Place, point: float) -> RawBars:
    time = place.start_ns + rows["second"].astype(np.int64) * NS_PER_SECOND
    per_unit = round(1 / point)
    opening, high, low, close = (rows[name] / per_unit for name in ("open", "high", "low", "close"))
    volume: NDArray[np.float64] = rows["volume"].astype(np.float64) * VOLUME_SCALE
    return RawBars(time, opening, high, low, close, volume, np.full(rows.size, np.nan), _VOLUME_RULE)


_VOLUME_RULE: Final = {"volume": f"the vendor's millions times {VOLUME_SCALE:g}"}
_TICK_HEADER: Final = re.compile(r"(gmt ?time|local ?time|time( ?\((utc|gmt|eet)\))?),ask,bid,ask ?volume,bid ?volume")
_BAR_HEADER: Final = re.compile(r"(gmt ?time|local ?time|time ?\((utc|gmt|eet)\)),open,high,low,close,volume")


def _header(dialect: Dialect | None) -> str:
    return ",".join(dialect.header).lower() if dialect is not None else ""


class DukascopyCsv(TextImporter):
    """The CSV of Dukascopy's web export and of JForex: DD.MM.YYYY, ask before bid, one side of the candles a file."""

    name: ClassVar[str] = "dukascopy_csv"
    volume_scale: ClassVar[float] = VOLUME_SCALE

    def detect(self, path: Path, head: bytes) -> str | None:
        """The vendor's headers: `Gmt time`, `Local time` or `Time (EET)` over candles; ask before bid with volumes."""
        header = _header(sniff(head))
        if _TICK_HEADER.fullmatch(header):
            return "header Time,Ask,Bid,AskVolume,BidVolume"
        return f"header {header.split(',')[0]},open,high,low,close,volume" if _BAR_HEADER.fullmatch(header) else None

    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """Symbol and side stand in the file name, the clock in the header or in the stamps.

        Raises:
            DataError: the export is in an unnamed local time.
        """
        dialect = TextFile(path, head).dialect
        header = _header(dialect)
        kind = self.layout(path, dialect, options).kind
        clock, proof = "UTC", "Dukascopy writes GMT"
        if "(eet)" in header:
            clock, proof = "EET", "the header says EET"
        elif stamps_have_offset(dialect.first[:1]):
            proof = "the stamps state their offset from UTC"
        elif header.startswith("local"):
            clock, proof = "", ""  # the clock of the computer that exported it
        side: Side = side_from_path(path) if kind == "bars" else "both"
        symbol = symbol_from_path(path, options.known_symbols)
        return FileFacts(kind, symbol, clock or None, proof, side=side, filler=kind == "bars")

    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """See `TextImporter.layout`."""
        if "ask" in [cell.lower() for cell in dialect.header]:
            return Layout("ticks", (0,), {"ask": 1, "bid": 2})
        return Layout("bars", (0,), {"open": 1, "high": 2, "low": 3, "close": 4, "volume": 5})
