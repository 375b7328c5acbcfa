"""What an import refuses or warns of, and what a disk refuses."""

from __future__ import annotations

import errno
import json
import os
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bitten.cli import main
from bitten.commands.data import data
from bitten.errors import BittenError, DataError, UnknownSymbolError
from bitten.feed import FeedContext
from bitten.model.instruments import load_instruments
from bitten.store import commit
from bitten.store.columns import Source
from bitten.store.repairs import dropped_rows, repair_note
from bitten.store.tickstore import TickStore
from bitten_feeds.parquet import ParquetConfig, ParquetFeed
from tests.feeds.builders import INSTRUMENTS, SOURCE, ticks
from tests.store.importing import one, run, write

HEADER = "time,bid,ask\n"


def quotes(*prices: tuple[float, float]) -> str:
    return HEADER + "".join(f"2024-05-07 10:00:{i:02}Z,{bid},{ask}\n" for i, (bid, ask) in enumerate(prices))


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, code: int, below: Path) -> None:
    """Let a method of Path fail as a read-only or full disk does, below a folder."""
    real = getattr(Path, name)

    def refusing(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.absolute().is_relative_to(below):
            raise OSError(code, os.strerror(code), str(path))
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, name, refusing)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
@pytest.mark.parametrize("name", ["mkdir", "open"])
def test_a_disk_that_refuses_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "EURUSD.csv", quotes((1.1, 1.2), (1.1, 1.2)))
    (tmp_path / "held").mkdir()
    for store in (tmp_path / "held", tmp_path / "new"):
        with monkeypatch.context() as patch:
            refuse(patch, name, code, store)
            assert main(["data", "import", str(path), "--store", str(store)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {store} cannot be written: {os.strerror(code)}; ")
        assert error.endswith("choose another folder with --store\n")
        assert error.count("\n") == 1
        assert ("make room" in error) is (code == errno.ENOSPC)
    assert not (tmp_path / "new").exists()


def test_check_prints_its_tables_where_no_picture_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TickStore(tmp_path).add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(0, 4000, 500)), SOURCE)
    refuse(monkeypatch, "mkdir", errno.EROFS, tmp_path)
    result = CliRunner().invoke(data, ["check", "--store", str(tmp_path)])
    assert result.exit_code == 0
    assert "outliers" in result.output
    assert "cannot be written: Read-only file system; choose another folder with --pictures" in result.output


def test_an_export_needs_its_folder_and_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    TickStore(tmp_path).add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(0, 4000, 500)), SOURCE)
    stem = ["data", "export", "EURUSD", "--store", str(tmp_path), "-o"]
    assert main([*stem, str(tmp_path / "a" / "b" / "x.csv")]) == 2
    assert "make it first, or choose another --output" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    refuse(monkeypatch, "replace", errno.EROFS, tmp_path)
    assert main([*stem, str(tmp_path / "x.csv")]) == 2
    assert (
        "x.csv cannot be written: Read-only file system; choose another file with --output" in capsys.readouterr().err
    )
    assert not list(tmp_path.glob(".x*"))


@pytest.mark.parametrize("extra", [[], ["--data", "EURUSD.csv"]])
def test_a_demo_names_its_own_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], extra: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "EURUSD.csv", quotes((1.1, 1.2), (1.1, 1.2)))
    refuse(monkeypatch, "mkdir", errno.EROFS, tmp_path / "d")
    assert main(["demo", "--folder", "d", "--no-open", *extra]) == 2
    assert capsys.readouterr().err.endswith("Read-only file system; choose another folder with --folder\n")


def test_nothing_imported_leaves_no_store(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, "junk/a.txt", "hello\n")
    write(tmp_path, "junk/b.txt", "hello\n")
    with pytest.raises(DataError, match=r"no quote files found in .*empty"):
        run(tmp_path / "empty", store=tmp_path / "store")
    with pytest.raises(DataError, match=r"2 of 2 files skipped, nothing imported: .*a\.txt: the file has one line"):
        run(tmp_path / "junk", store=tmp_path / "store")
    with pytest.raises(DataError, match="all 3 rows have bid above ask"):
        run(write(tmp_path, "EURUSD.csv", quotes(*[(1.3, 1.2)] * 3)), store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_many_crossed_rows_and_other_names_are_warned_of(tmp_path: Path) -> None:
    prices = [(1.1, 1.2), (1.3, 1.2), (1.4, 1.2), (1.5, 1.2), (9.0, 9.1), (1.1, 1.2)]
    warned = one(write(tmp_path, "GBPUSD.csv", quotes(*prices, (1.2, 1.3))), symbol="EURUSD").warnings
    assert not any("more than half" in text for text in warned)
    assert any("says GBPUSD, they were imported as EURUSD because --symbol says so" in text for text in warned)
    assert any(text.startswith("outliers: 1 (more than three times") for text in warned)
    warned = one(write(tmp_path, "EURUSD.csv", quotes(*prices[:4]))).warnings
    assert warned[0].startswith("3 of 4 rows have bid above ask, more than half")


def test_dropped_rows_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "EURUSD.csv", quotes((1.1, 1.2), (1.3, 1.2), (0.0, 1.2), (1.1, 1.2)))
    output = CliRunner().invoke(data, ["import", "EURUSD.csv"]).output
    assert "  rows: 4 = 2 passed + dropped 1 zero + 1 crossed\n" in output


def test_prices_that_cannot_be_points(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for price in ("1.085e20", "1e308"):
            path = write(tmp_path, "EURUSD.csv", quotes((1.1, 1.2)) + f"2024-05-07 10:01:00Z,{price},1.2\n")
            with pytest.raises(DataError, match=r"EURUSD\.csv:3: bid \S+ is no price of EURUSD"):
                one(path)
        bars = "time,open,high,low,close\n2024-05-07 10:00:00Z,1.1,1e20,1.1,1.1\n"
        with pytest.raises(DataError, match=r"GBPUSD\.csv:2: high 1e\+20 is no price of GBPUSD"):
            one(write(tmp_path, "GBPUSD.csv", bars), timeframe="M1")


def test_repairs_are_told_with_the_data(tmp_path: Path) -> None:
    prices = [(1.1, 1.2)] * 18 + [(1.3, 1.2)] * 2
    one(write(tmp_path, "EURUSD.csv", quotes(*prices)), store=tmp_path / "data")
    context = FeedContext(("EURUSD",), load_instruments(), None, None, tmp_path, 0)
    notes = ParquetFeed(ParquetConfig(), context).facts().notes
    assert list(notes) == ["EURUSD: 2 of 20 imported rows (10.0 %) had bid above ask and were dropped"]


def test_repairs_by_rule_and_kind() -> None:
    counts = {"rows": 10_000, "crossed": 100, "zero": 9, "filler": 3000, "backward": 20, "duplicates": 50}
    kept = Source("x", ("f",), "UTC", {"crossed": "mid", "duplicates": "keep", "backward": "sort"}, counts)
    assert dropped_rows(True, kept) == {"zero": 9, "filler": 3000}
    assert repair_note("EURUSD", True, [kept]) == (
        "EURUSD: 100 of 10,000 imported rows (1.0 %) had bid above ask and were set to their mid, "
        "20 (0.2 %) stepped back in time and were put in order"
    )
    bars = Source("x", ("f",), "UTC", {"crossed": "drop", "duplicates": "drop"}, counts)
    assert "had a negative spread and lost it" in str(repair_note("EURUSD", False, [bars]))
    assert repair_note("EURUSD", True, [Source("x", (), "UTC", {}, {"rows": 10_000})]) is None


def test_names_of_symbols_and_clocks(tmp_path: Path) -> None:
    for name in ("BTCUSD_ticks.csv", "UKX100.csv"):
        path = write(tmp_path, name, quotes((1.1, 1.2)))
        with pytest.raises(DataError, match=r"the name says (\w+), which is not among .* \[instruments\.\1\]"):
            run(path)
    with pytest.raises(UnknownSymbolError, match='did you mean "EURUSD"'):
        run(path, symbol="eurusd")
    plain = write(tmp_path, "EURUSD.csv", quotes((1.1, 1.2)).replace("Z", ""))
    for text, rule in (
        ("utc", "UTC"),
        ("ny+7", "NY+7"),
        ("europe/london", "Europe/London"),
        ("utc-03:30", "UTC-03:30"),
    ):
        assert one(plain, clock=text).source.clock == rule
    with pytest.raises(BittenError, match='clock "nowhere" is unknown'):
        one(plain, clock="nowhere")


def test_columns_are_hinted_at(tmp_path: Path) -> None:
    headless = write(tmp_path, "EURUSD.csv", quotes((1.1, 1.2), (1.1, 1.2)).removeprefix(HEADER))
    with pytest.raises(DataError, match="--columns time=1,bid=2,ask=3"):
        run(headless)
    assert one(headless, columns={"time": "1", "bid": "2", "ask": "3"}).passed == 2
    foreign = tmp_path / "EURUSD.parquet"
    pq.write_table(pa.table({"when": [1], "b": [1.1]}), foreign)
    with pytest.raises(DataError, match=r"with the columns when, b, .* --columns time=\.\.\."):
        run(foreign)


def test_a_damaged_month_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    store = TickStore("data")
    for symbol in ("EURUSD", "GBPUSD"):
        store.add(symbol, load_instruments()[symbol], ticks(range(0, 4000, 500)), SOURCE)
    (damaged,) = Path("data/GBPUSD").iterdir()
    damaged.write_bytes(damaged.read_bytes()[:200])
    assert main(["data", "list"]) == 2
    out, err = capsys.readouterr()
    assert "EURUSD  ticks" in out
    assert "GBPUSD ticks DAMAGED" in out
    assert f"error: {damaged} cannot be read as Parquet" in err


def test_a_missing_store_and_a_future_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["list"], ["check"], ["export", "EURUSD", "-o", "x.csv"]):
        assert main(["data", *command, "--store", "missing"]) == 2
        assert "there is no store missing: name another with --store" in capsys.readouterr().err
    assert main(["data", "fetch", "dukascopy", "EURUSD", "--from", "2150-01-01", "--to", "2150-01-05"]) == 2
    assert "is in the future" in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_list_fits_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from rich.console import Console

    from bitten.commands import data_list

    TickStore(tmp_path).add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(0, 4000, 500)), SOURCE)
    console = Console(width=width, force_terminal=True, color_system=None)
    monkeypatch.setattr(data_list, "plain_console", lambda: console)
    output = CliRunner().invoke(data_list.list_, ["--store", str(tmp_path)]).output
    assert "…" not in output
    assert max(map(len, output.splitlines())) <= width
    assert "1 month, 5 digits, from truefx, clock UTC; settled at import: nothing" in " ".join(output.split())


def test_recovery_needs_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / commit.JOURNAL).write_text("[]", encoding="utf-8")
    monkeypatch.setattr(commit, "take", lambda file, wait: False)
    with pytest.raises(DataError, match="another import is writing"):
        commit.recover(tmp_path)
    assert (tmp_path / commit.JOURNAL).exists()


def test_a_listed_move_without_its_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / commit.JOURNAL).write_text(json.dumps(["EURUSD/2014-05.parquet"]), encoding="utf-8")
    with pytest.raises(DataError, match=r"lists EURUSD/2014-05\.parquet, which is neither in .* nor in place"):
        commit.recover(tmp_path)
    assert (tmp_path / commit.JOURNAL).exists()
