"""What gates and shields are: policies over the account table, each answer with its reason."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec
import numpy as np

from bitten.ledger import Ledger
from bitten.market import MarketView
from bitten.model.dtypes import Bools, Floats
from bitten.model.facts import Signal


@dataclass(frozen=True, slots=True)
class GateContext:
    """What the pipeline tells a gate when it makes one."""

    slippage_points: int = 0  # adverse slippage the executor charges on market fills
    commission_per_lot: float = 0.0  # account currency, per lot and side


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """All that a gate may look at when a signal is decided."""

    signal: Signal
    time: int
    market: MarketView  # as it is known at `time`, no later
    ledger: Ledger  # account columns
    lots: Floats  # per account, as the gates before left it; 0 before any gate has sized
    equity: Floats  # per account: balance and open positions at the last quotes
    scale: float = 1.0  # the shield's factor on size


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
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
    measured: Floats | float
    limit: Floats | float
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


@dataclass(frozen=True, slots=True)
class Score:
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


def column(value: Floats | float, size: int) -> Floats:
    """A per-account column of a value that may be one for all.

    Raises:
        ValueError: it is a column of another length.
    """
    if isinstance(value, np.ndarray) and value.shape != (size,):
        raise ValueError(f"a column has shape {value.shape}, not ({size},)")
    return value if isinstance(value, np.ndarray) else np.full(size, value, np.float64)
