"""What a pattern owes in the long run: its memory ends, and it is quick enough to live with."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from bitten.clock import WallClock, iso
from bitten.model.dtypes import Records
from bitten.testing.trial import LawBroken, NotApplicable, Trial, bars_before, describe, run, scan

LIMIT_SECONDS: Final = 0.05  # per symbol and closed bar
CONFIDENCE: Final = 0.1  # of 100, within which confidences agree; a rounded one steps by this
_POINTS: Final = 1  # within which stops and targets agree: a distance that is rounded may fall to either side
_LATER: Final = (1 / 6, 1 / 3, 1 / 2)  # of the market's bars, after which its history begins again
_LEAST: Final = 200  # bars that must be left to compare
_TIMED: Final = 300  # bars whose time is taken
_LONGEST: Final = 5.0  # seconds, for all of them


def memory_ends(trial: Trial) -> str:
    """Where the history begins later, signals are the same from some bar on, which the verdict names.

    Wilder's averages and Kalman filters never quite forget: levels may differ by a point, confidence by 0.1. Evidence
    and ATR are not compared.
    """
    allowed = trial.kind.memory
    if not allowed:
        raise NotApplicable("the pattern says that it never forgets (memory = 0)")
    known = np.ascontiguousarray(trial.bars["known"])
    starts = [int(share * known.size) for share in _LATER if known.size - int(share * known.size) >= allowed + _LEAST]
    if not starts:
        needed = math.ceil((allowed + _LEAST) / (1 - _LATER[0]))
        raise NotApplicable(f"it needs {needed:,} bars, this market has {known.size:,}")
    agrees, apart, compared = 0, 0.0, 0
    for start in starts:
        begin = int(trial.bars["time"][start])
        late = run(trial.new(), trial.replay.since(begin), [trial.end])
        whole = trial.whole[trial.whole["time"] > known[start]]
        last, difference, same = _last_difference(late, whole)
        if last is not None:
            found, expected = last
            time = max(int(row["time"]) for row in last if row is not None)
            bar = int(known.searchsorted(time, "right")) - start
            agrees = max(agrees, bar + 1)
            if bar > allowed:
                _not_forgotten(trial, begin, bar, found, expected)
        compared += int((same > known[start + allowed]).sum())
        apart = max(apart, difference)
    if not compared:
        raise NotApplicable(
            f"no signal came more than {allowed:,} bars after a later start, so nothing would be proved"
        )
    within = f"confidence within {apart:.2g}" if apart else "exactly"
    return f"agrees from bar {agrees:,} on (limit {allowed:,}), {within}"


def _last_difference(
    late: Records, whole: Records
) -> tuple[tuple[Records | None, Records | None] | None, float, Records]:
    """The last two signals that should be one, how far confidences that agree lie apart, and the times of those."""
    mine, theirs = ({_key(row): row for row in rows} for rows in (late, whole))
    last: tuple[Records | None, Records | None] | None = None
    apart, times = 0.0, []
    for key in sorted(mine.keys() | theirs.keys()):
        found, expected = mine.get(key), theirs.get(key)
        if found is None or expected is None or not _agree(found, expected):
            last = (found, expected)
        else:
            apart = max(apart, abs(float(found["confidence"] - expected["confidence"])))
            times.append(key[0])
    return last, apart, np.array(times, np.int64)


def _key(row: Records) -> tuple[int, int, int]:
    return int(row["time"]), int(row["side"]), int(row["anchor"])


def _agree(found: Records, expected: Records) -> bool:
    exact = all(found[name] == expected[name] for name in ("reference", "relative", "expiry", "time_stop_bars"))
    levels = all(abs(int(found[name]) - int(expected[name])) <= _POINTS for name in ("stop", "target"))
    return exact and levels and abs(found["confidence"] - expected["confidence"]) <= CONFIDENCE + 1e-9


def _not_forgotten(trial: Trial, begin: int, bar: int, found: Records | None, expected: Records | None) -> None:
    row = found if found is not None else expected
    assert row is not None
    shown = [describe(trial.kind, one) for one in (found, expected)]
    raise LawBroken(
        f"{bar:,} bars after a later start its signals still depend on what was before (limit {trial.kind.memory:,}):"
        f"\n  with the history from {iso(begin, 0)} on: {shown[0]}\n  with all of it: {shown[1]}"
        f"\n{bars_before(trial, row)}"
    )


def quick(trial: Trial) -> str:
    """The time of one call per closed bar; broken only where the median is above the limit of 50 ms."""
    closed = np.unique(trial.bars["known"])
    if closed.size < 2:
        raise NotApplicable("this market has too few bars")
    timed = closed[-min(_TIMED, closed.size // 2) :].tolist()
    pattern = trial.new()
    after = int(closed[-len(timed) - 1])
    run(pattern, trial.replay, [after])
    clock, seconds = WallClock(), []
    for until in timed:
        batch = trial.replay.batch(after, until)
        begun = clock.elapsed()
        scan(pattern, batch)
        seconds.append(clock.elapsed() - begun)
        after = until
        if sum(seconds) > _LONGEST:
            break
    median, slow = np.median(seconds), np.quantile(seconds, 0.99)
    text = (
        f"median {_duration(float(median))}, p99 {_duration(float(slow))} per symbol and closed bar "
        f"(limit {_duration(LIMIT_SECONDS)}), over {len(seconds)} bars"
    )
    if median > LIMIT_SECONDS:
        raise LawBroken(f"a closed bar takes too long: {text}")
    return text


def _duration(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 0.00095 else f"{seconds * 1e3:.3g} ms"
