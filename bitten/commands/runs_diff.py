"""`bitten runs diff`: where two runs differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bitten.commands.runs_folder import RUNS_DIR, literal, make_console, open_run

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.analysis.compare import Difference
    from bitten.run import Run


@click.command("diff", short_help="Compare the settings, figures and tables of two runs.")
@click.argument("first")
@click.argument("second")
@RUNS_DIR
def diff_runs(first: str, second: str, runs_dir: Path) -> None:
    """Compare two runs: where their configurations differ, key figures side by side, the first differing row of each
    table.

    The exit code is 0 where all tables are identical, 1 where they differ.

    \b
    Examples:
      bitten runs diff backtest-0001 backtest-0002
      bitten runs diff backtest-0001 /elsewhere/runs/backtest-0001
    """
    from bitten.analysis.compare import ORDER, differences

    one, two = open_run(first, runs_dir), open_run(second, runs_dir)
    found = differences(one.tables, two.tables)
    console = make_console()
    _print_configurations(console, one, two)
    _print_figures(console, one, two)
    for difference in found:
        _print_difference(console, difference, (one.folder.name, two.folder.name))
    if found:
        raise SystemExit(1)
    *names, last = ORDER
    console.print(f"identical: {', '.join(names)} and {last} agree row by row", soft_wrap=True)


def _print_configurations(console: Console, one: Run, two: Run) -> None:
    """The keys that were set differently; passwords and the like stay unsaid."""
    from rich.table import Table

    from bitten.analysis.compare import different_keys
    from bitten.analysis.sections import blot

    found = different_keys(*(blot(run.manifest.get("config") or {}) for run in (one, two)))
    if not found:
        console.print("The configurations are equal.\n")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("configuration", one.folder.name, two.folder.name):
        table.add_column(literal(heading), overflow="fold")
    for key, values in found.items():
        table.add_row(literal(key), *(literal(value) for value in values))
    console.print(table)
    console.print()


def _print_figures(console: Console, one: Run, two: Run) -> None:
    from rich.table import Table

    from bitten.analysis.figures import FIGURES, show

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    for run in (one, two):
        table.add_column(literal(run.folder.name), justify="right")
    table.add_column("")
    for figure in FIGURES:
        values = [run.stats.get(figure.key) for run in (one, two)]
        texts = [show(figure, run.stats.get(figure.key), run.stats.get("currency")) for run in (one, two)]
        table.add_row(figure.label, *texts, "" if values[0] == values[1] else "≠")
    console.print(table)


def _print_difference(console: Console, difference: Difference, names: tuple[str, str]) -> None:
    from rich.markup import escape
    from rich.table import Table

    first, second = difference.rows
    console.print(f"\n[bold]{difference.table}[/] differ from row {difference.row} on ({first:,} and {second:,} rows)")
    rows = (difference.first, difference.second)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("", *names, ""):
        table.add_column(escape(heading), overflow="fold")
    for column in {name: None for row in rows if row is not None for name in row}:
        values = [_text(row, column) for row in rows]
        table.add_row(column, *(escape(value) for value in values), "" if values[0] == values[1] else "≠")
    console.print(table)


def _text(row: dict[str, Any] | None, column: str) -> str:
    if row is None:
        return "(no such row)"
    value = row.get(column)
    return "null" if value is None else str(value)
