"""The whole backtest against pyarrow's bare decode of the same files, in one run.

    python -m benchmarks.pipeline [--quotes 20_000_000] [--runs 5] [--store FOLDER]

Quotes are synthetic, stored once and reused. The strategy is KAL + BB on M1 and M5 with five gates; a backtest is
everything from decoding to the finished run folder with its report.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

import bitten
from benchmarks.report import print_machine, process, seconds, spread
from bitten.clock import iso
from bitten.model.dtypes import NS_PER_SECOND
from bitten.model.instruments import load_instruments
from bitten.store.columns import Source, TickColumns
from bitten.store.tickstore import TickStore
from bitten_feeds.synthetic import DEFAULT_START, generate_ticks

SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD")
PER_DAY = 100_000  # quotes per symbol and trading day, what a liquid pair brings
WEEK_NS = 7 * 86_400 * NS_PER_SECOND


def strategy(store: Path, end: int) -> dict[str, Any]:
    """The configuration that is measured."""
    return {
        "feed": {"use": "parquet", "store": str(store), "symbols": list(SYMBOLS), "to": iso(end, 6)},
        "patterns": [
            {"use": "kalman_quickfire", "timeframes": ["M1", "M5"]},
            {"use": "bb_scalp", "timeframes": ["M1", "M5"]},
        ],
        "gates": [{"use": "band"}, {"use": "spread", "atr": 0.5}, {"use": "slots"}, {"use": "one_per_symbol"},
                  {"use": "fixed_lots", "lots": 0.01}],
    }  # fmt: skip


def make_store(folder: Path, quotes: int) -> int:
    """Fill the store once; the instant by which it holds `quotes` over all symbols."""
    weeks = -(-quotes // (len(SYMBOLS) * PER_DAY * 5)) + 1  # a week of metals holds a little less
    end = DEFAULT_START + weeks * WEEK_NS
    instruments = load_instruments()
    for symbol in SYMBOLS:
        if (folder / symbol).exists():
            continue
        with TickStore(folder).transaction() as transaction:
            for week in range(weeks):
                begin = DEFAULT_START + week * WEEK_NS
                chunks = list(generate_ticks(instruments[symbol], begin, begin + WEEK_NS, 1, quotes_per_day=PER_DAY))
                columns = TickColumns(*(_joined(chunks, name) for name in ("ts", "bid", "ask")))
                source = Source("synthetic", ("seed 1",), "UTC", synthetic=True)
                transaction.add(symbol, instruments[symbol], columns, source)
    return end


def _joined(chunks: list[Any], name: str) -> Any:
    import numpy as np

    return np.concatenate([getattr(chunk, name) for chunk in chunks])


def decode(store: Path) -> int:
    """Read every row group of every file, one after the other, as pyarrow does it by itself."""
    rows = 0
    for path in sorted(store.glob("*/*.parquet")):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                rows += file.read_row_group(group, columns=["time", "bid", "ask"]).num_rows
    return rows


@click.command()
@click.option("--quotes", default=20_000_000, show_default=True)
@click.option("--runs", default=5, show_default=True)
@click.option("--store", type=click.Path(path_type=Path), default=Path(tempfile.gettempdir()) / "bitten-benchmark")
@click.option("--one", type=int, hidden=True, help="One backtest up to this instant, in this process.")
def main(quotes: int, runs: int, store: Path, one: int | None) -> None:
    """Measure and print."""
    folder = store / f"{quotes}"
    if one is not None:
        print(json.dumps(backtest_once(folder, one)))
        return
    console = Console(width=110)
    print_machine(console)
    console.print(f"{quotes:,} SYNTHETIC quotes of {', '.join(SYMBOLS)} in {folder}")
    end = make_store(folder, quotes)
    rows = decode(folder)
    backtest_once(folder, DEFAULT_START + WEEK_NS)  # kernels compiled, files in the page cache
    bare = seconds(lambda: decode(folder), runs)
    whole = seconds(lambda: backtest_once(folder, end), runs)
    table = Table("what", "seconds: median (spread)", "million quotes/s", title=f"{rows:,} quotes, {runs} runs each")
    for what, times in (("pyarrow decodes the files, nothing else", bare), ("whole backtest to the report", whole)):
        table.add_row(what, spread(times), f"{rows / statistics.median(times) / 1e6:.1f}")
    console.print(table)
    console.print(f"backtest / decode: {statistics.median(whole) / statistics.median(bare):.2f} times the time")
    scaling(console, folder, quotes, end, runs)


def scaling(console: Console, folder: Path, quotes: int, end: int, runs: int) -> None:
    """Cost against length, each in processes of their own: seconds, the price of one quote more, and peak memory."""
    table = Table("quotes", "backtest s: median (spread)", "ns per quote more", "signals", "trades", "process s",
                  "peak MiB", title="cost and memory against length, whole processes")  # fmt: skip
    program = ["-m", "benchmarks.pipeline", "--quotes", str(quotes), "--store", str(folder.parent)]
    before: tuple[int, float] | None = None
    for share in (0.05, 0.25, 0.5, 1.0):
        until = DEFAULT_START + int((end - DEFAULT_START) * share)
        measured = [process([*program, "--one", str(until)]) for _ in range(runs)]
        facts = [json.loads(printed.splitlines()[-1]) for _, _, printed in measured]
        took = [fact["seconds"] for fact in facts]
        now = (facts[0]["quotes"], statistics.median(took))
        more = "" if before is None else f"{(now[1] - before[1]) / (now[0] - before[0]) * 1e9:.0f}"
        table.add_row(
            f"{now[0]:,}", spread(took), more, f"{facts[0]['signals']:,}", f"{facts[0]['trades']:,}",
            spread([wall for wall, _, _ in measured]), f"{max(peak for _, peak, _ in measured) / 1024:.0f}",
        )  # fmt: skip
        before = now
    console.print(table)


def backtest_once(folder: Path, end: int) -> dict[str, Any]:
    """One backtest into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as output:
        took = []
        run = None

        def work() -> None:
            nonlocal run
            run = bitten.backtest(strategy(folder, end), output=output, name="bench")

        took = seconds(work, 1)
        assert run is not None  # work has run
        return {
            "seconds": took[0], "quotes": run.manifest["quotes"], "signals": run.stats["signals"],
            "trades": run.stats["trades"],
        }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
