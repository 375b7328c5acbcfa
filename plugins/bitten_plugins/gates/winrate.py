"""Win rates of signals, and what they prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bitten.analysis.measures import wilson
from bitten.model.facts import Outcome

RESOLVED: Final = ("target", "stop", "time")  # outcomes that count: not what the data cut off, or what never filled


@dataclass(slots=True)
class WinRate:
    """What is known of a pattern since it began, was switched off, or was restored."""

    wins: int = 0
    n: int = 0
    off: int | None = None  # switched off since then, ns UTC
    evidence: str = ""  # why
    held: float = 100.0  # what was held against the limit then, percent

    def count(self, outcome: Outcome) -> None:
        """Take a resolved signal into account; it won if it closed better than it opened, other than at its stop."""
        self.n += 1
        better = outcome.signal.side * (outcome.close_points - outcome.open_points) > 0
        self.wins += better and outcome.reason != "stop"

    def bound(self, mode: str) -> float:
        """Percent held against the limit: the upper end of the 95 % interval, or the plain rate; 100 without any."""
        if mode == "plain":
            return 100.0 * self.wins / self.n if self.n else 100.0
        return 100.0 * (wilson(self.wins, self.n) or (0.0, 1.0))[1]

    def words(self, mode: str, limit: float) -> str:
        """The evidence for people."""
        what = "95 % upper bound" if mode == "interval" else "win rate"
        return f"{self.wins} of {self.n} won, {what} {self.bound(mode):.1f} %, limit {limit:g} %"
