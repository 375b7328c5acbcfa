"""The gate chain: asks gates in configured order, keeps to the law that a decision is a value with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from bitten.clock import iso
from bitten.gate import Gate, Shield, Situation, Verdict
from bitten.ledger import Ledger
from bitten.market import Market
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
        self._sayable: set[str] = set()  # reasons whose placeholders have been tried

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
        for name, gate in self._gates:
            situation = Situation(signal, signal.time, self._market, self._ledger, lots.copy(), scale)
            verdict = self._ask(name, gate, situation)
            alive, lots = self._record(signal, name, verdict, alive, lots)
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
            score = self._shield.score(signal, self._market)
            if not (1 <= score.score <= 10 and np.isfinite(score.scale) and score.scale >= 0):
                raise ValueError(f"score {score.score}, scale {score.scale}")
        except Exception as error:
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

    def _ask(self, name: str, gate: Gate, situation: Situation) -> Verdict:
        try:
            verdict = gate.decide(situation)
            self._check(verdict)
        except Exception as error:
            text = f"gate {name} failed, so it refuses: {type(error).__name__}: {error}"
            self._publish(Alert(situation.time, name, text))
            nobody = np.zeros(len(self._ledger.ids), np.bool_)
            return Verdict(nobody, 0.0, 0.0, text.replace("{", "(").replace("}", ")"))
        return verdict

    def _record(self, signal: Signal, name: str, verdict: Verdict, alive: Bools, lots: Floats) -> tuple[Bools, Floats]:
        """Publish one gate's answer for the accounts still in the run; who and how much is left."""
        if verdict.lots is not None:
            lots = np.array([floor_to_step(value, signal.instrument) for value in verdict.lots.tolist()])
        passed = verdict.passed.tolist()
        for row in alive.nonzero()[0].tolist():
            measured, limit = _at(verdict.measured, row), _at(verdict.limit, row)
            account, refusal = self._ledger.ids[row], None
            if not passed[row]:
                reason = verdict.reason.format(measured=measured, limit=limit, account=account)
                refusal = Refused(name, reason, measured, limit)
            self._publish(Decision(signal, account, name, float(lots[row]), measured, limit, refusal))
        return alive & verdict.passed, lots

    def _check(self, verdict: Verdict) -> None:
        """Raise where an answer is none: wrong shape or type, sizes that are no sizes, a reason that cannot be said."""
        size = len(self._ledger.ids)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"answered {type(verdict).__name__} instead of a Verdict")
        if verdict.passed.shape != (size,) or verdict.passed.dtype != np.bool_:
            found = f"{verdict.passed.shape} and type {verdict.passed.dtype}"
            raise ValueError(f"passed has shape {found}, not bool ({size},)")
        for value in (verdict.measured, verdict.limit):
            if np.shape(value) not in ((), (size,)):
                raise ValueError(f"a column has shape {np.shape(value)}, not ({size},)")
        if verdict.reason not in self._sayable:
            verdict.reason.format(measured=0.0, limit=0.0, account="")
            self._sayable.add(verdict.reason)
        if verdict.lots is not None:
            if verdict.lots.shape != (size,):
                raise ValueError(f"lots has shape {verdict.lots.shape}, not ({size},)")
            if not np.isfinite(verdict.lots).all() or (verdict.lots < 0).any():
                raise ValueError(f"lots are {verdict.lots.tolist()}")


def _at(value: Floats | float, row: int) -> float:
    """One account's value of a column that may be one for all."""
    return float(value[row] if isinstance(value, np.ndarray) and value.ndim else value)
