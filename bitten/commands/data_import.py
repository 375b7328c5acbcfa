"""`bitten data import`: foreign quote files into the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bitten.store.ingest import Imported, Progress, Report, Request

_PLAIN_WIDTH: Final = 200  # columns where the output is no terminal
_SHOWN_SKIPS: Final = 10
_ALSO: Final[Mapping[str, str]] = {
    "late": "rows were left out until time had caught up",
    "filler": "flat bars of zero volume in closed hours dropped",
    "bad_ohlc": "bars with open or close outside low and high dropped",
    "no_spread": "bars without a spread; the instrument's default applies",
    "ask_rows": "rows of ask files joined for the spread",
    "ask_only": "ask bars without a bid bar left out",
}
_COUNTED: Final = ("rows", "duplicates", "backward", "crossed", "zero", "absent", "gaps")


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--store", default=Path("data"), show_default=True, type=click.Path(path_type=Path), help="Where it goes."
)
@click.option("--format", "file_format", help="Of the files; detected from their content otherwise.")
@click.option("--symbol", help="Of the files; told from content or name otherwise.")
@click.option(
    "--clock", help="The files' clock: UTC, EST, NY+7, EET, Europe/London, UTC-03:30 ...; detected where proved."
)
@click.option("--timeframe", help="Of bars, as M1 or H1; told from the steps between them otherwise.")
@click.option("--columns", help="Which is which, by name or number (from 1): time=Date,bid=Bid,ask=Ask.")
@click.option("--scale", type=click.FloatRange(min=0, min_open=True), help="Divide prices by this (integer points).")
@click.option("--crossed", default="drop", show_default=True, type=click.Choice(["drop", "mid"]), help="Bid above ask.")
@click.option(
    "--duplicates", type=click.Choice(["keep", "drop"]), help="Repeated rows.  [default: keep ticks, drop bars]"
)
@click.option(
    "--backward", default="error", show_default=True, type=click.Choice(["error", "sort", "drop"]),
    help="Where time steps back: refuse, put in order, or leave out until it has caught up.",
)  # fmt: skip
@click.option(
    "--on-overlap", default="refuse", show_default=True, type=click.Choice(["refuse", "keep", "replace"]),
    help="Where stored rows differ: refuse, keep the stored, or replace them.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read, clean and count; store nothing.")
def import_(paths: tuple[Path, ...], store: Path, dry_run: bool, **stated: Any) -> None:
    """Import quote files, folders and archives: TrueFX, Dukascopy, HistData, MT4, MT5, LEAN, CSV, Parquet.

    Everything is imported, or after an error or Ctrl-C nothing. Importing the same files again changes nothing. What
    was repeated, crossed, absent or out of order is counted, printed and stored beside the quotes.

    \b
    Examples:
      bitten data import downloads/
      bitten data import EURUSD-2014-05.zip --store data
      bitten data import quotes.csv --symbol EURUSD --clock NY+7
      bitten data import plain.csv --columns time=1,bid=2,ask=3 --clock UTC --symbol EURUSD
    """
    from rich.console import Console

    from bitten.manager import Manager
    from bitten.model.instruments import project_instruments
    from bitten.store.ingest import ingest
    from bitten.store.tickstore import TickStore

    request = _request(paths, stated)
    importers = {name: entry.load()() for name, entry in Manager().registry("importers").items()}
    target = None if dry_run else TickStore(store)
    try:
        with _progress(Console(stderr=True)) as progress:
            report = ingest(request, importers, project_instruments(Path()), target, progress)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(f"{store} is whole; the same command again completes the import") from error
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=_PLAIN_WIDTH)
    _print(console, report, f"dry run, {store} was not touched" if dry_run else str(store))


def _request(paths: tuple[Path, ...], stated: Mapping[str, Any]) -> Request:
    from bitten.model.timeframe import timeframe_ns
    from bitten.store.cleaning import Policy
    from bitten.store.importer import ImportOptions
    from bitten.store.ingest import Request

    if stated["timeframe"] is not None:
        timeframe_ns(stated["timeframe"])
    options = ImportOptions(
        symbol=stated["symbol"],
        clock=stated["clock"],
        timeframe=stated["timeframe"],
        columns=_mapping(stated["columns"]),
        scale=stated["scale"],
    )
    policy = Policy(stated["crossed"], stated["duplicates"], stated["backward"])
    return Request(paths, stated["file_format"], options, policy, stated["on_overlap"])


def _mapping(text: str | None) -> dict[str, str]:
    """`time=Date,bid=Bid` as a mapping."""
    pairs = {}
    for part in (text or "").split(",") if text else []:
        role, sign, column = part.partition("=")
        if not sign or not role.strip():
            raise click.BadParameter(
                f'"{part}" is not of the form role=column, as in time=Date', param_hint="--columns"
            )
        pairs[role.strip()] = column.strip()
    return pairs


@contextmanager
def _progress(console: Console) -> Iterator[Progress | None]:
    """A bar of bytes with speed and time left, where somebody looks at it."""
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("looking at files", total=None)

        class Shown:
            def start(self, size: int) -> None:
                bar.update(task, total=size)

            def file(self, path: Path) -> None:
                bar.update(task, description=path.name[-40:])

            def advance(self, size: int) -> None:
                bar.advance(task, size)

        yield Shown()


def _print(console: Console, report: Report, where: str) -> None:
    for one in report.imported:
        _print_series(console, one)
    if report.imported:
        console.print(_counts(report.imported))
    _print_skipped(console, report)
    new = sum(one.added.new for one in report.imported if one.added)
    console.print(
        f"{new:,} new rows in {where}" if any(one.added for one in report.imported) else where, soft_wrap=True
    )


def _print_series(console: Console, one: Imported) -> None:
    from bitten.clock import iso

    source = one.source
    files = (
        source.files[0]
        if len(source.files) == 1
        else f"{len(source.files)} files, {source.files[0]} to {source.files[-1]}"
    )
    lines = [f"{one.symbol} {one.kind}: {source.format}, {files}", f"  clock {source.clock}: {source.rules['clock']}"]
    if one.passed:
        lines.append(f"  {iso(one.first)} to {iso(one.last)} UTC")
    lines += [f"  {name}: {text}" for name, text in source.rules.items() if name not in ("clock", *_COUNTED)]
    lines += [f"  {count:,} {_ALSO[name]}" for name, count in source.counts.items() if name in _ALSO]
    if one.left_out:
        parts = " + ".join(f"{count:,} {name}" for name, count in one.left_out.items())
        lines.append(f"  rows: {source.counts['rows']:,} = {one.passed:,} passed + dropped {parts}")
    lines += [f"  warning: {text}" for text in one.warnings]
    if one.added is not None:
        stored = [f"{one.added.new:,} new", f"{one.added.same:,} already there"]
        stored += [f"{one.added.replaced:,} replaced"] if one.added.replaced else []
        stored += [f"{one.added.kept:,} left out for stored ones"] if one.added.kept else []
        lines.append(f"  stored: {', '.join(stored)}")
    console.print("\n".join(lines), soft_wrap=True)


def _counts(imported: tuple[Imported, ...]) -> Table:
    """What was counted, a line per series; where something was, with what was done about it."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("symbol", "kind"):
        table.add_column(heading)
    for heading in (*_COUNTED, "passed"):
        table.add_column(heading, justify="right")
    for one in imported:
        counts, rules = one.source.counts, {"zero": "drop", "absent": "drop", **one.source.rules}
        cells = [f"{counts[name]:,}{f' {rules[name]}' if counts[name] and name in rules else ''}" for name in _COUNTED]
        table.add_row(one.symbol, one.kind, *cells, f"{one.passed:,}")
    return table


def _print_skipped(console: Console, report: Report) -> None:
    for skipped in report.skipped[:_SHOWN_SKIPS]:
        console.print(f"skipped {skipped.path}: {skipped.reason}", soft_wrap=True)
    if len(report.skipped) > _SHOWN_SKIPS:
        console.print(f"skipped {len(report.skipped) - _SHOWN_SKIPS} more files that hold no quotes")
