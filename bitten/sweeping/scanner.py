"""Patterns in a sweep: each different one scans once, whoever trades it, and its signals stay columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from bitten.clock import utc_offset_ns
from bitten.config import PatternPart
from bitten.detectors import Detector
from bitten.kernels.lanestate import CANDIDATE
from bitten.model.dtypes import BUY, NO_PRICE, NS_PER_MINUTE, SELL, Bools, Ints, Records
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_ns

_HIGHEST: Final = 1 << 60  # points
_NO_CANDIDATES: Final[Records] = np.zeros(0, CANDIDATE)


def scanner_key(part: PatternPart, symbol: str, timeframe: str, day: str) -> bytes:
    """Equal for detectors that say the same."""
    facts = (part.part.entry.kind, part.part.entry.name, part.part.name, part.config(symbol), part.exit)
    return msgspec.json.encode([*facts, symbol, timeframe, day])


class Scanner:
    """One detector whose signals are shared by every combination that has it."""

    def __init__(self, detector: Detector, symbol: int) -> None:
        self.detector = detector
        self.candidates: Records = _NO_CANDIDATES  # of the current slice
        self.alerts = 0  # so far
        self.signals = 0
        self._symbol = symbol
        self._given: list[Ints] = []  # keys of all signals so far
        self._latest = -(1 << 62)

    def scan(self, bars: Mapping[str, Records], quotes: Quotes, horizon: int, source_ns: int) -> None:
        """Find the candidates of a slice."""
        rows, alerts = self.detector.find(bars, quotes, horizon, source_ns)
        self.alerts += len(alerts)
        if rows.size:
            sound = self._sound(rows, horizon)
            if not sound.all():
                self.alerts += int((~sound).sum())
                rows = rows[sound]
        self.detector.last = horizon
        self.signals += rows.size
        if rows.size:
            fresh = self._fresh(rows)
            self.alerts += int(rows.size - fresh.sum())
            rows = rows if fresh.all() else rows[fresh]
        self.candidates = self._candidates(rows) if rows.size else _NO_CANDIDATES

    def _sound(self, rows: Records, horizon: int) -> Bools:
        """What `Detector` checks of a signal, for all rows."""
        with np.errstate(invalid="ignore"):
            sound = ((rows["side"] == BUY) | (rows["side"] == SELL)) & (rows["time"] > self.detector.last)
            sound &= (rows["time"] <= horizon) & (rows["confidence"] >= 0) & (rows["confidence"] <= 100)
            sound &= (rows["atr"] >= 0) & (rows["atr"] < np.inf) & (rows["expiry"] >= 0)
            sound &= rows["time_stop_bars"] >= 0
            for name in ("stop", "target"):
                sound &= (rows[name] == NO_PRICE) | ((rows[name] > 0) & (rows[name] < _HIGHEST))
        evidence = rows["evidence"][:, : len(self.detector.pattern.evidence)]
        found: Bools = sound & np.isfinite(evidence).all(axis=1)
        return found

    def _fresh(self, rows: Records) -> Bools:
        """Which signals have an id, that is an anchor and a side, that was not given before."""
        keys: Ints = 2 * rows["anchor"] + (rows["side"] > 0)
        rising = bool(keys[0] > self._latest and (np.diff(keys) > 0).all())
        self._given.append(keys)
        self._latest = max(self._latest, int(keys.max()))
        if rising:
            return np.ones(rows.size, np.bool_)
        before = set(np.concatenate(self._given[:-1]).tolist()) if len(self._given) > 1 else set()
        fresh = np.zeros(rows.size, np.bool_)
        for i, key in enumerate(keys.tolist()):
            fresh[i] = key not in before
            before.add(key)
        return fresh

    def _candidates(self, rows: Records) -> Records:
        """Signals with the exit plan that the configuration gives them, dtype CANDIDATE."""
        rules, period = self.detector.exit, timeframe_ns(self.detector.timeframe)
        out: Records = np.zeros(rows.size, CANDIDATE)
        for name in ("time", "side", "stop", "target", "relative", "confidence", "atr", "expiry"):
            out[name] = rows[name]
        out["symbol"] = self._symbol
        out["bar_ns"] = period
        if rules.expiry_minutes is not None:
            after = int(rules.expiry_minutes * NS_PER_MINUTE)
            out["expiry"] = rows["time"] + after if rules.expiry_minutes else 0
        out["breakeven_r"] = rules.breakeven_r
        out["trail"] = rules.trail_points
        if rules.trail_atr:
            led = rows["atr"] > 0
            out["trail"][led] = np.maximum(1, np.rint(rules.trail_atr * rows["atr"][led]))
        out["bars_left"] = rows["time_stop_bars"] if rules.time_stop_bars is None else rules.time_stop_bars
        out["hold_ns"] = int(rules.time_stop_minutes * NS_PER_MINUTE)
        if period > 60 * NS_PER_MINUTE:
            out["bar_shift"] = [utc_offset_ns(self.detector.day, time) for time in rows["time"].tolist()]
        return out
