"""Laws about what a signal may depend on: the market and the parameters, and nothing else."""

from __future__ import annotations

import io
import os
import pickle
import re
import subprocess
import sys
from typing import Any, Final

import numpy as np

from bitten.clock import iso
from bitten.model.dtypes import Records
from bitten.pattern import Batch
from bitten.testing.clocks import clock_in_source, shifted_clock
from bitten.testing.outside import watched
from bitten.testing.replay import BEGINNING
from bitten.testing.trial import LawBroken, NotApplicable, Trial, compare, run, scan, show_bars

_HASH_SEEDS: Final = ("1", "2", "3")
_READ_ONLY: Final = re.compile(r"read-?only|WRITEABLE", re.IGNORECASE)
_BATCHES: Final = 60  # into which the market is cut to see whether the input is left alone


def deterministic(trial: Trial) -> str:
    """Twice the same is the same: no unseeded randomness, nothing kept between instances (law 4)."""
    for _ in range(2):
        compare(trial, run(trial.new(), trial.replay, [trial.end]), trial.whole, "run again")
    other = trial.replay.poisoned(BEGINNING, np.random.default_rng(trial.seed))
    run(trial.new(), other, [trial.end])
    compare(trial, run(trial.new(), trial.replay, [trial.end]), trial.whole, "run again after another market")
    cut = int(trial.replay.instants[trial.replay.instants.size // 2])
    alone = run(trial.new(), trial.replay, [cut, trial.end])
    first, second = trial.new(), trial.new()
    found = [run(first, trial.replay, [cut]), run(second, other, [trial.end])]
    found[1] = run(first, trial.replay, [trial.end], cut)
    how = f"while another instance saw another market at {iso(cut)}"
    compare(trial, np.concatenate(found), alone, how, "by itself, cut at the same instant")
    return ""


def leaves_input_alone(trial: Trial) -> str:
    """What it is given to look at stays as it was: other patterns are given the same arrays."""
    instants = trial.replay.instants
    pattern = trial.new()
    after = BEGINNING
    for until in np.unique(instants[np.linspace(0, instants.size - 1, _BATCHES).astype(np.int64)]).tolist():
        batch = trial.replay.batch(after, until)
        before = {name: rows.copy() for name, rows in batch.bars.items()}
        try:
            scan(pattern, batch)
        except LawBroken as broken:
            if not _READ_ONLY.search(str(broken)):
                raise NotApplicable("it raises on this market, see valid signals") from None
            raise LawBroken(f"it wrote to the bars that it was given: {broken}\n{_last_bars(trial, batch)}") from broken
        _compare_bars(before, batch)
        after = until
    return ""


def _last_bars(trial: Trial, batch: Batch) -> str:
    return show_bars(batch.bars[trial.context.timeframe][-5:], "the last bars that it was given:")


def _compare_bars(before: dict[str, Records], batch: Batch) -> None:
    for name, rows in batch.bars.items():
        changed = before[name] != rows
        if changed.any():
            row = int(np.argmax(changed))
            shown = [
                show_bars(bars[row : row + 1], heading) for bars, heading in ((before[name], "was:"), (rows, "is:"))
            ]
            raise LawBroken("\n".join([f"it changed bar {row} of the {name} bars that it was given:", *shown]))


def picklable(trial: Trial) -> str:
    """It can be pickled and restored, when it is new and when it carries state."""
    pattern = trial.new()
    sizes = [_pickled(pattern, "fresh")]
    cut = int(trial.replay.instants[trial.replay.instants.size // 2])
    try:
        run(pattern, trial.replay, [cut])
    except LawBroken:
        raise NotApplicable("it raises on this market, see valid signals") from None
    sizes.append(_pickled(pattern, f"as it was at {iso(cut)}"))
    return f"{sizes[-1]:,} bytes of state"


def _pickled(pattern: Any, when: str) -> int:
    try:
        state = pickle.dumps(pattern)
        restored = pickle.loads(state)  # noqa: S301  # our own bytes
    except Exception as error:
        raise LawBroken(f"{when}, it cannot be pickled and restored: {type(error).__name__}: {error}") from error
    if type(restored) is not type(pattern):
        raise LawBroken(f"{when}, it is restored as a {type(restored).__name__}")
    return len(state)


def restorable(trial: Trial) -> str:
    """Saved, restored and gone on with at any instant, it finds the same (live restarts, law 2)."""
    rng = np.random.default_rng(trial.seed)
    instants = trial.replay.instants
    cuts = rng.choice(instants[: max(1, instants.size - 1)], 4).tolist()
    for cut in cuts:
        pattern = trial.new()
        early = run(pattern, trial.replay, [cut])
        try:
            restored = pickle.loads(pickle.dumps(pattern))  # noqa: S301  # our own bytes
        except Exception as error:
            raise NotApplicable("it cannot be pickled and restored") from error
        late = run(restored, trial.replay, [trial.end], cut)
        compare(trial, np.concatenate([early, late]), trial.whole, f"pickled and restored at {iso(cut)}")
        late = run(pattern, trial.replay, [trial.end], cut)
        compare(trial, np.concatenate([early, late]), trial.whole, f"gone on with after a copy was made at {iso(cut)}")
    return f"at {len(cuts)} instants"


def blind_to_the_clock(trial: Trial) -> str:
    """The machine's clock changes nothing (law 4)."""
    if place := clock_in_source(trial.kind):
        raise LawBroken(f"its source asks for the present: {place}")
    for shift in (5 * 3600 + 1234, 40 * 86_400 + 9 * 3600):
        with shifted_clock(trial.kind, shift):
            found = run(trial.new(), trial.replay, [trial.end])
        compare(trial, found, trial.whole, f"on a computer whose clock is {shift} s ahead")
    return ""


def blind_to_hash_order(trial: Trial) -> str:
    """Other processes, in which sets of text iterate in another order, find the same (law 4)."""
    try:
        payload = pickle.dumps((trial.kind, trial.config, trial.context, trial.replay))
    except Exception as error:
        raise LawBroken(f"it cannot be sent to another process: {type(error).__name__}: {error}") from error
    command = [sys.executable, "-c", "from bitten.testing.isolation import _answer; _answer()"]
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
    return f"in {len(children)} other processes"


def _answer() -> None:
    """The child of `blind_to_hash_order`: a pickled trial comes in, signals go out."""
    payload = io.BytesIO(sys.stdin.buffer.read())
    kind, config, context, replay = pickle.load(payload)  # noqa: S301  # from our own parent
    out = io.BytesIO()
    np.save(out, run(kind(config, context), replay, [int(replay.instants[-1])]))
    sys.stdout.buffer.write(out.getvalue())


def reaches_for_nothing(trial: Trial) -> str:
    """No file is written, none read while it scans, no network and no other program used.

    Files that are read when it is made are parameters, and named in the verdict.
    """
    try:
        if trial.whole.size:  # the first run has been watched; a second may find what the first left behind
            with watched("when it was made again", trial.touched):
                pattern = trial.new()
            with watched("in scan", trial.touched):
                run(pattern, trial.replay, [trial.end])
    except LawBroken:
        pass  # another law's matter; what it had touched by then counts
    bad = next((one for one in trial.touched if one.what != "read" or one.phase == "in scan"), None)
    if bad is not None:
        raise LawBroken(f"it {bad.what} {bad.name} {bad.phase}: signals follow from bars, quotes and parameters alone")
    read = dict.fromkeys(touched.name for touched in trial.touched)
    return f"reads {', '.join(read)} when it is made" if read else ""
