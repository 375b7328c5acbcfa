"""Order rate: per account, per system, and patterns that are stuck."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bitten.gate import Situation
from bitten.instants import instant
from bitten.ledger import Account, Ledger
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND
from tests.plugins.gates.made import ACCOUNTS, NOON, fire, gate, market, said, signal, situation

HOUR = 60 * NS_PER_MINUTE


def test_fires_of_an_account_within_an_hour() -> None:
    rate = gate("order_rate", fires_per_hour=2)
    facts = [fire(1, "large", time=NOON - HOUR + 1), fire(2, "large", time=NOON - 1), fire(3, "euro", time=NOON - 1)]
    verdict = rate.decide(situation(signal(), *facts))
    assert verdict.passed.tolist() == [True, False, True]
    assert said(verdict, 1) == "2 fires within an hour, limit is 2"
    assert rate.decide(situation(signal(), *facts, at=NOON + 1)).passed.all()  # the first is an hour old


def test_signals_of_the_system_within_a_minute() -> None:
    rate = gate("order_rate", signals_per_minute=3)
    facts = [fire(i, "large", signal(id=f"x{i}", pattern=f"p{i}"), time=NOON - i * NS_PER_SECOND) for i in (59, 30, 1)]
    verdict = rate.decide(situation(signal(), *facts))
    assert not verdict.passed.any()
    assert said(verdict) == "3 signals were fired within a minute, limit is 3"
    assert rate.decide(situation(signal(), *facts[1:])).passed.all()


class Stuck:
    """A pattern that fires again and again; every account that the gate lets through fires at once."""

    def __init__(self, gate: Any, accounts: int = 2) -> None:
        self.gate = gate
        self.ledger = Ledger([Account(f"a{i}") for i in range(accounts)])
        self.fired = 0
        self.reasons: list[str] = []

    def send(self, number: int, time: int, pattern: str = "stuck") -> bool:
        of = signal(id=f"{pattern}{number}", pattern=pattern, time=time)
        seen = situation(of, of_market=market(at=time), lots=[0.1] * len(self.ledger.ids), ledger=self.ledger)
        verdict = self.gate.decide(seen)
        if not verdict.passed.any():
            self.reasons.append(said(verdict))
            return False
        for row in verdict.passed.nonzero()[0].tolist():
            self.ledger.apply(fire(number * 10 + row, self.ledger.ids[row], of, time=time))
        self.fired += 1
        return True


def test_knight_replay_a_stuck_pattern_is_stopped_within_its_limit() -> None:
    """A thousand signals in 45 minutes; those of another pattern go on."""
    stuck = Stuck(gate("order_rate", fires_per_hour=0, signals_per_minute=0))
    step = 45 * NS_PER_MINUTE // 1000
    for i in range(1000):
        stuck.send(i, NOON + i * step)
    assert stuck.fired == 60
    assert stuck.reasons[-1] == (
        "stuck was switched off at 2024-04-09 12:02:42 UTC: 60 signals fired within an hour; "
        "a person has to let it fire again"
    )
    assert stuck.send(1001, NOON + HOUR, "other")
    assert not stuck.send(1002, NOON + 24 * HOUR)  # it does not come back by itself
    (row,) = stuck.gate.tables()["rate_stops"].to_pylist()
    assert (row["pattern"], row["event"], row["signals"], row["limit"]) == ("stuck", "off", 60, 60)


def test_at_the_limits_of_accounts_and_system_it_is_slowed_only() -> None:
    stuck = Stuck(gate("order_rate"))
    for i in range(1000):
        stuck.send(i, NOON + i * NS_PER_SECOND)
    assert stuck.fired == 20  # of each account, in 17 minutes
    assert set(stuck.reasons) == {"20 fires within an hour, limit is 20"}


def test_a_person_lets_a_pattern_fire_again(tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    tape.write_text("2024-04-09T12:10:00Z other no reason\n")
    limits = {"fires_per_hour": 0, "signals_per_minute": 0, "pattern_signals_per_hour": 3}
    again = [{"pattern": "stuck", "at": "2024-04-09T12:30:00"}]
    stuck = Stuck(gate("order_rate", tmp_path, reenable=again, file="tape", **limits))
    sent = [stuck.send(i, NOON + i * NS_PER_MINUTE) for i in range(50)]
    assert [i for i, one in enumerate(sent) if one] == [0, 1, 2, 30, 31, 32]
    tape.write_text("2024-04-09T13:00:00Z stuck looked at it\n")
    sent = [stuck.send(i, NOON + i * NS_PER_MINUTE) for i in range(50, 70)]
    assert [i for i, one in enumerate(sent, 50) if one] == [60, 61, 62]
    rows = stuck.gate.tables()["rate_stops"].to_pylist()
    assert [(row["event"], row["time"].isoformat()[11:16]) for row in rows] == [
        ("off", "12:03"), ("on", "12:30"), ("off", "12:33"), ("on", "13:00"), ("off", "13:03"),
    ]  # fmt: skip


def test_without_limits_everything_passes() -> None:
    rate = gate("order_rate", fires_per_hour=0, signals_per_minute=0, pattern_signals_per_hour=0)
    facts = [fire(i, "large", time=NOON - 1) for i in range(100)]
    seen: Situation = situation(signal(), *facts, accounts=ACCOUNTS)
    assert rate.decide(seen).passed.all()
    assert instant("2024-04-09T12:00:00") == seen.time


def test_a_signal_that_a_person_accepts_later_does_not_count_against_itself() -> None:
    rate = gate("order_rate", pattern_signals_per_hour=1, signals_per_minute=1)
    taken = fire(1, "small", signal())
    verdict = rate.decide(situation(signal(), taken, at=NOON + 10 * NS_PER_SECOND))
    assert verdict.passed.all()
    other = signal(id="s2")
    assert not rate.decide(situation(other, taken, at=NOON + 10 * NS_PER_SECOND)).passed.any()
