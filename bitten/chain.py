"""The gate chain: asks gates in configured order, keeps to the law that a decision is a value with a reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from bitten.clock import iso
from bitten.gate import Gate, Score, Shield, Situation, Verdict
from bitten.ledger import Ledger, frozen
from bitten.market import Market, MarketView
from bitten.model.dtypes import Floats, Ints
from bitten.model.facts import Alert, Signal
from bitten.publisher import Publisher
from bitten.sizing import floor_to_step

_BOOL: Final = np.dtype(np.bool_)


class NamedGate(NamedTuple):
    """A gate under its configured name."""

    name: str
    gate: Gate


class GateChain:
    """Decides signals for every account. Fails closed: a gate that raises or answers nonsense refuses."""

    def __init__(
        self, gates: Sequence[NamedGate], shield: Shield | None, ledger: Ledger, market: Market, publisher: Publisher
    ) -> None:
        self._gates = tuple(gates)
        self._shield = shield
        self._ledger = ledger
        self._market = market
        self._publisher = publisher
        self._everyone = list(range(len(ledger.ids)))
        self._unsized: Floats = frozen(np.zeros(len(ledger.ids)))
        self._sound: set[str] = set()  # reasons that are known to be usable

    def decide(self, signal: Signal) -> list[tuple[int, float]]:
        """(row of the account, lots) of every account that fires. Every answer is published as it is given."""
        if 0 < signal.expiry <= signal.time:
            text = f"it had expired at {iso(signal.expiry)} UTC, before it could be acted upon"
            self._refuse(signal, self._everyone, "expiry", text, float(signal.time), float(signal.expiry))
            return []
        view = MarketView(self._market, signal.time)
        scale = self._shielded(signal, view)
        if scale is None:
            return []
        alive = self._everyone
        situation = Situation(signal, view, self._ledger, self._unsized, scale)
        for name, gate in self._gates:
            answer = self._ask(name, gate, situation)
            if answer.lots is not None:
                situation = situation.resized(np.array([floor_to_step(one, signal.instrument) for one in answer.lots]))
            alive = self._record(situation, name, answer, alive)
            if not alive:
                return []
        lots = situation.lots.tolist()
        unsized = [row for row in alive if not lots[row] > 0]
        self._refuse(signal, unsized, "sizing", "no gate gave it a volume", 0.0, signal.instrument.volume_min)
        return [(row, lots[row]) for row in alive if lots[row] > 0]

    def _shielded(self, signal: Signal, view: MarketView) -> float | None:
        """The shield's factor on size; None where it vetoes."""
        if self._shield is None:
            return 1.0
        try:
            score = self._shield.score(signal, view)
            if not isinstance(score, Score) or not (score.veto is None or isinstance(score.veto, str)):
                raise TypeError(f"answered {score!r} instead of a Score")
            if not (1 <= float(score.score) <= 10 and np.isfinite(score.scale) and score.scale >= 0):
                raise ValueError(f"score {score.score}, scale {score.scale}")
        except (Exception, SystemExit) as error:
            text = f"the shield failed, so the signal is refused: {type(error).__name__}: {error}"
            self._publisher.publish(Alert(signal.time, "shield", text))
            self._refuse(signal, self._everyone, "shield", text, 0.0, 1.0)
            return None
        if score.veto is not None:
            self._refuse(signal, self._everyone, "shield", score.veto, score.score, 1.0)
            return None
        for account in self._ledger.ids:
            self._publisher.decision(signal, account, "shield", 0.0, score.score, 1.0, None)
        return score.scale

    def _refuse(self, signal: Signal, rows: Sequence[int], by: str, reason: str, measured: float, limit: float) -> None:
        for row in rows:
            self._publisher.decision(signal, self._ledger.ids[row], by, 0.0, measured, limit, reason)

    def _ask(self, name: str, gate: Gate, situation: Situation) -> _Answer:
        try:
            return self._checked(gate.decide(situation))
        except (Exception, SystemExit) as error:
            text = f"gate {name} failed, so it refuses: {type(error).__name__}: {error}"
            self._publisher.publish(Alert(situation.time, name, text))
            nothing = [0.0] * len(self._everyone)
            refused = [False] * len(self._everyone)
            return _Answer(refused, nothing, nothing, text.replace("{", "(").replace("}", ")"), None)

    def _record(self, situation: Situation, name: str, answer: _Answer, alive: list[int]) -> list[int]:
        """Publish one gate's answer for the accounts still in the run; who is left."""
        signal = situation.signal
        lots = situation.lots.tolist()
        left = []
        for row in alive:
            measured, limit, account, reason = answer.measured[row], answer.limit[row], self._ledger.ids[row], None
            if answer.passed[row]:
                left.append(row)
            else:
                reason = answer.reason.format(measured=measured, limit=limit, account=account)
            self._publisher.decision(signal, account, name, lots[row], measured, limit, reason)
        return left

    def _checked(self, verdict: Verdict) -> _Answer:
        """A verdict as plain lists; raises where it is none: wrong shapes, sizes that are no sizes, a broken reason."""
        size = len(self._everyone)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"answered {type(verdict).__name__} instead of a Verdict")
        passed = np.asarray(verdict.passed)
        if passed.shape != (size,) or passed.dtype != _BOOL:
            raise ValueError(f"passed has shape {passed.shape} and type {passed.dtype}, not bool ({size},)")
        reason = verdict.reason
        if reason not in self._sound:
            reason.format(measured=0.0, limit=0.0, account="")
            self._sound.add(reason)
        lots = None if verdict.lots is None else _listed(verdict.lots, size)
        if lots is not None and not all(0 <= value < math.inf for value in lots):
            raise ValueError(f"lots are {lots}")
        return _Answer(passed.tolist(), _listed(verdict.measured, size), _listed(verdict.limit, size), reason, lots)


class _Answer(NamedTuple):
    """A verdict that has been checked, per account."""

    passed: list[bool]
    measured: list[float]
    limit: list[float]
    reason: str
    lots: list[float] | None


def _listed(value: Floats | Ints | float, size: int) -> list[float]:
    """One value per account of a column, or of a number that is one for all."""
    if type(value) is float:
        return [value] * size
    column = np.asarray(value, np.float64)
    if column.shape not in ((), (size,)):
        raise ValueError(f"a column has shape {column.shape}, not ({size},)")
    listed: list[float] = column.tolist() if column.ndim else [column.item()] * size
    return listed
