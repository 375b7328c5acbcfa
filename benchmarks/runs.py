"""One run of one case as a whole process, and what it says of itself."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.agreement import Agreement, compare, only_dump
from benchmarks.cases import Case, interpreter
from benchmarks.jobs import LOTS, PERIODS, WIDTHS, read_trades
from benchmarks.report import ROOT, Measured, measure
from benchmarks.workplace import Workplace

POINTS_PER_USD = 1 / (LOTS * 100_000 * 1e-5)
PRINTED = "RESULT "  # how a peer's line of figures begins
SWEEP_OPTIONS = [
    "--grid", "patterns.bollinger.period=20:110:10",
    "--grid", "patterns.bollinger.deviations=1.5:3.3:0.2",
    "--jobs", "2",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What one run took, and what it found."""

    measured: Measured
    engine: float | None  # seconds of the engine alone, as the program itself counts them
    trades: int
    agreement: Agreement | None  # only where it was asked for


def run_case(case: Case, place: Workplace, verify: bool = False) -> Result | None:
    """Run a case; None where it failed (its last words stand in `errors.log`)."""
    return _bitten(case, place, verify) if case.package == "bitten" else _peer(case, place, verify)


def _peer(case: Case, place: Workplace, verify: bool) -> Result | None:
    dump = place.fresh("dump")
    command = [str(interpreter(case.venv)), *case.script.split(), *(["--dump"] if verify else [])]
    done = measure(command, place.peer_environment(dump), place.scripts, place.out / "errors.log")
    lines = [line for line in done.printed.splitlines() if line.startswith(PRINTED)]
    if done.status or not lines:
        return None
    said = json.loads(lines[-1].removeprefix(PRINTED))
    found = only_dump(dump) if verify else None
    if verify and case.variant == "bare kernel":  # it is the reference, and dumps all its variants
        found = place.reference(case)
    agreement = None if found is None else compare(found, place.reference(case))
    return Result(done, said.get("engine_s"), said["trades"], agreement)


def _bitten(case: Case, place: Workplace, verify: bool) -> Result | None:
    output = Path(tempfile.mkdtemp(prefix="bitten-run-"))
    config = place.project(case)
    words = ["sweep", str(config), *SWEEP_OPTIONS] if case.job == "C" else ["backtest", str(config)]
    command = [sys.executable, "-m", "bitten", *words, "--output", str(output)]
    try:
        done = measure(command, place.bitten_environment(), ROOT, place.out / "errors.log")
        if done.status:
            return None
        run = next(path for path in output.iterdir() if (path / "manifest.json").is_file())
        timings = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["timings"]
        found = read_sweep(run) if case.job == "C" else read_trades(run, place.times(case))
        agreement = compare(found, place.reference(case)) if verify else None
        trades = int(found[:, 0].sum()) if case.job == "C" else len(found)
        return Result(done, timings["sweep_seconds" if case.job == "C" else "replay_seconds"], trades, agreement)
    finally:
        shutil.rmtree(output)


def read_sweep(run: Path) -> Any:
    """Closed trades of each combination of a sweep, and their profit in points of five decimals; shape (100, 2).

    The profit of a combination is told for those alone that hold nothing at the end: the others' has an open position
    in it, which the reference leaves out.
    """
    table = pq.read_table(run / "sweep.parquet").to_pydict()
    period, width = (next(name for name in table if name.endswith(word)) for word in ("period", "deviations"))
    found = np.full((len(PERIODS) * len(WIDTHS), 2), np.nan)
    for row in range(len(table[period])):
        place = PERIODS.index(table[period][row]) * len(WIDTHS) + WIDTHS.index(round(table[width][row], 1))
        held = table["open_at_end"][row]
        found[place] = table["trades"][row] - held, np.nan if held else table["net"][row] * POINTS_PER_USD
    return found
