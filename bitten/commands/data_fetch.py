"""`bitten data fetch`: quotes from the web into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bitten.commands.data_options import FROM, STORE, TO, check_range


@click.group()
def fetch() -> None:
    """Download quotes and import them.

    \b
    Example:
      bitten data fetch dukascopy EURUSD --from 2019-02-04 --to 2019-02-09
    """


@fetch.command(short_help="Download ticks from Dukascopy.")
@click.argument("symbol")
@FROM
@TO
@STORE
@click.option("--base-url", envvar="BITTEN_DUKASCOPY_URL", hidden=True)
def dukascopy(symbol: str, start: int | None, end: int | None, store: Path, base_url: str | None) -> None:
    """Download ticks of SYMBOL from Dukascopy's free datafeed and import them.

    Hour files are kept in STORE/.cache/dukascopy: what is there is not downloaded again, so an interrupted download
    resumes. Whole hours are imported. Dukascopy's terms of use apply to the quotes.

    \b
    Example:
      bitten data fetch dukascopy EURUSD --from 2019-02-04 --to 2019-02-09
    """
    from bitten.clock import WallClock, iso
    from bitten.errors import DataError
    from bitten.model.instruments import project_instruments
    from bitten.store.fetch import DUKASCOPY, Fetcher, open_hours

    if start is None or end is None:
        raise click.UsageError("give --from and --to, as in --from 2019-02-04 --to 2019-02-09")
    check_range(start, end)
    instrument = project_instruments(Path())[symbol]
    now = WallClock().now_ns()
    if start >= now:
        raise DataError(f"--from {iso(start, 0)} UTC is in the future: there are no quotes yet")
    hours = open_hours(start, min(end, now), instrument)
    fetcher = Fetcher(store / ".cache" / "dukascopy", base_url or DUKASCOPY)
    try:
        with _progress(len(hours), symbol) as advance:
            fetched = fetcher.fetch(symbol, hours, advance)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt("what was downloaded is kept; the same command resumes") from error
    click.echo(
        f"{len(hours):,} hours: {fetched.loaded:,} asked for, {fetched.known:,} were there, {fetched.empty:,} are empty"
    )
    if fetched.files:
        _import(symbol, fetched.files, store)


def _import(symbol: str, files: tuple[Path, ...], store: Path) -> None:
    from bitten.clock import iso
    from bitten.manager import Manager
    from bitten.model.instruments import project_instruments
    from bitten.store.importer import ImportOptions
    from bitten.store.ingest import Request, ingest
    from bitten.store.tickstore import TickStore

    importers = {"dukascopy_bi5": Manager().find("importers", "dukascopy_bi5").load()()}
    request = Request(files, "dukascopy_bi5", ImportOptions(symbol=symbol))
    report = ingest(request, importers, project_instruments(Path()), TickStore(store))
    for one in report.imported:
        added = one.added
        assert added is not None  # there is a store
        click.echo(
            f"{one.symbol} {one.kind}: {added.new:,} new rows in {store}, {added.same:,} were there; "
            f"{iso(one.first)} to {iso(one.last)} UTC"
        )
        for warning in one.warnings:
            click.echo(f"  warning: {warning}")


@contextmanager
def _progress(hours: int, symbol: str) -> Iterator[Callable[[int], None]]:
    """A bar of hours with rate and time left, where somebody looks at it."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda count: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{symbol} hours", total=hours)
        yield lambda count: bar.advance(task, count)
