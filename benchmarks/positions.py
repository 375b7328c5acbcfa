"""The cost of a quote with 1 to 10,000 open positions on its symbol, between closes.

    python -m benchmarks.positions [--runs 7]

Stops and targets are so far away that nothing closes. Three measures of the same quotes: the exit kernel alone
(`bitten.fates.Book`), the whole pipeline with every position opened by an account, and of that pipeline the half that
looks at quotes (bars and fates), without the account's equity.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from benchmarks.report import Sheet, conclude, json_option, machine, print_machine, quick_option
from benchmarks.stores import FIVE, make_store, store_folder, until, weeks_of
from bitten.backtesting import build_pipeline, make_feed
from bitten.config import read_config
from bitten.fates import Book
from bitten.kernels.exits import FillRules
from bitten.market import quotes_path
from bitten.model.dtypes import NS_PER_MS, NS_PER_SECOND
from bitten.model.facts import ExitPlan, Signal
from bitten.model.instruments import load_instruments
from bitten.model.quotes import Quotes, Slice
from bitten_feeds.synthetic import DEFAULT_START

SYMBOL: Final = "EURUSD"
COUNTS: Final = (1, 10, 100, 1_000, 10_000)
SLICE: Final = 262_144  # quotes, what the store's row groups bring at once
FAR: Final = 100_000  # points, about the price itself: no stop, no target is met
DAY_NS: Final = 86_400 * NS_PER_SECOND
MEASURES: Final = {
    "kernel": "exit kernel alone",
    "look": "pipeline: bars and fates",
    "whole": "whole pipeline, equity every hour included",
}


def kernel_ns(count: int, slices: int) -> float:
    """ns per quote of `Book.advance` with `count` open positions."""
    rng = np.random.default_rng(1)
    bid: Any = (110_000 + np.cumsum(rng.integers(-1, 2, SLICE))).astype(np.int32)  # as the store brings them
    ask: Any = (bid + rng.integers(3, 9, SLICE)).astype(np.int32)
    pieces = []
    for i in range(slices + 1):
        stamps = DEFAULT_START + (i * SLICE + np.arange(SLICE)) * 800 * NS_PER_MS
        pieces.append(Quotes(SYMBOL, stamps, bid, ask))
    book = Book(FillRules())
    for key in range(count):
        book.add(key, _signal(key), ExitPlan(), DEFAULT_START)
    book.advance(quotes_path(pieces[0]), int(pieces[0].ts[-1]))
    assert book.count == count  # all are open
    start = time.perf_counter()
    for piece in pieces[1:]:
        book.advance(quotes_path(piece), int(piece.ts[-1]))
    took = time.perf_counter() - start
    assert book.count == count  # none has closed
    return took / (slices * SLICE) * 1e9


def _signal(key: int) -> Signal:
    return Signal(
        id=str(key), pattern="far", instrument=load_instruments()[SYMBOL], timeframe="M1", timeframe_ns=0,
        side=1 - 2 * (key % 2), time=DEFAULT_START, anchor=key, reference_points=110_000, stop_points=FAR,
        target_points=FAR, relative=True, confidence=100.0, expiry=0, plan=ExitPlan(),
    )  # fmt: skip


def load(store: Path, weeks: int) -> list[Slice]:
    """The quotes of one symbol, decoded: what is measured is the pipeline alone."""
    config, _ = read_config({"feed": {"store": str(store), "symbols": [SYMBOL], "to": until(weeks)}})
    feed, _ = make_feed(config)
    return list(feed.slices())


def pipeline_ns(count: int, pieces: Sequence[Slice], folder: Path) -> dict[str, float]:
    """ns per quote of the pipeline once `count` positions are open, the half that looks at quotes told apart."""
    _write_signals(folder / "signals.parquet", count)
    settings = {
        "feed": {"use": "synthetic", "symbols": [SYMBOL]},  # never asked: slices are handed over
        "patterns": [{"use": "signals_file", "timeframe": "M1", "params": {"path": str(folder / "signals.parquet")}}],
        "gates": [{"use": "fixed_lots", "lots": 0.01}],
        "accounts": [{"balance": 1e9, "slots": 2 * count}],
    }
    config, manager = read_config(settings)
    pipeline, _ = build_pipeline(config, manager)
    pipeline.step(pieces[0])
    account = pipeline.ledger.ids[0]
    assert _open(pipeline) == count, f"{account} holds {_open(pipeline)} positions, not {count}"
    look = decide = 0.0
    for piece in pieces[1:]:
        start = time.perf_counter()
        found = pipeline.detection.look(piece)
        middle = time.perf_counter()
        pipeline.decide(found)
        look, decide = look + middle - start, decide + time.perf_counter() - middle
    assert _open(pipeline) == count  # none has closed
    quotes = sum(len(some) for piece in pieces[1:] for some in piece.quotes.values())
    return {"look": look / quotes * 1e9, "whole": (look + decide) / quotes * 1e9}


def _open(pipeline: Any) -> int:
    return len(pipeline.ledger.fills(0))


def _write_signals(path: Path, count: int) -> None:
    """Signals by turns to both sides, a second apart, all within the first slice."""
    times = DEFAULT_START + DAY_NS // 2 + np.arange(count) * NS_PER_SECOND
    table = pa.table(
        {
            "time": pa.array(times, pa.timestamp("ns", "UTC")),
            "symbol": [SYMBOL] * count,
            "side": pa.array(1 - 2 * (np.arange(count) % 2)),
            "stop_points": np.full(count, FAR),
            "target_points": np.full(count, FAR),
        }
    )
    pq.write_table(table, path)


def measure_positions(store: Path, weeks: int, slices: int, runs: int) -> dict[str, Any]:
    """Every count `runs` times, one count after the other in each round, after a round that is not kept."""
    pieces = load(store, weeks)
    taken: dict[str, dict[str, list[float]]] = {name: {str(count): [] for count in COUNTS} for name in MEASURES}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs + 1):
            for count in COUNTS:
                found = {"kernel": kernel_ns(count, slices), **pipeline_ns(count, pieces, Path(folder))}
                for name, ns in found.items():
                    if number:
                        taken[name][str(count)].append(ns)
    return {"quotes": {"kernel": slices * SLICE, "pipeline": sum(map(_size, pieces[1:]))}, "ns": taken}


def _size(piece: Slice) -> int:
    return sum(len(quotes) for quotes in piece.quotes.values())


def growth(figures: Mapping[str, Any], name: str) -> float:
    """By how much a quote costs more with the most positions than with one, per cent; medians."""
    one, most = (statistics.median(figures["ns"][name][str(count)]) for count in (COUNTS[0], COUNTS[-1]))
    return float(most / one - 1) * 100


def sheets(figures: Mapping[str, Any]) -> list[Sheet]:
    """ns per quote by number of positions."""
    rows = []
    for name, words in MEASURES.items():
        ns = figures["ns"][name]
        medians = [f"{statistics.median(ns[str(count)]):.2f}" for count in COUNTS]
        rows.append([words, str(len(ns["1"])), *medians, f"{growth(figures, name):+.0f} %"])
    head = ("ns per quote, median", "runs", *(f"{count:,} open" for count in COUNTS), f"1 to {COUNTS[-1]:,}")
    quotes = figures["quotes"]
    title = f"Open positions on one symbol, nothing closes; {quotes['pipeline']:,} SYNTHETIC quotes of {SYMBOL}"
    note = f"The kernel alone: {quotes['kernel']:,} quotes of a random walk, {SLICE:,} at a time. Decoding is left out."
    return [Sheet(title, head, rows, [note])]


@click.command()
@click.option("--runs", default=7, show_default=True)
@quick_option
@json_option
def main(runs: int, quick: bool, to: Path | None) -> None:
    """Measure and print."""
    console = Console(width=130)
    facts = machine()
    print_machine(console)
    stored, weeks, slices, runs = (5_000_000, 2, 8, 2) if quick else (100_000_000, 7, 40, runs)
    store = store_folder(stored)
    make_store(store, FIVE, weeks_of(stored))
    figures = {"machine": facts, **measure_positions(store, weeks, slices, runs)}
    conclude(console, figures, sheets(figures), to)


if __name__ == "__main__":
    sys.exit(main())
