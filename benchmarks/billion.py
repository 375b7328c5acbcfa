"""A billion quotes: wall time, memory, and the cost of a quote at three lengths, each in a process of its own.

    python -m benchmarks.billion [--runs 3] [--long-runs 1]

The store holds a hundred million synthetic quotes of ten symbols; longer histories are the store again and again,
decoded anew and shifted in time by whole weeks.
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
from rich.console import Console

from benchmarks.cycled import PLUGIN
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
from benchmarks.stores import LONG, STRATEGIES, TEN, make_store, store_folder, until, weeks_of
from bitten.backtesting import run_config
from bitten.config import read_config
from bitten.manager import Manager

STORED: Final = 100_000_000
QUICK: Final = 10_000_000
TOUCH: Final = 1000  # MB, about what a run takes


def lengths(stored: int) -> list[tuple[int, int]]:
    """(weeks of the store, cycles) of a tenth of the store, all of it, and ten times all of it."""
    weeks = weeks_of(stored, TEN)
    return [(max(1, round(weeks / 10)), 1), (weeks, 1), (weeks, 10)]


def run_once(store: Path, strategy: str, weeks: int, cycles: int) -> dict[str, Any]:
    """One backtest in this process; the run folder is thrown away."""
    settings = STRATEGIES[strategy](store, TEN)
    settings["feed"] = {
        "use": "cycled", "store": str(store), "symbols": list(TEN), "to": until(weeks), "cycles": cycles, "weeks": weeks
    }  # fmt: skip
    config, manager = read_config(settings, Manager(extra=PLUGIN))
    with tempfile.TemporaryDirectory() as output:
        run = run_config(config, manager, output=output, name="bench")
        return {
            "quotes": run.manifest["quotes"], "signals": run.stats["signals"], "trades": run.stats["trades"],
            "replay": run.manifest["timings"]["replay_seconds"],
        }  # fmt: skip


def measure_lengths(stored: int, strategy: str, runs: int, long_runs: int) -> dict[str, Any]:
    """Every length in processes of their own: the short ones `runs` times, the longest `long_runs` times."""
    found = []
    program = ["-m", "benchmarks.billion", "--stored", str(stored), "--strategy", strategy, "--one"]
    for weeks, cycles in lengths(stored):
        measured = []
        for _ in range(long_runs if cycles > 1 else runs):
            touch_memory(TOUCH)
            measured.append(python(*program, str(weeks), str(cycles)))
        said = [json.loads(run.printed.splitlines()[-1]) for run in measured]
        found.append(
            {
                **said[0], "replay": [one["replay"] for one in said], "wall": [run.wall for run in measured],
                "cpu": [run.cpu for run in measured], "peak": max(run.peak for run in measured),
            }
        )  # fmt: skip
    return {"lengths": found, "further": further(found)}


def further(found: list[dict[str, Any]]) -> list[float]:
    """ns that each quote more costs, from one length to the next: start-up and imports drop out."""
    walls = [statistics.median(one["wall"]) for one in found]
    quotes = [one["quotes"] for one in found]
    return [(walls[i + 1] - walls[i]) / (quotes[i + 1] - quotes[i]) * 1e9 for i in range(len(found) - 1)]


def sheets(figures: Mapping[str, Any]) -> list[Sheet]:
    """A table for each strategy, by length."""
    return [_sheet(name, len(figures["symbols"]), one) for name, one in figures["strategies"].items()]


def _sheet(name: str, symbols: int, found: Mapping[str, Any]) -> Sheet:
    rows = []
    for one, more in zip(found["lengths"], ["", *(f"{ns:.1f}" for ns in found["further"])], strict=True):
        wall = statistics.median(one["wall"])
        rows.append(
            [
                f"{one['quotes']:,}", str(len(one["wall"])), spread(one["wall"]), f"{wall / one['quotes'] * 1e9:.1f}",
                more, f"{statistics.median(one['cpu']):.1f}", f"{one['peak']:.0f}", f"{one['signals']:,}",
                f"{one['trades']:,}",
            ]
        )  # fmt: skip
    head = (
        "quotes", "runs", "process s: median (spread)", "ns/quote", "ns/quote more", "cpu s", "peak MiB", "signals",
        "trades",
    )  # fmt: skip
    title = f"Whole processes over {symbols} symbols, SYNTHETIC quotes, {name}"
    note = "ns/quote more: what each quote beyond the shorter length costs; the start of the process drops out."
    return Sheet(title, head, rows, [note])


@click.command()
@click.option("--runs", default=5, show_default=True, help="Of the shorter lengths.")
@click.option("--long-runs", default=2, show_default=True, help="Of the longest.")
@click.option("--stored", default=STORED, show_default=True, help="Quotes in the store, a tenth of the longest run.")
@quick_option
@json_option
@click.option("--strategy", default=LONG[0], type=click.Choice(LONG), hidden=True)
@click.option("--one", type=int, nargs=2, hidden=True, help="One backtest of so many weeks and cycles, here.")
def main(
    runs: int, long_runs: int, stored: int, quick: bool, to: Path | None, strategy: str, one: tuple[int, int] | None
) -> None:  # fmt: skip
    """Measure and print."""
    if quick:
        runs, long_runs, stored = 2, 1, QUICK
    store = store_folder(stored, TEN)
    if one is not None:
        print(json.dumps(run_once(store, strategy, *one)))
        return
    console = Console(width=150)
    facts = machine()
    print_machine(console)
    make_store(store, TEN, weeks_of(stored, TEN))
    run_once(store, strategy, 1, 1)  # kernels are compiled, files in the page cache
    found = {name: measure_lengths(stored, name, runs, long_runs) for name in LONG}
    figures = {"machine": facts, "symbols": list(TEN), "strategies": found}
    conclude(console, figures, sheets(figures), to)


if __name__ == "__main__":
    sys.exit(main())
