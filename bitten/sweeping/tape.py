"""The slices of a sweep as kernels read them: all symbols' quotes one after the other, and when equity falls due."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitten.kernels.blocks import BLOCK, block_extremes
from bitten.kernels.lanestate import Tape
from bitten.model.dtypes import Ints
from bitten.model.quotes import QUOTES_PER_BAR, Slice, no_quotes
from bitten.tradingday import day_end


class TapeMaker:
    """Makes a tape of each slice; carries the last quote of every symbol."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols = list(symbols)
        self._last: Ints = np.zeros((len(self._symbols), 3), np.int64)
        self.last_times: Ints = np.zeros(len(self._symbols), np.int64)
        self._before = self.last_times
        self.first: int | None = None  # instant of the first quote
        self.quotes = 0
        self._day_start = 0
        self._day_end = 0
        self._marked = 0  # horizon up to which marks have been given

    def make(self, piece: Slice) -> Tape:
        """The slice as a tape; the one before must have been used up."""
        parts = [piece.quotes.get(symbol) or no_quotes(symbol) for symbol in self._symbols]
        sizes = [len(quotes) for quotes in parts]
        blocks = [-(-size // BLOCK) for size in sizes]
        ts, bid, ask = _joined([q.ts for q in parts]), _joined([q.bid for q in parts]), _joined([q.ask for q in parts])
        long_exit, short_exit = bid, ask
        if any(q.long_exit is not None for q in parts):
            long_exit = _joined([q.bid if q.long_exit is None else q.long_exit for q in parts])
            short_exit = _joined([q.ask if q.short_exit is None else q.short_exit for q in parts])
        offsets, starts = np.cumsum([0, *sizes]), np.cumsum([0, *blocks])
        extremes: Ints = np.empty((int(starts[-1]), 4), np.int64)
        for i in range(len(parts)):
            a, b = offsets[i], offsets[i + 1]
            if b > a:
                block_extremes(long_exit[a:b], short_exit[a:b], extremes[starts[i] : starts[i + 1]])
        per_bar = QUOTES_PER_BAR if any(q.bar_ns for q in parts) else 0
        tape = Tape(
            ts, bid, ask, long_exit, short_exit, extremes, offsets, starts, self._last.copy(), per_bar, piece.horizon
        )
        self._before = self.last_times.copy()
        for i, quotes in enumerate(parts):
            if len(quotes):
                self._last[i] = int(quotes.bid[-1]), int(quotes.ask[-1]), 1
                self.last_times[i] = quotes.ts[-1]
        self.quotes += sum(sizes)
        if self.first is None and ts.size:
            self.first = min(int(q.ts[0]) for q in parts if len(q))
            self._day_start, self._day_end = self.first - 1, day_end(self.first)
            self._marked = self.first
        return tape

    def marks(self, tape: Tape, grid_ns: Sequence[int]) -> dict[int, tuple[Ints, Ints]]:
        """By grid: the instants of a tape at which equity falls due, and 1 where it is the end of a trading day."""
        ends: list[int] = []
        if self.first is None:
            nothing = np.empty(0, np.int64)
            return dict.fromkeys(grid_ns, (nothing, nothing))
        while self._day_end <= tape.horizon:
            if self._traded(tape, self._day_start, self._day_end):
                ends.append(self._day_end)
            self._day_start, self._day_end = self._day_end, day_end(self._day_end + 1)
        found = {}
        for step in grid_ns:
            grid = range((self._marked // step + 1) * step, tape.horizon + 1, step)
            instants = np.union1d(np.array(grid, np.int64), np.array(ends, np.int64))
            found[step] = (instants, np.isin(instants, ends).astype(np.int64))
        self._marked = tape.horizon
        return found

    def _traded(self, tape: Tape, after: int, until: int) -> bool:
        """Whether any symbol's last quote up to an instant came after another."""
        for i in range(len(self._symbols)):
            ts = tape.ts[tape.offsets[i] : tape.offsets[i + 1]]
            at = int(ts.searchsorted(until, "right")) - 1
            if (at >= 0 and ts[at] > after) or (at < 0 and self._before[i] > after):
                return True
        return False


def _joined(columns: Sequence[Ints]) -> Ints:
    """One int64 column, read-only like those of feeds: kernels are compiled for one kind of array."""
    joined = np.concatenate(columns).astype(np.int64, copy=False)
    joined.flags.writeable = False
    return joined
