"""The first half of the pipeline: from a slice's quotes to signals, and to what would become of each.

Nothing here depends on a decision. On a thread ahead of the decisions, or with symbols side by side on several, it was
slower all the same: what they do in Python waits for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import NamedTuple

from bitten.bars import BarLadder, BarObserver
from bitten.clock import iso
from bitten.detectors import Detector, check_source, known_quotes
from bitten.errors import DataError
from bitten.executor import Foreseen
from bitten.fates import Fates
from bitten.kernels.exits import FillRules
from bitten.model.facts import Alert, Signal
from bitten.model.quotes import Slice, no_quotes


class Found(NamedTuple):
    """What a slice holds."""

    piece: Slice
    items: Sequence[Signal | Alert]  # in the order in which they are dealt with
    foreseen: Sequence[Foreseen]  # what becomes of signals, by time


class Detection:
    """Builds bars, asks the patterns, and follows what they say.

    Args:
        detectors: by symbol, in configured order; a symbol without any has an empty sequence.
        rules: how orders of each symbol fill.
        day: the clock on which days and long bars start.
    """

    def __init__(self, detectors: Mapping[str, Sequence[Detector]], rules: Mapping[str, FillRules], day: str) -> None:
        self.observers: list[BarObserver] = []
        self._detectors = detectors
        self._ladders = {
            symbol: BarLadder({name for detector in some for name in detector.timeframes}, day)
            for symbol, some in detectors.items()
        }
        self._fates = Fates(rules)
        self._ids: set[str] = set()
        self._horizon = -(1 << 62)

    def look(self, piece: Slice) -> Found:
        """Everything that a slice brings."""
        self._check(piece)
        items = self._detect(piece)
        return Found(piece, items, self._fates.advance(piece, [item for item in items if isinstance(item, Signal)]))

    def finish(self) -> list[Foreseen]:
        """The data has ended: what that does to the signals that are still followed."""
        return self._fates.finish()

    def _check(self, piece: Slice) -> None:
        """Refuse a slice that does not keep the contract of feeds."""
        if piece.horizon <= self._horizon:
            raise DataError(f"a feed's horizons must increase: {piece.horizon} after {self._horizon}")
        for symbol, quotes in piece.quotes.items():
            if len(quotes) and not self._horizon < quotes.ts[0] <= quotes.ts[-1] <= piece.horizon:
                span = f"from {iso(quotes.ts[0])} to {iso(quotes.ts[-1])} UTC"
                slice_ = f"a slice after {iso(max(0, self._horizon))} up to {iso(piece.horizon)}"
                raise DataError(f"a feed gave quotes of {symbol} {span} in {slice_}")
        self._horizon = piece.horizon

    def _detect(self, piece: Slice) -> list[Signal | Alert]:
        """Signals and alerts of a slice in the order in which they are dealt with."""
        found: list[tuple[int, Sequence[Signal | Alert]]] = []  # pattern's place in the configuration, what it says
        for symbol, detectors in self._detectors.items():
            quotes = piece.quotes.get(symbol) or no_quotes(symbol)
            bars = self._ladders[symbol].update(quotes)
            for observer in self.observers:
                observer.observe(symbol, quotes, bars)
            known = known_quotes(quotes)
            for detector in detectors:
                if quotes.bar_ns:
                    check_source(detector, quotes)
                signals, alerts = detector.scan(bars, known, piece.horizon, quotes.bar_ns)
                found.append((detector.order, [*signals, *alerts]))
        found.sort(key=itemgetter(0))  # by time, then pattern, then symbol: sorting keeps the order of equals
        items = [item for _, some in found for item in some]
        items.sort(key=attrgetter("time"))
        return list(map(self._unique, items))

    def _unique(self, item: Signal | Alert) -> Signal | Alert:
        """The item itself, or an alert in place of a signal whose id was given before."""
        if isinstance(item, Alert):
            return item
        if item.id in self._ids:
            return Alert(item.time, item.pattern, f"dropped a second signal with the id {item.id}: ids are unique")
        self._ids.add(item.id)
        return item
