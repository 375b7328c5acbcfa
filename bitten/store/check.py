"""Examining stored rows: gaps, spreads, outliers, and whether their clock can be UTC. One pass, bounded memory."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bitten.model.instrument import Instrument
from bitten.model.timeframe import timeframe_ns
from bitten.store.block import Block
from bitten.store.clockcheck import Clock, WeekEdges, judge
from bitten.store.columns import NO_SPREAD
from bitten.store.layout import TICKS
from bitten.store.openmarket import Gap, GapFinder
from bitten.store.outliers import Outlier, OutlierFinder
from bitten.store.profile import DAY_NS, HOUR_NS, DayCounter, HourSpread, SpreadProfile, week_positions
from bitten.store.tickstore import TickStore

WIDE = 10  # times the median of its hour: a spread worth counting
_THIN = 0.1  # of the median day's rows


@dataclass(frozen=True, slots=True)
class Check:
    """What examining one symbol and kind has found."""

    symbol: str
    kind: str
    digits: int
    synthetic: bool
    rows: int
    first: int  # ns UTC
    last: int
    hours: Sequence[HourSpread]  # spreads by UTC hour; empty where there are none
    wide_spreads: int  # wider than ten times the median of their hour
    absent_spreads: int
    days: Mapping[int, int]  # days since 1970 to rows
    gaps: int  # in the open market
    gap_ns: int
    longest_gaps: Sequence[Gap]
    outliers: int
    first_outliers: Sequence[Outlier]
    closed_rows: int  # between Friday and Sunday 17:00 New York
    saturday_rows: int  # by UTC
    repeated: int  # the same time and prices as the row before
    clock: Clock

    @property
    def thin_days(self) -> int:
        """Monday to Thursday with less than a tenth of the median day's rows."""
        weekdays = [rows for day, rows in self.days.items() if (day + 3) % 7 < 4]
        usual = statistics.median(weekdays) if weekdays else 0
        return sum(rows < _THIN * usual for rows in weekdays)


def check(
    store: TickStore, symbol: str, kind: str, instrument: Instrument, start: int | None = None, end: int | None = None
) -> Check:
    """Examine rows from `start` to before `end` (ns UTC).

    Raises:
        DataError: the store does not hold them.
    """
    plan = store.plan(symbol, kind, start, end)
    examiner = _Examiner(instrument, kind)
    for block in plan.blocks():
        if len(block):
            examiner.add(block)
    if examiner.previous is None:
        store.refuse_range(symbol, kind)
    return examiner.result(symbol, plan.metas[0].digits, plan.synthetic)


class _Examiner:
    """Hands every block to all the finders."""

    def __init__(self, instrument: Instrument, kind: str) -> None:
        self.previous: int | None = None
        self._first = 0
        self._instrument = instrument
        self._kind = kind
        bar_ns = 0 if kind == TICKS else timeframe_ns(kind)
        self._gaps = GapFinder(instrument, bar_ns)
        self._edges = WeekEdges(bar_ns)
        self._outliers = OutlierFinder()
        self._days = DayCounter()
        self._utc, self._new_york = SpreadProfile(), SpreadProfile()
        self._absent = 0
        self._repeated = 0
        self._rows = 0

    def add(self, block: Block) -> None:
        time = block.time
        if self.previous is None:
            self._first = int(time[0])
        self._gaps.add(time, self.previous)
        self._edges.add(time, self.previous)
        self._outliers.add(block)
        self._days.add(time)
        self._add_spreads(block)
        same = np.ones(len(block) - 1, np.bool_)
        for column in block.columns.values():
            same &= column[1:] == column[:-1]
        self._repeated += int(same.sum())
        self._rows += len(block)
        self.previous = int(time[-1])

    def _add_spreads(self, block: Block) -> None:
        if block.kind == TICKS:
            spreads = block.columns["ask"].astype(np.int64) - block.columns["bid"]
        else:
            spreads = block.columns["spread"].astype(np.int64)
        stated = spreads != NO_SPREAD
        self._absent += int((~stated).sum())
        time, spreads = block.time[stated], spreads[stated]
        if time.size:
            self._utc.add(time % DAY_NS // HOUR_NS, spreads)
            self._new_york.add(week_positions(time) % DAY_NS // HOUR_NS, spreads)

    def result(self, symbol: str, digits: int, synthetic: bool) -> Check:
        assert self.previous is not None
        days = len(self._days.days)
        return Check(
            symbol=symbol,
            kind=self._kind,
            digits=digits,
            synthetic=synthetic,
            rows=self._rows,
            first=self._first,
            last=self.previous,
            hours=self._utc.hours(),
            wide_spreads=self._utc.wider_than(WIDE),
            absent_spreads=self._absent,
            days=dict(sorted(self._days.days.items())),
            gaps=self._gaps.count,
            gap_ns=self._gaps.open_ns,
            longest_gaps=self._gaps.longest,
            outliers=self._outliers.count,
            first_outliers=self._outliers.first,
            closed_rows=self._edges.closed_rows,
            saturday_rows=self._edges.saturdays,
            repeated=self._repeated,
            clock=judge(self._edges, self._new_york.hours(), days, self._instrument),
        )
