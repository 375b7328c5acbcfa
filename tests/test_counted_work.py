"""The work of a replay, counted: calls, kernels, quotes read, bytes. A slow path that creeps in fails on any machine.

The bounds are what was counted when they were written, with a little room; raise one only with a reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import numpy as np
import pytest

import bitten.bars
import bitten.fates
from bitten.backtesting import build_pipeline
from bitten.config import read_config
from bitten.model.dtypes import NS_PER_MINUTE
from bitten.model.quotes import Quotes, Slice
from bitten_plugins.patterns.bb_scalp import BbScalp
from bitten_plugins.patterns.kalman_quickfire import KalmanQuickfire

START = 1_712_620_800_000_000_000
SYMBOLS = ("EURUSD", "GBPUSD")
STRATEGY: dict[str, Any] = {
    "feed": {"use": "synthetic", "symbols": list(SYMBOLS)},
    "patterns": [
        {"use": "kalman_quickfire", "timeframes": ["M1", "M5"]},
        {"use": "bb_scalp", "timeframes": ["M1", "M5"]},
    ],
    "gates": [
        {"use": "band"}, {"use": "spread", "atr": 0.9}, {"use": "slots"}, {"use": "one_per_symbol"},
        {"use": "fixed_lots"},
    ],
}  # fmt: skip


def market(minutes: int, per_minute: int, seed: int = 3) -> list[Slice]:
    """Four slices of a walk whose every minute has the same extremes however many quotes it has."""
    rng = np.random.default_rng(seed)
    quotes = {}
    for symbol in SYMBOLS:
        steps = np.zeros((minutes, per_minute), np.int64)
        steps[:, :4] = rng.integers(-9, 10, (minutes, 4))
        bid = 110_000 + np.cumsum(steps.ravel())
        ts = START + np.arange(minutes * per_minute) * (NS_PER_MINUTE // per_minute)
        quotes[symbol] = Quotes(symbol, ts, bid, bid + 6)
    size = minutes * per_minute // 4
    pieces = []
    for k in range(4):
        part = slice(k * size, (k + 1) * size)
        cut = {s: Quotes(s, q.ts[part], q.bid[part], q.ask[part]) for s, q in quotes.items()}
        pieces.append(Slice(int(cut["EURUSD"].ts[-1]), cut))
    return pieces


def pipeline_of(source: dict[str, Any]) -> Any:
    config, manager = read_config(source)
    return build_pipeline(config, manager)[0]


def calls(work: Callable[[], object]) -> int:
    """Python and C functions called."""
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def replay(pieces: Sequence[Slice], source: dict[str, Any] = STRATEGY) -> Any:
    pipeline = pipeline_of(source)
    for piece in pieces:
        pipeline.step(piece)
    return pipeline


def test_no_call_depends_on_the_number_of_quotes() -> None:
    few, many = market(400, 4), market(400, 40)
    replay(few)  # kernels compiled, caches filled
    counted = [calls(lambda pieces=pieces: replay(pieces)) for pieces in (few, many)]
    made = [len(replay(pieces).parts.journal.tables()["signals"]) for pieces in (few, many)]
    assert made[0] == made[1] > 0
    assert counted[1] <= 1.02 * counted[0]


def test_calls_for_a_quiet_slice_and_for_a_signal() -> None:
    pieces = market(8_000, 8)
    silent = {**STRATEGY, "patterns": [{**p, "params": {"warm_up": 100_000}} for p in STRATEGY["patterns"]]}
    replay(pieces)
    replay(pieces, silent)
    loud, quiet = pipeline_of(STRATEGY), pipeline_of(silent)
    counts = [calls(lambda run=run: [run.step(piece) for piece in pieces]) for run in (loud, quiet)]
    signals = loud.parts.journal.tables()["signals"].num_rows
    assert signals > 30
    assert quiet.parts.journal.tables()["signals"].num_rows == 0
    assert counts[1] / len(pieces) < 365  # counted 355: two symbols, two timeframes, four detectors each
    assert (counts[0] - counts[1]) / signals < 145  # counted 133: signal, five gates, fill, close, outcome, equity


def test_kernels_are_called_once_per_slice_and_symbol(monkeypatch: pytest.MonkeyPatch) -> None:
    called: Counter[str] = Counter()

    def counting(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any) -> Any:
            called[name] += 1
            return kernel(*arguments)

        return count

    for module, name in ((bitten.bars, "build_bars"), (bitten.bars, "merge_bars"), (bitten.fates, "advance"),
                         (bitten.fates, "block_extremes")):  # fmt: skip
        monkeypatch.setattr(module, name, counting(name, getattr(module, name)))
    for pattern in (KalmanQuickfire, BbScalp):
        monkeypatch.setattr(pattern, "kernel", staticmethod(counting(pattern.__name__, pattern.kernel)))
    replay(pieces := market(800, 8))
    both = len(SYMBOLS) * len(pieces)
    assert called["build_bars"] == called["merge_bars"] == both  # M1 from quotes, M5 from M1
    assert called["KalmanQuickfire"] == called["BbScalp"] == 2 * both
    assert 0 < called["advance"] == called["block_extremes"] <= both


def test_bytes_allocated_for_a_slice() -> None:
    pieces = market(4_000, 40)
    pipeline = pipeline_of(STRATEGY)
    pipeline.step(pieces[0])
    pipeline.step(pieces[1])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        pipeline.step(pieces[2])
        most = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    quotes = sum(len(q) for q in pieces[2].quotes.values())
    assert quotes == 80_000
    assert most / quotes < 4  # counted 2.8: bars and signals; a copy of the quotes alone would be 24


_READS = """
import json, sys
import numpy as np
from bitten.fates import Book
from bitten.kernels import exits
from bitten.market import quotes_path
from bitten.model.facts import ExitPlan, Signal
from bitten.model.quotes import Quotes
from tests.markets import START, instrument

class Counted(np.ndarray):
    reads = 0
    def __getitem__(self, key):
        if isinstance(key, (int, np.integer)):
            Counted.reads += 1
        return super().__getitem__(key)

n, positions = 8_192, int(sys.argv[1])
rng = np.random.default_rng(0)
bid = 110_000 + rng.integers(-20, 21, n)
ts = START + np.arange(n) * 1_000_000
quotes = Quotes("EURUSD", ts, bid, bid + 5)
book = Book(exits.FillRules())
for k in range(positions):
    signal = Signal(
        id=str(k), pattern="p", instrument=instrument(), timeframe="M1", timeframe_ns=1, side=1 - 2 * (k % 2),
        time=START - 1, anchor=k, reference_points=110_000, stop_points=900, target_points=900, relative=True,
        confidence=50.0, expiry=0, plan=ExitPlan(),
    )
    book.add(k, signal, ExitPlan(), signal.time)
book.advance(quotes_path(quotes), int(ts[-1]))  # filled at the first quote
for column in (quotes.bid, quotes.ask):
    column.flags.writeable = False
counted = [column.view(Counted) for column in (bid, bid + 5)]
later = Quotes("EURUSD", ts + int(ts[-1]) - START + 1, *counted)
book.advance(quotes_path(later), int(later.ts[-1]))
assert book.count == positions
print(json.dumps(Counted.reads))
"""


def test_quotes_read_do_not_depend_on_the_number_of_positions() -> None:
    """Counted with the kernels run as plain Python: every look at a price is seen."""
    environment = {**os.environ, "BITTEN_NOJIT": "1"}
    reads = [
        json.loads(subprocess.run([sys.executable, "-c", _READS, str(positions)], env=environment, check=True,
                                  capture_output=True, text=True).stdout)
        for positions in (1, 100)
    ]  # fmt: skip
    assert reads[0] == reads[1]
    assert (
        reads[0] / 8_192 < 4.2
    )  # counted 4.03: lowest and highest of two columns, once; the rest reads extremes of blocks
