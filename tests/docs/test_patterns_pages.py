"""docs/patterns: a page for each bundled pattern, whose tables are its parameters and its evidence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bitten.manager import Manager
from bitten.parameters import parameters

FOLDER = Path(__file__).parents[2] / "docs" / "patterns"
INDEX = FOLDER / "README.md"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path != INDEX)
page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)


def rows(text: str, heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without its head."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, f'there is no section "{heading}"'
    return [line.strip("| ").split(" | ") for line in section[1].splitlines() if line.startswith("| `")]


def bundled() -> dict[str, str]:
    """Names of the patterns of bitten's own plugins, with their targets."""
    return {
        name: entry.target
        for name, entry in Manager().registry("patterns").items()
        if entry.target.startswith("bitten_plugins.")
    }


def test_every_bundled_pattern_has_a_page_and_stands_in_the_index() -> None:
    assert {path.stem for path in PAGES} == set(bundled())
    linked = re.findall(r"^\| \[`(\w+)`\]\((\w+)\.md\) \|", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    assert all(name == target for name, target in linked)
    assert {name for name, _ in linked} >= set(bundled())


@page
def test_the_page_is_about_its_pattern(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# `{page.stem}`: ")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["Definition", "Confidence", "Evidence", "Parameters", "Measured", "Sources"]
    assert re.search(r"\bon 20\d\d-\d\d-\d\d\b", text), "measured figures carry their date"


@page
def test_the_parameters_are_those_of_the_configuration(page: Path) -> None:
    kind = Manager().registry("patterns")[page.stem].load()
    expected = [[f"`{p.name}`", p.default, p.allowed or p.type, p.description] for p in parameters(kind.Config)]
    assert rows(page.read_text(encoding="utf-8"), "Parameters") == expected


@page
def test_the_evidence_is_that_of_the_signals(page: Path) -> None:
    kind = Manager().registry("patterns")[page.stem].load()
    found = rows(page.read_text(encoding="utf-8"), "Evidence")
    assert [cells[0] for cells in found] == [f"`{name}`" for name in kind.evidence]
    assert all(len(cells) == 2 and cells[1] for cells in found)


@page
def test_words_in_code_are_names_of_the_pattern(page: Path) -> None:
    """A parameter that was renamed does not live on in the text."""
    kind = Manager().registry("patterns")[page.stem].load()
    names = {p.name for p in parameters(kind.Config)} | set(kind.evidence) | set(bundled()) | {"smartmoneyconcepts"}
    values = {match for p in parameters(kind.Config) for match in re.findall(r"\w+", f"{p.default} {p.type}")}
    for code in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")):
        assert set(re.findall(r"[A-Za-z_]\w*", code)) <= names | values, code


def test_the_index_says_what_confidence_is_and_what_to_expect() -> None:
    text = " ".join(INDEX.read_text(encoding="utf-8").split())
    assert "Confidence describes quality, not probability" in text
    assert "Untuned, they lose about what trading costs" in text
