"""Laying new rows over stored ones of the same symbol, kind and month.

Both are cut into granules (an hour of ticks, a day of minute bars). Where both have rows in a granule, the stretch
from the later of the two first rows to the earlier of the two last rows is theirs in common, and there they must
agree row by row: two vendors' quotes must not end up interleaved. A stretch in which only one of them has rows is a
hole that the other fills.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from bitten.model.dtypes import Ints
from bitten.store.block import Block, names_of

OnOverlap = Literal["refuse", "keep", "replace"]
ON_OVERLAP: Final[tuple[OnOverlap, ...]] = ("refuse", "keep", "replace")


class ConflictError(Exception):
    """Stored and new rows differ; rows are by column name, None where that side has none at the place."""

    def __init__(self, stored: dict[str, int] | None, new: dict[str, int] | None) -> None:
        super().__init__("stored and new rows differ")
        self.stored = stored
        self.new = new


@dataclass(frozen=True, slots=True)
class Merged:
    """The result of a merge; `block` is None where nothing changed."""

    block: Block | None
    new: int  # rows that came in
    same: int  # rows that were there already
    replaced: int = 0  # stored rows that went out
    kept: int = 0  # new rows that stayed out because different stored ones were kept
    appended: bool = False  # `block` is to follow the stored rows, instead of taking their place


_COMES, _SAME, _STAYS_OUT = range(3)  # what becomes of a new row


@dataclass(frozen=True, slots=True)
class _Granule:
    """One granule's rows in the stored and in the new block."""

    stored: slice
    new: slice

    @property
    def both(self) -> bool:
        return _size(self.stored) > 0 and _size(self.new) > 0


def merge(stored: Block, new: Block, granule_ns: int, on_overlap: OnOverlap = "refuse") -> Merged:
    """Lay `new` over `stored`; both sorted by time and not empty.

    Raises:
        ConflictError: rows in common stretches differ and `on_overlap` is "refuse".
    """
    granules = _granules(stored, new, granule_ns)
    fate = np.full(len(new), _COMES, np.int8)
    goes = np.zeros(len(stored), np.bool_)
    conflicts = []
    for index, granule in enumerate(granules):
        if not granule.both:
            continue
        ours, theirs = _common(stored, new, granule.stored, granule.new)
        if not (_size(ours) and _size(theirs)):
            continue  # a hole in one of them
        if _equal(stored, new, ours, theirs):
            fate[theirs] = _SAME
        elif on_overlap == "refuse":
            raise _conflict(stored.rows(ours), new.rows(theirs))
        else:
            conflicts.append(index)
    for ours, theirs in _runs(stored, new, granules, conflicts):
        if on_overlap == "replace":
            goes[ours] = True
            fate[theirs] = _COMES
        else:
            fate[theirs][fate[theirs] == _COMES] = _STAYS_OUT
    came, same, kept = (int((fate == code).sum()) for code in (_COMES, _SAME, _STAYS_OUT))
    replaced = int(goes.sum())
    if came == 0 and replaced == 0:
        return Merged(None, 0, same, 0, kept)
    rest = stored.chosen(~goes) if replaced else stored
    return Merged(_insert(rest, new.chosen(fate == _COMES)), came, same, replaced, kept)


def _granules(stored: Block, new: Block, granule_ns: int) -> list[_Granule]:
    """The granules between the new rows' first and last that hold rows of either, in order."""
    low = int(new.time[0]) // granule_ns * granule_ns
    high = (int(new.time[-1]) // granule_ns + 1) * granule_ns
    times = [block.time[slice(*block.time.searchsorted((low, high)))] for block in (stored, new)]
    starts = np.unique(np.concatenate([_distinct(time // granule_ns) for time in times])) * granule_ns
    edges = np.append(starts, high)
    ours, theirs = (block.time.searchsorted(edges).tolist() for block in (stored, new))
    return [_Granule(slice(ours[i], ours[i + 1]), slice(theirs[i], theirs[i + 1])) for i in range(len(edges) - 1)]


def _size(rows: slice) -> int:
    return max(int(rows.stop) - int(rows.start), 0)


def _distinct(ordered: Ints) -> Ints:
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))] if ordered.size else ordered


def _common(stored: Block, new: Block, ours: slice, theirs: slice) -> tuple[slice, slice]:
    """Rows of either within the stretch that both cover."""
    low = max(stored.time[ours.start], new.time[theirs.start])
    high = min(stored.time[ours.stop - 1], new.time[theirs.stop - 1])
    return _between(stored.time, ours, low, high), _between(new.time, theirs, low, high)


def _between(time: Ints, rows: slice, low: int, high: int) -> slice:
    part = time[rows]
    return slice(rows.start + int(part.searchsorted(low)), rows.start + int(part.searchsorted(high, "right")))


def _equal(stored: Block, new: Block, ours: slice, theirs: slice) -> bool:
    """Whether the rows agree.

    Files are read in pieces, and a piece may end or begin in the middle of an instant with several quotes: at the new
    rows' own first and last instant they may be the stored instant's last or first quotes.
    """
    wanted = new.rows(theirs)
    if stored.rows(ours).same_as(wanted):
        return True
    surplus = _size(ours) - len(wanted)
    if surplus <= 0:
        return False
    ends_there = stored.time[ours.stop - 1] == new.time[-1]
    starts_there = stored.time[ours.start] == new.time[0]
    return (ends_there and stored.rows(slice(ours.start, ours.stop - surplus)).same_as(wanted)) or bool(
        starts_there and stored.rows(slice(ours.start + surplus, ours.stop)).same_as(wanted)
    )


def _conflict(stored: Block, new: Block) -> ConflictError:
    """The first place at which two stretches differ."""
    length = min(len(stored), len(new))
    differs = np.zeros(length, np.bool_)
    for name in names_of(new.kind):
        differs |= stored.columns[name][:length] != new.columns[name][:length]
    at = int(np.argmax(differs)) if differs.any() else length
    ours = stored.row(at) if at < len(stored) else None
    theirs = new.row(at) if at < len(new) else None
    if ours and theirs and ours["time"] != theirs["time"]:
        return ConflictError(ours, None) if ours["time"] < theirs["time"] else ConflictError(None, theirs)
    return ConflictError(ours, theirs)


def _runs(
    stored: Block, new: Block, granules: Sequence[_Granule], conflicts: Sequence[int]
) -> Iterator[tuple[slice, slice]]:
    """What is decided as a whole: neighbouring granules of both around conflicts, so that no stray rows of the loser
    remain at the seams."""
    done = 0
    for index in conflicts:
        if index < done:
            continue
        first, last = index, index
        while first > 0 and granules[first - 1].both:
            first -= 1
        while last + 1 < len(granules) and granules[last + 1].both:
            last += 1
        done = last + 1
        yield _common(
            stored,
            new,
            slice(granules[first].stored.start, granules[last].stored.stop),
            slice(granules[first].new.start, granules[last].new.stop),
        )


def _insert(stored: Block, new: Block) -> Block:
    """All rows of both in time order; at equal times the stored ones first."""
    if len(stored) == 0:
        return new
    at = stored.time.searchsorted(new.time, "right")
    columns = {}
    for name in names_of(new.kind):
        ours, theirs = stored.columns[name], new.columns[name]
        wide = np.result_type(ours, theirs)
        columns[name] = np.insert(ours.astype(wide, copy=False), at, theirs)
    return Block(new.kind, columns)
