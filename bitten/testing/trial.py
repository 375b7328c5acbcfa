"""What laws are tried on: a pattern, its configuration and a recorded market; and how two answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from bitten.clock import iso
from bitten.model.dtypes import NO_PRICE, SIGNAL, Ints, Records
from bitten.model.facts import side_name
from bitten.model.quotes import Quotes
from bitten.pattern import Batch, Pattern, PatternContext

_BEGINNING: Final = -(1 << 62)
_PRICES: Final = ("open", "high", "low", "close")
_SPREADS: Final = ("spread_sum", "spread_min", "spread_max")
_BARS_SHOWN: Final = 5


class LawBroken(AssertionError):  # noqa: N818  # reads as what happened, like AssertionError itself
    """A plugin does not keep a law; the message shows where."""


@dataclass(frozen=True, eq=False)
class Replay:
    """A recorded market: closed bars by timeframe and quotes, all of one symbol."""

    bars: Mapping[str, Records]
    quotes: Quotes

    @cached_property
    def instants(self) -> Ints:
        """Every instant at which something becomes known."""
        return np.unique(np.concatenate([self.quotes.ts, *(bars["known"] for bars in self.bars.values())]))

    def batch(self, after: int, until: int) -> Batch:
        """What became known after one instant and up to another."""
        bars = {}
        for name, rows in self.bars.items():
            low, high = np.searchsorted(rows["known"], [after, until], "right")
            bars[name] = rows[low:high]
        low, high = np.searchsorted(self.quotes.ts, [after, until], "right")
        quotes = self.quotes
        return Batch(
            bars, Quotes(quotes.symbol, quotes.ts[low:high], quotes.bid[low:high], quotes.ask[low:high]), until
        )

    def until(self, instant: int) -> Replay:
        """The same market, ended."""
        batch = self.batch(_BEGINNING, instant)
        return Replay(batch.bars, batch.quotes)

    def changed(self, after: int, change: Callable[[Records], Records], scale: int = 1) -> Replay:
        """The same market with other bids after an instant, and spreads multiplied.

        `change` is given bids in any shape and must keep their shape.
        """
        bars = {}
        for name, rows in self.bars.items():
            late = rows["known"] > after
            new = rows.copy()
            levels = change(np.stack([rows[column][late] for column in _PRICES]))
            new["open"][late], new["close"][late] = levels[0], levels[3]
            new["high"][late], new["low"][late] = levels.max(axis=0), levels.min(axis=0)
            for column in _SPREADS:
                new[column] *= scale
            bars[name] = new
        late = self.quotes.ts > after
        bid = self.quotes.bid.copy()
        bid[late] = change(bid[late])
        ask = bid + scale * (self.quotes.ask - self.quotes.bid)
        return Replay(bars, Quotes(self.quotes.symbol, self.quotes.ts, bid, ask))


@dataclass(frozen=True, eq=False)
class Trial:
    """A pattern on trial."""

    kind: type[Pattern]
    config: Any
    context: PatternContext
    replay: Replay
    seed: int = 0

    @cached_property
    def whole(self) -> Records:
        """Its signals where the market comes in one piece."""
        return run(self.new(), self.replay, [self.end])

    @property
    def end(self) -> int:
        """The market's last instant."""
        return int(self.replay.instants[-1])

    def new(self) -> Pattern:
        """A fresh instance."""
        return self.kind(self.config, self.context)


def run(pattern: Pattern, replay: Replay, cuts: Sequence[int], after: int = _BEGINNING) -> Records:
    """A pattern's signals where the market is cut at these instants."""
    found = []
    for until in cuts:
        found.append(pattern.scan(replay.batch(after, until)).copy())
        after = until
    return np.concatenate(found) if found else np.zeros(0, SIGNAL)


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
    different = np.zeros(both, np.bool_)
    for name in SIGNAL.names or ():
        left, right = found[name][:both], expected[name][:both]
        unequal = ~((left == right) | ((left != left) & (right != right)))
        different |= unequal.any(axis=tuple(range(1, unequal.ndim)))
    first = int(np.argmax(different)) if different.any() else both
    if first == both and found.size == expected.size:
        return
    shown = [describe(rows[first]) if first < rows.size else "none" for rows in (found, expected)]
    row = min((rows[first] for rows in (found, expected) if first < rows.size), key=lambda one: int(one["time"]))
    raise LawBroken(
        f"signal {first} of {trial.kind.__name__} is not the same:\n  {how}: {shown[0]}\n  {otherwise}: {shown[1]}\n"
        f"{bars_before(trial, row)}"
    )


def describe(row: Records) -> str:
    """One signal on one line."""
    levels = ", ".join(f"{name} {_level(int(row[name]))}" for name in ("reference", "stop", "target"))
    evidence = ", ".join(f"{value:.6g}" for value in row["evidence"])
    return (
        f"{iso(int(row['time']))} {side_name(int(row['side']))} anchor {row['anchor']} {levels} "
        f"confidence {row['confidence']:.6g} expiry {row['expiry']} atr {row['atr']:.6g} evidence [{evidence}]"
    )


def _level(points: int) -> str:
    return "-" if points == NO_PRICE else str(points)


def bars_before(trial: Trial, row: Records) -> str:
    """The last bars before a signal, for the message."""
    bars = trial.replay.bars[trial.context.timeframe]
    last = int(np.searchsorted(bars["known"], row["time"], "right"))
    lines = [
        f"  {iso(bar['time'], 0)} open {bar['open']} high {bar['high']} low {bar['low']} close {bar['close']}"
        for bar in bars[max(0, last - _BARS_SHOWN) : last]
    ]
    return "\n".join(["  the bars before it:", *lines])
