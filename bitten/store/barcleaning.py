"""Bars: cleaned file by file, joined from bid and ask files, made one series. The rules: `bitten.store.cleaning`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from bitten.clock import iso, to_utc
from bitten.errors import DataError
from bitten.model.dtypes import Floats, Ints
from bitten.model.instrument import Instrument, to_points
from bitten.model.timeframe import TIMEFRAMES, timeframe_name, timeframe_ns
from bitten.store.cleaning import Policy, Tally, backward_error, check_prices, late_rows, lossy_prices, sound_rows
from bitten.store.columns import NO_SPREAD, BarColumns
from bitten.store.importer import RawBars

_BAD_SHARE: Final = 0.1  # more bad bars than this are no dirt but columns in the wrong order
_ODD_STEPS: Final = 0.01  # more steps than this that are no multiple of the period are two periods mixed
_COLUMNS: Final = ("time", "open", "high", "low", "close", "spread", "volume")


def find_timeframe(time: Ints, stated: str | None, what: str) -> str:
    """The period of bars, from the most common step between their times.

    Args:
        time: bar starts, in any order.
        stated: the period that the user or the file states; it must agree with the steps.
        what: the file, for messages.

    Raises:
        DataError: there are fewer than three bars and nothing is stated, the period is none of bitten's, periods are
            mixed, or the steps contradict what is stated.
    """
    starts = np.unique(time)
    steps = starts[1:] - starts[:-1]
    if steps.size < 2:
        if stated is None:
            raise DataError(f"{what}: {time.size} bars do not show their period; state it with --timeframe M1")
        return stated
    lengths, counts = np.unique(steps, return_counts=True)
    period = int(lengths[np.argmax(counts)])
    if stated is not None:
        if (steps % timeframe_ns(stated) != 0).mean() > _ODD_STEPS:
            raise DataError(f"{what}: stated as {stated}, but the bars are {period / 6e10:g} minutes apart")
        return stated
    if period not in {timeframe_ns(name) for name in TIMEFRAMES}:
        raise DataError(f"{what}: the bars are {period / 6e10:g} minutes apart, allowed are {', '.join(TIMEFRAMES)}")
    if period < timeframe_ns("H4") and (steps % period != 0).mean() > _ODD_STEPS:
        raise DataError(f"{what}: bars of different periods are mixed; most are {timeframe_name(period)}")
    return timeframe_name(period)


def whole(chunks: Sequence[RawBars]) -> RawBars:
    """One file's chunks as one."""
    if len(chunks) == 1:
        return chunks[0]
    names = [f.name for f in fields(RawBars) if f.name != "rules"]
    rules = {key: text for chunk in chunks for key, text in chunk.rules.items()}
    return RawBars(**{name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in names}, rules=rules)


@dataclass(frozen=True, slots=True)
class BarCleaner:
    """Cleans the bars of whole files.

    Args:
        timeframe: their period.
        instrument: says what a point is.
        clock: rule by which stamps become UTC.
        policy: what happens to doubtful rows.
        filler: the vendor fills closed hours with flat bars of zero volume.
    """

    timeframe: str
    instrument: Instrument
    clock: str
    policy: Policy
    filler: bool

    def clean(self, raw: RawBars, tally: Tally, where: Callable[[int], str]) -> BarColumns:
        """The bars that may enter, in order; counts what happened.

        Raises:
            DataError: time steps back, bars of one time differ, or so many bars are impossible that the columns must
                be in another order. `where` tells the place of a row of the file.
        """
        tally.add("rows", raw.time.size)
        sound = sound_rows(tally, raw.open, raw.high, raw.low, raw.close)
        bad = sound & ((raw.low > np.fmin(raw.open, raw.close)) | (raw.high < np.fmax(raw.open, raw.close)))
        if bad.sum() > _BAD_SHARE * raw.time.size:
            raise _swapped(raw, int(np.argmax(bad)), int(bad.sum()), where)
        tally.add("bad_ohlc", bad.sum())
        flat = (raw.volume == 0) & (raw.open == raw.high) & (raw.high == raw.low) & (raw.low == raw.close)
        fills = sound & ~bad & flat & self.filler
        tally.add("filler", fills.sum())
        rows = np.flatnonzero(sound & ~bad & ~fills)
        bars = self._points(raw, rows, tally, where)
        if bars.time.size == 0:
            return bars
        late, steps = late_rows(bars.time, int(bars.time[0]), int(bars.time[0]))
        tally.add("backward", steps.size)
        if steps.size and self.policy.backward == "error":
            raise backward_error(where(int(rows[steps[0]])), int(bars.time[steps[0]]))
        if self.policy.backward == "drop":
            tally.add("late", late.sum())
        order = np.flatnonzero(~late) if self.policy.backward == "drop" else np.argsort(bars.time, kind="stable")
        return unique_bars(_pick(bars, order), self.policy, tally, lambda row: where(int(rows[order[row]])))

    def _points(self, raw: RawBars, rows: Ints, tally: Tally, where: Callable[[int], str]) -> BarColumns:
        digits = self.instrument.digits
        named = {name: getattr(raw, name)[rows] for name in ("open", "high", "low", "close")}
        differences = np.nan_to_num(raw.spread[rows])
        check_prices(self.instrument, lambda row: where(int(rows[row])), **named, spread=differences)
        prices = list(named.values())
        tally.add("rounded", lossy_prices(digits, *prices))
        opening, high, low, close = (to_points(column, digits) for column in prices)
        spread = settle_spread(raw.spread[rows] * 10.0**digits, self.policy, tally)
        volume = _counted(raw.volume[rows])
        return BarColumns(self.timeframe, to_utc(raw.time[rows], self.clock), opening, high, low, close, spread, volume)


def settle_spread(points: Floats, policy: Policy, tally: Tally) -> Ints:
    """Spreads in whole points, `NO_SPREAD` where absent. An ask that closes below its bid is a crossed bar."""
    crossed = points < 0
    tally.add("crossed", crossed.sum())
    known = np.where(np.isfinite(points), np.rint(points), NO_SPREAD)
    spread: Ints = np.where(crossed, 0 if policy.crossed == "mid" else NO_SPREAD, known).astype(np.int64)
    return spread


def join_sides(bid: BarColumns, ask: BarColumns, policy: Policy, tally: Tally) -> BarColumns:
    """Bid bars with the spread at their close, from the ask bars of the same times; both in order."""
    at = np.minimum(np.searchsorted(ask.time, bid.time), max(ask.time.size - 1, 0))
    matched = ask.time[at] == bid.time if ask.time.size else np.zeros(bid.time.size, np.bool_)
    tally.add("ask_only", ask.time.size - matched.sum())
    closes = ask.close[at] if ask.time.size else bid.close
    points = np.where(matched, (closes - bid.close).astype(np.float64), np.nan)
    return replace(bid, spread=settle_spread(points, policy, tally))


def unique_bars(bars: BarColumns, policy: Policy, tally: Tally, where: Callable[[int], str]) -> BarColumns:
    """One bar per time, of bars in order: repeated ones are dropped and counted.

    Raises:
        DataError: bars of one time differ and the policy does not say to drop them, or the policy is to keep
            duplicates, which bars cannot have.
    """
    again = np.zeros(bars.time.size, np.bool_)
    again[1:] = bars.time[1:] == bars.time[:-1]
    if not again.any():
        return bars
    first = np.maximum.accumulate(np.where(again, 0, np.arange(again.size)))
    differs = np.zeros(again.size, np.bool_)
    for name in _COLUMNS:
        column = getattr(bars, name)
        differs |= column != column[first]
    refused = again if policy.duplicates == "keep" else differs
    if refused.any() and policy.duplicates != "drop":
        row = int(np.argmax(refused))
        how = "with other values" if differs[row] else "again"
        raise DataError(
            f"{where(row)}: the bar of {iso(int(bars.time[row]), 0)} UTC comes {how}, a bar can exist once; "
            "--duplicates drop keeps the first"
        )
    tally.add("duplicates", again.sum())
    return _pick(bars, np.flatnonzero(~again))


def merge_files(parts: Sequence[BarColumns], policy: Policy, tally: Tally, what: str) -> BarColumns:
    """One series of several files' bars; files may overlap where they agree.

    Raises:
        DataError: they have different bars of one time; see `unique_bars`.
    """
    if len(parts) == 1:
        return parts[0]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    bars = BarColumns(parts[0].timeframe, **columns)
    ordered = _pick(bars, np.argsort(bars.time, kind="stable"))
    return unique_bars(ordered, policy, tally, lambda row: what)


def _pick(bars: BarColumns, rows: Ints) -> BarColumns:
    return BarColumns(bars.timeframe, **{name: getattr(bars, name)[rows] for name in _COLUMNS})


def _counted(volume: Floats) -> Ints:
    """Whole volumes; a little is not nothing."""
    known = np.where(np.isfinite(volume) & (volume > 0), volume, 0)
    whole_volume: Ints = np.where(known > 0, np.maximum(1, np.rint(known)), 0).astype(np.int64)
    return whole_volume


def _swapped(raw: RawBars, row: int, count: int, where: Callable[[int], str]) -> DataError:
    return DataError(
        f"{where(row)}: open {raw.open[row]:g} or close {raw.close[row]:g} lies outside low {raw.low[row]:g} and high "
        f"{raw.high[row]:g}, as in {count} of {raw.time.size} bars; say which column is which with --columns"
    )
