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
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.report import Measured, measure, print_machine, spread
from benchmarks.workplace import ROOT

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
def main(runs: int, cold: int, data: Path) -> None:
    """Measure and print."""
    console = Console(width=130)
    print_machine(console)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        day = make_project(folder, data)
        config, output, cache = str(folder / "bitten.toml"), str(folder / "runs"), folder / "numba"
        backtest = ("backtest", config, "--output", output)
        bitten(*backtest)  # kernels compiled, files in the page cache
        taken: dict[str, list[Measured]] = {"bitten --help": [], f"bitten backtest, {day}": []}
        for _ in range(runs):
            for name, words in zip(taken, (("--help",), backtest), strict=True):
                taken[name].append(bitten(*words))
        first = taken.setdefault("the same, first run: nothing compiled", [])
        for _ in range(cold):
            shutil.rmtree(cache, ignore_errors=True)
            first.append(bitten(*backtest, cache=cache))
    table = Table("whole process", "runs", "wall s: median (spread)", "cpu s", "peak MiB")
    for name, measured in taken.items():
        if measured:
            cpu = statistics.median(run.cpu for run in measured)
            peak = max(run.peak for run in measured)
            walls = [run.wall for run in measured]
            table.add_row(name, str(len(measured)), spread(walls), f"{cpu:.2f}", f"{peak:.0f}")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
