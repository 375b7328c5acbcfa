"""The whole backtest of stored ticks against pyarrow's bare decode of the same files, in one run.

    python -m benchmarks.ticks [--quotes 100_000_000] [--runs 5]

Quotes are synthetic, stored once and kept. A backtest is everything from decoding to the finished run folder with its
report: M1 and M5 bars, patterns, gates, fills, the outcome of every signal.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

import bitten
from benchmarks.report import Sheet, conclude, json_option, machine, print_machine, quick_option, seconds, spread
from benchmarks.stages import measure_stages
from benchmarks.stores import FIVE, STRATEGIES, make_store, starter, store_folder, until, weeks_of

BARE: Final = "pyarrow decodes, nothing else"
QUICK: Final = 5_000_000


def decode(store: Path) -> int:
    """Read every row group of every file, one after the other, as pyarrow does it with its own threads."""
    rows = 0
    for path in sorted(store.glob("*/*.parquet")):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                rows += file.read_row_group(group, columns=["time", "bid", "ask"], use_threads=True).num_rows
    return rows


def backtest_once(config: Mapping[str, Any]) -> dict[str, int]:
    """One backtest into a folder that is thrown away; what it saw."""
    with tempfile.TemporaryDirectory() as output:
        run = bitten.backtest(config, output=output, name="bench")
        return {"quotes": run.manifest["quotes"], "signals": run.stats["signals"], "trades": run.stats["trades"]}


def measure_ticks(store: Path, runs: int) -> dict[str, Any]:
    """Every strategy `runs` times, pyarrow alone before each of them, after a warm-up of everything."""
    found = {name: backtest_once(make(store)) for name, make in STRATEGIES.items()}
    rows = decode(store)
    bare: list[float] = []
    whole: dict[str, list[float]] = {name: [] for name in STRATEGIES}
    for _ in range(runs):
        for name, make in STRATEGIES.items():
            bare += seconds(partial(decode, store), 1)
            whole[name] += seconds(partial(backtest_once, make(store)), 1)
    return {
        "quotes": rows,
        "symbols": list(FIVE),
        "arrow_threads": pa.cpu_count(),
        "bare": bare,
        "strategies": {name: {"seconds": whole[name], **found[name]} for name in STRATEGIES},
        "ratios": {name: statistics.median(bare) / statistics.median(times) for name, times in whole.items()},
        "stages": {name: measure_stages(make(store)) for name, make in STRATEGIES.items()},
    }


def sheets(figures: Mapping[str, Any]) -> list[Sheet]:
    """Rates, and shares of time."""
    rows = figures["quotes"]

    def row(name: str, times: list[float], ratio: str, signals: str, trades: str) -> list[str]:
        rate = f"{rows / statistics.median(times) / 1e6:.1f}"
        return [name, str(len(times)), spread(times, digits=3), rate, ratio, signals, trades]

    lines = [row(BARE, figures["bare"], "1", "", "")]
    for name, one in figures["strategies"].items():
        ratio = f"{figures['ratios'][name]:.2f}"
        lines.append(row(name, one["seconds"], ratio, f"{one['signals']:,}", f"{one['trades']:,}"))
    head = ("what", "runs", "s: median (spread)", "million quotes/s", "of pyarrow's rate", "signals", "trades")
    title = f"Whole backtest of {rows:,} SYNTHETIC quotes of {', '.join(figures['symbols'])}"
    note = f"pyarrow reads row group by row group with its own {figures['arrow_threads']} threads, in the same run."
    return [Sheet(title, head, lines, [note]), *(_shares(name, some) for name, some in figures["stages"].items())]


def _shares(name: str, stages: list[tuple[str, float, float]]) -> Sheet:
    total = sum(wall for _, wall, _ in stages)
    rows = [[stage, f"{wall:.3f}", f"{wall / total:.0%}", f"{cpu:.3f}"] for stage, wall, cpu in stages]
    rows.append(["together", f"{total:.3f}", "100%", f"{sum(cpu for *_, cpu in stages):.3f}"])
    head = ("stage", "wall s", "share", "cpu s")
    return Sheet(f"Share of time per stage, {name}", head, rows, ["One run; its stages one after the other."])


@click.command()
@click.option("--quotes", default=100_000_000, show_default=True)
@click.option("--runs", default=5, show_default=True)
@quick_option
@json_option
def main(quotes: int, runs: int, quick: bool, to: Path | None) -> None:
    """Measure and print."""
    quotes, runs = (QUICK, 2) if quick else (quotes, runs)
    console = Console(width=130)
    facts = machine()
    print_machine(console)
    store = store_folder(quotes)
    make_store(store, FIVE, weeks_of(quotes))
    backtest_once(starter(store) | {"feed": {**starter(store)["feed"], "to": until(1)}})  # kernels are compiled
    figures = {"machine": facts, **measure_ticks(store, runs)}
    conclude(console, figures, sheets(figures), to)


if __name__ == "__main__":
    sys.exit(main())
