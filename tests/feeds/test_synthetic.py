"""The synthetic market: the same for everyone, however it is cut, and close enough to FX to be useful."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.errors import DataError
from bitten.feed import FeedContext
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten_feeds.synthetic import DEFAULT_START as SUMMER
from bitten_feeds.synthetic import SyntheticConfig, SyntheticFeed, generate_ticks

HOUR = 3_600_000_000_000
WEEK = 168 * HOUR
START = 1_709_503_200_000_000_000  # Sunday 2024-03-03 22:00 UTC; New York's clocks change a week later
EURUSD = Instrument("EURUSD", 5, "EUR", "USD", 100_000, 0.0001, 0.01, 0.01, 100, 10)
XAUUSD = Instrument("XAUUSD", 2, "XAU", "USD", 100, 0.1, 0.01, 0.01, 100, 25)
INSTRUMENTS = {"EURUSD": EURUSD, "XAUUSD": XAUUSD}


def columns(chunks: list[Quotes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(np.concatenate([getattr(c, name) for c in chunks]) for name in ("ts", "bid", "ask"))  # type: ignore[return-value]


def ticks(start: int, end: int, **more: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return columns(list(generate_ticks(EURUSD, start, end, **({"seed": 7, "quotes_per_day": 20_000} | more))))


def feed(start: int | None, end: int | None, **config: int) -> SyntheticFeed:
    context = FeedContext(tuple(INSTRUMENTS), INSTRUMENTS, start, end, Path(), seed=7)
    return SyntheticFeed(SyntheticConfig(**({"quotes_per_day": 2_000} | config)), context)


@pytest.fixture(scope="module")
def month() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return ticks(START, START + 4 * WEEK - 48 * HOUR)


def test_same_on_every_machine() -> None:
    ts, bid, ask = ticks(START, START + 24 * HOUR)
    digest = hashlib.sha256(b"".join(column.astype("<i8").tobytes() for column in (ts, bid, ask))).hexdigest()
    assert (ts.size, digest[:16]) == (22628, "e6f2c68bf11ef288")  # changed on purpose: raise VERSION of the market


def test_another_seed_is_another_market() -> None:
    day = START, START + 24 * HOUR
    assert not np.array_equal(ticks(*day)[1][:1000], ticks(*day, seed=8)[1][:1000])


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 9 * 24 * 3600 * 10**9), max_size=6))
def test_any_range_can_be_made_on_its_own(cuts: list[int]) -> None:
    start, end = START, START + 9 * 24 * HOUR
    edges = [start, *sorted(start + cut for cut in cuts), end]
    pieces = [list(generate_ticks(EURUSD, a, b, 7, 500)) for a, b in itertools.pairwise(edges)]
    whole = columns(list(generate_ticks(EURUSD, start, end, 7, 500)))
    for got, want in zip(columns([q for piece in pieces for q in piece]), whole, strict=True):
        assert np.array_equal(got, want)


@pytest.mark.parametrize("hours", [1, 7, 120])
def test_slices_of_any_length_hold_the_same_quotes(hours: int) -> None:
    start, end = START + 12_345, START + 2 * WEEK - 50 * HOUR - 1
    wanted = feed(start, end, slice_hours=6)
    cut = feed(start, end, slice_hours=hours)
    for symbol in INSTRUMENTS:
        one = columns([s.quotes[symbol] for s in wanted.slices()])
        other = columns([s.quotes[symbol] for s in cut.slices()])
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_horizons_strictly_increase_and_part_the_quotes() -> None:
    last = -1
    for piece in feed(START, START + 2 * WEEK).slices():
        assert piece.horizon > last
        for quotes in piece.quotes.values():
            assert quotes.ts.size == 0 or (quotes.ts[0] > last and quotes.ts[-1] <= piece.horizon)
        last = piece.horizon


def test_facts_count_exactly_and_say_synthetic() -> None:
    synthetic = feed(START + 987_654_321, START + WEEK // 3)
    facts = synthetic.facts()
    assert facts.quotes == sum(len(q) for piece in synthetic.slices() for q in piece.quotes.values())
    assert facts.synthetic
    assert "SYNTHETIC" in facts.notes[0]
    assert len(set(facts.fingerprints.values())) == 2


def test_without_dates_it_is_four_weeks() -> None:
    pieces = list(feed(None, None).slices())
    assert pieces[0].quotes["EURUSD"].ts[0] // HOUR == SUMMER // HOUR
    assert pieces[-1].horizon == SUMMER + 4 * WEEK - 48 * HOUR - 1  # a Friday's close


def test_trades_from_sunday_to_friday_17_new_york(month: tuple[np.ndarray, ...]) -> None:
    new_york = ZoneInfo("America/New_York")
    hours = np.unique(month[0] // HOUR)
    for hour in hours.tolist():
        local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(new_york)
        day, at = local.isoweekday(), local.hour
        assert day in (1, 2, 3, 4) or (day == 7 and at >= 17) or (day == 5 and at < 17), local
    assert hours.size == 4 * 120


def test_metals_rest_an_hour_a_day() -> None:
    chunks = list(generate_ticks(XAUUSD, START, START + 5 * 24 * HOUR, 7, 2_000))
    new_york = {datetime.fromtimestamp(int(c.ts[0]) // 10**9, ZoneInfo("America/New_York")).hour for c in chunks}
    assert new_york == set(range(24)) - {17}


def test_quotes_are_in_order_whole_milliseconds_and_never_crossed(month: tuple[np.ndarray, ...]) -> None:
    ts, bid, ask = month
    assert (np.diff(ts) > 0).all()
    assert (ts % 1_000_000 == 0).all()
    assert (bid > 0).all()
    assert (ask > bid).all()


def test_spread_is_several_times_wider_at_rollover(month: tuple[np.ndarray, ...]) -> None:
    ts, bid, ask = month
    week = ts < START + 5 * 24 * HOUR  # before the clocks change: New York is UTC-5
    local = (ts[week] // HOUR - 5) % 24
    spread = (ask - bid)[week]
    assert np.median(spread[local == 17]) > 4 * np.median(spread[(local >= 3) & (local < 8)])
    assert np.median(spread[local == 9]) < np.median(spread[local == 5])


def test_overlap_is_busiest(month: tuple[np.ndarray, ...]) -> None:
    ts = month[0]
    local = (ts[ts < START + 5 * 24 * HOUR] // HOUR - 5) % 24
    counts = np.bincount(local, minlength=24)
    assert set(np.argsort(counts)[-3:]) <= {8, 9, 10, 11}
    assert counts[9] > 4 * counts[18]


def test_density_is_as_asked(month: tuple[np.ndarray, ...]) -> None:
    assert month[0].size / 20 == pytest.approx(20_000, rel=0.25)


def test_weekends_open_with_a_gap(month: tuple[np.ndarray, ...]) -> None:
    ts, bid, _ = month
    weekends = np.flatnonzero(np.diff(ts) > 40 * HOUR)
    assert weekends.size == 3
    assert (np.abs(np.diff(bid)[weekends]) > 10).all()


def test_tails_are_fat_and_volatility_clusters() -> None:
    ts, bid, _ = ticks(START, START + 52 * WEEK, quotes_per_day=2_000)
    hours = ts // HOUR
    ends = np.flatnonzero(np.diff(hours))
    move = np.diff(bid[ends])[np.diff(hours[ends]) == 1].astype(float)
    assert ((move - move.mean()) ** 4).mean() / move.var() ** 2 > 6
    assert abs(move.mean()) < 3 * move.std() / np.sqrt(move.size)
    days = ts // (24 * HOUR)
    span = np.array([np.ptp(bid[days == day]) for day in np.unique(days) if (days == day).sum() > 1000], float)
    assert np.corrcoef(span[1:], span[:-1])[0, 1] > 0.15


def test_news_moves_the_price_and_widens_the_spread() -> None:
    ts, bid, ask = ticks(START, START + 4 * WEEK - 48 * HOUR)
    overlap = (ts // HOUR - 5) % 24 == 8
    assert (ask - bid)[overlap].max() > 4 * np.median((ask - bid)[overlap])


def test_before_the_first_week_is_an_error_with_a_remedy() -> None:
    with pytest.raises(DataError, match=r"begin at 1995-01-01 22:00:00 UTC, 1990-01-01"):
        next(generate_ticks(EURUSD, 631_152_000_000_000_000, START, 7))


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(DataError, match="the end must be later"):
        feed(START, START)
