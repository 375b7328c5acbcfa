"""`bitten demo`: from quotes to a report in one go, on made-up quotes or on the user's own."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.demonstration import Choice
    from bitten.run import Run
    from bitten.store.ingest import Report


@click.command()
@click.option(
    "--data", "paths", multiple=True, type=click.Path(path_type=Path), help="Your quote files or folders, instead."
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where it all goes; demo/ by default.")
@click.option("--clock", help="With --data: the clock of the files, as UTC, EST, NY+7; detected where they prove it.")
@click.option("--symbol", help="With --data: their symbol, where names do not tell.")
@click.option("--open/--no-open", "show", default=None, help="Open the report; by default where there is a desktop.")
def demo(
    paths: tuple[Path, ...], folder: Path | None, clock: str | None, symbol: str | None, show: bool | None
) -> None:
    """Backtest two patterns over four weeks of SYNTHETIC quotes of three symbols, or over your own files.

    Makes quote files as a vendor would, imports them into a store, writes a commented bitten.toml, runs it, prints the
    summary and writes the report. All of it stays in one folder, to look at and to change.
    """
    from rich.console import Console

    from bitten.analysis.terminal import print_summary

    if (clock or symbol) and not paths:
        raise click.UsageError("--clock and --symbol describe your own files: name them with --data PATH")
    folder = folder or (Path("demo") / "own" if paths else Path("demo"))
    console = Console()
    report = _import(console, paths, folder, clock, symbol)
    choice = _choose(console, folder)
    config = _configure(console, folder, choice)
    run = _run(config)
    print_summary(console, run.stats, run.manifest)
    _say_where(console, folder, config, run, synthetic=not paths, skipped=len(report.skipped))
    if show if show is not None else _has_desktop():
        webbrowser.open(run.report.resolve().as_uri())


def _import(console: Console, paths: tuple[Path, ...], folder: Path, clock: str | None, symbol: str | None) -> Report:
    from bitten.clock import iso
    from bitten.demonstration import import_quotes, write_quotes
    from bitten.manager import Manager
    from bitten.store.importer import ImportOptions

    manager = Manager()
    with console.status("making four weeks of SYNTHETIC quotes ..." if not paths else "reading your files ..."):
        sources = list(paths) or write_quotes(folder / "quotes", manager)
    with console.status("importing ..."):
        options = ImportOptions(symbol=symbol, clock=clock)
        report = import_quotes(sources, folder / "data", manager, not paths, options)
    label = "SYNTHETIC quotes" if not paths else "quotes"
    for one in report.imported:
        console.print(
            f"imported {one.symbol} {one.kind}: {one.passed:,} {label}, {iso(one.first, 0)} to {iso(one.last, 0)} UTC, "
            f"clock {one.source.clock}, format {one.source.format}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    return report


def _choose(console: Console, folder: Path) -> Choice:
    from bitten.demonstration import choose
    from bitten.model.instruments import load_instruments
    from bitten.store.tickstore import TickStore

    choice = choose(TickStore(folder / "data").describe(), load_instruments())
    if choice.left_out:
        what = f"{choice.bars} bars" if choice.bars else "ticks"
        console.print(f"left out, because they have no {what}: {', '.join(choice.left_out)}", highlight=False)
    return choice


def _configure(console: Console, folder: Path, choice: Choice) -> Path:
    """Write bitten.toml unless the user has made one of it."""
    from bitten.demonstration import configuration

    path = folder / "bitten.toml"
    text = configuration(choice)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        console.print(f"{path} was changed since the last demo and is used as it is", highlight=False, soft_wrap=True)
    else:
        path.write_text(text, encoding="utf-8")
    return path


def _run(config: Path) -> Run:
    from rich.console import Console

    from bitten.backtesting import backtest
    from bitten.commands.backtest import progress_bar

    with progress_bar(Console(stderr=True)) as progress:
        return backtest(config, name="demo", overwrite=True, progress=progress)


def _say_where(console: Console, folder: Path, config: Path, run: Run, synthetic: bool, skipped: int) -> None:
    timings = run.manifest["timings"]
    lines = [
        f"{run.manifest['quotes']:,} quotes in {timings['replay_seconds']:.2f} s "
        f"({timings['quotes_per_second']:,} per second)",
        "",
        *([f"quotes         {folder / 'quotes'} (SYNTHETIC)"] if synthetic else []),
        f"store          {folder / 'data'}" + (" (SYNTHETIC)" if synthetic else ""),
        *([f"               {skipped} files that hold no quotes were skipped"] if skipped else []),
        f"configuration  {config}   change it and run: bitten backtest {config}",
        f"run folder     {run.folder}",
        f"report         {run.report}",
    ]
    if synthetic:
        lines += ["", "These quotes are SYNTHETIC: the result says nothing about any market. Your own: --data PATH"]
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _has_desktop() -> bool:
    """Whether opening a browser would show somebody something."""
    if not sys.stdout.isatty() or "CI" in os.environ:
        return False
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
