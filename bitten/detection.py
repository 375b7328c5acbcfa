"""The first half of the pipeline: from a slice's quotes to signals, and to what would become of each.

Nothing here depends on a decision. Run ahead on a thread of its own it was slower all the same: its Python and that of
the decisions wait for each other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from bitten.bars import BarLadder, BarObserver
from bitten.clock import iso
from bitten.detectors import Detector, check_source, known_quotes
from bitten.errors import DataError
from bitten.executor import Foreseen
from bitten.fates import Fates
from bitten.kernels.exits import FillRules
from bitten.model.dtypes import Records
from bitten.model.facts import Alert, Signal
from bitten.model.quotes import Quotes, Slice, no_quotes

_WORTH_THREADS: Final = 50_000  # quotes of a slice from which on symbols are scanned side by side


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
        self._pool = ThreadPoolExecutor(max(1, min(len(detectors), os.cpu_count() or 1)), "bitten-scan")
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
        quotes = {symbol: piece.quotes.get(symbol) or no_quotes(symbol) for symbol in self._detectors}
        scan = self._pool.map if sum(map(len, quotes.values())) > _WORTH_THREADS else map
        found: list[tuple[tuple[int, int, int, int], Signal | Alert]] = []
        scanned = scan(lambda symbol: self._scan(quotes[symbol], piece.horizon), self._detectors)
        for order, ((symbol, detectors), (bars, rows)) in enumerate(zip(self._detectors.items(), scanned, strict=True)):
            for observer in self.observers:
                observer.bars(symbol, quotes[symbol], bars)
            for rank, (detector, said) in enumerate(zip(detectors, rows, strict=True)):
                signals, alerts = detector.signals_of(*said, piece.horizon)
                items: list[Signal | Alert] = [*signals, *alerts]
                found.extend(((item.time, detector.order, order, rank), item) for item in items)
        found.sort(key=lambda item: item[0])
        return [self._unique(item) for _, item in found]

    def _scan(self, quotes: Quotes, horizon: int) -> tuple[dict[str, Records], list[tuple[Records, list[Alert]]]]:
        """Bars and raw signals of one symbol: nearly all of it kernels, which other threads need not wait for."""
        bars = self._ladders[quotes.symbol].update(quotes)
        known = known_quotes(quotes)
        rows = []
        for detector in self._detectors[quotes.symbol]:
            if quotes.bar_ns:
                check_source(detector, quotes)
            rows.append(detector.find(bars, known, horizon, quotes.bar_ns))
        return bars, rows

    def _unique(self, item: Signal | Alert) -> Signal | Alert:
        """The item itself, or an alert in place of a signal whose id was given before."""
        if isinstance(item, Alert):
            return item
        if item.id in self._ids:
            return Alert(item.time, item.pattern, f"dropped a second signal with the id {item.id}: ids are unique")
        self._ids.add(item.id)
        return item
