import io
import re

import pytest
from rich.console import Console

from bitten.analysis.figures import ABSENT, BY_KEY, show, show_duration
from bitten.analysis.statistics import summarise
from bitten.analysis.terminal import print_summary
from tests.analysis.made_run import make_run


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


def test_an_empty_run_prints_dashes():
    text = printed(summarise({}, []), {})
    assert re.search(rf"Sharpe\s+{ABSENT}", text)
    assert "refused" not in text


def test_markup_in_names_is_text(made):
    summary = summarise(made.tables, made.accounts)
    summary["breakdowns"]["pattern"][0]["key"] = "[bold]x[/bold]"
    summary["refusals"]["[red]gate"] = {"count": 1, "signals": 1, "outcome_r": None}
    text = printed(summary, made.manifest | {"name": "[blink]run", "costs": ["[b]cost"]})
    for words in ("[bold]x[/bold]", "[red]gate", "[blink]run", "[b]cost"):
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
