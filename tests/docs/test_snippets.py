"""Every Python example in README.md and docs/ runs, page by page, in the order in which a reader meets it."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OWN_TESTS = {"data.md"}  # needs a filled store: tests/store/test_data_docs.py makes one and runs its examples
PAGES = sorted(page for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"] if page.name not in OWN_TESTS)

_BLOCK = re.compile(
    r"^(?P<mark><!-- not run: (?P<reason>.*?) -->\n+)?(?P<fence>`{3,})python[^\n]*\n(?P<code>.*?)^(?P=fence)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)


def blocks(text: str) -> list[tuple[int, str]]:
    """(line, code) of each block that is to run."""
    found = []
    for match in _BLOCK.finditer(text):
        if match["mark"]:
            assert match["reason"].strip(), "a block that is not run says why: <!-- not run: reason -->"
            continue
        found.append((text.count("\n", 0, match.start("code")), match["code"]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType(f"page_{page.stem.replace('-', '_')}")  # classes of the page resolve their names in it
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for line, code in blocks(page.read_text(encoding="utf-8")):
        exec(compile("\n" * line + code, str(page), "exec", dont_inherit=True), vars(module))


def test_there_are_pages_with_examples() -> None:
    assert any(blocks(page.read_text(encoding="utf-8")) for page in PAGES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\n```python\nx = 1\n```\n", [(2, "x = 1\n")]),
        ("```python\nx = 1\n```\ntext\n\n```python\ny = 2\n```\n", [(1, "x = 1\n"), (6, "y = 2\n")]),
        ("<!-- not run: needs a terminal -->\n```python\nx = 1\n```\n", []),
        ("```toml\nx = 1\n```\n", []),
        ('````python\nx = """\n```\n"""\n````\n', [(1, 'x = """\n```\n"""\n')]),
    ],
)
def test_what_counts_as_an_example(text: str, found: list[tuple[int, str]]) -> None:
    assert blocks(text) == found


def test_a_block_that_is_not_run_says_why() -> None:
    with pytest.raises(AssertionError, match="says why"):
        blocks("<!-- not run:  -->\n```python\nx\n```\n")
