"""One import: many additions, one commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bitten.clock import iso
from bitten.errors import DataError
from bitten.model.instrument import Instrument
from bitten.store import layout, parquet
from bitten.store.block import Block, Columns, concat, from_columns
from bitten.store.columns import Source
from bitten.store.commit import STAGING, commit
from bitten.store.months import Carry, Month, SourceKey, source_key, spill_largest
from bitten.store.overlap import ConflictError, OnOverlap

SPILL_ROWS: Final = 8_000_000  # rows that an import holds in memory, 16 bytes each for ticks


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the rows of an addition."""

    new: int = 0  # came into the store
    same: int = 0  # were there already
    first: int | None = None  # ns UTC, of the rows handed over
    last: int | None = None
    replaced: int = 0  # stored rows that went out for them
    kept: int = 0  # stayed out because different stored rows were kept

    def __add__(self, other: Added) -> Added:
        firsts = [added.first for added in (self, other) if added.first is not None]
        lasts = [added.last for added in (self, other) if added.last is not None]
        return Added(
            self.new + other.new,
            self.same + other.same,
            min(firsts, default=None),
            max(lasts, default=None),
            self.replaced + other.replaced,
            self.kept + other.kept,
        )


class Transaction:
    """Collects additions; `TickStore.transaction()` makes one, commits it at the end of its block, or drops it.

    A large file may be added in pieces, one after the other, with the same source (its counts may grow from piece to
    piece; the last ones are stored).
    """

    def __init__(self, store: Path, row_group: int) -> None:
        self._store = store
        self._row_group = row_group
        self._months: dict[tuple[str, str, str], Month] = {}
        self._digits: dict[str, int] = {}
        self._counts: dict[SourceKey, Source] = {}
        self._carries: dict[tuple[str, str, SourceKey], Carry] = {}

    def add(
        self,
        symbol: str,
        instrument: Instrument,
        columns: Columns,
        source: Source,
        on_overlap: OnOverlap = "refuse",
    ) -> Added:
        """Add rows of one symbol.

        Args:
            symbol: names the folder.
            instrument: `digits` says what a point is.
            columns: in time order; prices in points.
            source: where they are from.
            on_overlap: what happens where stored rows differ: "refuse", "keep" the stored, "replace" them.

        Raises:
            DataError: rows are out of order or impossible, digits differ from the stored ones, or rows differ from
                stored ones and `on_overlap` is "refuse". Nothing of this addition is kept then.
        """
        block = from_columns(columns)
        self._check_digits(layout.check_symbol(symbol), instrument.digits)
        if len(block) == 0:
            return Added()
        key = source_key(source)
        self._counts[key] = source
        stream = (symbol, block.kind, key)
        carry = self._carries.get(stream)
        if carry and carry.rows.time[-1] != block.time[0]:
            carry = None
        laid = []
        for name, start, stop in layout.month_spans(block.time):
            month = self._month(symbol, block.kind, instrument.digits, name)
            try:
                part = block.rows(slice(start, stop))
                laid.append((month, month.lay(part, on_overlap, carry if start == 0 else None)))
            except ConflictError as conflict:
                raise _refusal(symbol, instrument, block, conflict, month, source) from conflict
        added = Added(first=int(block.time[0]), last=int(block.time[-1]))
        for month, merged in laid:
            month.take(merged, key, source)
            added += Added(merged.new, merged.same, replaced=merged.replaced, kept=merged.kept)
        spill_largest(list(self._months.values()), SPILL_ROWS)
        self._carries[stream] = _carry(block, carry, laid[-1][1].appended)
        return added

    def commit(self) -> None:
        """Write every changed month and put them all in place."""
        staged = self._store / STAGING / "new"
        files = []
        for (symbol, kind, name), month in self._months.items():
            if not month.changed:
                continue
            month.sources = {key: self._counts.get(key, source) for key, source in month.sources.items()}
            path = layout.folder(staged, symbol, kind) / f"{name}{layout.SUFFIX}"
            month.finish(path, self._row_group)
            files.append(path)
        if files:
            commit(self._store, files)

    def _check_digits(self, symbol: str, digits: int) -> None:
        if symbol not in self._digits:
            stored = [path for kind in layout.kinds(self._store, symbol) for path in self._files(symbol, kind)[:1]]
            self._digits[symbol] = parquet.read_meta(stored[0]).digits if stored else digits
        if self._digits[symbol] != digits:
            raise DataError(
                f"{symbol} is stored with {self._digits[symbol]} digits and these quotes have {digits}: set "
                f"digits = {self._digits[symbol]} under [instruments.{symbol}] in bitten.toml, or use another store"
            )

    def _month(self, symbol: str, kind: str, digits: int, name: str) -> Month:
        key = (symbol, kind, name)
        if key not in self._months:
            path = layout.folder(self._store, symbol, kind) / f"{name}{layout.SUFFIX}"
            spill = self._store / STAGING / "spilled" / symbol / kind / name
            self._months[key] = Month(symbol, kind, digits, spill, path if path.is_file() else None)
        return self._months[key]

    def _files(self, symbol: str, kind: str) -> list[Path]:
        return layout.month_files(self._store, symbol, kind)


def _carry(block: Block, before: Carry | None, appended: bool) -> Carry:
    first = int(block.time.searchsorted(block.time[-1]))
    rows = block.rows(slice(first, len(block)))
    return Carry(concat([before.rows, rows]) if before and first == 0 else rows, appended)


def _refusal(
    symbol: str, instrument: Instrument, block: Block, conflict: ConflictError, month: Month, new: Source
) -> DataError:
    """The error that shows the first differing row of both sides."""
    time = next(row["time"] for row in (conflict.new, conflict.stored) if row)

    def words(row: dict[str, int] | None) -> str:
        if row is None:
            return "nothing at that time"
        prices = [name for name in row if name not in ("time", "spread", "volume")]
        parts = [f"{name} {instrument.price(row[name]):.{instrument.digits}f}" for name in prices]
        return " ".join([*parts, *(f"{name} {row[name]}" for name in ("spread", "volume") if name in row)])

    theirs = f"{new.format} ({_listed(new.files)})"
    ours = ", ".join(f"{source.format} ({_listed(source.files)})" for source in month.sources.values())
    what = "ticks" if block.kind == layout.TICKS else f"{block.kind} bars"
    where = f"between files of {ours}" if ours == theirs else f"between {ours} and {theirs}"
    return DataError(
        f"{symbol} {what} overlap and differ {where}, first at {iso(time, 9)} UTC: "
        f"{words(conflict.stored)} and {words(conflict.new)}; "
        "choose --on-overlap keep or --on-overlap replace, or import into another store with --store"
    )


def _listed(files: tuple[str, ...]) -> str:
    return ", ".join(files) if len(files) <= 3 else f"{files[0]} ... {files[-1]} ({len(files)} files)"
