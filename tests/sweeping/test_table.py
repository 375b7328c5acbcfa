"""The table: types, column names, order."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from bitten.errors import BittenError
from bitten.sweeping.axes import Axis
from bitten.sweeping.table import COLUMNS, axis_columns, check_figure, make_table, ranked
from tests.sweeping.made import grid_of


def rows(**columns: list[Any]) -> dict[int, dict[str, Any]]:
    count = len(next(iter(columns.values())))
    return {i: {key: columns.get(key, [None] * count)[i] for key in COLUMNS} for i in reversed(range(count))}


def test_axes_have_the_types_of_their_values() -> None:
    grid = grid_of("run.seed=0,1", "costs.commission_per_lot=0,0.5", "feed.intrabar=path", "accounts.main.band=[0, 90]")
    table = make_table(grid, rows(trades=[1, 2, 3, 4]))
    assert table.schema.names[:5] == ["combination", "seed", "commission_per_lot", "intrabar", "band"]
    assert table.schema.types[:5] == [pa.int64(), pa.int64(), pa.float64(), pa.string(), pa.string()]
    assert table["combination"].to_pylist() == [1, 2, 3, 4]
    assert table["trades"].to_pylist() == [1, 2, 3, 4]
    assert table["commission_per_lot"].to_pylist() == [0.0, 0.5, 0.0, 0.5]
    assert table.schema.names[5:] == list(COLUMNS)
    assert table.schema.types[5:] == list(COLUMNS.values())


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        (["patterns.a.period", "costs.x"], ["period", "x"]),
        (["patterns.a.period", "patterns.b.period"], ["a.period", "b.period"]),
        (["patterns.a.params.x", "patterns.b.params.x"], ["a.params.x", "b.params.x"]),
        (["x.signals"], ["x.signals"]),
        (["x.combination", "y.trades"], ["x.combination", "y.trades"]),
    ],
)
def test_columns_are_as_short_as_they_can_be(keys: list[str], columns: list[str]) -> None:
    assert axis_columns([Axis(key, (1,), "") for key in keys]) == columns


def test_ranking_leaves_out_what_has_no_figure_and_knows_what_is_better() -> None:
    grid = grid_of("run.seed=0:4:1")
    table = make_table(
        grid, rows(trades=[1, 1, 0, 1, 1], net=[1.0, 3.0, 9.0, None, 3.0], max_drawdown=[0.2, 0.1, 0.0, 0.3, 0.4])
    )
    assert ranked(table, "net") == [1, 4, 0]
    assert ranked(table, "max_drawdown") == [1, 0, 3, 4]


def test_only_figures_can_be_sorted_by() -> None:
    assert check_figure("sharpe") == "sharpe"
    with pytest.raises(BittenError, match='no figure "sharp": did you mean "sharpe"'):
        check_figure("sharp")
    with pytest.raises(BittenError, match='no figure "currency"'):
        check_figure("currency")
