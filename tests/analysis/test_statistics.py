import json
import math
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.analysis.breakdown import BREAKDOWNS
from bitten.analysis.curves import AccountFacts, Curve, thin, total_curve
from bitten.analysis.figures import FIGURES
from bitten.analysis.measures import NS_PER_DAY
from bitten.analysis.statistics import key_figures, summarise
from bitten.errors import DataError
from bitten.journal.schema import TABLES
from tests.analysis.made_run import START, as_table, equity_table, make_run, trades_table

MINUTE = 60 * 10**9
MAIN = AccountFacts("main", "USD", 10_000.0)


def summary_of(rows: list[dict], accounts=(MAIN,), **tables) -> dict:
    return summarise({"trades": trades_table(rows), **tables}, accounts)


def numbers(value) -> list:
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in numbers(inner)]
    return [value] if isinstance(value, float) else []


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "profit": st.floats(-500, 500).map(lambda x: round(x, 2)),
            "open_price": st.floats(1.0, 1.2).map(lambda x: round(x, 5)),
            "close_price": st.floats(1.0, 1.2).map(lambda x: round(x, 5)),
            "stop": st.none() | st.floats(1.0, 1.2).map(lambda x: round(x, 5)),
            "side": st.sampled_from(["buy", "sell"]),
            "symbol": st.sampled_from(["EURUSD", "XAUUSD"]),
            "pattern": st.sampled_from(["kal", "bb"]),
            "account": st.sampled_from(["main", "other"]),
            "open_time": st.integers(0, 10**6).map(lambda x: START + x * MINUTE),
            "close_reason": st.sampled_from(["stop", "target", "end"]),
        }
    ),
    max_size=40,
)


@settings(deadline=None)
@given(ROWS, st.sampled_from(["USD", "EUR"]))
def test_invariants(rows, other_currency):
    for row in rows:
        row["close_time"] = row["open_time"] + 7 * MINUTE
    accounts = [MAIN, AccountFacts("other", other_currency, 5000.0)]
    times = [START + k * NS_PER_DAY for k in range(4)]
    equity = equity_table(times, [10_000.0, 9_000.0, 0.0, -5.0])
    summary = summary_of(rows, accounts, equity=equity)
    json.dumps(summary, allow_nan=False)
    assert all(math.isfinite(number) for number in numbers(summary))
    results = summary["wins"] + summary["losses"] + summary["flat"]
    assert results + summary["open_at_end"] == summary["trades"] == len(rows)
    assert summary["longest_losing_streak"] <= summary["losses"]
    for name in BREAKDOWNS:
        assert sum(group["trades"] for group in summary["breakdowns"][name]) == len(rows)
        assert sum(group["wins"] for group in summary["breakdowns"][name]) == summary["wins"]
    per_account = summary["accounts"]
    assert sum(figures["trades"] for figures in per_account.values()) == len(rows)
    if other_currency == "USD":
        assert summary["net"] == pytest.approx(sum(row["profit"] for row in rows), abs=1e-6)
        assert summary["net"] == pytest.approx(sum(figures["net"] for figures in per_account.values()), abs=1e-6)
    else:
        assert summary["net"] is None
        assert summary["return"] is None


def test_money_of_different_currencies_is_not_added_but_accounts_keep_theirs():
    rows = [{"profit": 5.0}, {"profit": 7.0, "account": "other"}]
    summary = summary_of(rows, [MAIN, AccountFacts("other", "JPY", 100.0)])
    assert (summary["currency"], summary["net"], summary["profit_factor"], summary["best_trade"]) == (None,) * 4
    assert summary["trades"] == 2
    assert summary["accounts"]["other"]["net"] == 7.0
    assert [row["net"] for row in summary["breakdowns"]["account"]] == [5.0, 7.0]
    assert [row["net"] for row in summary["breakdowns"]["pattern"]] == [None]


def test_an_empty_run_has_no_made_up_figures():
    summary = summarise({name: schema.empty_table() for name, schema in TABLES.items()}, [MAIN])
    assert (summary["trades"], summary["net"], summary["signals"]) == (0, 0.0, 0)
    for key in ("win_rate", "profit_factor", "expectancy", "expectancy_r", "sharpe", "max_drawdown", "return", "sqn"):
        assert summary[key] is None
    assert all(rows == [] for rows in summary["breakdowns"].values())


def test_missing_tables_count_as_empty():
    full = summarise({name: schema.empty_table() for name, schema in TABLES.items()}, [MAIN])
    assert summarise({}, [MAIN]) == full


def test_one_trade():
    row = {"open_price": 1.1, "stop": 1.099, "close_price": 1.102, "profit": 20.0, "gross": 21.0, "commission": -1.0}
    times = [START, START + NS_PER_DAY]
    summary = summary_of([row], equity=equity_table(times, [10_000.0, 10_020.0]))
    assert (summary["trades"], summary["win_rate"], summary["net"], summary["gross"]) == (1, 1.0, 20.0, 21.0)
    assert summary["expectancy_r"] == pytest.approx(2.0)
    assert (summary["profit_factor"], summary["sqn"]) == (None, None)
    assert summary["return"] == pytest.approx(0.002)
    assert summary["max_drawdown"] == 0.0
    assert summary["calmar"] is None  # growth over no drawdown
    assert summary["best_trade_id"] == summary["worst_trade_id"] == "f0"


def test_what_the_end_of_the_data_closed_is_money_but_no_result():
    stop = {"open_price": 1.1, "stop": 1.099}
    rows = [
        {**stop, "close_price": 1.102, "profit": 20.0, "close_reason": "target"},
        {**stop, "close_price": 1.099, "profit": -10.0, "close_reason": "stop"},
        {**stop, "close_price": 1.0995, "profit": -5.0, "close_reason": "end"},
        {**stop, "close_price": 1.1005, "profit": 6.0, "close_reason": "end", "symbol": "USDJPY"},
    ]
    summary, without = summary_of(rows), summary_of(rows[:2])
    resolved = ("wins", "losses", "flat", "win_rate", "win_rate_low", "win_rate_high", "longest_losing_streak")
    for key in (*resolved, "expectancy_r", "trades_with_r", "sqn"):
        assert summary[key] == without[key], key
    assert (summary["trades"], summary["open_at_end"], without["open_at_end"]) == (4, 2, 0)
    assert (summary["net"], summary["expectancy"], summary["profit_factor"]) == (11.0, 2.75, pytest.approx(26 / 15))
    ended = {row["key"]: row for row in summary["breakdowns"]["close_reason"]}["end"]
    assert (ended["trades"], ended["wins"], ended["win_rate"], ended["expectancy_r"]) == (2, 0, None, None)
    assert ended["net"] == 1.0


def test_equity_that_does_not_move_has_no_sharpe():
    times = [START + k * NS_PER_DAY for k in range(9)]
    summary = summary_of([], equity=equity_table(times, [10_000.0] * 9))
    assert (summary["sharpe"], summary["sortino"], summary["volatility"]) == (None, None, None)
    assert (summary["max_drawdown"], summary["return"]) == (0.0, 0.0)
    assert summary["trading_days"] == 9


@pytest.mark.parametrize(
    ("side", "entry", "stop", "close", "expected"),
    [
        ("buy", 1.1, 1.099, 1.1025, 2.5),
        ("buy", 1.1, 1.099, 1.0989, -1.1),
        ("sell", 1.1, 1.102, 1.096, 2.0),
        ("sell", 1.1, 1.102, 1.103, -1.5),
        ("buy", 1.1, None, 1.2, None),
        ("buy", 1.1, 1.1, 1.2, None),  # no risk
        ("sell", 1.1, 1.09, 1.2, None),  # behind the price
    ],
)
def test_r_is_the_price_made_over_the_price_risked(side, entry, stop, close, expected):
    row = {"side": side, "open_price": entry, "stop": stop, "close_price": close}
    summary = summary_of([row])
    assert summary["expectancy_r"] == (None if expected is None else pytest.approx(expected))
    assert summary["trades_with_r"] == (0 if expected is None else 1)


def test_the_first_days_loss_is_in_the_drawdown_and_in_the_returns():
    times = [START, START + NS_PER_DAY]
    summary = summary_of([], equity=equity_table(times, [9_799.0, 9_850.0]))
    assert summary["max_drawdown"] == pytest.approx(0.0201)
    assert summary["max_drawdown_open"] is True
    returns = np.array([9_799 / 10_000 - 1, 9_850 / 9_799 - 1])
    assert summary["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252))


def test_losing_streak_and_order_follow_the_close():
    profits = [-1.0, 5.0, -1.0, -1.0, 0.0, -1.0]
    rows = [
        {"profit": p, "close_time": START + (10 - i) * MINUTE} for i, p in enumerate(profits)
    ]  # written last to first
    assert summary_of(rows)["longest_losing_streak"] == 2


def test_exposure_counts_overlapping_positions_once():
    day = NS_PER_DAY
    rows = [
        {"open_time": START, "close_time": START + day},
        {"open_time": START + day // 2, "close_time": START + 2 * day},
    ]
    summary = summarise({"trades": trades_table(rows)}, [MAIN], (START, START + 8 * day))
    assert summary["exposure"] == pytest.approx(0.25)
    assert summary["average_duration"] == pytest.approx(1.25 * 86_400)
    assert summary["days"] == 8.0


def test_refusals_count_and_price_what_gates_refused():
    decisions = as_table(
        "decisions",
        {
            "signal_id": ["s1", "s1", "s2", "s3", "s4"],
            "account": ["a", "b", "a", "a", "a"],
            "time": [START] * 5,
            "gate": ["band", "band", "band", "executor", "slots"],
            "verdict": ["refused", "refused", "refused", "refused", "passed"],
            "reason": ["one", "two", "three", "EXPIRED no quote in time: 31 s", None],
        },
    )
    outcomes = as_table(
        "outcomes",
        {
            "signal_id": ["s1", "s2", "s4"],
            "result": ["target", "stop", "expired"],
            "r": [2.0, -1.0, None],
            "fired": [False, False, True],
            "open_time": [START, START, None],
        },
    )
    signals = as_table("signals", {"signal_id": ["s1", "s2", "s3", "s4"], "time": [START] * 4})
    summary = summary_of([], signals=signals, decisions=decisions, outcomes=outcomes)
    assert summary["refusals"] == {"band": {"count": 3, "signals": 2, "outcome_r": 0.5, "example": "one"}}
    assert summary["unfilled"] == {"EXPIRED no quote in time": 1}
    assert summary["outcomes"] == {"expired": 1, "stop": 1, "target": 1}
    assert (summary["outcome_r"], summary["outcome_r_fired"], summary["signals_fired"]) == (0.5, None, 1)


def test_hours_and_weekdays_are_those_of_the_fill_in_utc():
    monday = 1_704_067_200 * 10**9  # 2024-01-01 00:00 UTC
    rows = [{"open_time": monday + (24 * d + h) * 60 * MINUTE} for d, h in ((0, 23), (1, 0), (6, 23))]
    for row in rows:
        row["close_time"] = row["open_time"] + 90 * MINUTE
    found = summary_of(rows)["breakdowns"]
    assert [(row["key"], row["trades"]) for row in found["hour"]] == [(0, 1), (23, 2)]
    assert [row["key"] for row in found["weekday"]] == ["Mon", "Tue", "Sun"]


def test_an_account_that_nobody_described_is_an_error_with_a_near_miss():
    with pytest.raises(DataError, match=r'account "mian".*did you mean "main"'):
        summary_of([{"account": "mian"}])


def test_the_total_of_accounts_starts_with_all_balances():
    one = Curve(100.0, np.array([10, 30]), np.array([110.0, 120.0]), np.array([111.0, 121.0]))
    two = Curve(50.0, np.array([20, 30]), np.array([40.0, 60.0]), np.array([41.0, 61.0]))
    total = total_curve([one, two])
    assert total.start == 150.0
    assert total.times.tolist() == [10, 20, 30]
    assert total.balance.tolist() == [160.0, 150.0, 180.0]
    assert total.equity.tolist() == [161.0, 152.0, 182.0]


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=300), st.integers(4, 40))
def test_thinning_keeps_the_ends_and_every_extreme(steps, points):
    equity = 1000.0 + np.cumsum(steps)
    times = np.arange(equity.size, dtype=np.int64)
    thinned = thin(Curve(1000.0, times, equity, equity), points)
    assert thinned.times.size <= max(equity.size if equity.size <= points else 0, points)
    assert (thinned.equity.min(), thinned.equity.max()) == (equity.min(), equity.max())
    assert (thinned.times[0], thinned.times[-1]) == (0, equity.size - 1)
    assert (np.diff(thinned.times) > 0).all()


def test_every_flat_key_has_a_label_and_every_label_a_key():
    made = make_run(trades=60, bars=3000)
    summary = summarise(made.tables, made.accounts)
    flat = {key for key, value in summary.items() if not isinstance(value, dict | list)}
    apart = {"currency", "win_rate_low", "win_rate_high", "best_trade_id", "worst_trade_id"}
    assert flat - apart == {figure.key for figure in FIGURES}


def test_accounts_are_counted_apart_and_together():
    made = make_run(trades=90, bars=3000, accounts=("one", "two", "three"))
    summary = summarise(made.tables, made.accounts)
    alone = {
        name: table.filter(pa.compute.equal(table["account"].cast(pa.string()), "two"))
        for name, table in made.tables.items()
        if name in ("trades", "equity")
    }
    times = made.tables["trades"]["open_time"].cast(pa.int64()).to_pylist()
    assert times
    period = (START, START + 9 * NS_PER_DAY)
    mine = summarise(alone, [made.accounts[1]], period)
    theirs = summarise(made.tables, made.accounts, period)["accounts"]["two"]
    assert theirs == {key: mine[key] for key in theirs}
    assert summary["initial_balance"] == 30_000.0


def test_ten_thousand_trades_take_a_moment():
    import time

    made = make_run(trades=10_000, bars=50_000)
    summarise(made.tables, made.accounts)
    begin = time.perf_counter()
    summarise(made.tables, made.accounts)
    assert time.perf_counter() - begin < 0.5  # measured: 0.02 s


def test_importing_the_analysis_does_not_import_pandas():
    modules = "statistics, report, terminal, candles, compare"
    code = f"import sys\nfrom bitten.analysis import {modules}\nassert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_account_without_money_has_no_return_and_no_drawdown():
    equity = equity_table([START, START + NS_PER_DAY], [0.0, 0.0])
    summary = summarise({"equity": equity}, [AccountFacts("main", "USD", 0.0)])
    assert (summary["return"], summary["cagr"], summary["max_drawdown"], summary["sharpe"]) == (None,) * 4
    assert summary["final_equity"] == 0.0


def test_key_figures_of_no_curve_leave_money_undefined():
    from bitten.analysis.columns import unpack_trades

    figures = key_figures(unpack_trades(trades_table([{"profit": 1.0}])), None, (0, 0))
    assert (figures["net"], figures["expectancy"], figures["wins"]) == (None, None, 1)
