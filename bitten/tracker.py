"""What a tracker is, an object that hears facts, and the stretch of a run in which trackers listen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    from bitten.config import Config
    from bitten.manager import Manager
    from bitten.publisher import Publisher


@dataclass(frozen=True, slots=True)
class TrackerContext:
    """Where a tracker works."""

    folder: Path  # the run folder as it is being written; a file put there is kept with the run


class Tracker:
    """Base of trackers; a subclass implements any of the fact hooks of `bitten.hookspecs`.

    A fact hook that raises is logged and counted; it stops nothing.
    """

    Config: ClassVar[type[msgspec.Struct]]

    def __init__(self, config: Any, context: TrackerContext) -> None:
        self.config = config
        self.context = context

    def finish(self) -> None:
        """Called once after the last fact."""


class Listening:
    """The configured trackers of one run, registered for its duration."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._trackers: dict[str, Tracker] = {}
        self._publisher: Publisher | None = None

    def add(self, label: str, tracker: Tracker) -> None:
        """Register a tracker."""
        self._manager.register(tracker, label)
        self._trackers[label] = tracker

    def report_to(self, publisher: Publisher) -> None:
        """Where a failure to finish is counted."""
        self._publisher = publisher

    def close(self) -> None:
        """Finish and unregister all; one that fails to finish is counted and stops nothing."""
        for label, tracker in self._trackers.items():
            try:
                tracker.finish()
            except Exception as error:
                if self._publisher is not None:
                    self._publisher.failed(label, "finish", error)
            finally:
                self._manager.unregister(label)


@contextmanager
def trackers(config: Config, manager: Manager, folder: Path) -> Iterator[Listening]:
    """Make the configured trackers and let them listen while the block runs."""
    listening = Listening(manager)
    try:
        for part in config.trackers:
            listening.add(f"tracker {part.name}", part.entry.load()(part.config, TrackerContext(folder)))
        yield listening
    finally:
        listening.close()
