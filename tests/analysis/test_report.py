import base64
import hashlib
import html
import json
import re
import time
from html.parser import HTMLParser

import numpy as np
import pytest

from bitten.analysis import sections
from bitten.analysis.curves import AccountFacts, Curve
from bitten.analysis.measures import NS_PER_DAY
from bitten.analysis.months import monthly_returns
from bitten.analysis.pictures import diverging_bar, r_histogram
from bitten.analysis.report import render_report
from bitten.analysis.statistics import summarise
from bitten.journal.schema import TABLES
from tests.analysis.made_run import START, as_table, equity_table, make_run, trades_table
from tests.analysis.made_signals import CHAIN, make_signals

SIGNALS = ("attribution", "patterns", "pattern_symbols", "sessions", "deciles", "calibration", "scores")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict]] = []
        self.scripts: list[tuple[dict, str]] = []
        self.words: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag in ("script", "style")
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self._in_script = False

    def handle_data(self, data):
        if not self._in_script:
            self.words.append(data)
        elif self.scripts and self.tags[-1][0] == "script":
            attrs, before = self.scripts[-1]
            self.scripts[-1] = (attrs, before + data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def rendered(made, **changes) -> str:
    summary = summarise(made.tables, made.accounts)
    return render_report(made.tables, summary, made.manifest | changes, made.candles)


@pytest.fixture(scope="module")
def made():
    return make_run(trades=120, bars=6000)


@pytest.fixture(scope="module")
def page(made):
    return rendered(made)


def test_equal_input_gives_equal_text(made, page):
    assert rendered(made) == page


def test_nothing_is_asked_of_any_server(page):
    found = Page(page)
    for tag, attributes in found.tags:
        for name in ("src", "srcset", "data", "action", "poster", "xlink:href"):
            assert name not in attributes or tag == "param", (tag, attributes)
        if tag == "link":
            assert attributes["href"].startswith("data:")
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_the_policy_admits_exactly_the_pages_own_scripts(page):
    found = Page(page)
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    run = [text for attributes, text in found.scripts if "type" not in attributes]
    hashes = {"sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run}
    assert hashes == set(re.findall(r"sha256-[^']+", policy))
    assert "unsafe-inline" not in policy.split("script-src")[1]
    assert not [a for _, a in found.tags if any(name.startswith("on") for name in a)]


def test_licences_are_kept_beside_the_vendored_scripts(page):
    from importlib.resources import files

    assets = files("bitten.analysis") / "assets"
    assert "MIT License" in (assets / "uplot.LICENSE.txt").read_text(encoding="utf-8")
    assert "Apache License" in (assets / "lightweight-charts.LICENSE.txt").read_text(encoding="utf-8")
    assert "TradingView Lightweight Charts" in Page(page).text
    assert 'href="https://www.tradingview.com/"' in page
    assert "attributionLogo: true" in page


def test_a_hostile_name_stays_text():
    rows = [
        {"pattern": HOSTILE, "symbol": HOSTILE, "account": HOSTILE, "fire_id": HOSTILE, "close_reason": HOSTILE},
        {"pattern": "kal", "account": HOSTILE},
    ]
    accounts = [AccountFacts(HOSTILE, HOSTILE, 100.0), AccountFacts("b", HOSTILE, 100.0)]
    tables = {"trades": trades_table(rows), "equity": equity_table([START], [99.0], HOSTILE)}
    manifest = {
        name: HOSTILE if name in ("name", "created") else [HOSTILE]
        for name in ("name", "created", "symbols", "costs", "notes", "alerts")
    }
    manifest |= {
        "config": {HOSTILE: HOSTILE},
        "versions": {HOSTILE: HOSTILE},
        "timings": {HOSTILE: HOSTILE},
        "feed": {"name": HOSTILE, "synthetic": True, "notes": [HOSTILE]},
        "accounts": [{"id": a.id, "currency": a.currency, "balance": a.balance} for a in accounts],
    }
    summary = summarise(tables, accounts)
    made = make_signals(trades=30, refused=30, bars=3000, symbols=2)
    summary |= {
        key: value for key, value in summarise(made.tables, made.accounts, chain=CHAIN).items() if key in SIGNALS
    }
    summary["signals"] = 60
    summary["attribution"] = {HOSTILE: summary["attribution"]["band"]}
    summary["refusals"] = {HOSTILE: {"example": HOSTILE}}
    for rows_, keys in (("patterns", ("pattern",)), ("pattern_symbols", ("pattern", "symbol"))):
        for row in summary[rows_]:
            row |= dict.fromkeys(keys, HOSTILE)
    summary["scores"] = {HOSTILE: summary["scores"]["citadel"]}
    summary["breaches"] = {HOSTILE: {"count": 1, "accounts": 1, "first": HOSTILE, "first_account": HOSTILE}}
    summary["eliminations"] = [{"time": HOSTILE, HOSTILE: HOSTILE}]
    summary["unfilled"] = summary["outcomes"] = {HOSTILE: 1}
    given = tables | {"signals": as_table("signals", {"signal_id": [HOSTILE], "time": [START], "pattern": [HOSTILE]})}
    text = render_report(given, summary, manifest, {})
    found = Page(text)
    assert "img" not in {tag for tag, _ in found.tags}
    assert len([1 for attributes, _ in found.scripts if "type" not in attributes]) == 4
    assert HOSTILE in html.unescape(text)
    assert "alert(1)</script>" not in text
    facts = next(body for attributes, body in found.scripts if attributes.get("id") == "facts")
    for name in ("trades", "signals"):
        assert HOSTILE in json.loads(facts)[name]["words"]["pattern"]


def test_synthetic_quotes_and_costs_stand_in_plain_sight(made, page):
    text = Page(page).text
    assert "SYNTHETIC DATA" in text
    assert "Swap is not charged: 41 positions crossed a rollover." in text
    assert "SYNTHETIC" not in Page(rendered(made, feed={"name": "parquet", "synthetic": False})).text


def test_limits_are_stated(page):
    text = Page(page).text
    assert "no figure here promises profit" in text
    assert "lose about the spread" in text


def test_secrets_in_the_configuration_are_not_shown(page):
    assert "123:SECRET" not in page
    assert "(not shown)" in page


def test_only_what_looks_secret_is_blotted():
    config = {"api_key": "k", "user": {"password": "p", "name": "n"}, "tokens": ["a"], "secret": None, "rows": [1]}
    config["credentials"] = {"user": "u"}
    assert sections.blot(config) == {
        "api_key": "(not shown)",
        "user": {"password": "(not shown)", "name": "n"},
        "tokens": "(not shown)",
        "credentials": "(not shown)",
        "secret": None,
        "rows": [1],
    }


def test_an_empty_manifest_and_an_empty_run_still_make_a_page():
    tables = {name: schema.empty_table() for name, schema in TABLES.items()}
    text = Page(render_report(tables, summarise(tables, []), {}, {})).text
    assert "No trades: the patterns gave no signal." in text
    assert "has a stop" not in text


def test_a_run_without_trades_says_why_and_shows_no_figures(made):
    tables = {name: table if name == "equity" else table.slice(0, 0) for name, table in made.tables.items()}
    summary = summarise(tables, made.accounts)
    page = render_report(tables, summary, made.manifest | {"notes": ["The warm-up took the whole period."]}, {})
    text = Page(page).text
    assert text.index("The warm-up took the whole period.") < text.index("Equity and drawdown")
    for absent in ("Win rate", "All key figures", "0.00 %", "2024 ", "has a stop"):
        assert absent not in text.split("Assumptions", 2)[1].split("Where it came from")[0], absent
    assert '<dl class="tiles">' not in page


def test_positions_open_at_the_end_are_named_and_have_no_share_in_rates():
    rows = [
        {"profit": 5.0, "close_reason": "target"},
        {"profit": 7.0, "close_reason": "end"},
        {"profit": -2.0, "close_reason": "end", "symbol": "USDJPY"},
    ]
    tables = {"trades": trades_table(rows), "equity": equity_table([START], [100.0])}
    accounts = [AccountFacts("main", "USD", 100.0)]
    manifest = {"accounts": [{"id": "main", "currency": "USD", "balance": 100.0}]}
    text = Page(render_report(tables, summarise(tables, accounts), manifest, {})).text
    assert "2 positions were open at the end and are valued at the last quotes" in text
    assert "1 won, 0 lost, 0 flat, 2 open at the end" in text
    assert "1 daily return too" not in text and "1 daily returns" not in text
    assert "too short to annualise" in text


def test_huge_money_makes_no_warning():
    rows = [{"profit": 1e18, "gross": 1e18}, {"profit": 1e308, "gross": 1e308}]
    tables = {"trades": trades_table(rows), "equity": equity_table([START, START + NS_PER_DAY], [1e18, 2e18])}
    accounts = [AccountFacts("main", "USD", 1e18)]
    manifest = {"accounts": [{"id": "main", "currency": "USD", "balance": 1e18}]}
    assert render_report(tables, summarise(tables, accounts), manifest, {})


def test_alerts_are_counted_in_the_head_and_timings_read_as_words(made):
    text = Page(rendered(made, alerts=["a", "b"], timings={"replay_seconds": 1.5, "quotes_per_second": 1200})).text
    assert text.index("2 alerts") < text.index("2 alerts in this run")
    assert "Replay 1.5 s" in text
    assert "Quotes per second 1,200" in text


def test_no_placeholder_is_left_and_dollars_survive(made):
    text = rendered(made, name="$title ${style}")
    assert "$title ${style}" in html.unescape(Page(text).text)
    body = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.S)
    assert re.findall(r"\$\w+", body.replace("$title ${style}", "")) == []


def test_accounts_of_one_currency_get_a_total_and_their_own_curves():
    made = make_run(trades=60, bars=3000, accounts=("one", "two"))
    found = Page(rendered(made))
    facts = json.loads(next(body for a, body in found.scripts if a.get("id") == "facts"))
    assert [curve["name"] for curve in facts["curves"]] == ["all accounts", "one", "two"]


def test_ten_thousand_trades_and_a_year_of_minutes_render_in_a_moment():
    made = make_run(trades=10_000, bars=370_000, symbols=1)
    summary = summarise(made.tables, made.accounts)
    begin = time.perf_counter()
    text = render_report(made.tables, summary, made.manifest, made.candles)
    assert time.perf_counter() - begin < 2.0  # measured: 0.2 s
    assert len(text) < 3_000_000  # measured: 1.5 MB


def test_months_follow_the_close_of_the_trading_day():
    day = NS_PER_DAY
    friday = 1_706_821_200 * 10**9 - 1800 * 10**9  # 2024-02-01 20:30 UTC
    times = np.array([friday - day, friday, friday + 28 * day, friday + 340 * day])
    equity = np.array([110.0, 121.0, 60.5, 60.5])
    found = monthly_returns(Curve(100.0, times, equity, equity))
    assert found[2024][1] == pytest.approx(0.10)
    assert found[2024][2] == pytest.approx(-0.45)  # the 29th is the month's last: 60.5 over 110
    assert found[2024][0] == pytest.approx(-0.395)
    assert found[2025] == {1: 0.0, 0: 0.0}


def test_a_trade_stopped_at_minus_one_r_starts_its_bar():
    picture = r_histogram(np.array([-1.0] * 7 + [-1.0 + 1e-13] * 5 + [2.0]), 13)
    assert "−1 to −0.9 R: 12 trades" in picture


def test_histogram_counts_every_trade_even_far_ones():
    r = np.concatenate((np.random.default_rng(1).normal(0, 1, 500), [9_999.0, -9_999.0]))
    counts = [int(count.replace(",", "")) for count in re.findall(r"R: ([\d,]+) trades?", r_histogram(r, r.size))]
    assert sum(counts) == 502
    assert len(counts) <= 60


def test_bars_share_their_zero():
    left = re.search(r'x="([\d.]+)%".*?width="([\d.]+)%"', diverging_bar(-50.0, (-50.0, 150.0)))
    right = re.search(r'x="([\d.]+)%".*?width="([\d.]+)%"', diverging_bar(150.0, (-50.0, 150.0)))
    assert (float(left[1]), float(left[2])) == (0.0, 25.0)
    assert (float(right[1]), float(right[2])) == (25.0, 75.0)
    assert "rect" not in diverging_bar(None, (0.0, 0.0))
