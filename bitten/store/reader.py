"""Reading a symbol's rows in time order, one row group at a time, the next one decoded meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bitten.clock import iso
from bitten.errors import DataError
from bitten.store import layout, parquet
from bitten.store.block import Block
from bitten.store.parquet import FileMeta, RowGroup

AHEAD: Final = 1  # row groups decoded before they are asked for


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reading of one symbol and kind will touch."""

    metas: tuple[FileMeta, ...]
    groups: tuple[RowGroup, ...]
    start: int | None  # ns UTC, first instant wanted
    end: int | None  # ns UTC, first instant not wanted

    @property
    def rows(self) -> int:
        """How many rows will come; the outermost row groups' times are decoded where `start` or `end` cuts them."""
        total = sum(group.rows for group in self.groups)
        load = _Loader(self)
        for group in {self.groups[0], self.groups[-1]} if self.groups else ():
            if (self.start is not None and group.first < self.start) or (
                self.end is not None and group.last >= self.end
            ):
                total -= group.rows - len(load(group, ("time",)))
        return total

    @property
    def fingerprint(self) -> str:
        """A digest of the months that are touched."""
        return hashlib.blake2b(" ".join(meta.fingerprint for meta in self.metas).encode(), digest_size=16).hexdigest()

    @property
    def time_unit(self) -> str:
        """The finest unit of time of the files: "ms", "us" or "ns"."""
        return min((meta.time_unit for meta in self.metas), key=parquet.UNIT_NS.__getitem__)

    @property
    def synthetic(self) -> bool:
        """Whether any source of the months that are touched is made up."""
        return any(source.synthetic for meta in self.metas for source in meta.sources)

    def blocks(self, pool: Executor | None = None) -> Iterator[Block]:
        """The rows, one block per row group; read ahead in `pool`, or in a thread of its own.

        Raises:
            DataError: a file is damaged, or its rows start before the file before it ends.
        """
        if pool is None:
            with ThreadPoolExecutor(1, "bitten-read") as own:
                yield from self._ahead(own)
        else:
            yield from self._ahead(pool)

    def until(self, position: int) -> int | None:
        """After the block at `position`, everything up to this instant has come; None after the last."""
        if position + 1 >= len(self.groups):
            return None
        return self.groups[position + 1].first - 1

    def _ahead(self, pool: Executor) -> Iterator[Block]:
        todo = iter(self.groups)
        load = _Loader(self)
        pending: list[Future[Block]] = [pool.submit(load, group) for group in islice(todo, AHEAD)]
        try:
            while pending:
                block = pending.pop(0).result()
                pending.extend(pool.submit(load, group) for group in islice(todo, 1))
                yield block
        finally:
            for future in pending:
                future.cancel()

    def wanted(self, block: Block) -> slice:
        """The rows of a block that lie in the range."""
        start = 0 if self.start is None else int(block.time.searchsorted(self.start))
        stop = len(block) if self.end is None else int(block.time.searchsorted(self.end))
        return slice(start, max(start, stop))


class _Loader:
    """Decodes a plan's row groups, one call at a time, and keeps the file of the last one open."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._path: Path | None = None
        self._file: Any = None

    def __call__(self, group: RowGroup, names: Sequence[str] | None = None) -> Block:
        if self._path != group.path:
            self._path, self._file = group.path, parquet.open_file(group.path)
        block = parquet.read_row_group(self._file, group.index, self._plan.metas[0].kind, group.unit_ns, names)
        return block.rows(self._plan.wanted(block))


def plan(store: Path, symbol: str, kind: str, start: int | None = None, end: int | None = None) -> Plan:
    """Look up, from metadata alone, which row groups hold rows from `start` to before `end` (ns UTC).

    Raises:
        DataError: a file is damaged, misplaced, or overlaps with its neighbour.
    """
    metas: list[FileMeta] = []
    groups: list[RowGroup] = []
    for path in layout.month_files(store, symbol, kind):
        if _outside(path.stem, start, end):
            continue
        file = parquet.open_file(path)
        meta = parquet.read_meta(path, file)
        if (meta.symbol, meta.kind) != (symbol, kind):
            raise DataError(f"{path} holds {meta.symbol} {meta.kind}: move it where it belongs, or import it again")
        if metas and meta.digits != metas[0].digits:
            raise DataError(f"{path} has {meta.digits} digits, the months before it {metas[0].digits}: import it again")
        wanted = [
            group
            for group in parquet.row_groups(path, file)
            if (start is None or group.last >= start) and (end is None or group.first < end)
        ]
        if wanted and groups and wanted[0].first < groups[-1].last:
            raise DataError(
                f"{path} starts at {iso(wanted[0].first)}, before {groups[-1].path.name} ends: import it again"
            )
        if wanted:
            metas.append(meta)
            groups.extend(wanted)
    return Plan(tuple(metas), tuple(groups), start, end)


def _outside(month: str, start: int | None, end: int | None) -> bool:
    """Whether a month (as its file is named) lies wholly outside the range."""
    first, last = layout.month_bounds(month)
    return (start is not None and last <= start) or (end is not None and first >= end)
