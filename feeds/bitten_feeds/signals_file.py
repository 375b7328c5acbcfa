"""Signals that were made elsewhere: a pattern that reads them from a file and gives each at its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.clock import check_clock
from bitten.model.dtypes import NO_PRICE, SIGNAL, Ints, Records
from bitten.model.quotes import BAR_UNIT_NS
from bitten.pattern import Batch, Pattern, PatternContext
from bitten_feeds.signal_rows import SignalRow, read_signal_rows


class SignalsFileConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the signals are."""

    path: Annotated[
        str,
        Meta(
            min_length=1,
            description="CSV or Parquet with the columns time symbol side, stop target (prices) or stop_points "
            "target_points (distances from the fill), optional confidence id expiry; from the project's folder",
        ),
    ]
    clock: Annotated[
        str, Meta(description="clock of times without an offset of their own: UTC, EST, NY+7, EET, an IANA zone")
    ] = "UTC"
    confidence: Annotated[float, Meta(ge=0, le=100, description="of signals whose row states none, 0 to 100")] = 100.0


class SignalsFile(Pattern):
    """Gives the rows of its symbol when their time has come.

    A row's order fills with the first quote after its time; where bars are replayed, a row stamped with the end of a
    bar fills at the open of the next. Rows from before the symbol's first quote are left out,
    because nothing was known of its price then; `notes` says how many, and which symbols of the file nobody trades.
    `external_ids` maps a signal's anchor to the id that the file gave it. The anchor is the row's time; of rows at
    one time the later ones stand a nanosecond apart.
    """

    Config = SignalsFileConfig
    symmetries = ()  # the file's prices are what they are

    def __init__(self, config: SignalsFileConfig, context: PatternContext) -> None:
        super().__init__(config, context)
        path = context.folder / config.path
        rows = read_signal_rows(path, check_clock(config.clock))
        own = sorted((row for row in rows if row.symbol == context.instrument.symbol), key=lambda row: row.time)
        self.notes: list[str] = _strangers(path, rows, context)
        anchors = _anchors(own)
        self.external_ids: Mapping[int, str] = {
            anchor: row.id for anchor, row in zip(anchors, own, strict=True) if row.id is not None
        }
        self._rows = self._records(own, anchors)
        self._times: Ints = self._rows["time"].copy()
        self._next = 0
        self._open = False  # whether a quote has been seen

    def scan(self, batch: Batch) -> Records:
        """The rows up to the horizon that have not been given."""
        if not self._open:
            if not len(batch.quotes):
                return self._rows[:0]
            self._open = True
            if batch.source_ns:
                self._date_back(batch.source_ns)
            self._next = int(self._times.searchsorted(batch.quotes.ts[0]))
            if self._next:
                symbol = self.context.instrument.symbol
                self.notes.append(f"signals on {symbol} from before its first quote, left out: {self._next}")
        start, self._next = self._next, int(self._times.searchsorted(batch.horizon, "right"))
        return self._rows[start : self._next]

    def _date_back(self, bar_ns: int) -> None:
        """Let rows stamped with the end of a bar act on its close, so that they fill at the next bar's open.

        Where bars are replayed that open has the very time of the stamp, and a fill must come after it.
        """
        times = np.where(self._times % bar_ns == 0, self._times - BAR_UNIT_NS, self._times)
        order = np.argsort(times, kind="stable")
        self._rows, self._times = self._rows[order], times[order]
        self._rows["time"] = self._times

    def _records(self, rows: list[SignalRow], anchors: list[int]) -> Records:
        records = np.zeros(len(rows), SIGNAL)
        for record, row, anchor in zip(records, rows, anchors, strict=True):
            record["time"] = row.time
            record["anchor"] = anchor
            record["side"] = row.side
            record["reference"] = NO_PRICE
            record["stop"] = self._level(row.stop, row.relative)
            record["target"] = self._level(row.target, row.relative)
            record["relative"] = row.relative
            record["confidence"] = self.config.confidence if row.confidence is None else row.confidence
            record["expiry"] = row.expiry
        return records

    def _level(self, level: float | None, relative: bool) -> int:
        if level is None:
            return NO_PRICE
        return int(level) if relative else self.context.instrument.points(level)


def _anchors(rows: list[SignalRow]) -> list[int]:
    """The rows' times, ascending, made different from each other."""
    anchors: list[int] = []
    for row in rows:
        anchors.append(max(row.time, anchors[-1] + 1) if anchors else row.time)
    return anchors


def _strangers(path: Path, rows: list[SignalRow], context: PatternContext) -> list[str]:
    """What to say of symbols that are not configured; the same from every instance, so that it is told once."""
    if not context.symbols:
        return []
    counts = Counter(row.symbol for row in rows if row.symbol not in context.symbols)
    return [
        f"{path.name}: signals on {name}, which is not configured, left out: {n}" for name, n in sorted(counts.items())
    ]
