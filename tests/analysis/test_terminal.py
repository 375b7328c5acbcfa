import io
import re

import pytest
from rich.console import Console

from bitten.analysis.figures import ABSENT, BY_KEY, show, show_duration
from bitten.analysis.signalterminal import calibration_line, number
from bitten.analysis.statistics import summarise
from bitten.analysis.terminal import alert_count, open_at_end, print_summary, too_short
from tests.analysis.made_run import make_run
from tests.analysis.made_signals import CHAIN, make_signals


def printed(summary, manifest, width: int = 120) -> str:
    out = io.StringIO()
    print_summary(Console(file=out, width=width), summary, manifest)
    return out.getvalue()


@pytest.fixture(scope="module")
def made():
    return make_run(trades=80, bars=4000)


def test_figures_groups_refusals_costs_and_alerts_are_printed(made):
    summary = summarise(made.tables, made.accounts)
    text = printed(summary, made.manifest)
    assert "SYNTHETIC DATA" in text
    assert re.search(rf"Trades\s+{summary['trades']}", text)
    for words in ("kalman_quickfire", "XAUUSD", "band", "unfilled: invalid stops", "Swap is not charged", "telegram"):
        assert words in text


def test_real_quotes_are_not_called_synthetic(made):
    assert "SYNTHETIC" not in printed(summarise(made.tables, made.accounts), {"name": "x"})


def test_a_run_without_trades_says_why_instead_of_zeros():
    text = printed(summarise({}, []), {"notes": ["The warm-up took the whole period."]})
    assert "No trades: the patterns gave no signal." in text
    assert "The warm-up took the whole period." in text
    for absent in ("refused", "Sharpe", "0.00", ABSENT):
        assert absent not in text


def test_signals_without_a_trade_are_counted(made):
    tables = {name: made.tables[name] for name in ("signals", "decisions", "equity")}
    text = printed(summarise(tables, made.accounts), {})
    assert "No trades: 80 signals, 0 of them fired." in text
    assert "band" in text


def test_alerts_come_first_with_their_count_and_are_cut_after_ten(made):
    summary = summarise(made.tables, made.accounts)
    text = printed(summary, made.manifest | {"alerts": [f"alert {i}" for i in range(14)]})
    assert text.index("14 alerts") < text.index("alert 0") < text.index("Net profit")
    assert "and 4 more in manifest.json" in text
    assert "alert 11" not in text
    assert alert_count({"alerts": ["x"]}) == "1 alert"
    assert alert_count({}) == ""


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (1, "1 position was open at the end and is"), (1200, "1,200 positions were open")]
)
def test_positions_open_at_the_end_are_told(count, text):
    assert open_at_end({"open_at_end": count}).startswith(text)


def test_a_short_run_says_why_nothing_is_annualised(made):
    text = printed(summarise(made.tables, made.accounts), {})
    for label in ("CAGR", "Calmar"):
        assert re.search(rf"{label}\s+{ABSENT} \(too short to annualise\)", text)
    assert too_short("cagr", {"days": 31.0, "cagr": None}) == ""
    assert too_short("cagr", {"days": 12.0, "cagr": 0.1}) == ""


def test_markup_in_names_is_text(made):
    summary = summarise(made.tables, made.accounts)
    summary["breakdowns"]["pattern"][0]["key"] = "[bold]x[/bold]"
    summary["attribution"]["[red]gate"] = summary["attribution"]["band"]
    summary["patterns"][0]["pattern"] = "[i]pattern"
    text = printed(summary, made.manifest | {"name": "[blink]run", "costs": ["[b]cost"]})
    for words in ("[bold]x[/bold]", "[red]gate", "[i]pattern", "[blink]run", "[b]cost"):
        assert words in text


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("net", 1234.5, "+1,234.50 USD"),
        ("net", -1234.5, "−1,234.50 USD"),
        ("net", -0.001, "0.00 USD"),
        ("net", None, "–"),
        ("sharpe", -1.234, "−1.23"),
        ("win_rate", 0.4567, "45.67 %"),
        ("return", -0.0123, "−1.23 %"),
        ("expectancy_r", 0.1234, "+0.123 R"),
        ("trades", 10_000, "10,000"),
        ("max_drawdown_open", True, "yes"),
        ("max_drawdown_days", 12.34, "12.3 days"),
        ("average_duration", 3725.0, "1 h 02 min"),
    ],
)
def test_values_read_well(key, value, text):
    assert show(BY_KEY[key], value, "USD") == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (600, "10 min"), (90_000, "1 d 1 h"), (None, "–")]
)
def test_durations(seconds, text):
    assert show_duration(seconds) == text


def test_gates_patterns_and_breaches_are_told_with_their_intervals():
    made = make_signals(trades=120, refused=240, bars=6000)
    summary = summarise(made.tables, made.accounts, chain=CHAIN)
    text = printed(summary, made.manifest, width=160)
    worth = summary["attribution"]["spread"]["refused"]
    bounds = f"({number(worth['r_low'], 1)} … {number(worth['r_high'], 1, signed=False)})"
    assert re.search(rf"spread +{worth['signals']} +{re.escape(number(worth['r'], 1))} {re.escape(bounds)}", text)
    row = next(row for row in summary["patterns"] if row["pattern"] == "bb_scalp")
    assert re.search(
        rf"bb_scalp +{row['signals']} +{row['wins']} +{row['losses']} +{row['win_rate'] * 100:.0f} % \(", text
    )
    assert "rule daily broken by 1 account, first by main at 2024-01-03 08:20:00 UTC" in text


def test_many_accounts_are_told_by_tier():
    made = make_signals(trades=120, refused=10, bars=6000, accounts=tuple(f"u{i}" for i in range(40)))
    text = printed(summarise(made.tables, made.accounts, chain=CHAIN), made.manifest, width=160)
    assert re.search(r"scout auto +20 ", text)
    assert "u17 " not in text


def test_more_than_a_hundred_accounts_have_no_figures_of_their_own():
    made = make_signals(trades=120, refused=10, bars=6000, accounts=tuple(f"u{i}" for i in range(101)))
    summary = summarise(made.tables, made.accounts, chain=CHAIN)
    assert (summary["accounts"], summary["breakdowns"]["account"]) == ({}, [])
    assert sum(group["accounts"] for group in summary["account_groups"]) == 101
    some = make_signals(trades=20, refused=10, bars=6000, accounts=("a", "b"))
    assert list(summarise(some.tables, some.accounts)["accounts"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1.005, 1, "+1.0"), (-0.04, 1, "0.0"), (0.04, 1, "0.0"), (-12.34, 1, "−12.3"), (None, 1, "–")],
)
def test_numbers_have_signs_and_no_signed_zero(value, digits, text):
    assert number(value, digits) == text


def test_calibration_is_told_in_a_sentence():
    made = make_signals(trades=120, refused=240, bars=6000)
    summary = summarise(made.tables, made.accounts)
    told = r"Calibrated probabilities: said 30 %, came \d+ % of \d+ signals; Brier score 0\.\d{3}, [\d.]+ % \w"
    assert re.match(told, calibration_line(summary))
    plain = {name: table for name, table in made.tables.items() if name != "calibration"}
    assert calibration_line(summarise(plain, made.accounts)).startswith(
        "Confidence (not calibrated: it is no probability)"
    )
    assert calibration_line(summarise({}, made.accounts)) == ""
