"""The tables of docs/performance.md, written between its markers from the figures of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.report import ROOT, Sheet

PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- bench:begin -->"
END: Final = "<!-- bench:end -->"


def tables(run: Mapping[str, Any], sheets: list[Sheet]) -> str:
    """Markdown of a run: when and where it was, and every table."""
    facts = run["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    lines = [
        f"Measured on {run['date']} by `python3 dev.py bench --docs{' --quick' if run['quick'] else ''}`: "
        f"{facts['system']}, {facts['cpu']}, {facts['cores']} cores; Python {facts['python']}, {packages}; load "
        f"average before the run {facts['load']:.2f}.",
    ]
    if run["quick"]:
        lines.append("These are SMALL sizes and few runs: they show that everything works, not how fast it is.")
    return "\n\n".join([*lines, *(sheet.markdown() for sheet in sheets)])


def write_page(text: str, page: Path = PAGE) -> None:
    """Put the tables between the page's markers; the rest of the page stays as it is.

    Raises:
        ValueError: a marker is missing.
    """
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} lacks {BEGIN} or {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
