"""The laws that every pattern keeps, each as a check that shows its first counter-example.

`bitten.testing.kit` tries them. A law takes a `Trial` and returns what it measured, in a few words or none; or it
raises `LawBroken` with the counter-example, or `NotApplicable` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from bitten.analysis.figures import counted
from bitten.clock import iso
from bitten.model.dtypes import BUY, EVIDENCE_SLOTS, NO_PRICE, SELL, Ints, Records
from bitten.testing.endurance import memory_ends, quick
from bitten.testing.isolation import (
    blind_to_hash_order,
    blind_to_the_clock,
    deterministic,
    leaves_input_alone,
    picklable,
    reaches_for_nothing,
    restorable,
)
from bitten.testing.symmetries import mirror_symmetric, scale_free
from bitten.testing.trial import LawBroken, Trial, bars_before, compare, describe, run

_MOST_CUTS: Final = 20_000  # where "every instant" is a stretch of the market
_STEP: Final = 10**9  # ns

Check = Callable[[Trial], str]


class Law(NamedTuple):
    """One law of the kit."""

    name: str
    check: Check
    once: bool = False  # tried on one market only
    alone: bool = False  # says something of a pattern without valid signals, too


def signals_are_valid(trial: Trial) -> str:
    """Rows are signals: known sides and times, levels on their sides, numbers finite, one per anchor."""
    named = len(trial.kind.evidence)
    if named > EVIDENCE_SLOTS:
        raise LawBroken(f"{trial.kind.__name__} names {named} pieces of evidence, at most {EVIDENCE_SLOTS} fit")
    rows = trial.whole
    if rows.size == 0:
        raise LawBroken("the pattern gave no signal on this market, so nothing would be proved: use more bars")
    if (np.diff(rows["time"]) < 0).any():
        raise LawBroken("signals are not in the order of time")
    anchors: set[tuple[int, int]] = set()
    for i, row in enumerate(rows):
        wrong = _fault(row, trial.replay.instants)
        anchor = (int(row["side"]), int(row["anchor"]))
        if anchor in anchors:
            wrong = f"anchor {anchor[1]} was given before; there is one signal per anchor and side"
        anchors.add(anchor)
        if wrong:
            raise LawBroken(
                f"signal {i} is not valid: {wrong}\n  {describe(trial.kind, row)}\n{bars_before(trial, row)}"
            )
    return counted(rows.size, "signal")


def _fault(row: Records, instants: Ints) -> str:
    side, reference = int(row["side"]), int(row["reference"])
    if side not in (BUY, SELL):
        return f"side is {side}, must be 1 or -1"
    if not 0 <= row["confidence"] <= 100:
        return f"confidence is {row['confidence']}, must be 0 to 100"
    if not (np.isfinite(row["atr"]) and row["atr"] >= 0 and np.isfinite(row["evidence"]).all()):
        return "the ATR or the evidence is not finite"
    if row["expiry"] < 0 or row["time_stop_bars"] < 0 or row["relative"] not in (0, 1):
        return "expiry or time_stop_bars is negative, or relative is neither 0 nor 1"
    at = int(instants.searchsorted(row["time"]))
    if at == instants.size or instants[at] != row["time"]:
        return "its time is none at which a bar or a quote becomes known"
    for name, sign in (("stop", -1), ("target", 1)):
        level = int(row[name])
        if level == NO_PRICE:
            continue
        if row["relative"] and level <= 0:
            return f"the {name} distance is {level}, must be positive"
        if not row["relative"] and reference != NO_PRICE and sign * side * (level - reference) <= 0:
            return f"the {name} lies on the wrong side of the reference"
    return ""


def batch_size_invariant(trial: Trial) -> str:
    """Cutting the market anywhere, down to one instant at a time, changes nothing (law 2)."""
    instants = trial.replay.instants
    rng = np.random.default_rng(trial.seed)
    for share in (0.001, 0.02, 0.3):
        cuts = [*instants[rng.random(instants.size) < share].tolist(), trial.end]
        compare(trial, run(trial.new(), trial.replay, cuts), trial.whole, f"cut at {len(cuts)} random instants")
    between = instants[:-1] + rng.integers(0, np.diff(instants))
    cuts = np.unique(np.concatenate([between[rng.random(between.size) < 0.02], [trial.end + _STEP]])).tolist()
    compare(trial, run(trial.new(), trial.replay, cuts), trial.whole, f"cut at {len(cuts)} instants without a quote")
    start = int(rng.integers(0, max(1, instants.size - _MOST_CUTS)))
    stretch = instants[start : start + _MOST_CUTS]
    cuts = [*stretch.tolist(), *([trial.end] if stretch[-1] < trial.end else [])]
    compare(trial, run(trial.new(), trial.replay, cuts), trial.whole, "cut at every instant")
    return f"down to one of {stretch.size:,} instants at a time"


def causal(trial: Trial) -> str:
    """Ending the market, or poisoning what comes later, changes no signal before (law 3)."""
    rng = np.random.default_rng(trial.seed)
    for instant in _moments(trial, rng):
        past = trial.whole[trial.whole["time"] <= instant]
        ended = run(trial.new(), trial.replay.until(instant), [instant])
        compare(trial, ended, past, f"told only what was known at {iso(instant)}", "told all at once")
        poisoned = run(trial.new(), trial.replay.poisoned(instant, rng), [trial.end])
        poisoned = poisoned[poisoned["time"] <= instant]
        compare(trial, poisoned, past, f"with other prices after {iso(instant)}", "with the true ones")
    return "ended and poisoned around signals and at random instants"


def _moments(trial: Trial, rng: np.random.Generator) -> list[int]:
    """Instants of signals, the ones just before and after them, and random ones."""
    instants = trial.replay.instants
    times = rng.choice(trial.whole["time"], 6)
    near = np.searchsorted(instants, times)[:, None] + np.array([-1, 0, 1])
    chosen = np.concatenate([near.ravel(), rng.integers(0, instants.size, 6)])
    return np.unique(instants[np.clip(chosen, 0, instants.size - 1)]).tolist()  # type: ignore[no-any-return]


LAWS: Final = (
    Law("valid signals", signals_are_valid, alone=True),
    Law("input left alone", leaves_input_alone, alone=True),
    Law("determinism", deterministic),
    Law("batch-size invariance", batch_size_invariant),
    Law("causality", causal),
    Law("pickling", picklable, once=True, alone=True),
    Law("save and restore", restorable),
    Law("blind to the clock", blind_to_the_clock),
    Law("blind to hash order", blind_to_hash_order, once=True),
    Law("nothing outside", reaches_for_nothing, alone=True),
    Law("mirror symmetry", mirror_symmetric),
    Law("scale", scale_free),
    Law("warm-up", memory_ends),
    Law("latency", quick, once=True),
)
"""In the order in which they are tried."""
