"""`bitten data calendar`: scheduled releases, which CITADEL keeps its distance from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bitten.commands.data_options import FROM, STORE, TO, check_range, plain_console
from bitten.errors import DataError

if TYPE_CHECKING:
    from bitten.store.calendar import Event
    from bitten.store.calendarfile import Parsed

_NAMED: Final = 5  # bad rows that an error or a report names


@click.group()
def calendar() -> None:
    """Import and list scheduled news.

    The calendar is one Parquet file in the store, STORE/calendar.parquet.
    """


@calendar.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@STORE
@click.option("--clock", default="UTC", show_default=True, help="Of times that name no zone: UTC, America/New_York ...")
@click.option(
    "--bad-rows", default="refuse", show_default=True, type=click.Choice(["refuse", "skip"]),
    help="Rows that cannot be used: import nothing, or leave them out and name them.",
)  # fmt: skip
def import_(files: tuple[Path, ...], store: Path, clock: str, bad_rows: str) -> None:
    """Merge calendars, CSV or ICS, into the store's.

    CSV has a header with the time (or date and time), currency, impact and event under any of their usual names.
    Importing the same file again changes nothing.

    \b
    Examples:
      bitten data calendar import news.csv
      bitten data calendar import news.csv --clock America/New_York
      bitten data calendar import releases.ics --bad-rows skip
    """
    from bitten.clock import check_clock
    from bitten.store.calendar import NAME, add_events
    from bitten.store.calendarfile import read_calendar

    check_clock(clock)
    read = [(path, read_calendar(path, clock)) for path in files]
    bad = [text for _, parsed in read for text in parsed.bad]
    if bad and bad_rows == "refuse":
        more = f" (bad rows in all: {len(bad):,})" if len(bad) > 1 else ""
        raise DataError(f"{bad[0]}{more}; nothing was imported, --bad-rows skip leaves such rows out")
    events = [event for _, parsed in read for event in parsed.events]
    if not events:
        raise DataError(f"{', '.join(map(str, files))}: no event can be used; nothing was imported")
    counts = add_events(store, events)
    for path, parsed in read:
        _report(path, parsed, clock)
    for text in bad[:_NAMED]:
        click.echo(f"  left out {text}")
    if len(bad) > _NAMED:
        click.echo(f"  and {len(bad) - _NAMED:,} more")
    changed = f", {counts.changed:,} with another impact" if counts.changed else ""
    click.echo(
        f"{counts.new:,} new, {counts.duplicates:,} already there or repeated{changed}; "
        f"{store / NAME} holds {counts.total:,}"
    )


def _report(path: Path, parsed: Parsed, clock: str) -> None:
    parts = [f"{len(parsed.events):,} events"]
    if parsed.zoneless:
        parts.append(f"{parsed.zoneless:,} without a zone, read as {clock} (--clock states another)")
    if parsed.untimed:
        parts.append(f"{parsed.untimed:,} without a time of day left out")
    if parsed.bad:
        parts.append(f"bad rows: {len(parsed.bad):,}")
    click.echo(f"{path}: {'; '.join(parts)}")


@calendar.command("list")
@STORE
@FROM
@TO
@click.option("--currency", multiple=True, help="Only these, as USD; may be repeated.")
@click.option("--impact", multiple=True, help="Only these: high, medium, low, holiday, none; may be repeated.")
def list_(store: Path, start: int | None, end: int | None, currency: tuple[str, ...], impact: tuple[str, ...]) -> None:
    """Show the calendar's events by time, UTC."""
    from bitten.errors import did_you_mean
    from bitten.store.calendar import IMPACTS, NAME, read_events
    from bitten.store.commit import recover

    check_range(start, end)
    for one in impact:
        if one not in IMPACTS:
            raise click.BadParameter(f'no impact "{one}"{did_you_mean(one, IMPACTS)}', param_hint="--impact")
    recover(store)
    held = read_events(store / NAME)
    currencies = {one.upper() for one in currency}
    chosen = [
        event
        for event in held
        if (start is None or event.time >= start)
        and (end is None or event.time < end)
        and (not currencies or event.currency in currencies)
        and (not impact or event.impact in impact)
    ]
    _print(chosen, len(held), store / NAME)


def _print(events: list[Event], held: int, path: Path) -> None:
    from rich.table import Table

    from bitten.clock import iso

    if events:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("time (UTC)", "currency", "impact"):
            table.add_column(heading, no_wrap=True)
        table.add_column("event", overflow="fold")
        for event in events:
            table.add_row(iso(event.time, 0), event.currency, event.impact, event.event)
        plain_console().print(table)
    click.echo(f"{len(events):,} of the {held:,} events in {path}")
