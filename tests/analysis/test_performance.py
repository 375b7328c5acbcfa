import numpy as np
import pytest

from bitten.analysis.fates import signal_fates
from bitten.analysis.measures import wilson
from bitten.analysis.performance import (
    PERFORMANCE,
    by_decile,
    by_pattern,
    by_session,
    by_symbol,
    performance_rows,
    performance_table,
)
from bitten.model.dtypes import NS_PER_MINUTE
from tests.analysis.made_run import as_table
from tests.analysis.made_signals import make_signals

NOON = 1_704_888_000 * 10**9  # Wednesday 2024-01-10 12:00 UTC: London
HOUR = 60 * NS_PER_MINUTE

# pattern, symbol, time, confidence, result, R, pips, minutes held, fired
ROWS = [
    ("kal", "EURUSD", NOON, 80.0, "target", 2.0, 20.0, 30, True),
    ("kal", "EURUSD", NOON, 89.9, "stop", -1.0, -10.0, 10, True),
    ("kal", "EURUSD", NOON, 85.0, "time", 0.0, 0.0, 60, False),
    ("kal", "EURUSD", NOON, 85.0, "end", 1.5, 15.0, 90, True),  # cut off
    ("kal", "EURUSD", NOON, 85.0, "expired", None, None, None, False),  # never filled
    ("kal", "EURUSD", NOON + 2 * HOUR, 100.0, "target", 2.0, 20.0, 30, True),  # the overlap
    ("bb", "XAUUSD", NOON - 11 * HOUR, 0.0, "stop", -1.0, -5.0, 5, False),  # Tokyo
    ("bb", "XAUUSD", NOON - 11 * HOUR, 9.9, "stop", None, -5.0, 5, False),  # without a stop price: no R
]


def tables(rows=ROWS):
    ids = [f"s{i}" for i in range(len(rows))]
    ends = [None if row[7] is None else row[2] + row[7] * NS_PER_MINUTE for row in rows]
    pattern, symbol, time, confidence, result, r, pips, _, fired = (list(column) for column in zip(*rows, strict=True))
    named = {"signal_id": ids, "pattern": pattern, "symbol": symbol}
    return {
        "signals": as_table("signals", {**named, "time": time, "confidence": confidence}),
        "outcomes": as_table(
            "outcomes",
            {
                **named, "fired": fired, "result": result, "r": r, "pips": pips, "close_time": ends,
                "open_time": [None if end is None else t for end, t in zip(ends, time, strict=True)],
            },
        ),
    }  # fmt: skip


def test_wins_losses_and_what_is_neither():
    fates = signal_fates(tables())
    row = {row["pattern"]: row for row in performance_rows(fates, by_pattern(fates))}["kal"]
    counts = {name: row[name] for name in ("signals", "fired", "resolved", "wins", "losses")}
    assert counts == {"signals": 6, "fired": 4, "resolved": 4, "wins": 2, "losses": 1}  # one flat, two without a result
    assert (row["win_rate"], row["win_rate_low"], row["win_rate_high"]) == pytest.approx((0.5, *wilson(2, 4)))
    assert row["mean_r"] == pytest.approx((2 - 1 + 0 + 2) / 4)
    assert row["mean_pips"] == pytest.approx((20 - 10 + 0 + 20) / 4)
    assert row["average_duration"] == pytest.approx((30 + 10 + 60 + 30) / 4 * 60)
    # 2, -1, 0, 2: mean 0.75, deviation 1.5, its error 0.75, t with 3 degrees of freedom 3.182446
    assert row["mean_r_low"] == pytest.approx(0.75 - 3.182446 * 0.75)


def test_a_signal_without_a_stop_is_won_or_lost_by_pips_and_has_no_r():
    fates = signal_fates(tables())
    row = {row["pattern"]: row for row in performance_rows(fates, by_pattern(fates))}["bb"]
    assert (row["losses"], row["mean_r"], row["mean_r_low"], row["mean_pips"]) == (2, -1.0, None, -5.0)


def test_groups_are_sessions_and_tenths_of_confidence():
    fates = signal_fates(tables())
    sessions = {row["session"]: row["signals"] for row in performance_rows(fates, by_session(fates))}
    assert sessions == {"london": 5, "overlap": 1, "tokyo": 2}
    deciles = {row["decile"]: row["signals"] for row in performance_rows(fates, by_decile(fates))}
    assert deciles == {0: 2, 8: 5, 9: 1}
    both = performance_rows(fates, by_pattern(fates), by_symbol(fates))
    assert [(row["pattern"], row["symbol"], row["signals"]) for row in both] == [
        ("bb", "XAUUSD", 2),
        ("kal", "EURUSD", 6),
    ]


def test_the_table_holds_every_signal_once_and_adds_up():
    made = make_signals(trades=100, refused=150, bars=6000)
    table = performance_table(made.tables)
    assert table.schema == PERFORMANCE
    fates = signal_fates(made.tables)
    assert sum(table["signals"].to_pylist()) == fates.size == 250
    assert sum(table["wins"].to_pylist()) == int((fates.won > 0).sum())
    keys = list(zip(*(table[name].to_pylist() for name in PERFORMANCE.names[:4]), strict=True))
    assert len(keys) == len(set(keys))
    kal = [row for row in table.to_pylist() if row["pattern"] == "kalman_quickfire"]
    assert sum(row["signals"] for row in kal) == int(np.sum(fates.pattern == fates.patterns.index("kalman_quickfire")))


def test_signals_without_outcomes_are_counted_and_not_resolved():
    given = tables()
    row = performance_rows(signal_fates({"signals": given["signals"]}), by_pattern(signal_fates(given)))[0]
    assert (row["signals"], row["resolved"], row["win_rate"], row["average_duration"]) == (2, 0, None, None)


def test_no_signals_give_no_rows():
    fates = signal_fates({})
    assert performance_rows(fates, by_pattern(fates), by_session(fates)) == []
    assert performance_table({}).num_rows == 0
