"""Laws 7 and 8: a fact is journalled before its effect leaves; every fire ends once, and holds its slot until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import bitten
from bitten.executor import Report
from bitten.model.facts import Fire
from bitten_brokers.simulated import SimulatedExecutor
from tests.replay import replay, rows, settings, synthetic_slices

LOG: list[tuple[str, Any]] = []


class WatchedExecutor(SimulatedExecutor):
    def place(self, fire: Fire) -> None:
        LOG.append(("placed", fire.id))
        super().place(fire)

    def advance(self, until: int) -> Sequence[Report]:
        reports = super().advance(until)
        LOG.extend(("happened", report.key) for report in reports)
        return reports


class Watcher:
    @bitten.hookimpl
    def bitten_executors(self) -> dict[str, Any]:
        return {"watched": WatchedExecutor}

    @bitten.hookimpl
    def bitten_fire(self, fire: Fire) -> None:
        LOG.append(("told", fire.id))


def test_fires_are_journalled_before_they_are_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    from bitten.journal.memory import MemoryJournal

    append = MemoryJournal.append

    def logged(self: MemoryJournal, fact: object) -> None:
        if isinstance(fact, Fire):
            LOG.append(("journalled", fact.id))
        append(self, fact)

    monkeypatch.setattr(MemoryJournal, "append", logged)
    LOG.clear()
    replay(synthetic_slices(), settings(executor={"use": "watched"}), {"watch": Watcher()})
    fires = [value for word, value in LOG if word == "placed"]
    assert len(fires) > 20
    for fire in fires:
        assert [word for word, value in LOG if value == fire] == ["journalled", "told", "placed"]


def test_every_fire_ends_once_and_slots_hold() -> None:
    tables, pipeline = replay(synthetic_slices(), settings())
    ended = [row["fire_id"] for row in rows(tables, "trades")]
    unfilled = [row for row in rows(tables, "decisions") if row["gate"] == "executor"]
    assert len(ended) == len(set(ended))
    assert len(ended) + len(unfilled) == pipeline._fires
    assert (pipeline.ledger.used == 0).all()
    for account, slots in (("main", 3), ("euro", 10)):
        trades = [row for row in rows(tables, "trades") if row["account"] == account]
        changes = sorted(
            [(row["open_time"].value, 1) for row in trades] + [(row["close_time"].value, -1) for row in trades]
        )
        held = most = 0
        for _, change in changes:
            held += change
            most = max(most, held)
        assert 1 < most <= slots
