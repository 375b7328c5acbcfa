"""Highs and lows of sessions and trading days, for the liquidity map: known when the period is over, swept once."""

from __future__ import annotations

from typing import Final

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Records
from bitten_plugins.shields.pools import ALIVE
from bitten_plugins.shields.sessions import DAY_NS, WINDOWS, periods

LEVEL: Final = np.dtype(
    [
        ("window", np.int64),  # of `sessions.WINDOWS`
        ("high", np.int64),  # 1 for a high, 0 for a low
        ("level", np.int64),  # points
        ("born", np.int64),  # when it was known, ns UTC
        ("ended", np.int64),  # when it was swept, or the next period's took its place; ALIVE before
        ("swept", np.int64),
    ]
)

# The period under way, of one kind.
_PERIOD: Final = np.dtype([("end", np.int64), ("seen", np.int64), ("high", np.int64), ("low", np.int64)])


@kernel
def _follow(bars: Records, spans: Ints, starts: Ints, periods: Records, current: Records, out: Records) -> int:
    """Lead all kinds of periods through bars; levels that end are written to `out`, and counted.

    Args:
        bars: dtype BAR.
        spans: start and end of the periods that may touch the bars, kind after kind, shape (n, 2).
        starts: where those of each kind begin, and the end of all, shape (kinds + 1,).
        periods: dtype _PERIOD, shape (kinds,).
        current: dtype LEVEL, shape (kinds, 2): the low and the high of the last period of each kind.
    """
    count = 0
    nexts = starts.copy()
    for i in range(bars.size):
        time, known, top, bottom = bars[i]["time"], bars[i]["known"], bars[i]["high"], bars[i]["low"]
        for kind in range(starts.size - 1):
            now = periods[kind]
            for high in range(2):
                level = current[kind, high]
                touched = top > level["level"] if high else bottom < level["level"]
                if level["ended"] == ALIVE and touched:
                    level["ended"], level["swept"] = known, 1
                    out[count] = level
                    count += 1
            if now["seen"] and time >= now["end"]:
                for high in range(2):
                    level = current[kind, high]
                    if level["ended"] == ALIVE:
                        level["ended"] = known
                        out[count] = level
                        count += 1
                    level["window"], level["high"] = kind, high
                    level["level"] = now["high"] if high else now["low"]
                    level["born"], level["ended"], level["swept"] = known, ALIVE, 0
                    touched = top > level["level"] if high else bottom < level["level"]
                    if touched:  # by the very bar with which it is known
                        level["ended"], level["swept"] = known, 1
                        out[count] = level
                        count += 1
                now["seen"] = 0
            place, end = nexts[kind], starts[kind + 1]
            while place < end and spans[place, 1] <= time:
                place += 1
            nexts[kind] = place
            if place < end and spans[place, 0] <= time:
                if not now["seen"]:
                    now["seen"], now["end"] = 1, spans[place, 1]
                    now["high"], now["low"] = top, bottom
                now["high"], now["low"] = max(now["high"], top), min(now["low"], bottom)
    return count


class Levels:
    """Highs and lows of one symbol, from its finest bars.

    Args:
        keep: how many that have ended are remembered, the newest.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._periods: Records = np.zeros(len(WINDOWS), _PERIOD)
        self._current: Records = np.zeros((len(WINDOWS), 2), LEVEL)  # ended at 0: there are none
        self._ended: list[Records] = []
        self._count = 0  # of them

    def observe(self, bars: Records) -> None:
        """Take in the bars that a slice completes, dtype BAR."""
        if bars.size == 0:
            return
        spans, starts = periods(int(bars["time"][0]) // DAY_NS, int(bars["time"][-1]) // DAY_NS)
        out: Records = np.empty(4 * (len(spans) + 2 * len(WINDOWS)), LEVEL)
        count = _follow(bars, spans, starts, self._periods, self._current, out)
        if count:
            self._ended.append(out[:count].copy())
            self._count += count
        if self._count > 2 * self._keep:
            self._ended = [_newest(np.concatenate(self._ended), self._keep)]
            self._count = len(self._ended[0])

    def alive(self, now: int) -> Records:
        """Those that are neither swept nor replaced at an instant, dtype LEVEL; of the last slice or later."""
        held = self.history()
        return held[(held["born"] <= now) & (held["ended"] > now)]

    def history(self) -> Records:
        """The newest there have been, dtype LEVEL, by birth."""
        current = self._current.ravel()
        return _newest(np.concatenate([*self._ended, current[current["ended"] == ALIVE]]), self._keep)


def _newest(levels: Records, keep: int) -> Records:
    order = np.lexsort((levels["high"], levels["window"], levels["born"]))
    newest: Records = levels[order][-keep:]
    return newest
