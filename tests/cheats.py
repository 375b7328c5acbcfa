"""Patterns that break one law each: what the conformance kit is there to catch."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any, ClassVar

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


class NextBarPeek(ArrayCheat):
    def sides(self, bars: Records) -> Any:
        return np.sign(np.append(np.diff(bars["close"]), 0))


class CentredWindow(ArrayCheat):
    def sides(self, bars: Records) -> Any:
        smooth = np.convolve(bars["close"], np.ones(5) / 5, mode="same")
        return np.where(bars["close"] < smooth - 30, 1, np.where(bars["close"] > smooth + 30, -1, 0))


class LabelAtTheMiddleBar(ArrayCheat):
    def sides(self, bars: Records) -> Any:
        found = np.zeros(bars.size, np.int64)
        for i in range(3, bars.size - 3):
            if bars["low"][i] == bars["low"][i - 3 : i + 4].min():
                found[i] = 1
        return found


class WholeSampleNormalisation(ArrayCheat):
    def sides(self, bars: Records) -> Any:
        z = (bars["close"] - bars["close"].mean()) / (bars["close"].std() + 1)
        return np.where(z < -1.5, 1, np.where(z > 1.5, -1, 0))


class ForgetsBetweenBatches(ArrayCheat):
    def sides(self, bars: Records) -> Any:
        before = np.append(bars["close"][:1], bars["close"][:-1])  # nothing before the first bar of a batch
        return np.where(bars["close"] - before > 60, -1, np.where(bars["close"] - before < -60, 1, 0))


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


class WallClock(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(time.localtime(time.time()).tm_hour))  # noqa: TID251


class WallClockByDatetime(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(datetime.datetime.now(datetime.UTC).day))  # noqa: TID251


class WallClockByNanoseconds(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(time.time_ns() // (3600 * 10**9) % 24))


class UnseededRandom(Honest):
    def start(self) -> None:
        self.rng = np.random.default_rng()

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(self.rng.integers(0, 100)))


class SetOrder(Honest):
    names: ClassVar[set[str]] = {"momentum", "session", "spread", "trend", "volume", "wick", "range", "noise"}

    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, 10.0 * sorted(self.names).index(next(iter(self.names))))


class ObjectAddress(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(id(bar) // 64 % 100))


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


CAUGHT_BY = {
    NextBarPeek: "causality",
    CentredWindow: "causality",
    LabelAtTheMiddleBar: "causality",
    WholeSampleNormalisation: "causality",
    ForgetsBetweenBatches: "batch-size invariance",
    WallClock: "blind to the clock",
    WallClockByDatetime: "blind to the clock",
    WallClockByNanoseconds: "blind to the clock",
    UnseededRandom: "determinism",
    SetOrder: "blind to hash order",
    ObjectAddress: "determinism",
    SharedBetweenInstances: "determinism",
    LosesStateWhenSaved: "save and restore",
    CannotBeSaved: "save and restore",
    BuysRoundly: "mirror symmetry",
    KnowsPoints: "scale",
    StopOnTheWrongSide: "valid signals",
    ConfidenceBeyondHundred: "valid signals",
    OneAnchorForAll: "valid signals",
    Silent: "valid signals",
}
