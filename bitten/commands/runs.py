"""`bitten runs`: what was run and what came out; its other commands stand in files of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bitten.commands.runs_diff import diff_runs
from bitten.commands.runs_export import export_run
from bitten.commands.runs_folder import (
    RUNS_DIR,
    UNBOUNDED,
    check_given,
    literal,
    make_console,
    none_in,
    open_named,
    open_run,
    run_names,
)

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.run import Run
    from bitten.sweeping.result import Sweep

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

    check_given(runs_dir)
    console = make_console()
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
        console.print(none_in(runs_dir), soft_wrap=True, markup=False)


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
        table.add_row(*(literal(fact) for fact in facts), *figures)
    if console.measure(table, options=console.options.update(width=UNBOUNDED)).maximum <= console.width:
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
@click.option("--patterns", is_flag=True, help="Only how patterns did: by symbol, session and confidence.")
@click.option("--gates", is_flag=True, help="Only what gates and shields refused and let pass, and what it was worth.")
@RUNS_DIR
def show_run(name: str, patterns: bool, gates: bool, runs_dir: Path) -> None:
    """Print the summary of the run NAME, or the best and worst of the sweep (a name, or a path to a folder).

    \b
    Examples:
      bitten runs show backtest-0001
      bitten runs show backtest-0001 --patterns --gates
      bitten runs show /elsewhere/runs/backtest-0001
    """
    from rich.text import Text

    from bitten.analysis.signalterminal import print_gates, print_patterns
    from bitten.analysis.terminal import print_summary
    from bitten.run import Run
    from bitten.sweeping.terminal import print_sweep

    console = make_console()
    if patterns or gates:
        stats = open_run(name, runs_dir).stats
        if patterns:
            print_patterns(console, stats)
        if gates:
            print_gates(console, stats)
        return
    run = open_named(name, runs_dir)
    if isinstance(run, Run):
        print_summary(console, run.stats, run.manifest)
    else:
        print_sweep(console, run.table, run.manifest)
    console.print(Text(f"Report {run.report if run.report.exists() else 'none'}"), soft_wrap=True)


def _opened(runs_dir: Path, console: Console) -> Iterator[Run | Sweep]:
    """Every readable run and sweep of the folder; an unreadable one is named and passed over."""
    from rich.markup import escape

    from bitten.errors import BittenError
    from bitten.sweeping.result import open_folder

    for name in run_names(runs_dir):
        try:
            yield open_folder(runs_dir / name)
        except BittenError as error:
            console.print(f"[yellow]passed over:[/] {escape(str(error))}", soft_wrap=True)


runs.add_command(diff_runs)
runs.add_command(export_run)
