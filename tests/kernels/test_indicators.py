"""Indicators against TA-Lib, pandas-ta-classic, filterpy and plain definitions, on random bars and on real ones."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from bitten.kernels import indicators as ind
from bitten.kernels import kalman
from bitten.model.dtypes import Records
from tests.bar_files import eurusd_h1

Column = NDArray[Any]


def random_bars(seed: int, count: int = 3000) -> dict[str, Column]:
    """A seeded random walk in points around 110,000."""
    rng = np.random.default_rng(seed)
    close = 110_000 + np.cumsum(rng.integers(-60, 61, count))
    open_ = np.concatenate([close[:1], close[:-1]]) + rng.integers(-5, 6, count)
    high = np.maximum(open_, close) + rng.integers(0, 40, count)
    low = np.minimum(open_, close) - rng.integers(0, 40, count)
    return {"open": open_, "high": high, "low": low, "close": close}


@pytest.fixture(params=["random", pytest.param("real", marks=pytest.mark.shared)])
def bars(request: pytest.FixtureRequest) -> dict[str, Column]:
    if request.param == "random":
        return random_bars(7)
    real: Records = eurusd_h1(request.getfixturevalue("shared_data"))
    return {name: real[name] for name in ("open", "high", "low", "close")}


def floats(bars: dict[str, Column], *names: str) -> list[Column]:
    return [bars[name].astype(np.float64) for name in names]


def rows(bars: dict[str, Column]) -> list[tuple[int, int, int]]:
    """High, low and close, relative to the first close as patterns use them."""
    origin = bars["close"][0]
    return list(zip(*((bars[name] - origin).tolist() for name in ("high", "low", "close")), strict=True))


def test_atr_equals_talib_from_its_first_value(bars: dict[str, Column]) -> None:
    state = np.zeros(1, ind.ATR)[0]
    ours = np.array([ind.atr_step(state, 14, *bar, False) for bar in rows(bars)])
    np.testing.assert_allclose(ours, talib.ATR(*floats(bars, "high", "low", "close"), 14), rtol=1e-12)


def test_adx_equals_talib_from_its_first_value(bars: dict[str, Column]) -> None:
    state = np.zeros(1, ind.ADX)[0]
    ours = np.array([ind.adx_step(state, 14, *bar, False) for bar in rows(bars)])
    np.testing.assert_allclose(ours, talib.ADX(*floats(bars, "high", "low", "close"), 14), rtol=1e-10)


def test_ema_equals_talib(bars: dict[str, Column]) -> None:
    state = np.zeros(1, ind.EMA)[0]
    ours = np.array([ind.ema_step(state, 20, float(c)) for c in bars["close"].tolist()])
    np.testing.assert_allclose(ours, talib.EMA(*floats(bars, "close"), 20), rtol=1e-12)


def test_sma_and_bollinger_bands_equal_talib(bars: dict[str, Column]) -> None:
    window, ring = new_window()
    origin = int(bars["close"][0])
    mean, std = [], []
    for close in bars["close"].tolist():
        ind.window_push(window, ring, close - origin)
        mean.append(ind.window_mean(window, ring) + origin)
        std.append(ind.window_std(window, ring))
    closes = floats(bars, "close")[0]
    upper, middle, lower = talib.BBANDS(closes, 20, 2.0, 2.0)
    np.testing.assert_allclose(mean, talib.SMA(closes, 20), rtol=1e-12)
    np.testing.assert_allclose(mean, middle, rtol=1e-12)
    # TA-Lib's variance is a difference of large squares: good to about 1e-4 points
    np.testing.assert_allclose(2 * np.array(std), upper - middle, atol=1e-3)
    np.testing.assert_allclose(2 * np.array(std), middle - lower, atol=1e-3)


def test_standard_deviation_is_that_of_the_population(bars: dict[str, Column]) -> None:
    window, ring = new_window()
    closes = bars["close"]
    for i, close in enumerate(closes.tolist()):
        ind.window_push(window, ring, close)
        if i in (19, 20, 500, 2999):
            assert ind.window_std(window, ring) == pytest.approx(np.std(closes[i - 19 : i + 1], ddof=0), rel=1e-12)


def new_window() -> tuple[Any, Any]:
    """A window of 20: its record and its ring."""
    return np.zeros(1, ind.WINDOW)[0], np.zeros(20, np.int64)


def squeeze_flags(bars: dict[str, Column]) -> list[bool]:
    closes, ranges = new_window(), new_window()
    flags = []
    before = 0
    for i, (high, low, close) in enumerate(rows(bars)):
        ind.window_push(*closes, close)
        ind.window_push(*ranges, ind.true_range(high, low, before, i == 0))
        before = close
        flags.append(ind.squeeze_on(ind.window_std(*closes), ind.window_mean(*ranges), 2.0, 1.5))
    return flags


def test_squeeze_equals_pandas_ta_classic_on_every_bar(bars: dict[str, Column]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own deprecations
        import pandas as pd
        import pandas_ta_classic as ta

        high, low, close = (pd.Series(column) for column in floats(bars, "high", "low", "close"))
        flags = ta.squeeze(high, low, close, mamode="sma", use_tr=True)["SQZ_ON"]
    ours = np.array(squeeze_flags(bars))[20:]  # their first true range is undefined, ours is the bar's own
    assert 0 < ours.sum() < ours.size
    np.testing.assert_array_equal(ours, flags.to_numpy(bool)[20:])


def test_kalman_local_linear_trend_equals_filterpy(bars: dict[str, Column]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from filterpy.kalman import KalmanFilter
    theirs = KalmanFilter(dim_x=2, dim_z=1)
    theirs.F = np.array([[1.0, 1.0], [0.0, 1.0]])
    theirs.H = np.array([[1.0, 0.0]])
    theirs.Q = np.diag([0.05, 0.0005])
    theirs.R = np.array([[1.0]])
    theirs.P = np.diag([1.0, 0.01])
    closes = ((bars["close"] - bars["close"][0]) * 1e-5).tolist()
    theirs.x = np.array([[closes[0]], [0.0]])
    trend = np.zeros(1, kalman.TREND)[0]
    kalman.trend_start(trend, closes[0], 1.0, 0.01)
    for close in closes[1:]:
        theirs.predict()
        theirs.update(close)
        kalman.trend_predict(trend, 0.05, 0.0005)
        kalman.trend_update(trend, close - trend["level"])
        np.testing.assert_allclose([trend["level"], trend["slope"]], theirs.x[:, 0], rtol=0, atol=1e-12)
    ours = [trend["level_variance"], trend["covariance"], trend["slope_variance"]]
    np.testing.assert_allclose(ours, [theirs.P[0, 0], theirs.P[0, 1], theirs.P[1, 1]], atol=1e-12)
    # R is 1, so the posterior covariance is the gain
    np.testing.assert_allclose(ours[:2], [0.2647, 0.0192], atol=5e-5)


def swings_by_definition(highs: Column, lows: Column, k: int) -> tuple[list[int], list[int]]:
    tops = [
        j
        for j in range(k, highs.size - k)
        if highs[j] > highs[j - k : j].max() and highs[j] >= highs[j + 1 : j + k + 1].max()
    ]
    bottoms = [
        j
        for j in range(k, lows.size - k)
        if lows[j] < lows[j - k : j].min() and lows[j] <= lows[j + 1 : j + k + 1].min()
    ]
    return tops, bottoms


@pytest.mark.parametrize("wing", [1, 3, 5])
def test_swings_are_the_fractals_and_known_wing_bars_later(bars: dict[str, Column], wing: int) -> None:
    state, ring = np.zeros(1, ind.SWINGS)[0], np.zeros((2, 2 * wing + 1), np.int64)
    tops, bottoms = [], []
    for i, (high, low) in enumerate(zip(bars["high"].tolist(), bars["low"].tolist(), strict=True)):
        is_high, is_low = ind.swing_step(state, ring, high, low)
        top, bottom = ind.swing_level(state, ring)
        if is_high:
            tops.append(i - wing)
            assert top == bars["high"][i - wing]
        if is_low:
            bottoms.append(i - wing)
            assert bottom == bars["low"][i - wing]
    assert (tops, bottoms) == swings_by_definition(bars["high"], bars["low"], wing)
    assert tops and bottoms


def test_rank_is_the_share_of_the_window_not_above_the_value() -> None:
    values = np.random.default_rng(3).integers(0, 50, 900).astype(np.float64)  # with ties
    ranks, ring = np.zeros(1, ind.RANKS)[0], np.zeros(240)
    for i, value in enumerate(values.tolist()):
        window = values[max(0, i - 239) : i + 1]
        ind.rank_push(ranks, ring, value)
        assert ind.rank(ranks, ring, value) == (window <= value).mean()


def test_a_gap_leaves_only_the_bars_own_range() -> None:
    assert ind.true_range(120, 110, 200, False) == 90
    assert ind.true_range(120, 110, 200, True) == 10
    bars = rows(random_bars(5, 200))
    jumped: list[tuple[int, ...]] = [*bars[:100], *(tuple(price + 5000 for price in bar) for bar in bars[100:])]

    def last(series: Sequence[tuple[int, ...]], step: Callable[..., float], dtype: np.dtype[Any]) -> float:
        state = np.zeros(1, dtype)[0]
        return [step(state, 14, *bar, i == 100) for i, bar in enumerate(series)][-1]

    assert last(jumped, ind.atr_step, ind.ATR) == last(bars, ind.atr_step, ind.ATR)
    assert last(jumped, ind.adx_step, ind.ADX) == last(bars, ind.adx_step, ind.ADX)


STATE = np.dtype(
    [
        ("window", ind.WINDOW),
        ("trend", kalman.TREND),
        ("ema", ind.EMA),
        ("atr", ind.ATR),
        ("adx", ind.ADX),
        ("ranks", ind.RANKS),
        ("closes", np.int64, (20,)),
        ("widths", np.float64, (240,)),
    ]
)


def everything(bars: list[tuple[int, int, int]], state: Records) -> list[list[float]]:
    """All indicators over bars, one row per bar; odd ones first."""
    s = state[0]
    window, trend = s["window"], s["trend"]
    out = []
    for high, low, close in bars:
        ind.window_push(window, s["closes"], close)
        std = ind.window_std(window, s["closes"])
        kalman.trend_predict(trend, 0.05, 0.0005)
        kalman.trend_update(trend, close - trend["level"])
        odd = [
            ind.window_mean(window, s["closes"]),
            ind.ema_step(s["ema"], 20, float(close)),
            float(trend["level"]),
            float(trend["slope"]),
        ]
        if std >= 0:
            ind.rank_push(s["ranks"], s["widths"], std)
        even = [
            std,
            ind.atr_step(s["atr"], 14, high, low, close, False),
            ind.adx_step(s["adx"], 14, high, low, close, False),
            ind.rank(s["ranks"], s["widths"], std) if std >= 0 else np.nan,
        ]
        out.append([*odd, *even])
    return out


def new_state() -> Records:
    state = np.zeros(1, STATE)
    kalman.trend_start(state[0]["trend"], 0.0, 1.0, 0.01)
    return state


def test_mirrored_prices_mirror_every_indicator_to_the_last_bit(bars: dict[str, Column]) -> None:
    plain = np.array(everything(rows(bars), new_state()))
    mirrored = np.array(everything([(-low, -high, -close) for high, low, close in rows(bars)], new_state()))
    np.testing.assert_array_equal(mirrored[:, :4], -plain[:, :4])
    np.testing.assert_array_equal(mirrored[:, 4:], plain[:, 4:])


@pytest.mark.parametrize("carry", [copy.deepcopy, np.copy, lambda state: pickle.loads(pickle.dumps(state))])
def test_a_copied_or_pickled_state_goes_on_alike(carry: Callable[[Any], Any]) -> None:
    bars = rows(random_bars(11, 600))
    whole = np.array(everything(bars, new_state()))
    state = new_state()
    everything(bars[:317], state)
    carried = carry(state)
    everything(bars[:50], state)  # the original moves on; the copy must not
    np.testing.assert_array_equal(np.array(everything(bars[317:], carried)), whole[317:])


def test_a_flat_market_divides_by_nothing() -> None:
    flat = np.array(everything([(0, 0, 0)] * 300, new_state()))[-1]
    np.testing.assert_array_equal(flat, [0, 0, 0, 0, 0, 0, 0, 1])
