"""The gate chain: asks gates in configured order, keeps to the law that a decision is a value with a reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from bitten.clock import iso
from bitten.gate import Gate, Score, Shield, Situation, Verdict
from bitten.journal.memory import Answer
from bitten.ledger import Ledger, frozen
from bitten.market import Market, MarketView
from bitten.model.dtypes import Floats, Ints
from bitten.model.facts import Alert, Signal
from bitten.publisher import Publisher
from bitten.rule import Rule
from bitten.sizing import floor_to_step

_BOOL: Final = np.dtype(np.bool_)  # numpy has one object for each of these
_FLOAT: Final = np.dtype(np.float64)


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

    def rules(self) -> list[Rule] | None:
        """The whole chain as rules that kernels know; None where it is more than that."""
        rules = [gate.rule() for _, gate in self._gates]
        known = [rule for rule in rules if rule is not None]
        return known if self._shield is None and len(known) == len(rules) else None

    def decide(self, signal: Signal) -> list[tuple[int, float]]:
        """(row of the account, lots) of every account that fires. All answers are published before it returns."""
        given: list[Answer] = []
        fired = self._decide(signal, given)
        self._publisher.decisions(signal, given)
        return fired

    def _decide(self, signal: Signal, given: list[Answer]) -> list[tuple[int, float]]:
        if 0 < signal.expiry <= signal.time:
            text = f"it had expired at {iso(signal.expiry)} UTC, before it could be acted upon"
            self._refuse(given, self._everyone, "expiry", text, float(signal.time), float(signal.expiry))
            return []
        view = MarketView(self._market, signal.time)
        scale = self._shielded(signal, view, given)
        if scale is None:
            return []
        alive, lots, ids = self._everyone, [0.0] * len(self._everyone), self._ledger.ids
        situation = Situation(signal, view, self._ledger, self._unsized, scale)
        for name, gate in self._gates:
            try:
                passed, measured, limit, reason, sizes = self._checked(gate.decide(situation))
            except (Exception, SystemExit) as error:
                text = f"gate {name} failed, so it refuses: {type(error).__name__}: {error}"
                self._publisher.publish(Alert(signal.time, name, text))
                given.extend((ids[row], name, text, 0.0, 0.0, lots[row]) for row in alive)
                return []
            if sizes is not None:
                lots = [floor_to_step(one, signal.instrument) for one in sizes]
                situation = situation.resized(np.array(lots))
            left = []
            for row in alive:
                refused = None
                if passed[row]:
                    left.append(row)
                else:
                    refused = reason.format(measured=measured[row], limit=limit[row], account=ids[row])
                given.append((ids[row], name, refused, measured[row], limit[row], lots[row]))
            if not left:
                return []
            alive = left
        unsized = [row for row in alive if not lots[row] > 0]
        self._refuse(given, unsized, "sizing", "no gate gave it a volume", 0.0, signal.instrument.volume_min)
        return [(row, lots[row]) for row in alive if lots[row] > 0]

    def _shielded(self, signal: Signal, view: MarketView, given: list[Answer]) -> float | None:
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
            self._refuse(given, self._everyone, "shield", text, 0.0, 1.0)
            return None
        if score.veto is not None:
            self._refuse(given, self._everyone, "shield", score.veto, score.score, 1.0)
            return None
        given.extend((account, "shield", None, score.score, 1.0, 0.0) for account in self._ledger.ids)
        return score.scale

    def _refuse(
        self, given: list[Answer], rows: Sequence[int], by: str, reason: str, measured: float, limit: float
    ) -> None:
        given.extend((self._ledger.ids[row], by, reason, measured, limit, 0.0) for row in rows)

    def _checked(self, verdict: Verdict) -> tuple[list[bool], list[float], list[float], str, list[float] | None]:
        """A verdict as plain lists; raises where it is none: wrong shapes, sizes that are no sizes, a broken reason."""
        size = len(self._everyone)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"answered {type(verdict).__name__} instead of a Verdict")
        passed = verdict.passed
        if type(passed) is not np.ndarray or passed.dtype is not _BOOL or passed.shape != (size,):
            passed = np.asarray(passed)
            raise ValueError(f"passed has shape {passed.shape} and type {passed.dtype}, not bool ({size},)")
        reason = verdict.reason
        if reason not in self._sound:
            reason.format(measured=0.0, limit=0.0, account="")
            self._sound.add(reason)
        lots = None if verdict.lots is None else _listed(verdict.lots, size)
        if lots is not None and not all(0 <= value < math.inf for value in lots):
            raise ValueError(f"lots are {lots}")
        return passed.tolist(), _listed(verdict.measured, size), _listed(verdict.limit, size), reason, lots


def _listed(value: Floats | Ints | float, size: int) -> list[float]:
    """One value per account of a column, or of a number that is one for all."""
    if type(value) is float:
        return [value] * size
    if type(value) is np.ndarray and value.dtype is _FLOAT and value.shape == (size,):
        return list(value.tolist())
    column = np.asarray(value, np.float64)
    if column.shape not in ((), (size,)):
        raise ValueError(f"a column has shape {column.shape}, not ({size},)")
    listed: list[float] = column.tolist() if column.ndim else [column.item()] * size
    return listed
