"""What patterns that read ticks have in common: how they are run, and how their signals are written.

A kernel walks over new quotes and new closed bars in the order of time; a bar counts from the instant it is known. At
the same instant it comes before the quotes.

Both sides have one formula: a buy is judged by the bid and a sell by the ask, at which each would be closed. In the
mirrored market, where bid and ask change places, they are each other to the point.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Final

import numpy as np

from bitten.errors import DataError
from bitten.kernels.indicators import Record
from bitten.kernels.jit import kernel
from bitten.model.dtypes import EVIDENCE_SLOTS, NS_PER_SECOND, SIGNAL, Ints, Records
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_name
from bitten.pattern import Batch, Pattern
from bitten_plugins.patterns.rules import Now, Rules

NEVER: Final = np.iinfo(np.int64).max

# What quotes need to know of the bars before them.
MOOD: Final = np.dtype(
    [
        ("atr", np.float64),  # points; NaN or 0 before there is one
        ("adx", np.float64),
        ("ready", np.int64),  # whether the last bar was ready
        ("shut", np.int64),  # 1 from a gap between quotes until a bar has closed that came after no gap
        ("last", np.int64),  # time of the last quote; 0 before the first
    ]
)


@kernel
def note_bar(mood: Record, now: Now) -> None:
    """A bar is known."""
    mood["atr"] = now.atr
    mood["adx"] = now.adx
    mood["ready"] = now.ready
    mood["shut"] = now.gap


@kernel
def quote_now(mood: Record, rules: Rules, bid: int, ask: int) -> Now:
    """What the gate and the confidence want to know, with the spread of one quote; the default where it has none."""
    spread = float(max(ask - bid, 0))
    if spread == 0.0:
        spread = rules.default_spread
    ready = mood["ready"] == 1 and mood["shut"] == 0
    return Now(bid, bid, bid, bid, bid, False, ready, spread, mood["atr"], mood["adx"])


@kernel
def write_tick_signal(
    row: Record,
    rules: Rules,
    now: Now,
    time: int,
    close: int,
    side: int,
    anchor: int,
    risk: float,
    reward: float,
    score: float,
    expiry_ns: int,
) -> None:
    """Fill a record of SIGNAL but for its evidence.

    `close` is the price at which the side would be closed, in points: it is the reference, and stop and target lie
    around it. `score` is the confidence as a share of 1.
    """
    row["time"] = time
    row["anchor"] = anchor
    row["side"] = side
    row["reference"] = close
    row["stop"] = close - side * math.ceil(risk)
    row["target"] = close + side * math.floor(reward)
    row["relative"] = 0
    row["confidence"] = np.rint(1000.0 * score) / 10.0
    row["expiry"] = time + expiry_ns if expiry_ns > 0 else 0
    row["time_stop_bars"] = rules.time_stop_bars
    row["atr"] = now.atr
    for slot in range(EVIDENCE_SLOTS):
        row["evidence"][slot] = 0.0


def nanoseconds(seconds: float) -> int:
    """Seconds as the whole nanoseconds that kernels count in."""
    return round(seconds * NS_PER_SECOND)


class TickPattern(Pattern):
    """A pattern whose work is one kernel over quotes: `kernel(state, params, bars, ts, bid, ask, out) -> count`.

    `state` and `params` are as for `KernelPattern`; `out` has room for `room` signals. On a feed that replays bars
    there are no ticks to read: it refuses.
    """

    kernel: ClassVar[Callable[[Any, Any, Records, Ints, Ints, Ints, Records], int]]
    name: ClassVar[str]  # as configured
    on_bars: ClassVar[str]  # the pattern that does the same where only bars are replayed

    def __init__(self, config: Any, context: Any) -> None:
        super().__init__(config, context)
        self.state = self.new_state()
        self.params = self.new_params()
        self._out: Records = np.zeros(0, SIGNAL)

    @abstractmethod
    def new_state(self) -> Any:
        """The state before the first quote."""

    @abstractmethod
    def new_params(self) -> Any:
        """The configuration as the kernel wants it: a NamedTuple of floats and ints."""

    @abstractmethod
    def room(self, bars: Records, quotes: Quotes) -> int:
        """The most signals that these can bring; numba does not check the bounds of `out`."""

    def scan(self, batch: Batch) -> Records:
        """Run the kernel over new bars and quotes.

        Raises:
            DataError: the feed replays bars.
        """
        if batch.source_ns:
            raise DataError(
                f"{self.name} reads ticks, but the feed replays {timeframe_name(batch.source_ns)} bars of "
                f'{self.context.instrument.symbol}: use the pattern "{self.on_bars}", or a store of ticks'
            )
        bars, quotes = batch.bars[self.context.timeframe], batch.quotes
        room = self.room(bars, quotes)
        if self._out.size < room:
            self._out = np.zeros(room, SIGNAL)
        kernel = type(self).kernel
        return self._out[: kernel(self.state, self.params, bars, quotes.ts, quotes.bid, quotes.ask, self._out)]
