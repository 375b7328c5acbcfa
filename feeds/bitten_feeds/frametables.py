"""Frames of any make as integer columns: the border of the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bitten.errors import DataError, did_you_mean
from bitten.model.dtypes import Floats, Ints
from bitten.model.instrument import Instrument, to_points, to_prices
from bitten.store.block import Columns
from bitten.store.cleaning import check_prices
from bitten.store.columns import NO_SPREAD, BarColumns, TickColumns

TIME_NAMES: Final = ("time", "timestamp", "datetime", "date")
VOLUME_NAMES: Final = ("volume", "tick_volume", "tickvol")


def tables_by_symbol(data: Any, symbols: Sequence[str]) -> dict[str, pa.Table]:
    """Arrow tables by symbol, column names in lower case.

    Args:
        data: a mapping of symbol to frame; or one frame with a column `symbol`; or, for one symbol, its frame. A
            frame is a pandas DataFrame (its index may be the time), a pyarrow Table or a polars DataFrame.
        symbols: those wanted.

    Raises:
        DataError: something else, or a symbol is missing.
    """
    if data is None:
        raise DataError(
            "the frame feed replays frames that are handed over: bitten.backtest(..., data={symbol: frame})"
        )
    if isinstance(data, Mapping):
        found = {symbol: _table(frame, symbol) for symbol, frame in data.items() if symbol in symbols}
        held = list(map(str, data))
    else:
        table = _table(data, "data")
        if "symbol" in table.column_names:
            names = table.column("symbol").cast(pa.string())
            held = sorted(name for name in pc.unique(names).to_pylist() if name is not None)
            found = {s: table.filter(pc.equal(names, s)).drop_columns("symbol") for s in symbols if s in held}
        elif len(symbols) == 1:
            return {symbols[0]: table}
        else:
            raise DataError(
                f"one frame for {len(symbols)} symbols needs a column symbol, or hand over {{symbol: frame}}"
            )
    for symbol in symbols:
        if symbol not in found:
            raise DataError(f"the frames hold no {symbol}{did_you_mean(symbol, held)}")
    return {symbol: found[symbol] for symbol in symbols}


def columns_of(table: pa.Table, instrument: Instrument, timeframe: str | None) -> tuple[Columns, int]:
    """A table's ticks (or bars, with a timeframe) as integer columns, and how many prices lost decimals by that.

    Raises:
        DataError: a column is missing or of a wrong type, or a value is absent.
    """
    time = _time(table)
    names = ("bid", "ask") if timeframe is None else ("open", "high", "low", "close")
    prices = {name: _numbers(table, name) for name in names}
    points = {name: _points(values, name, instrument) for name, values in prices.items()}
    rounded = sum(
        int((np.abs(to_prices(points[name], instrument.digits) - prices[name]) > 1e-3 * instrument.point).sum())
        for name in names
    )
    if timeframe is None:
        return TickColumns(time, points["bid"], points["ask"]), rounded
    volume = next((name for name in VOLUME_NAMES if name in table.column_names), None)
    return BarColumns(
        timeframe,
        time,
        **points,
        spread=_spread(table, time.size),
        volume=np.zeros(time.size, np.int64) if volume is None else _whole(_numbers(table, volume), volume),
    ), rounded


def _table(frame: Any, name: str) -> pa.Table:
    if isinstance(frame, pa.Table):
        table = frame
    elif hasattr(frame, "to_arrow"):  # polars, without importing it
        table = frame.to_arrow()
    elif hasattr(frame, "iloc") and hasattr(frame, "columns"):  # pandas, likewise
        lower = [str(column).lower() for column in frame.columns]
        timed = any(column in TIME_NAMES for column in lower)
        table = pa.Table.from_pandas(frame if timed else frame.rename_axis("time").reset_index(), preserve_index=False)
    else:
        raise DataError(
            f"{name} is a {type(frame).__name__}: expected a pandas DataFrame, a pyarrow Table or a polars DataFrame"
        )
    return table.rename_columns([str(column).lower() for column in table.column_names])


def _column(table: pa.Table, names: Sequence[str]) -> pa.Array:
    for name in names:
        if name in table.column_names:
            column = table.column(name).combine_chunks()
            return column.chunk(0) if isinstance(column, pa.ChunkedArray) and column.num_chunks else column
    raise DataError(f"the frame has no column {names[0]}; its columns are {', '.join(table.column_names)}")


def _time(table: pa.Table) -> Ints:
    column = _column(table, TIME_NAMES)
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise DataError(f"the times are of type {column.type}: make them datetimes first, as with pandas.to_datetime")
    _no_nulls(column, "time")
    try:
        nanoseconds = column.cast(pa.timestamp("us") if pa.types.is_date(column.type) else column.type)
        zone = getattr(nanoseconds.type, "tz", None)
        time: Ints = nanoseconds.cast(pa.timestamp("ns", tz=zone)).cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise DataError(f"a time lies outside 1677 to 2262: {error}") from error
    return time


def _numbers(table: pa.Table, name: str) -> Floats:
    column = _column(table, (name,))
    try:
        values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"the column {name} is of type {column.type}: expected numbers") from error
    return values


def _points(values: Floats, name: str, instrument: Instrument) -> Ints:
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"row {row + 1}: {name} is {values[row]}: drop such rows, as with frame.dropna()")
    check_prices(instrument, lambda row: f"row {row + 1}", **{name: values})
    return to_points(values, instrument.digits)


def _spread(table: pa.Table, rows: int) -> Ints:
    """Spreads in points, as MetaTrader writes them."""
    if "spread" not in table.column_names:
        return np.full(rows, NO_SPREAD, np.int64)
    values = _numbers(table, "spread")
    return _whole(np.where(np.isnan(values), NO_SPREAD, values), "spread")


def _whole(values: Floats, name: str) -> Ints:
    wrong = ~np.isfinite(values) | (values != np.rint(values))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"row {row + 1}: {name} is {values[row]:g}: expected whole numbers ({_UNIT[name == 'spread']})")
    return values.astype(np.int64)


_UNIT: Final = ("ticks", "points, not a price difference")


def _no_nulls(column: pa.Array, name: str) -> None:
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise DataError(f"row {row + 1}: {name} is absent: drop such rows, as with frame.dropna()")
