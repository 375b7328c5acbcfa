"""Cheats that keep what they should not keep, lose what they should, or change what is not theirs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from bitten.barpattern import Bar, BarPattern, Proposal, Window
from bitten.kernels.jit import kernel
from bitten.model.dtypes import SIGNAL, Records
from bitten.pattern import Batch, KernelPattern
from tests.cheats.honest import ArrayCheat, Honest, HonestTicks, Nothing, signals


class SharedBetweenInstances(Honest):
    seen: ClassVar[list[int]] = []

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        self.seen.append(bar.time)
        return super().fade(bar, float(len(self.seen) % 100))


class LosesStateWhenSaved(Honest):
    def start(self) -> None:
        self.count = 0

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        self.count += 1
        return super().fade(bar, float(self.count % 100))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "count": 0}


class CannotBeSaved(Honest):
    def start(self) -> None:
        self.rule: Callable[[float], float] = lambda confidence: confidence + 1

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, self.rule(confidence))


class SharedAndReset(SharedBetweenInstances):
    """A new instance empties what the others share: nothing is seen of it while instances come one after the other."""

    def start(self) -> None:
        self.seen.clear()


class GlobalCache(ArrayCheat):
    """What a bar's next close was is remembered for all instances, and known when that bar comes again."""

    nexts: ClassVar[dict[int, int]] = {}

    def sides(self, bars: Records) -> Any:
        times, closes = bars["time"].tolist(), bars["close"].tolist()
        known = [self.nexts.get(time, close) for time, close in zip(times, closes, strict=True)]
        self.nexts.update(zip(times, closes[1:], strict=False))
        return np.where(bars["close"] < bars["open"], np.where(np.array(known) > bars["close"], 1, -1), 0)


class HoldsAGenerator(Honest):
    def start(self) -> None:
        self.numbers: Iterator[int] = (i for i in range(10**9))

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(next(self.numbers) % 100))


class NeverForgets(Honest):
    """Its confidence follows from how many signals it has ever given."""

    def start(self) -> None:
        self.count = 0

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        self.count += 1
        return super().fade(bar, float(self.count % 100))


class SmoothsTheBarsInPlace(ArrayCheat):
    def sides(self, bars: Records) -> Any:
        bars["close"][1:] = (bars["close"][1:] + bars["close"][:-1]) // 2
        return np.where(bars["close"] < bars["open"], 1, 0)


class UnlocksTheBars(ArrayCheat):
    """Finds the array behind the one that it may only read."""

    def sides(self, bars: Records) -> Any:
        if bars.base is not None:
            bars.base.flags.writeable = True
            bars.base["low"][: bars.size] -= 1
        return np.where(bars["close"] < bars["open"], 1, 0)


@kernel
def _write(state: Any, params: Any, bars: Records, out: Records) -> int:
    for i in range(bars.size):
        bars[i]["ticks"] = 0
    return 0


class WritesInAKernel(KernelPattern):
    Config = Nothing
    kernel = _write

    def new_state(self) -> Records:
        return np.zeros(1)

    def new_params(self) -> Any:
        return 0


class Sluggish(ArrayCheat):
    def scan(self, batch: Batch) -> Records:
        bars = batch.bars[self.context.timeframe]
        time.sleep(0.055 if bars.size == 1 else 0.0)
        return signals(bars, np.ones(bars.size, np.int64)) if bars.size else np.zeros(0, SIGNAL)


class Raises(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        raise ZeroDivisionError("a bar without a range")


class SellsTicksAtTheBid(HonestTicks):
    """Where the ask matters for a sell, it looks at the bid: no mirror of its buys."""

    def sides(self, bid: Any, ask: Any) -> list[tuple[int, Any]]:
        return [(1, bid), (-1, bid)]


class BuysRoundly(Honest):
    """Sells are no mirror of buys."""

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, 60.0 if bar.close < bar.open else 40.0)


class KnowsPoints(Honest):
    """A threshold in points, where only ratios of prices should matter."""

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, 60.0 if bar.high - bar.low > 0.00100 else 40.0)


class StopOnTheWrongSide(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return self.buy(stop=bar.close + 0.001, target=bar.close + 0.002, confidence=50)


class ConfidenceBeyondHundred(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, 101.0)


class OneAnchorForAll(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, confidence)._replace(anchor=1)


class Silent(BarPattern):
    def on_bar(self, bar: Bar, window: Window) -> None:
        return None
