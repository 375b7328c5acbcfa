"""HistData: ticks and M1 in EST, zipped with a report or not; one-sided NinjaTrader ticks are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bitten.errors import DataError
from tests.store.importing import one, read_bars, read_ticks, run, texts, write

TICKS = "20200101 170000065,1.121200,1.121720,0\n20200101 170010447,1.121200,1.121920,0\n"
BARS = "20150201 170000;1.13105;1.13117;1.13076;1.13084;0\n20150201 170100;1.13107;1.13173;1.13073;1.13104;0\n"


def test_ticks_are_est(tmp_path: Path) -> None:
    file = write(tmp_path, "DAT_ASCII_EURUSD_T_202001.csv", TICKS)
    imported = one(file)
    assert (imported.symbol, imported.kind, imported.source.clock) == ("EURUSD", "ticks", "EST")
    assert texts([imported.first, imported.last]) == ["2020-01-01 22:00:00.065", "2020-01-01 22:00:10.447"]
    assert read_ticks(file, "histdata").ask.tolist() == [1.12172, 1.12192]


def test_est_has_no_summer(tmp_path: Path) -> None:
    file = write(tmp_path, "DAT_ASCII_EURUSD_T_202007.csv", TICKS.replace("20200101", "20200701"))
    assert texts([one(file).first]) == ["2020-07-01 22:00:00.065"]


def test_vendor_zip_with_its_report(tmp_path: Path) -> None:
    archive = tmp_path / "HISTDATA_COM_ASCII_EURUSD_T202001.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("DAT_ASCII_EURUSD_T_202001.csv", TICKS)
        packed.writestr(
            "DAT_ASCII_EURUSD_T_202001.txt", "File: DAT_ASCII_EURUSD_T_202001.csv Status report\nGap of 61s"
        )
    report = run(archive)
    assert [(one.symbol, one.passed) for one in report.imported] == [("EURUSD", 2)]
    assert report.skipped == ()


def test_bars(tmp_path: Path) -> None:
    file = write(tmp_path, "DAT_NT_EURUSD_M1_201502.csv", BARS)
    raw = read_bars(file, "histdata")
    assert texts(raw.time, 0) == ["2015-02-01 17:00:00", "2015-02-01 17:01:00"]
    assert (raw.open[0], raw.high[0], raw.low[0], raw.close[0]) == (1.13105, 1.13117, 1.13076, 1.13084)
    assert one(file, timeframe="M1").source.counts["no_spread"] == 2


def test_metatrader_rows_of_histdata_are_est_not_server_time(tmp_path: Path) -> None:
    rows = (
        "2012.02.01,00:00,1.3,1.4,1.2,1.3,0\n2012.02.01,00:01,1.3,1.4,1.2,1.3,0\n2012.02.01,00:02,1.3,1.4,1.2,1.3,0\n"
    )
    imported = one(write(tmp_path, "DAT_MT_EURUSD_M1_2012.csv", rows))
    assert (imported.source.format, imported.source.clock, imported.kind) == ("histdata", "EST", "M1")


def test_one_sided_ticks_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "DAT_NT_EURUSD_T_BID_202001.csv", "20200101 170000;1.12120;0\n20200101 170010;1.12121;0\n")
    with pytest.raises(DataError, match='one side of the quote each; download "Generic ASCII"'):
        run(file)


def test_stated_format_over_other_rows_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", "time,bid,ask\n2020-01-01 00:00:00,1.1,1.2\n")
    with pytest.raises(DataError, match="none that HistData writes"):
        run(file, format="histdata")
