"""Single wrong prices: far beyond what the market usually does, and taken back at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.model.dtypes import Bools, Ints
from bitten.store.block import Block, concat
from bitten.store.columns import BarColumns, TickColumns
from bitten.store.layout import TICKS

TIMES: Final = 25.0  # so many times the usual change (of bars: range) of the same block, the median
LASTS: Final = 5  # quotes within which a jump must be taken back
SHOWN: Final = 10
_FACTOR: Final = 3.0  # no market's price is threefold for one quote
_BACK: Final = 0.25  # taken back: no more than this share of the jump remains


@dataclass(frozen=True, slots=True)
class Outlier:
    """A price that does not belong."""

    time: int  # ns UTC
    price: int  # points
    before: int  # the price beside it


class OutlierFinder:
    """Finds outliers block by block: quotes whose bid jumps and returns, bars with a wick beyond all proportion."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Outlier] = []
        self._carried: list[Block] = []  # the last quotes, with which the next ones are judged
        self._seen = 0
        self._judged = 0  # quotes before this one belong to outliers that are counted

    def add(self, block: Block) -> None:
        """Look at the next rows of one symbol and kind."""
        if block.kind == TICKS:
            self._add_quotes(block)
        else:
            self._add_bars(block)

    def _add_quotes(self, block: Block) -> None:
        rows = concat([*self._carried, block])
        begins = self._seen - (len(rows) - len(block))
        self._seen += len(block)
        self._carried = [rows.rows(slice(-1 - LASTS, None))]
        bid = rows.columns["bid"].astype(np.int64)
        changes = np.abs(np.diff(bid))
        if not changes.any():
            return
        limit = TIMES * float(np.median(changes[changes > 0]))
        for at in (np.flatnonzero(changes > limit) + 1).tolist():
            back = _taken_back(bid, at) if begins + at >= self._judged else 0
            if back:
                self._judged = begins + at + back + 1
                self._note(Outlier(int(rows.time[at]), int(bid[at]), int(bid[at - 1])))

    def _add_bars(self, block: Block) -> None:
        opening, high, low, close = (block.columns[name].astype(np.int64) for name in ("open", "high", "low", "close"))
        top, bottom = np.maximum(opening, close), np.minimum(opening, close)
        limit = TIMES * max(float(np.median(high - low)), 1.0)
        for at in np.flatnonzero(np.maximum(high - top, bottom - low) > limit).tolist():
            upper = high[at] - top[at] > bottom[at] - low[at]
            price, beside = (high, top) if upper else (low, bottom)
            self._note(Outlier(int(block.time[at]), int(price[at]), int(beside[at])))

    def _note(self, outlier: Outlier) -> None:
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(outlier)


class SpikeCounter:
    """Counts single prices out of all proportion to both neighbours, of columns that come piece by piece."""

    def __init__(self) -> None:
        self.count = 0
        self.first = 0  # ns UTC of the first one
        self._carried: TickColumns | None = None

    def add(self, columns: TickColumns | BarColumns) -> None:
        """Look at the next rows: both sides of quotes, the extremes of bars."""
        if isinstance(columns, BarColumns):
            top, bottom = np.maximum(columns.open, columns.close), np.minimum(columns.open, columns.close)
            far = (columns.high > _FACTOR * top) | (_FACTOR * columns.low < bottom)
            self._note(columns.time, np.flatnonzero(far | self._lonely(columns.close)))
            return
        before = self._carried or TickColumns(*(column[:0] for column in (columns.ts, columns.bid, columns.ask)))
        ts, bid, ask = (
            np.concatenate([getattr(piece, name) for piece in (before, columns)]) for name in ("ts", "bid", "ask")
        )
        self._carried = TickColumns(ts[-2:].copy(), bid[-2:].copy(), ask[-2:].copy())
        self._note(ts, np.flatnonzero(self._lonely(bid) | self._lonely(ask)))

    @staticmethod
    def _lonely(price: Ints) -> Bools:
        """Prices beyond the factor of both neighbours, on the same side of them; never the first or the last."""
        lonely = np.zeros(price.size, np.bool_)
        middle = price[1:-1].astype(np.float64)
        low, high = np.minimum(price[:-2], price[2:]), np.maximum(price[:-2], price[2:])
        lonely[1:-1] = (middle > _FACTOR * high) | (_FACTOR * middle < low)
        return lonely

    def _note(self, time: Ints, rows: Ints) -> None:
        if rows.size and not self.count:
            self.first = int(time[rows[0]])
        self.count += rows.size


def _taken_back(price: Ints, at: int) -> int:
    """After how many rows the jump at a row is undone; 0 if it is not."""
    jump = abs(int(price[at]) - int(price[at - 1]))
    rest = np.abs(price[at + 1 : at + 1 + LASTS] - price[at - 1])
    close = np.flatnonzero(rest <= _BACK * jump)
    return int(close[0]) + 1 if close.size else 0
