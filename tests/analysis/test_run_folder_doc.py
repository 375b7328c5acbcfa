"""docs/run-folder.md says what the code does: every column, every key."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

import bitten
from bitten.analysis.breakdown import BREAKDOWNS
from bitten.analysis.performance import PERFORMANCE
from bitten.analysis.statistics import summarise
from bitten.analysis.tracking import tracking_events
from bitten.journal.schema import TABLES, TIME, WORD
from bitten.sessions import SESSIONS
from bitten.sweeping.table import COLUMNS
from tests.analysis.made_run import make_run
from tests.analysis.made_signals import CHAIN, make_signals

PAGE = (Path(__file__).parents[2] / "docs" / "run-folder.md").read_text(encoding="utf-8")
TYPES = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "price": pa.float64(),
    "money": pa.float64(),
    "time": TIME,
    "word": WORD,
}


def section(title: str) -> str:
    """Text from a heading to the next one of the same or a higher level."""
    level = len(title) - len(title.lstrip("#"))
    body = PAGE.split(f"\n{title}\n", 1)[1]
    return re.split(rf"\n#{{1,{level}}} ", body, maxsplit=1)[0]


def rows(text: str) -> list[list[str]]:
    """Cells of every table row that begins with a name in backquotes."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_documented_with_its_type(name):
    documented = [(cells[0].strip("`"), TYPES[cells[1]]) for cells in rows(section(f"## {name}.parquet"))]
    assert documented == [(field.name, field.type) for field in TABLES[name]]


def test_every_column_of_the_performance_is_documented_with_its_type():
    documented = [(cells[0].strip("`"), TYPES[cells[1]]) for cells in rows(section("## performance.parquet"))]
    assert documented == [(field.name, field.type) for field in PERFORMANCE]


def test_every_session_is_documented():
    text = section("## performance.parquet")
    assert all(f"`{name}`" in text for name in SESSIONS)


def names_after(title: str, beginning: str) -> list[str]:
    """Names in backquotes of the sentence that begins so."""
    text = section(title).split(beginning, 1)[1]
    return re.findall(r"`(\w+)`", re.split(r"\.\s", text, maxsplit=1)[0].split(", defined")[0].split(";")[0])


def test_every_key_of_the_signals_figures_is_documented():
    made = make_signals(trades=60, refused=60, bars=4000, accounts=("one", "two"))
    found = summarise(made.tables, made.accounts, chain=CHAIN)
    gate = found["attribution"]["band"]
    assert names_after("### What gates were worth", "One side holds") == list(gate["refused"])
    told = names_after("### What gates were worth", "Each gate and shield has")
    assert {"key", *told} == {"key", *gate, *gate["by_pattern"][0]}
    assert names_after("### How patterns did", "A row of") == ["patterns", *found["patterns"][0]]
    assert names_after("### Calibration and scores", "`calibration` holds") == list(found["calibration"])
    assert names_after("### Calibration and scores", "signals and has") == list(found["calibration"]["bins"][0])
    assert names_after("### Calibration and scores", "A row of `scores` holds") == list(found["scores"]["citadel"][0])
    groups = names_after("### Calibration and scores", "A row of `account_groups` holds")
    assert groups == list(found["account_groups"][0])


def test_every_key_of_a_tracking_event_is_documented():
    event = next(tracking_events(make_signals(trades=2, refused=2, bars=3000).tables))
    assert names_after("## Tracking events", "fired or not:") == list(event)


def test_every_column_of_a_sweep_is_documented_with_its_type():
    documented = [(cells[0].strip("`"), TYPES[cells[1]]) for cells in rows(section("### sweep.parquet"))]
    assert documented == [("combination", pa.int64()), *COLUMNS.items()]


def test_every_key_of_the_manifest_of_a_sweep_is_documented(tmp_path):
    feed = {"use": "synthetic", "symbols": ["EURUSD"], "from": "2024-04-08T10:00", "to": "2024-04-08T11:00"}
    made = bitten.sweep(feed=feed, patterns=["bb_scalp"], grid={"run.seed": [1]}, jobs=1, output=tmp_path)
    documented = [cells[0].strip("`") for cells in rows(section("### manifest.json of a sweep"))]
    assert sorted(documented) == sorted(made.manifest)


def test_every_key_of_the_summary_is_documented():
    made = make_run(trades=30, bars=3000)
    documented = [cells[0].strip("`") for cells in rows(section("## summary.json"))]
    assert len(documented) == len(set(documented))
    assert set(documented) == set(summarise(made.tables, made.accounts))


def test_every_key_of_a_breakdown_is_documented():
    made = make_run(trades=30, bars=3000)
    found = summarise(made.tables, made.accounts)["breakdowns"]
    sentence = section("### Signals and groups").split("A row of a breakdown holds", 1)[1]
    assert re.findall(r"`(\w+)`", sentence) == list(found["pattern"][0])
    groups = next(cells[2] for cells in rows(section("## summary.json")) if cells[0] == "`breakdowns`")
    assert re.findall(r"`(\w+)`", groups.split(";")[0]) == list(BREAKDOWNS) == list(found)


def test_every_file_of_the_folder_is_listed():
    listed = {cells[0].strip("`") for cells in rows(PAGE.split("\n## ", 1)[0])}
    assert listed == {"manifest.json", "summary.json", "report.html"} | {
        f"{name}.parquet" for name in (*TABLES, "performance")
    }
