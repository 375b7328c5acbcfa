"""The three jobs that bitten and its peers do on the same seeded data, as projects of bitten.

A  given signals on one-minute bars, one position at a time
B  given signals on ticks, up to ten positions at once
C  a sweep of Bollinger reversion over ten periods and ten widths, on one-minute bars

The data states prices with five decimals and distances of half points, so that no level is ever equal to a price. The
projects have six digits: a half point is a whole one there, and trades agree to the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bitten.model.dtypes import NS_PER_MINUTE, Ints, Records
from bitten.model.instrument import Instrument, to_points
from bitten.model.instruments import load_instruments
from bitten.model.quotes import BAR_UNIT_NS
from bitten.store.block import Columns
from bitten.store.columns import BarColumns, Source, TickColumns
from bitten.store.tickstore import TickStore

SYMBOL: Final = "EURUSD"
DIGITS: Final = 6
LOTS: Final = 0.1  # a half point of the data is then five cents: money is exact
PERIODS: Final = tuple(range(20, 111, 10))
WIDTHS: Final = tuple(round(1.5 + 0.2 * i, 1) for i in range(10))

Arrays = Mapping[str, Any]  # columns by name

# A closed trade by rows of the data, as the peers' scripts dump it.
TRADE: Final = np.dtype([("dir", "i1"), ("entry_i", "i8"), ("exit_i", "i8"), ("entry_px", "f8"), ("exit_px", "f8")])

_CONFIG = """\
[feed]
use = "parquet"
symbols = ["{symbol}"]
{bars}
[instruments.{symbol}]
digits = {digits}

[executor]
use = "simulated"
target_fill = "{target_fill}"

[[patterns]]
use = "{pattern}"
timeframe = "M1"
params = {{ {params} }}

[[gates]]
use = "{gate}"

[[gates]]
use = "fixed_lots"
lots = {lots}

[[accounts]]
balance = 1000000.0
slots = 10
"""


def make_bars_job(folder: Path, bars: Arrays) -> Path:
    """Job A: a project with these bars and their signals; the path of its configuration.

    Args:
        folder: where the project comes.
        bars: `ts` (end of the bar, ns UTC), `open high low close` (prices), `signal` (1, -1, 0: none, known at the
            close), `sl_dist tp_dist` (distances from the fill, as prices).
    """
    _store(folder, _bar_columns(bars))
    given = np.flatnonzero(bars["signal"])
    known = bars["ts"][given] - BAR_UNIT_NS  # with the bar's own close; the next bar's open fills
    _write_signals(folder, known, bars["signal"][given], bars["sl_dist"][given], bars["tp_dist"][given])
    return _write_config(folder, 'bars = "M1"', "signals_file", 'path = "signals.parquet"', "one_per_symbol", "quote")


def make_ticks_job(folder: Path, ticks: Arrays, signals: Arrays) -> Path:
    """Job B: a project with these ticks and signals; the path of its configuration.

    Args:
        folder: where the project comes.
        ticks: `ts` (ns UTC), `bid ask` (prices).
        signals: `idx` (row of the tick), `dir` (1, -1), `sl_dist tp_dist` (distances from the fill, as prices).
    """
    columns = TickColumns(ticks["ts"], to_points(ticks["bid"], DIGITS), to_points(ticks["ask"], DIGITS))
    _store(folder, columns)
    _write_signals(folder, ticks["ts"][signals["idx"]], signals["dir"], signals["sl_dist"], signals["tp_dist"])
    return _write_config(folder, "", "signals_file", 'path = "signals.parquet"', "slots", "level")


def make_sweep_job(folder: Path, bars: Arrays) -> Path:
    """Job C: a project with these bars, whose pattern makes the signals; the path of its configuration."""
    _store(folder, _bar_columns(bars))
    return _write_config(folder, 'bars = "M1"', "bollinger", "", "one_per_symbol", "quote")


def offer_patterns(folder: Path) -> Path:
    """Make the benchmark's pattern known to any process that has the folder on its path; the folder.

    What an installed distribution leaves in site-packages: its metadata with the entry point.
    """
    facts = folder / "bitten_benchmarks-0.dist-info"
    facts.mkdir(parents=True, exist_ok=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: bitten-benchmarks\nVersion: 0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text("[bitten]\nbenchmarks = benchmarks.plugin\n", encoding="utf-8")
    return folder


def read_trades(run: Path, times: Ints) -> Records:
    """The closed trades of a run (dtype TRADE), by the rows of the data in which they opened and closed.

    Args:
        run: the run folder.
        times: starts of the rows, ns UTC; a trade belongs to the last row that starts at or before it.
    """
    table = pq.read_table(run / "trades.parquet")
    table = table.filter(pc.not_equal(table["close_reason"].cast(pa.string()), "end"))  # the peers' are closed ones
    trades = np.zeros(len(table), TRADE)
    trades["dir"] = np.where(table["side"].cast(pa.string()).to_numpy(zero_copy_only=False) == "buy", 1, -1)
    for ours, theirs in (("open", "entry"), ("close", "exit")):
        when = table[f"{ours}_time"].cast(pa.int64()).to_numpy()
        trades[f"{theirs}_i"] = np.searchsorted(times, when, "right") - 1
        trades[f"{theirs}_px"] = table[f"{ours}_price"].to_numpy()
    trades.sort(order=["entry_i", "exit_i"])
    return trades


def instrument() -> Instrument:
    """The symbol of all jobs."""
    return load_instruments({SYMBOL: {"digits": DIGITS}})[SYMBOL]


def _bar_columns(bars: Arrays) -> BarColumns:
    opening, high, low, close = (to_points(bars[name], DIGITS) for name in ("open", "high", "low", "close"))
    zero = np.zeros(len(bars["ts"]), np.int64)  # no spread: the peers have one price
    return BarColumns("M1", bars["ts"] - NS_PER_MINUTE, opening, high, low, close, zero, zero)


def _store(folder: Path, columns: Columns) -> None:
    source = Source("peers", ("seeded",), "UTC", synthetic=True)
    TickStore(folder / "data").add(SYMBOL, instrument(), columns, source)


def _write_signals(folder: Path, time: Ints, side: Ints, stop: Any, target: Any) -> None:
    table = pa.table(
        {
            "time": pa.array(time, pa.timestamp("ns", "UTC")),
            "symbol": [SYMBOL] * len(time),
            "side": pa.array(side, pa.int64()),
            "stop_points": to_points(stop, DIGITS),
            "target_points": to_points(target, DIGITS),
        }
    )
    pq.write_table(table, folder / "signals.parquet")


def _write_config(folder: Path, bars: str, pattern: str, params: str, gate: str, target_fill: str) -> Path:
    path = folder / "bitten.toml"
    text = _CONFIG.format(
        symbol=SYMBOL, digits=DIGITS, lots=LOTS, bars=bars, pattern=pattern, params=params, gate=gate,
        target_fill=target_fill,
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")
    return path
