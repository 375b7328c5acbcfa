import numpy as np
import pyarrow as pa
import pytest

from bitten.analysis.calibration import calibration_figures, score
from bitten.analysis.fates import signal_fates
from bitten.analysis.measures import wilson
from tests.analysis.test_performance import tables


def test_four_forecasts_by_hand():
    found = score(np.array([0.9, 0.9, 0.1, 0.1]), np.array([1.0, 0.0, 0.0, 0.0]))
    # squares: 0.01, 0.81, 0.01, 0.01; base rate 1/4, whose own Brier score is 3/16
    assert found["brier"] == pytest.approx(0.21)
    assert (found["base_rate"], found["brier_base"]) == (0.25, 0.1875)
    assert found["skill"] == pytest.approx(1 - 0.21 / 0.1875)
    assert [one["signals"] for one in found["bins"]] == [4]  # too few to be split


def test_the_three_parts_are_the_whole_where_bins_hold_equal_forecasts():
    forecast = np.repeat([0.2, 0.5, 0.8], [60, 40, 100])
    won = np.concatenate([np.arange(n) < wins for n, wins in ((60, 15), (40, 18), (100, 84))]).astype(float)
    found = score(forecast, won)
    assert [(one["forecast"], one["observed"]) for one in found["bins"]] == [
        pytest.approx((0.2, 0.25)), pytest.approx((0.5, 0.45)), pytest.approx((0.8, 0.84)),
    ]  # fmt: skip
    assert found["brier"] == pytest.approx(found["reliability"] - found["resolution"] + found["brier_base"])
    assert found["reliability"] == pytest.approx((60 * 0.05**2 + 40 * 0.05**2 + 100 * 0.04**2) / 200)
    first = found["bins"][0]
    assert (first["observed_low"], first["observed_high"]) == pytest.approx(wilson(15, 60))


def test_it_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    forecast = rng.random(500)
    won = (rng.random(500) < forecast**1.3).astype(float)
    found = score(forecast, won)
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(won, forecast))
    assert [one["signals"] for one in found["bins"]] == [50] * 10


def test_bins_hold_twenty_and_are_ten_at_most():
    assert [one["signals"] for one in score(np.linspace(0, 1, 45), np.zeros(45))["bins"]] == [22, 23]
    assert len(score(np.linspace(0, 1, 9_000), np.zeros(9_000))["bins"]) == 10
    assert score(np.linspace(0, 1, 45), np.zeros(45))["skill"] is None  # nothing to be better than


def calibration(**columns) -> pa.Table:
    return pa.table({"raw": [80.0, 90.0, 70.0], "probability": [0.4, 0.5, None], "won": [True, False, None], **columns})


def test_a_calibrators_probabilities_are_judged_where_it_gave_any():
    given = tables() | {"calibration": calibration()}
    found = calibration_figures(given, signal_fates(given))
    assert (found["calibrated"], found["signals"]) == (True, 2)
    assert found["brier"] == pytest.approx((0.6**2 + 0.5**2) / 2)
    assert found["brier_raw"] == pytest.approx((0.2**2 + 0.9**2) / 2)


@pytest.mark.parametrize(
    "table", [None, calibration(probability=pa.nulls(3)), calibration(won=pa.nulls(3)), pa.table({"raw": [1.0]})]
)
def test_elsewhere_raw_confidence_is_judged_and_called_not_calibrated(table):
    given = tables() | ({} if table is None else {"calibration": table})
    found = calibration_figures(given, signal_fates(given))
    # 80.0 won, 89.9 lost, 100.0 won, 0.0 and 9.9 lost; what was flat, cut off or never filled is neither
    assert (found["calibrated"], found["signals"], found["base_rate"]) == (False, 5, 0.4)
    assert found["brier"] == pytest.approx((0.2**2 + 0.899**2 + 0.0 + 0.0 + 0.099**2) / 5)


def test_nothing_to_judge():
    found = calibration_figures({}, signal_fates({}))
    assert (found["signals"], found["brier"], found["bins"]) == (0, None, [])
