"""What is known of one signal and of what became of it, as frozen values. Times are ns UTC, prices decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

NOT_ASKED: Final = "not asked"  # a refusal before it ended the chain
NOT_KEPT: Final = "not kept"  # the run kept only what refused or resized


class SignalFacts(Struct, frozen=True):
    """What the pattern proposed. `stop` and `target` are distances from the fill where `relative` is set."""

    id: str
    pattern: str
    symbol: str
    timeframe: str
    side: str
    time: int
    anchor: int | None
    reference: float | None
    stop: float | None
    target: float | None
    confidence: float
    relative: bool
    expiry: int | None
    atr: float | None
    evidence: Mapping[str, float]
    evidence_prices: tuple[str, ...]  # which of them are prices


class InsightFacts(Struct, frozen=True):
    """One factor of a score; see `bitten.gate.Insight`."""

    factor: str
    value: float
    weight: float
    text: str


class ShieldFacts(Struct, frozen=True):
    """What a shield said."""

    name: str
    time: int
    score: float
    scale: float
    confidence: float | None  # in place of the signal's
    veto: str | None
    evidence: Mapping[str, float]
    insights: tuple[InsightFacts, ...] = ()
    remark: str | None = None  # why there are no sentences


class GateFacts(Struct, frozen=True):
    """What one gate said to one account."""

    name: str
    verdict: str  # passed, resized, refused, or one of the words above
    reason: str | None = None
    measured: float | None = None
    limit: float | None = None
    lots: float | None = None  # after this gate
    time: int | None = None


class Tally(Struct, frozen=True):
    """What one gate said to all accounts."""

    gate: str
    passed: int
    resized: int
    refused: int


class MissionFacts(Struct, frozen=True):
    """The signal as it was offered to one account."""

    id: str
    mode: str
    offered: int
    expiry: int
    answered: int | None
    answer: str


class FireFacts(Struct, frozen=True):
    """One order and how its size came about."""

    id: str
    time: int
    lots: float
    risk: float | None
    sizing: Mapping[str, float]


class TradeFacts(Struct, frozen=True):
    """The position that an order became."""

    lots: float
    open_time: int
    open_price: float
    stop: float | None
    target: float | None
    close_time: int
    close_price: float
    close_reason: str
    pips: float
    gross: float
    commission: float
    swap: float
    profit: float
    mae_pips: float
    mfe_pips: float
    r: float | None
    seconds: float | None


class OutcomeFacts(Struct, frozen=True):
    """How the signal itself ended, at its own stop or target, fired or not."""

    result: str
    fired: bool
    open_time: int | None
    open_price: float | None
    close_time: int | None
    close_price: float | None
    pips: float | None
    r: float | None
    mae_pips: float | None
    mfe_pips: float | None
    mae_r: float | None
    mfe_r: float | None
    seconds: float | None


class AccountStory(Struct, frozen=True):
    """What became of the signal for one account.

    `fate` is fired, open (at the end), expired or rejected (an order that never filled), refused (by a gate), declined,
    unanswered or waiting (a mission), or undecided where nothing is on record.
    """

    id: str
    currency: str
    mode: str
    tier: str
    risk_percent: float | None
    risk_multiplier: float | None
    fate: str
    refused_by: str | None
    gates: tuple[GateFacts, ...]
    mission: MissionFacts | None
    fire: FireFacts | None
    trade: TradeFacts | None
    unfilled: str | None  # why an order never became a position
    unfilled_at: int | None


class Story(Struct, frozen=True):
    """All of it. `fates` and `refused_by` count accounts, the most frequent first."""

    run: str
    synthetic: bool
    signal: SignalFacts
    digits: int
    pip: float | None
    accounts: int
    chosen: bool  # whether a person named the account
    fates: Mapping[str, int]
    refused_by: Mapping[str, int]
    tallies: tuple[Tally, ...]
    shields: tuple[ShieldFacts, ...]
    account: AccountStory
    outcome: OutcomeFacts | None

    @property
    def end(self) -> int:
        """The last instant of the story, ns UTC."""
        trade, outcome = self.account.trade, self.outcome
        ends = (trade and trade.close_time, outcome and outcome.close_time, self.account.unfilled_at)
        return max([self.signal.time, *(end for end in ends if end)])
