import pytest

from bitten.analysis.accountgroups import account_groups, account_results, breach_figures, events
from bitten.analysis.curves import AccountFacts
from bitten.analysis.fates import signal_fates
from bitten.analysis.scores import label, score_figures
from tests.analysis.made_run import START, as_table, trades_table
from tests.analysis.made_signals import make_signals
from tests.analysis.test_performance import tables


def scored(*rows):
    columns = {name: [row[i] for row in rows] for i, name in enumerate(("signal_id", "shield", "score"))}
    return tables() | {"scores": as_table("scores", columns | {"time": [START] * len(rows)})}


def test_scores_are_rounded_counted_and_priced():
    given = scored(
        ("s0", "citadel", 7.5), ("s1", "citadel", 8.4), ("s2", "citadel", 7.49), ("s3", "citadel", 7.9),
        ("s4", "citadel", 1.0),
    )  # fmt: skip
    found = score_figures(given, signal_fates(given))["citadel"]
    assert [(row["score"], row["signals"], row["resolved"]) for row in found] == [(8, 3, 2), (7, 1, 1), (1, 1, 0)]
    # s0 made 2, s1 lost 1, s3 was cut off; s2 made 0
    assert [row["mean_r"] for row in found] == [0.5, 0.0, None]
    # 2 and -1: mean 0.5, deviation 2.1213, its error 1.5, t with one degree of freedom 12.706205
    assert found[0]["mean_r_high"] == pytest.approx(0.5 + 12.706205 * 1.5)
    assert found[1]["mean_r_low"] is None


def test_the_first_score_of_a_signal_counts():
    given = scored(("s0", "citadel", 9.0), ("s0", "citadel", 2.0), ("s1", "citadel", 4.0), ("gone", "citadel", 5.0),
                   ("s2", "citadel", 6.0))  # fmt: skip
    found = score_figures(given, signal_fates(given))["citadel"]
    assert [(row["score"], row["signals"]) for row in found] == [(9, 1), (6, 1), (4, 1)]


def test_a_shield_that_knows_no_more_than_two_scores_is_left_out():
    rows = [(f"s{i}", "citadel", 3.0 + i) for i in range(3)] + [
        (f"s{i}", "session", (1.0, 10.0)[i % 2]) for i in range(5)
    ]
    given = scored(*rows)
    assert list(score_figures(given, signal_fates(given))) == ["citadel"]
    assert score_figures({}, signal_fates({})) == {}


@pytest.mark.parametrize(
    ("score", "word"), [(10, "shielded"), (8, "shielded"), (7, "guarded"), (4, "exposed"), (3, "stand down")]
)
def test_scores_have_labels(score, word):
    assert label(score) == word


ACCOUNTS = [
    AccountFacts("a", "USD", 1_000.0, tier="scout"),
    AccountFacts("b", "USD", 1_000.0, tier="scout"),
    AccountFacts("c", "USD", 5_000.0, tier="commander", mode="manual"),
    AccountFacts("d", "USD", 2_000.0, tier="scout"),
]


def test_accounts_are_grouped_by_tier_and_mode():
    rows = [{"account": "a", "profit": 50.0}, {"account": "a", "profit": -20.0}, {"account": "c", "profit": -250.0},
            {"account": "d", "profit": -100.0}]  # fmt: skip
    given = {
        "trades": trades_table(rows),
        "breaches": make_signals(20, 20, 6000, accounts=("a", "c")).tables["breaches"],
    }
    scout, commander = account_groups(given, ACCOUNTS)
    assert (scout["tier"], scout["mode"], scout["accounts"], scout["traded"], scout["trades"]) == (
        "scout",
        "auto",
        3,
        2,
        3,
    )
    assert (scout["net"], scout["in_profit"], scout["breached"]) == (-70.0, 1, 0)
    assert (scout["best_account"], scout["worst_account"]) == ("a", "d")
    assert (scout["best_return"], scout["median_return"], scout["worst_return"]) == pytest.approx((0.03, 0.0, -0.05))
    assert (commander["accounts"], commander["breached"], commander["mean_return"]) == (1, 1, -0.05)
    assert account_results(given, ACCOUNTS).breaches.tolist() == [0, 0, 3, 0]


def test_breaches_are_told_by_rule_with_the_first():
    given = make_signals(20, 20, 6000).tables
    found = breach_figures(given)
    assert {rule: (facts["count"], facts["accounts"]) for rule, facts in found.items()} == {
        "daily": (2, 1),
        "total": (1, 1),
    }
    assert found["daily"]["first"] == "2024-01-03 08:20:00"
    assert found["daily"]["first_account"] == "main"
    assert breach_figures({}) == {}


def test_events_are_rows_with_times_as_text():
    given = make_signals(20, 20, 6000).tables
    assert events(given, "eliminations")[0] == {
        "time": "2024-01-03 16:40:00", "pattern": "liquidity_sweep", "symbol": None, "wins": 4, "resolved": 31,
        "upper": 0.289, "limit": 0.4,
    }  # fmt: skip
    assert events(given, "absent") == []
