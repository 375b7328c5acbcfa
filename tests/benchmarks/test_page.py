"""docs/performance.md is written by the benchmark: its markers stand, its parts are told, no goal is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import PARTS, main
from benchmarks.goals import GOALS, summary
from benchmarks.page import BEGIN, END, PAGE, tables, write_page
from benchmarks.report import Sheet, machine
from benchmarks.stores import ALL, EVERY, LONG, STARTER

TICKS = {
    "quotes": 100_000_000, "symbols": ["EURUSD"], "arrow_threads": 2, "bare": [0.2, 0.4, 0.3],
    "strategies": {
        STARTER: {"seconds": [0.5, 0.5], "signals": 7, "trades": 3},
        EVERY: {"seconds": [1.0, 1.0], "signals": 7, "trades": 6},
        ALL: {"seconds": [0.6, 0.6], "signals": 70, "trades": 6},
    },
    "ratios": {STARTER: 0.6, EVERY: 0.3, ALL: 0.5},
    "stages": {EVERY: [("decode", 0.4, 0.6), ("report", 0.1, 0.1)]},
}  # fmt: skip


def test_the_page_has_its_markers_once_and_names_every_part() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text.index(BEGIN) < text.index(END)
    for part in PARTS:
        assert f"| `{part}` |" in text


def test_the_summary_lists_every_goal() -> None:
    assert {goal.part for goal in GOALS} == set(PARTS)
    rows = summary({}).rows
    assert [row[:3] for row in rows] == [[goal.part, goal.what, goal.goal] for goal in GOALS]
    assert all(row[3:] == ["not measured", ""] for row in rows)


def test_goals_are_judged_by_the_figures() -> None:
    rows = [row for row in summary({"ticks": TICKS}).rows if row[0] == "ticks"]
    assert [row[-1] for row in rows] == ["yes", "NO", "yes"]


@pytest.mark.parametrize(("wall", "quotes", "said"), [(39.0, 10**9, "yes"), (41.0, 10**9, "NO"), (3.0, 10**8, "")])
def test_a_billion_is_judged_only_where_there_was_one(wall: float, quotes: int, said: str) -> None:
    length = {"quotes": quotes, "wall": [wall], "peak": 900.0}
    one = {"lengths": [length], "further": [20.0, 21.0]}
    rows = summary({"billion": {"strategies": dict.fromkeys(LONG, one)}}).rows
    assert [row[-1] for row in rows if row[0] == "billion"] == [said, said, *["yes" if said else ""] * 3]


def test_tables_are_written_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    run = {"date": "2026-01-02", "quick": False, "machine": machine()}
    sheet = Sheet("Of a | b", ("what", "s"), [["a | b", "1"]], ["A note."])
    write_page(tables(run, [sheet]), page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# before\n\n{BEGIN}\n\nMeasured on 2026-01-02")
    assert text.endswith(f"A note.\n\n{END}\n\nafter\n")
    assert "| a \\| b | 1 |" in text
    assert "old" not in text
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks"):
        write_page("x", page)


def test_figures_are_shown_again_without_measuring(tmp_path: Path) -> None:
    saved = tmp_path / "figures.json"
    run = {"date": "2026-01-02", "quick": False, "machine": machine(), "parts": {"ticks": TICKS}, "failed": []}
    saved.write_text(json.dumps(run), encoding="utf-8")
    result = CliRunner().invoke(main, ["--from", str(saved)])
    assert result.exit_code == 0, result.output
    assert "Share of time per stage, every signal fires" in result.output
    assert "not measured" in result.output
