"""KAL and BB over all real ticks and some real bars: the naive executor agrees on every trade, nothing looks rosy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bitten
from bitten.backtesting import make_feed
from bitten.commands.data_import import import_
from bitten.config import read_config
from tests.golden import check_golden
from tests.naive import NaiveExecutor
from tests.replay import replay, rows

pytestmark = pytest.mark.shared

TICKS = {
    "oanda": (["lean/oanda/tick/xauusd", "lean/oanda/tick/eurusd"], [], {"XAUUSD": 1_171_336, "EURUSD": 99_861}),
    "fxcm": (["lean/fxcm/tick"], ["--clock", "EST"], {"EURUSD": 606_047, "NZDUSD": 381_826}),
    "dukascopy": (["dukascopy_bi5/EURUSD/2019/01/04"], ["--format", "dukascopy_bi5"], {"EURUSD": 136_741}),
    "cadjpy": (["dukascopy_csv/CADJPY_Ticks_01.05.2012.csv.gz"], [], {"CADJPY": 52_948}),
}
BARS = {
    "gold": (["mt5_python/XAUUSD_M1_2026.csv.gz"], ["--symbol", "XAUUSD"], "XAUUSD", "M1"),
    "euro": (["mt5_export/EURUSD_M1_201806_lowercase_header.csv.gz"], ["--clock", "NY+7"], "EURUSD", "M1"),
}
PATTERNS: list[dict[str, Any]] = [
    {"use": "kalman_quickfire", "timeframes": ["M1", "M5"], "exit": {"trail_atr": 1.2, "breakeven_r": 0.8}},
    {"use": "bb_scalp", "timeframes": ["M1", "M5"], "exit": {"time_stop_bars": 5}},
]


class NaivePlugin:
    @bitten.hookimpl
    def bitten_executors(self) -> dict[str, Any]:
        return {"naive": NaiveExecutor}


def configuration(store: Path, symbols: list[str], executor: dict[str, Any], **feed: Any) -> dict[str, Any]:
    return {
        "feed": {"use": "parquet", "store": str(store), "symbols": symbols, **feed},
        "patterns": PATTERNS,
        "gates": [{"use": "slots"}, {"use": "fixed_lots", "lots": 0.1}],
        "accounts": [{"slots": 6}],
        "rates": {"USDJPY": 80.0},
        "executor": executor,
    }


def import_files(shared: Path, store: Path, files: list[str], options: list[str]) -> None:
    import_.main([*(str(shared / name) for name in files), "--store", str(store), *options], standalone_mode=False)


def both_executors(store: Path, symbols: list[str], assumptions: dict[str, Any], **feed: Any) -> dict[str, Any]:
    """Run with the kernel and with the naive executor on the same slices; the kernel's tables, which are the same."""
    source = configuration(store, symbols, {"use": "simulated", **assumptions}, **feed)
    pieces = list(make_feed(read_config(source)[0])[0].slices())
    tables, _ = replay(pieces, source)
    naive_source = configuration(store, symbols, {"use": "naive", **assumptions}, **feed)
    naive, _ = replay(pieces, naive_source, {"naive": NaivePlugin()})
    for name in tables:
        assert rows(tables, name) == rows(naive, name), name
    return tables


def plausible(tables: dict[str, Any], least: int) -> None:
    """Enough happened to mean something, and a mean R that only look-ahead could explain did not."""
    trades = rows(tables, "trades")
    assert len(trades) >= least
    resolved = [row["r"] for row in rows(tables, "outcomes") if row["r"] is not None]
    assert len(rows(tables, "outcomes")) == len(rows(tables, "signals"))
    if len(resolved) >= 200:
        assert sum(resolved) / len(resolved) < 0.3


@pytest.mark.parametrize("name", TICKS)
@pytest.mark.parametrize("assumptions", [{}, {"latency_ms": 350.0, "slippage_points": 2, "target_fill": "quote"}])
def test_ticks(name: str, assumptions: dict[str, Any], shared_data: Path, tmp_path: Path) -> None:
    files, options, expected = TICKS[name]
    import_files(shared_data, tmp_path / "store", files, options)
    tables = both_executors(tmp_path / "store", list(expected), assumptions)
    plausible(tables, 1)
    check_golden(f"{name} ticks, {'late and slipped' if assumptions else 'at once'}", tables)


@pytest.mark.parametrize("name", BARS)
@pytest.mark.parametrize("intrabar", ["pessimistic", "path"])
def test_bars(name: str, intrabar: str, shared_data: Path, tmp_path: Path) -> None:
    files, options, symbol, timeframe = BARS[name]
    import_files(shared_data, tmp_path / "store", files, options)
    assumptions = {"latency_ms": 30_000.0 if intrabar == "path" else 0.0}
    tables = both_executors(tmp_path / "store", [symbol], assumptions, bars=timeframe, intrabar=intrabar)
    plausible(tables, 100)
    check_golden(f"{name} bars, {intrabar}", tables)


@pytest.mark.parametrize("name", TICKS)
def test_rows_imported(name: str, shared_data: Path, tmp_path: Path) -> None:
    files, options, expected = TICKS[name]
    import_files(shared_data, tmp_path / "store", files, options)
    source = configuration(tmp_path / "store", list(expected), {"use": "simulated"})
    counted = dict.fromkeys(expected, 0)
    for piece in make_feed(read_config(source)[0])[0].slices():
        for symbol, quotes in piece.quotes.items():
            counted[symbol] += len(quotes)
    assert counted == expected
