"""What a shield knows of one symbol's bars of one timeframe: ranges, swings, pools and sweeps, at any instant.

A kernel writes a row per bar of the slice. A score looks up the last row that was known at its instant; of earlier
slices only the last row stays, so nothing depends on where they were cut.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.indicators import ATR, SWINGS, WINDOW, atr_step, swing_level, swing_step, true_range, window_mean
from bitten.kernels.indicators import window_push as push
from bitten.kernels.jit import kernel
from bitten.model.dtypes import NO_PRICE, NS_PER_MINUTE, Ints, Record, Records
from bitten_plugins.shields.pools import (
    ALIVE,
    BOOK,
    HIGHS,
    LOWS,
    POOL,
    SIDE,
    WING,
    Crossed,
    add_pool,
    cross_pools,
    drop_ended,
    forget_pools,
    is_crossed,
    pool_between,
    sweep_completed,
)

ATR_PERIOD: Final = 14
QUICK, SLOW = 5, 50  # bars whose mean true ranges are compared
GAP_BARS, GAP_NS = 3, 30 * NS_PER_MINUTE  # a step of time longer than both is a gap

_CARRIED: Final = np.dtype(
    [
        ("number", np.int64),  # bars so far
        ("time", np.int64),  # start of the last one
        ("close", np.int64),
        ("atr", ATR),
        ("quick", WINDOW),
        ("slow", WINDOW),
        ("swings", SWINGS),
        ("book", BOOK),
    ]
)

_ROW: Final = np.dtype(
    [
        ("number", np.int64),
        ("atr", np.float64),
        ("last", np.float64),
        ("quick", np.float64),
        ("slow", np.float64),
        ("bought", np.int64),
        ("bought_level", np.int64),
        ("sold", np.int64),
        ("sold_level", np.int64),
        ("nearest_low", np.int64),
        ("nearest_high", np.int64),
    ]
)


class Row(NamedTuple):
    """A chart as it was known at an instant; ranges are in points, NaN before there are enough bars."""

    number: int  # bars so far
    atr: float
    last: float  # true range of the last bar
    quick: float  # mean true range of 5 bars
    slow: float  # of 50
    bought: int  # number of the bar with which the last sweep of lows completed; 0 for none
    bought_level: int  # points
    sold: int  # likewise of highs
    sold_level: int
    nearest_low: int  # no pool of lows that is alive lies above it, points; NO_PRICE where there is none
    nearest_high: int  # likewise of highs, below it

    def sweep(self, kind: int) -> tuple[int, int]:
        """(bars since the last completed sweep of this kind, 0 where it was with the last bar; its level).

        More bars than there are where there was none.
        """
        bar, level = (self.bought, self.bought_level) if kind == LOWS else (self.sold, self.sold_level)
        return (self.number - bar if bar else 1 << 40), level


class _State(NamedTuple):
    carried: Records  # (1,)
    quick: Ints  # (5,) ring
    slow: Ints  # (50,) ring
    swings: Ints  # (2, 2 WING + 1) ring of highs and lows
    times: Ints  # (2 WING + 1,) ring of bars' starts
    sides: Records  # (2,), by kind


@kernel
def _read(state: _State, bars: Records, gap_ns: int, default_spread: float, pools: Records, rows: Records) -> None:
    """Take in bars; `rows[0]` holds the last row before them, each bar adds one.

    Arrays are handed on only where something happens: that costs more than all else a bar needs.
    """
    carried, lows, highs = state.carried[0], state.sides[LOWS], state.sides[HIGHS]
    book, swings = carried["book"], carried["swings"]
    for i in range(bars.size):
        bar, row = bars[i], rows[i + 1]
        carried["number"] += 1
        number = carried["number"]
        gap = number > 1 and bar["time"] - carried["time"] > gap_ns
        step = true_range(bar["high"], bar["low"], carried["close"], gap)
        atr = atr_step(carried["atr"], ATR_PERIOD, bar["high"], bar["low"], bar["close"], gap)
        carried["time"], carried["close"] = bar["time"], bar["close"]
        _carry_sweeps(rows[i], row)
        row["number"], row["atr"], row["last"], row["quick"], row["slow"] = number, atr, np.nan, np.nan, np.nan
        if number > 1:
            push(carried["quick"], state.quick, step)
            push(carried["slow"], state.slow, step)
            row["last"] = step
            row["quick"] = window_mean(carried["quick"], state.quick)
            row["slow"] = window_mean(carried["slow"], state.slow)
        if book["first"] < book["count"]:
            forget_pools(book, pools, number, bar["known"])
        for kind in range(2):
            side = lows if kind == LOWS else highs
            crossed = Crossed(0, 0, 0)
            if is_crossed(side, kind, bar):
                crossed = cross_pools(book, side, pools, kind, bar, number)
            if gap:
                side["waiting"] = 0
            elif crossed.pools > 0 or side["waiting"] > 0:
                spread = default_spread
                if bar["quotes"] > 0 and bar["spread_sum"] > 0:
                    spread = bar["spread_sum"] / bar["quotes"]
                if sweep_completed(side, crossed, kind, bar, atr, spread):
                    _note_sweep(row, side, kind)
        state.times[swings["seen"] % state.times.size] = bar["time"]
        is_high, is_low = swing_step(swings, state.swings, bar["high"], bar["low"])
        if is_high or is_low:
            high, low = swing_level(swings, state.swings)
            time = state.times[(swings["seen"] + WING) % state.times.size]
            if is_low:
                add_pool(book, lows, pools, LOWS, low, number - WING, time, bar["known"])
            if is_high:
                add_pool(book, highs, pools, HIGHS, high, number - WING, time, bar["known"])
        row["nearest_low"] = lows["nearest"] if lows["known"] else NO_PRICE
        row["nearest_high"] = highs["nearest"] if highs["known"] else NO_PRICE


@kernel
def _carry_sweeps(before: Record, row: Record) -> None:
    row["bought"], row["bought_level"] = before["bought"], before["bought_level"]
    row["sold"], row["sold_level"] = before["sold"], before["sold_level"]


@kernel
def _note_sweep(row: Record, side: Record, kind: int) -> None:
    if kind == LOWS:
        row["bought"], row["bought_level"] = row["number"], side["level"]
    else:
        row["sold"], row["sold_level"] = row["number"], side["level"]


@kernel
def _place(known: Ints, now: int) -> int:
    """Where the last row that was known at an instant stands, the first if none was; half the price of numpy's own."""
    return max(int(np.searchsorted(known, now, "right")) - 1, 0)


class Chart:
    """Bars of one symbol and timeframe.

    Args:
        timeframe_ns: their period.
        default_spread: of bars that state none, points.
        keep: ended pools that are remembered for the liquidity map, the newest.
    """

    def __init__(self, timeframe_ns: int, default_spread: float, keep: int) -> None:
        self._gap_ns = max(GAP_BARS * timeframe_ns, GAP_NS)
        self._default_spread = default_spread
        self._keep = keep
        self._state = _State(
            np.zeros(1, _CARRIED),
            np.zeros(QUICK, np.int64),
            np.zeros(SLOW, np.int64),
            np.zeros((2, 2 * WING + 1), np.int64),
            np.zeros(2 * WING + 1, np.int64),
            np.zeros(2, SIDE),
        )
        self._pools: Records = np.zeros(256, POOL)
        self._count = 0  # of them, the book's: a look into the state costs more than a score's look at the pools
        self._ended: list[Records] = []
        self._known: Ints = np.full(1, -(1 << 62))
        self._rows: Records = np.zeros(1, _ROW)
        self._rows[["atr", "last", "quick", "slow"]] = np.nan
        self._rows[["nearest_low", "nearest_high"]] = NO_PRICE

    @property
    def _book(self) -> Record:
        return self._state.carried[0]["book"]

    def observe(self, bars: Records) -> None:
        """Take in the bars that a slice completes, dtype BAR."""
        if bars.size == 0:
            return
        self._make_room(bars.size // 2 + 2)  # swings of a kind lie at least four bars apart
        rows: Records = np.empty(bars.size + 1, _ROW)
        rows[0] = self._rows[-1]
        self._known = np.concatenate([self._known[-1:], bars["known"]])
        self._rows = rows
        _read(self._state, bars, self._gap_ns, self._default_spread, self._pools, rows)
        self._count = int(self._book["count"])

    def _make_room(self, pools: int) -> None:
        """For as many pools more. Those that have ended are of earlier slices: no score asks for them again."""
        if self._count + pools <= self._pools.size:
            return
        held = self._pools[: self._count]
        self._ended.append(held[held["ended"] != ALIVE])
        if sum(map(len, self._ended)) > 2 * self._keep:
            self._ended = [_newest(np.concatenate(self._ended), self._keep)]
        drop_ended(self._book, self._pools)
        wanted = int(self._book["count"]) + pools
        if wanted > self._pools.size:
            self._pools = np.concatenate([self._pools, np.zeros(2 * wanted - self._pools.size, POOL)])

    def at(self, now: int) -> Row:
        """What was known at an instant of the current slice."""
        return Row(*self._rows.item(_place(self._known, now)))

    def pool_between(self, kind: int, now: int, row: Row, start: int, end: float) -> int | None:
        """Level of the nearest pool between two prices, points; see `pools.pool_between`. `row` is that of `at`."""
        nearest = row.nearest_low if kind == LOWS else row.nearest_high
        if nearest == NO_PRICE or (nearest < end if kind == LOWS else nearest > end):
            return None  # as for most signals: pools need no look
        level = pool_between(self._pools, self._count, now, kind, row.number, start, end)
        return None if level == NO_PRICE else int(level)

    def pools(self, now: int) -> Records:
        """The pools that are alive at an instant of the current slice, dtype POOL."""
        held = self._pools[: self._count]
        return held[(held["born"] <= now) & (held["ended"] > now)]

    def history(self) -> Records:
        """The newest pools there have been, dtype POOL, by birth."""
        return _newest(np.concatenate([*self._ended, self._pools[: self._count]]), self._keep)


def _newest(pools: Records, keep: int) -> Records:
    order = np.lexsort((pools["kind"], pools["born"]))
    newest: Records = pools[order][-keep:]
    return newest
