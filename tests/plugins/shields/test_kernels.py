"""Charts, spreads, freshness and levels against plain Python, whatever the cuts."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND, Records
from bitten.model.quotes import Quotes
from bitten.testing.markets import random_bars
from bitten_plugins.shields.chart import Chart
from bitten_plugins.shields.freshness import Freshness
from bitten_plugins.shields.levels import Levels
from bitten_plugins.shields.pools import HIGHS, LOWS, MOST_POOLS, POOL_BARS
from bitten_plugins.shields.sessions import WINDOWS, windows
from bitten_plugins.shields.spreads import Spreads, _median

SEEDS = st.integers(0, 2**32 - 1)


def pieces(rng: np.random.Generator, bars: Records, cuts: int) -> list[Records]:
    return np.split(bars, np.sort(rng.choice(np.arange(1, bars.size), cuts, replace=False)))


class NaiveChart:
    """Swings, pools and sweeps as they are defined, bar by bar, with lists."""

    def __init__(self) -> None:
        self.bars: list[Any] = []
        self.pools: list[dict[str, int]] = []
        self.waiting: dict[int, tuple[int, int, int] | None] = {LOWS: None, HIGHS: None}
        self.swept: dict[int, tuple[int, int]] = {}
        self.atr = float("nan")
        self.ranges: list[int] = []

    def add(self, bar: Any) -> None:
        before = self.bars[-1] if self.bars else None
        self.bars.append(bar)
        n = len(self.bars)
        gap = before is not None and bar["time"] - before["time"] > 30 * NS_PER_MINUTE
        if before is not None:
            top, bottom = (
                (bar["high"], bar["low"])
                if gap
                else (max(bar["high"], before["close"]), min(bar["low"], before["close"]))
            )
            self.ranges.append(int(top - bottom))
            if n == 15:
                self.atr = sum(self.ranges) / 14
            elif n > 15:
                self.atr = (self.atr * 13 + self.ranges[-1]) / 14
        alive = [pool for pool in self.pools if pool["ended"] == 0]
        for pool in alive:
            if n - pool["pivot"] > POOL_BARS:
                pool["ended"] = int(bar["known"])
        alive = [pool for pool in alive if pool["ended"] == 0]
        for pool in alive[: max(0, len(alive) - MOST_POOLS)]:
            pool["ended"] = int(bar["known"])
        for kind in (LOWS, HIGHS):
            self.sweep(kind, bar, n, gap)
        if n >= 7:
            middle, wings = self.bars[-4], [self.bars[-7:-4], self.bars[-3:]]
            for kind, name, sign in ((LOWS, "low", -1), (HIGHS, "high", 1)):
                level = sign * middle[name]
                if all(level > sign * one[name] for one in wings[0]) and all(
                    level >= sign * one[name] for one in wings[1]
                ):
                    pool = {"kind": kind, "level": int(middle[name]), "pivot": n - 3, "ended": 0, "swept": 0}
                    self.pools.append({**pool, "born": int(bar["known"])})

    def sweep(self, kind: int, bar: Any, n: int, gap: bool) -> None:
        sign = 1 if kind == LOWS else -1
        extreme = int(bar["low"] if kind == LOWS else bar["high"])
        crossed = [
            pool for pool in self.pools
            if pool["kind"] == kind and pool["ended"] == 0 and sign * extreme < sign * pool["level"]
        ]  # fmt: skip
        for pool in crossed:
            pool["ended"], pool["swept"] = int(bar["known"]), 1
        if gap:
            self.waiting[kind] = None
            return
        spread = bar["spread_sum"] / bar["quotes"] if bar["spread_sum"] else 8.0
        if crossed and self.atr > 0:
            level = min(sign * pool["level"] for pool in crossed)
            deep, age = level - sign * extreme, n - min(pool["pivot"] for pool in crossed)
            if max(0.05 * self.atr, 0.5 * spread) <= deep <= 1.5 * self.atr and age >= 10:
                wick = (min(sign * bar["open"], sign * bar["close"]) - sign * extreme) / max(
                    bar["high"] - bar["low"], 1
                )
                if sign * bar["close"] > level and wick >= 0.35:
                    self.swept[kind], self.waiting[kind] = (n, sign * level), None
                else:
                    self.waiting[kind] = (level, sign * extreme, 2)
                return
        if self.waiting[kind] is None:
            return
        level, lowest, left = self.waiting[kind]
        lowest, left = min(lowest, sign * extreme), left - 1
        self.waiting[kind] = (level, lowest, left) if left else None
        if level - lowest > 1.5 * self.atr:
            self.waiting[kind] = None
        elif sign * bar["close"] > level:
            self.swept[kind], self.waiting[kind] = (n, sign * level), None


@given(seed=SEEDS, cuts=st.sampled_from([0, 1, 7, 60]))
@settings(max_examples=12)
def test_chart(seed: int, cuts: int) -> None:
    rng = np.random.default_rng(seed)
    bars = random_bars(rng, 700, volatility=12.0)
    naive, chart = NaiveChart(), Chart(NS_PER_MINUTE, 8.0, 10_000)
    sweeps = 0
    for piece in pieces(rng, bars, cuts):
        chart.observe(piece)
        for bar in piece:
            naive.add(bar)
            row = chart.at(int(bar["known"]))
            assert row.number == len(naive.bars)
            for kind in (LOWS, HIGHS):
                since, level = row.sweep(kind)
                if kind in naive.swept:
                    assert (since, level) == (row.number - naive.swept[kind][0], naive.swept[kind][1])
                    sweeps += since == 0
                else:
                    assert since > row.number
            assert row.atr == pytest.approx(naive.atr, nan_ok=True)
            if len(naive.ranges) >= 50:
                assert row.slow == pytest.approx(statistics.fmean(naive.ranges[-50:]))
                assert row.quick == pytest.approx(statistics.fmean(naive.ranges[-5:]))
                assert row.last == naive.ranges[-1]
            alive = [
                pool for pool in naive.pools if pool["ended"] == 0 or pool["ended"] > bar["known"]
            ]  # fmt: skip
            found = chart.pools(int(bar["known"]))
            assert sorted(zip(found["kind"], found["level"], strict=True)) == sorted(
                (pool["kind"], pool["level"]) for pool in alive
            )
            assert chart.pool_between(LOWS, int(bar["known"]), row, int(bar["close"]), bar["close"] - 80) == max(
                (p["level"] for p in alive if p["kind"] == LOWS and bar["close"] - 80 <= p["level"] < bar["close"]),
                default=None,
            )
            assert chart.pool_between(HIGHS, int(bar["known"]), row, int(bar["close"]), bar["close"] + 80) == min(
                (p["level"] for p in alive if p["kind"] == HIGHS and bar["close"] < p["level"] <= bar["close"] + 80),
                default=None,
            )
    assert sweeps > 0
    history = chart.history()
    assert [(int(p["born"]), int(p["level"]), int(p["swept"])) for p in history] == [
        (p["born"], p["level"], p["swept"]) for p in sorted(naive.pools, key=lambda p: (p["born"], p["kind"]))
    ]


def test_a_chart_knows_nothing_of_later_bars_of_its_slice() -> None:
    bars = random_bars(np.random.default_rng(3), 400)
    whole, half = Chart(NS_PER_MINUTE, 8.0, 100), Chart(NS_PER_MINUTE, 8.0, 100)
    whole.observe(bars)
    half.observe(bars[:200])
    now = int(bars["known"][199])
    assert whole.at(now) == half.at(now)
    assert whole.pools(now)["level"].tolist() == half.pools(now)["level"].tolist() != []
    assert whole.at(int(bars["known"][0]) - 1).number == 0


def test_history_keeps_the_newest_pools() -> None:
    rng = np.random.default_rng(5)
    bars = random_bars(rng, 6000)
    long, short = Chart(NS_PER_MINUTE, 8.0, 100_000), Chart(NS_PER_MINUTE, 8.0, 50)
    long.observe(bars)
    for piece in pieces(rng, bars, 100):
        short.observe(piece)
    assert short.history().tolist() == long.history()[-50:].tolist()


@given(seed=SEEDS, cuts=st.sampled_from([0, 1, 30]))
@settings(max_examples=10)
def test_usual_spread(seed: int, cuts: int) -> None:
    rng = np.random.default_rng(seed)
    bars = random_bars(rng, 3000, "M5", gaps=0.0)
    spreads = Spreads(8)
    seen: list[tuple[int, float]] = []
    checked = set()
    for piece in pieces(rng, bars, cuts):
        spreads.observe(piece)
        for i, bar in enumerate(piece):
            seen.append(
                (bar["time"] // (60 * NS_PER_MINUTE) % 24, bar["spread_sum"] / bar["quotes"] if bar["quotes"] else 8.0)
            )
            if i % 97 and i != len(piece) - 1:
                continue
            now = int(bar["known"]) + int(rng.integers(0, 2))
            hour = now // (60 * NS_PER_MINUTE) % 24
            same = [spread for at, spread in seen if at == hour][-600:]
            rest = [spread for _, spread in seen][-240:]
            usual = spreads.usual(now)
            if len(same) >= 60:
                assert usual == (pytest.approx(statistics.median(same)), len(same), True)
            elif len(rest) >= 60:
                assert usual == (pytest.approx(statistics.median(rest)), len(rest), False)
            else:
                assert usual == (8.0, 0, False)
            checked.add(len(same) >= 60)
    assert checked == {True, False} or cuts == 0


@given(st.lists(st.floats(0.0, 20.0).map(lambda value: round(value, 1)), min_size=1, max_size=700))
@settings(max_examples=100)
def test_the_median_is_that_of_numpy(values: list[float]) -> None:
    """To the last bit, also of many equal values."""
    assert _median(np.array(values)) == np.median(values)


@given(seed=SEEDS, cuts=st.sampled_from([0, 2, 40, 900]))
@settings(max_examples=12)
def test_freshness(seed: int, cuts: int) -> None:
    """Also of quotes that no feed lets through."""
    rng = np.random.default_rng(seed)
    ts = np.cumsum(rng.integers(0, 5, 1500)) * NS_PER_SECOND
    bid = rng.integers(100, 110, 1500)
    ask = bid + np.where(rng.random(1500) < 0.02, -1, 3)
    where = np.sort(rng.choice(np.flatnonzero(np.diff(ts)) + 1, cuts, replace=False)) if cuts else []
    fresh, start = Freshness(), 0
    assert fresh.at(10) is None
    for part in np.split(np.arange(1500), where):
        fresh.observe(Quotes("EURUSD", ts[part], bid[part], ask[part]))
        now = int(ts[part[-1]]) + 1
        if start < part[-1]:
            now = int(rng.integers(ts[part[0]], ts[part[-1]] + 1))
        start = part[-1]
        rows = np.flatnonzero(ts <= now)[-500:]
        found = fresh.at(now)
        assert found is not None
        assert found.age == pytest.approx((now - ts[rows[-1]]) / NS_PER_SECOND)
        assert found.crossed == pytest.approx((bid[rows] > ask[rows]).mean())
        assert found.backward == 0


def test_steps_back_are_seen() -> None:
    fresh = Freshness()
    fresh.observe(Quotes("EURUSD", np.array([1, 5, 4, 6]) * NS_PER_SECOND, np.full(4, 100), np.full(4, 103)))
    found = fresh.at(6 * NS_PER_SECOND)
    assert found is not None and found.backward == 1


def test_steps_back_are_seen_among_many() -> None:
    """Where the last 500 are all of one slice, and of those only."""
    ts = np.arange(1200) * NS_PER_SECOND
    ts[[300, 900, 1000]] -= 2 * NS_PER_SECOND
    fresh = Freshness()
    fresh.observe(Quotes("EURUSD", ts, np.full(1200, 100), np.full(1200, 103)))
    found = [fresh.at(second * NS_PER_SECOND) for second in (1199, 950, 700)]
    assert [one and one.backward for one in found] == [2, 1, 1]


def test_quotes_of_bars_are_not_stale_within_their_bar() -> None:
    fresh = Freshness()
    fresh.observe(Quotes("EURUSD", np.arange(4) * 15 * NS_PER_SECOND, np.full(4, 100), np.full(4, 103), NS_PER_MINUTE))
    ages = [fresh.at(second * NS_PER_SECOND) for second in (45, 105, 120)]
    assert [one and one.age for one in ages] == [0.0, 0.0, 15.0]


@given(seed=SEEDS, cuts=st.sampled_from([0, 3, 50]))
@settings(max_examples=8)
def test_levels(seed: int, cuts: int) -> None:
    rng = np.random.default_rng(seed)
    bars = random_bars(rng, 2500, "M5", gaps=0.0)
    levels = Levels(10_000)
    for piece in pieces(rng, bars, cuts):
        levels.observe(piece)
    found = levels.history()
    count = 0
    for kind, window in enumerate(WINDOWS):
        before: dict[int, int] = {}
        mine = found[found["window"] == kind]
        for start, end in windows(window, int(bars["time"][0]), int(bars["time"][-1])).tolist():
            inside = bars[(bars["time"] >= start) & (bars["time"] < end)]
            after = bars[bars["time"] >= end]
            if not inside.size or not after.size:
                continue
            for high, level in ((0, inside["low"].min()), (1, inside["high"].max())):
                (row,) = mine[(mine["born"] == after["known"][0]) & (mine["high"] == high)]
                assert row["level"] == level
                beyond = after[after["high"] > level] if high else after[after["low"] < level]
                if row["swept"]:
                    assert row["ended"] == beyond["known"][0]
                elif row["ended"] < 1 << 62:
                    assert not beyond.size or beyond["known"][0] > row["ended"] or (beyond["known"][0] == row["ended"])
                else:
                    assert not beyond.size
                before[high] = int(level)
                count += 1
    assert count == found.size > 20
