"""Where every fact goes: to the journal first, then to whoever listens."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Final

from bitten.gate import Score
from bitten.journal.decisions import PASSED, REFUSED, Answers, one
from bitten.journal.memory import MemoryJournal
from bitten.manager import FACTS, Manager
from bitten.model.facts import Alert, Answer, Close, Decision, Fill, Fire, Mission, Outcome, Refused, Signal, Unfilled

_FACT_NAMES: Final[dict[type, str]] = {
    Signal: "signal", Mission: "mission", Answer: "answer", Decision: "decision", Fire: "fire",
    Fill: "fill", Unfilled: "unfilled", Close: "close",
    Outcome: "outcome", Alert: "alert",
}  # fmt: skip


class Publisher:
    """Writes a fact to the journal, then tells whoever listens; a listener that raises is counted and stops nothing."""

    def __init__(self, journal: MemoryJournal, manager: Manager, accounts: Sequence[str]) -> None:
        self._journal = journal
        self._accounts = list(accounts)
        by_name = {fact: manager.listeners(fact) for fact in FACTS}
        self._listeners: dict[type, list[tuple[str, Callable[..., object]]]] = {
            kind: by_name[name] for kind, name in _FACT_NAMES.items()
        }
        self.failures: dict[str, int] = {}

    @property
    def heard(self) -> bool:
        """Whether anybody listens to anything."""
        return any(self._listeners.values())

    def publish(self, fact: object) -> None:
        """One fact, in order."""
        self._journal.append(fact)
        for plugin, listener in self._listeners[type(fact)]:
            try:
                listener(fact)
            except (Exception, SystemExit) as error:
                self.failed(plugin, f"bitten_{_FACT_NAMES[type(fact)]}", error)

    def decisions(self, signal: Signal, time: int, given: Sequence[Answers]) -> None:
        """Every answer of the gate chain; the most frequent facts are made only where somebody listens."""
        if not self._listeners[Decision]:
            self._journal.decisions(signal.id, time, given)
            return
        for answers in given:
            for i, row in enumerate(answers.rows.tolist()):
                account, verdict = self._accounts[row], round(one(answers.verdicts, i))
                reason = None if verdict == PASSED else answers.reason_of(i, account)
                measured, limit, lots = (one(value, i) for value in (answers.measured, answers.limit, answers.lots))
                refusal = Refused(answers.gate, reason or "", measured, limit) if verdict == REFUSED else None
                self.publish(Decision(signal, account, answers.gate, lots, measured, limit, refusal, time, reason))

    def score(self, signal: Signal, time: int, shield: str, score: Score) -> None:
        """What a shield said of a signal."""
        self._journal.score(signal.id, time, shield, score)

    def missions(self, signal: Signal, time: int, expiry: int, accounts: Sequence[str]) -> None:
        """A signal was offered to accounts that accept at once; the facts are made only where somebody listens."""
        if not (self._listeners[Mission] or self._listeners[Answer]):
            self._journal.missions(signal, time, expiry, accounts)
            return
        for account in accounts:
            mission = Mission(f"{signal.id}@{account}", signal, account, "auto", time, expiry)
            self.publish(mission)
            self.publish(Answer(mission, time, "accepted"))

    def failed(self, plugin: str, name: str, error: BaseException) -> None:
        """The first failure of each listener becomes an alert, all are counted."""
        key = f"{plugin}.{name}"
        self.failures[key] = self.failures.get(key, 0) + 1
        if self.failures[key] == 1:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            text = f"tracker {key} raised {type(error).__name__}: {error} ({frame.filename}:{frame.lineno}); it goes on"
            self._journal.append(Alert(0, plugin, text))
