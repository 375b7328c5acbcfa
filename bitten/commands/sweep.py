"""`bitten sweep`: parse, run, print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

_PLAIN_WIDTH: Final = 250  # columns where the output is no terminal

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.sweeping.sweeps import SweepProgress


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False), default="bitten.toml")
@click.option("--grid", "grid", multiple=True, metavar="KEY=VALUES", help="A key and its values; repeat for more keys.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes; one for each core by default.")
@click.option("--sort", default="net", show_default=True, metavar="FIGURE", help="What makes a combination the best.")
@click.option(
    "--rows", default=5, show_default=True, type=click.IntRange(min=1), help="How many best and worst to print."
)
@click.option("--name", help="Of the folder; unfinished work on the same sweep, or the next free number, by default.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder of run folders.")
@click.option("--overwrite", is_flag=True, help="Replace a sweep or run of that name.")
@click.option("--quiet", is_flag=True, help="Print the folder only.")
def sweep(
    config: Path,
    grid: tuple[str, ...],
    jobs: int | None,
    sort: str,
    rows: int,
    name: str | None,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Run the strategy of CONFIG (bitten.toml by default) once for each combination of a grid.

    KEY is any key of the configuration. In a list of tables, a table goes by its name, its plugin or its number, and a
    pattern's own parameters need no `params`. VALUES are a list, a range start:stop:step with its end, or both. Without
    --grid, the table [sweep] of CONFIG says what is swept.

    \b
    Examples:
      bitten sweep --grid patterns.bb_scalp.period=10:50:5
      bitten sweep --grid patterns.bb_scalp.period=10,20,40 \\
                   --grid patterns.bb_scalp.deviations=1.5:3:0.25 --sort sharpe
      bitten sweep --grid costs.commission_per_lot=0,3.5,7 --grid executor.latency_ms=0:200:50
      bitten sweep --grid gates.band.low=50:90:10 --grid accounts.main.slots=1,5

    Leaves a folder with one row per combination as Parquet and a report with a heat map. Ctrl-C, or a kill, costs no
    finished combination: the same command continues where it stopped.
    """
    from rich.console import Console

    from bitten.sweeping.axes import parse_option
    from bitten.sweeping.sweeps import sweep as run_sweep
    from bitten.sweeping.terminal import print_sweep

    axes = [parse_option(text) for text in grid]
    with progress_bar(Console(stderr=True)) as progress:
        done = run_sweep(
            config, axes, jobs=jobs, name=name, output=output, overwrite=overwrite, sort=sort, progress=progress
        )
    if quiet:
        click.echo(done.folder)
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)  # lines in a pipe are for other programs: none is broken
    print_sweep(console, done.table, done.manifest, rows)
    timings = done.manifest["timings"]
    fresh = done.manifest["combinations"] - timings["done_before"]
    console.print(
        f"{fresh:,} combinations in {timings['sweep_seconds']:.2f} s, jobs {timings['jobs']}", highlight=False
    )
    console.print(f"sweep folder {done.folder}\nreport       {done.report}", highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(console: Console) -> Iterator[SweepProgress]:
    """Combinations done, rate and time left; in a pipe, only how many were done before."""
    bar = None

    def follow(done: float, total: int, earlier: int) -> None:
        if done == earlier and earlier:
            console.print(f"{earlier:,} of {total:,} combinations were done before", highlight=False)
        if bar is not None:
            if not bar.live.is_started:
                bar.start()  # not before the worker processes have been forked: it is a thread
            speed = bar.tasks[0].speed
            bar.update(
                task, completed=done, total=total, whole=f"{int(done):,}", rate=f"{speed:.1f}/s" if speed else ""
            )

    try:
        if console.is_terminal:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            bar = Progress(
                TextColumn("{task.fields[whole]} of {task.total:,.0f} combinations"), BarColumn(),
                TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console, transient=True,
            )  # fmt: skip
            task = bar.add_task("sweep", total=0, whole="0", rate="")
        yield follow
    finally:
        if bar is not None:
            bar.stop()
