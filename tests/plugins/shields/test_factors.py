"""Every factor, cap and label of the protection score by worked cases."""

from __future__ import annotations

import pytest

from bitten_plugins.shields import factors
from bitten_plugins.shields.citadel import Weights
from bitten_plugins.shields.news import news_factor
from bitten_plugins.shields.sessions import NAMES

WEIGHTS = {name: getattr(Weights(), name) for name in factors.NAMES}
SOUND = dict.fromkeys(factors.NAMES, 1.0)


@pytest.mark.parametrize(
    ("ratio", "of_atr", "factor"),
    [
        (1.0, 0.1, 1.0), (1.25, 0.15, 1.0), (2.625, 0.1, 0.5), (4.0, 0.1, 0.0), (9.0, 0.1, 0.0), (0.0, 0.0, 1.0),
        (1.0, 0.325, 0.5), (1.0, 0.5, 0.0), (2.625, 0.4, 2 / 7), (2.625, None, 0.5),
    ],
)  # fmt: skip
def test_spread(ratio: float, of_atr: float | None, factor: float) -> None:
    assert factors.spread_factor(ratio, of_atr) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("ratio", "last", "factor"),
    [
        (1.0, 1.0, 1.0), (0.3, 1.0, 0.0), (0.45, 1.0, 0.5), (0.6, 1.0, 1.0), (1.4, 1.0, 1.0), (2.2, 1.0, 0.5),
        (3.0, 1.0, 0.0), (1.0, 4.0, 1.0), (1.0, 4.01, 0.0),
    ],
)  # fmt: skip
def test_volatility(ratio: float, last: float, factor: float) -> None:
    assert factors.volatility_factor(ratio, last) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("name", "pair", "factor"),
    [
        ("overlap", "EURUSD", 1.0), ("london", "EURUSD", 0.85), ("new_york", "EURUSD", 0.85), ("tokyo", "EURUSD", 0.5),
        ("tokyo", "USDJPY", 0.8), ("tokyo", "AUDUSD", 0.8), ("tokyo", "EURNZD", 0.8), ("quiet", "EURUSD", 0.35),
        ("friday_late", "EURUSD", 0.2), ("sunday_open", "EURUSD", 0.1), ("rollover", "EURUSD", 0.0),
    ],
)  # fmt: skip
def test_session(name: str, pair: str, factor: float) -> None:
    assert factors.session_factor(NAMES.index(name), pair[:3], pair[3:]) == factor


@pytest.mark.parametrize(
    ("minutes", "factor"),
    [
        (60, 1.0), (30, 1.0), (17.5, 0.5), (5, 0.0), (0, 0.0), (-10, 0.0), (-20, 0.5), (-30, 1.0), (-12, 0.1),
    ],
)  # fmt: skip
def test_news(minutes: float, factor: float) -> None:
    assert news_factor(minutes) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("favourable", "adverse", "factor"),
    [(0.0, 0.0, 1.0), (0.15, 0.0, 1.0), (0.325, 0.0, 0.5), (0.0, 0.325, 0.5), (0.5, 0.0, 0.0), (0.1, 0.9, 0.0)],
)
def test_drift(favourable: float, adverse: float, factor: float) -> None:
    assert factors.drift_factor(favourable, adverse) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("age", "crossed", "backward", "factor"),
    [
        (0.0, 0.0, 0, 1.0), (5.0, 0.01, 0, 1.0), (17.5, 0.0, 0, 0.5), (30.0, 0.0, 0, 0.0), (0.0, 0.012, 0, 0.5),
        (17.5, 0.0, 1, 0.25),
    ],
)  # fmt: skip
def test_quotes(age: float, crossed: float, backward: int, factor: float) -> None:
    assert factors.quotes_factor(age, crossed, backward) == pytest.approx(factor)


def test_sweep() -> None:
    kinds = (factors.SWEPT_FOR, factors.SWEPT_AGAINST, factors.POOL_AHEAD, factors.NO_SWEEP)
    assert [factors.sweep_factor(kind) for kind in kinds] == [1.0, 0.0, 0.3, 0.6]


@pytest.mark.parametrize(
    ("marks", "score"),
    [
        ({}, 10.0),
        ({"sweep": 0.6, "session": 0.85}, 10 - 4 * 0.4 - 3 * 0.15),
        ({"sweep": 0.3}, 7.2),
        ({"volatility": 0.26}, 10 - 3 * 0.74),
        ({"volatility": 0.25}, 6.0),  # 7.75 without the cap
        ({"volatility": 0.0}, 4.0),  # 7
        ({"session": 0.0, "spread": 0.5}, 4.0),  # 5
        ({"session": 0.0, "spread": 0.0, "sweep": 0.6}, 1.4),
        ({"sweep": 0.0, "spread": 0.0, "news": 0.0}, 1.0),  # -2
        (dict.fromkeys(factors.NAMES, 0.0), 1.0),
    ],
)
def test_protection(marks: dict[str, float], score: float) -> None:
    assert factors.protection({**SOUND, **marks}, WEIGHTS) == pytest.approx(score)


def test_what_is_not_measured_costs_nothing_and_caps_nothing() -> None:
    assert factors.protection({"session": 1.0}, WEIGHTS) == 10.0
    assert factors.protection({"session": 0.0, "spread": 1.0}, {**WEIGHTS, "session": 0.0}) == 10.0


@pytest.mark.parametrize(
    ("score", "shown", "label"),
    [
        (10.0, 10, "shielded"), (7.5, 8, "shielded"), (7.49, 7, "guarded"), (5.5, 6, "guarded"), (5.4, 5, "exposed"),
        (3.5, 4, "exposed"), (3.49, 3, "stand down"), (1.0, 1, "stand down"),
    ],
)  # fmt: skip
def test_labels(score: float, shown: int, label: str) -> None:
    assert (factors.displayed(score), factors.label(score)) == (shown, label)
