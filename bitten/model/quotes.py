"""Quotes as columns: what feeds yield and kernels read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.model.dtypes import NS_PER_MS, Ints

BAR_UNIT_NS: Final = NS_PER_MS
"""A bar that comes without ticks is complete with its own close, its end minus this unit of time."""

QUOTES_PER_BAR: Final = 4

_NOTHING: Final[Ints] = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Quotes:
    """A column chunk of one symbol, in the order of `ts`.

    `ts` is int64 ns UTC and never decreases; `bid` and `ask` are integer points (int32 or int64, both alike).
    Quotes made of bars carry `bar_ns` (the period of those bars), come four to a bar and are cut only between bars;
    `long_exit` and `short_exit` are the bid and ask that open positions see, where that differs from the bar's own
    path (pessimistic order of the extremes).
    """

    symbol: str
    ts: Ints
    bid: Ints
    ask: Ints
    bar_ns: int = 0
    long_exit: Ints | None = None
    short_exit: Ints | None = None
    volume: Ints | None = None  # bar sources: tick volume, one value per bar

    def __post_init__(self) -> None:
        for name in ("ts", "bid", "ask", "long_exit", "short_exit"):
            column = getattr(self, name)
            if column is not None and column.flags.writeable:
                column = column.view()  # the caller's own array stays as it is
                column.flags.writeable = False  # kernels are compiled for one kind of array, the read-only one
                object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return int(self.ts.size)


def no_quotes(symbol: str) -> Quotes:
    """An empty chunk."""
    return Quotes(symbol, _NOTHING, _NOTHING, _NOTHING)


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """All quotes of all symbols after the previous slice's horizon and up to this one, ends included.

    Horizons strictly increase: quotes of one instant belong to one slice, because what happens at one instant is
    settled together (exits, then bars, signals, gates, orders). Live feeds see to it by giving every arrival an
    instant of its own.
    """

    horizon: int
    quotes: Mapping[str, Quotes]
