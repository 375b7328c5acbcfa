"""LEAN: days counted in fractional milliseconds from the date in the name, vendors and their clocks from the path."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bitten.errors import DataError
from bitten.store.tickstore import TickStore
from tests.store.importing import one, read_bars, read_ticks, run, texts

MINUTES = (
    "0,1.1,1.3,1.0,1.2,0,1.2,1.4,1.1,1.25,0\n60000,1.2,1.3,1.1,1.2,0,,,,,\n120000,1.2,1.3,1.1,1.2,0,1.3,1.4,1.2,1.1,0\n"
)


def zipped(folder: Path, name: str, member: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, text)
    return path


def day(folder: Path, vendor: str, kind: str, text: str) -> Path:
    name = f"{vendor}/{kind}/eurusd/20140501_quote.zip"
    return zipped(folder, name, f"20140501_eurusd_{kind}_quote.csv", text)


def test_milliseconds_have_fractions(tmp_path: Path) -> None:
    file = day(tmp_path, "oanda", "tick", "43.142,1.1,1.2\n62.2662,1.1,1.3\n86399999.9999,1.1,1.2\n")
    raw = read_ticks(file / "20140501_eurusd_tick_quote.csv", "lean")
    assert texts(raw.time, 9) == [
        "2014-05-01 00:00:00.043142000", "2014-05-01 00:00:00.062266200", "2014-05-01 23:59:59.999999900",
    ]  # fmt: skip
    assert one(file).symbol == "EURUSD"


@pytest.mark.parametrize(("vendor", "clock", "first"), [("oanda", "UTC", "00:00"), ("fxcm", "EST", "05:00")])
def test_vendor_in_the_path_tells_the_clock(tmp_path: Path, vendor: str, clock: str, first: str) -> None:
    imported = one(day(tmp_path, vendor, "tick", "0,1.1,1.2\n"))
    assert (imported.source.clock, texts([imported.first], 0)) == (clock, [f"2014-05-01 {first}:00"])


def test_unknown_vendor_must_be_stated(tmp_path: Path) -> None:
    file = day(tmp_path, "somebody", "tick", "0,1.1,1.2\n")
    with pytest.raises(DataError, match="state it with --clock"):
        run(file)
    assert one(file, clock="EST").source.clock == "EST"


def test_stated_clock_goes_before_the_folder_name(tmp_path: Path) -> None:
    assert one(day(tmp_path, "fxcm", "tick", "0,1.1,1.2\n"), clock="UTC").source.clock == "UTC"


def test_minutes_have_both_sides(tmp_path: Path) -> None:
    file = day(tmp_path, "oanda", "minute", MINUTES)
    imported = one(file, store=tmp_path / "store")
    assert (imported.kind, imported.source.counts["crossed"], imported.source.counts["no_spread"]) == ("M1", 1, 2)
    bars = TickStore(tmp_path / "store").read("EURUSD", kind="M1")
    assert bars.spread.tolist() == [5000, -1, -1]


def test_crossed_bar_may_have_no_spread_at_all_instead(tmp_path: Path) -> None:
    one(day(tmp_path, "oanda", "minute", MINUTES), crossed="mid", store=tmp_path / "store")
    assert TickStore(tmp_path / "store").read("EURUSD", kind="M1").spread.tolist() == [5000, -1, 0]


def test_hours_are_one_file_a_symbol(tmp_path: Path) -> None:
    rows = "".join(f"20060320 0{hour}:00,1.1,1.3,1.0,1.2,0,1.2,1.4,1.1,1.3,0\n" for hour in range(3))
    file = zipped(tmp_path, "oanda/hour/eurusd.zip", "eurusd.csv", rows)
    assert texts(read_bars(file / "eurusd.csv", "lean").time, 0)[0] == "2006-03-20 00:00:00"
    imported = one(file)
    assert (imported.symbol, imported.kind, imported.source.clock) == ("EURUSD", "H1", "UTC")


def test_time_of_day_beyond_the_day_is_refused_at_its_line(tmp_path: Path) -> None:
    file = day(tmp_path, "oanda", "tick", "0,1.1,1.2\n86400000,1.1,1.2\n")
    with pytest.raises(DataError, match=r"quote\.csv:2: time of day 8.64e\+07 ms"):
        run(file)


def test_seconds_and_other_widths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="bars of seconds"):
        run(day(tmp_path, "oanda", "second", MINUTES))
    with pytest.raises(DataError, match="3 or 11 columns, not 2"):
        run(zipped(tmp_path, "20140501_quote.zip", "20140501_eurusd_tick_quote.csv", "0,1.1\n"), format="lean")
    with pytest.raises(DataError, match="a day that must stand in the name"):
        run(zipped(tmp_path, "oanda/tick/eurusd/quote.zip", "eurusd.csv", "0,1.1,1.2\n"), format="lean")
