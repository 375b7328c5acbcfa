"""Cutting several symbols' streams at common horizons, with no more than about one piece of each in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from bitten.clock import iso
from bitten.errors import DataError
from bitten.model.dtypes import Ints
from bitten.model.quotes import QUOTES_PER_BAR, Quotes, Slice

END: Final = int(np.iinfo(np.int64).max)  # "until" of a stream that has ended
_PATIENCE: Final = 64  # pieces of a symbol's bars that are gathered in search of a common cut


class Piece(NamedTuple):
    """The next quotes of one symbol; with it, everything with `ts <= until` has come (END after the last)."""

    quotes: Quotes
    until: int


class _Track:
    """One symbol's stream and what of it has not been yielded."""

    def __init__(self, symbol: str, pieces: Iterator[Piece]) -> None:
        self.symbol = symbol
        self.until = -END
        self.waiting: Quotes | None = None
        self.held = 0  # pieces gathered since the last cut that took anything
        self._pieces = pieces

    def load(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            self.until = END
            return
        self.until = piece.until
        if len(piece.quotes):
            self.waiting = concat(self.waiting, piece.quotes) if self.waiting else piece.quotes
            self.held += 1

    @property
    def last(self) -> int:
        return int(self.waiting.ts[-1]) if self.waiting else -END

    def between_bars(self, horizon: int) -> int:
        """The latest instant up to the horizon that cuts none of the waiting bars."""
        if self.waiting is None or not self.waiting.bar_ns:
            return horizon
        count = int(self.waiting.ts.searchsorted(horizon, "right"))
        inside = count % QUOTES_PER_BAR
        return int(self.waiting.ts[count - inside]) - 1 if inside else horizon

    def cut(self, horizon: int) -> Quotes | None:
        """Take the waiting quotes up to the horizon."""
        if self.waiting is None:
            return None
        count = int(self.waiting.ts.searchsorted(horizon, "right"))
        if count == 0:
            return None
        taken = rows(self.waiting, 0, count)
        self.waiting = rows(self.waiting, count, len(self.waiting)) if count < len(self.waiting) else None
        self.held = 1 if self.waiting else 0
        return taken


def slices(streams: Mapping[str, Iterator[Piece]]) -> Iterator[Slice]:
    """Merge streams of pieces into slices.

    The next piece is loaded for whichever symbol is behind. Quotes are yielded as views of the pieces, except where
    one instant spans two pieces of a symbol, or bars of several symbols do not end together.

    Raises:
        DataError: bars of several symbols are staggered so that no instant lies between bars of all of them.
    """
    tracks = [_Track(symbol, pieces) for symbol, pieces in streams.items()]
    previous = -END
    while True:
        behind = min((track.until for track in tracks), default=END)
        if behind < END:
            for track in tracks:
                if track.until == behind:
                    track.load()
        horizon = _horizon(tracks)
        if horizon <= previous:
            if all(track.until == END for track in tracks):
                return
            continue
        quotes = {track.symbol: taken for track in tracks if (taken := track.cut(horizon)) is not None}
        if quotes:
            previous = horizon
            yield Slice(horizon, quotes)


def _horizon(tracks: list[_Track]) -> int:
    """The latest instant up to which every symbol is complete and no bar is cut."""
    horizon = min((track.until for track in tracks), default=END)
    if horizon == END:
        return max((track.last for track in tracks), default=-END)
    while True:
        lower = min(track.between_bars(horizon) for track in tracks)
        if lower == horizon:
            return horizon
        horizon = lower
        stuck = [track for track in tracks if track.held > _PATIENCE]
        if stuck:
            starts = ", ".join(f"{t.symbol} at {iso(int(t.waiting.ts[0]), 0)}" for t in tracks if t.waiting)
            raise DataError(
                f"bars of these symbols overlap without a common end: {starts}; replay them in separate runs"
            )


def concat(first: Quotes, second: Quotes) -> Quotes:
    """Two successive stretches as one, read-only like the arrays of every feed of this package."""

    def joined(a: Ints | None, b: Ints | None) -> Ints | None:
        if a is None or b is None:
            return None
        return frozen(np.concatenate((a, b)))

    return Quotes(
        first.symbol,
        frozen(np.concatenate((first.ts, second.ts))),
        frozen(np.concatenate((first.bid, second.bid))),
        frozen(np.concatenate((first.ask, second.ask))),
        first.bar_ns,
        joined(first.long_exit, second.long_exit),
        joined(first.short_exit, second.short_exit),
        joined(first.volume, second.volume),
    )


def rows(quotes: Quotes, start: int, stop: int) -> Quotes:
    """A view of some quotes; of bars, whole ones."""

    def part(column: Ints | None) -> Ints | None:
        return None if column is None else column[start:stop]

    volume = quotes.volume
    return Quotes(
        quotes.symbol,
        quotes.ts[start:stop],
        quotes.bid[start:stop],
        quotes.ask[start:stop],
        quotes.bar_ns,
        part(quotes.long_exit),
        part(quotes.short_exit),
        None if volume is None else volume[start // QUOTES_PER_BAR : stop // QUOTES_PER_BAR],
    )


def frozen(column: Ints) -> Ints:
    """The array, read-only: kernels are compiled for one kind of array, and what is shared is not written to."""
    column.flags.writeable = False
    return column
