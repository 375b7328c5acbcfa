"""Rows as the store handles them: named integer columns of one kind, the time first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.clock import iso
from bitten.errors import DataError
from bitten.model.dtypes import Bools, Ints
from bitten.store.columns import NO_SPREAD, BarColumns, TickColumns
from bitten.store.layout import TICKS, check_kind

Columns = TickColumns | BarColumns

TICK_NAMES: Final = ("time", "bid", "ask")
BAR_NAMES: Final = ("time", "open", "high", "low", "close", "spread", "volume")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows of one kind. `columns["time"]` is int64 ns UTC; the others are int32 where their values fit, else int64."""

    kind: str
    columns: Mapping[str, Ints]

    def __len__(self) -> int:
        return int(self.time.size)

    @property
    def time(self) -> Ints:
        """Times in ns UTC, in order."""
        return self.columns["time"]

    def rows(self, which: slice) -> Block:
        """A view of some rows."""
        return Block(self.kind, {name: column[which] for name, column in self.columns.items()})

    def chosen(self, mask: Bools) -> Block:
        """A copy of the rows that the mask selects."""
        return Block(self.kind, {name: column[mask] for name, column in self.columns.items()})

    def row(self, index: int) -> dict[str, int]:
        """One row by column name."""
        return {name: int(column[index]) for name, column in self.columns.items()}

    def same_as(self, other: Block) -> bool:
        """Whether both hold the same rows in the same order."""
        return len(self) == len(other) and all(
            np.array_equal(column, other.columns[name]) for name, column in self.columns.items()
        )


def names_of(kind: str) -> tuple[str, ...]:
    """Column names of a kind, in the order of the file."""
    return TICK_NAMES if kind == TICKS else BAR_NAMES


def empty(kind: str) -> Block:
    """No rows of a kind."""
    nothing: Ints = np.empty(0, np.int64)
    return Block(kind, dict.fromkeys(names_of(kind), nothing))


def concat(blocks: Sequence[Block]) -> Block:
    """One block of several of the same kind; the block itself where there is one."""
    if len(blocks) == 1:
        return blocks[0]
    kind = blocks[0].kind
    return Block(kind, {name: np.concatenate([block.columns[name] for block in blocks]) for name in names_of(kind)})


def from_columns(columns: Columns) -> Block:
    """A block of what an importer hands over.

    Raises:
        DataError: lengths differ, times step back, a price is not positive, ask is below bid, a bar's prices
            contradict each other, or two bars start at once.
    """
    if isinstance(columns, TickColumns):
        block = Block(TICKS, {"time": columns.ts, "bid": columns.bid, "ask": columns.ask})
    else:
        check_kind(columns.timeframe)
        block = Block(columns.timeframe, {name: getattr(columns, name) for name in BAR_NAMES})
    sizes = {name: column.size for name, column in block.columns.items()}
    if len(set(sizes.values())) != 1:
        raise DataError(f"columns have different lengths: {', '.join(f'{n} {size}' for n, size in sizes.items())}")
    if len(block) == 0:
        return block
    (_check_ticks if block.kind == TICKS else _check_bars)(block)
    return Block(block.kind, {name: _narrow(name, column) for name, column in block.columns.items()})


def to_columns(block: Block) -> Columns:
    """The block as columns; prices keep their width."""
    if block.kind == TICKS:
        return TickColumns(ts=block.time, bid=block.columns["bid"], ask=block.columns["ask"])
    return BarColumns(block.kind, **{name: block.columns[name] for name in BAR_NAMES})


def _narrow(name: str, column: Ints) -> Ints:
    if name == "time":
        return np.ascontiguousarray(column, np.int64)
    limits = np.iinfo(np.int32)
    fits = limits.min <= column.min() and column.max() <= limits.max
    return np.ascontiguousarray(column, np.int32 if fits else np.int64)


def _check_ticks(block: Block) -> None:
    time, bid, ask = (block.columns[name] for name in TICK_NAMES)
    _refuse(block, np.diff(time, prepend=time[0]) < 0, "is earlier than the row before it")
    _refuse(block, bid <= 0, "has a bid that is not positive")
    _refuse(block, ask < bid, "has an ask below its bid")


def _check_bars(block: Block) -> None:
    time, opening, high, low, close, spread, volume = (block.columns[name] for name in BAR_NAMES)
    _refuse(block, np.diff(time, prepend=time[0] - 1) <= 0, "does not start after the bar before it")
    _refuse(block, low <= 0, "has a low that is not positive")
    _refuse(block, (np.minimum(opening, close) < low) | (np.maximum(opening, close) > high), "leaves its high and low")
    _refuse(block, (spread < 0) & (spread != NO_SPREAD), "has a negative spread")
    _refuse(block, volume < 0, "has a negative volume")


def _refuse(block: Block, wrong: Bools, text: str) -> None:
    if wrong.any():
        index = int(np.argmax(wrong))
        what = "quote" if block.kind == TICKS else f"{block.kind} bar"
        raise DataError(f"the {what} at {iso(int(block.time[index]), 9)} (row {index + 1}) {text}")
