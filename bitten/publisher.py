"""Where every fact goes: to the journal first, then to whoever listens."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Final

from bitten.journal.memory import Answer, MemoryJournal
from bitten.manager import FACTS, Manager
from bitten.model.facts import Alert, Close, Decision, Fill, Fire, Outcome, Refused, Signal, Unfilled

_FACT_NAMES: Final[dict[type, str]] = {
    Signal: "signal", Decision: "decision", Fire: "fire", Fill: "fill", Unfilled: "unfilled", Close: "close",
    Outcome: "outcome", Alert: "alert",
}  # fmt: skip


class Publisher:
    """Writes a fact to the journal, then tells whoever listens; a listener that raises is counted and stops nothing."""

    def __init__(self, journal: MemoryJournal, manager: Manager) -> None:
        self._journal = journal
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

    def decisions(self, signal: Signal, answers: Sequence[Answer]) -> None:
        """Every answer of the gate chain; the most frequent facts are made only where somebody listens."""
        if not self._listeners[Decision]:
            self._journal.decisions(signal.id, signal.time, answers)
            return
        for account, gate, reason, measured, limit, lots in answers:
            refusal = None if reason is None else Refused(gate, reason, measured, limit)
            self.publish(Decision(signal, account, gate, lots, measured, limit, refusal))

    def failed(self, plugin: str, name: str, error: BaseException) -> None:
        """The first failure of each listener becomes an alert, all are counted."""
        key = f"{plugin}.{name}"
        self.failures[key] = self.failures.get(key, 0) + 1
        if self.failures[key] == 1:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            text = f"tracker {key} raised {type(error).__name__}: {error} ({frame.filename}:{frame.lineno}); it goes on"
            self._journal.append(Alert(0, plugin, text))
