"""`bitten patterns`: which there are, and what they look like on candles."""

from __future__ import annotations

import inspect
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bitten.commands.part_options import CLOCK, DATA, PARAMS, part_config
from bitten.manager import Entry, Manager

if TYPE_CHECKING:
    from bitten.sightings import Sightings

_LEVELS: Final = 4  # folders above a pattern's module in which docs/patterns is looked for


@click.group()
def patterns() -> None:
    """List the patterns, and draw examples of what each of them sees."""


@patterns.command("list")
def list_patterns() -> None:
    """List every pattern with what it looks for, and its page where the documentation is at hand."""
    from rich.table import Table

    from bitten.commands.data_options import plain_console
    from bitten.commands.plugins import _examine, _first_sentence, _load, _report
    from bitten.errors import PluginError

    manager, problems = _examine()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("what it looks for", overflow="fold")
    table.add_column("page", overflow="fold")
    for entry in manager.registry("patterns").values():
        try:
            target = _load(entry)
            table.add_row(entry.name, _first_sentence(target), str(page_of(entry.name, target) or ""))
        except PluginError as error:
            problems.append(str(error))
            table.add_row(entry.name, "cannot be loaded, see below", "")
    console = plain_console()
    console.print(table)
    console.print(
        "\n`bitten patterns show NAME --data PATH` draws examples, `bitten plugins show NAME` lists parameters."
    )
    _report(problems)


def page_of(name: str, target: Any) -> Path | None:
    """The page `docs/patterns/NAME.md` of the source tree that a pattern's class is from, None without one."""
    try:
        source = Path(inspect.getfile(target)).resolve()
    except (TypeError, OSError):
        return None
    for folder in source.parents[:_LEVELS]:
        page = folder / "docs" / "patterns" / f"{name}.md"
        if page.is_file():
            return page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page
    return None


@patterns.command("show", short_help="Draw examples of what a pattern sees.")
@click.argument("name")
@DATA
@click.option("--symbol", help="Which symbol of the data; the first by default.")
@click.option("--timeframe", help="Bars that the pattern sees.  [default: M1 of ticks, else what the data are]")
@CLOCK
@click.option("--examples", type=click.IntRange(1, 60), default=6, show_default=True, help="How many.")
@PARAMS
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The page.  [default: NAME.html]")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
def show_pattern(
    name: str,
    params: tuple[str, ...],
    examples: int,
    output: Path | None,
    show: bool,
    **wish: Any,
) -> None:
    """Draw signals of a pattern on candles, with zone, entry, stop, target, and what became of each.

    The page is one file without scripts. It shows the first and the last signal, those of the highest and the lowest
    confidence, and some between. Without --data the market is a synthetic one.

    \b
    Examples:
      bitten patterns show kalman_quickfire --data XAUUSD_M1.csv
      bitten patterns show bb_scalp --data data --symbol EURUSD --timeframe M5 --open
    """
    from rich.console import Console

    from bitten.analysis.signal_page import sightings_page
    from bitten.commands.data_import import _progress
    from bitten.history import Wanted, open_history
    from bitten.sightings import find_sightings
    from bitten.store.disk import writing_to

    manager = Manager()
    entry = manager.find("patterns", name.lower())
    config = part_config(entry, params)
    wanted = Wanted(wish["paths"], wish["symbol"], wish["timeframe"], wish["clock"])
    console = Console(stderr=True)
    with _progress(console) as progress, open_history(wanted, manager, progress) as history:
        found = find_sightings(history, entry, config, examples)
    page = sightings_page(found, entry.name, _description(entry), ", ".join(params) or "defaults")
    output = output or Path(f"{entry.name}.html")
    with writing_to(output, "choose another file with --output"):
        output.write_text(page, encoding="utf-8")
    _say(found, output)
    if show:
        webbrowser.open(output.resolve().as_uri())


def _description(entry: Entry) -> str:
    documented = inspect.getdoc(entry.load()) or ""
    return " ".join(documented.split("\n\n")[0].split())


def _say(found: Sightings, output: Path) -> None:
    from bitten.analysis.figures import counted
    from bitten.clock import iso
    from bitten.commands.data_options import plain_console

    history = found.history
    console = plain_console()
    also = f" (there is also {', '.join(history.others)})" if history.others else ""
    console.print(f"{history.symbol} {history.timeframe} of {history.source}{also}", soft_wrap=True)
    ends = ", ".join(f"{reason} {count:,}" for reason, count in found.reasons.items())
    console.print(
        f"{counted(found.signals, 'signal')} on {found.bars:,} bars from {iso(found.first, 0)} to "
        f"{iso(found.last, 0)} UTC: {ends}",
        soft_wrap=True,
    )
    for alert in found.alerts:
        console.print(f"warning: {alert}", soft_wrap=True)
    console.print(f"{counted(len(found.examples), 'example')} in {output}", soft_wrap=True)
