"""The liquidity map of a run: pools of stops and how they ended, highs and lows of sessions and days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from bitten.journal.columns import make_batch
from bitten.journal.schema import TIME, WORD
from bitten.model.instrument import Instrument
from bitten_plugins.shields.pools import ALIVE, LOWS
from bitten_plugins.shields.sessions import WINDOWS

if TYPE_CHECKING:
    from bitten.model.dtypes import Records
    from bitten_plugins.shields.watch import Watch

SCHEMA: Final = pa.schema(
    [
        ("symbol", WORD),
        ("timeframe", WORD),  # of the bars whose swing a pool is; null for sessions and days
        ("kind", WORD),  # pool_high pool_low, london_high london_low, new_york_ .., tokyo_ .., day_ ..
        ("level", pa.float64()),
        ("since", TIME),  # start of the pivot's bar; of a session or day when it was over
        ("born", TIME),  # when it was known
        ("swept", TIME),  # when price traded through it; null where it did not
        ("ended", TIME),  # then, or when it was forgotten or replaced; null where it was alive at the end
    ]
)


def liquidity_table(watches: Mapping[str, Watch]) -> pa.Table:
    """Every symbol's levels, as many as each has kept."""
    cells = [cell for symbol, watch in watches.items() for row in _rows(symbol, watch) for cell in row]
    return pa.Table.from_batches([make_batch(cells, SCHEMA)], SCHEMA)


def pool_kind(kind: int) -> str:
    """Of a pool."""
    return "pool_low" if kind == LOWS else "pool_high"


def level_kind(window: int, high: int) -> str:
    """Of a session's or day's level."""
    return f"{WINDOWS[window].name}_{'high' if high else 'low'}"


def _rows(symbol: str, watch: Watch) -> Iterator[tuple[Any, ...]]:
    for timeframe, chart in watch.charts.items():
        for pool in _records(chart.history()):
            kind = pool_kind(pool["kind"])
            yield (symbol, timeframe, kind, *_fate(watch.instrument, pool, pool["time"]))
    for level in _records(watch.levels.history()):
        kind = level_kind(level["window"], level["high"])
        yield (symbol, None, kind, *_fate(watch.instrument, level, level["born"]))


def _records(rows: Records) -> Iterator[dict[str, int]]:
    names = rows.dtype.names or ()
    return (dict(zip(names, row, strict=True)) for row in rows.tolist())


def _fate(instrument: Instrument, row: Mapping[str, int], since: int) -> tuple[float, int, int, int | None, int | None]:
    ended = None if row["ended"] == ALIVE else row["ended"]
    return instrument.price(row["level"]), since, row["born"], ended if row["swept"] else None, ended
