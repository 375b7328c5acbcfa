"""Law 6: a pattern, gate or tracker that raises, answers nonsense or NaN is contained; the run goes on and says so."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import numpy as np
import pytest

import bitten
from bitten.gate import Gate, Score, Shield, Situation, Verdict
from bitten.model.dtypes import SIGNAL
from bitten.pattern import Batch, Pattern
from tests.replay import replay, rows, settings, synthetic_slices


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fault: str = ""


class FaultyPattern(Pattern):
    """Gives a good signal on its fifth bar and something bad on its tenth."""

    Config = Nothing
    evidence = ("x",)
    seen = 0

    def scan(self, batch: Batch) -> Any:
        out = []
        for bar in batch.bars[self.context.timeframe]:
            self.seen += 1
            row = np.zeros((), SIGNAL)
            row["time"], row["anchor"], row["side"], row["confidence"] = bar["known"], bar["time"], 1, 50
            row["reference"], row["stop"], row["target"] = bar["close"], bar["close"] - 200, bar["close"] + 300
            if self.seen == 5:
                out.append(row)
            if self.seen == 10:
                if self.config.fault == "raise":
                    raise RuntimeError("broken detector")
                if self.config.fault == "type":
                    return 17
                if self.config.fault == "bars":
                    batch.bars[self.context.timeframe]["close"] += 500  # what every other pattern sees
                if self.config.fault == "exit":
                    sys.exit("a plugin that ends the process")
                for name, value in {"nan": ("confidence", np.nan), "side": ("side", 7), "stop": ("stop", -4),
                                    "future": ("time", 1 << 61), "evidence": ("evidence", np.inf)}.items():  # fmt: skip
                    if name == self.config.fault:
                        row[value[0]] = value[1]
                        out.append(row)
        return np.array(out, SIGNAL)


class FaultyGate(Gate):
    Config = Nothing

    def decide(self, situation: Situation) -> Any:
        yes = np.ones(len(situation.ledger.ids), np.bool_)
        answers = {
            "shape": Verdict(np.ones(99, np.bool_), 0.0, 0.0, ""),
            "dtype": Verdict(np.ones(yes.size), 0.0, 0.0, ""),  # type: ignore[arg-type]
            "none": None,
            "lots": Verdict(yes, 0.0, 0.0, "", np.full(yes.size, np.nan)),
            "negative": Verdict(yes, 0.0, 0.0, "", np.full(yes.size, -1.0)),
            "reason": Verdict(~yes, 0.0, 0.0, "{unknown}"),
            "words": Verdict(~yes, "wide", 0.0, ""),  # type: ignore[arg-type]
            "limit": Verdict(~yes, 0.0, [1.0] * 99, ""),  # type: ignore[arg-type]
        }
        if self.config.fault == "exit":
            sys.exit("a plugin that ends the process")
        if self.config.fault == "ledger":
            situation.ledger.balance *= 0.01
        if self.config.fault == "raise":
            raise RuntimeError("broken gate")
        return answers[self.config.fault]


class FaultyShield(Shield):
    Config = Nothing

    def score(self, signal: Any, market: Any) -> Score:
        if self.config.fault == "raise":
            raise RuntimeError("broken shield")
        answers = {"nan": Score(float("nan")), "veto": Score(5.0, veto=17), "other": 5.0}  # type: ignore[arg-type]
        return answers[self.config.fault]  # type: ignore[return-value]


class FaultyPlugin:
    @bitten.hookimpl
    def bitten_patterns(self) -> dict[str, Any]:
        return {"faulty": FaultyPattern}

    @bitten.hookimpl
    def bitten_gates(self) -> dict[str, Any]:
        return {"faulty": FaultyGate}

    @bitten.hookimpl
    def bitten_shields(self) -> dict[str, Any]:
        return {"faulty_shield": FaultyShield}


class FaultyTracker:
    calls = 0

    @bitten.hookimpl
    def bitten_signal(self, signal: Any) -> None:
        FaultyTracker.calls += 1
        raise RuntimeError("broken tracker")


def run(**sections: Any) -> tuple[dict, Any]:
    return replay(synthetic_slices(("EURUSD",)), settings(["EURUSD"], **sections), {"faulty": FaultyPlugin()})


GOOD = {"use": "bb_scalp", "timeframe": "M1"}


@pytest.mark.parametrize("fault", ["raise", "type", "bars", "exit", "nan", "side", "stop", "future", "evidence"])
def test_pattern(fault: str) -> None:
    sane, _ = run(patterns=[GOOD])
    tables, pipeline = run(patterns=[{"use": "faulty", "params": {"fault": fault}}, GOOD])
    others = [row for row in rows(tables, "signals") if row["pattern"] == "bb_scalp"]
    assert others == rows(sane, "signals")
    assert len(others) > 3
    own = [row for row in rows(tables, "signals") if row["pattern"] == "faulty"]
    assert len(own) == (
        0 if fault in ("raise", "type", "bars", "exit") else 1
    )  # a scan that dies takes its own slice with it
    alerts = pipeline.parts.journal.alerts
    assert len(alerts) == 1
    assert "faulty" in alerts[0].text + alerts[0].source


GATE_FAULTS = ["raise", "shape", "dtype", "none", "lots", "negative", "reason", "words", "limit", "exit"]


@pytest.mark.parametrize("fault", [*GATE_FAULTS, "ledger"])
def test_gate_refuses_when_it_fails(fault: str) -> None:
    tables, pipeline = run(gates=[{"use": "faulty", "fault": fault}, {"use": "risk"}])
    decisions = [row for row in rows(tables, "decisions") if row["gate"] != "expiry"]  # stale ones never reach a gate
    signals = {row["signal_id"] for row in decisions}
    assert tables["trades"].num_rows == 0
    assert len(decisions) == 2 * len(signals) > 0  # two accounts, the chain ends at the first refusal
    assert {row["verdict"] for row in decisions} == {"refused"}
    assert all("gate faulty failed, so it refuses" in row["reason"] for row in decisions)
    assert len(pipeline.parts.journal.alerts) == len(signals)


@pytest.mark.parametrize("fault", ["raise", "nan", "veto", "other"])
def test_shield_refuses_when_it_fails(fault: str) -> None:
    tables, _ = run(gates=[{"use": "faulty_shield", "fault": fault}, {"use": "risk"}])
    assert tables["trades"].num_rows == 0
    decisions = [row for row in rows(tables, "decisions") if row["gate"] != "expiry"]
    assert {(row["gate"], row["verdict"]) for row in decisions} == {("faulty_shield", "refused")}


def test_tracker_is_counted_and_stops_nothing() -> None:
    sane, _ = run()
    FaultyTracker.calls = 0
    plugins = {"faulty": FaultyPlugin(), "tracker": FaultyTracker()}
    tables, pipeline = replay(synthetic_slices(("EURUSD",)), settings(["EURUSD"]), plugins)
    for name in sane:
        assert rows(tables, name) == rows(sane, name)
    assert FaultyTracker.calls == tables["signals"].num_rows > 0
    assert pipeline.publisher.failures == {"tracker.bitten_signal": FaultyTracker.calls}
    assert len(pipeline.parts.journal.alerts) == 1
