"""All six patterns, CITADEL and the whole chain of gates over all real ticks, M1 and M5 bars: every signal has a fate.

What is held here are the books, not the results: everything that was proposed was decided, everything that was decided
has its reason, and everything ended. That nothing looks rosy is held too, for a rosy result means look-ahead.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import bitten
from bitten.analysis.measures import wilson
from tests.store.shared_files import GOOD, Good
from tests.test_real_quotes import import_files

pytestmark = pytest.mark.shared

PATTERNS = [
    {"use": name, "timeframes": ["M1", "M5"]}
    for name in ("kalman_quickfire", "order_block_bounce", "bb_scalp", "fair_value_gap_fill",
                 "liquidity_sweep_reversal", "vcb_breakout")
]  # fmt: skip
GATES = [
    {"use": "kill_switch"}, {"use": "data_validity"}, {"use": "duplicate"}, {"use": "age_drift"},
    {"use": "band", "low": 60.0}, {"use": "citadel"}, {"use": "price_collar"}, {"use": "slots"}, {"use": "risk"},
    {"use": "open_risk"}, {"use": "order_rate"}, {"use": "max_volume"}, {"use": "loss_stop"},
]  # fmt: skip
SETS = {f"{one.symbol} {one.kind} {one.files[0]} {dict(one.options)}": one for one in GOOD if one.kind in
        ("ticks", "M1", "M5") and one.rows > 1000}  # fmt: skip
CONVERSIONS = {
    "USDJPY": 100.0, "GBPUSD": 1.6, "EURUSD": 1.1, "CADUSD": 1.0, "AUDUSD": 0.7, "NZDUSD": 0.8, "EURGBP": 0.85,
}  # fmt: skip
FATES = {"target", "stop", "time", "end", "rejected", "expired"}


def backtest(one: Good, shared: Path, folder: Path) -> bitten.Run:
    options = [f"--{name}={value}" for name, value in one.options.items()]
    if "clock" not in one.options and one.clock != "UTC":
        options.append(f"--clock={one.clock}")
    files = [str(path.relative_to(shared)) for pattern in one.files for path in sorted(shared.glob(pattern))]
    import_files(shared, folder / "data", files, [*options, "--symbol", one.symbol])
    bars = {} if one.kind == "ticks" else {"bars": one.kind}
    patterns = PATTERNS if one.kind != "M5" else [{**part, "timeframes": ["M5"]} for part in PATTERNS]
    return bitten.backtest(
        feed={"use": "parquet", "store": str(folder / "data"), "symbols": [one.symbol], **bars},
        patterns=patterns,
        gates=GATES,
        accounts=[{"id": "machine"}, {"id": "person", "mode": "manual"}],
        missions={"human": "always", "after_seconds": 20.0},
        rates=CONVERSIONS,
        output=folder / "runs",
    )


@pytest.mark.parametrize("name", SETS)
def test_every_signal_has_a_fate(name: str, shared_data: Path, tmp_path: Path) -> None:
    run = backtest(SETS[name], shared_data, tmp_path)
    tables = {table: rows.to_pylist() for table, rows in run.tables.items()}
    assert run.manifest["alerts"] == []
    assert run.manifest["failures"] == {}
    signals = [row["signal_id"] for row in tables["signals"]]
    assert len(signals) == len(set(signals))
    outcomes = {row["signal_id"]: row for row in tables["outcomes"]}
    assert sorted(outcomes) == sorted(signals)
    assert {row["result"] for row in outcomes.values()} <= FATES
    check_missions(tables)
    check_decisions(tables)
    resolved = [row["r"] for row in outcomes.values() if row["r"] is not None and row["result"] != "end"]
    if len(resolved) >= 200:
        assert sum(resolved) / len(resolved) < 0.3


def check_missions(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Every signal was offered to both accounts once; the machine took it, the person took it or it was over."""
    offered = Counter((row["signal_id"], row["account"]) for row in tables["missions"])
    assert set(offered.values()) <= {1}
    assert len(offered) == 2 * len(tables["signals"])
    assert {row["answer"] for row in tables["missions"] if row["mode"] == "auto"} <= {"accepted"}


def check_decisions(tables: dict[str, list[dict[str, Any]]]) -> None:
    """What was accepted was refused by one gate, or passed all of them and was ordered; orders end once."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for row in tables["decisions"]:
        if row["gate"] == "executor":
            continue
        assert (row["reason"] is None) == (row["verdict"] == "passed")
        key = (row["signal_id"], row["account"])
        assert last.get(key, {"verdict": "passed"})["verdict"] != "refused", "asked again after a refusal"
        last[key] = row
    accepted = {(row["signal_id"], row["account"]) for row in tables["missions"] if row["answer"] == "accepted"}
    assert last.keys() == accepted
    fires = {(row["signal_id"], row["account"]): row for row in tables["fires"]}
    assert {key for key, row in last.items() if row["verdict"] != "refused"} == fires.keys()
    unfilled = [row for row in tables["decisions"] if row["gate"] == "executor"]
    assert len(tables["trades"]) + len(unfilled) == len(fires)
    assert all(row["risk"] is None or row["risk"] >= 0 for row in fires.values())


def test_the_unresolved_are_neither_won_nor_lost(shared_data: Path, tmp_path: Path) -> None:
    one = next(one for one in SETS.values() if one.symbol == "EURUSD" and one.rows == 99_861)
    run = backtest(one, shared_data, tmp_path)
    trades = run.tables["trades"].to_pylist()
    counted = [row for row in trades if row["close_reason"] != "end"]
    wins = sum(row["profit"] > 0 for row in counted)
    assert run.stats["wins"] == wins
    assert (run.stats["win_rate_low"], run.stats["win_rate_high"]) == wilson(wins, len(counted))
