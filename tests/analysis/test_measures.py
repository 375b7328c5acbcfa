import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.analysis import measures
from bitten.analysis.measures import NS_PER_DAY

with warnings.catch_warnings():  # the oracles warn about their own dependencies while they load
    warnings.simplefilter("ignore")
    import empyrical
    import ffn
    import quantstats.stats as quantstats

RETURNS = st.lists(st.floats(-0.2, 0.2).map(lambda x: round(x, 5)), min_size=2, max_size=80)


def series(returns: np.ndarray) -> pd.Series:
    return pd.Series(returns, index=pd.bdate_range("2023-01-02", periods=len(returns)))


def sample(seed: int, size: int = 250) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0005, 0.01, size)


@pytest.mark.parametrize("seed", range(5))
def test_sharpe_and_sortino_agree_with_quantstats_empyrical_and_ffn(seed):
    returns = sample(seed)
    prices = series(returns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sharpes = [
            quantstats.sharpe(prices),
            empyrical.sharpe_ratio(prices),
            ffn.calc_sharpe(prices, rf=0.0, nperiods=252),
        ]
        sortinos = [
            quantstats.sortino(prices),
            empyrical.sortino_ratio(prices),
            ffn.calc_sortino_ratio(prices, rf=0.0, nperiods=252),
        ]
    assert sharpes == pytest.approx([measures.sharpe(returns)] * 3, rel=1e-9)
    assert sortinos == pytest.approx([measures.sortino(returns)] * 3, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_drawdown_agrees_with_quantstats_empyrical_and_ffn(seed):
    returns = sample(seed)
    returns[0] = -0.03  # the first day's loss counts: the start equity is a peak
    equity = 10_000 * np.concatenate(([1.0], np.cumprod(1 + returns)))
    times = np.arange(equity.size) * NS_PER_DAY
    found = measures.drawdown(times, equity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [
            quantstats.max_drawdown(series(returns)),
            empyrical.max_drawdown(series(returns)),
            ffn.calc_max_drawdown(pd.Series(equity, index=pd.bdate_range("2023-01-02", periods=equity.size))),
        ]
    assert theirs == pytest.approx([-found.depth] * 3, rel=1e-9)


def test_calmar_is_ffns_by_calendar_years():
    returns = sample(3, 600)
    equity = 10_000 * np.concatenate(([1.0], np.cumprod(1 + returns)))
    index = pd.bdate_range("2021-01-04", periods=equity.size)
    times = index.as_unit("ns").asi8
    growth = measures.cagr(equity[0], equity[-1], int(times[-1] - times[0]))
    depth = measures.drawdown(times, equity).depth
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ffn.calc_calmar_ratio(pd.Series(equity, index=index))
    assert growth / depth == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize(
    ("wins", "trades", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_newcombes_table(wins, trades, low, high):
    assert measures.wilson(wins, trades) == pytest.approx((low, high), abs=6e-5)


def test_wilson_without_trades_is_undefined():
    assert measures.wilson(0, 0) is None


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_the_share_and_stays_within_0_and_1(wins, trades):
    wins = min(wins, trades)
    low, high = measures.wilson(wins, trades)
    assert 0 <= low <= wins / trades + 1e-12
    assert wins / trades - 1e-12 <= high <= 1


@given(RETURNS)
def test_ratios_are_finite_or_none(returns):
    values = np.array(returns)
    for result in (measures.sharpe(values), measures.sortino(values), measures.sqn(values)):
        assert result is None or math.isfinite(result)


@pytest.mark.parametrize("values", [[], [0.01], [0.01] * 30, [0.0] * 30, [1 / 3] * 7])
def test_without_variance_sharpe_and_sqn_are_undefined(values):
    assert measures.sharpe(np.array(values)) is None
    assert measures.sqn(np.array(values)) is None


def test_sortino_without_a_losing_day_is_undefined():
    assert measures.sortino(np.array([0.01, 0.02, 0.0])) is None


def test_sqn_caps_the_count_at_100():
    r = np.tile([2.0, -1.0], 200)
    assert measures.sqn(r) == pytest.approx(r.mean() / r.std(ddof=1) * 10)
    assert measures.sqn(r[:50]) == pytest.approx(r[:50].mean() / r[:50].std(ddof=1) * math.sqrt(50))


@pytest.mark.parametrize(
    ("profits", "expected"), [([2.0, -1.0], 2.0), ([3.0], None), ([-3.0], 0.0), ([0.0], None), ([], None)]
)
def test_profit_factor(profits, expected):
    assert measures.profit_factor(np.array(profits)) == expected


def test_cagr_uses_calendar_years_and_refuses_what_it_cannot_raise():
    year = measures.NS_PER_YEAR
    assert measures.cagr(100.0, 121.0, 2 * year) == pytest.approx(0.1)
    assert measures.cagr(100.0, 0.0, year) == -1.0
    assert measures.cagr(0.0, 10.0, year) is None
    assert measures.cagr(100.0, -10.0, year) is None
    assert measures.cagr(100.0, 110.0, 0) is None
    assert measures.cagr(100.0, 110.0, 30 * NS_PER_DAY - 1) is None
    assert measures.cagr(100.0, 110.0, 30 * NS_PER_DAY) == pytest.approx(1.1 ** (365.25 / 30) - 1)


def test_drawdown_names_depth_money_and_length():
    times = np.arange(7) * NS_PER_DAY
    found = measures.drawdown(times, np.array([100.0, 120.0, 90.0, 110.0, 120.0, 115.0, 118.0]))
    assert found.depth == pytest.approx(0.25)
    assert (found.money, found.days, found.open, found.longest_days) == (30.0, 3.0, False, 3.0)


def test_a_drawdown_that_did_not_recover_is_open_until_the_end():
    found = measures.drawdown(np.arange(4) * NS_PER_DAY, np.array([100.0, 80.0, 90.0, 95.0]))
    assert (found.days, found.open, found.longest_days) == (3.0, True, 3.0)


def test_equity_that_never_fell_has_a_drawdown_of_zero():
    found = measures.drawdown(np.arange(3) * NS_PER_DAY, np.array([100.0, 100.0, 110.0]))
    assert (found.depth, found.money, found.days, found.open, found.longest_days) == (0.0, 0.0, 0.0, False, 0.0)


def test_drawdown_of_nothing_is_undefined():
    assert measures.drawdown(np.zeros(0, np.int64), np.zeros(0)) is None
    assert measures.drawdown(np.zeros(1, np.int64), np.zeros(1)) is None


@given(st.lists(st.booleans(), max_size=60))
def test_longest_streak_is_that_of_a_plain_loop(flags):
    best = current = 0
    for flag in flags:
        current = current + 1 if flag else 0
        best = max(best, current)
    assert measures.longest_streak(np.array(flags, np.bool_)) == best


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=20))
def test_covered_time_counts_overlaps_once(spans):
    covered = set()
    for start, length in spans:
        covered.update(range(start, start + length))
    starts = np.array([start for start, _ in spans], np.int64)
    ends = np.array([start + length for start, length in spans], np.int64)
    assert measures.covered_ns(starts, ends) == len(covered)
