"""The expected best of many strategies without an edge, and what a reader is told of it."""

from __future__ import annotations

import numpy as np
import pytest

from bitten.sweeping.luck import expected_best, selection_notes


@pytest.mark.parametrize("trials", [10, 100, 1000])
def test_the_expected_best_agrees_with_a_simulation(trials: int) -> None:
    draws = np.random.default_rng(0).normal(0.0, 1.5, (4000, trials))
    assert expected_best(1.5, trials) == pytest.approx(draws.max(axis=1).mean(), rel=0.03)


def test_the_notes_say_how_many_and_what_luck_would_do() -> None:
    first, second = selection_notes(1200, [-0.5, 0.5, None, 1.0])
    assert "the best of 1,200 combinations" in first
    assert "3 independent combinations whose Sharpe ratios spread as these do (0.76)" in second
    assert f"best Sharpe of about {expected_best(0.7637626, 3):.2f} by luck alone; the best here has 1.00" in second


@pytest.mark.parametrize(
    ("count", "sharpes", "notes"), [(1, [1.0], 0), (2, [None, 1.0], 1), (2, [1.0, 1.0], 1), (0, [], 0)]
)
def test_where_there_is_nothing_to_estimate_nothing_is(count: int, sharpes: list[float | None], notes: int) -> None:
    assert len(selection_notes(count, sharpes)) == notes
