"""What gates and shields are: policies over the account table, each answer with its reason."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
import numpy as np
from msgspec import Struct, field

from bitten.ledger import Ledger, frozen
from bitten.market import MarketView
from bitten.model.dtypes import Bools, Floats, Ints
from bitten.model.facts import Signal
from bitten.rule import Rule


@dataclass(frozen=True, slots=True)
class GateContext:
    """What the pipeline tells a gate when it makes one."""

    slippage_points: int = 0  # adverse slippage the executor charges on market fills
    commission_per_lot: float = 0.0  # account currency, per lot and side


class Situation(Struct, frozen=True, eq=False):
    """All that a gate may look at when a signal is decided.

    Attributes:
        signal: what is decided.
        market: as it is known at the decision, no later.
        ledger: the account columns.
        lots: per account, as the gates before left it; 0 before any gate has sized. Read-only.
        scale: the shield's factor on size.
    """

    signal: Signal
    market: MarketView
    ledger: Ledger
    lots: Floats
    scale: float = 1.0
    _worked_out: dict[str, Floats] = field(default_factory=dict)  # shared by the situations of one decision

    @property
    def time(self) -> int:
        """The instant of the decision, ns UTC."""
        return self.market.now

    @property
    def equity(self) -> Floats:
        """Per account: balance and open positions at the last quotes; worked out when it is first asked for."""
        if "equity" not in self._worked_out:
            self._worked_out["equity"] = frozen(self.ledger.equity(self.market))
        return self._worked_out["equity"]

    def resized(self, lots: Floats) -> Situation:
        """The same situation after a gate has sized."""
        return Situation(self.signal, self.market, self.ledger, frozen(lots), self.scale, self._worked_out)


class Verdict(Struct, frozen=True, eq=False):
    """One gate's answer for all accounts.

    Attributes:
        passed: per account.
        measured: what was compared, per account or one for all.
        limit: with what, per account or one for all.
        reason: why the refused were refused; `{measured}`, `{limit}` and `{account}` are filled in per account, with
            format specifications if wanted: "spread was {measured:.0f} points, limit is {limit:.0f}".
        lots: new sizes per account, where the gate sizes or resizes; else None.
    """

    passed: Bools
    measured: Floats | Ints | float
    limit: Floats | Ints | float
    reason: str
    lots: Floats | None = None


class Gate(ABC):
    """A policy. It answers for every account at once and never decides on what it cannot measure: it refuses."""

    Config: ClassVar[type[msgspec.Struct]]
    sizes: ClassVar[bool] = False
    """Whether this gate decides the lots; a chain needs at least one that does."""

    def __init__(self, config: Any, context: GateContext) -> None:
        self.config = config
        self.context = context

    @abstractmethod
    def decide(self, situation: Situation) -> Verdict:
        """Pass, resize or refuse the signal for each account."""

    def rule(self) -> Rule | None:
        """The same policy as a rule that kernels know, if it is one; sweeps are many times faster with it."""
        return None


class AccountGate(Gate):
    """A gate written for one account at a time: plain Python, slower, the same contract."""

    @abstractmethod
    def decide_one(self, situation: Situation, account: int) -> tuple[bool, float, float, str]:
        """(passed, measured, limit, reason) for the account in row `account` of the ledger."""

    def decide(self, situation: Situation) -> Verdict:
        """Ask for each account in turn."""
        rows = [self.decide_one(situation, row) for row in range(len(situation.ledger.ids))]
        reasons = {reason for passed, _, _, reason in rows if not passed}
        return Verdict(
            np.array([row[0] for row in rows], np.bool_),
            np.array([row[1] for row in rows], np.float64),
            np.array([row[2] for row in rows], np.float64),
            reasons.pop() if len(reasons) == 1 else "refused: measured {measured:g}, limit {limit:g}",
        )


class Score(Struct, frozen=True):
    """A shield's opinion of a signal."""

    score: float  # 1 to 10
    scale: float = 1.0  # factor on size
    veto: str | None = None  # a reason to refuse it for everyone
    evidence: Mapping[str, float] = field(default_factory=dict)


class Shield(ABC):
    """Scores a signal and explains why; may scale its size or veto it."""

    Config: ClassVar[type[msgspec.Struct]]

    def __init__(self, config: Any) -> None:
        self.config = config

    @abstractmethod
    def score(self, signal: Signal, market: MarketView) -> Score:
        """The score at the time of the signal."""


def column(value: Floats | Ints | float, size: int) -> Floats | Ints:
    """A per-account column of a value that may be one for all.

    Raises:
        ValueError: it is a column of another length.
    """
    if isinstance(value, np.ndarray) and value.shape != (size,):
        raise ValueError(f"a column has shape {value.shape}, not ({size},)")
    return value if isinstance(value, np.ndarray) else np.full(size, value, np.float64)
