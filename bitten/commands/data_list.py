"""`bitten data list`: what the store holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bitten.commands.data_options import STORE, existing_store, plain_console
from bitten.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.table import Table

    from bitten.store.columns import Source
    from bitten.store.tickstore import Holding, TickStore

_ENDLESS: Final = 10_000  # columns; no line is longer
_QUIET = ("rows", "ask_rows")  # counts of everything that was read


@click.command("list")
@click.argument("symbols", nargs=-1)
@STORE
@click.option("--sources", is_flag=True, help="Show every source with its files, rules and counts.")
def list_(symbols: tuple[str, ...], store: Path, sources: bool) -> None:
    """Show what the store holds: rows, range, size, where it is from, and what importing had to settle."""
    opened = existing_store(store)
    held, damaged = _holdings(opened, symbols)
    console = plain_console()
    if not held and not damaged:
        console.print(f"{store} holds nothing yet; bring quotes in with `bitten data import FILES`", soft_wrap=True)
        return
    if held:
        _table(console, held)
    for symbol, kind in damaged:
        console.print(f"{symbol} {kind} DAMAGED", soft_wrap=True)
    if sources:
        for holding in held:
            for source in holding.sources:
                console.print(_long(holding, source), soft_wrap=True)
    if damaged:
        raise DataError("; ".join(str(error) for error in damaged.values()))


def _holdings(store: TickStore, symbols: tuple[str, ...]) -> tuple[list[Holding], dict[tuple[str, str], DataError]]:
    """What is held, and by symbol and kind what is wrong with the rest."""
    held, damaged = [], {}
    for symbol in symbols or store.symbols():
        kinds = store.kinds(symbol)
        if not kinds:
            store.plan(symbol)  # leads to the error that says what is held
        for kind in kinds:
            try:
                held.append(store.holding(symbol, kind))
            except DataError as error:
                damaged[symbol, kind] = error
    return held, damaged


def _table(console: Console, held: list[Holding]) -> None:
    """One line per series where that fits or nobody's terminal limits it, else two."""
    wide = _wide(held)
    width = console.measure(wide, options=console.options.update(width=_ENDLESS)).maximum
    if not console.is_terminal:
        console.width = max(console.width, width)
    if width <= console.width:
        console.print(wide)
    else:
        _narrow(console, held)


def _wide(held: list[Holding]) -> Table:
    from rich.table import Table

    from bitten.clock import iso

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("symbol", "kind"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", "months", "size", "digits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("first (UTC)", "last (UTC)", "source", "clock", "settled at import"):
        table.add_column(heading, no_wrap=True)
    for holding in held:
        table.add_row(
            f"{holding.symbol} SYNTHETIC" if holding.synthetic else holding.symbol,
            holding.kind,
            f"{holding.rows:,}",
            str(holding.months),
            _size(holding.size),
            str(holding.digits),
            iso(holding.first),
            iso(holding.last),
            *_origin(holding),
            _settled(holding.sources),
        )
    return table


def _narrow(console: Console, held: list[Holding]) -> None:
    """What there is on the first line of a series, where it is from on the next ones."""
    from rich.padding import Padding

    from bitten.clock import iso

    rows = [("symbol", "kind", "rows", "size", "first (UTC)", "last (UTC)")]
    rows += [(h.symbol, h.kind, f"{h.rows:,}", _size(h.size), iso(h.first, 0)[:16], iso(h.last, 0)[:16]) for h in held]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for index, cells in enumerate(rows):
        padded = [
            f"{cell:{'>' if position in (2, 3) else '<'}{widths[position]}}" for position, cell in enumerate(cells)
        ]
        console.print("  ".join(padded).rstrip(), style="bold" if index == 0 else None, soft_wrap=True)
        if index:
            console.print(Padding(_details(held[index - 1]), (0, 0, 0, 2)))


def _details(holding: Holding) -> str:
    source, clock = _origin(holding)
    made_up = "SYNTHETIC, " if holding.synthetic else ""
    months = "1 month" if holding.months == 1 else f"{holding.months} months"
    return (
        f"{made_up}{months}, {holding.digits} digits, from {source}, clock {clock}; "
        f"settled at import: {_settled(holding.sources)}"
    )


def _origin(holding: Holding) -> tuple[str, str]:
    """Formats and clocks of the sources."""
    formats = sorted({source.format for source in holding.sources})
    return " ".join(formats), " ".join(sorted({source.clock for source in holding.sources}))


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
