"""Patterns that keep every law, and what cheats are made of."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from bitten.barpattern import Bar, BarPattern, Proposal, Window
from bitten.model.dtypes import SIGNAL, Records
from bitten.pattern import Batch, Pattern


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


def signals(bars: Records, sides: Any) -> Records:
    """A signal at every bar whose side is not 0, stop and target 100 points away."""
    where = np.flatnonzero(sides)
    rows = np.zeros(where.size, SIGNAL)
    rows["time"] = bars["known"][where]
    rows["anchor"] = bars["time"][where]
    rows["side"] = np.asarray(sides)[where]
    rows["reference"] = bars["close"][where]
    rows["stop"] = rows["reference"] - 100 * rows["side"]
    rows["target"] = rows["reference"] + 100 * rows["side"]
    rows["confidence"] = 50.0
    return rows


class ArrayCheat(Pattern):
    """A pattern that computes sides from the bars of the batch."""

    Config = Nothing

    def sides(self, bars: Records) -> Any:
        raise NotImplementedError

    def scan(self, batch: Batch) -> Records:
        bars = batch.bars[self.context.timeframe]
        return signals(bars, self.sides(bars)) if bars.size else np.zeros(0, SIGNAL)


class Honest(BarPattern):
    """Keeps every law: fades large bars, prices to the point."""

    window = 5

    def on_bar(self, bar: Bar, window: Window) -> Proposal | None:
        ranges = np.rint((window.high - window.low) * 1e5)  # in points: decimals would break the mirror now and then
        if len(window) < 5 or bar.close == bar.open or ranges[-1] < 2 * ranges[:-1].mean():
            return None
        return self.fade(bar, 50.0)

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        size = bar.high - bar.low
        if bar.close < bar.open:
            return self.buy(stop=bar.close - size, target=bar.close + size, confidence=confidence)
        return self.sell(stop=bar.close + size, target=bar.close - size, confidence=confidence)


class HonestTicks(Pattern):
    """Keeps every law on ticks: buys where the bid falls by 12 points in one quote, sells where the ask rises so."""

    Config = Nothing
    evidence = ("zone_low", "zone_high", "fall")
    evidence_prices = ("zone_low", "zone_high")
    symmetries = ("mirror",)

    def __init__(self, config: Any, context: Any) -> None:
        super().__init__(config, context)
        self.last = np.zeros((2, 0), np.int64)

    def scan(self, batch: Batch) -> Records:
        if batch.source_ns:
            raise ValueError("it wants ticks")
        bid = np.concatenate([self.last[0], batch.quotes.bid])
        ask = np.concatenate([self.last[1], batch.quotes.ask])
        offset = self.last.shape[1]
        self.last = np.stack([bid[-1:], ask[-1:]])
        found: dict[tuple[int, int], Records] = {}  # the first of each side and instant
        for i in range(1, bid.size):
            ts = int(batch.quotes.ts[i - offset])
            for side, prices in self.sides(bid, ask):
                now, before = int(prices[i]), int(prices[i - 1])
                if side * (before - now) >= 12 and (ts, side) not in found:
                    found[ts, side] = self.row(ts, side, now, before)
        return np.concatenate([np.zeros(0, SIGNAL), *found.values()])

    def sides(self, bid: Any, ask: Any) -> list[tuple[int, Any]]:
        return [(1, bid), (-1, ask)]

    def row(self, ts: int, side: int, price: int, before: int) -> Records:
        row: Records = np.zeros(1, SIGNAL)
        row["time"], row["anchor"], row["side"], row["reference"] = ts, ts, side, price
        row["stop"], row["target"], row["confidence"] = price - side * 50, price + side * 50, 50.0
        row["evidence"][0, :3] = min(price, before), max(price, before), side * (before - price)
        return row
