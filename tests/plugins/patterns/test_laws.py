"""The laws of 3.0 for the bundled patterns: prefix, mirror, scale, chunking, save and restore, and the kit's others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitten.pattern import KernelPattern
from bitten.testing import check_pattern, random_bars
from bitten.testing.laws import LAWS
from bitten_plugins.patterns.bb_scalp import BbScalp
from bitten_plugins.patterns.fair_value_gap_fill import FairValueGapFill
from bitten_plugins.patterns.kalman_quickfire import KalmanQuickfire
from bitten_plugins.patterns.liquidity_sweep_reversal import LiquiditySweepReversal
from bitten_plugins.patterns.order_block_bounce import OrderBlockBounce
from bitten_plugins.patterns.vcb_breakout import VcbBreakout
from tests.bar_files import EURUSD, XAUUSD, eurusd_m5_dirty, xauusd_m1_2026

PATTERNS = [KalmanQuickfire, BbScalp, OrderBlockBounce, FairValueGapFill, LiquiditySweepReversal, VcbBreakout]
every = pytest.mark.parametrize("kind", PATTERNS, ids=lambda kind: kind.__name__)


@every
@pytest.mark.parametrize(("timeframe", "seed"), [("M1", 1), ("M5", 2), ("H1", 3)])
def test_laws_hold_on_random_bars(kind: type[KernelPattern], timeframe: str, seed: int) -> None:
    bars = random_bars(np.random.default_rng(seed), 3000, timeframe)
    assert len(check_pattern(kind, bars, timeframe=timeframe, seed=seed)) == len(LAWS)


@every
@pytest.mark.shared
def test_laws_hold_on_gold(kind: type[KernelPattern], shared_data: Path) -> None:
    check_pattern(kind, xauusd_m1_2026(shared_data)[:20_000], instrument=XAUUSD, processes=False)


@every
@pytest.mark.shared
def test_laws_hold_on_dirty_m5(kind: type[KernelPattern], shared_data: Path) -> None:
    check_pattern(kind, eurusd_m5_dirty(shared_data)[20_000:40_000], timeframe="M5", instrument=EURUSD, processes=False)


@pytest.mark.parametrize("seed", [4, 5])
def test_laws_hold_in_the_other_mode_of_fvg(seed: int) -> None:
    bars = random_bars(np.random.default_rng(seed), 3000)
    assert len(check_pattern(FairValueGapFill, bars, {"mode": "fill"}, seed=seed)) == len(LAWS)


def test_laws_hold_where_zones_have_to_make_room() -> None:
    bars = random_bars(np.random.default_rng(6), 3000)
    check_pattern(OrderBlockBounce, bars, {"max_zones": 1, "structure_age": 10}, processes=False)
