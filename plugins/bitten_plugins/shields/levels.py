"""Highs and lows of sessions and trading days, for the liquidity map: known when the period is over, swept once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import Ints, Records
from bitten_plugins.shields.pools import ALIVE
from bitten_plugins.shields.sessions import WINDOWS, windows

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
def _follow(bars: Records, kind: int, spans: Ints, period: Records, current: Records, out: Records) -> int:
    """Lead one kind of period through bars; levels that end are written to `out`, and counted."""
    now = period[0]
    count = 0
    next_span = 0
    for i in range(bars.size):
        bar = bars[i]
        for high in range(2):
            level = current[high]
            touched = bar["high"] > level["level"] if high else bar["low"] < level["level"]
            if level["ended"] == ALIVE and touched:
                level["ended"], level["swept"] = bar["known"], 1
                out[count] = level
                count += 1
        if now["seen"] and bar["time"] >= now["end"]:
            for high in range(2):
                level = current[high]
                if level["ended"] == ALIVE:
                    level["ended"] = bar["known"]
                    out[count] = level
                    count += 1
                level["window"], level["high"] = kind, high
                level["level"] = now["high"] if high else now["low"]
                level["born"], level["ended"], level["swept"] = bar["known"], ALIVE, 0
                touched = bar["high"] > level["level"] if high else bar["low"] < level["level"]
                if touched:  # by the very bar with which it is known
                    level["ended"], level["swept"] = bar["known"], 1
                    out[count] = level
                    count += 1
            now["seen"] = 0
        while next_span < spans.shape[0] and spans[next_span, 1] <= bar["time"]:
            next_span += 1
        if next_span < spans.shape[0] and spans[next_span, 0] <= bar["time"]:
            if not now["seen"]:
                now["seen"], now["end"] = 1, spans[next_span, 1]
                now["high"], now["low"] = bar["high"], bar["low"]
            now["high"], now["low"] = max(now["high"], bar["high"]), min(now["low"], bar["low"])
    return count


class Levels:
    """Highs and lows of one symbol, from its finest bars.

    Args:
        keep: how many that have ended are remembered, the newest.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._periods: Sequence[Records] = [np.zeros(1, _PERIOD) for _ in WINDOWS]
        self._current: Sequence[Records] = [np.zeros(2, LEVEL) for _ in WINDOWS]  # ended at 0: there are none
        self._ended: list[Records] = []

    def observe(self, bars: Records) -> None:
        """Take in the bars that a slice completes, dtype BAR."""
        if bars.size == 0:
            return
        for kind, window in enumerate(WINDOWS):
            spans = windows(window, int(bars["time"][0]), int(bars["time"][-1]))
            out: Records = np.empty(4 * (len(spans) + 2), LEVEL)
            count = _follow(bars, kind, spans, self._periods[kind], self._current[kind], out)
            if count:
                self._ended.append(out[:count].copy())
        if sum(map(len, self._ended)) > 2 * self._keep:
            self._ended = [_newest(np.concatenate(self._ended), self._keep)]

    def alive(self, now: int) -> Records:
        """Those that are neither swept nor replaced at an instant, dtype LEVEL; of the last slice or later."""
        held = self.history()
        return held[(held["born"] <= now) & (held["ended"] > now)]

    def history(self) -> Records:
        """The newest there have been, dtype LEVEL, by birth."""
        current = np.concatenate(self._current)
        return _newest(np.concatenate([*self._ended, current[current["ended"] == ALIVE]]), self._keep)


def _newest(levels: Records, keep: int) -> Records:
    order = np.lexsort((levels["high"], levels["window"], levels["born"]))
    newest: Records = levels[order][-keep:]
    return newest
