"""Dukascopy: .bi5 from its path and its integers, web CSV from its header; UTC; fillers and zero-based months."""

from __future__ import annotations

import lzma
import struct
from pathlib import Path

import pytest

from bitten.errors import DataError
from bitten.store.discovery import NO_TICKS
from bitten.store.importer import ImportOptions, RawTicks
from bitten.store.tickstore import TickStore
from bitten_feeds.importers.dukascopy import point_of
from tests.store.importing import importers, one, read_bars, read_ticks, run, texts, write

FOLDER = "EURUSD/2019/01/04/"


def packed(layout: str, *rows: tuple[float, ...]) -> bytes:
    return lzma.compress(b"".join(struct.pack(layout, *row) for row in rows), format=lzma.FORMAT_ALONE)


def ticks(*rows: tuple[float, ...]) -> bytes:
    return packed(">IIIff", *rows)


def candles(*rows: tuple[float, ...]) -> bytes:
    return packed(">IIIIIf", *rows)


def test_month_of_the_path_counts_from_zero_and_ask_comes_first(tmp_path: Path) -> None:
    file = write(
        tmp_path, FOLDER + "13h_ticks.bi5", ticks((994, 114545, 114543, 0.75, 1.5), (3_599_999, 114546, 114544, 1, 1))
    )
    raw = read_ticks(file, "dukascopy_bi5", symbol="EURUSD")
    assert texts(raw.time) == ["2019-02-04 13:00:00.994", "2019-02-04 13:59:59.999"]
    assert raw.bid.tolist() == [1.14543, 1.14544]
    assert raw.ask.tolist() == [1.14545, 1.14546]


@pytest.mark.parametrize(
    ("symbol", "point"),
    [("EURUSD", 1e-5), ("USDJPY", 1e-3), ("XAUUSD", 1e-3), ("XAGUSD", 1e-3), ("USATECHIDXUSD", 1e-3), ("EURHUF", 1e-3)],
)
def test_unit_of_integer_prices(symbol: str, point: float) -> None:
    assert point_of(symbol) == point


def test_gold_is_in_thousandths(tmp_path: Path) -> None:
    file = write(tmp_path, "XAUUSD/2019/01/04/00h_ticks.bi5", ticks((0, 1_310_500, 1_310_123, 1, 1)))
    imported = one(file, store=tmp_path / "store")
    assert imported.symbol == "XAUUSD"
    assert TickStore(tmp_path / "store").read("XAUUSD").bid.tolist() == [1_310_123]


def test_candles_are_open_close_low_high_and_join(tmp_path: Path) -> None:
    write(
        tmp_path,
        FOLDER + "BID_candles_min_1.bi5",
        candles((0, 100, 103, 98, 105, 2.79), (60, 103, 104, 103, 104, 0.001)),
    )
    write(tmp_path, FOLDER + "ASK_candles_min_1.bi5", candles((0, 102, 105, 99, 107, 1), (60, 104, 107, 104, 107, 1)))
    raw = read_bars(tmp_path / FOLDER / "BID_candles_min_1.bi5", "dukascopy_bi5", scale=1.0)
    assert [raw.open[0], raw.high[0], raw.low[0], raw.close[0]] == [100, 105, 98, 103]
    one(tmp_path, store=tmp_path / "store")
    bars = TickStore(tmp_path / "store").read("EURUSD", kind="M1")
    assert bars.spread.tolist() == [2, 3]
    assert bars.volume.tolist() == [279, 1]  # a little is not nothing


def test_flat_bars_without_volume_are_fillers(tmp_path: Path) -> None:
    flat = [(3600 * hour, 100, 100, 100, 100, 0.0) for hour in range(3)]
    write(tmp_path, "EURUSD/2019/01/BID_candles_hour_1.bi5", candles(*flat, (3 * 3600, 100, 100, 100, 100, 0.5)))
    imported = one(tmp_path)
    assert (imported.kind, imported.passed, imported.source.counts["filler"]) == ("H1", 1, 3)


def test_empty_hour_has_no_rows(tmp_path: Path) -> None:
    empty = write(tmp_path, "empty.bi5", b"")
    assert list(importers()["dukascopy_bi5"].read(empty, ImportOptions())) == []
    empty.unlink()
    write(tmp_path, FOLDER + "00h_ticks.bi5", b"")
    write(tmp_path, FOLDER + "01h_ticks.bi5", ticks((0, 114545, 114543, 1, 1)))
    report = run(tmp_path)
    assert [imported.passed for imported in report.imported] == [1]
    assert [(skipped.path.name, skipped.reason) for skipped in report.skipped] == [("00h_ticks.bi5", NO_TICKS)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("EURUSD/2019/01/30/00h_ticks.bi5", "no day 30 in month 1 counted from 0"),
        ("EURUSD/2019/12/04/00h_ticks.bi5", "no day 4 in month 12 counted from 0"),
        ("EURUSD/00h_ticks.bi5", "do not tell its date"),
        ("EURUSD/2019/01/04/ticks.bi5", "neither hour nor candle period"),
        ("2019/01/04/00h_ticks.bi5", "symbol; give it with --symbol"),
    ],
)
def test_path_must_tell_symbol_and_time(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        run(write(tmp_path, name, ticks((0, 114545, 114543, 1, 1))))


def test_cut_stream_is_refused(tmp_path: Path) -> None:
    whole = ticks(*[(ms, 114545 + ms % 7, 114543, 1, 1) for ms in range(100)])
    with pytest.raises(DataError, match="damaged or cut off"):
        run(write(tmp_path, FOLDER + "00h_ticks.bi5", whole[:-20]))
    with pytest.raises(DataError, match="no whole number of 20-byte records"):
        run(write(tmp_path, FOLDER + "01h_ticks.bi5", packed(">I", (1,))))


def test_web_ticks_have_ask_before_bid_and_the_day_first(tmp_path: Path) -> None:
    rows = "Time,Ask,Bid,AskVolume,BidVolume\r\n03.05.2012 00:00:01.680,80.928,80.911,2.33,1.58\r\n"
    raw = read_ticks(write(tmp_path, "CADJPY_Ticks_03.05.2012.csv", rows), "dukascopy_csv")
    assert isinstance(raw, RawTicks)
    assert (texts(raw.time), raw.bid[0], raw.ask[0]) == (["2012-05-03 00:00:01.680"], 80.911, 80.928)


BARS = """{},Open,High,Low,Close,Volume
14.03.2019 00:00:00.000{zone},1.1,1.3,1.0,1.2,279.38
14.03.2019 00:01:00.000{zone},1.2,1.2,1.2,1.2,0
14.03.2019 00:02:00.000{zone},1.2,1.4,1.1,1.3,1
"""


@pytest.mark.parametrize(
    ("header", "zone", "clock", "first"),
    [
        ("Gmt time", "", "UTC", "2019-03-14 00:00:00"),
        ("Local time", " GMT+0100", "UTC", "2019-03-13 23:00:00"),
        ("Time (UTC)", "", "UTC", "2019-03-14 00:00:00"),
        ("Time (EET)", "", "EET", "2019-03-13 22:00:00"),
    ],
)
def test_clock_of_web_bars(tmp_path: Path, header: str, zone: str, clock: str, first: str) -> None:
    imported = one(write(tmp_path, "EURUSD_BID.csv", BARS.format(header, zone=zone)), timeframe="M1")
    assert (imported.source.clock, texts([imported.first], 0)) == (clock, [first])
    assert (imported.passed, imported.source.counts["filler"]) == (2, 1)


def test_unnamed_local_time_must_be_stated(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD_BID.csv", BARS.format("Local time", zone=""))
    with pytest.raises(DataError, match="state it with --clock"):
        run(file, timeframe="M1")
    assert texts([one(file, timeframe="M1", clock="Europe/Zurich").first], 0) == ["2019-03-13 23:00:00"]
