"""Where every fact goes: to the journal first, then to whoever listens."""

from __future__ import annotations

import traceback

from bitten.journal.memory import MemoryJournal
from bitten.manager import FACTS, Manager
from bitten.model.facts import Alert, Close, Decision, Fill, Fire, Outcome, Signal, Unfilled

_FACT_NAMES: dict[type, str] = {
    Signal: "signal", Decision: "decision", Fire: "fire", Fill: "fill", Unfilled: "unfilled", Close: "close",
    Outcome: "outcome", Alert: "alert",
}  # fmt: skip


class Publisher:
    """Writes a fact to the journal, then tells whoever listens; a listener that raises is counted and stops nothing."""

    def __init__(self, journal: MemoryJournal, manager: Manager) -> None:
        self._journal = journal
        self._listeners = {fact: manager.listeners(fact) for fact in FACTS}
        self.failures: dict[str, int] = {}

    def publish(self, fact: object) -> None:
        """One fact, in order."""
        self._journal.append(fact)
        name = _FACT_NAMES.get(type(fact), "")
        for plugin, listener in self._listeners.get(name, ()):
            try:
                listener(fact)
            except (Exception, SystemExit) as error:
                self.failed(plugin, f"bitten_{name}", error)

    def failed(self, plugin: str, name: str, error: BaseException) -> None:
        """The first failure of each listener becomes an alert, all are counted."""
        key = f"{plugin}.{name}"
        self.failures[key] = self.failures.get(key, 0) + 1
        if self.failures[key] == 1:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            text = f"tracker {key} raised {type(error).__name__}: {error} ({frame.filename}:{frame.lineno}); it goes on"
            self._journal.append(Alert(0, plugin, text))
