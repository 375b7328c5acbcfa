"""Patterns at work: one detector per pattern, symbol and timeframe; it checks what they say and contains faults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bitten.clock import iso, utc_offset_ns
from bitten.config import PatternPart
from bitten.errors import DataError
from bitten.model.dtypes import BUY, NO_PRICE, NS_PER_MINUTE, NS_PER_SECOND, SELL, SIGNAL, Floats, Records
from bitten.model.facts import Alert, ExitPlan, Signal, side_name
from bitten.model.instrument import Instrument
from bitten.model.quotes import QUOTES_PER_BAR, Quotes
from bitten.model.timeframe import timeframe_name, timeframe_ns
from bitten.pattern import Batch, Pattern, PatternContext, PatternFailed
from bitten.sections import ExitSection

_HOUR_NS = 60 * NS_PER_MINUTE
_HIGHEST = 1 << 60  # points
_NO_IDS: Mapping[int, str] = {}
_NO_ROWS: Records = np.zeros(0, SIGNAL)


class Row(NamedTuple):
    """One row of what a scan returned, as Python numbers; the fields of SIGNAL in their order."""

    time: int
    anchor: int
    side: int
    reference: int
    stop: int
    target: int
    relative: int
    confidence: float
    expiry: int
    time_stop_bars: int
    atr: float
    evidence: Floats


@dataclass(slots=True)
class Detector:
    """One pattern instance and what the pipeline knows of it."""

    name: str  # of the pattern in results
    order: int  # among the configured patterns
    pattern: Pattern
    instrument: Instrument
    timeframe: str
    exit: ExitSection
    day: str = "UTC"  # the clock on which days and long bars start
    off: bool = False  # after a failure: its state can no longer be trusted
    last: int = -(1 << 62)  # horizon up to which it has spoken
    bars: int = 0  # of its timeframe, seen
    signals: int = 0  # given

    _timeframe_ns: int = 0
    _ids: Mapping[int, str] = field(default_factory=dict)  # how those of its signals begin, by side

    def __post_init__(self) -> None:
        self._timeframe_ns = timeframe_ns(self.timeframe)
        begin = f"{self.name}-{self.instrument.symbol}-{self.timeframe}"
        self._ids = {side: f"{begin}-{side_name(side)}-" for side in (BUY, SELL)}

    @property
    def timeframes(self) -> tuple[str, ...]:
        """The bars it wants."""
        return (self.timeframe, *self.pattern.context_timeframes)

    def scan(
        self, bars: Mapping[str, Records], quotes: Quotes, horizon: int, source_ns: int = 0
    ) -> tuple[list[Signal], list[Alert]]:
        """What it finds in a slice; rows that cannot be signals are dropped with an alert."""
        rows, alerts = self.find(bars, quotes, horizon, source_ns)
        signals = []
        for row in rows.tolist():
            try:
                signals.append(self._signal(Row._make(row), horizon))
            except Exception as error:
                alerts.append(Alert(horizon, self.name, f"dropped a signal on {self.instrument.symbol}: {error}"))
        self.last = horizon
        self.signals += len(signals)
        return signals, alerts

    def find(
        self, bars: Mapping[str, Records], quotes: Quotes, horizon: int, source_ns: int = 0
    ) -> tuple[Records, list[Alert]]:
        """The rows that the pattern writes for a slice, dtype SIGNAL, unchecked, and alerts; valid until the next call.

        A pattern that raises is switched off; what it had found before still counts.

        Raises:
            DataError: the pattern refuses the kind of quotes that the feed gives.
        """
        if self.off:
            return _NO_ROWS, []
        self.bars += len(bars[self.timeframe])
        try:
            batch = Batch({name: bars[name] for name in self.timeframes}, quotes, horizon, source_ns)
            return _rows(self.pattern.scan(batch)), []
        except PatternFailed as failure:
            return _rows(failure.signals), [self._switch_off(failure.time, failure.original)]
        except DataError:  # it cannot read quotes of this kind, and says what can: a person must choose
            raise
        except (Exception, SystemExit) as error:  # where it stood in the slice is not known: the whole slice is lost
            return _NO_ROWS, [self._switch_off(horizon, error)]

    def _switch_off(self, time: int, error: BaseException) -> Alert:
        self.off = True
        return Alert(
            time,
            self.name,
            f"{self.name} on {self.instrument.symbol} {self.timeframe} raised {type(error).__name__}: {error}; "
            f"it is switched off from {iso(time, 0)} UTC on, the run goes on without it",
        )

    def _signal(self, row: Row, horizon: int) -> Signal:
        """A checked signal; raises ValueError with what is wrong."""
        if row.side not in (BUY, SELL):
            raise ValueError(f"side is {row.side}, must be 1 or -1")
        if not self.last < row.time <= horizon:
            raise ValueError(f"its time {iso(row.time)} is not within what was just scanned, up to {iso(horizon)}")
        if not 0 <= row.confidence <= 100:
            raise ValueError(f"confidence is {row.confidence}, must be 0 to 100")
        if not 0 <= row.atr < math.inf:
            raise ValueError(f"ATR is {row.atr}")
        if not 0 < row.stop < _HIGHEST and row.stop != NO_PRICE:
            raise ValueError(f"stop is {row.stop} points")
        if not 0 < row.target < _HIGHEST and row.target != NO_PRICE:
            raise ValueError(f"target is {row.target} points")
        evidence = dict(zip(self.pattern.evidence, row.evidence.tolist(), strict=False))
        if not all(map(math.isfinite, evidence.values())):
            raise ValueError(f"evidence is not finite: {evidence}")
        for name in self.pattern.evidence_prices:
            evidence[name] = self.instrument.price(round(evidence[name]))
        if row.expiry < 0:
            raise ValueError(f"expiry is {row.expiry}, must not be negative")
        if row.time_stop_bars < 0:
            raise ValueError(f"time_stop_bars is {row.time_stop_bars}, must not be negative")
        # in the order of its fields: named, they would take five times as long
        return Signal(
            self._identify(row.side, row.anchor), self.name, self.instrument, self.timeframe, self._timeframe_ns,
            row.side, row.time, row.anchor, row.reference, row.stop, row.target, bool(row.relative), row.confidence,
            self._expiry(row.time, row.expiry), self._plan(row.time_stop_bars, row.atr), self._bar_shift(row.time),
            row.atr, evidence,
        )  # fmt: skip

    def _identify(self, side: int, anchor: int) -> str:
        given: Mapping[int, str] = getattr(self.pattern, "external_ids", _NO_IDS)
        if anchor in given:
            return given[anchor]
        return self._ids[side] + _stamp(anchor)

    def _bar_shift(self, time: int) -> int:
        """How far the clock by which its bars start is ahead of UTC; bars up to H1 start alike by every clock."""
        return 0 if self._timeframe_ns <= _HOUR_NS else utc_offset_ns(self.day, time)

    def _expiry(self, time: int, proposed: int) -> int:
        minutes = self.exit.expiry_minutes
        if minutes is None:
            return proposed
        return time + int(minutes * NS_PER_MINUTE) if minutes else 0

    def _plan(self, time_stop_bars: int, atr: float) -> ExitPlan:
        rules = self.exit
        trail = rules.trail_points
        if rules.trail_atr and atr:
            trail = max(1, round(rules.trail_atr * atr))
        bars = time_stop_bars if rules.time_stop_bars is None else rules.time_stop_bars
        return ExitPlan(rules.breakeven_r, trail, bars, int(rules.time_stop_minutes * NS_PER_MINUTE))


def make_detectors(
    parts: tuple[PatternPart, ...], instruments: Mapping[str, Instrument], folder: Path, day: str
) -> dict[str, list[Detector]]:
    """Detectors by symbol, in configured order."""
    detectors: dict[str, list[Detector]] = {symbol: [] for symbol in instruments}
    for order, part in enumerate(parts):
        kind = part.part.entry.load()
        for symbol in part.symbols:
            for timeframe in part.timeframes:
                context = PatternContext(
                    instruments[symbol], timeframe, timeframe_ns(timeframe), folder, tuple(instruments)
                )
                pattern = kind(part.config(symbol), context)
                detectors[symbol].append(
                    Detector(part.part.name, order, pattern, instruments[symbol], timeframe, part.exit, day)
                )
    return detectors


def _rows(rows: Records) -> Records:
    if rows.dtype != SIGNAL or rows.ndim != 1:
        raise TypeError(f"scan returned an array of {rows.dtype} with shape {rows.shape}, must be SIGNAL (n,)")
    return rows


def _stamp(time: int) -> str:
    """An instant in an id: `20140502T123000`, with the fraction of the second if it has one."""
    seconds, fraction = divmod(time, NS_PER_SECOND)
    day, second = divmod(seconds, 86_400)
    text = _day(day) + _clock(second)
    return f"{text}.{fraction:09d}".rstrip("0") if fraction else text


@lru_cache(maxsize=64)
def _day(day: int) -> str:
    return iso(day * 86_400 * NS_PER_SECOND, 0)[:10].replace("-", "")


@lru_cache(maxsize=1440)  # the minutes of a day: most signals are of bars
def _clock(second: int) -> str:
    return f"T{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"


def known_quotes(quotes: Quotes) -> Quotes:
    """What a pattern may see of quotes: of those made of bars only the closes.

    The order of a bar's extremes is known from its close alone, so a pattern that saw them would look ahead.
    """
    if not quotes.bar_ns:
        return quotes
    last = slice(QUOTES_PER_BAR - 1, None, QUOTES_PER_BAR)
    return Quotes(quotes.symbol, quotes.ts[last], quotes.bid[last], quotes.ask[last])


def check_source(detector: Detector, quotes: Quotes) -> None:
    """Refuse timeframes that bars of the source cannot make.

    Raises:
        DataError: a timeframe is no multiple of the source's.
    """
    source = timeframe_name(quotes.bar_ns)
    for name in detector.timeframes:
        if timeframe_ns(name) % quotes.bar_ns:
            raise DataError(
                f"{detector.name} wants {name} bars of {quotes.symbol}, but the feed replays {source} bars, which "
                f"cannot be cut finer: give it the timeframe {source} or a multiple"
            )
