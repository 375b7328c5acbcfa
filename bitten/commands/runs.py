"""`bitten runs`: what was run, what came out, and where two runs differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bitten.analysis.compare import Difference
    from bitten.run import Run
    from bitten.sweeping.result import Sweep

DEFAULT_DIR: Final = Path("runs")
RUNS_DIR = click.option(
    "--runs-dir",
    default=DEFAULT_DIR,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that holds the run folders.",
)

_UNBOUNDED: Final = 10_000  # columns
_MOST_SYMBOLS: Final = 4
_LISTED: Final = {"trades": "trades", "win_rate": "win", "expectancy_r": "R", "net": "net", "max_drawdown": "drawdown"}


@click.group()
def runs() -> None:
    """List, show and compare finished runs; list and show sweeps."""


@runs.command("list", short_help="List the runs, oldest first.")
@RUNS_DIR
def list_runs(runs_dir: Path) -> None:
    """List the runs and then the sweeps, oldest first; † marks synthetic quotes.

    A terminal too narrow for the table gets two lines per run; a pipe gets one line per run, whatever its length.
    """
    from bitten.analysis.terminal import is_synthetic
    from bitten.run import Run
    from bitten.sweeping.result import Sweep
    from bitten.sweeping.terminal import print_sweeps

    _check_given(runs_dir)
    console = _console()
    found = list(_opened(runs_dir, console))
    found.sort(key=lambda run: (str(run.manifest.get("created", "")), run.folder.name))
    finished = [run for run in found if isinstance(run, Run)]
    sweeps = [sweep for sweep in found if isinstance(sweep, Sweep)]
    if finished:
        print_runs(console, finished)
    if sweeps:
        if finished:
            console.print()
        print_sweeps(console, sweeps)
    if any(is_synthetic(one.manifest) for one in found):
        console.print("† synthetic quotes: the result says nothing about a market", soft_wrap=True)
    if not found:
        console.print(_none_in(runs_dir), soft_wrap=True, markup=False)


def print_runs(console: Console, found: Sequence[Run]) -> None:
    """Print runs as a table; in two lines each where the terminal is too narrow for it."""
    from rich.table import Table

    from bitten.analysis.figures import BY_KEY, show
    from bitten.analysis.terminal import is_synthetic, period_text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("run", "period", "symbols"):
        table.add_column(name, no_wrap=True)
    for heading in _LISTED.values():
        table.add_column(heading, justify="right", no_wrap=True)
    rows = []
    for run in found:
        mark = " †" if is_synthetic(run.manifest) else ""
        facts = (run.folder.name + mark, period_text(run.manifest), _symbols(run))
        rows.append((facts, [show(BY_KEY[key], run.stats.get(key)).removesuffix(" R") for key in _LISTED]))
    for facts, figures in rows:
        table.add_row(*(_literal(fact) for fact in facts), *figures)
    if console.measure(table, options=console.options.update(width=_UNBOUNDED)).maximum <= console.width:
        console.print(table)
    else:
        for facts, figures in rows:
            named = (f"{heading} {figure}" for heading, figure in zip(_LISTED.values(), figures, strict=True))
            console.print("  ".join(fact for fact in facts if fact), markup=False, style="bold")
            console.print("    " + "  ".join(named), markup=False)


def _symbols(run: Run) -> str:
    names = [str(name) for name in run.manifest.get("symbols") or ()]
    more = f" +{len(names) - _MOST_SYMBOLS}" if len(names) > _MOST_SYMBOLS else ""
    return " ".join(names[:_MOST_SYMBOLS]) + more


@runs.command("show", short_help="Print the summary of a run.")
@click.argument("name")
@RUNS_DIR
def show_run(name: str, runs_dir: Path) -> None:
    """Print the summary of the run NAME, or the best and worst of the sweep (a name, or a path to a folder).

    \b
    Examples:
      bitten runs show backtest-0001
      bitten runs show /elsewhere/runs/backtest-0001
    """
    from rich.text import Text

    from bitten.analysis.terminal import print_summary
    from bitten.run import Run
    from bitten.sweeping.terminal import print_sweep

    run = _open(name, runs_dir)
    console = _console()
    if isinstance(run, Run):
        print_summary(console, run.stats, run.manifest)
    else:
        print_sweep(console, run.table, run.manifest)
    console.print(Text(f"Report {run.report if run.report.exists() else 'none'}"), soft_wrap=True)


@runs.command("diff", short_help="Compare the settings, figures and tables of two runs.")
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
    from bitten.analysis.compare import differences

    one, two = _open_run(first, runs_dir), _open_run(second, runs_dir)
    found = differences(one.tables, two.tables)
    console = _console()
    _print_configurations(console, one, two)
    _print_figures(console, one, two)
    for difference in found:
        _print_difference(console, difference, (one.folder.name, two.folder.name))
    if found:
        raise SystemExit(1)
    console.print("identical: signals, decisions, trades, outcomes and equity agree row by row", soft_wrap=True)


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
        table.add_column(_literal(heading), overflow="fold")
    for key, values in found.items():
        table.add_row(_literal(key), *(_literal(value) for value in values))
    console.print(table)
    console.print()


def _print_figures(console: Console, one: Run, two: Run) -> None:
    from rich.table import Table

    from bitten.analysis.figures import FIGURES, show

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    for run in (one, two):
        table.add_column(_literal(run.folder.name), justify="right")
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


def _opened(runs_dir: Path, console: Console) -> Iterator[Run | Sweep]:
    """Every readable run and sweep of the folder; an unreadable one is named and passed over."""
    from rich.markup import escape

    from bitten.errors import BittenError
    from bitten.sweeping.result import open_folder

    for name in _names(runs_dir):
        try:
            yield open_folder(runs_dir / name)
        except BittenError as error:
            console.print(f"[yellow]passed over:[/] {escape(str(error))}", soft_wrap=True)


def _open_run(name: str, runs_dir: Path) -> Run:
    """A run to compare.

    Raises:
        BittenError: there is none of that name, or it is a sweep.
    """
    from bitten.errors import BittenError
    from bitten.run import Run

    found = _open(name, runs_dir)
    if not isinstance(found, Run):
        raise BittenError(f'"{name}" is a sweep, and only single runs are compared; `bitten runs show {name}` shows it')
    return found


def _open(name: str, runs_dir: Path) -> Run | Sweep:
    """The run or sweep of that name in the folder, or at that path.

    Raises:
        BittenError: there is neither, with near misses.
    """
    from bitten.errors import BittenError, did_you_mean
    from bitten.sweeping.result import open_folder

    for folder in (runs_dir / name, Path(name)):
        if (folder / "manifest.json").is_file():
            return open_folder(folder)
    _check_given(runs_dir)
    names = _names(runs_dir)
    if not names:
        raise BittenError(f'there is no run "{name}": {_none_in(runs_dir)}')
    raise BittenError(f'there is no run "{name}" in {runs_dir}{did_you_mean(name, names)}')


def _check_given(runs_dir: Path) -> None:
    """Refuse a folder that was asked for and is not there; the default one may not have been made yet.

    Raises:
        BittenError: with what to do.
    """
    from bitten.errors import BittenError

    if not runs_dir.is_dir() and runs_dir != DEFAULT_DIR:
        raise BittenError(f"there is no folder {runs_dir}; --runs-dir names the folder that holds the run folders")


def _none_in(runs_dir: Path) -> str:
    return f"{runs_dir} holds no runs yet; `bitten backtest` makes one, --runs-dir looks elsewhere"


def _names(runs_dir: Path) -> list[str]:
    if not runs_dir.is_dir():
        return []
    return sorted(folder.name for folder in runs_dir.iterdir() if (folder / "manifest.json").is_file())


def _literal(text: str) -> Text:
    """Text that is printed as it is, whatever brackets it holds."""
    from rich.text import Text

    return Text(text)


def _console() -> Console:
    """As wide as the terminal; into a pipe or file no line is broken."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_UNBOUNDED)
