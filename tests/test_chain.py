"""The chain: shields among gates, sizes that shrink, parts that are told things, and decisions that are kept or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

import bitten
from bitten.backtesting import run_config
from bitten.config import read_config
from bitten.errors import BittenError
from bitten.gate import NEVER, Gate, Score, Shield, Situation, Verdict
from bitten.ledger import Ledger
from bitten.manager import Manager
from bitten.market import MarketView
from bitten.model.dtypes import NS_PER_MINUTE, Records
from bitten.model.facts import Outcome, Signal
from bitten.model.quotes import Quotes
from tests.markets import cut
from tests.replay import replay, rows, settings, synthetic_slices

HOUR = 60 * NS_PER_MINUTE


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scale: float = 1.0
    fail: str = ""


class Halves(Shield):
    """Scales, and puts another confidence in place of the signal's."""

    Config = Config

    def score(self, signal: Signal, market: MarketView) -> Score:
        return Score(7.0, self.config.scale, None, {"seen": 1.0}, 77.0)


class Notebook(Gate):
    """Writes down everything that it is told, and passes everything; what it knows decides the measured value."""

    Config = Config
    watches = True

    def __init__(self, config: Config, context: Any) -> None:
        super().__init__(config, context)
        self.closes: list[tuple[int, int]] = []
        self.won = 0
        self.hours = 0
        self.watched: list[tuple[int, list[float]]] = []
        self.first = 0

    def _fail(self, where: str) -> None:
        if self.config.fail == where:
            raise RuntimeError(f"broken {where}")

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        self._fail("observe")
        for bar in bars.get("M1", ()):
            self.closes.append((int(bar["known"]), int(bar["close"])))

    def learn(self, outcome: Outcome) -> None:
        self._fail("learn")
        self.won += outcome.reason == "target"

    def wake(self, after: int) -> int:
        return (after // HOUR + 1) * HOUR

    def mark(self, market: MarketView, ledger: Ledger) -> None:
        self._fail("mark")
        if market.now % HOUR == 0:
            self.hours += 1
        self.watched.append((market.now, np.round(ledger.equity(market), 6).tolist()))

    def decide(self, situation: Situation) -> Verdict:
        known = sum(time <= situation.time for time, _ in self.closes)
        measured = float(known + 100_000 * self.won + 1_000_000 * self.hours)
        return Verdict(np.ones(len(situation.ledger.ids), np.bool_), measured, 0.0, "")

    def tables(self) -> Mapping[str, pa.Table]:
        return (
            {"hours": pa.table({"woken": [self.hours]})} if self.config.fail != "tables" else {"trades": pa.table({})}
        )

    def notes(self) -> list[str]:
        return ["it writes"]


class Plugin:
    @bitten.hookimpl
    def bitten_gates(self) -> dict[str, Any]:
        return {"notebook": Notebook}

    @bitten.hookimpl
    def bitten_shields(self) -> dict[str, Any]:
        return {"halves": Halves}


def run(gates: list[dict[str, Any]], pieces: Any = None, **sections: Any) -> tuple[dict[str, Any], Any]:
    source = settings(["EURUSD"], gates=gates, **sections)
    return replay(pieces or synthetic_slices(("EURUSD",)), source, {"plugin": Plugin()})


BAND = {"use": "band", "low": 20.0}


def test_a_shield_before_sizing_scales_what_the_gate_sizes_and_after_it_what_was_sized() -> None:
    plain, _ = run([{"use": "fixed_lots", "lots": 0.4}])
    before, _ = run([{"use": "halves", "scale": 0.5}, {"use": "fixed_lots", "lots": 0.4}])
    after, _ = run([{"use": "fixed_lots", "lots": 0.4}, {"use": "halves", "scale": 0.3}])
    assert {row["lots"] for row in rows(plain, "fires")} == {0.4}
    assert {row["lots"] for row in rows(before, "fires")} == {0.2}
    assert {row["lots"] for row in rows(after, "fires")} == {0.12}
    resized = [row for row in rows(after, "decisions") if row["verdict"] == "resized"]
    assert {(row["gate"], row["reason"], row["lots"]) for row in resized} == {
        ("halves", "score 7.0: size times 0.3", 0.12)
    }


def test_gates_after_a_shield_see_its_confidence() -> None:
    tables, _ = run([{"use": "halves"}, {"use": "band", "low": 76.0}, {"use": "fixed_lots"}])
    band = [row for row in rows(tables, "decisions") if row["gate"] == "band"]
    assert {row["measured"] for row in band} == {77.0}
    scores = rows(tables, "scores")
    assert len(scores) == len({row["signal_id"] for row in scores}) > 10
    assert {(row["score"], row["confidence"], row["evidence"]) for row in scores} == {(7.0, 77.0, '{"seen":1.0}')}


CHAIN: list[dict[str, Any]] = [
    {"use": "kill_switch"}, {"use": "data_validity"}, {"use": "duplicate"}, {"use": "age_drift"},
    {"use": "spread", "atr": 0.3}, {"use": "band", "low": 45.0}, {"use": "citadel"},
    {"use": "band", "name": "again", "low": 50.0, "patterns": {"bb_scalp": (60.0, 100.0)}}, {"use": "price_collar"},
    {"use": "slots"}, {"use": "risk"},
]  # fmt: skip


@pytest.mark.parametrize("bands", [{}, {"band": [40.0, 90.0]}])
def test_what_gates_say_of_a_slice_at_once_is_what_they_say_one_by_one(
    bands: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [{"id": "one"}, {"id": "two", "currency": "EUR", **bands}, {"id": "three", "slots": 1}]
    found = {}
    for worthwhile in (1, 1 << 40):
        monkeypatch.setattr("bitten.chain._WORTHWHILE", worthwhile)
        found[worthwhile], _ = replay(synthetic_slices(), settings(gates=CHAIN, accounts=accounts))
    screened, asked = found.values()
    assert all(screened[name].equals(asked[name]) for name in screened)
    assert screened["signals"].num_rows > 50
    assert {row["gate"] for row in rows(screened, "decisions")} >= {step["use"] for step in CHAIN}


def test_a_shield_that_changes_the_confidence_overrules_what_was_said_at_once() -> None:
    gates = [BAND, {"use": "halves"}, {**BAND, "name": "after"}, {"use": "fixed_lots"}]
    tables, _ = run(gates)
    measured = [
        [row["measured"] for row in rows(tables, "decisions") if row["gate"] == gate] for gate in ("band", "after")
    ]
    assert len(set(measured[0])) > 4
    assert set(measured[1]) == {77.0}


def test_how_the_lots_came_about_is_kept_with_the_fire() -> None:
    tables, _ = run([BAND, {"use": "halves", "scale": 0.5}, {"use": "risk"}])
    fires = rows(tables, "fires")
    assert len(fires) > 5
    for row in fires:
        sizing = msgspec.json.decode(row["sizing"])
        money = sizing["equity"] * sizing["percent"] / 100 * sizing["scale"]
        assert sizing["risk_money"] == pytest.approx(money)
        assert sizing["exact_lots"] == pytest.approx(money / sizing["loss_per_lot"])
        assert 0 <= sizing["exact_lots"] - row["lots"] < 0.01
        assert row["risk"] == pytest.approx(row["lots"] * sizing["loss_per_lot"], abs=0.005)
        assert row["risk"] <= money + 0.005


def test_what_parts_are_told_does_not_depend_on_cuts() -> None:
    gates = [BAND, {"use": "notebook"}, {"use": "risk"}]
    whole, pipeline = run(gates)
    part = pipeline.chain.steps[1].part
    assert part.hours > 20
    assert part.won > 3
    assert len(part.watched) > part.hours
    for most in (5, 200):
        pieces = cut(list(synthetic_slices(("EURUSD",))), np.random.default_rng(most), most)
        shredded, other = run(gates, pieces)
        assert rows(shredded, "decisions") == rows(whole, "decisions")
        assert other.chain.steps[1].part.watched == part.watched


@pytest.mark.parametrize("fault", ["observe", "learn", "mark"])
def test_a_part_that_fails_while_it_is_told_something_refuses_from_then_on(fault: str) -> None:
    tables, pipeline = run([{"use": "notebook", "fail": fault}, {"use": "risk"}])
    assert len([alert for alert in pipeline.parts.journal.alerts if "refuses from here on" in alert.text]) == 1
    last = max(row["time"] for row in rows(tables, "decisions"))
    final = [row for row in rows(tables, "decisions") if row["time"] == last and row["gate"] != "expiry"]
    assert all(f"RuntimeError: broken {fault}" in row["reason"] for row in final if row["verdict"] == "refused")
    assert {row["verdict"] for row in final if row["gate"] == "notebook"} == {"refused"}


def test_only_refusals_are_kept_where_that_is_asked_for() -> None:
    every, _ = run([BAND, {"use": "risk"}])
    few, _ = run([BAND, {"use": "risk"}], run={"decisions": "refused"})
    refused = [row for row in rows(every, "decisions") if row["verdict"] != "passed"]
    assert rows(few, "decisions") == refused
    assert 0 < len(refused) < every["decisions"].num_rows
    assert rows(few, "trades") == rows(every, "trades")


def test_tables_and_notes_of_parts_reach_the_run_folder(tmp_path: Any) -> None:
    source = settings(["EURUSD"], gates=[{"use": "notebook"}, {"use": "risk"}])
    config, manager = read_config(source, Manager(extra={"plugin": Plugin()}))
    made = run_config(config, manager, output=tmp_path)
    assert made.table("hours")["woken"].to_pylist()[0] > 20
    assert "notebook: it writes" in made.manifest["notes"]
    with pytest.raises(BittenError, match='has no table "hour": did you mean "hours"'):
        made.table("hour")
    taken, manager = read_config(
        settings(["EURUSD"], gates=[{"use": "notebook", "fail": "tables"}, {"use": "risk"}]),
        Manager(extra={"plugin": Plugin()}),
    )
    other = run_config(taken, manager, output=tmp_path)
    assert other.manifest["failures"] == {"notebook.tables": 1}
    assert len(other.trades) > 5


def test_a_wake_that_does_not_lie_ahead_is_a_failure() -> None:
    class Stuck(Notebook):
        def wake(self, after: int) -> int:
            return after

    class Stuffed(Plugin):
        @bitten.hookimpl
        def bitten_gates(self) -> dict[str, Any]:
            return {"notebook": Stuck}

    source = settings(["EURUSD"], gates=[{"use": "notebook"}, {"use": "risk"}])
    tables, pipeline = replay(synthetic_slices(("EURUSD",)), source, {"plugin": Stuffed()})
    assert tables["trades"].num_rows == 0
    assert "must be a later instant" in pipeline.parts.journal.alerts[0].text
    assert pipeline.chain.next_wake == NEVER


class Odd(Gate):
    """Sizes, with an answer that is wrong in one way."""

    Config = Config
    sizes = True

    def decide(self, situation: Situation) -> Verdict:
        size = len(situation.ledger.ids)
        loss, working, reason, passed = np.full(size, 100.0), {}, "no", np.ones(size, np.bool_)
        wrong: dict[str, Any] = {"nan": np.nan, "inf": np.inf, "negative": -5.0}
        if self.config.fail in wrong:
            loss = np.full(size, wrong[self.config.fail])
        if self.config.fail == "working":
            working = {"a": None}
        if self.config.fail == "short":
            working = {"a": np.zeros(0)}
        if self.config.fail == "silent":
            passed, reason = ~passed, "  "
        return Verdict(passed, 1.0, 0.0, reason, np.full(size, 0.1), loss, working)  # type: ignore[arg-type]


class Silent(Shield):
    """Vetoes without a word."""

    Config = Config

    def score(self, signal: Signal, market: MarketView) -> Score:
        return Score(1.0, veto=" ")


class OddPlugin(Plugin):
    @bitten.hookimpl
    def bitten_gates(self) -> dict[str, Any]:
        return {"odd": Odd}

    @bitten.hookimpl
    def bitten_shields(self) -> dict[str, Any]:
        return {"silent": Silent, "halves": Halves}


@pytest.mark.parametrize("fault", ["nan", "inf", "negative", "working", "short", "silent"])
def test_an_answer_that_cannot_be_booked_refuses(fault: str) -> None:
    source = settings(["EURUSD"], gates=[{"use": "odd", "fail": fault}])
    tables, _ = replay(synthetic_slices(("EURUSD",)), source, {"plugin": OddPlugin()})
    decisions = [row for row in rows(tables, "decisions") if row["gate"] == "odd"]
    assert decisions and {row["verdict"] for row in decisions} == {"refused"}
    assert all(row["reason"].startswith("gate odd failed, so it refuses") for row in decisions)


def test_a_veto_without_a_reason_is_a_failure_and_says_so() -> None:
    source = settings(["EURUSD"], gates=[{"use": "silent"}, {"use": "risk"}])
    tables, _ = replay(synthetic_slices(("EURUSD",)), source, {"plugin": OddPlugin()})
    decisions = [row for row in rows(tables, "decisions") if row["gate"] == "silent"]
    assert {row["reason"] for row in decisions} == {
        "shield silent failed, so it refuses: ValueError: it vetoes without a reason"
    }


def test_no_shield_makes_an_order_larger_than_the_cap_or_than_it_was() -> None:
    tables, _ = run([{"use": "halves", "scale": 20.0}, {"use": "risk"}], accounts=[{"risk_percent": 4.0}])
    for row in rows(tables, "fires"):
        assert row["risk"] <= 0.05 * msgspec.json.decode(row["sizing"])["equity"] + 0.01
    after, _ = run([{"use": "fixed_lots", "lots": 0.4}, {"use": "halves", "scale": 3.0}])
    assert {row["lots"] for row in rows(after, "fires")} == {0.4}
