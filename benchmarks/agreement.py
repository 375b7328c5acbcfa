"""How far two engines did the same: closed trades one by one, and the figures of a sweep's combinations."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.jobs import DIGITS
from bitten.model.dtypes import Floats, Records
from bitten.model.instrument import to_points


class Agreement(NamedTuple):
    """Of `reference` trades (combinations, for a sweep) `same` are the same; the engine has `found`."""

    same: int
    reference: int
    found: int
    profits: int | None = None  # combinations of a sweep whose profit is compared, beside the number of trades

    def __str__(self) -> str:
        if self.profits is not None:
            return f"{self.same} of {self.reference}, profit in {self.profits}"
        others = f", {self.found - self.same} others" if self.found > self.same else ""
        return f"{self.same} of {self.reference}{others}"


def compare_trades(found: Records, reference: Records) -> Agreement:
    """Trades (dtype `jobs.TRADE`), alike in side, rows of entry and exit, and both prices to half a point."""
    ours, theirs = _counted(found), _counted(reference)
    return Agreement((ours & theirs).total(), theirs.total(), ours.total())


def compare_sweeps(found: Floats, reference: Floats) -> Agreement:
    """Combinations alike in number of trades and profit.

    Args:
        found: shape (100, 2), trades and profit in points of five decimals; NaN for what was not run or is not told.
        reference: the same, without gaps.
    """
    done = ~np.isnan(found[:, 0])
    count = found[:, 0] == reference[:, 0]
    profit = np.isnan(found[:, 1]) | (np.abs(found[:, 1] - reference[:, 1]) < 0.01)
    same, compared = int((done & count & profit).sum()), int(done.sum())
    return Agreement(same, compared, compared, int((~np.isnan(found[:, 1])).sum()))


def compare(found: Any, reference: Any) -> Agreement:
    """Trades or sweeps, whichever the arrays hold."""
    return compare_trades(found, reference) if reference.dtype.names else compare_sweeps(found, reference)


def only_dump(folder: Path) -> Any:
    """The one array that a peer has dumped into a folder of its own; None where it has not."""
    files = sorted(folder.glob("*.npy"))
    return np.load(files[0]) if len(files) == 1 else None


def _counted(trades: Records) -> Counter[Any]:
    prices = (to_points(trades[name], DIGITS).tolist() for name in ("entry_px", "exit_px"))
    return Counter(zip(*(trades[name].tolist() for name in ("dir", "entry_i", "exit_i")), *prices, strict=True))
