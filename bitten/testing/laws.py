"""The laws that every pattern keeps, each as a check that shows its first counter-example.

`bitten.testing.check_pattern` runs them all. A law takes a `Trial` and raises `LawBroken` or returns.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final
from unittest import mock

import numpy as np

from bitten.clock import iso
from bitten.model.dtypes import BUY, NO_PRICE, NS_PER_SECOND, SELL, SIGNAL, Floats, Ints, Records
from bitten.pattern import Pattern
from bitten.testing.trial import LawBroken, Trial, bars_before, compare, describe, run

Law = Callable[[Trial], None]

_EVER: Final = -(1 << 62)
_SCALE: Final = 8
_HASH_SEEDS: Final = ("1", "2", "3")


def signals_are_valid(trial: Trial) -> None:
    """Rows are signals: known sides and times, levels on their sides, numbers finite, one per anchor."""
    rows = trial.whole
    if rows.dtype != SIGNAL:
        raise LawBroken(f"scan returned an array of {rows.dtype}, must be of bitten.model.dtypes.SIGNAL")
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
            raise LawBroken(f"signal {i} is not valid: {wrong}\n  {describe(row)}\n{bars_before(trial, row)}")


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
    if not np.isin(row["time"], instants):
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


def batch_size_invariant(trial: Trial) -> None:
    """Cutting the market anywhere, down to one instant at a time, changes nothing (law 2)."""
    instants = trial.replay.instants
    rng = np.random.default_rng(trial.seed)
    for share in (0.001, 0.02, 0.3):
        cuts = [*instants[rng.random(instants.size) < share].tolist(), trial.end]
        compare(trial, run(trial.new(), trial.replay, cuts), trial.whole, f"cut at {len(cuts)} random instants")
    compare(trial, run(trial.new(), trial.replay, instants.tolist()), trial.whole, "cut at every instant")


def causal(trial: Trial) -> None:
    """Ending the market, or poisoning what comes later, changes no signal before (law 3)."""
    rng = np.random.default_rng(trial.seed)
    middle = int(np.median(trial.replay.quotes.bid)) if len(trial.replay.quotes) else 100_000

    def poison(bids: Records) -> Records:
        return rng.integers(middle // 2, 2 * middle, bids.shape)

    for instant in _moments(trial, rng):
        past = trial.whole[trial.whole["time"] <= instant]
        ended = run(trial.new(), trial.replay.until(instant), [instant])
        compare(trial, ended, past, f"told only what was known at {iso(instant)}", "told all at once")
        poisoned = run(trial.new(), trial.replay.changed(instant, poison), [trial.end])
        poisoned = poisoned[poisoned["time"] <= instant]
        compare(trial, poisoned, past, f"with other prices after {iso(instant)}", "with the true ones")


def _moments(trial: Trial, rng: np.random.Generator) -> list[int]:
    """Instants of signals, the ones just before and after them, and random ones."""
    instants = trial.replay.instants
    times = rng.choice(trial.whole["time"], 6)
    near = np.searchsorted(instants, times)[:, None] + np.array([-1, 0, 1])
    chosen = np.concatenate([near.ravel(), rng.integers(0, instants.size, 6)])
    return np.unique(instants[np.clip(chosen, 0, instants.size - 1)]).tolist()  # type: ignore[no-any-return]


def deterministic(trial: Trial) -> None:
    """Twice the same is the same: no unseeded randomness, nothing kept between instances (law 4)."""
    for _ in range(2):
        compare(trial, run(trial.new(), trial.replay, [trial.end]), trial.whole, "run again")


def blind_to_the_clock(trial: Trial) -> None:
    """The machine's clock changes nothing (law 4)."""
    for shift in (5 * 3600 + 1234, 40 * 86_400 + 9 * 3600):
        with shifted_clock(trial.kind, shift):
            found = run(trial.new(), trial.replay, [trial.end])
        compare(trial, found, trial.whole, f"on a computer whose clock is {shift} s ahead")


def blind_to_hash_order(trial: Trial) -> None:
    """Other processes, in which sets of text iterate in another order, find the same (law 4)."""
    payload = pickle.dumps((trial.kind, trial.config, trial.context, trial.replay))
    command = [sys.executable, "-c", "from bitten.testing.laws import _answer; _answer()"]
    children = [
        subprocess.Popen(  # noqa: S603  # our own interpreter and code
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for seed in _HASH_SEEDS
    ]
    answers = [child.communicate(payload) for child in children]
    for seed, child, (out, err) in zip(_HASH_SEEDS, children, answers, strict=True):
        if child.returncode:
            reason = err.decode(errors="replace").strip().splitlines()[-1:]
            raise LawBroken(f"the pattern could not run in a fresh process: {''.join(reason)}")
        found = np.load(io.BytesIO(out))
        compare(trial, found, trial.whole, f"in another process (PYTHONHASHSEED={seed})")


def _answer() -> None:
    """The child of `blind_to_hash_order`: a pickled trial comes in, signals go out."""
    payload = io.BytesIO(sys.stdin.buffer.read())
    kind, config, context, replay = pickle.load(payload)  # noqa: S301  # from our own parent
    out = io.BytesIO()
    np.save(out, run(kind(config, context), replay, [int(replay.instants[-1])]))
    sys.stdout.buffer.write(out.getvalue())


@contextlib.contextmanager
def shifted_clock(kind: type, seconds: int) -> Iterator[None]:
    """Set the machine's clock ahead for what Python code reads of it, in `time`, `datetime` and a class's module."""

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return super().now(tz) + datetime.timedelta(seconds=seconds)

        @classmethod
        def utcnow(cls) -> Shifted:
            return cls.now(datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Shifted:
            return cls.now()

    replacements: dict[Any, Any] = {datetime.datetime: Shifted}
    for name in ("time", "monotonic", "perf_counter"):
        replacements[getattr(time, name)] = _ahead(getattr(time, name), seconds)
        name_ns = f"{name}_ns"
        replacements[getattr(time, name_ns)] = _ahead(getattr(time, name_ns), seconds * NS_PER_SECOND)
    modules = [time, datetime, *(sys.modules[base.__module__] for base in kind.__mro__)]
    with contextlib.ExitStack() as stack:
        for module in dict.fromkeys(module for module in modules if not module.__name__.startswith("builtins")):
            for name, value in list(vars(module).items()):
                if isinstance(value, type | type(time.monotonic)) and value in replacements:
                    stack.enter_context(mock.patch.object(module, name, replacements[value]))
        yield


def _ahead(clock: Callable[[], Any], shift: int) -> Callable[[], Any]:
    return lambda: clock() + shift


def restorable(trial: Trial) -> None:
    """Saved, restored and gone on with at any instant, it finds the same (live restarts, law 2)."""
    rng = np.random.default_rng(trial.seed)
    instants = trial.replay.instants
    for cut in rng.choice(instants[: max(1, instants.size - 1)], 4).tolist():
        pattern = trial.new()
        early = run(pattern, trial.replay, [cut])
        try:
            restored = pickle.loads(pickle.dumps(pattern))  # noqa: S301  # our own bytes
        except Exception as error:
            raise LawBroken(f"it cannot be pickled and restored: {type(error).__name__}: {error}") from error
        late = run(restored, trial.replay, [trial.end], cut)
        compare(trial, np.concatenate([early, late]), trial.whole, f"pickled and restored at {iso(cut)}")
        late = run(pattern, trial.replay, [trial.end], cut)
        compare(trial, np.concatenate([early, late]), trial.whole, f"gone on with after a copy was made at {iso(cut)}")


def mirror_symmetric(trial: Trial) -> None:
    """In the mirrored market (M - p) buys are sells, to the point (law 9). Evidence is compared without its signs.

    Evidence that is a price is mirrored too; of two such prices named `zone_low` and `zone_high`, or anything else with
    these endings, the one is the mirror of the other.
    """
    lows = trial.replay.bars[trial.context.timeframe]["low"]
    highs = trial.replay.bars[trial.context.timeframe]["high"]
    middle = int(lows.min() + highs.max())
    found = run(trial.new(), trial.replay.changed(_EVER, lambda bids: middle - bids), [trial.end])
    expected = trial.whole.copy()
    expected["side"] *= -1
    expected["evidence"] = _mirrored_evidence(trial.kind, expected["evidence"], middle)
    for rows in (expected, found):
        rows["evidence"] = np.abs(rows["evidence"])
    for name in ("reference", "stop", "target"):
        price = expected[name] != NO_PRICE
        if name != "reference":
            price &= expected["relative"] == 0
        expected[name][price] = middle - expected[name][price]
    compare(trial, found, expected, f"in the market mirrored at {middle} - p", "mirrored from the plain one")


def _mirrored_evidence(kind: type[Pattern], evidence: Floats, middle: int) -> Floats:
    mirrored = evidence.copy()
    for name in kind.evidence_prices:
        other = name
        for end, opposite in (("_low", "_high"), ("_high", "_low")):
            if name.endswith(end) and name.removesuffix(end) + opposite in kind.evidence_prices:
                other = name.removesuffix(end) + opposite
        mirrored[:, kind.evidence.index(other)] = middle - evidence[:, kind.evidence.index(name)]
    return mirrored


def scale_free(trial: Trial) -> None:
    """Prices and spreads times eight give the same signals, levels within rounding. Evidence is not compared."""
    instrument = trial.context.instrument
    larger = replace(
        instrument, default_spread=_SCALE * instrument.default_spread, stops_level=_SCALE * instrument.stops_level
    )
    scaled = replace(trial, context=replace(trial.context, instrument=larger))
    found = run(scaled.new(), trial.replay.changed(_EVER, lambda bids: _SCALE * bids, _SCALE), [trial.end])
    expected = trial.whole.copy()
    for name in ("reference", "stop", "target"):
        price = expected[name] != NO_PRICE
        expected[name][price] *= _SCALE
    if found.size == expected.size:
        near = np.abs(found["stop"] - expected["stop"]) < _SCALE, np.abs(found["target"] - expected["target"]) < _SCALE
        found["stop"] = np.where(near[0], expected["stop"], found["stop"])
        found["target"] = np.where(near[1], expected["target"], found["target"])
        found["evidence"] = expected["evidence"]
        expected["atr"] *= _SCALE
    compare(trial, found, expected, f"with prices and spreads times {_SCALE}", "scaled from the plain ones")


def laws(mirror: bool, scale: bool, processes: bool) -> dict[str, Law]:
    """The laws by name, in the order in which they are tried."""
    chosen: list[tuple[str, Law, bool]] = [
        ("valid signals", signals_are_valid, True),
        ("determinism", deterministic, True),
        ("batch-size invariance", batch_size_invariant, True),
        ("causality", causal, True),
        ("save and restore", restorable, True),
        ("blind to the clock", blind_to_the_clock, True),
        ("blind to hash order", blind_to_hash_order, processes),
        ("mirror symmetry", mirror_symmetric, mirror),
        ("scale", scale_free, scale),
    ]
    return {name: law for name, law, wanted in chosen if wanted}
