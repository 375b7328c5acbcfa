"""`bitten data check`: whether stored quotes are what they should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bitten.commands.data_options import FROM, STORE, TO, check_range, existing_store, plain_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from bitten.store.check import Check
    from bitten.store.tickstore import TickStore


@click.command()
@click.argument("symbols", nargs=-1)
@click.option("--bars", metavar="TIMEFRAME", help="Only stored bars of this timeframe, as M1.")
@FROM
@TO
@STORE
@click.option(
    "--pictures", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the SVG files.  [default: STORE/checks]",
)  # fmt: skip
def check(
    symbols: tuple[str, ...], bars: str | None, start: int | None, end: int | None, store: Path, pictures: Path | None
) -> None:
    """Examine stored quotes of SYMBOLS (all without): gaps in the open market, spreads, outliers, clock.

    Prints a table per symbol and kind and draws a picture of spread by hour and rows per day.

    \b
    Examples:
      bitten data check
      bitten data check EURUSD --from 2014-05-01 --to 2014-06-01
      bitten data check XAUUSD --bars M1 --pictures pictures
    """
    from bitten.model.instruments import project_instruments
    from bitten.store.check import check as examine
    from bitten.store.checkpicture import picture
    from bitten.store.disk import reason

    check_range(start, end)
    opened = existing_store(store)
    instruments = project_instruments(Path())
    folder = pictures or store / "checks"
    console = plain_console()
    for symbol, kind in _wanted(opened, symbols, bars):
        found = examine(opened, symbol, kind, instruments[symbol], start, end)
        _print(console, found)
        path = folder / f"{symbol}-{kind}.svg"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(picture(found), encoding="utf-8")
        except OSError as error:
            refused = f"{path} cannot be written: {reason(error)}; choose another folder with --pictures"
            console.print(f"  picture     {refused}\n", soft_wrap=True)
            continue
        console.print(f"  picture     {path}\n", soft_wrap=True)


def _wanted(store: TickStore, symbols: tuple[str, ...], bars: str | None) -> Iterator[tuple[str, str]]:
    held = [(symbol, kind) for symbol in symbols or store.symbols() for kind in store.kinds(symbol) or ("ticks",)]
    if bars is not None:
        held = [(symbol, bars) for symbol in dict.fromkeys(symbol for symbol, _ in held)]
    for symbol, kind in held:
        store.plan(symbol, kind)  # what is not held is an error before anything is examined
    if not held:
        click.echo(f"{store.path} holds nothing yet; bring quotes in with `bitten data import FILES`")
    yield from held


def _print(console: Console, check: Check) -> None:
    from rich.table import Table
    from rich.text import Text

    from bitten.clock import iso

    label = " SYNTHETIC" if check.synthetic else ""
    console.print(Text(f"{check.symbol} {check.kind}{label}", style="bold"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("rows", f"{check.rows:,} from {iso(check.first)} to {iso(check.last)} UTC")
    table.add_row("clock", Text(check.clock.text, style="" if check.clock.plausible else "bold red"))
    for name, text in _findings(check):
        table.add_row(name, text)
    console.print(table)
    if console.is_terminal:
        _charts(console, check)


def _findings(check: Check) -> Iterator[tuple[str, str]]:
    from bitten.clock import iso

    hours = check.gap_ns / 3.6e12
    yield (
        "gaps",
        f"{check.gaps:,} in the open market, {hours:,.1f} h in all" if check.gaps else "none in the open market",
    )
    for gap in check.longest_gaps[:5]:
        why = f" ({gap.holiday})" if gap.holiday else ""
        yield "", f"{iso(gap.start, 0)} to {iso(gap.end, 0)}, {gap.open_ns / 3.6e12:.1f} h open{why}"
    if check.closed_rows or check.saturday_rows:
        yield "weekend", f"{check.closed_rows:,} rows in closed hours, {check.saturday_rows:,} on Saturdays (UTC)"
    if check.hours:
        widest = max(hour.widest for hour in check.hours)
        quiet = min(check.hours, key=lambda hour: hour.median)
        wide = max(check.hours, key=lambda hour: hour.median)
        yield (
            "spread",
            f"median {quiet.median} points at {quiet.hour:02d}:00 UTC to {wide.median} at {wide.hour:02d}:00, widest "
            f"{widest}; {check.wide_spreads:,} wider than ten times their hour's median",
        )
    if check.absent_spreads:
        yield "no spread", f"{check.absent_spreads:,} bars; the instrument's default applies"
    yield "outliers", f"{check.outliers:,}" if check.outliers else "none"
    for outlier in check.first_outliers[:5]:
        prices = (f"{points / 10**check.digits:.{check.digits}f}" for points in (outlier.price, outlier.before))
        yield "", "{}: {} beside {}".format(iso(outlier.time), *prices)
    if check.repeated:
        yield "repeated", f"{check.repeated:,} rows equal the row before them, time included"
    if check.thin_days:
        yield "thin days", f"{check.thin_days:,} from Monday to Thursday have less than a tenth of the usual rows"


def _charts(console: Console, check: Check) -> None:
    from bitten.store.checkpicture import blocks

    by_hour = {hour.hour: hour for hour in check.hours}
    if by_hour:
        medians = [by_hour[hour].median if hour in by_hour else 0 for hour in range(24)]
        console.print(f"  spread by UTC hour 0-23  {blocks(medians, 24)}")
    first, last = min(check.days), max(check.days)
    rows = [check.days.get(day, 0) for day in range(first, last + 1)]
    console.print(f"  rows per day             {blocks(rows, max(console.width - 30, 20))}")
