"""`bitten demo`: from quotes to a report in one go, on made-up quotes or on the user's own."""

from __future__ import annotations

import os
import re
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.demonstration import Choice
    from bitten.run import Run

_PLAIN_WIDTH: Final = 200  # columns where the output is no terminal
_ELSEWHERE: Final = "choose another folder with --folder"


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
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_PLAIN_WIDTH)
    try:
        _import(console, paths, folder, clock, symbol)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(f"{folder} keeps what was finished; the same command again does the rest") from error
    choice = _choose(console, folder)
    config = _configure(console, folder, choice)
    run = _run(config)
    print_summary(Console(), run.stats, run.manifest)
    _say_where(console, folder, config, run, synthetic=not paths)
    if show if show is not None else _has_desktop():
        webbrowser.open(run.report.resolve().as_uri())


def _import(console: Console, paths: tuple[Path, ...], folder: Path, clock: str | None, symbol: str | None) -> None:
    """Import as `bitten data import` does, and print what it prints."""
    from rich.console import Console

    from bitten.commands.data_import import _print, _progress
    from bitten.demonstration import import_quotes, write_quotes
    from bitten.errors import DataError
    from bitten.manager import Manager
    from bitten.store.disk import writing_to
    from bitten.store.importer import ImportOptions

    manager, store = Manager(), folder / "data"
    sources = list(paths)
    if not paths:
        writable = writing_to(folder, _ELSEWHERE)
        with console.status("making four weeks of SYNTHETIC quotes ..."), writable:
            sources = write_quotes(folder / "quotes", manager)
    with _progress(Console(stderr=True)) as progress:
        options = ImportOptions(symbol=symbol, clock=clock)
        try:
            report = import_quotes(sources, store, manager, not paths, options, progress)
        except DataError as error:
            if isinstance(error.__cause__, OSError):
                raise DataError(str(error).replace("choose another folder with --store", _ELSEWHERE)) from error
            if not re.search(r" --(?!clock|symbol|folder)[a-z]", str(error)):
                raise
            raise DataError(f"{error}; such options has `bitten data import`, then `bitten init`") from error
    _print(console, report, str(store) if paths else f"{store} (SYNTHETIC)")
    console.print()


def _choose(console: Console, folder: Path) -> Choice:
    from bitten.demonstration import choose
    from bitten.model.instruments import load_instruments
    from bitten.store.tickstore import TickStore

    choice = choose(TickStore(folder / "data").describe(), load_instruments())
    if choice.left_out:
        what = f"{choice.bars} bars" if choice.bars else "ticks"
        console.print(f"left out, because they have no {what}: {', '.join(choice.left_out)}")
    return choice


def _configure(console: Console, folder: Path, choice: Choice) -> Path:
    """Write bitten.toml unless the user has made one of it."""
    from bitten.demonstration import configuration
    from bitten.store.disk import writing_to

    path = folder / "bitten.toml"
    text = configuration(choice)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        console.print(f"{path} was changed since the last demo and is used as it is", soft_wrap=True)
    else:
        with writing_to(folder, _ELSEWHERE):
            path.write_text(text, encoding="utf-8")
    return path


def _run(config: Path) -> Run:
    from rich.console import Console

    from bitten.backtesting import backtest
    from bitten.commands.backtest import progress_bar

    with progress_bar(Console(stderr=True)) as progress:
        return backtest(config, name="demo", overwrite=True, progress=progress)


def _say_where(console: Console, folder: Path, config: Path, run: Run, synthetic: bool) -> None:
    timings = run.manifest["timings"]
    lines = [
        f"{run.manifest['quotes']:,} quotes in {timings['replay_seconds']:.2f} s "
        f"({timings['quotes_per_second']:,} per second)",
        "",
        *([f"quotes         {folder / 'quotes'} (SYNTHETIC)"] if synthetic else []),
        f"store          {folder / 'data'}" + (" (SYNTHETIC)" if synthetic else ""),
        f"configuration  {config}   change it and run: bitten backtest {config}",
        f"run folder     {run.folder}",
        f"report         {run.report}",
    ]
    if synthetic:
        lines += ["", "These quotes are SYNTHETIC: the result says nothing about any market. Your own: --data PATH"]
    console.print("\n".join(lines), soft_wrap=True)


def _has_desktop() -> bool:
    """Whether opening a browser would show somebody something."""
    if not sys.stdout.isatty() or "CI" in os.environ:
        return False
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
