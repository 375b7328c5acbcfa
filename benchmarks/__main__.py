"""All benchmarks in one go, each in a process of its own, and at the end the goals and what was measured.

    python3 dev.py bench [PART ...] [--quick] [--json FILE] [--docs]

PART is one or more of ticks, billion, positions, startup, sweeps, peers, onbar, accounts; all of them by default.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from benchmarks.goals import summary
from benchmarks.page import tables, write_page
from benchmarks.report import CLOCK, ROOT, Sheet, json_option, machine, print_machine
from bitten.clock import iso

PARTS: Final = ("ticks", "billion", "positions", "startup", "sweeps", "peers", "onbar", "accounts")
QUICKER: Final = {"peers": ("--rounds", "1")}  # whose own --quick only leaves out what is slow


def run_part(console: Console, part: str, quick: bool) -> tuple[int, dict[str, Any] | None]:
    """One part in a process of its own, which prints as it goes: exit status and figures (None without any)."""
    console.rule(part)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        command = [sys.executable, "-m", f"benchmarks.{part}", "--json", str(path)]
        if quick:
            command += ["--quick", *QUICKER.get(part, ())]
        start = CLOCK.elapsed()
        status = subprocess.call(command, cwd=ROOT)
        console.print(f"{part}: {CLOCK.elapsed() - start:.0f} s in all", highlight=False)
        if status:
            console.print(f"{part} FAILED with status {status}", style="bold red")
        return status, json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def all_sheets(parts: Mapping[str, Mapping[str, Any]]) -> list[Sheet]:
    """The summary, then the tables of every part."""
    modules = {part: import_module(f"benchmarks.{part}") for part in parts}
    return [summary(parts), *(sheet for part, module in modules.items() for sheet in module.sheets(parts[part]))]


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS), metavar="[PART]...")
@click.option("--quick", is_flag=True, help="Small sizes and few runs, to see that everything works.")
@click.option("--docs", is_flag=True, help="Write the tables into docs/performance.md.")
@click.option("--from", "saved", type=click.Path(path_type=Path), help="Measure nothing: figures that --json wrote.")
@json_option
def main(parts: tuple[str, ...], quick: bool, docs: bool, saved: Path | None, to: Path | None) -> None:
    """Run the benchmarks PART (ticks, billion, positions, startup, sweeps, peers, onbar, accounts), all by default."""
    console = Console(width=150)
    if saved is not None:
        run = json.loads(saved.read_text(encoding="utf-8"))
        chosen = [part for part in parts or PARTS if part in run["parts"]]
        run["parts"] = {part: run["parts"][part] for part in chosen}
    else:
        run = measure_all(console, [part for part in PARTS if part in parts or not parts], quick)
    if to is not None:
        to.write_text(json.dumps(run, indent=1), encoding="utf-8")
        console.print(f"figures in {to}", highlight=False)
    sheets = all_sheets(run["parts"])
    if saved is not None:
        for sheet in sheets[1:]:
            sheet.show(console)
    sheets[0].show(console)
    if docs:
        write_page(tables(run, sheets))
        console.print("docs/performance.md has the tables", highlight=False)
    if run["failed"]:
        console.print(f"failed: {', '.join(run['failed'])}, see above", style="bold")
        sys.exit(1)


def measure_all(console: Console, chosen: list[str], quick: bool) -> dict[str, Any]:
    """Run the parts and collect what they write."""
    facts = machine()
    print_machine(console)
    found = {part: run_part(console, part, quick) for part in chosen}
    console.rule()
    return {
        "date": iso(CLOCK.now_ns(), 0)[:10],
        "quick": quick,
        "machine": facts,
        "parts": {part: figures for part, (_, figures) in found.items() if figures is not None},
        "failed": [part for part, (status, _) in found.items() if status],
    }


if __name__ == "__main__":
    sys.exit(main())
