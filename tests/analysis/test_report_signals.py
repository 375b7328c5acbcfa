"""What the report tells of signals: their fates, what gates were worth, confidence, scores, accounts."""

import base64
import gzip
import json
import re
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest

from bitten.analysis import signalpayload
from bitten.analysis.analytics import ENOUGH
from bitten.analysis.fates import signal_fates
from bitten.analysis.report import render_report
from bitten.analysis.signalpayload import FATES, fates_of, first_refusals
from bitten.analysis.signalpictures import (
    Span,
    common_scale,
    interval_bars,
    reliability_diagram,
    return_histogram,
    score_histogram,
)
from bitten.analysis.statistics import summarise
from bitten.journal.schema import TABLES
from tests.analysis.made_run import START, as_table
from tests.analysis.made_signals import CHAIN, make_signals
from tests.analysis.test_report import Page


def rendered(made, **summary_changes) -> str:
    summary = summarise(made.tables, made.accounts, chain=CHAIN) | summary_changes
    return render_report(made.tables, summary, made.manifest, made.candles)


def facts_of(page: str) -> dict:
    return json.loads(next(body for a, body in Page(page).scripts if a.get("id") == "facts"))


def lines_of(page: str, block: str) -> list[str]:
    text = next(body for a, body in Page(page).scripts if a.get("id") == block)
    return gzip.decompress(base64.b64decode(text)).decode().split("\n")


@pytest.fixture(scope="module")
def made():
    return make_signals(trades=120, refused=240, bars=6000)


@pytest.fixture(scope="module")
def page(made):
    return rendered(made)


def test_equal_input_gives_equal_text(made, page):
    assert rendered(made) == page


def test_every_gate_stands_there_with_what_it_was_worth(made, page):
    worth = summarise(made.tables, made.accounts, chain=CHAIN)["attribution"]
    text = Page(page).text
    for gate in CHAIN:
        refused = worth[gate]["refused"]
        total = f"{refused['r']:+.1f}".replace("-", "\u2212")
        assert re.search(rf"{gate} .*? {refused['signals']} {re.escape(total)} ", text), gate
    assert "confidence was" in text  # an example of a refusal


def test_cells_of_few_signals_have_no_colour(page, made):
    rows = summarise(made.tables, made.accounts, chain=CHAIN)["pattern_symbols"]
    few = sum(row["resolved"] < ENOUGH for row in rows)
    table = re.search(r'<table class="months matrix">.*?</table>', page, re.S)[0]
    assert table.count('class="few"') == few
    assert table.count("--heat") == len(rows) - few > 0


def test_what_is_not_calibrated_is_not_called_a_probability(made, page):
    assert "Calibrated probability" in page
    plain = {name: table for name, table in made.tables.items() if name != "calibration"}
    summary = summarise(plain, made.accounts, chain=CHAIN)
    text = Page(render_report(plain, summary, made.manifest, made.candles)).text
    assert "Raw confidence, not calibrated" in text
    assert "it is no probability" in text
    assert "Calibrated probability" not in text


def test_breaches_and_eliminations_are_listed_with_when(page):
    text = Page(page).text
    assert "Rules that were broken" in text
    assert text.count("2024-01-03 08:20:00") == 2  # as the first, and in the list
    assert "Switched off, and on again" in text
    assert "2024-01-03 16:40:00" in text


def test_many_accounts_are_told_by_group_and_extremes():
    text = Page(rendered(make_signals(200, 50, 6000, accounts=tuple(f"u{i}" for i in range(30))))).text
    assert "By tier and mode" in text
    assert "Returns of 30 accounts" in text
    assert text.index("Best") < text.index("Worst")
    single = rendered(make_signals(20, 20, 6000))
    assert "By tier and mode" not in single
    assert "Returns of" not in single


def test_a_run_without_breaches_and_with_one_account_has_no_such_section(made):
    tables = {name: table for name, table in made.tables.items() if name != "breaches"}
    page = render_report(tables, summarise(tables, made.accounts, chain=CHAIN), made.manifest, made.candles)
    assert '<section id="accounts">' not in page


def test_a_run_without_signals_says_so_and_draws_nothing():
    tables = {name: schema.empty_table() for name, schema in TABLES.items()}
    page = render_report(tables, summarise(tables, []), {}, {})
    text = Page(page).text
    assert text.count("No signals.") == 2
    assert "No resolved signals to judge confidence by." in text
    assert "pools" not in facts_of(page)
    for absent in ("What gates", "Pattern by symbol", "Scores of", "nan"):
        assert absent not in text


DECIDED = [
    # signal, account, gate, verdict, reason
    ("fired", "a", "band", "passed", None), ("fired", "b", "band", "refused", "b has another band"),
    ("fired", "a", "executor", "refused", "REJECTED"),
    ("refused", "a", "band", "passed", None), ("refused", "a", "slots", "refused", "two\nlines"),
    ("refused", "b", "band", "refused", "later"),
    ("stale", "a", "expiry", "refused", "it had expired"), ("stale", "b", "expiry", "refused", "it had expired"),
]  # fmt: skip
MISSIONS = [("declined", "declined"), ("unanswered", "expired"), ("waiting", "open"), ("refused", "expired")]
IDS = ["fired", "refused", "stale", "declined", "unanswered", "waiting", "lost"]


def decided():
    names = ("signal_id", "account", "gate", "verdict", "reason")
    return {
        "signals": as_table("signals", {"signal_id": IDS, "time": [START + i for i in range(len(IDS))]}),
        "outcomes": as_table("outcomes", {"signal_id": IDS, "fired": [one == "fired" for one in IDS]}),
        "decisions": as_table("decisions", {name: [row[i] for row in DECIDED] for i, name in enumerate(names)}),
        "missions": as_table("missions", {"signal_id": [a for a, _ in MISSIONS], "answer": [b for _, b in MISSIONS]}),
    }


def test_every_signal_has_a_fate_and_the_first_who_refused_it():
    tables = decided()
    fates = signal_fates(tables)
    refusals = first_refusals(tables, fates)
    told = [FATES[code] for code in fates_of(tables, fates, refusals)]
    assert told == ["fired", "refused", "expired", "declined", "unanswered", "waiting", "unknown"]
    assert [refusals.gates[code] if code >= 0 else None for code in refusals.gate] == [
        "band",
        "slots",
        "expiry",
        *[None] * 4,
    ]
    assert refusals.accounts.tolist() == [1, 2, 2, 0, 0, 0, 0]


def test_reasons_go_to_the_page_once_each_and_on_one_line():
    tables = decided()
    page = render_report(tables, summarise(tables, []), {}, {})
    found = facts_of(page)["signals"]
    assert lines_of(page, found["ids"]) == IDS
    assert lines_of(page, found["reasons"]) == ["b has another band", "two lines", "it had expired"]


def test_of_too_many_signals_the_newest_are_shown(monkeypatch, made):
    monkeypatch.setattr(signalpayload, "_MOST_SIGNALS", 25)
    found = facts_of(page := rendered(made))["signals"]
    assert found["total"] == 360
    times = made.tables["signals"]["time"].cast(pa.int64()).to_numpy()
    newest = np.argsort(times, kind="stable")[-25:]
    assert lines_of(page, found["ids"]) == [made.tables["signals"]["signal_id"][int(i)].as_py() for i in newest]


def test_levels_that_are_distances_become_prices():
    columns = {"signal_id": ["s"], "time": [START], "symbol": ["EURUSD"], "pattern": ["kal"], "side": ["sell"]}
    levels = {"reference": [1.1], "stop": [0.001], "target": [0.002], "relative": [True]}
    made = {"signals": as_table("signals", columns | levels)}
    block = facts_of(render_report(made, summarise(made, []), {"instruments": {"EURUSD": {"digits": 5}}}, {}))[
        "signals"
    ]
    scaled = {column["name"]: column for column in block["block"]["columns"]}
    page = render_report(made, summarise(made, []), {"instruments": {"EURUSD": {"digits": 5}}}, {})
    raw = gzip.decompress(
        base64.b64decode(next(b for a, b in Page(page).scripts if a.get("id") == block["block"]["id"]))
    )
    values, offset = {}, 0
    for name, column in scaled.items():
        values[name] = int(np.frombuffer(raw, f"<i{column['width']}", 1, offset)[0])
        offset += column["width"]
    assert (values["open"], values["stop"], values["target"]) == (110_000, 100, -200)  # a sell: the stop lies above


def test_fifteen_thousand_signals_cost_a_moment():
    made = make_signals(trades=2_000, refused=13_000, bars=60_000, symbols=1)
    begin = time.perf_counter()
    summary = summarise(made.tables, made.accounts, chain=CHAIN)
    page = render_report(made.tables, summary, made.manifest, made.candles)
    assert time.perf_counter() - begin < 1.5  # measured: 0.1 s
    assert len(page) < 2_500_000


def test_a_scale_holds_zero_and_ends_where_few_signals_reach_further():
    assert common_scale([Span(0.5, 0.2, 0.8)]) == (-0.1, 0.8)
    assert common_scale([Span(-0.5, -19.0, 18.0)]) == (-3.0, 3.0)
    assert common_scale([]) == (-0.1, 0.1)


def test_intervals_share_their_zero_and_absent_ones_draw_nothing():
    bars = interval_bars(
        [Span(0.0, -1.0, 1.0, "refused"), Span(0.5, None, None, "passed"), Span(None, None, None)], (-1, 1)
    )
    assert re.findall(r'class="reach (\w+)" x1="([\d.]+)%" x2="([\d.]+)%"', bars) == [("refused", "2.00", "98.00")]
    assert re.findall(r'class="dot (\w+)" cx="([\d.]+)%"', bars) == [("refused", "50.00"), ("passed", "74.00")]


def test_pictures_hold_every_bin_score_and_account(made):
    summary = summarise(made.tables, made.accounts, chain=CHAIN)
    diagram = reliability_diagram(summary["calibration"])
    assert diagram.count("<circle") == len(summary["calibration"]["bins"])
    rows = summary["scores"]["citadel"]
    assert score_histogram(rows).count("<rect") == len(rows)
    growth = np.random.default_rng(4).normal(0.02, 0.1, 500)
    counts = [int(count) for count in re.findall(r": ([\d]+) accounts?<", return_histogram(growth))]
    assert sum(counts) == 500
    assert return_histogram(np.zeros(12)).count("<rect") == 1


def test_summary_and_report_of_a_run_without_signals_leave_pandas_alone():
    code = """
import sys
from bitten.analysis.performance import performance_table
from bitten.analysis.report import render_report
from bitten.analysis.statistics import AccountFacts, summarise
from bitten.journal.memory import MemoryJournal
tables = dict(MemoryJournal(["a"]).tables())
tables["performance"] = performance_table(tables)
summary = summarise(tables, [AccountFacts("a", "USD", 100.0)], (0, 10), ["band"])
render_report(tables, summary, {"accounts": [{"id": "a", "currency": "USD", "balance": 100.0}]}, {})
print("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
