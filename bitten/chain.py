"""The gate chain: asks gates in configured order, keeps to the law that a decision is a value with a reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from bitten.clock import iso
from bitten.gate import Gate, Score, Shield, Situation, Verdict
from bitten.ledger import Ledger, frozen
from bitten.market import Market, MarketView
from bitten.model.dtypes import Bools, Floats
from bitten.model.facts import Alert, Decision, Refused, Signal
from bitten.sizing import floor_to_step

Publish = Callable[[Decision | Alert], None]


class NamedGate(NamedTuple):
    """A gate under its configured name."""

    name: str
    gate: Gate


class GateChain:
    """Decides signals for every account. Fails closed: a gate that raises or answers nonsense refuses."""

    def __init__(
        self, gates: Sequence[NamedGate], shield: Shield | None, ledger: Ledger, market: Market, publish: Publish
    ) -> None:
        self._gates = tuple(gates)
        self._shield = shield
        self._ledger = ledger
        self._market = market
        self._publish = publish

    def decide(self, signal: Signal) -> Floats:
        """Lots per account, 0.0 where refused. Every answer is published as it is given."""
        ids = self._ledger.ids
        alive: Bools = np.ones(len(ids), np.bool_)
        lots: Floats = np.zeros(len(ids))
        if 0 < signal.expiry <= signal.time:
            text = f"it had expired at {iso(signal.expiry)} UTC, before it could be acted upon"
            self._refuse_all(signal, Refused("expiry", text, float(signal.time), float(signal.expiry)))
            return lots
        scale = self._shielded(signal)
        if scale is None:
            return lots
        view = MarketView(self._market, signal.time)
        equity = frozen(self._ledger.equity(self._market, signal.time))
        for name, gate in self._gates:
            situation = Situation(signal, signal.time, view, self._ledger, lots.copy(), equity, scale)
            alive, lots = self._record(signal, name, self._ask(name, gate, situation), alive, lots)
            if not alive.any():
                break
        for row in np.flatnonzero(alive & ~(lots > 0)):
            refusal = Refused("sizing", "no gate gave it a volume", 0.0, signal.instrument.volume_min)
            self._publish(Decision(signal, ids[row], "sizing", 0.0, 0.0, signal.instrument.volume_min, refusal))
        return np.where(alive, lots, 0.0)

    def _shielded(self, signal: Signal) -> float | None:
        """The shield's factor on size; None where it vetoes."""
        if self._shield is None:
            return 1.0
        try:
            score = self._shield.score(signal, MarketView(self._market, signal.time))
            if not isinstance(score, Score) or not (score.veto is None or isinstance(score.veto, str)):
                raise TypeError(f"answered {score!r} instead of a Score")
            if not (1 <= float(score.score) <= 10 and np.isfinite(score.scale) and score.scale >= 0):
                raise ValueError(f"score {score.score}, scale {score.scale}")
        except (Exception, SystemExit) as error:
            text = f"the shield failed, so the signal is refused: {type(error).__name__}: {error}"
            self._publish(Alert(signal.time, "shield", text))
            self._refuse_all(signal, Refused("shield", text, 0.0, 1.0))
            return None
        if score.veto is not None:
            self._refuse_all(signal, Refused("shield", score.veto, score.score, 1.0))
            return None
        for account in self._ledger.ids:
            self._publish(Decision(signal, account, "shield", 0.0, score.score, 1.0, None))
        return score.scale

    def _refuse_all(self, signal: Signal, refusal: Refused) -> None:
        for account in self._ledger.ids:
            self._publish(Decision(signal, account, refusal.by, 0.0, refusal.measured, refusal.limit, refusal))

    def _ask(self, name: str, gate: Gate, situation: Situation) -> _Answer:
        try:
            return self._checked(gate.decide(situation))
        except (Exception, SystemExit) as error:
            text = f"gate {name} failed, so it refuses: {type(error).__name__}: {error}"
            self._publish(Alert(situation.time, name, text))
            nothing = [0.0] * len(self._ledger.ids)
            return _Answer([False] * len(nothing), nothing, nothing, text.replace("{", "(").replace("}", ")"), None)

    def _record(self, signal: Signal, name: str, answer: _Answer, alive: Bools, lots: Floats) -> tuple[Bools, Floats]:
        """Publish one gate's answer for the accounts still in the run; who and how much is left."""
        if answer.lots is not None:
            lots = np.array([floor_to_step(value, signal.instrument) for value in answer.lots])
        for row in alive.nonzero()[0].tolist():
            measured, limit = answer.measured[row], answer.limit[row]
            account, refusal = self._ledger.ids[row], None
            if not answer.passed[row]:
                reason = answer.reason.format(measured=measured, limit=limit, account=account)
                refusal = Refused(name, reason, measured, limit)
            self._publish(Decision(signal, account, name, float(lots[row]), measured, limit, refusal))
        return alive & np.array(answer.passed), lots

    def _checked(self, verdict: Verdict) -> _Answer:
        """A verdict as plain lists; raises where it is none: wrong shapes, sizes that are no sizes, a broken reason."""
        size = len(self._ledger.ids)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"answered {type(verdict).__name__} instead of a Verdict")
        passed = np.asarray(verdict.passed)
        if passed.shape != (size,) or passed.dtype != np.bool_:
            raise ValueError(f"passed has shape {passed.shape} and type {passed.dtype}, not bool ({size},)")
        verdict.reason.format(measured=0.0, limit=0.0, account="")
        lots = None if verdict.lots is None else _listed(verdict.lots, size)
        if lots is not None and not all(0 <= value < math.inf for value in lots):
            raise ValueError(f"lots are {lots}")
        return _Answer(
            passed.tolist(), _listed(verdict.measured, size), _listed(verdict.limit, size), verdict.reason, lots
        )


class _Answer(NamedTuple):
    """A verdict that has been checked, per account."""

    passed: list[bool]
    measured: list[float]
    limit: list[float]
    reason: str
    lots: list[float] | None


def _listed(value: Floats | float, size: int) -> list[float]:
    """One value per account of a column, or of a number that is one for all."""
    column = np.asarray(value, np.float64)
    if column.shape not in ((), (size,)):
        raise ValueError(f"a column has shape {column.shape}, not ({size},)")
    listed: list[float] = column.tolist() if column.ndim else [column.item()] * size
    return listed
