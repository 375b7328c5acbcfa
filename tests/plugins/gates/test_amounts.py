"""Gates that look at money and volume: open risk, exposure, the largest order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.plugins.gates.made import NOON, USDJPY, fire, gate, said, sell, signal, situation

LOSS = (100.0, 100.0, 91.0)  # money that one lot loses at the stop; the third account's is in EUR


def test_open_risk_adds_what_is_ordered_already() -> None:
    """Small: 1000 USD, 10 % are 100; large: 50000 USD; euro: 10000 EUR."""
    risky = gate("open_risk")
    held = fire(1, "small", risk=60.0)
    fits = risky.decide(situation(signal(), held, lots=(0.4, 4, 4), loss=LOSS))  # 60 + 40 = 100 exactly
    assert fits.passed.tolist() == [True, True, True]
    assert fits.measured.tolist() == [10.0, 0.8, 3.64]
    over = risky.decide(situation(signal(), held, lots=(0.41, 51, 11), loss=LOSS))
    assert over.passed.tolist() == [False, False, False]
    assert over.lots is None
    assert said(over) == "open risk would be 10.10 % of equity, limit is 10 %"


def test_open_risk_makes_an_order_smaller() -> None:
    risky = gate("open_risk", resize=True)
    held = (fire(1, "small", risk=60.0), fire(2, "euro", risk=1_000.0))
    verdict = risky.decide(situation(signal(), *held, lots=(0.7, 3, 0.5), loss=LOSS))
    assert verdict.lots.tolist() == [0.4, 3.0, 0.0]
    assert verdict.passed.tolist() == [True, True, False]


def test_open_risk_needs_to_know_the_loss() -> None:
    verdict = gate("open_risk").decide(situation(signal(), lots=(1, 1, 1)))
    assert not verdict.passed.any()
    assert said(verdict).startswith("what this fire would lose at its stop is not known")
    assert not gate("open_risk").decide(situation(signal(), loss=LOSS)).passed.any()


def test_an_account_that_has_lost_everything_may_risk_nothing() -> None:
    from tests.plugins.gates.made import closed

    gone = fire(1, "small")
    verdict = gate("open_risk").decide(
        situation(signal(), gone, closed(gone, -1_000.0, NOON), lots=(0.01, 1, 1), loss=LOSS)
    )
    assert verdict.passed.tolist() == [False, True, True]


# -- exposure ------------------------------------------------------------------------------------------------------


def test_exposure_is_netted_by_currency() -> None:
    """One lot of EURUSD is 100,000 EUR, at the ask 110,012 USD."""
    most = gate("exposure", max_multiple=2.2003)
    alone = most.decide(situation(signal(), lots=(0.02, 1, 0.22)))
    assert alone.passed.tolist() == [True, True, True]
    np.testing.assert_allclose(alone.measured, [2.20024, 2.20024, 2.200264], atol=3e-4)
    held = fire(1, "large", signal(), lots=0.5)
    assert most.decide(situation(signal(), held, lots=(0.02, 1, 0.2))).passed.tolist() == [True, False, True]
    against = fire(1, "large", sell(), lots=0.5)
    assert most.decide(situation(signal(), against, lots=(0.02, 1.4, 0.2))).passed.tolist() == [True, True, True]


def test_exposure_counts_other_symbols_of_the_currency() -> None:
    """A buy of USDJPY is long of dollars, a buy of EURUSD short of them."""
    yen = signal(instrument=USDJPY, reference_points=150_000, stop_points=149_900, target_points=150_300)
    held = fire(1, "large", yen, lots=1.0)
    most = gate("exposure", max_multiple=3.0)
    assert most.decide(situation(signal(), held, lots=(0.01, 1.3, 0.1))).passed.tolist() == [True, True, True]
    short = most.decide(situation(sell(), held, lots=(0.01, 1.3, 0.1)))
    assert short.passed.tolist() == [True, False, True]
    assert said(short, 1) == "net exposure in EUR or USD would be 4.9 times equity, limit is 3"


def test_exposure_makes_an_order_smaller() -> None:
    most = gate("exposure", max_multiple=2.0, resize=True)
    verdict = most.decide(situation(signal(), fire(1, "euro", lots=0.25), lots=(0.05, 0.5, 0.1)))
    assert verdict.lots.tolist() == [0.01, 0.5, 0.0]  # 2000 USD are 0.018 lots; the euro account is over it already
    assert verdict.passed.tolist() == [True, True, False]
    again = most.decide(situation(signal(), fire(1, "euro", lots=0.25), lots=verdict.lots))
    assert again.passed.tolist() == [True, True, False]
    assert said(gate("exposure").decide(situation(signal()))) == "no gate before this one has decided a volume"


# -- the largest order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "lots", "expected", "passed"),
    [
        ({}, (50.0, 0.01, 60.0), [50.0, 0.01, 50.0], [1, 1, 1]),
        ({"resize": False}, (50.0, 50.01, 60.0), None, [1, 0, 0]),
        ({"lots": 0.255}, (0.25, 0.26, 1.0), [0.25, 0.25, 0.25], [1, 1, 1]),
        ({"lots": 5_000}, (100.0, 101.0, 1.0), [100.0, 100.0, 1.0], [1, 1, 1]),  # the broker's largest
        ({"notional": 110_012.0}, (1.0, 1.01, 1.11), [1.0, 1.0, 1.10], [1, 1, 1]),  # of USD, USD and EUR
        ({"notional": 1_000.0}, (0.01, 1.0, 1.0), [0.0, 0.0, 0.01], [0, 0, 1]),  # below the smallest volume for dollars
        ({}, (0.0, 0.0, 0.0), [0.0, 0.0, 0.0], [0, 0, 0]),
    ],
)
def test_the_largest_order(config: Any, lots: Any, expected: Any, passed: list[int]) -> None:
    verdict = gate("max_volume", **config).decide(situation(signal(), lots=lots))
    assert verdict.passed.tolist() == [bool(one) for one in passed]
    if expected is None:
        assert verdict.lots is None
        assert said(verdict, 1) == "50.01 lots are above the largest order of 50"
    elif verdict.lots is not None:
        assert verdict.lots.tolist() == expected
