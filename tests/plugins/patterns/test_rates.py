"""How often the patterns speak on real bars: within a factor two of the calibration of 3.7. Nobody asserts profit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bitten.model.dtypes import Records
from bitten.model.instrument import Instrument
from bitten.pattern import KernelPattern
from bitten_plugins.patterns.bb_scalp import BbScalp
from bitten_plugins.patterns.fair_value_gap_fill import FairValueGapFill
from bitten_plugins.patterns.kalman_quickfire import KalmanQuickfire
from bitten_plugins.patterns.liquidity_sweep_reversal import LiquiditySweepReversal
from bitten_plugins.patterns.order_block_bounce import OrderBlockBounce
from bitten_plugins.patterns.vcb_breakout import VcbBreakout
from tests.bar_files import (
    EURUSD,
    USDJPY,
    XAUUSD,
    eurusd_m1_2018,
    eurusd_m5_dirty,
    trading_days,
    usdjpy_m5_2026,
    xauusd_m1_2026,
)
from tests.plugins.patterns.test_definitions import scan

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(
    ("read", "timeframe", "instrument", "kind", "per_day", "confidence"),
    [
        (eurusd_m1_2018, "M1", EURUSD, KalmanQuickfire, 20.6, (52, 57)),
        (eurusd_m1_2018, "M1", EURUSD, BbScalp, 17.5, (41, 63)),
        (xauusd_m1_2026, "M1", XAUUSD, KalmanQuickfire, 24.7, (52, 57)),
        (xauusd_m1_2026, "M1", XAUUSD, BbScalp, 20.6, (41, 63)),
        (eurusd_m5_dirty, "M5", EURUSD, KalmanQuickfire, 1.9, (52, 57)),
        (eurusd_m5_dirty, "M5", EURUSD, BbScalp, 1.6, (41, 63)),
        (usdjpy_m5_2026, "M5", USDJPY, KalmanQuickfire, 1.4, (51, 57)),
        (usdjpy_m5_2026, "M5", USDJPY, BbScalp, 0.7, (40, 63)),
        (eurusd_m1_2018, "M1", EURUSD, OrderBlockBounce, 28.9, (43, 55)),
        (xauusd_m1_2026, "M1", XAUUSD, OrderBlockBounce, 30.2, (43, 55)),
        (eurusd_m5_dirty, "M5", EURUSD, OrderBlockBounce, 5.1, (43, 55)),
        (usdjpy_m5_2026, "M5", USDJPY, OrderBlockBounce, 4.0, (43, 55)),
        (eurusd_m1_2018, "M1", EURUSD, FairValueGapFill, 49.8, (55, 63)),
        (xauusd_m1_2026, "M1", XAUUSD, FairValueGapFill, 54.2, (55, 63)),
        (eurusd_m5_dirty, "M5", EURUSD, FairValueGapFill, 4.6, (55, 63)),
        (usdjpy_m5_2026, "M5", USDJPY, FairValueGapFill, 2.8, (55, 63)),
        (eurusd_m1_2018, "M1", EURUSD, LiquiditySweepReversal, 45.5, (27, 35)),
        (xauusd_m1_2026, "M1", XAUUSD, LiquiditySweepReversal, 45.9, (27, 35)),
        (eurusd_m5_dirty, "M5", EURUSD, LiquiditySweepReversal, 5.5, (25, 35)),  # M5 is heavy on spreads
        (usdjpy_m5_2026, "M5", USDJPY, LiquiditySweepReversal, 4.0, (25, 35)),
        (eurusd_m1_2018, "M1", EURUSD, VcbBreakout, 8.6, (25, 42)),
        (xauusd_m1_2026, "M1", XAUUSD, VcbBreakout, 10.6, (25, 42)),
        (eurusd_m5_dirty, "M5", EURUSD, VcbBreakout, 1.8, (25, 42)),
        (usdjpy_m5_2026, "M5", USDJPY, VcbBreakout, 1.9, (25, 42)),
    ],
)
def test_signals_per_day_and_median_confidence(
    read: Callable[[Path], Records],
    timeframe: str,
    instrument: Instrument,
    kind: type[KernelPattern],
    per_day: float,
    confidence: tuple[float, float],
    shared_data: Path,
) -> None:
    bars = read(shared_data)
    rows = scan(kind, bars, timeframe, instrument)
    rate = rows.size / trading_days(bars)
    assert per_day / 2 < rate < per_day * 2
    assert confidence[0] <= np.median(rows["confidence"]) <= confidence[1]
    excess = abs(int(rows["side"].sum()))  # of one side over the other
    assert excess < max(0.25 * rows.size, 2 * np.sqrt(rows.size))
