"""What gates and shields answer: what makes an answer complete, and where two answers differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bitten.gate import Gate, Insight, Part, Score, Shield, Situation, Verdict, column
from bitten.model.facts import Signal, side_name
from bitten.testing.partmarket import Question
from bitten.testing.trial import LawBroken, attempt

_SCORES: Final = (1.0, 10.0)


@dataclass(frozen=True, eq=False)
class Answer:
    """One answer of a part."""

    where: str  # "situation 3" or "signal 3"
    told: Any  # a Verdict or a Score
    rows: tuple[int, ...]  # the accounts it speaks of
    wrong: str = ""  # what it lacks
    words: tuple[Any, ...] = ()  # a shield's insights

    def compare(self, whole: Answer, how: str) -> None:
        """Raise `LawBroken` where it differs from the answer for all accounts in their own order."""
        for one in (self, whole):
            if one.wrong:
                raise LawBroken(f"{one.where}: {one.wrong}")
        where = f"{self.where}, {how}"
        if isinstance(self.told, Verdict):
            _same_verdict(self.told, whole.told, self.rows, where)
        elif (self.told, self.words) != (whole.told, whole.words):
            raise LawBroken(f"{where}: the answer is {self.told} {self.words}, was {whole.told} {whole.words}")

    def screened(self, measured: float, limit: float) -> None:
        """Raise `LawBroken` where a screen that lets the signal pass says something else."""
        if self.wrong:
            raise LawBroken(f"{self.where}: {self.wrong}")
        verdict, size = self.told, len(self.rows)
        if not verdict.passed.all() or verdict.lots is not None:
            raise LawBroken(f"{self.where}: the screen lets everybody pass, decide says {verdict}")
        for name, value in (("measured", measured), ("limit", limit)):
            asked = column(getattr(verdict, name), size)
            if not np.array_equal(asked, np.full(size, value), equal_nan=True):
                raise LawBroken(f"{self.where}: {name} is {value} on the screen, {asked.tolist()} when asked")


def ask_gate(part: Part, question: Question) -> Answer:
    """A gate's verdict on the accounts of a question."""
    assert isinstance(part, Gate)
    where = f"situation {question.number}"
    worked_out = {"loss_per_lot": question.loss}
    situation = Situation(question.signal, question.view, question.ledger, question.lots.copy(), 0.75, None, worked_out)
    before = _columns(situation)
    verdict = attempt(lambda: part.decide(situation), f"{where}: decide raised")
    wrong = _fault_of_verdict(verdict, len(question.rows))
    if not wrong and _columns(situation) != before:
        wrong = "it changed the situation that it was given"
    return Answer(where, verdict, question.rows, wrong)


def ask_shield(part: Part, question: Question) -> Answer:
    """A shield's score and the reasons behind it."""
    assert isinstance(part, Shield)
    where = f"signal {question.number}"
    score = attempt(lambda: part.score(question.signal, question.view), f"{where}: score raised")
    wrong = _fault_of_score(score)
    if wrong:
        return Answer(where, score, question.rows, wrong)
    row = signal_row(question.signal)
    reasons = attempt(lambda: tuple(part.insights(score.evidence, row)), f"{where}: insights raised")
    faults = (_fault_of_insight(reason) for reason in reasons)
    return Answer(where, score, question.rows, next((fault for fault in faults if fault), ""), reasons)


def signal_row(signal: Signal) -> Mapping[str, Any]:
    """A signal as its row of signals.parquet, in Python's own types."""
    instrument = signal.instrument
    return {
        "signal_id": signal.id,
        "pattern": signal.pattern,
        "symbol": signal.symbol,
        "timeframe": signal.timeframe,
        "side": side_name(signal.side),
        "time": signal.time,
        "anchor": signal.anchor,
        "reference": signal.reference,
        "stop": signal.stop,
        "target": signal.target,
        "relative": signal.relative,
        "confidence": signal.confidence,
        "expiry": signal.expiry or None,
        "atr": signal.atr_points / instrument.scale if signal.atr_points else None,
        "evidence": dict(signal.evidence),
    }


def _columns(situation: Situation) -> tuple[Any, ...]:
    ledger = situation.ledger
    arrays = (situation.lots, situation.risk, ledger.balance, ledger.slots, ledger.used, ledger.open_risk)
    bands = (ledger.band_low, ledger.band_high)
    return (*(array.tolist() for array in (*arrays, *bands)), ledger.on_symbol(situation.signal.symbol).tolist())


def _fault_of_verdict(verdict: Verdict, size: int) -> str:
    if not isinstance(verdict, Verdict):
        return f"decide returned {type(verdict).__name__}, must be a Verdict"
    if verdict.passed.shape != (size,) or verdict.passed.dtype != np.bool_:
        return f"passed has shape {verdict.passed.shape} and type {verdict.passed.dtype}, must be bool ({size},)"
    if verdict.lots is not None and (
        verdict.lots.shape != (size,) or not np.isfinite(verdict.lots).all() or (verdict.lots < 0).any()
    ):
        return f"lots are {verdict.lots.tolist()}, must be {size} finite numbers, none negative"
    try:
        numbers = [column(value, size) for value in (verdict.measured, verdict.limit)]
        reason = verdict.reason.format(measured=0.5, limit=1.5, account="a0")
    except (ValueError, KeyError, IndexError) as error:
        return f"measured, limit or reason cannot be used: {type(error).__name__}: {error}"
    if not all(np.isfinite(one[~verdict.passed]).all() for one in numbers):
        return "measured or limit of a refusal is not a finite number"
    return "" if reason.strip() else "a refusal has no reason"


def _same_verdict(found: Verdict, whole: Verdict, rows: Sequence[int], how: str) -> None:
    pick = list(rows)
    size = whole.passed.size
    for name in ("passed", "measured", "limit", "lots", "loss_per_lot"):
        ours, theirs = getattr(found, name), getattr(whole, name)
        if (ours is None) != (theirs is None):
            raise LawBroken(f"{how}: {name} is {ours}, was {theirs}")
        if ours is None:
            continue
        left, right = column(ours, len(pick)), column(theirs, size)[pick]
        if not np.array_equal(left, right, equal_nan=True):
            raise LawBroken(f"{how}: {name} is {left.tolist()}, was {right.tolist()}")
    # one reason serves all accounts of a verdict: of fewer accounts it may be another
    refused = not found.passed.all() or found.lots is not None
    if refused and len(pick) == size and found.reason != whole.reason:
        raise LawBroken(f'{how}: the reason is "{found.reason}", was "{whole.reason}"')


def _fault_of_score(score: Score) -> str:
    if not isinstance(score, Score):
        return f"score returned {type(score).__name__}, must be a Score"
    if not _within(score.score, *_SCORES):
        return f"the score is {score.score!r}, must be 1 to 10"
    if not _within(score.scale, 0.0, 1e6):
        return f"scale is {score.scale!r}, must be a finite number, not negative"
    if score.veto is not None and not (isinstance(score.veto, str) and score.veto.strip()):
        return f"veto is {score.veto!r}, must be a reason in words, or None"
    if score.confidence is not None and not _within(score.confidence, 0.0, 100.0):
        return f"confidence is {score.confidence!r}, must be 0 to 100, or None"
    for name, value in score.evidence.items():
        if not (isinstance(name, str) and _within(value, -np.inf, np.inf)):
            return f"evidence {name!r} is {value!r}, must be a finite number"
    return ""


def _fault_of_insight(reason: Insight) -> str:
    if not isinstance(reason, Insight):
        return f"insights holds a {type(reason).__name__}, must be an Insight"
    if not _within(reason.value, 0.0, 1.0):
        return f'insight "{reason.factor}" has the value {reason.value!r}, must be 0 to 1'
    if not _within(reason.weight, 0.0, 10.0):
        return f'insight "{reason.factor}" has the weight {reason.weight!r}, must be 0 to 10 points'
    if not reason.text.strip() or "{" in reason.text:
        return f'insight "{reason.factor}" reads "{reason.text}", must be a sentence with its numbers filled in'
    return ""


def _within(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value)) and low <= float(value) <= high
