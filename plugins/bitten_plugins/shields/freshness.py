"""Whether quotes can be trusted: how old the last one is, how many of late were crossed, whether time ran backwards.

bitten's feeds drop crossed quotes (or make them their middle) and refuse times that step back, so both are 0 in a
backtest; they are looked at all the same, because a live source need not be so kind. Quotes are only looked at when a
score is asked for: the last 500 of them.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import NS_PER_SECOND, Ints
from bitten.model.quotes import Quotes

LOOK: Final = 500


class Fresh(NamedTuple):
    """The state of a symbol's quotes."""

    age: float  # seconds since the last one
    crossed: float  # share of the last 500 with bid above ask
    backward: int  # of them that are earlier than the one before


@kernel
def _inspect(ts: Ints, bid: Ints, ask: Ints, start: int, end: int) -> tuple[int, int]:
    crossed = backward = 0
    for i in range(start, end):
        crossed += bid[i] > ask[i]
    for i in range(start + 1, end):
        backward += ts[i] < ts[i - 1]
    return crossed, backward


@kernel
def _look(ts: Ints, bid: Ints, ask: Ints, now: int) -> tuple[int, int, int, int]:
    """(quotes that were known, time of the last, how many of the last 500 were crossed, and how many stepped back).

    All 0 where fewer than 500 were known.
    """
    known = int(np.searchsorted(ts, now, "right"))
    if known < LOOK:
        return 0, 0, 0, 0
    crossed, backward = _inspect(ts, bid, ask, known - LOOK, known)
    return known, int(ts[known - 1]), crossed, backward


class Freshness:
    """The last quotes of one symbol."""

    def __init__(self) -> None:
        self._chunks: deque[Quotes] = deque()
        self._held = 0

    @property
    def last(self) -> int | None:
        """Time of the last quote there is."""
        return int(self._chunks[-1].ts[-1]) if self._chunks else None

    @property
    def spread(self) -> int | None:
        """Spread of the last quote, points."""
        return int(self._chunks[-1].ask[-1] - self._chunks[-1].bid[-1]) if self._chunks else None

    def observe(self, quotes: Quotes) -> None:
        """Take in a slice's quotes; of those before it, as many stay as a look goes back."""
        if len(quotes) == 0:
            return
        if self._chunks and len(self._chunks[-1]) > LOOK:
            last = self._chunks.pop()
            ts, bid, ask = (column[-LOOK:].copy() for column in (last.ts, last.bid, last.ask))
            self._chunks.append(Quotes(last.symbol, ts, bid, ask, last.bar_ns))
            self._held += LOOK - len(last)
        self._chunks.append(quotes)
        self._held += len(quotes)
        while self._held - len(self._chunks[0]) - len(quotes) >= LOOK:
            self._held -= len(self._chunks.popleft())

    def at(self, now: int) -> Fresh | None:
        """The state at an instant of the current slice; None before the first quote.

        Quotes that were made of bars come four to a bar: their age counts from when the next was due at the latest.
        """
        if not self._chunks:
            return None
        chunk = self._chunks[-1]
        known, time, crossed, backward = _look(chunk.ts, chunk.bid, chunk.ask, now)
        if known == 0:
            return self._across(now)
        due = time + chunk.bar_ns
        return Fresh((now - due) / NS_PER_SECOND if now > due else 0.0, crossed / LOOK, backward)

    def _across(self, now: int) -> Fresh | None:
        """The same early in a slice, where the look goes back over several chunks."""
        parts, left, newest = [], LOOK, None
        for chunk in reversed(self._chunks):
            end = int(chunk.ts.searchsorted(now, "right"))
            if end and newest is None:
                newest = int(chunk.ts[end - 1]) + chunk.bar_ns
            start = max(0, end - left)
            if end:
                parts.append((chunk.ts[start:end], chunk.bid[start:end], chunk.ask[start:end]))
            left -= end - start
            if left == 0:
                break
        if newest is None:
            return None
        ts, bid, ask = parts[0] if len(parts) == 1 else [np.concatenate(one[::-1]) for one in zip(*parts, strict=True)]
        crossed, backward = _inspect(ts, bid, ask, 0, LOOK - left)
        return Fresh(max(0, now - newest) / NS_PER_SECOND, crossed / (LOOK - left), backward)
