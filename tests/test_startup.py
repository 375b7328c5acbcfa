"""What the commands leave unimported; `bitten --help` stands in test_cli.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bitten.store.tickstore import TickStore
from tests.feeds.builders import INSTRUMENTS, SOURCE, START, bars, ticks
from tests.sweeping.made import OPTIONS, project

CODE = "import sys, bitten.cli; code = bitten.cli.main(); print(code, 'pandas' in sys.modules)"
CONFIG = """
[feed]
use = "parquet"
symbols = ["EURUSD"]
{bars}

[[patterns]]
use = "signals_file"
timeframe = "M1"
params = {{ path = "{signals}" }}

[[gates]]
use = "one_per_symbol"

[[gates]]
use = "fixed_lots"
lots = 0.1

[[accounts]]
balance = 1000
[[accounts]]
id = "euro"
currency = "EUR"
balance = 1000
"""


def without_pandas(folder: Path, *arguments: str) -> str:
    result = subprocess.run([sys.executable, "-c", CODE, *arguments], cwd=folder, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "0 False", result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    """Stored ticks and bars, and signals on them as CSV and as Parquet."""
    store = TickStore(tmp_path / "data")
    store.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(0, 3_600_000, 1500)), SOURCE)
    store.add("EURUSD", INSTRUMENTS["EURUSD"], bars(range(60)), SOURCE)
    times = [START + minute * 60 * 10**9 for minute in range(5, 50, 2)]
    rows = [
        {"time": time, "symbol": "EURUSD", "side": side, "stop_points": 40, "target_points": 60}
        for time, side in zip(times, ["buy", "sell"] * len(times), strict=False)
    ]
    table = pa.Table.from_pylist(rows)
    table = table.set_column(0, "time", table["time"].cast(pa.timestamp("ns", "UTC")))
    pq.write_table(table, tmp_path / "signals.parquet")
    lines = [f"{row['time'].isoformat()},EURUSD,{row['side']},40,60" for row in table.to_pylist()]
    text = "\n".join(["time,symbol,side,stop_points,target_points", *lines])
    (tmp_path / "signals.csv").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("bars", ["", 'bars = "M1"'], ids=["ticks", "bars"])
@pytest.mark.parametrize("signals", ["signals.csv", "signals.parquet"])
def test_a_backtest_imports_no_pandas(traded: Path, bars: str, signals: str) -> None:
    (traded / "bitten.toml").write_text(CONFIG.format(bars=bars, signals=signals), encoding="utf-8")
    out = without_pandas(traded, "backtest", "--name", "run")
    assert "Win rate" in out
    assert pq.read_metadata(traded / "runs" / "run" / "trades.parquet").num_rows
    assert pq.read_metadata(traded / "runs" / "run" / "decisions.parquet").num_rows > 40


def test_a_sweep_imports_no_pandas(tmp_path: Path) -> None:
    assert "12 combinations" in without_pandas(project(tmp_path), "sweep", *OPTIONS, "--jobs", "2")
