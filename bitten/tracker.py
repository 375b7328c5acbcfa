"""What a tracker is: an object that hears facts. It implements any of the fact hooks of `bitten.hookspecs`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec


@dataclass(frozen=True, slots=True)
class TrackerContext:
    """Where a tracker works."""

    folder: Path  # the run folder as it is being written; a file put there is kept with the run


class Tracker:
    """Base of trackers. A fact hook that raises is logged and counted; it stops nothing."""

    Config: ClassVar[type[msgspec.Struct]]

    def __init__(self, config: Any, context: TrackerContext) -> None:
        self.config = config
        self.context = context

    def finish(self) -> None:
        """Called once after the last fact."""
