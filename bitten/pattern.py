"""What a pattern is, and its two easy forms: a kernel over carried state, and plain Python.

A pattern sees closed bars and past quotes only. One instance serves one symbol on one timeframe for the whole run and
carries its state from slice to slice; the pipeline cuts the input where it likes, and nothing may depend on the cuts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np

from bitten.model.dtypes import SIGNAL, Records
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes


@dataclass(frozen=True, slots=True)
class PatternContext:
    """Where an instance works."""

    instrument: Instrument
    timeframe: str
    timeframe_ns: int
    folder: Path = Path()  # where relative paths in the configuration start
    symbols: tuple[str, ...] = ()  # all configured symbols, in their order


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What is new for one instance since its last call."""

    bars: Mapping[str, Records]  # timeframe to newly closed bars (dtype BAR), in order
    quotes: Quotes  # the new quotes; may be empty
    horizon: int  # everything up to this instant has been seen
    source_ns: int = 0  # period of the bars that the feed replays, 0 where it replays ticks


class PatternFailed(Exception):  # noqa: N818  # says what happened, as BittenError's children do
    """A pattern raised while it looked at a bar. The pipeline keeps `signals`, and switches the instance off.

    `time` is the `known` of that bar, `original` what was raised, `signals` (dtype SIGNAL) those made before it.
    """

    def __init__(self, time: int, original: Exception, signals: Records) -> None:
        super().__init__(f"{type(original).__name__}: {original}")
        self.time = time
        self.original = original
        self.signals = signals


class Pattern(ABC):
    """A detector.

    `Config` is a frozen `msgspec.Struct` (unknown keys forbidden) whose fields are the pattern's documented
    parameters. `evidence` names the numbers that each signal carries, at most `EVIDENCE_SLOTS`; `evidence_prices` those
    among them that a kernel writes as prices in points, so that people read them as decimal prices.
    `context_timeframes` are bars it wants beside those of its own timeframe.

    Two claims say what the conformance kit holds it to. `symmetries`: "mirror" (in the market M - p sells are the buys
    of the plain one, to the point) and "scale" (only ratios of prices matter); a pattern leaves out what it does not
    claim. `memory`: after so many bars it no longer matters where the history began; 0 for one that never forgets.
    """

    Config: ClassVar[type[msgspec.Struct]]
    evidence: ClassVar[tuple[str, ...]] = ()
    evidence_prices: ClassVar[tuple[str, ...]] = ()
    context_timeframes: ClassVar[tuple[str, ...]] = ()
    symmetries: ClassVar[tuple[str, ...]] = ("mirror", "scale")
    memory: ClassVar[int] = 1000

    def __init__(self, config: Any, context: PatternContext) -> None:
        self.config = config
        self.context = context

    @abstractmethod
    def scan(self, batch: Batch) -> Records:
        """Signals (dtype SIGNAL) that the batch brings, in the order of `time`; an empty array for none.

        The array may be reused at the next call.
        """


class KernelPattern(Pattern):
    """A pattern whose work is one numba kernel: `kernel(state, params, bars, out) -> count`.

    `state` is made once by `new_state`: a structured array of one record, or a NamedTuple of arrays. `params` is a
    NamedTuple of scalars made by `new_params`, `bars` an array of BAR, `out` an array of SIGNAL with room for
    `signals_per_bar` of each bar and `signals_pending`; the kernel returns how many rows it filled. Numba does not
    check the bounds of `out`.
    """

    kernel: ClassVar[Callable[[Any, Any, Records, Records], int]]
    signals_per_bar: ClassVar[int] = 2

    def __init__(self, config: Any, context: PatternContext) -> None:
        super().__init__(config, context)
        self.state = self.new_state()
        self.params = self.new_params()
        self._out: Records = np.zeros(0, SIGNAL)

    @property
    def signals_pending(self) -> int:
        """How many signals the state may owe at most, from bars of earlier calls, beyond `signals_per_bar`."""
        return 0

    def __getstate__(self) -> dict[str, Any]:
        """All but the room for signals, which is as large as the largest batch was."""
        return {**self.__dict__, "_out": np.zeros(0, SIGNAL)}

    @abstractmethod
    def new_state(self) -> Any:
        """The state before the first bar."""

    @abstractmethod
    def new_params(self) -> Any:
        """The configuration as the kernel wants it: a NamedTuple of floats and ints."""

    def scan(self, batch: Batch) -> Records:
        """Run the kernel over the new bars."""
        bars = batch.bars[self.context.timeframe]
        if bars.size == 0:
            return self._out[:0]
        room = self.signals_per_bar * bars.size + self.signals_pending
        if self._out.size < room:
            self._out = np.zeros(room, SIGNAL)
        count = type(self).kernel(self.state, self.params, bars, self._out)
        return self._out[:count]
