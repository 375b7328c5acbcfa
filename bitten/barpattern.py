"""Patterns in plain Python: `on_bar(self, bar, window)` once per closed bar, decimal prices in and out.

Slower than a kernel, and as strict: a bar is seen when it is closed, a window ends with the bar that is being seen.

    class NewHigh(BarPattern):
        window = 50

        def on_bar(self, bar: Bar, window: Window) -> Proposal | None:
            if len(window) == 50 and bar.close > window.high[:-1].max():
                return self.buy(stop=bar.low, target=2 * bar.close - bar.low, confidence=70)
            return None
"""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np

from bitten.errors import did_you_mean
from bitten.model.dtypes import BUY, NO_PRICE, SELL, SIGNAL, Floats, Ints, Records
from bitten.model.instrument import to_prices
from bitten.model.timeframe import timeframe_ns
from bitten.pattern import Batch, Pattern, PatternContext, PatternFailed

_PRICES = ("open", "high", "low", "close")


class Bar(NamedTuple):
    """One closed bar of bid prices, in decimals."""

    time: int  # its start, ns UTC
    known: int  # the instant from which a decision may use it, ns UTC
    open: float
    high: float
    low: float
    close: float
    ticks: int  # quotes in the bar, or the source's tick volume
    spread: float  # mean over the bar; the instrument's default where the data has none
    timeframe: str


class Proposal(NamedTuple):
    """What `on_bar` returns for a signal; made by `BarPattern.buy` and `BarPattern.sell`."""

    side: int
    stop: float | None
    target: float | None
    confidence: float
    expiry_bars: int
    time_stop_bars: int
    anchor: int | None
    evidence: Mapping[str, float]


class Window:
    """The last bars of one timeframe, the current one last, as decimal columns.

    Columns are read-only numpy arrays of `len(window)` values, cut when they are asked for; fewer than the pattern's
    `window` while fewer bars exist.
    """

    __slots__ = ("_columns", "_end", "_length")

    def __init__(self, length: int) -> None:
        self._length = length
        self._end = 0
        self._columns: dict[str, Any] = {
            name: np.zeros(0, np.int64 if name in ("time", "ticks") else np.float64)
            for name in ("time", *_PRICES, "ticks", "spread")
        }

    def __len__(self) -> int:
        return min(self._end, self._length)

    @property
    def time(self) -> Ints:
        """Starts of the bars, ns UTC."""
        return self._column("time")

    @property
    def open(self) -> Floats:
        """Opening bids."""
        return self._column("open")

    @property
    def high(self) -> Floats:
        """Highest bids."""
        return self._column("high")

    @property
    def low(self) -> Floats:
        """Lowest bids."""
        return self._column("low")

    @property
    def close(self) -> Floats:
        """Closing bids."""
        return self._column("close")

    @property
    def ticks(self) -> Ints:
        """Quotes per bar."""
        return self._column("ticks")

    @property
    def spread(self) -> Floats:
        """Mean spreads."""
        return self._column("spread")

    def _column(self, name: str) -> Records:
        column: Records = self._columns[name][max(0, self._end - self._length) : self._end]
        column.flags.writeable = False
        return column

    def _append(self, columns: Mapping[str, Any]) -> None:
        """Put new bars behind the window, which still ends where it did."""
        keep = len(self)
        for name, old in self._columns.items():
            self._columns[name] = np.concatenate([old[old.size - keep :], columns[name]])
        self._end = keep


class _NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pattern without parameters."""


class BarPattern(Pattern):
    """A pattern whose work is `on_bar`; `window` says how many bars its windows reach back.

    Bars of the own timeframe and of `context_timeframes` come in the order in which they are known; at one instant
    context bars come first, so that a decision on the own bar sees them. `windows` holds every timeframe's window.
    """

    Config: ClassVar[type[msgspec.Struct]] = _NoParameters
    window: ClassVar[int] = 200

    def __init__(self, config: Any, context: PatternContext) -> None:
        super().__init__(config, context)
        own = context.timeframe
        self.windows: Mapping[str, Window] = {
            name: Window(self.window) for name in (*(n for n in self.context_timeframes if n != own), own)
        }
        self.start()

    def start(self) -> None:
        """Called once, before the first bar: the place for state of your own."""

    @abstractmethod
    def on_bar(self, bar: Bar, window: Window) -> Proposal | Iterable[Proposal] | None:
        """See one closed bar and the window of its timeframe that ends with it; return what you would trade."""

    def buy(
        self,
        *,
        stop: float | None,
        target: float | None,
        confidence: float,
        expiry_bars: int = 0,
        time_stop_bars: int = 0,
        anchor: int | None = None,
        **evidence: float,
    ) -> Proposal:
        """Propose a buy.

        Args:
            stop: price at which the idea is wrong; None for none (most gates refuse such signals).
            target: price at which it is done; None for none.
            confidence: 0 to 100.
            expiry_bars: bars after this one in which the order may fill; 0 for no limit.
            time_stop_bars: longest life of a position, in bars; 0 for no limit.
            anchor: what the signal is about, one signal per anchor; the bar's start if left out.
            **evidence: numbers to keep with the signal, under names declared in the class's `evidence`.
        """
        return Proposal(BUY, stop, target, confidence, expiry_bars, time_stop_bars, anchor, evidence)

    def sell(
        self,
        *,
        stop: float | None,
        target: float | None,
        confidence: float,
        expiry_bars: int = 0,
        time_stop_bars: int = 0,
        anchor: int | None = None,
        **evidence: float,
    ) -> Proposal:
        """Propose a sale; arguments as for `buy`."""
        return Proposal(SELL, stop, target, confidence, expiry_bars, time_stop_bars, anchor, evidence)

    def scan(self, batch: Batch) -> Records:
        """Show every new bar to `on_bar`.

        Raises:
            PatternFailed: `on_bar` raised, or returned what cannot be a signal; carries the signals before that.
        """
        rows: list[Records] = []
        on_bar = self.on_bar
        for bar, window in self._bars(batch):
            window._end += 1
            try:
                proposed = on_bar(bar, window)
                if proposed is None:
                    continue
                several = (proposed,) if isinstance(proposed, Proposal) else tuple(proposed)
                made = [self._row(bar, proposal) for proposal in several]
            except Exception as error:
                raise PatternFailed(bar.known, error, _records(rows)) from error
            rows.extend(made)
        return _records(rows)

    def _bars(self, batch: Batch) -> Iterator[tuple[Bar, Window]]:
        streams = []
        for timeframe, window in self.windows.items():
            bars = batch.bars[timeframe]
            if bars.size:
                columns = self._decimals(bars)
                window._append(columns)
                streams.append((bars["known"], self._objects(timeframe, columns, bars), window))
        if len(streams) == 1:
            _, objects, window = streams[0]
            return ((bar, window) for bar in objects)
        known = np.concatenate([stream[0] for stream in streams]) if streams else np.zeros(0, np.int64)
        pairs = [(bar, window) for _, objects, window in streams for bar in objects]
        return (pairs[i] for i in np.argsort(known, kind="stable").tolist())

    def _decimals(self, bars: Records) -> dict[str, Any]:
        instrument = self.context.instrument
        columns: dict[str, Any] = {name: to_prices(bars[name], instrument.digits) for name in _PRICES}
        stated = (bars["quotes"] > 0) & (bars["spread_sum"] > 0)
        mean = np.divide(bars["spread_sum"], bars["quotes"], out=np.zeros(bars.size), where=stated)
        columns["spread"] = to_prices(np.where(stated, mean, instrument.default_spread), instrument.digits)
        columns["time"] = bars["time"]
        columns["ticks"] = bars["ticks"]
        return columns

    def _objects(self, timeframe: str, columns: Mapping[str, Any], bars: Records) -> Iterator[Bar]:
        names = [timeframe] * bars.size
        ordered = [columns["time"], bars["known"], *(columns[n] for n in (*_PRICES, "ticks", "spread"))]
        return map(Bar._make, zip(*(column.tolist() for column in ordered), names, strict=True))

    def _row(self, bar: Bar, proposal: Proposal) -> Records:
        if not isinstance(proposal, Proposal):
            raise TypeError(f"on_bar returned {proposal!r}; allowed are None, self.buy(...), self.sell(...) or several")
        points = self.context.instrument.points
        end = bar.time + timeframe_ns(bar.timeframe)
        row: Records = np.zeros(1, SIGNAL)
        row["time"] = bar.known
        row["anchor"] = bar.time if proposal.anchor is None else operator.index(proposal.anchor)
        row["side"] = operator.index(proposal.side)
        row["reference"] = points(bar.close)
        row["stop"] = NO_PRICE if proposal.stop is None else points(proposal.stop)
        row["target"] = NO_PRICE if proposal.target is None else points(proposal.target)
        row["confidence"] = 0.0 + proposal.confidence  # numpy would take None for NaN, and text for a number
        if proposal.expiry_bars:
            row["expiry"] = end + operator.index(proposal.expiry_bars) * self.context.timeframe_ns
        row["time_stop_bars"] = operator.index(proposal.time_stop_bars)
        for name, value in proposal.evidence.items():
            if name not in self.evidence:
                raise ValueError(f'evidence "{name}" is not declared by the pattern{did_you_mean(name, self.evidence)}')
            price = name in self.evidence_prices
            row["evidence"][0, self.evidence.index(name)] = points(value) if price else 0.0 + value
        return row


def _records(rows: list[Records]) -> Records:
    return np.concatenate(rows) if rows else np.zeros(0, SIGNAL)
