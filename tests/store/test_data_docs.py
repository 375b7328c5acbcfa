"""docs/data.md is true: its snippets run, and it names what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitten.clock import check_clock
from bitten.commands.data import COMMANDS
from bitten.manager import Manager
from bitten.model.instruments import load_instruments
from bitten.store import parquet
from bitten.store.block import BAR_NAMES, TICK_NAMES
from bitten.store.tickstore import TickStore
from tests.feeds.builders import INSTRUMENTS, SOURCE, bars, ticks

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
HOUR_MS = 3_600_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    store = TickStore("data")
    store.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(0, 40 * 24 * HOUR_MS, HOUR_MS // 4)), SOURCE)
    store.add("EURUSD", INSTRUMENTS["EURUSD"], bars(range(300)), SOURCE)
    return tmp_path


def run(number: int) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(PYTHON[number], f"docs/data.md, snippet {number}", "exec"), names)
    return names


def test_the_snippets_read_the_store_as_it_is(project: Path) -> None:
    assert len(PYTHON) == 5
    loaded = run(0)
    assert (len(loaded["ticks"]), len(loaded["minutes"])) == (96, 300)
    pandas = run(1)["frame"]
    assert str(pandas["time"].dtype) == "datetime64[ms, UTC]"
    np.testing.assert_array_equal(pandas["bid"].iloc[:96], loaded["ticks"]["bid"])
    assert (pandas["time"].iloc[:96] == loaded["ticks"].index).all()
    polars = run(2)
    assert polars["frame"]["bid"][1] == pytest.approx(loaded["ticks"]["bid"].iloc[1], abs=1e-12)
    assert polars["frame"]["time"][1] == loaded["ticks"].index[1]
    assert len(polars["months"]) == 40 * 24 * 4
    hours = run(3)["hours"]
    assert len(hours) == 40 * 24
    assert set(hours["quotes"]) == {4}
    assert set(hours["spread"]) == {8.0}
    assert run(4)["digits"] == 5


def test_the_remedy_for_mixed_units_works(project: Path) -> None:
    import polars as pl

    fine = ticks(range(5))
    later = type(fine)(fine.ts + 90 * 24 * HOUR_MS * 1_000_000 + 1, fine.bid, fine.ask)
    TickStore("data").add("EURUSD", INSTRUMENTS["EURUSD"], later, SOURCE)
    paths = sorted(Path("data/EURUSD").glob("*.parquet"))
    (line,) = re.findall(r"`(pl\.concat\(.*\))`", PAGE)
    whole = eval(line, {"pl": pl, "paths": paths})
    assert whole["time"].dtype == pl.Datetime("ns", "UTC")
    assert len(whole) == 40 * 24 * 4 + 5


def test_the_page_names_everything_there_is() -> None:
    for name in Manager().registry("importers"):
        assert f"| `{name}` |" in PAGE
    for name in COMMANDS:
        assert f"bitten data {name}" in PAGE
    for name in (*parquet.FileMeta.__struct_fields__, "format", "point", "counts"):
        assert f"`bitten.{name}`" in PAGE
    for name in (*TICK_NAMES, *BAR_NAMES):
        assert name in PAGE
    assert f"{parquet.ROW_GROUP:,} rows" in PAGE


def test_the_clocks_of_the_page_are_clocks() -> None:
    rules = re.search(r"\| rule \| clock \|\n\|---\|---\|\n(.*?)\n\n", PAGE, re.DOTALL)
    assert rules is not None
    names = re.findall(r"^\| `(.+?)` \|", rules[1], re.MULTILINE)
    assert len(names) == 6
    for name in names:
        assert check_clock(name) == name


def test_the_toml_of_the_page_is_valid() -> None:
    gold, feed = (tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
    instrument = load_instruments(gold["instruments"])["XAUUSD"]
    assert (instrument.digits, instrument.default_spread) == (2, 30)
    assert feed["feed"]["symbols"] == ["EURUSD", "XAUUSD"]
