"""A sweep's results on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bitten.analysis.figures import ABSENT, BY_KEY, counted, show
from bitten.analysis.terminal import is_synthetic, period_text
from bitten.sweeping.axes import show_value
from bitten.sweeping.result import Sweep
from bitten.sweeping.table import figure_label, less_is_better, ranked, rows_of

_SHOWN: Final = {
    "trades": "trades", "win_rate": "win", "profit_factor": "factor", "expectancy_r": "R", "net": "net",
    "max_drawdown": "drawdown", "sharpe": "sharpe",
}  # fmt: skip
"""Figures of the table and their headings."""

_DROPPED: Final = ("profit_factor", "win_rate", "expectancy_r", "sharpe", "max_drawdown", "trades", "net")
"""In this order, one after another, where the terminal is too narrow for all: no figure is ever cut."""
_UNBOUNDED: Final = 10_000  # columns


def print_sweep(console: Console, table: pa.Table, manifest: Mapping[str, Any], rows: int = 5) -> None:
    """Print the best and the worst combinations, how many there were, and what the figures assume.

    Args:
        console: where to.
        table: the sweep's table.
        manifest: its manifest.
        rows: how many of the best and of the worst.
    """
    console.print(_title(manifest))
    for line in manifest.get("alerts") or ():
        console.print(Text(str(line), style="red"), soft_wrap=True)
    sort = str(manifest["sort"])
    order = ranked(table, sort)
    best, worst = order[:rows], order[max(rows, len(order) - rows) :]
    if order:
        console.print(_fitting(console, manifest, sort, (rows_of(table, best), rows_of(table, worst))))
    idle = table.num_rows - len(order)
    if idle:
        none = "No combination has" if not order else f"{counted(idle, 'combination has', 'combinations have')} no"
        what = "a figure to sort by" if not order else "trades, or no such figure"
        console.print(Text(f"{none} {what}.", style="yellow"), soft_wrap=True)
    for heading, key, style in (("Costs", "costs", ""), ("Notes", "notes", ""), ("Beware", "selection", "yellow")):
        _print_lines(console, heading, manifest.get(key) or (), style)


def print_sweeps(console: Console, sweeps: Sequence[Sweep]) -> None:
    """One line for each sweep: name, period, symbols, combinations and what was swept; † marks synthetic quotes."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("sweep", "period", "symbols", "combinations", "over"):
        table.add_column(name, justify="right" if name == "combinations" else "left", overflow="fold")
    for sweep in sweeps:
        manifest = sweep.manifest
        mark = " †" if is_synthetic(manifest) else ""
        cells = (sweep.folder.name + mark, period_text(manifest), " ".join(manifest.get("symbols") or ()))
        over = ", ".join(axis["key"] for axis in manifest["axes"])
        table.add_row(*map(Text, cells), f"{manifest['combinations']:,}", Text(over))
    console.print(table)


def _title(manifest: Mapping[str, Any]) -> Text:
    text = Text(str(manifest.get("name", "sweep")), style="bold")
    if is_synthetic(manifest):
        text.append("  SYNTHETIC DATA", style="bold yellow")
    axes = " × ".join(f"{len(axis['values']):,} {axis['column']}" for axis in manifest["axes"])
    facts = [
        period_text(manifest),
        ", ".join(manifest.get("symbols") or ()),
        f"{manifest['combinations']:,} combinations",
    ]
    text.append("".join(f"  {fact}" for fact in (*facts, axes) if fact), style="dim")
    return text


Group = Sequence[Mapping[str, Any]]  # rows of the table


def _fitting(console: Console, manifest: Mapping[str, Any], sort: str, groups: tuple[Group, Group]) -> Table:
    """Best and worst rows with as many figures as the terminal is wide enough for."""
    figures = list(dict.fromkeys((*_SHOWN, sort)))
    unbounded = console.options.update(width=_UNBOUNDED)
    for dropped in ("", *_DROPPED):
        figures = [key for key in figures if key != dropped or key == sort]
        found = _rows([axis["column"] for axis in manifest["axes"]], figures, sort, groups)
        if console.measure(found, options=unbounded).maximum <= console.width:
            break
    return found


def _rows(axes: Sequence[str], figures: Sequence[str], sort: str, groups: tuple[Group, Group]) -> Table:
    """Best rows, a gap, worst rows."""
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("no.", justify="right")
    for name in axes:
        grid.add_column(Text(name), justify="right", overflow="fold")
    for key in figures:
        arrow = (" ↑" if less_is_better(key) else " ↓") if key == sort else ""
        grid.add_column(_SHOWN.get(key, figure_label(key).lower()) + arrow, justify="right", no_wrap=True)
    for number, group in enumerate(groups):
        if number and group:
            grid.add_row(*["…"] * len(grid.columns))
        for row in group:
            cells = [_figure(key, row).removesuffix(" R") for key in figures]
            grid.add_row(f"{row['combination']:,}", *(Text(show_value(row[name])) for name in axes), *cells)
    return grid


def _figure(key: str, row: Mapping[str, Any]) -> str:
    if key in BY_KEY:
        return show(BY_KEY[key], row[key])
    return ABSENT if row[key] is None else f"{row[key]:,.4g}"


def _print_lines(console: Console, heading: str, lines: Sequence[Any], style: str) -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=6)
    grid.add_column(overflow="fold")
    for i, line in enumerate(lines):
        grid.add_row(heading if i == 0 else "", Text(str(line), style=style))
    if lines:
        console.print(grid)
