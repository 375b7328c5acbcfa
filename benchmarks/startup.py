"""Whole processes, as one types them: `bitten --help`, and a backtest of one day of ticks, warm and cold.

    python -m benchmarks.startup [--runs 7] [--cold 2]

The day is 2 May 2014 of XAUUSD where `../shared/data` is there, else a synthetic one. Cold is a first run after
installation: numba compiles every kernel that the run needs.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.report import (
    ROOT,
    Measured,
    Sheet,
    conclude,
    json_option,
    machine,
    measure,
    print_machine,
    quick_option,
    spread,
)

REAL = "lean/oanda/tick/xauusd/20140502_quote.zip"
CONFIG = """\
[feed]
{feed}
symbols = ["XAUUSD"]

[[patterns]]
use = "kalman_quickfire"
timeframes = ["M1", "M5"]

[[patterns]]
use = "bb_scalp"
timeframes = ["M1", "M5"]
"""
STORED = 'use = "parquet"'
SYNTHETIC = 'use = "synthetic"\nfrom = 2024-04-09\nto = 2024-04-10'


def make_project(folder: Path, data: Path) -> str:
    """A project with one day of gold; what the day is."""
    source = data / REAL
    if source.is_file():
        bitten("data", "import", str(source), "--symbol", "XAUUSD", "--store", str(folder / "data"))
    feed, day = (STORED, "2014-05-02 of XAUUSD, real ticks") if source.is_file() else (SYNTHETIC, "a SYNTHETIC day")
    (folder / "bitten.toml").write_text(CONFIG.format(feed=feed), encoding="utf-8")
    return day


def bitten(*arguments: str, cache: Path | None = None) -> Measured:
    """One run of the program; with `cache`, numba's compiled code goes there and nowhere else."""
    environment = dict(os.environ) | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
    run = measure([sys.executable, "-m", "bitten", *arguments], environment, ROOT)
    if run.status:
        raise SystemExit(f"bitten {' '.join(arguments)} failed with status {run.status}")
    return run


def measure_starts(runs: int, cold: int, data: Path) -> dict[str, Any]:
    """Processes by what they do: `--help` and the backtest by turns, then the backtest without compiled code."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        day = make_project(folder, data)
        config, output, cache = str(folder / "bitten.toml"), str(folder / "runs"), folder / "numba"
        backtest = ("backtest", config, "--output", output)
        bitten(*backtest)  # kernels compiled, files in the page cache
        taken: dict[str, list[Measured]] = {"help": [], "day": [], "cold": []}
        for _ in range(runs):
            taken["help"].append(bitten("--help"))
            taken["day"].append(bitten(*backtest))
        for _ in range(cold):
            shutil.rmtree(cache, ignore_errors=True)
            taken["cold"].append(bitten(*backtest, cache=cache))
    return {"day": day, "processes": {name: figures(some) for name, some in taken.items() if some}}


def figures(runs: list[Measured]) -> dict[str, Any]:
    """Wall seconds of every run, the median's CPU seconds, the highest peak in MiB."""
    return {
        "wall": [run.wall for run in runs],
        "cpu": statistics.median(run.cpu for run in runs),
        "peak": max(run.peak for run in runs),
    }


def sheets(figures: Mapping[str, Any]) -> list[Sheet]:
    """One row for each kind of process."""
    day = f"`bitten backtest`, {figures['day']}"
    names = {"help": "`bitten --help`", "day": day, "cold": "the same, first run: nothing compiled"}
    rows = [
        [names[name], str(len(one["wall"])), spread(one["wall"]), f"{one['cpu']:.2f}", f"{one['peak']:.0f}"]
        for name, one in figures["processes"].items()
    ]
    head = ("whole process", "runs", "wall s: median (spread)", "cpu s", "peak MiB")
    return [Sheet("Start-up: whole processes, from fork to exit", head, rows)]


@click.command()
@click.option("--runs", default=7, show_default=True)
@click.option("--cold", default=2, show_default=True, help="Runs with an empty cache of compiled code.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=ROOT.parent / "shared" / "data",
    show_default="../shared/data",
    help="Folder of real quotes.",
)
@quick_option
@json_option
def main(runs: int, cold: int, data: Path, quick: bool, to: Path | None) -> None:
    """Measure and print."""
    runs, cold = (2, 0) if quick else (runs, cold)
    console = Console(width=130)
    facts = machine()
    print_machine(console)
    found = {"machine": facts, **measure_starts(runs, cold, data)}
    conclude(console, found, sheets(found), to)


if __name__ == "__main__":
    sys.exit(main())
