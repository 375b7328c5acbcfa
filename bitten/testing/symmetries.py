"""Laws that a pattern may claim: sells mirror buys, and only ratios of prices matter."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from bitten.model.dtypes import NO_PRICE, Floats, Records
from bitten.pattern import Pattern
from bitten.testing.trial import NotApplicable, Trial, compare, run

_SCALE: Final = 8
_LEVELS: Final = ("reference", "stop", "target")


def mirror_symmetric(trial: Trial) -> str:
    """In the mirrored market (M - p) buys are sells, to the point (law 9). Evidence is compared without its signs.

    Prices among the evidence are mirrored too; of a pair `x_low`, `x_high` each becomes the other. One that is 0 is
    none.
    """
    _claimed(trial, "mirror")
    middle = int(trial.bars["low"].min() + trial.bars["high"].max())
    found = run(trial.new(), trial.replay.mirrored(middle), [trial.end])
    expected = trial.whole.copy()
    expected["side"] *= -1
    expected["evidence"] = _mirrored_evidence(trial.kind, expected["evidence"], middle)
    for rows in (expected, found):
        rows["evidence"] = np.abs(rows["evidence"])
    for name in _LEVELS:
        price = _prices(expected, name)
        expected[name][price] = middle - expected[name][price]
    # signals of one instant may come in another order, buys before sells
    order = [np.lexsort((rows["anchor"], rows["side"], rows["time"])) for rows in (found, expected)]
    how = f"in the market mirrored at {middle} - p"
    compare(trial, found[order[0]], expected[order[1]], how, "mirrored from the plain one")
    return "to the point"


def _mirrored_evidence(kind: type[Pattern], evidence: Floats, middle: int) -> Floats:
    mirrored = evidence.copy()
    for name in kind.evidence_prices:
        twin = name
        for end, other in (("_low", "_high"), ("_high", "_low")):
            if name.endswith(end) and name.removesuffix(end) + other in kind.evidence_prices:
                twin = name.removesuffix(end) + other
        source = evidence[:, kind.evidence.index(twin)]
        mirrored[:, kind.evidence.index(name)] = np.where(source == 0, 0.0, middle - source)
    return mirrored


def scale_free(trial: Trial) -> str:
    """Prices and spreads times eight give the same signals, levels within rounding. Evidence is not compared."""
    _claimed(trial, "scale")
    instrument = trial.context.instrument
    larger = replace(
        instrument, default_spread=_SCALE * instrument.default_spread, stops_level=_SCALE * instrument.stops_level
    )
    scaled = replace(trial, context=replace(trial.context, instrument=larger))
    found = run(scaled.new(), trial.replay.scaled(_SCALE), [trial.end])
    expected = trial.whole.copy()
    for name in _LEVELS:
        price = _prices(expected, name)
        expected[name][price] *= _SCALE
        distance = ~price & (expected[name] != NO_PRICE)
        expected[name][distance] *= _SCALE
    if found.size == expected.size:
        for name in ("stop", "target"):
            near = np.abs(found[name] - expected[name]) < _SCALE
            found[name] = np.where(near, expected[name], found[name])
        found["evidence"] = expected["evidence"]
        expected["atr"] *= _SCALE
    compare(trial, found, expected, f"with prices and spreads times {_SCALE}", "scaled from the plain ones")
    return f"prices times {_SCALE}"


def _prices(rows: Records, name: str) -> Records:
    """Where a level is a price, neither absent nor a distance."""
    price: Records = rows[name] != NO_PRICE
    return price if name == "reference" else price & (rows["relative"] == 0)


def _claimed(trial: Trial, symmetry: str) -> None:
    if symmetry not in trial.kind.symmetries:
        raise NotApplicable(f'the pattern does not claim it: "{symmetry}" is not among its symmetries')
