"""MetaTrader 5 exports: empty cells, no flags, lower-case headers, days without a time, spreads in broker points."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import bitten.store.textfile
from bitten.errors import DataError
from bitten.store.columns import NO_SPREAD
from bitten.store.tickstore import TickStore
from tests.store.importing import one, read_bars, read_ticks, run, texts, write

HEADER = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\r\n"
OLD_HEADER = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\r\n"
BARS = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"


def tick(second: int, bid: str, ask: str, flags: str = "\t6") -> str:
    return f"2019.02.04\t02:00:{second:02}.994\t{bid}\t{ask}\t\t{flags}\r\n"


def test_empty_cell_is_the_unchanged_side(tmp_path: Path) -> None:
    rows = [tick(0, "1.1", "1.2"), tick(1, "", "1.3"), tick(2, "1.15", ""), tick(3, "", "1.25")]
    raw = read_ticks(write(tmp_path, "EURUSD.csv", HEADER + "".join(rows)), "mt5_ticks")
    assert raw.bid.tolist() == [1.1, 1.1, 1.15, 1.15]
    assert raw.ask.tolist() == [1.2, 1.3, 1.3, 1.25]
    assert texts(raw.time[:1]) == ["2019-02-04 02:00:00.994"]


def test_rows_before_both_sides_are_known_are_absent(tmp_path: Path) -> None:
    rows = [tick(0, "", "1.2"), tick(1, "", "1.3"), tick(2, "1.15", ""), tick(3, "", "1.25")]
    imported = one(write(tmp_path, "EURUSD.csv", HEADER + "".join(rows)), clock="NY+7")
    assert (imported.passed, imported.source.counts["absent"]) == (2, 2)
    assert texts([imported.first]) == ["2019-02-04 00:00:02.994"]


def test_fill_goes_on_from_chunk_to_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(tick(i % 60, "1.1" if i == 0 else "", "1.2" if i % 97 == 0 else "") for i in range(2000))
    file = write(tmp_path, "EURUSD.csv", HEADER + rows)
    whole = read_ticks(file, "mt5_ticks")
    monkeypatch.setattr(bitten.store.textfile, "BLOCK_BYTES", 1000)
    cut = read_ticks(file, "mt5_ticks")
    assert np.unique(whole.bid).tolist() == [1.1]
    np.testing.assert_array_equal(cut.ask, whole.ask)
    np.testing.assert_array_equal(cut.time, whole.time)


def test_old_builds_write_no_flags(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", OLD_HEADER + tick(0, "1.1", "1.2", "") + tick(1, "1.1", "", ""))
    imported = one(file, clock="NY+7")
    assert (imported.source.format, imported.passed) == ("mt5_ticks", 2)


def test_lower_case_header_without_brackets(tmp_path: Path) -> None:
    header = "date\ttime\topen\thigh\tlow\tclose\ttickvolume\tvolume\tspread\r\n"
    rows = "2018.06.01\t00:00:00\t1.16879\t1.16906\t1.16852\t1.16855\t8\t0\t47\r\n"
    raw = read_bars(write(tmp_path, "EURUSD.csv", header + rows), "mt5_bars", symbol="EURUSD")
    assert (raw.volume[0], raw.spread[0]) == (8, pytest.approx(0.00047))


def test_days_have_no_time(tmp_path: Path) -> None:
    rows = "".join(f"2024.01.0{day}\t1.1\t1.2\t1.0\t1.1\t9\t0\t3\n" for day in (2, 3, 4))
    file = write(tmp_path, "EURUSD_Daily.csv", BARS.replace("<TIME>\t", "") + rows)
    imported = one(file, clock="NY+7")
    assert (imported.kind, texts([imported.first], 0)) == ("D1", ["2024-01-01 22:00:00"])


def test_spread_counts_the_brokers_points(tmp_path: Path) -> None:
    rows = "2026.03.24\t17:00:00\t4381.49\t4387.04\t4380.75\t4386.67\t611\t0\t12\n"
    one(write(tmp_path, "XAUUSD.csv", BARS + rows), clock="NY+7", timeframe="M1", store=tmp_path / "store")
    bars = TickStore(tmp_path / "store").read("XAUUSD", kind="M1")
    assert (bars.close.tolist(), bars.spread.tolist()) == ([4_386_670], [120])


def test_spread_of_a_four_digit_broker(tmp_path: Path) -> None:
    rows = "".join(
        f"2024.01.02\t00:{m:02}:00\t1.10{m:02}\t1.11{m:02}\t1.10{m:02}\t1.1101\t9\t0\t2\n" for m in range(10, 50)
    )
    raw = read_bars(write(tmp_path, "EURUSD.csv", BARS + rows), "mt5_bars", symbol="EURUSD")
    assert raw.spread.tolist() == pytest.approx([0.0002] * 40)


def test_spread_over_averaged_prices_is_refused(tmp_path: Path) -> None:
    rows = "2024.01.02\t00:00:00\t1.1040900001\t1.2\t1.0\t1.1\t167\t0\t2\n"
    with pytest.raises(DataError, match=r"EURUSD\.csv: prices have more than 8 decimals, so the points"):
        run(write(tmp_path, "EURUSD.csv", BARS + rows), clock="NY+7", timeframe="M1")


def test_spread_zero_is_unrecorded(tmp_path: Path) -> None:
    rows = "2024.01.02\t00:00:00\t1.10409\t1.10439\t1.10409\t1.10432\t167\t0\t0\n"
    file = write(tmp_path, "EURUSD.csv", BARS + rows)
    assert math.isnan(read_bars(file, "mt5_bars").spread[0])
    imported = one(file, clock="NY+7", timeframe="M1", store=tmp_path / "store")
    assert imported.source.counts["no_spread"] == 1
    assert TickStore(tmp_path / "store").read("EURUSD", kind="M1").spread.tolist() == [NO_SPREAD]


def test_stated_format_with_other_columns_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", "time\tbid\n2024.01.02 00:00:00\t1.1\n")
    with pytest.raises(DataError, match="columns date, time, bid, ask; this file has time, bid"):
        run(file, format="mt5_ticks")
    with pytest.raises(DataError, match="columns date, open, high, low, close; this file has time, bid"):
        run(file, format="mt5_bars")


def test_utf16_as_terminals_on_windows_write_it(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", (HEADER + tick(0, "1.1", "1.2") + tick(1, "", "1.3")).encode("utf-16"))
    imported = one(file, clock="NY+7")
    assert (imported.source.format, imported.passed) == ("mt5_ticks", 2)
