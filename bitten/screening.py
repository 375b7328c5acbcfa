"""Many signals as columns: what policies that look at nothing but signals and quotes answer once for a whole slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bitten.market import Market
from bitten.model.dtypes import Bools, Floats, Ints
from bitten.model.facts import Signal


class Offers(NamedTuple):
    """Signals, each at the instant of its own decision, and the quotes that hold then; columns of shape (n,)."""

    signals: Sequence[Signal]
    time: Ints  # ns UTC
    side: Ints
    reference: Ints  # points, as are prices; NO_PRICE for none
    stop: Ints
    target: Ints
    relative: Bools
    confidence: Floats
    atr: Floats  # points, 0 for none
    quoted: Ints  # ns UTC, of the last quote
    bid: Ints
    ask: Ints
    known: Bools  # whether there is one; without, the three before mean nothing


class Screen(NamedTuple):
    """The signals that pass whoever is asked for, with what was measured; the others have to be decided one by one."""

    passed: Bools  # shape (n,)
    measured: Floats | float  # of those that pass, or one for all
    limit: Floats | float


class Screened(NamedTuple):
    """The same as Python's own, quicker to look up."""

    passed: Sequence[bool]
    measured: Sequence[float]
    limit: Sequence[float]


def make_offers(signals: Sequence[Signal], market: Market) -> Offers:
    """Columns of signals that are about to be decided, and the quotes of the current slice at their instants."""
    rows = [
        (one.time, one.side, one.reference_points, one.stop_points, one.target_points, one.relative) for one in signals
    ]
    time, side, reference, stop, target, relative = np.array(rows, np.int64).T
    confidence, atr = np.array([(one.confidence, one.atr_points) for one in signals], np.float64).T
    quotes = [market.quote(one.symbol, one.time) for one in signals]  # few of each symbol: columns would take longer
    quoted, bid, ask = np.array([quote or (0, 0, 0) for quote in quotes], np.int64).T
    known = np.array([quote is not None for quote in quotes], np.bool_)
    return Offers(signals, time, side, reference, stop, target, relative == 1, confidence, atr, quoted, bid, ask, known)


def as_screened(screen: Screen, size: int) -> Screened:
    """A screen, checked.

    Raises:
        ValueError: its columns are not those of so many signals.
    """
    passed = np.asarray(screen.passed)
    if passed.dtype != np.bool_ or passed.shape != (size,):
        raise ValueError(f"a screen passed {passed.dtype} {passed.shape}, not bool ({size},)")
    return Screened(passed.tolist(), _column(screen.measured, size), _column(screen.limit, size))


def _column(values: Floats | float, size: int) -> list[float]:
    if isinstance(values, float):
        return [values] * size
    if values.shape != (size,):
        raise ValueError(f"a screen measured {values.shape}, not ({size},)")
    numbers: list[float] = values.astype(np.float64).tolist()
    return numbers
