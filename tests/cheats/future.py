"""Cheats that know what comes later, or what they cannot know from the bars one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import SIGNAL, Records
from bitten.pattern import Batch, KernelPattern, Pattern
from tests.cheats.honest import ArrayCheat, Nothing, signals


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


class WholeSampleVolume(ArrayCheat):
    """Prices are left alone; what is normalised by the whole sample is the volume."""

    def sides(self, bars: Records) -> Any:
        return np.where(bars["ticks"] > 1.8 * bars["ticks"].mean(), np.where(bars["close"] > bars["open"], 1, -1), 0)


class SwingAtThePivot(Pattern):
    """Finds swings when they are confirmed, three bars late, and dates them back to the pivot."""

    Config = Nothing

    def __init__(self, config: Any, context: Any) -> None:
        super().__init__(config, context)
        self.bars: list[Any] = []

    def scan(self, batch: Batch) -> Records:
        found = []
        for bar in batch.bars[self.context.timeframe]:
            self.bars = [*self.bars[-6:], bar.copy()]
            lows = [int(one["low"]) for one in self.bars]
            if len(lows) == 7 and min(lows) == lows[3] < min(lows[:3]):
                found.append(signals(np.array([self.bars[3]]), [1]))
        return np.concatenate([np.zeros(0, SIGNAL), *found])


class Until(ArrayCheat):
    """Only what lies well before the horizon of the batch counts: a backtest's batches are long, live ones short."""

    def scan(self, batch: Batch) -> Records:
        bars = batch.bars[self.context.timeframe]
        old = batch.horizon - bars["known"] > 600 * 10**9
        return signals(bars, np.where(old & (bars["close"] < bars["open"]), 1, 0))


class CountsTheBatch(ArrayCheat):
    def sides(self, bars: Records) -> Any:
        return np.where(np.arange(bars.size) >= bars.size // 2, 1, 0)


@kernel
def _peek(state: Any, params: Any, bars: Records, out: Records) -> int:
    count = 0
    for i in range(bars.size - params):
        bar, after = bars[i], bars[i + 1]
        if after["close"] <= bar["close"] + 40:
            continue
        row = out[count]
        row["time"], row["anchor"], row["side"], row["reference"] = bar["known"], bar["time"], 1, bar["close"]
        row["stop"], row["target"], row["confidence"] = bar["close"] - 100, bar["close"] + 100, 50.0
        row["relative"] = row["expiry"] = row["time_stop_bars"] = 0
        row["atr"] = 0.0
        row["evidence"][:] = 0.0
        count += 1
    return count


class PeeksInAKernel(KernelPattern):
    kernel = _peek
    Config = Nothing

    def new_state(self) -> Records:
        return np.zeros(1)

    def new_params(self) -> Any:
        return 1


class ReadsBeyondTheEnd(PeeksInAKernel):
    """The same without a look at the end: memory behind the array of a batch may hold the next bar."""

    def new_params(self) -> Any:
        return 0
