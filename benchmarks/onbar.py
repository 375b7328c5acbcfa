"""Patterns in plain Python: bars per second through the whole pipeline, from stored bars to the finished report.

    python -m benchmarks.onbar [--bars 1_000_000] [--runs 5]

Two patterns that never give a signal: one whose `on_bar` does nothing, and one that averages a window of 20 closes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import bitten
from benchmarks.report import print_machine, spread
from bitten.barpattern import Bar, BarPattern, Window
from bitten.model.dtypes import NS_PER_MINUTE
from bitten.model.instruments import load_instruments
from bitten.store.columns import BarColumns, Source
from bitten.store.tickstore import TickStore
from bitten_feeds.synthetic import DEFAULT_START

SYMBOL = "EURUSD"
GOAL = 300_000  # bars per second and core, empty body


class Empty(BarPattern):
    """Does nothing."""

    window = 20

    def on_bar(self, bar: Bar, window: Window) -> None:
        """Nothing."""
        return


class WindowMean(BarPattern):
    """Averages the closes of a window; its signals would need a bar that closes at nothing."""

    window = 20

    def on_bar(self, bar: Bar, window: Window) -> Any:
        """A signal where the mean is zero, which it never is."""
        return None if window.close.mean() else self.buy(stop=bar.low, target=bar.high, confidence=50.0)


def make_store(folder: Path, bars: int) -> None:
    """Fill a store with a random walk of one-minute bars, once."""
    if (folder / SYMBOL).exists():
        return
    rng = np.random.default_rng(1)
    close = 110_000 + np.cumsum(rng.integers(-9, 10, bars))
    close += 20_000 - min(0, int(close.min()))  # no price is near nothing
    opening = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opening, close) + rng.integers(0, 8, bars)
    low = np.minimum(opening, close) - rng.integers(0, 8, bars)
    stamps = DEFAULT_START + np.arange(bars) * NS_PER_MINUTE
    columns = BarColumns("M1", stamps, opening, high, low, close, np.full(bars, 8), np.full(bars, 60))
    source = Source("synthetic", ("random walk, seed 1",), "UTC", synthetic=True)
    TickStore(folder).add(SYMBOL, load_instruments()[SYMBOL], columns, source)


def run_once(store: Path, pattern: type) -> tuple[float, float]:
    """Seconds of one backtest, by the wall and of all processors together."""
    feed = {"use": "parquet", "store": str(store), "symbols": [SYMBOL], "bars": "M1"}
    with tempfile.TemporaryDirectory() as output:
        wall, cpu = time.perf_counter(), time.process_time()
        bitten.backtest(feed=feed, patterns=[{"use": pattern, "timeframe": "M1"}], output=output)
        return time.perf_counter() - wall, time.process_time() - cpu


@click.command()
@click.option("--bars", default=1_000_000, show_default=True)
@click.option("--runs", default=5, show_default=True)
@click.option("--store", type=click.Path(path_type=Path), default=Path(tempfile.gettempdir()) / "bitten-benchmark")
def main(bars: int, runs: int, store: Path) -> None:
    """Measure and print."""
    console = Console(width=130)
    print_machine(console)
    folder = store / f"bars-{bars}"
    make_store(folder, bars)
    table = Table(
        "on_bar", "wall s: median (spread)", "cpu s: median (spread)", "bars/s", "bars/s and core",
        title=f"{bars:,} SYNTHETIC one-minute bars, {runs} backtests each, report included",
    )  # fmt: skip
    patterns: dict[str, type] = {"empty body": Empty, "mean of a window of 20": WindowMean}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in patterns}
    for pattern in patterns.values():
        run_once(folder, pattern)  # kernels compiled, files in the page cache
    for _ in range(runs):
        for name, pattern in patterns.items():
            taken[name].append(run_once(folder, pattern))
    for name, times in taken.items():
        wall, cpu = ([pair[i] for pair in times] for i in (0, 1))
        rates = (f"{bars / statistics.median(seconds):,.0f}" for seconds in (wall, cpu))
        table.add_row(name, spread(wall), spread(cpu), *rates)
    console.print(table)
    reached = bars / statistics.median(cpu for _, cpu in taken["empty body"])
    console.print(f"goal for the empty body: {GOAL:,} bars/s and core: {'reached' if reached >= GOAL else 'MISSED'}")


if __name__ == "__main__":
    sys.exit(main())
