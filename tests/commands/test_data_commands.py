from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bitten.cli import main
from bitten.commands.data import COMMANDS, data
from bitten.errors import DataError
from bitten.research import load
from bitten.store import export as export_module
from bitten.store.columns import NO_SPREAD, BarColumns, Source, TickColumns
from bitten.store.tickstore import TickStore
from tests.feeds.builders import INSTRUMENTS, MS, SOURCE, START, bars, ticks


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TickStore:
    """A store in ./data of a project: EURUSD ticks and bars, synthetic gold."""
    monkeypatch.chdir(tmp_path)
    made = TickStore("data", 100)
    made.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(0, 400_000, 500)), SOURCE)
    some = bars(range(90))
    spread = np.where(np.arange(90) % 9, some.spread, NO_SPREAD)
    minutes = BarColumns("M1", some.time, some.open, some.high, some.low, some.close, spread, some.volume)
    made.add("EURUSD", INSTRUMENTS["EURUSD"], minutes, Source("mt5_bars", ("b.csv",), "NY+7", {}, {"no_spread": 10}))
    gold = TickColumns(START + np.arange(3) * MS, np.array([1_300_001, 1_300_020, 1_300_300]), np.full(3, 1_300_400))
    made.add("XAUUSD", INSTRUMENTS["XAUUSD"], gold, Source("demo", ("seed 1",), "UTC", synthetic=True))
    return made


def run(*arguments: str) -> Any:
    return CliRunner(catch_exceptions=False).invoke(data, list(arguments))


def test_help_imports_no_heavy_module() -> None:
    code = (
        "import sys; from bitten.cli import main; main(['data', '--help']);"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'numba', 'rich', 'msgspec'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, line) in COMMANDS.items():
        assert name in done.stdout
        assert line.split()[0] in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_helps(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


def test_a_mistyped_command_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "exprot"]) == 2
    assert 'no command "exprot": did you mean "export"?' in capsys.readouterr().err


def test_list_says_what_is_held(store: TickStore) -> None:
    lines = [" ".join(line.split()) for line in run("list").output.splitlines()]
    assert lines[1] == (
        f"EURUSD ticks 800 1 {store.holding('EURUSD').size / 1000:.1f} kB 5 "
        "2014-05-01 00:00:00.000 2014-05-01 00:06:39.500 truefx UTC nothing"
    )
    assert lines[2].endswith("2014-05-01 01:29:00.000 mt5_bars NY+7 no_spread 10")
    assert lines[3].startswith("XAUUSD SYNTHETIC ticks 3")
    one = run("list", "EURUSD", "--sources").output
    assert "XAUUSD" not in one
    assert "EURUSD ticks from truefx: a.csv\n  clock UTC; crossed: drop\n  rows 3" in one


def test_list_of_nothing_says_how_to_begin(tmp_path: Path) -> None:
    assert "holds nothing yet; bring quotes in with `bitten data import" in run("list", "--store", str(tmp_path)).output


def test_an_unknown_symbol_ends_in_one_line(store: TickStore, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["list", "EURUSE"], ["check", "EURUSE"], ["export", "EURUSE", "-o", "x.csv"]):
        assert main(["data", *command]) == 2
        error = capsys.readouterr().err
        assert error.startswith('error: the store data holds no EURUSE: did you mean "EURUSD"?')
        assert error.count("\n") == 1


def test_check_prints_a_table_and_draws_a_picture(store: TickStore) -> None:
    result = run("check", "EURUSD")
    assert "EURUSD ticks\n" in result.output
    assert "EURUSD M1\n" in result.output
    assert "gaps" in result.output
    assert "no spread 10 bars; the instrument's default applies" in " ".join(result.output.split())
    assert "▁" not in result.output  # no terminal
    assert sorted(path.name for path in Path("data/checks").iterdir()) == ["EURUSD-M1.svg", "EURUSD-ticks.svg"]
    assert TickStore("data").symbols() == ("EURUSD", "XAUUSD")
    elsewhere = run("check", "--bars", "M1", "EURUSD", "--pictures", "pictures")
    assert "EURUSD ticks" not in elsewhere.output
    assert [path.name for path in Path("pictures").iterdir()] == ["EURUSD-M1.svg"]
    assert "XAUUSD ticks SYNTHETIC" in run("check").output


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_check_draws_in_a_terminal(store: TickStore) -> None:
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "bitten", "data", "check", "EURUSD"],
        stdout=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    output = b""
    try:
        while piece := os.read(ours, 65536):
            output += piece
    except OSError:
        pass  # how Linux says that the other end has closed
    os.close(ours)
    assert done.wait() == 0
    assert "rows per day             █" in output.decode()


def test_export_writes_decimals_as_people_do(store: TickStore) -> None:
    Path("out").mkdir()
    result = run("export", "EURUSD", "-o", "out/e.csv")
    assert "800 rows of EURUSD ticks in out/e.csv" in result.output
    lines = Path("out/e.csv").read_text().splitlines()
    assert lines[:3] == [
        "time,bid,ask", "2014-05-01 00:00:00.000Z,1.38000,1.38008", "2014-05-01 00:00:00.500Z,1.38007,1.38015",
    ]  # fmt: skip
    assert len(lines) == 801
    run("export", "XAUUSD", "-o", "x.csv.gz")
    with gzip.open("x.csv.gz", "rt") as file:
        assert file.read().splitlines()[1] == "2014-05-01 00:00:00.000Z,1300.001,1300.400"


def test_export_of_bars_keeps_absent_spreads_absent(store: TickStore) -> None:
    run("export", "EURUSD", "--bars", "M1", "-o", "b.csv")
    lines = Path("b.csv").read_text().splitlines()
    assert lines[1] == "2014-05-01 00:00:00.000Z,1.38000,1.38010,1.37991,1.38004,,100"
    assert lines[2] == "2014-05-01 00:01:00.000Z,1.38001,1.38011,1.37992,1.37997,5,101"


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_export_for_other_tools(store: TickStore, suffix: str) -> None:
    run("export", "EURUSD", "-o", f"e.{suffix}", "--from", "2014-05-01T00:01", "--to", "2014-05-01T00:02")
    path = f"e.{suffix}"
    table = pq.read_table(path) if suffix == "parquet" else feather.read_table(path)
    assert table.schema.field("time").type == pa.timestamp("ns", tz="UTC")
    assert table.num_rows == 120
    pd.testing.assert_frame_equal(
        table.to_pandas().set_index("time"), load("EURUSD", "2014-05-01T00:01", "2014-05-01T00:02"), check_freq=False
    )


def test_an_export_can_be_imported_again(store: TickStore) -> None:
    for what in ((), ("--bars", "M1")):
        run("export", "EURUSD", *what, "-o", "EURUSD.csv")
        assert run("import", "EURUSD.csv", "--store", "copy").exit_code == 0
    copy = TickStore("copy")
    for kind in ("ticks", "M1"):
        assert copy.holding("EURUSD", kind).fingerprint == store.holding("EURUSD", kind).fingerprint


def test_an_export_appears_whole_or_not_at_all(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("e.csv").write_text("before")
    real = export_module.decimal_table
    calls = []

    def failing(*arguments: Any, **rest: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **rest)

    monkeypatch.setattr(export_module, "decimal_table", failing)
    with pytest.raises(KeyboardInterrupt):
        export_module.export(store, "EURUSD", "ticks", Path("e.csv"))
    assert Path("e.csv").read_text() == "before"
    assert not list(Path.cwd().glob(".e.csv*"))


def test_wrong_arguments_are_explained(store: TickStore, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, text in (
        (["-o", "e.xlsx"], 'e.xlsx: the format "xlsx" is unknown: allowed are arrow, csv, parquet'),
        (
            ["-o", "e.csv", "--from", "2020-01-01"],
            "holds no EURUSD ticks in that range of time: they run from 2014-05-01",
        ),
        (["-o", "e.csv", "--from", "soon"], '"soon" is no date: write 2014-05-01'),
        (["-o", "e.csv", "--from", "2014-05-02", "--to", "2014-05-01"], "--from is not before --to"),
        (["-o", "e.csv", "--bars", "M5"], "holds no M5 bars of EURUSD; it holds ticks, M1 of it"),
    ):
        assert main(["data", "export", "EURUSD", *arguments]) == 2
        assert text in capsys.readouterr().err
        assert not Path("e.csv").exists()


def test_load_gives_decimal_prices_by_utc_time(store: TickStore) -> None:
    frame = load("EURUSD")
    assert frame.index.name == "time"
    assert str(frame.index.dtype) == "datetime64[ns, UTC]"
    assert frame.columns.tolist() == ["bid", "ask"]
    assert frame.iloc[1].tolist() == [1.38007, 1.38015]
    minutes = load("EURUSD", bars="M1", store=store.path)
    assert minutes.columns.tolist() == ["open", "high", "low", "close", "spread", "volume"]
    assert np.isnan(minutes["spread"].iloc[0])
    assert minutes.iloc[1].tolist() == [1.38001, 1.38011, 1.37992, 1.37997, 5.0, 101.0]


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [
        ("2014-05-01T00:00:10", None, 780),
        (None, "2014-05-01T02:00:10+02:00", 20),
        (pd.Timestamp("2014-05-01 00:00:10", tz="UTC"), pd.Timestamp("2014-05-01 00:00:20"), 20),
        (pd.Timestamp("2014-05-01").date(), None, 800),
        ("2015-01-01", None, 0),
    ],
)
def test_load_takes_dates_as_people_state_them(store: TickStore, start: Any, end: Any, rows: int) -> None:
    frame = load("EURUSD", start, end)
    assert len(frame) == rows
    assert frame.columns.tolist() == ["bid", "ask"]
    assert str(frame.index.dtype) == "datetime64[ns, UTC]"


def test_load_explains_what_it_cannot_read(store: TickStore) -> None:
    with pytest.raises(DataError, match='"whenever" is no date'):
        load("EURUSD", "whenever")
    with pytest.raises(DataError, match="holds no GBPUSD"):
        load("GBPUSD")
