"""`bitten data export`: stored quotes for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from bitten.commands.data_options import FROM, STORE, TO, check_range, existing_store


@click.command()
@click.argument("symbol")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="The file; .csv, .csv.gz, .parquet or .arrow names the format.",
)  # fmt: skip
@click.option("--bars", metavar="TIMEFRAME", help="Stored bars of this timeframe instead of ticks, as M1.")
@FROM
@TO
@STORE
def export(symbol: str, output: Path, bars: str | None, start: int | None, end: int | None, store: Path) -> None:
    """Write quotes of SYMBOL with decimal prices and UTC times.

    The file appears when it is complete. Spreads of bars are in points.

    \b
    Examples:
      bitten data export EURUSD -o EURUSD.csv.gz
      bitten data export EURUSD --bars M1 --from 2014-05-01 -o EURUSD.parquet
    """
    from bitten.store.export import export as write
    from bitten.store.tickstore import TICKS

    check_range(start, end)
    rows = write(existing_store(store), symbol, bars or TICKS, output, start, end)
    click.echo(f"{rows:,} rows of {symbol} {bars or TICKS} in {output}")
