"""Bars: the vendor's own candles are the oracle, a slow loop the reference, and no cut may matter."""

from __future__ import annotations

import lzma
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.bars import BarBuilder
from bitten.clock import utc_offset_ns
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_MS, NS_PER_SECOND
from bitten.model.quotes import BAR_UNIT_NS, Quotes
from bitten.model.timeframe import timeframe_ns
from bitten.store.columns import BarColumns
from bitten_feeds.barquotes import bar_quotes
from tests.markets import between, instrument, random_quotes

DAY = 1_549_238_400_000_000_000  # 2019-02-04


def bi5(path: Path, fields: str) -> np.ndarray:
    raw = lzma.decompress(path.read_bytes())
    return np.frombuffer(raw, np.dtype([(name, ">f4" if name.startswith("v") else ">u4") for name in fields.split()]))


@pytest.mark.shared
@pytest.mark.parametrize("side", ["BID", "ASK"])
def test_ticks_give_the_vendors_candles(shared_data: Path, side: str) -> None:
    folder = shared_data / "dukascopy_bi5" / "EURUSD" / "2019" / "01" / "04"
    ts, bid, ask = [], [], []
    for hour in range(24):
        ticks = bi5(folder / f"{hour:02d}h_ticks.bi5", "ms ask bid va vb")
        ts.append(DAY + hour * 60 * NS_PER_MINUTE + ticks["ms"].astype(np.int64) * NS_PER_MS)
        bid.append(ticks["bid"].astype(np.int64))
        ask.append(ticks["ask"].astype(np.int64))
    prices = np.concatenate(bid if side == "BID" else ask)
    times = np.append(np.concatenate(ts), DAY + 1440 * NS_PER_MINUTE)  # one more quote closes the last bar
    prices = np.append(prices, prices[-1])
    bars = BarBuilder(NS_PER_MINUTE).update(Quotes("EURUSD", times, prices, prices))
    candles = bi5(folder / f"{side}_candles_min_1.bi5", "s open close low high v")
    assert bars.size == candles.size == 1440
    assert (bars["time"] == DAY + candles["s"].astype(np.int64) * NS_PER_SECOND).all()
    for name in ("open", "high", "low", "close"):
        assert (bars[name] == candles[name]).all(), name


def reference(quotes: Quotes, bar_ns: int, shift: int = 0) -> list[dict]:
    bars: list[dict] = []
    for ts, bid, ask in zip(quotes.ts.tolist(), quotes.bid.tolist(), quotes.ask.tolist(), strict=True):
        start = (ts + shift) // bar_ns * bar_ns - shift
        if not bars or bars[-1]["time"] != start:
            if bars:
                bars[-1]["known"] = ts
            bars.append({"time": start, "known": None, "bids": [], "spreads": []})
        bars[-1]["bids"].append(bid)
        bars[-1]["spreads"].append(ask - bid)
    return bars[:-1]


@given(seed=st.integers(0, 2**32 - 1), timeframe=st.sampled_from(["M1", "M5", "H1"]), cuts=st.integers(0, 30))
@settings(max_examples=40)
def test_bars_equal_a_slow_loop_however_cut(seed: int, timeframe: str, cuts: int) -> None:
    rng = np.random.default_rng(seed)
    quotes = random_quotes(rng, "EURUSD", 500, step_ms=20_000)
    builder = BarBuilder(timeframe_ns(timeframe))
    edges = [-1, *np.sort(rng.choice(quotes.ts, cuts)).tolist(), int(quotes.ts[-1])]
    parts = [builder.update(between(quotes, a, b)) for a, b in pairwise(edges)]
    bars = np.concatenate(parts)
    expected = reference(quotes, timeframe_ns(timeframe))
    assert len(expected) == bars.size
    for bar, want in zip(bars, expected, strict=True):
        bids, spreads = want["bids"], want["spreads"]
        assert (bar["time"], bar["known"]) == (want["time"], want["known"])
        assert tuple(bar[["open", "high", "low", "close"]].tolist()) == (bids[0], max(bids), min(bids), bids[-1])
        assert (bar["ticks"], bar["quotes"]) == (len(bids), len(bids))
        assert (bar["spread_sum"], bar["spread_min"], bar["spread_max"]) == (sum(spreads), min(spreads), max(spreads))


def test_days_start_at_five_in_new_york_across_a_clock_change() -> None:
    hour = 60 * NS_PER_MINUTE
    start = 1_709_845_200_000_000_000  # 2024-03-07 21:00 UTC; New York turns its clocks on 03-10
    ts = np.arange(start, start + 6 * 24 * hour, hour // 2)
    prices = np.arange(ts.size) + 100_000
    bars = BarBuilder(24 * hour, "NY+7").update(Quotes("EURUSD", ts, prices, prices + 1))
    opens = [(int(t) + utc_offset_ns("NY+7", int(t))) % (24 * hour) for t in bars["time"][1:]]
    assert opens.count(0) >= 3
    assert int(bars["time"][0]) % (24 * hour) // hour == 22
    assert int(bars["time"][-1]) % (24 * hour) // hour == 21


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_source_bars_are_complete_with_their_own_close(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 40
    time = DAY + np.cumsum(rng.choice([1, 1, 1, 3], n)) * NS_PER_MINUTE
    opening = 100_000 + rng.integers(-20, 20, n)
    close = opening + rng.integers(-9, 10, n)
    high, low = np.maximum(opening, close) + rng.integers(0, 5, n), np.minimum(opening, close) - rng.integers(0, 5, n)
    spread, volume = rng.integers(0, 9, n), rng.integers(1, 99, n)
    columns = BarColumns("M1", time, opening, high, low, close, spread, volume)
    quotes = bar_quotes(instrument(), columns, pessimistic=True)
    bars = BarBuilder(NS_PER_MINUTE).update(quotes)
    assert bars.size == n  # the last one too: nothing has to follow it
    for name, column in zip(("time", "open", "high", "low", "close", "ticks"),
                            (time, opening, high, low, close, volume), strict=True):  # fmt: skip
        assert (bars[name] == column).all(), name
    assert (bars["known"] == time + NS_PER_MINUTE - BAR_UNIT_NS).all()
    assert (bars["spread_sum"] == 4 * spread).all()
    longer = BarBuilder(5 * NS_PER_MINUTE).update(quotes)
    ends = longer["time"] + 5 * NS_PER_MINUTE
    whole = np.isin(ends - NS_PER_MINUTE, time)  # its last minute is there: known with that minute's close
    assert (longer["known"][whole] == ends[whole] - BAR_UNIT_NS).all()
    for known, end in zip(longer["known"][~whole], ends[~whole], strict=True):
        assert known == quotes.ts[np.searchsorted(quotes.ts, end)]  # else with the first quote after its end
