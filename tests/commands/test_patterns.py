"""`bitten patterns`: the list, and the page of examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bitten import cli
from bitten.commands import patterns as command
from bitten.manager import Manager
from tests.test_history import write_bars


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["patterns", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_names_every_pattern_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "list")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines()[1:] if line}
    assert set(Manager().registry("patterns")) <= set(rows)
    assert "Mean reversion of a spike" in rows["kalman_quickfire"]


def test_a_page_beside_the_source_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "mine" / "deep.py"
    module.parent.mkdir()
    module.write_text("class Mine:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    from mine.deep import Mine  # type: ignore[import-not-found]

    assert command.page_of("mine", Mine) is None
    page = tmp_path / "docs" / "patterns" / "mine.md"
    page.parent.mkdir(parents=True)
    page.write_text("# mine\n")
    assert command.page_of("mine", Mine) == Path("docs/patterns/mine.md")


def test_show_draws_examples_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_bars(Path("EURUSD_M1.csv"), 3000)
    words = ("show", "kalman_quickfire", "--data", str(path), "--clock", "UTC")
    code, out, err = run(capsys, *words, "--params", "arm_z=2.5", "--output", "page.html")
    assert (code, err) == (0, "")
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("<article>") == page.count('<svg class="signal"') == 6
    assert "6 examples in page.html" in out
    signals = int(re.search(r"(\d+) signals on ", out)[1])  # type: ignore[index]
    assert f"<strong>{signals} signals</strong>" in page
    assert "parameters: arm_z=2.5" in page
    assert "SYNTHETIC" not in page
    assert "<script" not in page and "http://" not in page and "https://" not in page
    run(capsys, *words, "--params", "arm_z=2.5", "--output", "again.html")
    assert Path("again.html").read_text(encoding="utf-8") == page


def test_without_data_the_page_says_synthetic(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(command.webbrowser, "open", opened.append)
    code, out, _ = run(capsys, "show", "kalman_quickfire", "--examples", "2", "--open")
    assert code == 0
    page = Path("kalman_quickfire.html").read_text(encoding="utf-8")
    assert "SYNTHETIC" in page and "SYNTHETIC" in out
    assert page.count("<article>") == 2
    assert opened == [Path("kalman_quickfire.html").resolve().as_uri()]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["kalman"], 'pattern "kalman" is unknown: '),
        (["kalman_quickfir"], 'pattern "kalman_quickfir" is unknown: did you mean "kalman_quickfire"?'),
        (["bb_scalp", "--data", "nowhere.csv"], "nowhere.csv: there is no such file or folder"),
        (["bb_scalp", "--timeframe", "M7"], 'timeframe "M7" is unknown: allowed are M1'),
        (["bb_scalp", "--symbol", "EURUSDD"], 'did you mean "EURUSD"?'),
        (["bb_scalp", "--params", "perod=3"], 'unknown key "perod" in params: did you mean "period"?'),
        (["bb_scalp", "--params", "warm_up=90000"], "bb_scalp gave no signal on "),
        (["bb_scalp", "--output", "no/such/folder.html", "--examples", "1"], "no/such/folder.html cannot be written"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], words: list[str], found: str) -> None:
    code, _, err = run(capsys, "show", *words)
    assert code == 2
    assert found in err and err.count("\n") == 1
    assert not list(Path().glob("*.html"))


def test_a_timeframe_that_the_bars_cannot_make(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_bars(Path("EURUSD_M5.csv"), 400, "M5")
    code, _, err = run(capsys, "show", "bb_scalp", "--data", str(path), "--clock", "UTC", "--timeframe", "M1")
    assert code == 2
    assert err == (
        "error: EURUSD comes as M5 bars, of which no M1 bars can be made: possible are M5, M10, M15, M30, H1, H2, "
        "H4, H6, H8, H12, D1\n"
    )
