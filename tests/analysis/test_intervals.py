import math

import numpy as np
import pytest

from bitten.analysis.intervals import difference_interval, mean_interval, t_95, wilson_bounds
from bitten.analysis.measures import wilson


def sums(values) -> tuple[int, float, float]:
    return len(values), float(np.sum(values)), float(np.sum(np.square(values)))


def test_t_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    freedom = np.array([*range(1, 200), 1000, 100_000])
    assert t_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=2e-5)
    assert np.isnan(t_95(np.array([0, -1]))).all()


def test_the_interval_of_a_mean_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.array([-1.0, -1.0, 2.0, -1.0, 1.5, -0.4])
    mean, low, high = (float(column[0]) for column in mean_interval(*(np.array([x]) for x in sums(values))))
    wanted = stats.t.interval(0.95, 5, loc=values.mean(), scale=stats.sem(values))
    assert (mean, low, high) == pytest.approx((values.mean(), *wanted), abs=1e-5)


def test_two_losses_and_a_win_by_hand():
    # -1, -1, 2: mean 0, deviation sqrt(3), its error sqrt(3 / 3) = 1, t with 2 degrees of freedom 4.302653
    mean, low, high = mean_interval(np.array([3]), np.array([0.0]), np.array([6.0]))
    assert (mean[0], low[0], high[0]) == pytest.approx((0.0, -4.302653, 4.302653))


def test_what_cannot_be_told_is_nan():
    count = np.array([0, 1, 5])
    mean, low, high = mean_interval(count, np.array([0.0, 2.0, -5.0]), np.array([0.0, 4.0, 5.0]))
    assert math.isnan(mean[0])
    assert mean[1:].tolist() == [2.0, -1.0]
    assert np.isnan(low).all()  # nothing, one value, five that are alike
    assert np.isnan(high).all()


def test_the_interval_of_a_difference_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(5)
    first, second = rng.normal(0.2, 1.0, 40), rng.normal(-0.1, 2.0, 90)
    found = difference_interval(sums(first), sums(second))
    wanted = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert found == pytest.approx((wanted.low, wanted.high), abs=2e-3)  # its degrees of freedom are a whole number here


@pytest.mark.parametrize(("first", "second"), [([1.0], [1.0, 2.0]), ([], [1.0, 2.0]), ([-1.0, -1.0], [2.0, -1.0])])
def test_too_little_for_a_difference(first, second):
    assert all(math.isnan(bound) for bound in difference_interval(sums(first), sums(second)))


def test_wilson_for_groups_is_wilson_for_each():
    wins, count = np.array([0, 3, 12, 20]), np.array([2, 4, 13, 20])
    low, high = wilson_bounds(wins, count)
    for i in range(4):
        assert (low[i], high[i]) == pytest.approx(wilson(int(wins[i]), int(count[i])))
    assert np.isnan(wilson_bounds(np.array([0]), np.array([0]))).all()
