"""What laws are tried on: a pattern, its configuration and a recorded market; and how two answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from bitten.clock import iso
from bitten.errors import BittenError
from bitten.model.dtypes import NO_PRICE, SIGNAL, Bools, Records
from bitten.model.facts import side_name
from bitten.model.instrument import Instrument
from bitten.pattern import Batch, Pattern, PatternContext, PatternFailed
from bitten.testing.outside import Touched, watched
from bitten.testing.replay import BEGINNING, Replay

_BARS_SHOWN: Final = 5

T = TypeVar("T")


class LawBroken(AssertionError):  # noqa: N818  # reads as what happened, like AssertionError itself
    """A plugin does not keep a law; the message shows where."""


class NotApplicable(Exception):  # noqa: N818  # no error: a law has nothing to say here, and the message says why
    """A law cannot be tried on this pattern or this market."""


class Recording(NamedTuple):
    """A recorded market with its name, as `seed 1` or `XAUUSD M1`."""

    name: str
    replay: Replay
    instrument: Instrument
    timeframe: str


@dataclass(frozen=True, eq=False)
class Trial:
    """A pattern on trial."""

    kind: type[Pattern]
    config: Any
    context: PatternContext
    replay: Replay
    seed: int = 0
    name: str = ""  # of the market
    touched: list[Touched] = field(default_factory=list)  # files and the like, when it ran for the first time

    @cached_property
    def whole(self) -> Records:
        """Its signals where the market comes in one piece."""
        with watched("when it was made", self.touched):
            pattern = self.new()
        with watched("in scan", self.touched):
            return run(pattern, self.replay, [self.end])

    @property
    def bars(self) -> Records:
        """The market's bars in the pattern's own timeframe."""
        return self.replay.bars[self.context.timeframe]

    @property
    def end(self) -> int:
        """The market's last instant."""
        return int(self.replay.instants[-1])

    def new(self) -> Pattern:
        """A fresh instance."""
        return attempt(lambda: self.kind(self.config, self.context), "it cannot be made")


def run(pattern: Pattern, replay: Replay, cuts: Iterable[int], after: int = BEGINNING) -> Records:
    """A pattern's signals where the market is cut at these instants.

    Raises:
        LawBroken: it raised, or returned what is no array of SIGNAL.
    """
    found = [np.zeros(0, SIGNAL)]
    for until in cuts:
        batch = replay.batch(after, until)
        rows = scan(pattern, batch)
        if not isinstance(rows, np.ndarray) or rows.dtype != SIGNAL or rows.ndim != 1:
            what = f"an array of {rows.dtype}" if isinstance(rows, np.ndarray) else f"a {type(rows).__name__}"
            raise LawBroken(f"scan returned {what}, must be an array of bitten.model.dtypes.SIGNAL with one dimension")
        found.append(rows.copy())
        after = until
    return np.concatenate(found)


def scan(pattern: Pattern, batch: Batch) -> Records:
    """One call, whose errors break the law."""
    return attempt(lambda: pattern.scan(batch), f"scan raised, given what was known up to {iso(batch.horizon)}")


def attempt(call: Callable[[], T], what: str) -> T:
    """Call into a plugin; what it raises breaks the law, but for errors that a person can mend."""
    try:
        return call()
    except (LawBroken, BittenError):
        raise
    except PatternFailed as failure:
        raise LawBroken(f"{what}: {failure} (at the bar known {iso(failure.time)})") from failure
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0]
        raise LawBroken(f"{what}: {type(error).__name__}: {first_line}") from error


def unequal(found: Records, expected: Records) -> Bools:
    """Where two runs' signals differ in any field, row by row; both of one length, NaN equals NaN."""
    different = np.zeros(found.size, np.bool_)
    for name in SIGNAL.names or ():
        left, right = found[name], expected[name]
        apart = ~((left == right) | ((left != left) & (right != right)))
        different |= apart.any(axis=tuple(range(1, apart.ndim)))
    return different


def compare(trial: Trial, found: Records, expected: Records, how: str, otherwise: str = "fed in one piece") -> None:
    """Raise `LawBroken` at the first signal that differs.

    Args:
        trial: whose bars are shown with it.
        found: the signals of a run, dtype SIGNAL.
        expected: what they must equal in every field.
        how: what was special about that run.
        otherwise: what was special about the other.
    """
    both = min(found.size, expected.size)
    different = unequal(found[:both], expected[:both])
    first = int(np.argmax(different)) if different.any() else both
    if first == both and found.size == expected.size:
        return
    pair = [rows[first] if first < rows.size else None for rows in (found, expected)]
    differ(trial, first, pair[0], pair[1], how, otherwise)


def differ(
    trial: Trial, number: int, found: Records | None, expected: Records | None, how: str, otherwise: str
) -> None:
    """Raise `LawBroken` with two signals that should be one, and the bars before the earlier of them."""
    shown = [describe(trial.kind, row) for row in (found, expected)]
    row = min((row for row in (found, expected) if row is not None), key=lambda one: int(one["time"]))
    raise LawBroken(
        f"signal {number} of {trial.kind.__name__} is not the same:\n  {how}: {shown[0]}\n  {otherwise}: {shown[1]}\n"
        f"{bars_before(trial, row)}"
    )


def describe(kind: type[Pattern], row: Records | None) -> str:
    """One signal on one line, prices in points; "none" for none."""
    if row is None:
        return "none"
    levels = ", ".join(f"{name} {_level(int(row[name]))}" for name in ("reference", "stop", "target"))
    evidence = "".join(f" {name} {value:.6g}" for name, value in zip(kind.evidence, row["evidence"], strict=False))
    return (
        f"{iso(int(row['time']))} {side_name(int(row['side']))} anchor {row['anchor']} {levels} "
        f"confidence {row['confidence']:.6g} expiry {row['expiry']} atr {row['atr']:.6g}{evidence}"
    )


def _level(points: int) -> str:
    return "-" if points == NO_PRICE else str(points)


def bars_before(trial: Trial, row: Records) -> str:
    """The last bars before a signal, for the message."""
    last = int(np.searchsorted(trial.bars["known"], row["time"], "right"))
    return show_bars(trial.bars[max(0, last - _BARS_SHOWN) : last], "the bars before it:")


def show_bars(bars: Sequence[Records] | Records, heading: str) -> str:
    """Bars as lines of text, prices in points, in columns."""
    names = ("open", "high", "low", "close")
    width = max((len(str(bar[name])) for bar in bars for name in names), default=1)
    lines = [
        f"  {iso(int(bar['time']), 0)} " + " ".join(f"{name} {bar[name]:>{width}}" for name in names) for bar in bars
    ]
    return "\n".join([f"  {heading}", *lines])
