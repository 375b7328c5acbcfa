"""SWP and VCB on bars against their definitions, written out naively, and what holds of every signal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bitten.model.dtypes import NS_PER_MINUTE, Records
from bitten.model.instrument import Instrument
from bitten.parameters import parameters
from bitten.pattern import KernelPattern
from bitten.testing import INSTRUMENT, random_bars
from bitten_plugins.patterns.liquidity_sweep_reversal import LiquiditySweepReversal
from bitten_plugins.patterns.vcb_breakout import VcbBreakout
from tests.bar_files import EURUSD, XAUUSD, eurusd_h1, eurusd_m1_2018, xauusd_m1_2026
from tests.plugins.patterns.naive import Found
from tests.plugins.patterns.naive_squeeze import vcb
from tests.plugins.patterns.naive_sweeps import swp
from tests.plugins.patterns.test_definitions import scan

Naive = Callable[[Records, Instrument], list[Found]]
CASES: list[tuple[type[KernelPattern], Naive, dict[str, Any]]] = [
    (LiquiditySweepReversal, swp, {}),
    (LiquiditySweepReversal, partial(swp, day=True), {"day_pools": True}),
    (LiquiditySweepReversal, partial(swp, day=True, session=True), {"day_pools": True, "session_pools": True}),
    (VcbBreakout, vcb, {}),
]
cases = pytest.mark.parametrize(("kind", "naive", "given"), CASES, ids=["swp", "swp-days", "swp-sessions", "vcb"])
both = pytest.mark.parametrize("kind", [LiquiditySweepReversal, VcbBreakout], ids=lambda kind: kind.__name__)
WEIGHTS = {LiquiditySweepReversal: [0.25, 0.20, 0.25, 0.15, 0.15], VcbBreakout: [0.25, 0.25, 0.20, 0.15, 0.15]}


def evidence(kind: type[KernelPattern], rows: Records, name: str) -> Any:
    """One column of the evidence."""
    return rows["evidence"][:, kind.evidence.index(name)]


def agree(kind: type[KernelPattern], naive: Naive, given: Any, bars: Records, timeframe: str, facts: Instrument) -> int:
    ours = scan(kind, bars, timeframe, facts, gap_bars=0, **given)
    theirs = naive(bars, facts)
    assert ours["time"].tolist() == [bars["known"][found.bar] for found in theirs]
    assert ours["anchor"].tolist() == [bars["time"][found.anchor] for found in theirs]
    assert ours["side"].tolist() == [found.side for found in theirs]
    for row, found in zip(ours, theirs, strict=True):
        assert abs(row["confidence"] - found.confidence) <= 0.0501
        assert -1e-6 <= found.side * (found.stop - row["stop"]) < 1 + 1e-6
        assert -1e-6 <= found.side * (found.target - row["target"]) < 1 + 1e-6
    return len(theirs)


@cases
@pytest.mark.parametrize("seed", range(3))
def test_signals_are_those_of_the_definition_on_random_bars(
    kind: type[KernelPattern], naive: Naive, given: Any, seed: int
) -> None:
    assert agree(kind, naive, given, random_bars(np.random.default_rng(seed), 4000), "M1", INSTRUMENT) > 5


@cases
@pytest.mark.shared
def test_signals_are_those_of_the_definition_on_real_bars(
    kind: type[KernelPattern], naive: Naive, given: Any, shared_data: Path
) -> None:
    assert agree(kind, naive, given, eurusd_h1(shared_data), "H1", EURUSD) >= 50
    assert agree(kind, naive, given, xauusd_m1_2026(shared_data)[:15_000], "M1", XAUUSD) > 100
    assert agree(kind, naive, given, eurusd_m1_2018(shared_data)[:10_000], "M1", EURUSD) > 50


def test_days_and_sessions_add_signals_of_their_own() -> None:
    bars = random_bars(np.random.default_rng(1), 20_000)
    plain = scan(LiquiditySweepReversal, bars)
    for given in ({"day_pools": True}, {"session_pools": True}):
        more = scan(LiquiditySweepReversal, bars, **given)
        old = evidence(LiquiditySweepReversal, more, "age") > 200  # swings do not live so long
        assert old.any() and not np.array_equal(plain["anchor"], more["anchor"])


@both
def test_the_first_signal_waits_for_bar_179(kind: type[KernelPattern]) -> None:
    markets = [random_bars(np.random.default_rng(seed), 260, gaps=0.0) for seed in range(30)]
    first = [np.searchsorted(bars["known"], scan(kind, bars)["time"]).min(initial=999) for bars in markets]
    early = [np.searchsorted(bars["known"], scan(kind, bars, warm_up=0)["time"]).min(initial=999) for bars in markets]
    assert 179 <= min(first) < 260 and 27 <= min(early) < 179


@both
def test_levels_lie_on_their_sides_and_the_gate_holds(kind: type[KernelPattern]) -> None:
    rows = scan(kind, random_bars(np.random.default_rng(2), 40_000))
    risk = rows["side"] * (rows["reference"] - rows["stop"])
    reward = rows["side"] * (rows["target"] - rows["reference"])
    spread = evidence(kind, rows, "spread")
    assert rows.size > 100
    assert (risk >= 3 * spread).all() and (risk >= 0.4 * rows["atr"]).all() and (risk < 3 * rows["atr"] + 1).all()
    assert ((reward + 1 - spread) / (risk - 1 + spread) >= 0.8).all()  # a point of rounding on either side
    assert set(rows["time_stop_bars"]) == {40}
    assert np.unique(np.stack([rows["anchor"], rows["side"]]), axis=1).shape[1] == rows.size
    ratio = reward / risk
    assert ((ratio > 1.4) & (ratio < 3.0) if kind is VcbBreakout else np.abs(ratio - 2.0) < 0.3).all()


@both
def test_the_confidence_is_the_weighted_sum_of_its_factors(kind: type[KernelPattern]) -> None:
    rows = scan(kind, random_bars(np.random.default_rng(2), 20_000))
    factors = rows["evidence"][:, [i for i, name in enumerate(kind.evidence) if name.endswith("_factor")]]
    assert factors.shape[1] == 5 and (factors >= 0).all() and (factors <= 1).all()
    assert factors.std(axis=0).min() > 0  # none of them is always the same
    np.testing.assert_allclose(rows["confidence"], 100 * factors @ WEIGHTS[kind], atol=0.0501)
    assert (rows["evidence"][:, len(kind.evidence) :] == 0).all()


def test_prices_among_the_evidence_of_a_sweep_are_prices_of_the_bars() -> None:
    kind, bars = LiquiditySweepReversal, random_bars(np.random.default_rng(2), 20_000)
    rows = scan(kind, bars)
    for row, zone_low, zone_high, depth, age in zip(
        rows, *(evidence(kind, rows, name) for name in ("zone_low", "zone_high", "penetration", "age")), strict=True
    ):
        level, extreme = (zone_high, zone_low) if row["side"] > 0 else (zone_low, zone_high)
        swept, now = np.searchsorted(bars["time"], row["anchor"]), np.searchsorted(bars["known"], row["time"])
        name = "low" if row["side"] > 0 else "high"
        assert extreme == (min if row["side"] > 0 else max)(bars[name][swept : now + 1].tolist())
        assert level in bars[name][swept - 200 : swept] and 10 <= age <= 200
        assert row["side"] * (level - extreme) > 0 and row["side"] * (row["reference"] - level) > 0
        assert depth == pytest.approx(abs(level - extreme) / row["atr"])


def test_prices_among_the_evidence_of_a_breakout_are_those_of_its_box() -> None:
    kind, bars = VcbBreakout, random_bars(np.random.default_rng(2), 40_000)
    rows = scan(kind, bars)
    for row, low, high in zip(rows, *(evidence(kind, rows, name) for name in ("zone_low", "zone_high")), strict=True):
        start, now = np.searchsorted(bars["time"], row["anchor"]), np.searchsorted(bars["known"], row["time"])
        box = bars[max(start, now - 33) : now]
        assert low in box["low"] and high in box["high"] and low < high
        assert row["reference"] > high if row["side"] > 0 else row["reference"] < low


def test_levels_that_only_part_of_a_bar_went_through_are_no_sweep() -> None:
    bars = random_bars(np.random.default_rng(5), 20_000)
    rows = scan(LiquiditySweepReversal, bars)
    deep = scan(LiquiditySweepReversal, bars, min_depth_atr=0.8)
    depth = evidence(LiquiditySweepReversal, deep, "penetration")
    assert 0 < deep.size < rows.size and np.median(depth) > 0.8


@both
def test_bars_without_volume_count_as_average_ones(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(2), 20_000)
    bars["ticks"] = 0
    rows = scan(kind, bars)
    assert rows.size > 0 and set(evidence(kind, rows, "volume_ratio")) == {1.0}


@both
def test_no_signal_comes_on_the_bar_after_a_gap_and_none_across_it(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(6), 60_000, gaps=0.05)
    rows = scan(kind, bars)
    at, anchor = np.searchsorted(bars["known"], rows["time"]), np.searchsorted(bars["time"], rows["anchor"])
    gap = np.diff(bars["time"], prepend=bars["time"][0]) > 30 * NS_PER_MINUTE
    assert at.size > 20
    for first, last in zip(anchor, at, strict=True):
        assert not gap[first : last + 1].any()


def test_kernels_run_as_plain_python_say_the_same(repository: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from bitten.testing import random_bars\n"
        "from tests.plugins.patterns.test_sweeps_and_squeezes import CASES, scan\n"
        "bars = random_bars(np.random.default_rng(1), 3000)\n"
        "sys.stdout.buffer.write(b''.join(scan(kind, bars, **given).tobytes() for kind, _, given in CASES))\n"
    )
    environment = {**os.environ, "BITTEN_NOJIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, env=environment, capture_output=True, check=True
    )
    bars = random_bars(np.random.default_rng(1), 3000)
    assert done.stdout == b"".join(scan(kind, bars, **given).tobytes() for kind, _, given in CASES)
    assert len(done.stdout) > 1000


@pytest.mark.parametrize(
    ("kind", "given", "complaint"),
    [
        (LiquiditySweepReversal, {"max_depth": 0.05}, r"max_depth was 0\.05, must be above min_depth_atr \(0\.05\)"),
        (VcbBreakout, {"full_bars": 6}, r"full_bars was 6, must be above min_bars \(6\)"),
        (VcbBreakout, {"max_height": 0.4}, r"max_height was 0\.4, must be above min_height \(0\.5\)"),
        (VcbBreakout, {"max_target": 1.0}, r"max_target was 1, must be at least min_target \(1\.5\)"),
        (LiquiditySweepReversal, {"session_start": 24.0}, "session_start"),
        (VcbBreakout, {"box_bar": 30}, "box_bar"),
    ],
)
def test_nonsense_in_the_configuration_is_refused(kind: type[KernelPattern], given: Any, complaint: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.convert(given, kind.Config)


@both
def test_every_parameter_is_described_and_bounded(kind: type[KernelPattern]) -> None:
    for parameter in parameters(kind.Config):
        assert parameter.description, parameter.name
        assert parameter.allowed or parameter.type == "true or false", parameter.name
