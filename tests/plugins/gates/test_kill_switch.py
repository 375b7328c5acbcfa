"""The kill switch: three sources, the strictest holds, and a person's tape is read as it grows."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bitten.errors import DataError
from bitten.instants import instant
from bitten.rule import PASS, Rule
from tests.plugins.gates.made import NOON, gate, said, situation

TAPE = """\
# what the desk ordered
2014-05-02T12:00:00Z HALTED payrolls {in} half an hour
2014-05-02T13:00:00Z reducing

2014-05-02T14:00:00+00:00 RUNNING
"""


@pytest.mark.parametrize(("state", "passes"), [("running", True), ("reducing", False), ("halted", False)])
def test_the_configured_state(state: str, passes: bool) -> None:
    switch = gate("kill_switch", state=state)
    verdict = switch.decide(situation())
    assert verdict.passed.tolist() == [passes] * 3
    if not passes:
        assert said(verdict) == f"trading is {state.upper()} by configuration"
        assert switch.rule() is None


def test_only_a_switch_that_nobody_can_throw_is_no_rule_at_all(tmp_path: Path) -> None:
    (tmp_path / "tape").write_text("")
    assert gate("kill_switch").rule() == Rule(PASS)
    assert gate("kill_switch", tmp_path, file="tape").rule() is None
    assert gate("kill_switch", periods=[{"from": "2014-05-02", "to": "2014-05-03"}]).rule() is None


@pytest.mark.parametrize(
    ("time", "passes"),
    [("11:59:59.999999", True), ("12:00:00", False), ("12:59:59.999999", False), ("13:00:00", True)],
)
def test_a_period_holds_from_its_start_to_before_its_end(time: str, passes: bool) -> None:
    switch = gate("kill_switch", periods=[{"from": "2024-04-09T12:00:00", "to": "2024-04-09T13:00:00"}])
    at = instant(f"2024-04-09T{time}")
    verdict = switch.decide(situation(at=at))
    assert verdict.passed.tolist() == [passes] * 3
    assert passes or said(verdict) == "trading is HALTED from 2024-04-09 12:00:00 to 2024-04-09 13:00:00 UTC"


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("11:59:59", None),
        ("12:00:00", "trading is HALTED since 2014-05-02 12:00:00 UTC: payrolls {in} half an hour"),
        ("13:30:00", "trading is REDUCING since 2014-05-02 13:00:00 UTC"),
        ("14:00:00", None),
    ],
)
def test_the_last_command_of_a_tape_holds(tmp_path: Path, time: str, reason: str | None) -> None:
    (tmp_path / "tape").write_text(TAPE)
    verdict = gate("kill_switch", tmp_path, file="tape").decide(situation(at=instant(f"2014-05-02T{time}")))
    assert verdict.passed.all() == (reason is None)
    assert reason is None or said(verdict) == reason


def test_the_strictest_source_holds(tmp_path: Path) -> None:
    (tmp_path / "tape").write_text("2024-04-09T11:00:00Z RUNNING\n")
    drill = {"from": "2024-04-09T11:30:00", "to": "2024-04-09T12:30:00", "state": "reducing"}
    switch = gate("kill_switch", tmp_path, file="tape", periods=[drill])
    assert said(switch.decide(situation())).startswith("trading is REDUCING from")
    (tmp_path / "tape").write_text("2024-04-09T11:00:00Z RUNNING\n2024-04-09T11:45:00Z HALTED fire alarm\n")
    assert said(switch.decide(situation())) == "trading is HALTED since 2024-04-09 11:45:00 UTC: fire alarm"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("2014-05-02T12:00:00Z HALT", r':2: "HALT" is no command: did you mean "HALTED"\?'),
        ("yesterday HALTED", r':2: "yesterday" is no date'),
        ("2014-05-02T12:00:00Z", r':2: "" is no command: allowed are'),
    ],
)
def test_a_line_that_cannot_be_read(tmp_path: Path, line: str, complaint: str) -> None:
    tape = tmp_path / "tape"
    tape.write_text(f"2014-05-01T12:00:00Z RUNNING\n{line}\n")
    with pytest.raises(DataError, match=complaint):
        gate("kill_switch", tmp_path, file="tape")
    tape.write_text("")
    switch = gate("kill_switch", tmp_path, file="tape")
    tape.write_text(f"2014-05-01T12:00:00Z RUNNING\n{line}\n")
    with pytest.raises(DataError, match=complaint):  # later, too: the chain refuses
        switch.decide(situation())


def test_a_tape_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"tape cannot be read .*; an empty file is a tape without commands"):
        gate("kill_switch", tmp_path, file="tape")


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"state": "off"}, "Invalid enum value 'off'"),
        ({"periods": [{"from": "2014-05-03", "to": "2014-05-02"}]}, "from 2014-05-03 is not before to 2014-05-02"),
        ({"periods": [{"from": "soon", "to": "2014-05-02"}]}, 'from: "soon" is no date'),
    ],
)
def test_configurations_that_make_no_sense(config: dict, complaint: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        gate("kill_switch", **config)


def test_noon_is_what_the_other_tests_take_it_for() -> None:
    assert instant("2024-04-09T12:00:00Z") == NOON
