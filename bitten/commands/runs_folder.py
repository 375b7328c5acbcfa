"""Where the commands of `bitten runs` look for runs, and how they print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

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
UNBOUNDED: Final = 10_000  # columns


def open_run(name: str, runs_dir: Path) -> Run:
    """The single run of that name in the folder, or at that path.

    Raises:
        BittenError: there is none of that name, or it is a sweep.
    """
    from bitten.errors import BittenError
    from bitten.run import Run

    found = open_named(name, runs_dir)
    if not isinstance(found, Run):
        raise BittenError(f'"{name}" is a sweep, no single run; `bitten runs show {name}` shows it')
    return found


def open_named(name: str, runs_dir: Path) -> Run | Sweep:
    """The run or sweep of that name in the folder, or at that path.

    Raises:
        BittenError: there is neither, with near misses.
    """
    from bitten.errors import BittenError, did_you_mean
    from bitten.sweeping.result import open_folder

    for folder in (runs_dir / name, Path(name)):
        if (folder / "manifest.json").is_file():
            return open_folder(folder)
    check_given(runs_dir)
    names = run_names(runs_dir)
    if not names:
        raise BittenError(f'there is no run "{name}": {none_in(runs_dir)}')
    raise BittenError(f'there is no run "{name}" in {runs_dir}{did_you_mean(name, names)}')


def check_given(runs_dir: Path) -> None:
    """Refuse a folder that was asked for and is not there; the default one may not have been made yet.

    Raises:
        BittenError: with what to do.
    """
    from bitten.errors import BittenError

    if not runs_dir.is_dir() and runs_dir != DEFAULT_DIR:
        raise BittenError(f"there is no folder {runs_dir}; --runs-dir names the folder that holds the run folders")


def none_in(runs_dir: Path) -> str:
    """What to say of a folder without runs."""
    return f"{runs_dir} holds no runs yet; `bitten backtest` makes one, --runs-dir looks elsewhere"


def run_names(runs_dir: Path) -> list[str]:
    """Names of the runs and sweeps of a folder, sorted; empty where there is no such folder."""
    if not runs_dir.is_dir():
        return []
    return sorted(folder.name for folder in runs_dir.iterdir() if (folder / "manifest.json").is_file())


def literal(text: str) -> Text:
    """Text that is printed as it is, whatever brackets it holds."""
    from rich.text import Text

    return Text(text)


def make_console() -> Console:
    """As wide as the terminal; into a pipe or file no line is broken."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=UNBOUNDED)
