"""What gates and shields are: policies over the account table, each answer with its reason."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct, field

from bitten.errors import ConfigError, did_you_mean
from bitten.ledger import Ledger, frozen
from bitten.market import MarketView
from bitten.model.dtypes import Bools, Floats, Ints, Records
from bitten.model.facts import Outcome, Signal
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten.rule import Rule
from bitten.screening import Offers, Screen
from bitten.sizing import floor_to_steps

if TYPE_CHECKING:
    import pyarrow as pa

NEVER = 1 << 62
"""An instant that does not come."""


@dataclass(frozen=True, slots=True)
class GateContext:
    """What the pipeline tells a gate or a shield when it makes one."""

    slippage_points: int = 0  # adverse slippage the executor charges on market fills
    commission_per_lot: float = 0.0  # account currency, per lot and side
    name: str = ""  # its configured name
    folder: Path = Path()  # where relative paths in the configuration start
    instruments: Mapping[str, Instrument] = dataclasses.field(default_factory=dict)  # of the feed, in configured order
    patterns: tuple[str, ...] = ()  # names of the configured patterns; none where there is no configuration

    def check_pattern(self, name: str, key: str) -> None:
        """Refuse a parameter that names a pattern which gives no signals here.

        Raises:
            ConfigError: with what was probably meant.
        """
        if self.patterns and name not in self.patterns:
            meant = did_you_mean(name, self.patterns)
            raise ConfigError(f'{self.name}.{key} names "{name}", which is no configured pattern{meant}')


class Situation(Struct, frozen=True, eq=False):
    """All that a gate may look at when a signal is decided.

    Attributes:
        signal: what is decided.
        market: as it is known at the decision, no later; `time` may lie after the signal's, where a person answered.
        ledger: the account columns.
        lots: per account, as the gates before left it; 0 before any gate has sized. Read-only.
        scale: the product of the shields' factors on size so far.
        calibrated: what a shield has put in place of the signal's confidence; None for nothing.
    """

    signal: Signal
    market: MarketView
    ledger: Ledger
    lots: Floats
    scale: float = 1.0
    calibrated: float | None = None
    _worked_out: dict[str, Floats] = field(default_factory=dict)  # shared by the situations of one decision

    @property
    def time(self) -> int:
        """The instant of the decision, ns UTC."""
        return self.market.now

    @property
    def confidence(self) -> float:
        """The signal's, or what a shield has put in its place; 0 to 100."""
        return self.signal.confidence if self.calibrated is None else self.calibrated

    @property
    def equity(self) -> Floats:
        """Per account: balance and open positions at the last quotes; worked out when it is first asked for."""
        if "equity" not in self._worked_out:
            self._worked_out["equity"] = frozen(self.ledger.equity(self.market))
        return self._worked_out["equity"]

    @property
    def risk(self) -> Floats:
        """Per account: money that the lots so far lose at the stop, account currency; 0 before a gate has worked it
        out.
        """
        loss = self._worked_out.get("loss_per_lot")
        return np.zeros(len(self.ledger.ids)) if loss is None else loss * self.lots

    def for_all(self, passes: bool) -> Bools:
        """The same answer for every account: a column that all decisions share, read-only."""
        return self.ledger.everyone if passes else self.ledger.nobody

    def resized(self, lots: Floats, loss_per_lot: Floats | None = None) -> Situation:
        """The same situation after a gate has sized: lots, and what one of them loses at the stop if that is known."""
        if loss_per_lot is not None:
            self._worked_out["loss_per_lot"] = frozen(loss_per_lot)
        return Situation(
            self.signal, self.market, self.ledger, frozen(lots), self.scale, self.calibrated, self._worked_out
        )

    def shielded(self, score: Score) -> Situation:
        """The same situation after a shield; lots that a gate has decided already may only become smaller."""
        lots = self.lots
        if score.scale < 1.0 and lots.any():
            lots = frozen(floor_to_steps(lots * score.scale, self.signal.instrument))
        calibrated = self.calibrated if score.confidence is None else score.confidence
        return Situation(
            self.signal, self.market, self.ledger, lots, self.scale * score.scale, calibrated, self._worked_out
        )


class Verdict(Struct, frozen=True, eq=False):
    """One gate's answer for all accounts.

    Attributes:
        passed: per account.
        measured: what was compared, per account or one for all.
        limit: with what, per account or one for all.
        reason: why the refused were refused, and the resized resized; `{measured}`, `{limit}` and `{account}` are
            filled in per account, with format specifications if wanted: "spread was {measured:.0f} points, limit is
            {limit:.0f}".
        lots: new sizes per account, where the gate sizes or resizes; else None.
        loss_per_lot: account currency lost by one lot at the stop, per account, where the gate works it out.
        working: how the lots came about: names to numbers, per account or one for all; kept with each fire.
    """

    passed: Bools
    measured: Floats | Ints | float
    limit: Floats | Ints | float
    reason: str
    lots: Floats | None = None
    loss_per_lot: Floats | None = None
    working: Mapping[str, Floats | Ints | float] = field(default_factory=dict)


class Part(ABC):
    """What gates and shields have in common. Whatever state one keeps must follow from what it is told here."""

    Config: ClassVar[type[msgspec.Struct]]
    watches: ClassVar[bool] = False
    """Whether `mark` is wanted at every instant at which equity is recorded, too."""

    def __init__(self, config: Any, context: GateContext) -> None:
        self.config = config
        self.context = context

    def observe(  # noqa: B027  # optional
        self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]
    ) -> None:
        """See a slice of one symbol before anything in it is decided; called once per slice and symbol, for kernels.

        `bars` are those the quotes complete, by timeframe (all timeframes that patterns want). A later `score` or
        `decide` may use only what was known at its own instant: rows with `known` (of bars) or `ts` at or before it.
        """

    def learn(self, outcome: Outcome) -> None:  # noqa: B027  # optional
        """A signal has met its fate; told by time, before anything later is decided."""

    def wake(self, after: int) -> int:
        """The next instant (ns UTC) after this one at which `mark` is wanted; `NEVER` for none."""
        return NEVER

    def mark(self, market: MarketView, ledger: Ledger) -> None:  # noqa: B027  # optional
        """An instant that `wake` named has come: everything up to it has been settled, nothing at it decided.

        Parts that `watches` equity are told, too, whenever positions have closed, and on the grid of equity.
        """

    def tables(self) -> Mapping[str, pa.Table]:
        """What it leaves in the run folder beside the tables that every run has; asked for once, at the end."""
        return {}

    def notes(self) -> Sequence[str]:
        """What a person should know of this run, for the manifest: "no calendar is loaded, news are not checked"."""
        return ()


class Gate(Part):
    """A policy. It answers for every account at once and never decides on what it cannot measure: it refuses."""

    sizes: ClassVar[bool] = False
    """Whether this gate decides the lots; a chain needs exactly one that does."""

    @abstractmethod
    def decide(self, situation: Situation) -> Verdict:
        """Pass, resize or refuse the signal for each account."""

    def screen(self, offers: Offers, ledger: Ledger) -> Screen | None:
        """Which of many signals pass for every account, where that needs nothing but signals, quotes and what never
        changes of the accounts; None where it needs more. Only quicker: `decide` must say the same of each of them.
        """
        return None

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
    evidence: Mapping[str, float] = field(default_factory=dict)  # the numbers it was worked out from
    confidence: float | None = None  # 0 to 100, in place of the signal's from here on


class Insight(NamedTuple):
    """One reason behind a score, in a sentence with its numbers filled in."""

    factor: str  # "spread"
    value: float  # 0 to 1: 1 does not lower the score
    weight: float  # points of the score that a value of 0 costs
    text: str


class Shield(Part):
    """Scores a signal and explains why; may scale its size, veto it, or put another confidence in place of its own.

    It stands in the chain of gates, where its configuration puts it.
    """

    @abstractmethod
    def score(self, signal: Signal, market: MarketView) -> Score:
        """The score at an instant: that of the signal, or later, when a person accepts it."""

    def insights(self, evidence: Mapping[str, float], signal: Mapping[str, Any]) -> Sequence[Insight]:
        """The reasons behind a score, from the evidence that was kept with it.

        Args:
            evidence: of the score.
            signal: the signal's row of signals.parquet, by column (`symbol`, `side`, `stop`, ...); times are ns UTC.
        """
        return ()


def column(value: Floats | Ints | float, size: int) -> Floats | Ints:
    """A per-account column of a value that may be one for all.

    Raises:
        ValueError: it is a column of another length.
    """
    if isinstance(value, np.ndarray) and value.shape != (size,):
        raise ValueError(f"a column has shape {value.shape}, not ({size},)")
    return value if isinstance(value, np.ndarray) else np.full(size, value, np.float64)
