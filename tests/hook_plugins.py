"""Small plugins for the tests of the hooks: parts to offer, ears for every fact, a run under both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bitten import hookimpl
from bitten.backtesting import run_config
from bitten.barpattern import Bar, BarPattern, Proposal, Window
from bitten.config import read_config
from bitten.manager import FACTS, Manager
from bitten.run import Run


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class EveryTenth(BarPattern):
    """A signal on every tenth bar: buys and sells in turn, every seventh of them with its stop on the wrong side."""

    window = 2

    def start(self) -> None:
        self.bars = 0

    def on_bar(self, bar: Bar, window: Window) -> Proposal | None:
        self.bars += 1
        if self.bars % 10:
            return None
        number = self.bars // 10
        side, propose = (1, self.buy) if number % 2 else (-1, self.sell)
        wrong = -1 if number % 7 == 0 else 1
        stop = bar.close - side * wrong * 0.0006
        return propose(stop=stop, target=bar.close + side * 0.0009, confidence=60 + number % 30)


class Raises(EveryTenth):
    """Fails on its hundredth bar."""

    def on_bar(self, bar: Bar, window: Window) -> Proposal | None:
        if self.bars == 100:
            raise RuntimeError("the hundredth bar")
        return super().on_bar(bar, window)


@dataclass(eq=False)
class Offers:
    """A plugin that offers parts, by kind."""

    parts: Mapping[str, Mapping[str, object]]

    def _offer(self, kind: str) -> Mapping[str, object]:
        return self.parts.get(kind, {})

    @hookimpl
    def bitten_feeds(self) -> Mapping[str, object]:
        return self._offer("feeds")

    @hookimpl
    def bitten_importers(self) -> Mapping[str, object]:
        return self._offer("importers")

    @hookimpl
    def bitten_patterns(self) -> Mapping[str, object]:
        return {"every_tenth": EveryTenth, "raises": Raises}

    @hookimpl
    def bitten_shields(self) -> Mapping[str, object]:
        return self._offer("shields")

    @hookimpl
    def bitten_gates(self) -> Mapping[str, object]:
        return self._offer("gates")

    @hookimpl
    def bitten_executors(self) -> Mapping[str, object]:
        return self._offer("executors")

    @hookimpl
    def bitten_trackers(self) -> Mapping[str, object]:
        return self._offer("trackers")

    @hookimpl
    def bitten_commands(self) -> Mapping[str, object]:
        return self._offer("commands")


@dataclass(eq=False)
class Hears:
    """A plugin that remembers every fact it is told, in order."""

    facts: list[tuple[str, Any]] = field(default_factory=list)

    def of(self, name: str) -> list[Any]:
        return [fact for heard, fact in self.facts if heard == name]


def _hear(fact: str) -> Any:
    """A hook implementation whose argument has the fact's name, as pluggy wants it."""
    namespace: dict[str, Any] = {}
    exec(
        f"def bitten_{fact}(self, {fact}):\n    self.facts.append(({fact!r}, {fact}))\n    return 'ignored'", namespace
    )
    return hookimpl(namespace[f"bitten_{fact}"])


for _fact in FACTS:
    setattr(Hears, f"bitten_{_fact}", _hear(_fact))


def replay(folder: Path, plugins: Mapping[str, object], **sections: Any) -> Run:
    """Three days of a small synthetic market under the plugins."""
    settings = {
        "feed": {"use": "synthetic", "symbols": ["EURUSD"], "quotes_per_day": 20_000, "from": "2024-04-08",
                 "to": "2024-04-11"},
        "patterns": [{"use": "every_tenth"}],
        "gates": [{"use": "band", "low": 62}, {"use": "risk"}],
        **sections,
    }  # fmt: skip
    config, manager = read_config(settings, Manager(extra=plugins))
    return run_config(config, manager, output=folder / "runs")
