"""A deliberately naive executor: one loop over every quote and every position, in plain Python.

It is written from the rules alone and shares nothing with the exit kernel but the public interface, so that the two can
be held against each other. It is slow and must stay slow: no arrays, no skipping, no state but the positions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bitten.executor import Executor, ExecutorContext, Foreseen, Report
from bitten.kernels.exits import FillRules
from bitten.model.dtypes import CLOSE_REASONS, CLOSED, EXPIRED, FILLED, NO_PRICE, REJECTED
from bitten.model.facts import Fire


class NaiveConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    latency_ms: float = 0.0
    slippage_points: int = 0
    target_fill: str = "level"


@dataclass
class Position:
    number: int
    side: int
    decided: int
    expiry: int
    stop: int | None
    target: int | None
    relative: bool
    breakeven_r: float
    trail: int
    hold: int
    bar_ns: int
    bars: int
    is_open: bool = False
    time: int = 0
    price: int = 0
    first_stop: int | None = None
    reason: str = "stop"
    best: int = 0
    worst: int = 0
    moved: bool = False
    period: int = 0
    neutral_until: int = -1
    bar_shift: int = 0


class NaiveExecutor(Executor):
    Config = NaiveConfig

    def __init__(self, config: NaiveConfig, context: ExecutorContext) -> None:
        self.market = context.market
        self.instruments = context.instruments
        self.latency = round(config.latency_ms * 1_000_000)
        self.slip = config.slippage_points
        self.better = config.target_fill == "quote"
        self.positions: dict[str, list[Position]] = {symbol: [] for symbol in context.instruments}
        self.read: dict[str, int] = {}

    def fill_rules(self, symbol: str) -> FillRules:
        return FillRules(self.latency, self.slip, self.instruments[symbol].stops_level, self.better)

    def begin(self, foreseen: Sequence[Foreseen]) -> None:
        self.read = dict.fromkeys(self.positions, 0)

    def place(self, fire: Fire) -> None:
        s, plan = fire.signal, fire.signal.plan
        self.positions[s.symbol].append(
            Position(
                fire.number, s.side, fire.time + self.latency, s.expiry,
                None if s.stop_points == NO_PRICE else s.stop_points,
                None if s.target_points == NO_PRICE else s.target_points,
                s.relative, plan.breakeven_r, plan.trail_points, plan.time_stop_ns, s.timeframe_ns,
                plan.time_stop_bars, bar_shift=s.bar_shift,
            )
        )  # fmt: skip

    def advance(self, until: int) -> list[Report]:
        reports: list[Report] = []
        for symbol in self.positions:
            path = self.market.path(symbol)
            if path is not None:
                i = self.read[symbol]
                while i < len(path.ts) and path.ts[i] <= until:
                    bar_end = slot = 0
                    if path.per_bar:
                        slot = i % 4
                        bar_end = int(path.ts[i - slot + 3])
                    row = (int(path.ts[i]), int(path.bid[i]), int(path.ask[i]),
                           int(path.long_exit[i]), int(path.short_exit[i]))  # fmt: skip
                    self._quote(symbol, row, path.per_bar > 0, slot, bar_end, reports)
                    i += 1
                self.read[symbol] = i
            for p in list(self.positions[symbol]):
                if not p.is_open and p.expiry and p.expiry <= until:
                    self._end(symbol, p, EXPIRED, "", p.expiry, 0, reports)
        return sorted(reports, key=lambda report: report.time)

    def finish(self) -> list[Report]:
        reports: list[Report] = []
        for symbol, positions in self.positions.items():
            last = self.market.quote(symbol, 1 << 62)
            for p in list(positions):
                if p.is_open and last:
                    self._end(symbol, p, CLOSED, "end", last.time, last.bid if p.side > 0 else last.ask, reports)
                else:
                    time = max(last.time if last else p.decided, p.decided)
                    self._end(symbol, p, EXPIRED, "", time, 0, reports)
        return sorted(reports, key=lambda report: report.time)

    def _quote(self, symbol, row, from_bars, slot, bar_end, reports) -> None:
        time, bid, ask, long_view, short_view = row
        for p in list(self.positions[symbol]):
            if not p.is_open:
                if time > p.decided:
                    if p.expiry and time > p.expiry:
                        self._end(symbol, p, EXPIRED, "", p.expiry, 0, reports)
                    else:
                        self._fill(symbol, p, time, bid, ask, from_bars, slot, bar_end, reports)
                continue
            if p.side > 0:
                price = bid if time <= p.neutral_until else long_view
            else:
                price = ask if time <= p.neutral_until else short_view
            can_gap = not from_bars or slot == 0
            if p.stop is not None and (price <= p.stop if p.side > 0 else price >= p.stop):
                at = price if can_gap else p.stop
                self._excursion(p, at)
                self._end(symbol, p, CLOSED, p.reason, time, at - p.side * self.slip, reports)
            elif p.target is not None and (price >= p.target if p.side > 0 else price <= p.target):
                at = price if self.better and can_gap else p.target
                self._excursion(p, at)
                self._end(symbol, p, CLOSED, "target", time, at, reports)
            elif self._out_of_time(p, time):
                self._excursion(p, price)
                self._end(symbol, p, CLOSED, "time", time, price - p.side * self.slip, reports)
            else:
                self._excursion(p, price)
                self._lead(p, price)

    def _fill(self, symbol, p, time, bid, ask, from_bars, slot, bar_end, reports) -> None:
        close_side = bid if p.side > 0 else ask
        p.price = (ask if p.side > 0 else bid) + p.side * self.slip
        if p.relative:
            p.stop = None if p.stop is None else p.price - p.side * p.stop
            p.target = None if p.target is None else p.price + p.side * p.target
        level = self.instruments[symbol].stops_level
        for room in (
            None if p.stop is None else p.side * (close_side - p.stop),
            None if p.target is None else p.side * (p.target - close_side),
        ):
            if room is not None and (room <= 0 or room < level):
                self._end(symbol, p, REJECTED, "", time, close_side, reports)
                return
        p.is_open, p.time, p.first_stop = True, time, p.stop
        p.best = p.worst = close_side
        p.period = (time + p.bar_shift) // p.bar_ns
        if from_bars and slot in (1, 2):
            p.neutral_until = bar_end
        reports.append(self._report(p, FILLED, "", time, p.price))

    def _out_of_time(self, p: Position, time: int) -> bool:
        if p.hold and time >= p.time + p.hold:
            return True
        if p.bars and (time + p.bar_shift) // p.bar_ns != p.period:
            p.period = (time + p.bar_shift) // p.bar_ns
            p.bars -= 1
            return p.bars == 0
        return False

    def _excursion(self, p: Position, price: int) -> None:
        p.best = max(p.best, price) if p.side > 0 else min(p.best, price)
        p.worst = min(p.worst, price) if p.side > 0 else max(p.worst, price)

    def _lead(self, p: Position, price: int) -> None:
        if p.breakeven_r and p.first_stop is not None and not p.moved:
            risk = p.side * (p.price - p.first_stop)
            if p.side * (price - p.price) >= max(1, math.ceil(p.breakeven_r * risk)):
                p.moved = True
                self._pull_stop(p, p.price, "breakeven")
        if p.trail:
            self._pull_stop(p, p.best - p.side * p.trail, "trailing")

    def _pull_stop(self, p: Position, stop: int, reason: str) -> None:
        if p.stop is None or p.side * (stop - p.stop) > 0:
            p.stop, p.reason = stop, reason

    def _end(self, symbol, p, kind, reason, time, price, reports) -> None:
        self.positions[symbol].remove(p)
        reports.append(self._report(p, kind, reason, time, price))

    def _report(self, p: Position, kind: int, reason: str, time: int, price: int) -> Report:
        return Report(
            p.number, kind, CLOSE_REASONS.index(reason), time, price,
            NO_PRICE if p.stop is None else p.stop, NO_PRICE if p.target is None else p.target, p.best, p.worst,
        )  # fmt: skip
