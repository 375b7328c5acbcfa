"""The store: quotes and bars as Parquet files that any tool can read, and that imports can only change as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from bitten.clock import iso
from bitten.errors import DataError, did_you_mean
from bitten.model.instrument import Instrument
from bitten.store import layout
from bitten.store.block import Block, Columns, concat, empty, to_columns
from bitten.store.columns import Source
from bitten.store.commit import recover, writing
from bitten.store.layout import TICKS
from bitten.store.months import source_key
from bitten.store.overlap import OnOverlap
from bitten.store.parquet import ROW_GROUP
from bitten.store.reader import Plan, plan
from bitten.store.transaction import Added, Transaction

__all__ = ["TICKS", "Added", "Holding", "TickStore", "Transaction"]


@dataclass(frozen=True, slots=True)
class Holding:
    """What the store holds of one symbol and kind."""

    symbol: str
    kind: str  # "ticks", or the timeframe of bars
    digits: int
    rows: int
    first: int  # ns UTC
    last: int
    months: int
    size: int  # bytes on disk
    absent_spreads: int  # bars without a spread
    sources: tuple[Source, ...]
    fingerprint: str  # of all months

    @property
    def synthetic(self) -> bool:
        """Whether any of it was made up."""
        return any(source.synthetic for source in self.sources)


class TickStore:
    """A folder of quotes and bars; opening it finishes or clears away an import that was killed.

    Args:
        path: the folder; it need not exist before the first import.
        row_group: rows per row group of files that are written, the unit of reading.
    """

    def __init__(self, path: Path | str, row_group: int = ROW_GROUP) -> None:
        self.path = Path(path)
        self._row_group = row_group
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"{self.path} is a file, a store is a folder")
        recover(self.path)

    def symbols(self) -> tuple[str, ...]:
        """Symbols with ticks or bars, sorted."""
        return layout.symbols(self.path)

    def kinds(self, symbol: str) -> tuple[str, ...]:
        """What is held of a symbol: "ticks" first, then timeframes by length; empty where it is not held."""
        return layout.kinds(self.path, symbol)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Add to the store as a whole: everything at the end of the block, or nothing where it raises or is killed.

        Raises:
            DataError: another import is under way.
        """
        with writing(self.path):
            transaction = Transaction(self.path, self._row_group)
            yield transaction
            transaction.commit()

    def add(
        self,
        symbol: str,
        instrument: Instrument,
        columns: Columns,
        source: Source,
        on_overlap: OnOverlap = "refuse",
    ) -> Added:
        """A transaction of one addition; see `Transaction.add`."""
        with self.transaction() as transaction:
            return transaction.add(symbol, instrument, columns, source, on_overlap)

    def plan(self, symbol: str, kind: str = TICKS, start: int | None = None, end: int | None = None) -> Plan:
        """What reading would touch, from metadata alone.

        Raises:
            DataError: the store does not hold it; the message says what it holds and how to import.
        """
        self._require(symbol, kind)
        return plan(self.path, symbol, kind, start, end)

    def stream(
        self, symbol: str, start: int | None = None, end: int | None = None, kind: str = TICKS
    ) -> Iterator[Columns]:
        """Rows from `start` to before `end` (ns UTC), a row group at a time, the next one decoded meanwhile.

        Columns are read-only; prices may be int32. Memory holds two row groups, whatever the length of the history.
        """
        for block in self.plan(symbol, kind, start, end).blocks():
            if len(block):
                yield to_columns(block)

    def read(self, symbol: str, start: int | None = None, end: int | None = None, kind: str = TICKS) -> Columns:
        """All rows from `start` to before `end` (ns UTC) at once, as int64."""
        blocks = list(self.plan(symbol, kind, start, end).blocks()) or [empty(kind)]
        whole = concat(blocks)
        return to_columns(Block(kind, {name: column.astype(np.int64) for name, column in whole.columns.items()}))

    def digits(self, symbol: str) -> int:
        """Decimals of the stored prices of a symbol."""
        kinds = self.kinds(symbol)
        self._require(symbol, kinds[0] if kinds else TICKS)
        return self.plan(symbol, kinds[0]).metas[0].digits

    def holding(self, symbol: str, kind: str = TICKS) -> Holding:
        """What the store holds of one symbol and kind, from metadata alone."""
        everything = self.plan(symbol, kind)
        groups, metas = everything.groups, everything.metas
        sources = {source_key(source): source for meta in metas for source in meta.sources}
        return Holding(
            symbol=symbol,
            kind=kind,
            digits=metas[0].digits,
            rows=everything.rows,
            first=groups[0].first,
            last=groups[-1].last,
            months=len(metas),
            size=sum(path.stat().st_size for path in layout.month_files(self.path, symbol, kind)),
            absent_spreads=sum(group.absent for group in groups),
            sources=tuple(sources.values()),
            fingerprint=everything.fingerprint,
        )

    def refuse_range(self, symbol: str, kind: str) -> NoReturn:
        """Say that a range of time holds nothing, and which one does."""
        held = self.holding(symbol, kind)
        raise DataError(
            f"the store {self.path} holds no {symbol} {kind} in that range of time: they run from "
            f"{iso(held.first, 0)} to {iso(held.last, 0)} UTC"
        )

    def describe(self) -> list[Holding]:
        """Everything the store holds, by symbol and kind."""
        return [self.holding(symbol, kind) for symbol in self.symbols() for kind in self.kinds(symbol)]

    def _require(self, symbol: str, kind: str) -> None:
        layout.check_kind(kind)
        kinds = self.kinds(symbol)
        if kind in kinds:
            return
        if not kinds:
            held = self.symbols()
            same = next((name for name in held if name.upper() == symbol.upper()), None)
            if same:
                raise DataError(f'the store {self.path} holds no {symbol}: did you mean "{same}"?')
            what = f"the store {self.path} holds no {symbol}{did_you_mean(symbol, held) if held else ', it is empty'}"
            raise DataError(
                f"{what}; bring quotes in with `bitten data import FILES --symbol {symbol} --store {self.path}`"
            )
        wanted = "ticks" if kind == TICKS else f"{kind} bars"
        raise DataError(f"the store {self.path} holds no {wanted} of {symbol}; it holds {', '.join(kinds)} of it")
