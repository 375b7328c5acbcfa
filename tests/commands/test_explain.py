import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from bitten import cli
from bitten.commands.explain import explain
from tests.analysis.made_run import as_table
from tests.analysis.story_run import GATES, SIGNALS, project, story_run

CODE = "import sys, bitten.cli; code = bitten.cli.main(); print(code, 'pandas' in sys.modules, file=sys.stderr)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, the second newer, whose gates are installed everywhere."""
    there = project(tmp_path_factory.mktemp("explained"))
    for number, name in enumerate(("older", "newer")):
        run = story_run(there, name, gates=list(GATES[1:]))
        path = run.folder / "manifest.json"
        manifest = json.loads(path.read_text()) | {"created": f"2025-0{number + 1}-01 00:00:00"}
        path.write_text(json.dumps(manifest))
    for table in ("signals", "fires", "trades"):
        without(there / "runs" / "newer" / f"{table}.parquet", "by-target")
    return there


def without(path: Path, signal: str) -> None:
    rows = pq.read_table(path)
    pq.write_table(rows.filter(pa.array([name != signal for name in rows["signal_id"].to_pylist()])), path)


def invoke(folder: Path, *words: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(explain, [*words, "--runs-dir", str(folder / "runs")])


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    assert cli.main(["explain", *words, "--runs-dir", str(folder / "runs")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_newest_run_that_holds_the_id(folder: Path) -> None:
    assert "by-stop  run newer" in invoke(folder, "by-stop").stdout
    assert "by-target  run older" in invoke(folder, "by-target").stdout
    assert "by-stop  run older" in invoke(folder, "by-stop", "--run", "older").stdout
    assert "by-stop  run older" in invoke(folder, "by-stop", "--run", str(folder / "runs" / "older")).stdout


@pytest.mark.parametrize(
    ("id", "line"),
    [
        ("by-target", "fired 2.50 lots at 1.38007, closed by target, +1.25 R"),
        ("banded", "refused for account main by gate band: confidence was 92.0, the band ends at 89.0"),
        ("unfilled", "expired unfilled: no quote in time, the order was good until 2014-05-01 01:50:10"),
    ],
)
def test_the_first_line_is_the_answer_and_all_of_it_fits_a_screen(folder: Path, id: str, line: str) -> None:
    lines = invoke(folder, id, "--run", "older").stdout.splitlines()
    assert lines[0].rstrip() == line
    assert len(lines) < 40
    steps = [word for word in (text.split(" ")[0] for text in lines[2:]) if word]
    told = ["mission", "size", "fill", "exit"] if id == "by-target" else ["mission"]
    assert [word for word in steps if word in ("mission", "size", "fill", "exit")][: len(told)] == told
    assert {"signal", "gates", "outcome", "M1"} <= set(steps)


def test_json_and_a_page(folder: Path, tmp_path: Path) -> None:
    facts = json.loads(invoke(folder, "by-target", "--json").stdout)
    assert facts["headline"].startswith("fired 2.50 lots")
    assert facts["account"]["fire"]["sizing"]["equity"] == 10_000.0
    assert facts["signal"]["id"] == "by-target"
    page = tmp_path / "why.html"
    result = invoke(folder, "by-target", "--html", str(page))
    assert result.stdout.splitlines() == [facts["headline"], str(page)]
    text = page.read_text(encoding="utf-8")
    assert "Fired 2.50 lots at 1.38007" in text
    assert text.count("<svg") == 1


def test_a_page_that_cannot_be_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, folder, "by-target", "--html", str(tmp_path / "no" / "such" / "why.html"))
    assert "cannot be written: No such file or directory; name another file with --html" in error


def test_the_list_and_its_filters(folder: Path) -> None:
    text = invoke(folder, "--list", "--run", "older").stdout
    ids = [line.split(" ")[0] for line in text.splitlines()[1:-1]]
    assert ids == [name for name, *_ in SIGNALS]
    assert re.search(r"by-stop +2014-05-01 01:20:00 +82.0 +fired: stop +−1.02", text)
    assert re.search(r"second .* refused: slots", text)
    assert re.search(r"jumped .* rejected", text)
    assert "11 signals in run older" in text

    def listed(*words: str) -> list[str]:
        lines = invoke(folder, *words, "--run", "older").stdout.splitlines()
        return [line.split(" ")[0] for line in lines[1:-1]]

    assert listed("--list", "--refused") == ["banded", "wide", "second"]
    assert listed("--expired") == ["unfilled"]
    assert listed("--fired") == ["by-target", "by-stop", "by-time", "first", "vetoed", "at-the-end"]
    assert listed("--fired", "--limit", "2") == ["vetoed", "at-the-end"]
    assert "the last 2 signals of 6" in invoke(folder, "--fired", "--limit", "2", "--run", "older").stdout
    assert listed("--pattern", "signals_file", "--symbol", "EURUSD", "--refused") == ["banded", "wide", "second"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "name a signal or a fire, or list them with --list"),
        (("by-stop", "--list"), "an id is explained, --list and its filters look for ids"),
        (("by-tarket",), 'no signal or fire "by-tarket" in any of 2 runs'),
        (("by-tarket", "--run", "older"), 'in run older: did you mean "by-target"'),
        (("by-",), "give more of it, or `bitten explain --list` lists signals with their fate"),
        (("by-stop", "--account", "mian"), 'the run has no account "mian": did you mean "main"?'),
        (("by-stop", "--run", "oldr"), 'there is no run "oldr"'),
        (("--list", "--symbol", "EURUSB"), 'the run has no signal of symbol "EURUSB": did you mean "EURUSD"?'),
    ],
)
def test_mistakes_are_answered_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], error: str
) -> None:
    assert error in refused(capsys, folder, *words)


def test_a_fire_without_its_signal(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder / "runs" / "older", tmp_path / "runs" / "torn")
    without(tmp_path / "runs" / "torn" / "signals.parquet", "by-stop")
    assert "tells of a fire of by-stop, but not of that signal: run it again" in refused(capsys, tmp_path, "by-stop")


def test_no_runs_and_runs_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs" / "broken").mkdir(parents=True)
    assert "holds no finished run" in refused(capsys, tmp_path, "s1")
    (tmp_path / "runs" / "broken" / "manifest.json").write_text("{", encoding="utf-8")
    assert cli.main(["explain", "s1", "--runs-dir", str(tmp_path / "runs")]) == 2
    assert "passed over: " in capsys.readouterr().err


def test_explaining_imports_no_pandas_and_is_light(folder: Path) -> None:
    for words in (["by-stop"], ["--list"], ["by-stop", "--json"]):
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        result = subprocess.run(
            [sys.executable, "-c", CODE, "explain", *words], cwd=folder, capture_output=True, text=True, env=environment
        )
        assert result.stderr.splitlines()[-1] == "0 False", result.stdout + result.stderr


def test_a_signal_among_many_is_found_in_a_moment(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "big"
    run.mkdir(parents=True)
    for name in ("manifest.json", "summary.json"):
        (run / name).write_bytes((folder / "runs" / "older" / name).read_bytes())
    size, gates = 15_000, ("band", "spread", "slots", "risk", "more", "last")
    ids = [f"signal-{i:05d}" for i in range(size)]
    fixed = {"symbol": ["EURUSD"] * size, "pattern": ["p"] * size, "side": ["buy"] * size, "confidence": [80.0] * size}
    signals = {"signal_id": ids, "timeframe": ["M1"] * size, "time": list(range(size)), "relative": [False] * size}
    pq.write_table(as_table("signals", signals | fixed), run / "signals.parquet")
    answers = {
        "signal_id": [name for name in ids for _ in gates],
        "account": ["main"] * size * len(gates),
        "time": [i for i in range(size) for _ in gates],
        "gate": list(gates) * size,
        "verdict": ["passed", "passed", "passed", "passed", "passed", "refused"] * size,
        "reason": [None, None, None, None, None, "enough"] * size,
    }
    pq.write_table(as_table("decisions", answers), run / "decisions.parquet")
    started = time.process_time()
    result = invoke(tmp_path, "signal-12345", "--json")
    assert json.loads(result.stdout)["headline"] == "refused for account main by gate last: enough"
    assert time.process_time() - started < 1.0
