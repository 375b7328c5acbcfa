"""`bitten backtest`: parse, run, print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

_PLAIN_WIDTH: Final = 200  # columns where the output is no terminal

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.backtesting import Progress


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False), default="bitten.toml")
@click.option("--name", help="Of the run folder; the next free number by default.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder of run folders.")
@click.option("--overwrite", is_flag=True, help="Replace a run of that name.")
@click.option("--quiet", is_flag=True, help="Print the run folder only.")
def backtest(config: Path, name: str | None, output: Path | None, overwrite: bool, quiet: bool) -> None:
    """Run the strategy of CONFIG (bitten.toml by default) over its feed, tick by tick.

    Leaves a run folder with every signal, decision, trade and outcome as Parquet, a summary and a report to open in a
    browser. Ctrl-C stops it and keeps nothing.
    """
    from rich.console import Console

    from bitten.analysis.terminal import print_summary
    from bitten.backtesting import backtest as run_backtest

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)  # lines in a pipe are for other programs: none is broken
    with progress_bar(Console(stderr=True)) as progress:
        run = run_backtest(config, name=name, output=output, overwrite=overwrite, progress=progress)
    if quiet:
        click.echo(run.folder)
        return
    print_summary(console, run.stats, run.manifest)
    timings = run.manifest["timings"]
    console.print(
        f"{run.manifest['quotes']:,} quotes in {timings['replay_seconds']:.2f} s "
        f"({timings['quotes_per_second']:,} per second)"
    )
    console.print(f"run folder {run.folder}\nreport     {run.report}", highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress | None]:
    """Progress with rate and time left; nothing at all where nobody looks. Ctrl-C says how far it got."""
    from bitten.clock import iso

    reached = 0

    def follow(quotes: int, total: int | None, time: int) -> None:
        nonlocal reached
        reached = time
        if bar is not None:
            speed = bar.tasks[0].speed
            rate = f"{speed / 1e6:.1f} M/s" if speed else ""
            bar.update(task, completed=quotes, total=total, moment=iso(time, 0)[:16], rate=rate)

    bar = None
    try:
        if console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            bar = Progress(
                TextColumn("{task.fields[moment]}"), BarColumn(), MofNCompleteColumn(), TextColumn("quotes"),
                TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console, transient=True,
            )  # fmt: skip
            task = bar.add_task("replay", total=None, moment="starting", rate="")
            bar.start()
        yield follow
    except KeyboardInterrupt:
        at = f" at {iso(reached, 0)} UTC of the data" if reached else ""
        raise KeyboardInterrupt(f"stopped{at}; the unfinished run was not kept, earlier runs are untouched") from None
    finally:
        if bar is not None:
            bar.stop()
