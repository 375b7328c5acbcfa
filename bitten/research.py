"""The notebook's way to stored quotes: `from bitten.research import load`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bitten.instants import When, instant

if TYPE_CHECKING:
    import pandas as pd


def load(
    symbol: str,
    start: When | None = None,
    end: When | None = None,
    store: str | Path = "data",
    bars: str | None = None,
) -> pd.DataFrame:
    """Stored quotes as a frame with decimal prices.

    Args:
        symbol: as stored, "EURUSD".
        start: first instant wanted: a date or time, UTC where it has no zone, text in ISO 8601.
        end: first instant not wanted.
        store: folder of the store.
        bars: a timeframe of stored bars, "M1"; None for ticks.

    Returns:
        A frame indexed by `time` (datetime64[ns, UTC]). Ticks have `bid ask`; bars have `open high low close spread
        volume`, bid prices, `spread` in points and NaN where the source states none.

    Raises:
        DataError: the store does not hold it, or a date cannot be read.
    """

    from bitten.store.block import concat, empty
    from bitten.store.export import decimal_table
    from bitten.store.tickstore import TICKS, TickStore

    opened, kind = TickStore(store), bars or TICKS
    first, after = (None if when is None else instant(when) for when in (start, end))
    blocks = list(opened.plan(symbol, kind, first, after).blocks())
    table = decimal_table(concat(blocks) if blocks else empty(kind), opened.digits(symbol))
    frame: pd.DataFrame = table.to_pandas().set_index("time")
    if bars is not None:
        frame["spread"] = frame["spread"].astype(float)
    return frame
