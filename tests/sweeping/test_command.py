"""`bitten sweep` as a person types it, and what `bitten runs` says of its folder."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

import bitten
from bitten import cli
from bitten.commands.sweep import progress_bar, sweep
from bitten.manager import Manager
from bitten.sweeping.table import COLUMNS, make_table
from bitten.sweeping.terminal import print_sweep
from tests.sweeping.made import OPTIONS, SMALL_BATCHES, SOURCE, grid_of, project

FIGURES = {
    "trades": 1234, "win_rate": 0.5, "profit_factor": 0.75, "expectancy_r": -0.5, "net": -123_456.78,
    "max_drawdown": 0.25, "sharpe": -2.5, "sqn": -1.25,
}  # fmt: skip
ROOT = Path(__file__).parents[2]
MANAGER = Manager()


def typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return project(tmp_path)


def test_a_sweep_and_what_runs_says_of_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = typed(capsys, "sweep", *OPTIONS, "--jobs", "1", "--sort", "max_drawdown", "--rows", "2")
    assert (code, err) == (0, "")
    table = bitten.Sweep.open(here / "runs" / "sweep-0001").table
    depths = sorted(table["max_drawdown"].to_pylist())
    shown = [line.split() for line in out.splitlines()[2:7]]
    assert [row[-3] for row in shown[:2]] == [f"{depth * 100:.2f}" for depth in depths[:2]]
    assert set(shown[2]) == {"…"}
    assert [row[-3] for row in shown[3:]] == [f"{depth * 100:.2f}" for depth in depths[-2:]]
    for text in ("12 combinations", "SYNTHETIC", "drawdown ↑", "Selection bias: the best of 12", "Latency 0 ms"):
        assert text in out
    assert str(here / "runs" / "sweep-0001" / "report.html") in out

    assert typed(capsys, "backtest", "--quiet")[0] == 0
    code, out, _ = typed(capsys, "runs", "list")
    assert code == 0
    assert out.index("backtest-0001 †") < out.index("sweep-0001 †")
    assert "patterns.bb_scalp.period, costs.commission_per_lot, gates.risk.percent" in out
    code, out, _ = typed(capsys, "runs", "show", "sweep-0001")
    assert code == 0
    assert "drawdown ↑" in out
    code, _, err = typed(capsys, "runs", "diff", "backtest-0001", "sweep-0001")
    assert code == 2
    assert err == 'error: "sweep-0001" is a sweep, no single run; `bitten runs show sweep-0001` shows it\n'


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_figure_is_cut_however_narrow_the_terminal(width: int) -> None:
    table = make_table(grid_of("run.seed=1,2"), {i: {**dict.fromkeys(COLUMNS), **FIGURES} for i in range(2)})
    manifest = {"combinations": 2, "sort": "sqn", "axes": [{"column": "seed", "key": "run.seed", "values": [1, 2]}]}
    out = io.StringIO()
    print_sweep(Console(file=out, width=width, force_terminal=True, color_system=None), table, manifest, rows=1)
    lines = out.getvalue().splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("no."))
    heads, first = lines[at], lines[at + 1]
    assert len(first) <= width
    for heading, cell in (
        ("trades", "1,234"),
        ("R", "−0.500"),
        ("net", "−123,456.78"),
        ("factor", "0.75"),
        ("sqn", "−1.25"),
    ):
        assert (heading in heads) is (cell in first)
    assert "sqn ↓" in heads
    assert ("factor" in heads) is (width == 120)
    assert "…" not in first


def test_quiet_prints_the_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(
        capsys, "sweep", "--grid", "patterns.slow.period=10", "--quiet", "--name", "mine", "--jobs", "1"
    )
    assert (code, out) == (0, f"{here / 'runs' / 'mine'}\n")


def test_the_table_of_the_file_is_swept_and_the_option_replaces_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (here / "bitten.toml").open("a", encoding="utf-8") as file:
        file.write('[sweep]\n"patterns.slow.period" = [10, 20]\ncosts.commission_per_lot = "0:2:1"\n')
    assert typed(capsys, "sweep", "--quiet", "--jobs", "1", "--name", "file")[0] == 0
    assert bitten.Sweep.open(here / "runs" / "file").axes == {"period": [10, 20], "commission_per_lot": [0, 1, 2]}
    assert typed(capsys, "sweep", "--quiet", "--jobs", "1", "--name", "option", "--grid", "run.seed=1,2")[0] == 0
    assert bitten.Sweep.open(here / "runs" / "option").axes == {"seed": [1, 2]}
    assert typed(capsys, "backtest", "--quiet")[0] == 0  # a run passes the table over


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to sweep: give --grid KEY=VALUES"),
        (("--grid", "patterns.bb_scalp.perod=1"), 'unknown key "perod" in patterns.params: did you mean "period"?'),
        (("--grid", "patterns.bb_scalp.period=10:1:5"), "10:1:5 never arrives"),
        (("--grid", "run.seed=1,2", "--grid", "run.seed=3"), "run.seed is swept twice"),
        (("--grid", "run.seed=1,2", "--sort", "nett"), 'no figure "nett": did you mean "net"?'),
        (("--grid", "run.seed=1,2", "--jobs", "0"), "0 is not in the range"),
        (("nothing.toml", "--grid", "run.seed=1,2"), "nothing.toml does not exist"),
        (("--grid", "feed.use=parquet", "--name", "x"), "the store"),
        (("--grid", "run.seed=1,2", "--name", "a/b"), "cannot be a folder"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = typed(capsys, "sweep", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (here / "runs").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_ctrl_c_ends_the_workers_and_says_how_to_go_on(here: Path) -> None:
    command = [
        sys.executable,
        "-c",
        SMALL_BATCHES,
        "sweep",
        "--grid",
        "gates.risk.percent=0.001:2:0.001",
        "--jobs",
        "2",
    ]
    process = subprocess.Popen(
        command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    rows = here / "runs" / ".sweep-0001.part" / "rows.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (rows.exists() and rows.stat().st_size):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # a terminal tells the whole group
    _, err = process.communicate(timeout=20)  # it returns when no worker holds the pipe any more
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("interrupted: ")
    assert err.endswith(" of 2,000 combinations are done and kept; run the same command again to continue\n")
    assert "Traceback" not in err
    assert rows.read_bytes().endswith(b"}\n")


def test_the_bar_counts_combinations_and_starts_with_the_work() -> None:
    out = io.StringIO()
    with progress_bar(Console(file=out, force_terminal=True, width=120)) as follow:
        follow(342.0, 1000, 342)
        follow(400.4, 1000, 342)
    assert "342 of 1,000 combinations were done before" in out.getvalue()
    assert "400 of 1,000 combinations" in out.getvalue()
    plain = io.StringIO()
    with progress_bar(Console(file=plain, force_terminal=False)) as follow:
        follow(0.0, 1000, 0)
        follow(10.0, 1000, 0)
    assert plain.getvalue() == ""


def test_every_example_is_a_grid_that_runs() -> None:
    """Those of the help, of docs/sweep.md and of the README, over both bundled patterns."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/sweep.md")]
    examples = re.findall(r"--grid (\S+=\S+)", "\n".join([*texts, sweep.help or ""]))
    assert len(examples) > 8
    gates = [{"use": "spread", "atr": 0.5}, {"use": "band"}, {"use": "slots"}, {"use": "risk"}]
    source = {"feed": SOURCE["feed"], "patterns": [{"use": "bb_scalp"}, {"use": "kalman_quickfire"}], "gates": gates}
    for text in examples:
        if text != "KEY=VALUES":
            grid = grid_of(text, source=source)
            assert [grid.config(i, MANAGER) for i in range(len(grid))]
