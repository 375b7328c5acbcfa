"""What gates were worth, against cases worked by hand."""

import pytest

import bitten
from bitten.analysis.attribution import attribution, sentence
from bitten.analysis.curves import AccountFacts
from bitten.analysis.fates import signal_fates
from tests.analysis.made_run import START, as_table
from tests.analysis.made_signals import CHAIN, make_signals

RICH = AccountFacts("rich", "USD", 10_000.0, stake=100.0)
POOR = AccountFacts("poor", "USD", 1_000.0, stake=20.0)

# signal: symbol, result, R
SIGNALS = {
    "s1": ("EURUSD", "stop", -1.0),
    "s2": ("EURUSD", "target", 2.0),
    "s3": ("XAUUSD", "stop", -1.0),
    "s4": ("XAUUSD", "target", 2.0),
    "s5": ("XAUUSD", "end", 1.7),  # cut off: a valuation, no result
    "s6": ("XAUUSD", "expired", None),  # never filled
}
# signal, account, gate, verdict
DECISIONS = [
    ("s1", "rich", "spread", "refused"), ("s1", "poor", "spread", "refused"),
    ("s2", "rich", "spread", "passed"), ("s2", "poor", "spread", "passed"),
    ("s2", "rich", "slots", "passed"), ("s2", "poor", "slots", "refused"),
    ("s3", "rich", "spread", "refused"), ("s3", "poor", "spread", "passed"), ("s3", "poor", "slots", "resized"),
    ("s4", "rich", "spread", "passed"), ("s4", "rich", "slots", "passed"), ("s4", "rich", "executor", "refused"),
    ("s5", "rich", "spread", "refused"), ("s6", "rich", "spread", "refused"),
]  # fmt: skip


def tables(decisions=DECISIONS, missions=None):
    given = {
        "signals": as_table(
            "signals",
            {
                "signal_id": list(SIGNALS),
                "time": [START] * len(SIGNALS),
                "symbol": [symbol for symbol, _, _ in SIGNALS.values()],
                "pattern": ["kal"] * len(SIGNALS),
            },
        ),
        "outcomes": as_table(
            "outcomes",
            {
                "signal_id": list(SIGNALS),
                "result": [result for _, result, _ in SIGNALS.values()],
                "r": [r for _, _, r in SIGNALS.values()],
            },
        ),
        "decisions": as_table(
            "decisions",
            {name: [row[i] for row in decisions] for i, name in enumerate(("signal_id", "account", "gate", "verdict"))},
        ),
    }
    if missions is not None:
        names = ("signal_id", "account", "answer")
        given["missions"] = as_table("missions", {name: [row[i] for row in missions] for i, name in enumerate(names)})
    return given


def worth(given=None, accounts=(RICH, POOR), chain=("spread", "slots")):
    given = tables() if given is None else given
    return attribution(given, signal_fates(given), accounts, chain)


def test_signals_count_once_and_accounts_each():
    refused = worth()["spread"]["refused"]
    # s1 to both accounts, s3 to the rich one, s5 and s6 to the rich one without a result
    assert {name: refused[name] for name in ("signals", "accounts", "resolved", "unresolved")} == {
        "signals": 4, "accounts": 5, "resolved": 2, "unresolved": 2,
    }  # fmt: skip
    assert refused["r"] == -2.0
    assert refused["money"] == -100.0 - 20.0 - 100.0


def test_a_signal_that_some_accounts_were_refused_stands_on_both_sides():
    passed = worth()["spread"]["passed"]
    # s2 by both, s3 by the poor one, s4 by the rich one: 2 - 1 + 2 R
    assert (passed["signals"], passed["accounts"], passed["r"]) == (3, 4, 3.0)
    assert passed["money"] == 2 * 120.0 - 20.0 + 200.0
    slots = worth()["slots"]
    assert (slots["refused"]["signals"], slots["refused"]["r"], slots["refused"]["money"]) == (1, 2.0, 40.0)
    assert (slots["passed"]["signals"], slots["passed"]["r"]) == (3, 3.0)  # a resized one passes


def test_the_interval_of_a_total_is_that_of_its_mean_times_its_number():
    # 2, -1, 2: mean 1, deviation sqrt(3), error of the mean 1, t with 2 degrees of freedom 4.302653
    passed = worth()["spread"]["passed"]
    assert (passed["mean_r"], passed["mean_r_low"], passed["mean_r_high"]) == pytest.approx((1.0, -3.302653, 5.302653))
    assert (passed["r_low"], passed["r_high"]) == pytest.approx((-9.907959, 15.907959))
    # money of each signal: 240, -20, 200; mean 140, deviation 140, error 80.829
    assert passed["money_low"] == pytest.approx(3 * (140 - 4.302653 * 140 / 3**0.5))


def test_outcomes_that_never_differed_and_single_ones_have_no_interval():
    refused = worth()["spread"]["refused"]
    assert (refused["mean_r"], refused["mean_r_low"], refused["mean_r_high"]) == (-1.0, None, None)
    assert worth()["slots"]["refused"]["r_low"] is None


def test_the_difference_is_what_passed_less_what_was_refused():
    spread = worth()["spread"]
    assert spread["difference"] == pytest.approx(1.0 - -1.0)
    # two that were refused and never differed bound nothing
    assert (spread["difference_low"], spread["difference_high"]) == (None, None)


def test_the_interval_of_a_difference_is_welchs():
    stats = pytest.importorskip("scipy.stats")
    made = make_signals(trades=150, refused=200, bars=6000)
    fates = signal_fates(made.tables)
    found = attribution(made.tables, fates, made.accounts, CHAIN)["band"]
    refused = {row["signal_id"] for row in made.tables["decisions"].to_pylist() if row["verdict"] == "refused"}
    by_band = {row["signal_id"] for row in made.tables["decisions"].to_pylist() if row["gate"] == "band"}
    stopped = {
        row["signal_id"]
        for row in made.tables["decisions"].to_pylist()
        if row["gate"] == "band" and row["verdict"] == "refused"
    }
    assert stopped < refused
    ids = fates.ids.to_pylist()
    groups = [[fates.r[i] for i, one in enumerate(ids) if one in chosen and fates.resolved[i]] for chosen in
              (by_band - stopped, stopped)]  # fmt: skip
    wanted = stats.ttest_ind(*groups, equal_var=False).confidence_interval(0.95)
    assert (found["difference_low"], found["difference_high"]) == pytest.approx((wanted.low, wanted.high), abs=2e-3)


def test_groups_add_up_to_the_whole():
    spread = worth()["spread"]
    by_symbol = {row["key"]: row for row in spread["by_symbol"]}
    assert list(by_symbol) == ["EURUSD", "XAUUSD"]
    assert by_symbol["EURUSD"]["refused"]["r"] == -1.0
    assert by_symbol["XAUUSD"]["refused"]["unresolved"] == 2
    for side in ("refused", "passed"):
        assert sum(row[side]["r"] for row in by_symbol.values()) == spread[side]["r"]
        assert [row[side]["signals"] for row in spread["by_pattern"]] == [spread[side]["signals"]]


def test_gates_stand_in_the_order_of_the_chain_and_orders_are_no_gate():
    assert list(worth()) == ["spread", "slots"]
    assert list(worth(chain=("slots", "spread"))) == ["slots", "spread"]
    assert list(worth(chain=())) == ["slots", "spread"]


@pytest.mark.parametrize(
    "accounts",
    [(RICH, AccountFacts("poor", "USD", 1_000.0)), (RICH, AccountFacts("poor", "EUR", 1_000.0, stake=20.0))],
)
def test_money_that_cannot_be_added_is_left_out(accounts):
    refused = worth(accounts=accounts)["spread"]["refused"]
    assert (refused["r"], refused["money"], refused["money_low"]) == (-2.0, None, None)


def test_what_passed_is_known_where_only_refusals_were_kept():
    missions = [(signal, account, "accepted") for signal, account in dict.fromkeys(row[:2] for row in DECISIONS)]
    missions += [("s4", "poor", "declined"), ("s5", "poor", "expired")]
    kept = [row for row in DECISIONS if row[3] == "refused"]
    whole, told = worth(), worth(tables(kept, missions))
    for gate in whole:
        assert told[gate] == whole[gate]


def test_refusals_alone_say_nothing_of_what_passed():
    kept = [row for row in DECISIONS if row[3] == "refused"]
    found = worth(tables(kept))["spread"]
    assert found["refused"]["r"] == -2.0
    assert (found["passed"]["signals"], found["passed"]["r"], found["difference"]) == (0, None, None)


def test_a_run_without_signals_or_decisions_has_nothing_to_tell():
    assert worth({}) == {}
    assert worth(tables([])) == {}


def test_the_worth_of_a_gate_reads_as_a_sentence():
    told = {"signals": 41, "r": -12.34, "r_low": -18.91, "r_high": -5.06, "unresolved": 0}
    assert sentence("spread", told) == "spread refused 41 signals worth −12.3 R (−18.9 … −5.1)"
    told |= {"r_low": None, "r_high": None, "unresolved": 2}
    assert sentence("spread", told) == "spread refused 41 signals worth −12.3 R, 2 of them unresolved"
    assert sentence("a", {"signals": 1, "r": None}) == "a refused 1 signal, none of which has a result in R"
    assert sentence("a", {"signals": 0, "r": None}) == "a refused 0 signals"


def test_every_pair_of_signal_and_account_is_refused_once_or_passes_all_gates():
    made = make_signals(trades=150, refused=200, bars=6000, accounts=("one", "two"))
    found = attribution(made.tables, signal_fates(made.tables), made.accounts, CHAIN)
    before = found[CHAIN[0]]["refused"]["accounts"] + found[CHAIN[0]]["passed"]["accounts"]
    for gate in CHAIN:
        refused, passed = found[gate]["refused"]["accounts"], found[gate]["passed"]["accounts"]
        assert refused + passed == before
        before = passed
    assert before == 2 * 150


def test_a_backtest_knows_what_passed_whether_it_keeps_all_decisions_or_only_refusals(tmp_path):
    gates = [{"use": "spread", "points": 12}, {"use": "band", "low": 30, "high": 70}, {"use": "slots"}, {"use": "risk"}]
    config = {
        "feed": {"use": "synthetic", "symbols": ["EURUSD", "XAUUSD"], "from": "2024-04-08", "to": "2024-04-10"},
        "patterns": [{"use": "bb_scalp", "timeframe": "M1"}, {"use": "kalman_quickfire", "timeframe": "M1"}],
        "gates": gates,
        "accounts": [{"id": "one", "slots": 1}, {"id": "two", "band": [0.0, 100.0], "risk_percent": 2.0}],
    }
    every = bitten.backtest(config, output=tmp_path, name="all")
    some = bitten.backtest({**config, "run": {"decisions": "refused"}}, output=tmp_path, name="refused")
    found, told = every.stats["attribution"], some.stats["attribution"]
    assert some.tables["decisions"].num_rows < every.tables["decisions"].num_rows
    assert told
    for gate in told:
        assert told[gate] == found[gate], gate
    # what the last gate let pass was fired, and the spread cost what it kept away
    assert found["risk"]["passed"]["accounts"] == every.tables["fires"].num_rows
    spread = found["spread"]["refused"]
    assert spread["r"] == pytest.approx(spread["resolved"] * spread["mean_r"])
    assert spread["money"] == pytest.approx(spread["r"] * (100.0 + 200.0))
    assert every.table("performance").num_rows > 0
