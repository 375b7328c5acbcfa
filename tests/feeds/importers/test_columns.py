"""Plain CSV and Parquet: usual names found, stated ones obeyed, integer points and quoted lines understood."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bitten.errors import DataError
from bitten.store.tickstore import TickStore
from tests.store.importing import one, read_bars, read_ticks, run, texts, write

OHLC = "1.1,1.3,1.0,1.2"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("time,open,high,low,close,tick_volume,spread,real_volume", f"2026-03-24 17:00:00,{OHLC},611,12,0"),
        ("Date,Open,High,Low,Close,Tickvol,Volume,Spread", f"2026.03.24 17:00:00,{OHLC},611,0,12"),
        (",Open,High,Low,Close,Volume", f"2026-03-24 17:00:00,{OHLC},611"),
        ("DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose,Ticks",
         f"2026-03-24T17:00:00,{OHLC},1.2,1.4,1.1,1.25,611"),
        ("Date;Time;Open;High;Low;Close;Volume", "24.03.2026;17:00;1,1;1,3;1,0;1,2;611"),
        ("<ts>\t<o>\t<h>\t<l>\t<c>\t<v>", "1774371600\t1.1\t1.3\t1.0\t1.2\t611"),
    ],
)  # fmt: skip
def test_usual_names_of_bars(tmp_path: Path, header: str, row: str) -> None:
    file = write(tmp_path, "EURUSD.csv", f"{header}\n{row}\n")
    raw = read_bars(file, "columns")
    assert texts(raw.time, 0) == ["2026-03-24 17:00:00"]
    assert [raw.open[0], raw.high[0], raw.low[0], raw.close[0], raw.volume[0]] == [1.1, 1.3, 1.0, 1.2, 611]
    assert one(file, clock="UTC", timeframe="M1").source.format == "columns"


def test_ask_close_gives_the_spread(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", f"time,open,high,low,close,ask_close\n2026-03-24 17:00:00,{OHLC},1.20012\n")
    one(file, clock="UTC", timeframe="M1", store=tmp_path / "store")
    assert TickStore(tmp_path / "store").read("EURUSD", kind="M1").spread.tolist() == [12]


def test_stated_columns_by_name_and_number(tmp_path: Path) -> None:
    named = write(tmp_path, "EURUSD.csv", "when,sell,buy\n2020-01-01 00:00:00,1.1,1.2\n")
    raw = read_ticks(named, "columns", columns={"time": "when", "bid": "sell", "ask": "buy"})
    assert (raw.bid[0], raw.ask[0]) == (1.1, 1.2)
    bare = write(tmp_path, "GBPUSD.csv", "1.2,1.1,2020-01-01 00:00:00\n")
    assert one(bare, columns={"time": "3", "bid": "2", "ask": "1"}, clock="UTC").passed == 1


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"tme": "when"}, r'--columns names "tme": did you mean "time"\?'),
        ({"time": "wen", "bid": "sell", "ask": "buy"}, r'time=wen: there is no column "wen": did you mean "when"\?'),
        (
            {"time": "when", "bid": "sell"},
            "a time with bid and ask, or with open, high, low and close, is needed; found when",
        ),
    ],
)
def test_wrong_columns_are_explained(tmp_path: Path, columns: dict[str, str], reason: str) -> None:
    file = write(tmp_path, "EURUSD.csv", "when,sell,buy\n2020-01-01 00:00:00,1.1,1.2\n")
    with pytest.raises(DataError, match=reason):
        run(file, columns=columns, clock="UTC")


def test_column_numbers_have_bounds(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", "2020-01-01 00:00:00,1.1,1.2\n")
    with pytest.raises(DataError, match="columns without a header are numbered 1 to 3"):
        run(file, columns={"time": "1", "bid": "2", "ask": "4"})


def test_quoted_whole_lines(tmp_path: Path) -> None:
    rows = '"Time\tOpen\tHigh\tLow\tClose\tVolume"\r\n"2022-01-04 18:00:00\t1.1\t1.3\t1.0\t1.2\t24"\r\n'
    raw = read_bars(write(tmp_path, "EURUSD.tsv", rows), "columns")
    assert (texts(raw.time, 0), raw.open[0], raw.volume[0]) == (["2022-01-04 18:00:00"], 1.1, 24)


def test_buddhist_years_are_converted_and_noted(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", "time,bid,ask\n2566-01-05 10:00:00,1.1,1.2\n")
    imported = one(file, clock="Asia/Bangkok")
    assert texts([imported.first], 0) == ["2023-01-05 03:00:00"]
    assert "Buddhist era, 543 subtracted" in imported.source.rules["years"]


def points(count: int, noise: str = ".0") -> str:
    rows = [
        f"2012-05-{1 + i // 24:02} {i % 24:02}:00:00,154759{noise},155384{noise},154740{noise},155295{noise},9"
        for i in range(count)
    ]
    return "Date,open,high,low,close,tick_volume\r\n" + "\r\n".join(rows)


@pytest.mark.parametrize("noise", ["", ".0", ".00000000001"])
def test_integer_points_become_prices(tmp_path: Path, noise: str) -> None:
    imported = one(write(tmp_path, "XAUUSD.csv", points(12, noise)), clock="UTC", store=tmp_path / "store")
    assert imported.source.rules["prices"] == "integer points, divided by 100 (all prices are whole numbers)"
    assert TickStore(tmp_path / "store").read("XAUUSD", kind="H1").open[0] == 1_547_590


def test_integer_prices_of_an_index_are_prices(tmp_path: Path) -> None:
    imported = one(write(tmp_path, "NAS100.csv", points(12)), clock="UTC", store=tmp_path / "store")
    assert "prices" not in imported.source.rules
    assert TickStore(tmp_path / "store").read("NAS100", kind="H1").open[0] == 15_475_900


def test_scale_can_be_stated(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", "time,bid,ask\n2020-01-01 00:00:00,112345,112346\n")
    imported = one(file, scale=100000.0, clock="UTC", store=tmp_path / "store")
    assert "(stated)" in imported.source.rules["prices"]
    assert TickStore(tmp_path / "store").read("EURUSD").bid.tolist() == [112_345]


def test_parquet_with_timestamps(tmp_path: Path) -> None:
    time = pa.array([1_577_836_800_000, 1_577_836_801_500], pa.timestamp("ms", "UTC"))
    table = pa.table({"timestamp": time, "bid": [1.1, 1.2], "ask": [1.2, None]})
    path = tmp_path / "EURUSD.parquet"
    pq.write_table(table, path)
    imported = one(path)
    assert (imported.source.clock, imported.passed, imported.source.counts["absent"]) == ("UTC", 1, 1)
    assert texts([imported.first]) == ["2020-01-01 00:00:00.000"]


@pytest.mark.parametrize(
    "time",
    [
        pa.array([1_577_836_800, 1_577_836_860], pa.int64()),
        pa.array(["2020-01-01 00:00:00", "2020-01-01 00:01:00"]),
        pa.array([1_577_836_800_000_000, 1_577_836_860_000_000], pa.timestamp("us")),
    ],
)
def test_parquet_with_naive_times(tmp_path: Path, time: pa.Array) -> None:
    path = tmp_path / "EURUSD.parquet"
    pq.write_table(pa.table({"time": time, "o": [1, 2], "h": [1, 2], "l": [1, 2], "c": [1, 2], "volume": [5, 6]}), path)
    with pytest.raises(DataError, match="--clock"):
        run(path, timeframe="M1")
    imported = one(path, timeframe="M1", clock="UTC")
    assert texts([imported.first, imported.last], 0) == ["2020-01-01 00:00:00", "2020-01-01 00:01:00"]


def test_parquet_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "EURUSD.parquet"
    pq.write_table(pa.table({"time": [1_577_836_800], "bid": ["x"], "ask": [1.2]}), path)
    with pytest.raises(DataError, match="column bid holds string, expected numbers"):
        run(path, clock="UTC")
    with pytest.raises(DataError, match="Parquet file cannot be read"):
        run(write(tmp_path, "GBPUSD.parquet", b"PAR1 and then nothing"))


def test_files_of_a_store_are_not_imported_as_quotes(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", "time,bid,ask\n2020-01-01 00:00:00Z,1.1,1.2\n")
    one(file, store=tmp_path / "store")
    with pytest.raises(DataError, match="belongs to a bitten store"):
        run(tmp_path / "store/EURUSD/2020-01.parquet")
