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
from bitten_plugins.patterns.kalman_quickfire import KalmanQuickfire
from tests.bar_files import EURUSD, XAUUSD, eurusd_m1_2018, eurusd_m5_dirty, trading_days, xauusd_m1_2026
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
    assert 0.4 < (rows["side"] > 0).mean() < 0.6
