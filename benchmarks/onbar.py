"""Patterns in plain Python: bars per second through the whole pipeline, from stored bars to the finished report.

    python -m benchmarks.onbar [--bars 1_000_000] [--runs 5]

Two patterns that never give a signal: one whose `on_bar` does nothing, and one that averages a window of 20 closes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from rich.console import Console

import bitten
from benchmarks.report import Sheet, conclude, json_option, machine, print_machine, quick_option, spread
from bitten.barpattern import Bar, BarPattern, Window
from bitten.model.dtypes import NS_PER_MINUTE
from bitten.model.instruments import load_instruments
from bitten.store.columns import BarColumns, Source
from bitten.store.tickstore import TickStore
from bitten_feeds.synthetic import DEFAULT_START

SYMBOL = "EURUSD"


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


EMPTY: Final = "empty body"
PATTERNS: Final[Mapping[str, type]] = {EMPTY: Empty, "mean of a window of 20": WindowMean}


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


def measure_patterns(store: Path, bars: int, runs: int) -> dict[str, Any]:
    """Wall and CPU seconds of `runs` backtests of each pattern, by turns, after one of each."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in PATTERNS}
    for pattern in PATTERNS.values():
        run_once(store, pattern)  # kernels compiled, files in the page cache
    for _ in range(runs):
        for name, pattern in PATTERNS.items():
            taken[name].append(run_once(store, pattern))
    columns = {
        name: {"wall": [wall for wall, _ in some], "cpu": [cpu for _, cpu in some]} for name, some in taken.items()
    }
    return {"bars": bars, "patterns": columns}


def bars_per_second(figures: Mapping[str, Any], name: str, clock: str) -> float:
    """By the "wall" or the "cpu"; medians."""
    rate: float = figures["bars"] / statistics.median(figures["patterns"][name][clock])
    return rate


def sheets(figures: Mapping[str, Any]) -> list[Sheet]:
    """One row for each pattern."""
    rows = []
    for name, times in figures["patterns"].items():
        rates = (f"{bars_per_second(figures, name, clock):,.0f}" for clock in ("wall", "cpu"))
        rows.append([name, str(len(times["wall"])), spread(times["wall"]), spread(times["cpu"]), *rates])
    head = ("on_bar", "runs", "wall s: median (spread)", "cpu s: median (spread)", "bars/s", "bars/s and core")
    title = f"Patterns in plain Python: {figures['bars']:,} SYNTHETIC one-minute bars, report included"
    return [Sheet(title, head, rows)]


@click.command()
@click.option("--bars", default=1_000_000, show_default=True)
@click.option("--runs", default=5, show_default=True)
@click.option("--store", type=click.Path(path_type=Path), default=Path(tempfile.gettempdir()) / "bitten-benchmark")
@quick_option
@json_option
def main(bars: int, runs: int, store: Path, quick: bool, to: Path | None) -> None:
    """Measure and print."""
    bars, runs = (100_000, 2) if quick else (bars, runs)
    console = Console(width=130)
    facts = machine()
    print_machine(console)
    folder = store / f"bars-{bars}"
    make_store(folder, bars)
    figures = {"machine": facts, **measure_patterns(folder, bars, runs)}
    conclude(console, figures, sheets(figures), to)


if __name__ == "__main__":
    sys.exit(main())
