"""Missions: offered, accepted, declined, expired or open; what a person accepts is decided as things are then."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import bitten
from bitten.config import read_config
from bitten.errors import ConfigError
from bitten.manifest import _nobody
from bitten.missions import Always, Desk, Nobody, Scripted
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND
from bitten.model.facts import Mission
from tests.plugins.gates.test_gates import signal
from tests.replay import replay, rows, settings, synthetic_slices

TWO = [{"id": "machine"}, {"id": "person", "mode": "manual"}]


def played(**sections: Any) -> dict[str, list[dict[str, Any]]]:
    tables, _ = replay(synthetic_slices(("EURUSD",)), settings(["EURUSD"], **sections))
    return {name: rows(tables, name) for name in tables}


def mission(number: int, time: int = 0, expiry: int = 10, account: str = "person") -> Mission:
    return Mission(f"s{number}@{account}", signal(id=f"s{number}"), account, "manual", time, expiry)


def test_a_person_who_never_answers_lets_every_mission_expire() -> None:
    tables = played(accounts=TWO)
    manual = [row for row in tables["missions"] if row["mode"] == "manual"]
    assert len(manual) == len(tables["signals"]) > 20
    assert {row["answer"] for row in manual} <= {"expired", "open"}
    assert {row["account"] for row in tables["fires"]} == {"machine"}
    assert {row["account"] for row in tables["decisions"]} == {"machine"}


def test_a_person_who_accepts_is_decided_at_that_time() -> None:
    tables = played(accounts=TWO, missions={"human": "always", "after_seconds": 20.0})
    accepted = [row for row in tables["missions"] if row["mode"] == "manual" and row["answer"] == "accepted"]
    assert {(row["answered"] - row["offered"]).total_seconds() for row in accepted} == {20.0}
    times = {row["signal_id"]: row["answered"] for row in accepted}
    decided = [row for row in tables["decisions"] if row["account"] == "person" and row["gate"] != "executor"]
    assert decided
    assert all(row["time"] == times[row["signal_id"]] for row in decided)
    fires = {row["fire_id"]: row["time"] for row in tables["fires"] if row["account"] == "person"}
    trades = [row for row in tables["trades"] if row["account"] == "person"]
    assert len(trades) > 3
    assert all(row["open_time"] > fires[row["fire_id"]] for row in trades)


def test_every_mission_ends_once_and_a_signal_that_is_over_expires() -> None:
    tables = played(
        accounts=TWO,
        missions={"human": "always", "after_seconds": 300.0, "life_minutes": 600.0},
        patterns=[{"use": "bb_scalp", "exit": {"expiry_minutes": 0}}],
    )
    assert Counter(row["mission_id"] for row in tables["missions"]).most_common(1)[0][1] == 1
    assert len(tables["missions"]) == 2 * len(tables["signals"])
    over = {row["signal_id"]: row["close_time"] for row in tables["outcomes"]}
    manual = [row for row in tables["missions"] if row["mode"] == "manual" and row["answered"] is not None]
    late = [row for row in manual if over[row["signal_id"]] <= row["answered"]]
    assert {row["answer"] for row in late} == {"expired"}
    assert {row["answer"] for row in manual} == {"accepted", "expired"}


def test_a_file_of_answers(tmp_path: Path) -> None:
    found = played(accounts=TWO)["signals"]
    path = tmp_path / "answers.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["signal_id", "account", "answer", "after_seconds"])
        for i, row in enumerate(found[:12]):
            writer.writerow([row["signal_id"], "person", "accept" if i % 3 else "decline", 5])
    tables = played(accounts=TWO, missions={"human": "file", "answers": str(path)})
    answers = [row["answer"] for row in tables["missions"] if row["mode"] == "manual"]
    assert 0 < Counter(answers)["declined"] <= 4
    assert 4 < Counter(answers)["accepted"] <= 8
    assert Counter(answers)["declined"] + Counter(answers)["accepted"] >= 10  # some were stale when they were offered


def test_answers_to_which_no_mission_came_are_told(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    found = played(accounts=TWO)["signals"][0]["signal_id"]
    keys = [(found, "person"), (found, "nobody"), *((f"odd{i}", "person") for i in range(3))]
    lines = [f"{signal},{account},accept,5" for signal, account in keys]
    path.write_text("\n".join(["signal_id,account,answer,after_seconds", *lines]))
    source = settings(["EURUSD"], accounts=TWO, missions={"human": "file", "answers": str(path)})
    run = bitten.backtest(source, output=tmp_path)
    (note,) = [text for text in run.manifest["notes"] if "answers.csv" in text]
    assert note == (
        f"answers.csv: no mission came for 4 of its 5 answers: {found}@nobody, odd0@person, odd1@person and 1 more"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("signal_id,account,answer\n", r":1: lacks the column time or after_seconds"),
        ("signal,account,answer,time\n", r':1: unknown column "signal": did you mean "signal_id"\?'),
        ("signal_id,account,answer,time\ns1,p,yes,2024-01-01\n", r':2: answer is "yes": expected accept or decline'),
        ("signal_id,account,answer,time\ns1,p,accept,soon\n", r':2: "soon" is no date'),
        ("signal_id,account,answer,after_seconds\ns1,p,accept,-4\n", r':2: after_seconds is "-4": expected seconds'),
        ("signal_id,account,answer,after_seconds\ns1,,accept,4\n", r":2: an answer needs a signal_id and an account"),
        ("signal_id,account,answer,after_seconds\ns,p,accept,4\ns,p,decline,9\n", r":3: a second answer of p to s"),
    ],
)
def test_mistakes_in_a_file_of_answers(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(Exception, match=problem):
        Scripted(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("missions", "problem"),
    [
        ({"human": "file"}, 'missions.human is "file": name the file'),
        ({"answers": "x.csv"}, 'set human = "file"'),
        ({"human": "file", "answers": "absent.csv"}, "absent.csv cannot be read"),
        ({"human": "sometimes"}, "missions.human is 'sometimes': expected one of"),
    ],
)
def test_mistakes_in_the_section(missions: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_config(settings(missions=missions))


def test_the_desk_hands_out_answers_by_time_and_signal() -> None:
    desk = Desk(Always(3 * NS_PER_SECOND), 1.0)
    for number, account in ((1, "a"), (1, "b"), (2, "a")):
        desk.offer(mission(number, expiry=NS_PER_MINUTE, account=account))
    assert desk.next_due() == 3 * NS_PER_SECOND
    assert [answer.mission.account for answer in desk.due()] == ["a", "b"]
    assert [answer.mission.signal.id for answer in desk.due()] == ["s2"]
    assert desk.next_due() is None


def test_an_answer_after_the_expiry_comes_too_late() -> None:
    desk = Desk(Always(11), 1.0)
    desk.offer(mission(1))
    assert [(answer.answer, answer.time) for answer in desk.due()] == [("expired", 10)]


def test_a_mission_lives_as_long_as_its_signal_but_no_longer_than_configured() -> None:
    desk = Desk(Nobody(), 2.0)
    assert desk.expiry(signal(time=5)) == 5 + 2 * NS_PER_MINUTE
    assert desk.expiry(signal(time=5, expiry=77)) == 77
    assert desk.expiry(signal(time=5, expiry=5 + 3 * NS_PER_MINUTE)) == 5 + 2 * NS_PER_MINUTE
    desk.offer(mission(1))
    desk.offer(mission(2))
    desk.over("s2")
    assert [answer.answer for answer in desk.unanswered(8)] == ["open", "expired"]


def test_a_run_in_which_nobody_answers_says_so() -> None:
    config, _ = read_config(settings(["EURUSD"], accounts=[{"id": "eva", "mode": "manual"}]))
    assert _nobody(config) == [
        'Account eva is MANUAL and nobody answers: set human = "always" or "file" under [missions].'
    ]
    answered, _ = read_config(settings(["EURUSD"], accounts=[{"mode": "manual"}], missions={"human": "always"}))
    assert _nobody(answered) == []
