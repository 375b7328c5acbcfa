"""Single wrong prices: far beyond what the market usually does, and taken back at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.model.dtypes import Ints
from bitten.store.block import Block, concat
from bitten.store.layout import TICKS

TIMES: Final = 25.0  # so many times the usual change (of bars: range) of the same block, the median
LASTS: Final = 5  # quotes within which a jump must be taken back
SHOWN: Final = 10
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


def _taken_back(price: Ints, at: int) -> int:
    """After how many rows the jump at a row is undone; 0 if it is not."""
    jump = abs(int(price[at]) - int(price[at - 1]))
    rest = np.abs(price[at + 1 : at + 1 + LASTS] - price[at - 1])
    close = np.flatnonzero(rest <= _BACK * jump)
    return int(close[0]) + 1 if close.size else 0
