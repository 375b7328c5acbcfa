"""A thousand combinations on ten million ticks: `bitten sweep` as a whole process on two cores.

    python -m benchmarks.sweeps [--runs 5]

Every combination is a pattern of its own (period, width, least stop), its trades follow from the starter's gates.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import pyarrow.parquet as pq
from rich.console import Console

from benchmarks.report import (
    Sheet,
    conclude,
    json_option,
    machine,
    print_machine,
    python,
    quick_option,
    spread,
    touch_memory,
)
from benchmarks.stores import FIVE, make_store, store_folder, until, weeks_of

SYMBOL: Final = "EURUSD"
TICKS: Final = 10_000_000
QUICK: Final = 500_000
JOBS: Final = 2
TOUCH: Final = 1000  # MB, about what a run takes
CONFIG: Final = """\
[feed]
use = "parquet"
store = "{store}"
symbols = ["{symbol}"]
to = "{to}"

[[patterns]]
use = "bb_scalp"
timeframe = "M1"

[[gates]]
use = "band"
low = 50.0

[[gates]]
use = "spread"
atr = 0.5

[[gates]]
use = "slots"

[[gates]]
use = "one_per_symbol"

[[gates]]
use = "risk"
"""
PERIODS: Final = ("10:55:5", "10:20:10")  # ten by ten by ten; quick: two by two by two
WIDTHS: Final = ("1.6:3.4:0.2", "2:2.5:0.5")
STOPS: Final = ("0.5:1.4:0.1", "0.8:1.2:0.4")


def measure_sweep(store: Path, quotes: int, runs: int, quick: bool) -> dict[str, Any]:
    """The sweep `runs` times, after one that warms caches."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        config = folder / "bitten.toml"
        text = CONFIG.format(store=store.as_posix(), symbol=SYMBOL, to=until(weeks_of(quotes, [SYMBOL]) + 3))
        config.write_text(text, encoding="utf-8")
        words = [
            "-m", "bitten", "sweep", str(config), "--output", str(folder), "--jobs", str(JOBS), "--quiet",
            "--name", "bench", "--overwrite", "--grid", f"patterns.bb_scalp.period={PERIODS[quick]}",
            "--grid", f"patterns.bb_scalp.deviations={WIDTHS[quick]}",
            "--grid", f"patterns.bb_scalp.min_stop={STOPS[quick]}",
        ]  # fmt: skip
        measured = []
        for _ in range(runs + 1):
            touch_memory(TOUCH)
            measured.append(python(*words))
        manifest = json.loads((folder / "bench" / "manifest.json").read_text(encoding="utf-8"))
        trades = pq.read_table(folder / "bench" / "sweep.parquet", columns=["trades"])["trades"].to_numpy()
    taken = measured[1:]
    return {
        "combinations": manifest["combinations"], "quotes": manifest.get("quotes", quotes), "jobs": JOBS,
        "trades": int(trades.sum()), "wall": [run.wall for run in taken], "cpu": [run.cpu for run in taken],
        "peak": max(run.peak for run in taken),
    }  # fmt: skip


def sheets(figures: Mapping[str, Any]) -> list[Sheet]:
    """One row."""
    wall = statistics.median(figures["wall"])
    row = [
        f"{figures['combinations']:,}", f"{figures['quotes']:,}", str(len(figures["wall"])), spread(figures["wall"]),
        f"{figures['combinations'] / wall:.1f}", f"{statistics.median(figures['cpu']):.1f}", f"{figures['peak']:.0f}",
        f"{figures['trades']:,}",
    ]  # fmt: skip
    head = (
        "combinations", "quotes each", "runs", "process s: median (spread)", "combinations/s", "cpu s",
        "peak MiB, largest process", "trades of all",
    )  # fmt: skip
    return [Sheet(f"`bitten sweep` of bb_scalp on M1, SYNTHETIC {SYMBOL}, {figures['jobs']} jobs", head, [row])]


@click.command()
@click.option("--runs", default=5, show_default=True)
@quick_option
@json_option
def main(runs: int, quick: bool, to: Path | None) -> None:
    """Measure and print."""
    console = Console(width=150)
    facts = machine()
    print_machine(console)
    stored, ticks, runs = (5_000_000, QUICK, 1) if quick else (100_000_000, TICKS, runs)
    store = store_folder(stored)
    make_store(store, FIVE, weeks_of(stored))
    figures = {"machine": facts, **measure_sweep(store, ticks, runs, quick)}
    conclude(console, figures, sheets(figures), to)


if __name__ == "__main__":
    sys.exit(main())
