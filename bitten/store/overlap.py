"""Laying new rows over stored ones of the same symbol, kind and month.

Both are cut into granules (an hour of ticks, a day of minute bars). Where both have rows in a granule, the stretch
from the later of the two first rows to the earlier of the two last rows is theirs in common, and there they must
agree row by row: two vendors' quotes must not end up interleaved. A stretch in which only one of them has rows is a
hole that the other fills.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bitten.model.dtypes import Ints
from bitten.store.block import Block, names_of

OnOverlap = Literal["refuse", "keep", "replace"]


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

    def has(self, which: int) -> bool:
        """Whether there are rows: 0 stored, 1 new."""
        return _size(self.new if which else self.stored) > 0

    @property
    def both(self) -> bool:
        return self.has(0) and self.has(1)


def merge(stored: Block, new: Block, granule_ns: int, on_overlap: OnOverlap = "refuse", uncounted: int = 0) -> Merged:
    """Lay `new` over `stored`; both sorted by time and not empty.

    Args:
        stored: what is there.
        new: what comes.
        granule_ns: within which stretches of time they are compared.
        on_overlap: which of them stays where they differ.
        uncounted: so many of the first new rows have come before and are not counted again.

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
    for ours, theirs in _runs(stored, new, granules, conflicts, on_overlap):
        if on_overlap == "replace":
            goes[ours] = True
            fate[theirs] = _COMES
        else:
            fate[theirs][fate[theirs] == _COMES] = _STAYS_OUT
    came, same, kept = (int((fate[uncounted:] == code).sum()) for code in (_COMES, _SAME, _STAYS_OUT))
    replaced = int(goes.sum())
    if not ((fate == _COMES).any() or replaced):
        return Merged(None, 0, same, 0, kept)
    rest = stored.chosen(~goes) if replaced else stored
    return Merged(_insert(rest, new.chosen(fate == _COMES)), came, same, replaced, kept)


def _granules(stored: Block, new: Block, granule_ns: int) -> list[_Granule]:
    """The granules that hold rows of either, in order: those of the new rows, and the stored rows' next ones around."""
    first, after = stored.time.searchsorted((new.time[0], int(new.time[-1]) + 1))
    earliest = min(new.time[0], stored.time[max(first - 1, 0)])
    latest = max(new.time[-1], stored.time[min(after, len(stored) - 1)])
    low = int(earliest) // granule_ns * granule_ns
    high = (int(latest) // granule_ns + 1) * granule_ns
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

    Files are read in pieces, and a piece may end in the middle of an instant that has several quotes: at the new rows'
    own last instant they may be the first ones of the stored.
    """
    wanted = new.rows(theirs)
    surplus = _size(ours) - len(wanted)
    if surplus > 0 and stored.time[ours.stop - 1] == new.time[-1]:
        return stored.rows(slice(ours.start, ours.stop - surplus)).same_as(wanted)
    return stored.rows(ours).same_as(wanted)


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
    stored: Block, new: Block, granules: Sequence[_Granule], conflicts: Sequence[int], on_overlap: OnOverlap
) -> Iterator[tuple[slice, slice]]:
    """What is decided as a whole: neighbouring granules of both around conflicts.

    The loser keeps what it has before and after the winner, but not where the winner goes on in the next granule: no
    stray rows of the loser remain at the seams.
    """
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
        whole = (
            slice(granules[first].stored.start, granules[last].stored.stop),
            slice(granules[first].new.start, granules[last].new.stop),
        )
        common = _common(stored, new, *whole)
        loser = 0 if on_overlap == "replace" else 1
        goes_on = [0 <= at < len(granules) and granules[at].has(1 - loser) for at in (first - 1, last + 1)]
        lost = slice(
            whole[loser].start if goes_on[0] else common[loser].start,
            whole[loser].stop if goes_on[1] else common[loser].stop,
        )
        yield (lost, common[1]) if loser == 0 else (common[0], lost)


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
