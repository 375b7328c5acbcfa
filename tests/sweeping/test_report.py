"""The report of a sweep: complete without scripts, and alive in a real browser."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from bitten.sweeping.report import render_sweep
from bitten.sweeping.table import COLUMNS, axis_columns, make_table
from tests.analysis.test_report_browser import CHROMIUM, Browser
from tests.sweeping.made import grid_of

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on the PATH: report not looked at")


def page_of(*axes: str, sort: str = "net", **manifest: Any) -> str:
    """The page of a made-up sweep: a hill of profit, and no trades in every seventh combination."""
    grid = grid_of(*axes)
    rows = {}
    for i in range(len(grid)):
        net = round(500 * math.sin(i / 5) - i, 2)
        trades = 0 if i % 7 == 3 else 40 + i % 5
        rows[i] = {
            **dict.fromkeys(COLUMNS), "net": net if trades else 0.0, "trades": trades, "currency": "USD", "days": 3.0,
            "sharpe": net / 100 if trades else None, "max_drawdown": abs(net) / 1e4 if trades else 0.0, "signals": 50,
        }  # fmt: skip
    facts = {
        "name": "made <b>up</b>", "kind": "sweep", "combinations": len(grid), "sort": sort, "symbols": ["EURUSD"],
        "feed": {"name": "synthetic", "synthetic": True}, "costs": ["Commission: none configured."],
        "selection": ["Selection bias: of many."], "config": {"api_key": "hidden-thing"},
        "axes": [
            {"column": column, "key": axis.key, "values": list(axis.values)}
            for column, axis in zip(axis_columns(grid.axes), grid.axes, strict=True)
        ],
    }  # fmt: skip
    return render_sweep(make_table(grid, rows), {**facts, **manifest})


THREE = ("patterns.slow.period=10:15:1", "patterns.slow.deviations=1:2:0.25", "feed.intrabar=path,pessimistic")


def test_what_needs_no_script_is_plain_html() -> None:
    page = page_of(*THREE)
    body = page.split("<script type=")[0]
    assert "made &lt;b&gt;up&lt;/b&gt;" in body
    assert "hidden-thing" not in page
    for text in (
        "SYNTHETIC DATA",
        "Selection bias: of many.",
        "Commission: none configured.",
        "patterns.slow.deviations",
    ):
        assert text in body
    assert "By net profit, of 60 combinations." in body
    assert "9 combinations have no trades, or no such figure." in body
    assert page_of(*THREE) == page


def test_no_trades_at_all_is_said() -> None:
    grid = grid_of("run.seed=1,2")
    rows = {i: {**dict.fromkeys(COLUMNS), "trades": 0} for i in range(2)}
    manifest = {"combinations": 2, "sort": "net", "axes": [{"column": "seed", "key": "run.seed", "values": [1, 2]}]}
    assert "No combination has trades and this figure." in render_sweep(make_table(grid, rows), manifest)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.driver.quit()


def opened(browser: Browser, folder: Path, page: str, **how: Any) -> float:
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    seconds = browser.open(path, **how)
    assert browser.ready() == "all"
    return seconds


def choose(browser: Browser, name: str, text: str) -> None:
    Select(browser.driver.find_element(By.ID, name)).select_by_visible_text(text)


def cells(browser: Browser) -> tuple[int, int]:
    canvas = browser.find("#heat canvas")[0]
    return int(canvas.get_attribute("data-cells")), int(canvas.get_attribute("data-best"))


@in_browser
@pytest.mark.parametrize("dark", [False, True])
def test_the_map_is_drawn_without_an_error_or_a_request(browser: Browser, tmp_path: Path, dark: bool) -> None:
    opened(browser, tmp_path, page_of(*THREE), dark=dark)
    assert browser.ink("#heat canvas") > 20_000
    assert cells(browser)[0] == 30
    browser.keep("sweep-dark.png" if dark else "sweep-light.png")
    assert browser.driver.get_log("browser") == []
    assert browser.requests() == []


@in_browser
def test_figure_axes_and_the_rest_are_chosen(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, page_of(*THREE))
    choose(browser, "figure", "Max drawdown")
    assert browser.text("map-title").startswith("Max drawdown at intrabar path: ")
    choose(browser, "down", "intrabar")
    assert cells(browser)[0] == 12
    choose(browser, "across", "intrabar")  # the two change places
    assert Select(browser.driver.find_element(By.ID, "down")).first_selected_option.text == "period"
    choose(browser, "fixed-1", "mean of all")
    browser.find("#heat")[0].send_keys(Keys.ARROW_RIGHT)
    assert "mean" in browser.text("cell")
    choose(browser, "down", "none")
    assert cells(browser)[0] == 2
    assert browser.driver.get_log("browser") == []


@in_browser
def test_a_cell_tells_its_combination_and_leads_to_its_row(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, page_of("patterns.slow.period=10:15:1", "patterns.slow.deviations=1:2:0.25"))
    box = browser.find("#heat")[0]
    box.send_keys(Keys.ARROW_DOWN)
    _, best = cells(browser)
    told = browser.text("cell")
    row, column = divmod(best, 6)
    combination = column * 5 + row  # periods across, deviations down; the last axis is the fastest
    assert told.startswith(f"Combination {combination + 1}: period {10 + column}, deviations ")
    ActionChains(browser.driver).move_to_element(box).click().perform()
    assert browser.text("chosen") == browser.text("cell") != told
    assert browser.find("#list .row.on")


@in_browser
def test_one_axis_is_drawn_as_bars(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, page_of("patterns.slow.period=10:40:1"))
    assert cells(browser)[0] == 31
    assert browser.ink("#heat canvas") > 5000
    assert browser.driver.get_log("browser") == []


@in_browser
def test_ten_thousand_combinations_stay_usable(browser: Browser, tmp_path: Path) -> None:
    page = page_of("patterns.slow.period=10:109:1", "patterns.slow.deviations=1:10.9:0.1", sort="sharpe")
    assert opened(browser, tmp_path, page) < 6
    assert cells(browser)[0] == 10_000
    assert len(browser.find("#list .row")) < 60
    browser.driver.execute_script("document.querySelectorAll('#list .head button')[0].click()")
    assert browser.driver.execute_script("return document.querySelector('#list .row .cell').textContent") == "1"
    browser.keep("sweep-large.png")
