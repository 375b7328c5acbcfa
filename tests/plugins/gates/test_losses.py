"""Loss stop and rule packs on hand-made days: what is reached, when it is forgotten, and in whose currency."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from bitten.errors import BittenError
from bitten.instants import instant
from bitten.ledger import Ledger
from bitten.market import MarketView
from bitten.model.dtypes import NS_PER_MINUTE
from bitten_plugins.gates import prop_firm
from bitten_plugins.gates.news import Releases
from bitten_plugins.gates.resets import Resets
from tests.plugins.gates.made import ACCOUNTS, NOON, closed, filled, fire, gate, market, said, signal, situation


@pytest.mark.parametrize(
    ("time", "zone", "after", "expected"),
    [
        ("17:00", "America/New_York", "2024-04-09T12:00:00", "2024-04-09T21:00:00"),
        ("17:00", "America/New_York", "2024-04-09T21:00:00", "2024-04-10T21:00:00"),
        ("17:00", "America/New_York", "2024-03-09T23:00:00", "2024-03-10T21:00:00"),  # summer time has begun
        ("17:00", "America/New_York", "2024-11-02T23:00:00", "2024-11-03T22:00:00"),
        ("00:00", "Europe/Prague", "2024-04-09T21:59:59", "2024-04-09T22:00:00"),
        ("00:00", "NY+7", "2024-04-09T12:00:00", "2024-04-09T21:00:00"),
        ("23:30", "UTC", "2024-04-09T23:30:00", "2024-04-10T23:30:00"),
        ("00:30", "Pacific/Auckland", "2024-04-09T12:29:00", "2024-04-09T12:30:00"),
    ],
)
def test_resets(time: str, zone: str, after: str, expected: str) -> None:
    assert Resets(time, zone).next(instant(after)) == instant(expected)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"reset": "25:00"}, 'reset is "25:00": expected a time of day as "17:00"'),
        ({"zone": "Mars/Olympus"}, 'zone: clock "Mars/Olympus" is unknown'),
    ],
)
@pytest.mark.parametrize("name", ["loss_stop", "prop_firm"])
def test_resets_that_are_none(name: str, config: dict[str, Any], complaint: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        gate(name, **config)


class Story:
    """One gate, an account table, and what happens to it: money won and lost, instants that mark and wake."""

    def __init__(self, name: str, **config: Any) -> None:
        self.gate = gate(name, **config)
        self.ledger = Ledger(ACCOUNTS)
        self.number = 0
        self.wanted = self.gate.wake(NOON - 1)

    def profit(self, account: str, money: float, at: int) -> None:
        """A position closes, and equity is watched."""
        self.wake_until(at - 1)
        self.number += 1
        one = fire(self.number, account, time=at)
        for fact in (one, filled(one), closed(one, money, at)):
            self.ledger.apply(fact)
        self.mark(at)

    def mark(self, at: int, bid: int = 110_000) -> None:
        self.wake_until(at - 1, bid)
        self.gate.mark(MarketView(market(bid, at=at), at), self.ledger)
        self.wake_until(at, bid)

    def wake_until(self, at: int, bid: int = 110_000) -> None:
        while self.wanted <= at:
            self.gate.mark(MarketView(market(bid, at=self.wanted), self.wanted), self.ledger)
            self.wanted = self.gate.wake(self.wanted)

    def verdict(self, at: int, bid: int = 110_000) -> Any:
        self.wake_until(at, bid)
        return self.gate.decide(situation(signal(time=at), of_market=market(bid, at=at), ledger=self.ledger))

    def passed(self, at: int, bid: int = 110_000) -> list[int]:
        return [int(one) for one in self.verdict(at, bid).passed]


RESET = instant("2024-04-09T21:00:00")
NEXT = instant("2024-04-10T21:00:00")


@pytest.mark.parametrize(("lost", "passes"), [(-49.99, 1), (-50.0, 0), (-60.0, 0)])
def test_the_daily_stop_holds_until_the_reset(lost: float, passes: int) -> None:
    """Small has 1000 USD; 5 % are 50."""
    story = Story("loss_stop")
    story.profit("small", lost, NOON)
    assert story.passed(NOON + 1) == [passes, 1, 1]
    assert story.passed(RESET - 1) == [passes, 1, 1]
    assert story.passed(RESET) == [1, 1, 1]  # a new day, at its first instant
    if not passes:
        text = "equity had fallen {:.2f} %, trading stops at 5 %: 5 % of the day's start or 20 % of the peak"
        story = Story("loss_stop")
        story.profit("small", lost, NOON)
        assert said(story.verdict(NOON + 1)) == text.format(-lost / 10)


def test_a_day_that_recovers_stays_stopped() -> None:
    story = Story("loss_stop")
    story.profit("euro", -600.0, NOON)
    story.profit("euro", 600.0, NOON + 1)
    assert story.passed(NOON + 2) == [1, 1, 0]
    assert story.passed(RESET) == [1, 1, 1]


def test_open_positions_count_in_each_accounts_currency() -> None:
    """One lot bought at 1.10000: at 1.09400 it has lost 600 USD, of which the euro account owes 600 / 1.09400."""
    story = Story("loss_stop", daily_percent=5.0)
    one, two = fire(1, "euro", lots=1.0), fire(2, "large", lots=4.0)
    for fact in (one, filled(one), two, filled(two)):
        story.ledger.apply(fact)
    assert story.passed(NOON + 1, bid=109_400) == [1, 1, 0]
    np.testing.assert_allclose(story.verdict(NOON + 1, bid=109_400).measured, [0.0, 4.8, 600 / 1.094 / 100], rtol=1e-6)
    assert story.passed(NOON + 2, bid=109_900) == [1, 1, 1]  # a decision alone keeps nothing in mind
    story.mark(NOON + 3, bid=109_400)
    assert story.passed(NOON + 4, bid=109_900) == [1, 1, 0]


def test_the_drawdown_stop_holds_until_a_person_resumes() -> None:
    story = Story("loss_stop", daily_percent=0.0, resume=["2024-04-10T12:00:00"])
    story.profit("large", 10_000.0, NOON)  # a peak of 60000
    story.profit("large", -11_999.0, NOON + 1)
    assert story.passed(NOON + 2) == [1, 1, 1]
    story.profit("large", -1.0, NOON + 3)  # 20 % of it
    assert story.passed(NOON + 4) == [1, 0, 1]
    assert said(story.verdict(NOON + 4), 1) == "equity had fallen 20.00 %, trading stops at 20 %: 20 % of the peak"
    (note,) = story.gate.notes()
    assert note.startswith("drawdown of 20 % stopped large on 2024-")
    assert story.passed(RESET + 1) == [1, 0, 1]
    resumed = instant("2024-04-10T12:00:00")
    assert story.passed(resumed - 1) == [1, 0, 1]
    assert story.passed(resumed) == [1, 1, 1]
    story.profit("large", -9_600.0, resumed + 1)  # 20 % of the new peak of 48000
    assert story.passed(resumed + 2) == [1, 0, 1]


# -- rule packs ----------------------------------------------------------------------------------------------------


def run(config: dict[str, Any], steps: Sequence[tuple[int, float]]) -> tuple[Story, list[tuple[str, float]]]:
    """Profits of the large account (50000 USD) at instants; the breaches as (rule, measured)."""
    story = Story("prop_firm", **config)
    for at, money in steps:
        story.profit("large", money, at)
    story.verdict(steps[-1][0] + 1)
    rows = story.gate.tables()["breaches"].to_pylist()
    return story, [(row["rule"], row["measured"]) for row in rows]


TRAILING = {"daily_percent": 0.0, "trailing": "always"}
AT_RESETS = {"daily_percent": 0.0, "trailing": "daily"}
PACKS: list[tuple[dict[str, Any], list[tuple[int, float]], list[tuple[str, float]], list[int]]] = [
    # the day's loss: of the initial balance, or of the day's start
    ({}, [(NOON, -2_499.0)], [], [1, 1, 1]),
    ({}, [(NOON, -2_500.0)], [("daily", 5.0)], [1, 0, 1]),
    ({}, [(NOON, 10_000.0), (NOON + 1, -2_499.0)], [], [1, 1, 1]),  # from the start of the day it has won
    ({}, [(NOON, 10_000.0), (RESET + 1, -2_500.0)], [("daily", 5.0)], [1, 0, 1]),
    ({"daily_of": "start"}, [(NOON, 10_000.0), (RESET + 1, -2_500.0)], [], [1, 1, 1]),
    ({"daily_of": "start"}, [(NOON, 10_000.0), (RESET + 1, -3_000.0)], [("daily", 5.0)], [1, 0, 1]),
    ({}, [(NOON, -2_600.0), (RESET + 1, -100.0)], [("daily", 5.2)], [1, 1, 1]),  # forgotten
    # the whole loss: fixed, trailing, locked
    ({}, [(NOON, -2_400.0), (RESET + 1, -2_400.0)], [], [1, 1, 1]),
    ({}, [(NOON, -2_400.0), (RESET + 1, -2_400.0), (NEXT + 1, -200.0)], [("total", 10.0)], [1, 0, 1]),
    ({"daily_percent": 0.0}, [(NOON, 3_000.0), (NOON + 1, -7_999.0)], [], [1, 1, 1]),
    (TRAILING, [(NOON, 3_000.0), (NOON + 1, -5_000.0)], [("total", 10.0)], [1, 0, 1]),
    (TRAILING, [(NOON, 9_000.0), (NOON + 1, -8_999.0)], [], [1, 1, 1]),
    (TRAILING, [(NOON, 9_000.0), (NOON + 1, -9_000.0)], [("total", 10.0)], [1, 0, 1]),
    ({**TRAILING, "trailing_lock": False}, [(NOON, 9_000.0), (NOON + 1, -5_000.0)],
     [("total", 10.0)], [1, 0, 1]),
    (AT_RESETS, [(NOON, 3_000.0), (NOON + 1, -7_000.0)], [], [1, 1, 1]),
    (AT_RESETS, [(NOON, 3_000.0), (RESET + 1, -5_000.0)], [("total", 10.0)], [1, 0, 1]),
    ({"total_percent": 0.0}, [(NOON, -2_400.0), (RESET + 1, -2_400.0), (NEXT + 1, -2_400.0)], [], [1, 1, 1]),
]  # fmt: skip


@pytest.mark.parametrize(("config", "steps", "breaches", "passed"), PACKS)
def test_rule_packs(config: Any, steps: Any, breaches: Any, passed: list[int]) -> None:
    story, found = run(config, steps)
    assert found == breaches
    assert story.passed(steps[-1][0] + 2) == passed


def test_the_total_rule_is_for_good_the_daily_one_until_the_reset() -> None:
    story, _ = run({}, [(NOON, -2_500.0)])
    assert story.passed(RESET) == [1, 1, 1]
    story, breaches = run({}, [(NOON, -5_500.0), (NOON + 1, 5_500.0)])
    assert breaches == [("daily", 11.0), ("total", 11.0)]
    assert story.passed(NEXT + 1) == [1, 0, 1]
    (row, _) = story.gate.tables()["breaches"].to_pylist()
    assert (row["account"], row["limit"], row["equity"], row["gate"]) == ("large", 5.0, 44_500.0, "prop_firm")
    assert said(story.verdict(NEXT + 1), 1) == "lost 11.00 %, the limit is 10 % (5 % a day, 10 % in all)"


@pytest.mark.parametrize(("watched", "passed"), [("equity", [1, 1, 0]), ("balance", [1, 1, 1])])
def test_equity_or_balance_is_watched(watched: str, passed: list[int]) -> None:
    story = Story("prop_firm", daily_on=watched, total_on=watched)
    one = fire(1, "euro", lots=1.0)
    story.ledger.apply(one)
    story.ledger.apply(filled(one))
    story.mark(NOON + 1, bid=109_400)
    assert story.passed(NOON + 2) == passed


@pytest.mark.parametrize(("figure", "limit"), [("balance", 9_500.0), ("equity", 9_000.0), ("higher", 9_500.0)])
def test_the_figure_that_a_day_is_measured_from(figure: str, limit: float) -> None:
    """At the reset a position is 500 EUR down; from then on 5 % of 10000 may be lost."""
    story = Story("prop_firm", daily_from=figure, total_percent=0.0)
    one = fire(1, "euro", lots=1.0)
    story.ledger.apply(one)
    story.ledger.apply(filled(one))
    bid = 109_453  # 547 USD are 499.76 EUR
    story.mark(RESET, bid)
    assert story.passed(RESET + 1, bid) == [1, 1, 1]
    down = 109_000  # 917.43 EUR down in all
    assert story.passed(RESET + 2, down) == [1, 1, int(limit < 10_000 - 917.43)]


def test_consistency_is_reported_and_refuses_nothing() -> None:
    story, breaches = run({"consistency_percent": 40.0}, [(NOON, 600.0), (RESET + 1, 500.0), (NEXT + 1, 300.0)])
    assert breaches == []
    assert story.passed(NEXT + 2) == [1, 1, 1]
    rows = {row["account"]: row for row in story.gate.tables()["consistency"].to_pylist()}
    large = rows["large"]
    assert (large["best_day"], large["profit"], large["kept"]) == (600.0, 1_400.0, False)
    assert large["share"] == pytest.approx(42.857, abs=1e-3)
    assert (rows["small"]["share"], rows["small"]["kept"]) == (None, True)
    assert "consistency" not in Story("prop_firm").gate.tables()


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        (-2.001, None),
        (-2.0, "it is 2.0 minutes before a high-impact release, none within 2"),
        (0.0, "it is 0.0 minutes after a high-impact release, none within 5"),
        (5.0, "it is 5.0 minutes after a high-impact release, none within 5"),
        (5.001, None),
    ],
)
def test_the_news_window(minutes: float, reason: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    releases = Releases([(NOON, "USD"), (NOON - 7 * 60 * NS_PER_MINUTE, "EUR"), (NOON + NS_PER_MINUTE, "JPY")])
    monkeypatch.setattr(prop_firm, "read_releases", lambda path: releases)
    firm = gate("prop_firm", calendar="calendar.csv", news_before_minutes=2, news_after_minutes=5)
    at = NOON + round(minutes * NS_PER_MINUTE)
    verdict = firm.decide(situation(signal(time=at), of_market=market(at=at)))
    assert verdict.passed.all() == (reason is None)
    assert reason is None or said(verdict) == reason


def test_a_news_window_is_not_silently_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(msgspec.ValidationError, match="a news window needs a calendar"):
        gate("prop_firm", news_before_minutes=2)
    with pytest.raises(BittenError, match="calendar"):
        gate("prop_firm", calendar="no-such-calendar.parquet", news_before_minutes=2)


def test_only_releases_of_high_impact_count(monkeypatch: pytest.MonkeyPatch) -> None:
    event = namedtuple("event", "time currency impact")
    events = [event(NOON, "USD", "low"), event(NOON + 60 * NS_PER_MINUTE, "ALL", "high")]
    monkeypatch.setattr("bitten_plugins.gates.news.read_events", lambda path: events)
    firm = gate("prop_firm", calendar="calendar.parquet", news_before_minutes=2)
    assert firm.decide(situation()).passed.all()
    at = NOON + 59 * NS_PER_MINUTE
    assert not firm.decide(situation(signal(time=at), of_market=market(at=at))).passed.any()


def test_a_pack_says_how_finely_it_watches() -> None:
    (note,) = gate("prop_firm").notes()
    assert "run.equity_minutes" in note
    assert "every close" in note
