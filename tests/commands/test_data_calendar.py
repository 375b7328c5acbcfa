"""`bitten data calendar` as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitten.cli import main

ROWS = """Date,Time,Currency,Impact,Event
2014-05-02,8:30am,USD,High,Non-Farm Payrolls
2014-05-02,10:00am,USD,Medium,Factory Orders
2014-05-08,7:45am,EUR,High,Rate decision
2014-05-05,All Day,GBP,Holiday,May Day
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["data", "calendar", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news.csv").write_text(ROWS)
    return Path("news.csv")


def test_import_twice_and_list(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "import", str(file), "--clock", "America/New_York")
    assert code == 0
    assert "3 events; 3 without a zone, read as America/New_York" in out
    assert "1 without a time of day left out" in out
    assert "3 new, 0 already there or repeated; data/calendar.parquet holds 3" in out
    _, out, _ = run(capsys, "import", str(file), "--clock", "America/New_York")
    assert "0 new, 3 already there or repeated" in out
    _, out, _ = run(capsys, "list", "--impact", "high")
    assert "2014-05-02 12:30:00  USD       high    Non-Farm Payrolls" in out
    assert "2 of the 3 events" in out and "Factory" not in out
    _, out, _ = run(capsys, "list", "--currency", "eur", "--from", "2014-05-08", "--to", "2014-05-09")
    assert "Rate decision" in out and "1 of the 3 events" in out
    _, out, _ = run(capsys, "list", "--from", "2015-01-01")
    assert out == "0 of the 3 events in data/calendar.parquet\n"


def test_bad_rows_refuse_or_are_left_out(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(ROWS + "2014-05-09,soon,USD,High,A\n2014-05-09,9:00,USD,Huge,B\n")
    code, _, err = run(capsys, "import", str(file))
    assert code == 2
    assert err.startswith('error: news.csv:6: "2014-05-09 soon" is no date and time')
    assert "(bad rows in all: 2); nothing was imported" in err
    assert not Path("data").exists()
    code, out, _ = run(capsys, "import", str(file), "--bad-rows", "skip")
    assert code == 0 and "bad rows: 2" in out and "left out news.csv:7: impact" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "none.csv"), "none.csv cannot be read: No such file or directory"),
        (("import", "news.csv", "--clock", "Londn"), 'clock "Londn" is unknown'),
        (("list",), "there is no calendar data/calendar.parquet: make it with `bitten data calendar import FILE"),
        (("list", "--impact", "hgh"), 'no impact "hgh": did you mean "high"?'),
        (("list", "--from", "2015-01-01", "--to", "2014-01-01"), "--from is not before --to"),
    ],
)
def test_errors_are_one_line(
    arguments: tuple[str, ...], words: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2 and words in err
    assert not Path("data").exists()


def test_nothing_that_can_be_used(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("time,currency,impact,event\n")
    code, _, err = run(capsys, "import", str(file))
    assert code == 2 and "no event can be used" in err
