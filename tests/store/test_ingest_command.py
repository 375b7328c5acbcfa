"""`bitten data import` as people type it: what it prints, how it ends, what it does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bitten.cli import main
from bitten.commands.data_import import import_
from bitten.errors import BittenError
from bitten.store.tickstore import TickStore
from tests.store.importing import write

HEADER = "time,bid,ask\n"
ROWS = "".join(f"2024-05-07 10:00:{second:02}Z,1.1,1.2\n" for second in range(60))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bitten_import(*arguments: str) -> str:
    result = CliRunner().invoke(import_, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_says_what_was_found_counted_and_stored(project: Path) -> None:
    write(project, "EURUSD.csv", HEADER + ROWS + ROWS[-30:] + "2024-05-07 10:01:00Z,1.3,1.2\n")
    output = bitten_import("EURUSD.csv", "--duplicates", "drop")
    assert "EURUSD ticks: columns, EURUSD.csv" in output
    assert "clock UTC: the stamps state their offset from UTC" in output
    assert "2024-05-07 10:00:00.000 to 2024-05-07 10:00:59.000 UTC" in output
    assert "stored: 60 new, 0 already there" in output
    assert output.splitlines()[-2].split() == [
        "EURUSD",
        "ticks",
        "62",
        "1",
        "drop",
        "0",
        "1",
        "drop",
        "0",
        "0",
        "0",
        "60",
    ]
    assert output.splitlines()[-1] == "60 new rows in data"
    assert TickStore("data").holding("EURUSD").rows == 60
    assert "stored: 0 new, 60 already there" in bitten_import("EURUSD.csv", "--duplicates", "drop")


def test_dry_run_stores_nothing(project: Path) -> None:
    write(project, "EURUSD.csv", HEADER + ROWS)
    output = bitten_import("EURUSD.csv", "--dry-run", "--store", "elsewhere")
    assert output.splitlines()[-1] == "dry run, elsewhere was not touched"
    assert not (project / "elsewhere").exists()


def test_every_option_arrives(project: Path) -> None:
    write(
        project,
        "x.csv",
        "2024-05-07 10:00:00,110000,130000,100000,120000\n2024-05-07 09:59:00,110000,130000,100000,120000\n",
    )
    output = bitten_import(
        "x.csv", "--format", "columns", "--symbol", "GBPUSD", "--clock", "EST", "--timeframe", "M1",
        "--scale", "100000",
        "--columns", "time=1,open=2,high=3,low=4,close=5", "--crossed", "mid", "--duplicates", "drop",
        "--backward", "sort", "--on-overlap", "keep", "--store", "other",
    )  # fmt: skip
    assert "clock EST: stated" in output
    assert "prices: integer points, divided by 100000 (stated)" in output
    assert "2 bars without a spread; the instrument's default applies" in output
    assert "2024-05-07 14:59:00.000 to 2024-05-07 15:00:00.000 UTC" in output
    assert TickStore("other").kinds("GBPUSD") == ("M1",)


def test_project_instruments_are_known(project: Path) -> None:
    write(project, "EURILS.csv", HEADER + ROWS)
    with pytest.raises(BittenError, match=r"\[instruments\.EURILS\]"):
        bitten_import("EURILS.csv")
    write(
        project, "bitten.toml",
        '[instruments.EURILS]\ndigits = 4\nbase = "EUR"\nquote = "ILS"\ncontract_size = 100000.0\npip = 0.0001\n'
        "volume_min = 0.01\nvolume_step = 0.01\nvolume_max = 50.0\ndefault_spread = 20\n",
    )  # fmt: skip
    bitten_import("EURILS.csv")
    assert TickStore("data").digits("EURILS") == 4


def test_skipped_files_are_named(project: Path) -> None:
    for i in range(12):
        write(project, f"q/notes{i:02}.md", "# Notes\n")
    write(project, "q/EURUSD.csv", HEADER + ROWS)
    output = bitten_import("q")
    assert "skipped q/notes00.md: the file has one line only" in output.replace("\\", "/")
    assert "skipped 2 more files that hold no quotes" in output


def test_warnings_are_printed(project: Path) -> None:
    write(project, "EURUSD.csv", HEADER + "2024-05-07 10:00:00Z,1.1000001,1.2\n")
    assert "warning: 1 prices have more than 5 decimals and were rounded" in bitten_import("EURUSD.csv")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--columns", "time"), '"time" is not of the form role=column, as in time=Date'),
        (("--crossed", "keep"), "'keep' is not one of 'drop', 'mid'"),
        (("--scale", "0"), "0.0 is not in the range x>0"),
    ],
)
def test_wrong_options_end_in_usage_errors(project: Path, arguments: tuple[str, ...], reason: str) -> None:
    write(project, "EURUSD.csv", HEADER + ROWS)
    result = CliRunner().invoke(import_, ["EURUSD.csv", *arguments])
    assert result.exit_code == 2
    assert reason in result.output


def test_unknown_timeframe_lists_the_known(project: Path) -> None:
    write(project, "EURUSD.csv", HEADER + ROWS)
    with pytest.raises(BittenError, match='timeframe "M4" is unknown'):
        bitten_import("EURUSD.csv", "--timeframe", "M4")


def test_interrupted_import_keeps_the_store_and_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "EURUSD.csv", HEADER + ROWS)

    def interrupt(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bitten.store.transaction.Transaction.add", interrupt)
    with pytest.raises(click.Abort) as aborted:  # bitten.cli prints its cause
        import_.main(["EURUSD.csv"], standalone_mode=False)
    assert str(aborted.value.__cause__) == "data is whole; the same command again completes the import"
    assert TickStore("data").symbols() == ()


def test_terminals_see_a_progress_bar(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "EURUSD.csv", HEADER + ROWS)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "EURUSD.csv" in bitten_import("EURUSD.csv")
    assert TickStore("data").holding("EURUSD").rows == 60


def test_command_line_ends_with_2_and_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, "EURUSD.csv", HEADER + ROWS + "2024-05-07 09:00:00Z,1.1,1.2\n")
    assert main(["data", "import", "EURUSD.csv"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: EURUSD.csv:62: time steps back")
    assert error.count("\n") == 1
    assert main(["data", "import", "EURUSD.csv", "--backward", "drop"]) == 0
    assert "1 rows were left out until time had caught up" in capsys.readouterr().out


def test_help_loads_neither_arrow_nor_numpy() -> None:
    code = (
        "import sys; from bitten.commands.data_import import import_; "
        "print([name for name in ('pyarrow', 'numpy', 'rich') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
