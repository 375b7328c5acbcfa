"""The benchmark's jobs on tiny data: every trade of bitten against a plain loop over the rows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bitten
from benchmarks.agreement import Agreement, compare_sweeps, compare_trades
from benchmarks.bollinger import Bollinger
from benchmarks.jobs import LOTS, TRADE, make_bars_job, make_sweep_job, make_ticks_job, read_trades
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_MS
from bitten.testing import check_pattern, random_bars

START = 1_704_067_200_000_000_000
Trade = tuple[int, int, int, int, int]  # side, rows of entry and exit, prices in tenths of a point


def random_bar_data(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Bars that open where the last one closed, some of them huge, with signals; prices with five decimals."""
    close = 110_000 + np.cumsum(rng.integers(-12, 13, n))
    opening = np.concatenate([[110_000], close[:-1]])
    huge = np.where(rng.random(n) < 0.05, 120, 6)
    high = np.maximum(opening, close) + rng.integers(0, huge)
    low = np.minimum(opening, close) - rng.integers(0, huge)
    return {
        "ts": START + (np.arange(n) + 1) * NS_PER_MINUTE,
        "open": opening / 1e5, "high": high / 1e5, "low": low / 1e5, "close": close / 1e5,
        "signal": np.where(rng.random(n) < 0.1, rng.choice([-1, 1], n), 0).astype(np.int8),
        "sl_dist": (rng.integers(20, 60, n) + 0.5) / 1e5, "tp_dist": (rng.integers(20, 90, n) + 0.5) / 1e5,
    }  # fmt: skip


def tenths(prices: Any) -> list[int]:
    """Prices in tenths of the data's points, exact."""
    return [round(price * 1e6) for price in np.asarray(prices).tolist()]


def plain_bars(bars: dict[str, Any], sides: list[int]) -> list[Trade]:
    """Job A by the book: next open, stop before target, at the level; one position at a time."""
    opening, high, low = (tenths(bars[name]) for name in ("open", "high", "low"))
    stops, targets = tenths(bars["sl_dist"]), tenths(bars["tp_dist"])
    trades: list[Trade] = []
    position: tuple[int, int, int, int, int] | None = None
    for i in range(1, len(opening)):
        if position is None and sides[i - 1]:
            side, entry = sides[i - 1], opening[i]
            position = side, i, entry, entry - side * stops[i - 1], entry + side * targets[i - 1]
        if position is None:
            continue
        side, row, entry, stop, target = position
        worst, best = (low[i], high[i]) if side > 0 else (high[i], low[i])
        if side * (worst - stop) <= 0:
            trades.append((side, row, i, entry, stop))
            position = None
        elif side * (best - target) >= 0:
            trades.append((side, row, i, entry, target))
            position = None
    return trades


def plain_ticks(ticks: dict[str, Any], signals: dict[str, Any], slots: int) -> list[Trade]:
    """Job B by the book: the next tick fills; a stop closes at the tick that touches it, a target at itself."""
    bid, ask = tenths(ticks["bid"]), tenths(ticks["ask"])
    stops, targets = tenths(signals["sl_dist"]), tenths(signals["tp_dist"])
    by_row = {int(row): k for k, row in enumerate(signals["idx"])}
    trades: list[Trade] = []
    held: list[tuple[int, int, int, int, int]] = []
    ordered: int | None = None
    for i in range(len(bid)):
        kept = []
        for side, row, entry, stop, target in held:
            price = bid[i] if side > 0 else ask[i]
            if side * (price - stop) <= 0:
                trades.append((side, row, i, entry, price))
            elif side * (price - target) >= 0:
                trades.append((side, row, i, entry, target))
            else:
                kept.append((side, row, entry, stop, target))
        held = kept
        if ordered is not None:
            side = int(signals["dir"][ordered])
            entry = ask[i] if side > 0 else bid[i]
            held.append((side, i, entry, entry - side * stops[ordered], entry + side * targets[ordered]))
        ordered = by_row.get(i) if len(held) < slots else None
    return trades


def plain_sides(bars: dict[str, Any], period: int, width: float) -> list[int]:
    """Job C's signals from every window anew."""
    closes = [price // 10 for price in tenths(bars["close"])]
    sides = [0] * len(closes)
    for i in range(period - 1, len(closes)):
        window = closes[i - period + 1 : i + 1]
        mean = sum(window) / period
        half = width * math.sqrt(sum((close - mean) ** 2 for close in window) / period)
        sides[i] = (closes[i] < mean - half) - (closes[i] > mean + half)
    return sides


def with_ranges(bars: dict[str, Any]) -> dict[str, Any]:
    """The bars with job C's distances: six and eight average ranges."""
    sizes = [(high - low) / 10 for high, low in zip(tenths(bars["high"]), tenths(bars["low"]), strict=True)]
    average, averages = sizes[0], []
    for size in sizes:
        average += (size - average) / 14.0
        averages.append(average)
    stops = (np.floor(6.0 * np.array(averages)) + 0.5) / 1e5
    return {**bars, "sl_dist": stops, "tp_dist": (np.floor(8.0 * np.array(averages)) + 0.5) / 1e5}


def records(trades: list[Trade]) -> Any:
    rows = [(side, first, last, entry / 1e6, end / 1e6) for side, first, last, entry, end in trades]
    return np.array(rows, TRADE)


def test_bars(tmp_path: Path) -> None:
    bars = random_bar_data(np.random.default_rng(1), 2000)
    run = bitten.backtest(make_bars_job(tmp_path, bars))
    expected = plain_bars(bars, bars["signal"].tolist())
    assert len(expected) > 50
    assert any(first == last for _, first, last, _, _ in expected)  # out on the bar that opened it
    found = read_trades(run.folder, bars["ts"] - NS_PER_MINUTE)
    assert compare_trades(found, records(expected)) == Agreement(*[len(expected)] * 3)


def test_ticks(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    n = 20_000
    bid = 110_000 + np.cumsum(rng.integers(-2, 3, n))
    stamps = START + np.cumsum(rng.integers(1, 900, n)) * NS_PER_MS
    ticks = {"ts": stamps, "bid": bid / 1e5, "ask": (bid + rng.integers(4, 9, n)) / 1e5}
    rows = np.arange(20, n - 20, 60)
    signals = {
        "idx": rows, "dir": rng.choice([-1, 1], rows.size),
        "sl_dist": (rng.integers(20, 60, rows.size) + 0.5) / 1e5,
        "tp_dist": (rng.integers(20, 60, rows.size) + 0.5) / 1e5,
    }  # fmt: skip
    run = bitten.backtest(make_ticks_job(tmp_path, ticks, signals))
    expected = plain_ticks(ticks, signals, 10)
    assert 100 < len(expected) < rows.size - 20  # some found no slot
    found = read_trades(run.folder, ticks["ts"])
    assert compare_trades(found, records(expected)) == Agreement(*[len(expected)] * 3)


@pytest.mark.parametrize(("period", "width"), [(5, 1.5), (20, 2.1)])
def test_sweep(tmp_path: Path, period: int, width: float) -> None:
    bars = with_ranges(random_bar_data(np.random.default_rng(3), 8000))
    pattern = {"use": Bollinger, "params": {"period": period, "deviations": width}}
    run = bitten.backtest(make_sweep_job(tmp_path, bars), patterns=[pattern])
    expected = plain_bars(bars, plain_sides(bars, period, width))
    assert len(expected) > 20
    found = read_trades(run.folder, bars["ts"] - NS_PER_MINUTE)
    assert compare_trades(found, records(expected)) == Agreement(*[len(expected)] * 3)
    closed = run.trades[run.trades["close_reason"] != "end"]
    tenths_won = sum(side * (end - entry) for side, _, _, entry, end in expected)
    assert closed["profit"].sum() == pytest.approx(tenths_won * 1e-6 * 100_000 * LOTS)  # no cent was rounded


def test_the_pattern_keeps_the_laws() -> None:
    market = random_bars(np.random.default_rng(4), 1500)
    check_pattern(Bollinger, market, {"period": 10}, mirror=False, scale=False)  # it counts in tens of these points


def test_agreement_counts_what_is_the_same() -> None:
    ours = records([(1, 1, 2, 110_000_0, 110_010_5), (-1, 5, 9, 110_000_0, 110_010_5)])
    theirs = records([(1, 1, 2, 110_000_0, 110_010_5), (-1, 5, 9, 110_000_0, 110_011_5)])
    assert compare_trades(ours, theirs) == Agreement(1, 2, 2)
    sweep = np.array([[10.0, 5.5], [11.0, -3.0], [12.0, 1.0]])
    told = np.array([[10.0, 5.5], [11.0, np.nan], [np.nan, np.nan]])
    assert compare_sweeps(told, sweep) == Agreement(2, 2, 2, profits=1)
    assert str(compare_trades(ours, theirs)) == "1 of 2, 1 others"
