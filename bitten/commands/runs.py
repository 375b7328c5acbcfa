"""`bitten runs`: what was run, what came out, and where two runs differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.analysis.compare import Difference
    from bitten.run import Run

RUNS_DIR = click.option(
    "--runs-dir",
    default="runs",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that holds the run folders.",
)

_LISTED = {"trades": "trades", "win_rate": "win", "expectancy_r": "R", "net": "net", "max_drawdown": "drawdown"}


@click.group()
def runs() -> None:
    """List, show and compare finished runs."""


@runs.command("list")
@RUNS_DIR
def list_runs(runs_dir: Path) -> None:
    """List the runs, oldest first."""
    from rich.markup import escape
    from rich.table import Table

    from bitten.analysis.figures import BY_KEY, show
    from bitten.analysis.terminal import is_synthetic, period_text

    console = _console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("run", "period", "symbols"):
        table.add_column(name, overflow="fold")
    for heading in _LISTED.values():
        table.add_column(heading, justify="right", no_wrap=True)
    found = list(_opened(runs_dir, console))
    for run in sorted(found, key=lambda run: (str(run.manifest.get("created", "")), run.folder.name)):
        label = f"{run.folder.name}\n(synthetic)" if is_synthetic(run.manifest) else run.folder.name
        facts = (label, period_text(run.manifest), " ".join(map(str, run.manifest.get("symbols") or ())))
        figures = (show(BY_KEY[key], run.stats.get(key)).removesuffix(" R") for key in _LISTED)
        table.add_row(*(escape(fact) for fact in facts), *figures)
    if found:
        console.print(table)
    else:
        console.print(f"no runs in {escape(str(runs_dir))}; `bitten backtest` makes one, --runs-dir looks elsewhere")


@runs.command("show")
@click.argument("name")
@RUNS_DIR
def show_run(name: str, runs_dir: Path) -> None:
    """Print the summary of the run NAME (a name, or a path to a run folder)."""
    from rich.text import Text

    from bitten.analysis.terminal import print_summary

    run = _open(name, runs_dir)
    console = _console()
    print_summary(console, run.stats, run.manifest)
    console.print(Text(f"Report {run.report if run.report.exists() else 'none'}"))


@runs.command("diff")
@click.argument("first")
@click.argument("second")
@RUNS_DIR
def diff_runs(first: str, second: str, runs_dir: Path) -> None:
    """Compare two runs: key figures side by side, then the first differing row of every table.

    The exit code is 0 where all tables are identical, 1 where they differ.
    """
    from bitten.analysis.compare import differences

    one, two = _open(first, runs_dir), _open(second, runs_dir)
    console = _console()
    _print_figures(console, one, two)
    found = differences(one.tables, two.tables)
    for difference in found:
        _print_difference(console, difference, (one.folder.name, two.folder.name))
    if found:
        raise SystemExit(1)
    console.print("identical: signals, decisions, trades, outcomes and equity agree row by row")


def _print_figures(console: Console, one: Run, two: Run) -> None:
    from rich.markup import escape
    from rich.table import Table

    from bitten.analysis.figures import FIGURES, show

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    for run in (one, two):
        table.add_column(escape(run.folder.name), justify="right")
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


def _opened(runs_dir: Path, console: Console) -> Iterator[Run]:
    """Every readable run of the folder; an unreadable one is named and passed over."""
    from rich.markup import escape

    from bitten.errors import BittenError
    from bitten.run import Run

    for name in _names(runs_dir):
        try:
            yield Run.open(runs_dir / name)
        except BittenError as error:
            console.print(f"[yellow]passed over:[/] {escape(str(error))}")


def _open(name: str, runs_dir: Path) -> Run:
    """The run of that name in the folder, or the run folder at that path.

    Raises:
        BittenError: there is neither, with near misses.
    """
    from bitten.errors import BittenError, did_you_mean
    from bitten.run import Run

    for folder in (runs_dir / name, Path(name)):
        if (folder / "manifest.json").is_file():
            return Run.open(folder)
    names = _names(runs_dir)
    hint = did_you_mean(name, names) if names else ": that folder holds no runs, --runs-dir looks elsewhere"
    raise BittenError(f'run "{name}" is not in {runs_dir}{hint}')


def _names(runs_dir: Path) -> list[str]:
    if not runs_dir.is_dir():
        return []
    return sorted(folder.name for folder in runs_dir.iterdir() if (folder / "manifest.json").is_file())


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)
