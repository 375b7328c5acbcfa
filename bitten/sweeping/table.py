"""The table of a sweep: one row per combination, its axes and its figures. Documented in docs/run-folder.md."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
from pyarrow.json import ParseOptions, read_json

from bitten.analysis.figures import BY_KEY, FIGURES
from bitten.errors import BittenError, did_you_mean
from bitten.sweeping.axes import Axis, show_value
from bitten.sweeping.grid import Grid

Figures = Mapping[str, Any]

_KINDS: Final = {"count": pa.int64(), "flag": pa.bool_()}
_OF_THE_UNFIRED: Final = ("outcome_r", "outcome_r_fired")  # a sweep does not follow what was not fired
COLUMNS: Final = {
    **{figure.key: _KINDS.get(figure.kind, pa.float64()) for figure in FIGURES if figure.key not in _OF_THE_UNFIRED},
    "win_rate_low": pa.float64(),
    "win_rate_high": pa.float64(),
    "alerts": pa.int64(),
    "currency": pa.string(),
}
"""Figures of a combination and their types, in the order of the table."""

_LESS_IS_BETTER: Final = (
    "max_drawdown", "max_drawdown_money", "max_drawdown_days", "longest_drawdown_days", "volatility",
    "longest_losing_streak", "losses", "open_at_end", "alerts",
)  # fmt: skip


def figures_of(summary: Mapping[str, Any]) -> Figures:
    """The figures of a summary that stand in the table."""
    return {key: summary.get(key) for key in COLUMNS}


def axis_columns(axes: Sequence[Axis]) -> list[str]:
    """A column name for each axis: the end of its key, as long as it takes to be unique."""
    names = []
    for axis in axes:
        words = axis.key.split(".")
        others = [other.key.split(".") for other in axes if other is not axis]
        short = 1
        while short < len(words) and any(other[-short:] == words[-short:] for other in others):
            short += 1
        name = ".".join(words[-short:])
        names.append(axis.key if name in COLUMNS or name == "combination" else name)
    return names


def make_table(grid: Grid, rows: Mapping[int, Figures]) -> pa.Table:
    """The table of all combinations.

    Args:
        grid: the grid.
        rows: figures by combination, counted from 0; all of them.
    """
    names = axis_columns(grid.axes)
    kinds = [_axis_type(axis) for axis in grid.axes]
    schema = pa.schema([("combination", pa.int64()), *zip(names, kinds, strict=True), *COLUMNS.items()])
    lines = []
    for i in range(len(grid)):
        values = [
            show_value(value) if kind == pa.string() else value
            for value, kind in zip(grid.values(i), kinds, strict=True)
        ]
        lines.append(json.dumps({"combination": i + 1, **dict(zip(names, values, strict=True)), **rows[i]}))
    # by way of JSON, because pyarrow makes columns of Python lists only after it has imported pandas
    table = read_json(io.BytesIO("\n".join(lines).encode()), parse_options=ParseOptions(explicit_schema=schema))
    return table.combine_chunks()


def _axis_type(axis: Axis) -> pa.DataType:
    kinds = {type(value) for value in axis.values}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.string()


def check_figure(key: str) -> str:
    """Return the key if a sweep can be sorted by it.

    Raises:
        BittenError: it cannot.
    """
    sortable = [name for name, kind in COLUMNS.items() if kind != pa.string()]
    if key not in sortable:
        raise BittenError(f'no figure "{key}"{did_you_mean(key, sortable)}')
    return key


def less_is_better(key: str) -> bool:
    """Whether the best value of a figure is the smallest."""
    return key in _LESS_IS_BETTER


def ranked(table: pa.Table, key: str) -> list[int]:
    """Rows from best to worst by a figure; those where it is undefined, and those without trades, are left out.

    Among equals the earlier combination comes first.
    """
    values, trades = table[key].to_pylist(), table["trades"].to_pylist()
    known = [i for i, value in enumerate(values) if value is not None and trades[i]]
    return sorted(known, key=lambda i: values[i] if less_is_better(key) else -values[i])


def rows_of(table: pa.Table, positions: Sequence[int]) -> list[dict[str, Any]]:
    """Some rows of the table, each by column."""
    return [row for position in positions for row in table.slice(position, 1).to_pylist()]


def figure_label(key: str) -> str:
    """The name of a figure as people read it."""
    return BY_KEY[key].label if key in BY_KEY else key.replace("_", " ").capitalize()
