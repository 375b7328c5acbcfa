"""The month files that an import changes, while it is being put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bitten.store import parquet
from bitten.store.block import Block, concat
from bitten.store.columns import Source
from bitten.store.layout import granule_ns
from bitten.store.overlap import Merged, OnOverlap, merge
from bitten.store.parquet import FileMeta

SourceKey = tuple[str, tuple[str, ...], str, tuple[tuple[str, str], ...], bool]


def source_key(source: Source) -> SourceKey:
    """What makes a source the same one: everything but its counts, which grow while a file is read."""
    return source.format, tuple(source.files), source.clock, tuple(sorted(source.rules.items())), source.synthetic


@dataclass(frozen=True, slots=True)
class Carry:
    """The rows of a file's last instant so far: the file's next piece may begin with more of them."""

    rows: Block
    appended: bool  # they are the last rows of their month


class Month:
    """One month of one symbol and kind: rows in files (stored or spilled), and behind them rows in memory.

    Args:
        spill: folder for rows that must leave memory.
        stored: the month's file in the store, if there is one.
    """

    def __init__(self, symbol: str, kind: str, digits: int, spill: Path, stored: Path | None) -> None:
        self.symbol = symbol
        self.kind = kind
        self.digits = digits
        self.changed = False
        self.sources: dict[SourceKey, Source] = {}
        self._spill = spill
        self._files = [stored] if stored else []
        self._decoded: Block | None = None  # the rows of `_files`, while they are needed
        self._tail: list[Block] = []
        self._last: int | None = None
        if stored:
            file = parquet.open_file(stored)
            self.sources = {source_key(source): source for source in parquet.read_meta(stored, file).sources}
            self._last = parquet.row_groups(stored, file)[-1].last

    @property
    def resident(self) -> int:
        """Rows held in memory."""
        return sum(map(len, self._tail)) + (len(self._decoded) if self._decoded else 0)

    def lay(self, block: Block, on_overlap: OnOverlap, carry: Carry | None) -> Merged:
        """What adding rows would give; `take` then does it.

        Args:
            block: the rows.
            on_overlap: which rows stay where they differ.
            carry: the rows before it in the same file, where those have the same instant.

        Raises:
            ConflictError: rows differ and `on_overlap` is "refuse".
        """
        first = int(block.time[0])
        if self._last is None or first > self._last or (carry and carry.appended and first == self._last):
            return Merged(block, len(block), 0, appended=True)
        if carry:
            block = concat([carry.rows, block])
        return merge(self.rows(), block, granule_ns(self.kind), on_overlap, len(carry.rows) if carry else 0)

    def take(self, merged: Merged, key: SourceKey, source: Source) -> None:
        """Accept what `lay` has given."""
        if merged.block is None:
            return
        if merged.appended:
            self._tail.append(merged.block)
        else:
            self._files, self._decoded, self._tail = [], None, [merged.block]
        self._last = int(merged.block.time[-1])
        self.changed = True
        self.sources[key] = source

    def rows(self) -> Block:
        """All rows, in order; they stay in memory until `release`."""
        if self._files and self._decoded is None:
            self._decoded = concat([parquet.read(path) for path in self._files])
        parts = [*([self._decoded] if self._decoded else []), *self._tail]
        if len(parts) == 1:
            return parts[0]
        self._files, self._decoded, self._tail = [], None, [concat(parts)]
        return self._tail[0]

    def release(self) -> None:
        """Move rows out of memory into a file of the spill folder."""
        self._decoded = None
        if self._tail:
            self._spill.mkdir(parents=True, exist_ok=True)
            path = self._spill / f"{len(list(self._spill.iterdir()))}.parquet"
            parquet.write(path, concat(self._tail), self._meta())
            self._files.append(path)
            self._tail = []

    def finish(self, path: Path, row_group: int) -> None:
        """Write the month as it shall be in the store, and let go of its rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write(path, self.rows(), self._meta(), row_group)
        self._decoded, self._tail = None, []

    def _meta(self) -> FileMeta:
        return FileMeta(symbol=self.symbol, kind=self.kind, digits=self.digits, sources=tuple(self.sources.values()))


def spill_largest(months: Sequence[Month], limit: int) -> None:
    """Release the months that hold most rows until all together hold no more than `limit`."""
    resident = sum(month.resident for month in months)
    for month in sorted(months, key=lambda m: m.resident, reverse=True):
        if resident <= limit:
            return
        resident -= month.resident
        month.release()
