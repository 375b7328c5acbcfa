"""What a pattern sees in a history: its signals, what became of them, and a few of them with the candles around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bitten.analysis.candles import CandleSet
from bitten.bars import BarLadder, BarObserver
from bitten.detection import Detection
from bitten.detectors import Detector
from bitten.errors import DataError, PluginError
from bitten.fates import Outcomes
from bitten.history import History
from bitten.kernels.exits import FillRules
from bitten.manager import Entry
from bitten.model.dtypes import BAR, Ints, Records
from bitten.model.facts import Alert, Outcome, Signal
from bitten.model.quotes import Quotes, no_quotes
from bitten.model.timeframe import timeframe_ns
from bitten.pattern import Pattern, PatternContext
from bitten.sections import ExitSection

_BEFORE: Final = 30  # bars shown before a signal at least
_AFTER: Final = 12  # and after its end
_LONGEST_BEFORE: Final = 80  # bars, where the anchor lies far back
_LONGEST_AFTER: Final = 70  # bars, where the end lies far ahead


@dataclass(frozen=True, slots=True)
class Sighting:
    """One signal that is shown."""

    signal: Signal
    outcome: Outcome
    why: str  # why this one: "the first", "the highest confidence"
    candles: CandleSet


@dataclass(frozen=True, slots=True)
class Sightings:
    """What a pattern saw in a history, and the examples that were chosen of it."""

    history: History
    kind: type[Pattern]
    first: int  # ns UTC, of the bars
    last: int
    bars: int
    signals: int
    reasons: Mapping[str, int]  # how they ended, by reason, the most frequent first
    alerts: Sequence[str]
    examples: Sequence[Sighting]


def find_sightings(history: History, entry: Entry, config: Any, examples: int = 6) -> Sightings:
    """Lead a pattern through a history, follow its signals to their ends, and choose some to look at.

    Stops and targets are filled as in a backtest without latency and slippage. The same history gives the same choice.

    Raises:
        PluginError: the pattern failed.
        DataError: it gave no signal.
    """
    kind: type[Pattern] = entry.load()
    if not (isinstance(kind, type) and issubclass(kind, Pattern)):
        raise PluginError(f"{entry.name} of {entry.plugin} is no subclass of bitten.pattern.Pattern")
    outcomes, times, alerts = _follow(history, entry.name, kind, config)
    if not outcomes:
        failed = f"; {alerts[0]}" if alerts else ""
        looked = f"{times.size:,} {history.timeframe} bars of {history.symbol}"
        raise DataError(f"{entry.name} gave no signal on {looked} ({history.source}){failed}")
    chosen = choose(outcomes, examples)
    shown = [Sighting(one.signal, one, why, _candles(history, times, one)) for one, why in chosen]
    reasons: dict[str, int] = {}
    for outcome in outcomes:
        reasons[outcome.reason] = reasons.get(outcome.reason, 0) + 1
    ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    first, last = int(times[0]), int(times[-1])
    return Sightings(history, kind, first, last, times.size, len(outcomes), ordered, alerts, shown)


class _Times(BarObserver):
    """The starts of the bars of one timeframe."""

    def __init__(self, timeframe: str) -> None:
        self._timeframe = timeframe
        self.parts: list[Ints] = [np.zeros(0, np.int64)]

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """Keep when they start."""
        self.parts.append(bars[self._timeframe]["time"].copy())


def _follow(history: History, name: str, kind: type[Pattern], config: Any) -> tuple[list[Outcome], Ints, list[str]]:
    """(outcomes in the order of their signals, starts of the bars, alerts)."""
    instrument, timeframe = history.instrument, history.timeframe
    context = PatternContext(instrument, timeframe, timeframe_ns(timeframe), Path.cwd(), (history.symbol,))
    detector = Detector(name, 0, kind(config, context), instrument, timeframe, ExitSection())
    rules = {history.symbol: FillRules(stops_level=instrument.stops_level)}
    detection = Detection({history.symbol: [detector]}, rules, "UTC")
    times = _Times(timeframe)
    detection.observers.append(times)
    resolved, outcomes = Outcomes(), []
    alerts: list[str] = []
    for piece in history.slices():
        found = detection.look(piece)
        outcomes += resolved.of(found.foreseen)
        alerts += [item.text for item in found.items if isinstance(item, Alert)]
    outcomes += resolved.of(detection.finish())
    outcomes.sort(key=lambda outcome: (outcome.signal.time, outcome.signal.id))
    return outcomes, np.concatenate(times.parts), alerts


def choose(outcomes: Sequence[Outcome], count: int) -> list[tuple[Outcome, str]]:
    """Some of them with the reason for each, by time: first, last, best, worst, and others spread over the history."""
    confidence = [outcome.signal.confidence for outcome in outcomes]
    wanted = [
        (0, "the first signal"),
        (len(outcomes) - 1, "the last signal"),
        (confidence.index(max(confidence)), "the highest confidence"),
        (confidence.index(min(confidence)), "the lowest confidence"),
    ]
    chosen: dict[int, str] = {}
    for row, why in wanted:
        if row in chosen or len(chosen) < count:
            chosen[row] = f"{chosen[row]}, {why}" if row in chosen else why
    rest = [row for row in range(len(outcomes)) if row not in chosen]
    more = min(count - len(chosen), len(rest))
    for number in range(more):
        chosen[rest[(2 * number + 1) * len(rest) // (2 * more)]] = "one between"
    return [(outcomes[row], chosen[row]) for row in sorted(chosen)]


def _candles(history: History, times: Ints, outcome: Outcome) -> CandleSet:
    """The candles from before a signal's anchor to after its end, as far as a picture has room for them."""
    signal = outcome.signal
    at = int(times.searchsorted(signal.time, "right")) - 1
    anchor = int(times.searchsorted(signal.anchor, "right")) - 1
    begin = at - _BEFORE
    if at - _LONGEST_BEFORE <= anchor < begin + 5:
        begin = anchor - 5
    end = int(times.searchsorted(outcome.close_time, "right")) - 1
    end = min(max(end, at) + _AFTER, at + _LONGEST_AFTER, times.size - 1)
    begin = max(0, begin)
    period = timeframe_ns(history.timeframe)
    ladder = BarLadder([history.timeframe])
    until = int(times[min(end + 1, times.size - 1)]) + 2 * period  # a bar is closed by the first quote after it
    parts = [np.zeros(0, BAR)]
    for piece in history.slices(int(times[begin]), until):
        quotes = piece.quotes.get(history.symbol) or no_quotes(history.symbol)
        parts.append(ladder.update(quotes)[history.timeframe])
    bars = np.concatenate(parts)
    bars = bars[bars["time"] <= times[end]]
    columns = (np.ascontiguousarray(bars[name]) for name in ("time", "open", "high", "low", "close"))
    return CandleSet(history.instrument.digits, period, *columns)
