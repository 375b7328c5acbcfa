"""`bitten data list`: what the store holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bitten.commands.data_options import STORE, plain_console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from bitten.store.columns import Source
    from bitten.store.tickstore import Holding, TickStore

_QUIET = ("rows", "ask_rows")  # counts of everything that was read


@click.command("list")
@click.argument("symbols", nargs=-1)
@STORE
@click.option("--sources", is_flag=True, help="Show every source with its files, rules and counts.")
def list_(symbols: tuple[str, ...], store: Path, sources: bool) -> None:
    """Show what the store holds: rows, range, size, where it is from, and what importing had to settle."""
    from bitten.store.tickstore import TickStore

    opened = TickStore(store)
    held = opened.describe() if not symbols else [opened.holding(s, k) for s in symbols for k in _kinds(opened, s)]
    console = plain_console()
    if not held:
        console.print(f"{store} holds nothing yet; bring quotes in with `bitten data import FILES`", soft_wrap=True)
        return
    _table(console, held)
    if sources:
        for holding in held:
            for source in holding.sources:
                console.print(_long(holding, source), soft_wrap=True)


def _kinds(store: TickStore, symbol: str) -> Iterable[str]:
    return store.kinds(symbol) or ("ticks",)  # "ticks" leads to the error that says what is held


def _table(console: Console, held: list[Holding]) -> None:
    from rich.table import Table

    from bitten.clock import iso

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("symbol", "kind"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", "months", "size", "digits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("first (UTC)", "last (UTC)"):
        table.add_column(heading, no_wrap=True)
    for heading in ("source", "clock", "settled at import"):
        table.add_column(heading)
    for holding in held:
        formats = sorted({source.format for source in holding.sources})
        table.add_row(
            f"{holding.symbol} SYNTHETIC" if holding.synthetic else holding.symbol,
            holding.kind,
            f"{holding.rows:,}",
            str(holding.months),
            _size(holding.size),
            str(holding.digits),
            iso(holding.first),
            iso(holding.last),
            " ".join(formats),
            " ".join(sorted({source.clock for source in holding.sources})),
            _settled(holding.sources),
        )
    console.print(table)


def _settled(sources: Iterable[Source]) -> str:
    totals: dict[str, int] = {}
    for source in sources:
        for name, count in source.counts.items():
            totals[name] = totals.get(name, 0) + count
    parts = [f"{name} {count:,}" for name, count in totals.items() if count and name not in _QUIET]
    return ", ".join(parts) or "nothing"


def _long(holding: Holding, source: Source) -> str:
    rules = ", ".join(f"{name}: {rule}" for name, rule in source.rules.items())
    counts = ", ".join(f"{name} {count:,}" for name, count in source.counts.items())
    return (
        f"{holding.symbol} {holding.kind} from {source.format}{' SYNTHETIC' if source.synthetic else ''}: "
        f"{', '.join(source.files)}\n  clock {source.clock}; {rules}\n  {counts}"
    )


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
