"""The exit kernel and the naive executor agree on every fill, refusal and close: to the point and the nanosecond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bitten.executor import Executor, ExecutorContext, Report
from bitten.fates import Fates
from bitten.market import Market
from bitten.model.dtypes import CLOSE_REASONS, CLOSED, EXPIRED, FILLED, NS_PER_MINUTE, NS_PER_MS, REJECTED
from bitten.model.facts import Fire
from bitten.model.quotes import Quotes, Slice
from bitten.store.columns import BarColumns
from bitten_brokers.simulated import SimulatedConfig, SimulatedExecutor
from bitten_feeds.barquotes import bar_quotes
from tests.markets import START, between, cut, instrument, random_fire, random_quotes
from tests.naive import NaiveConfig, NaiveExecutor


def drive(kind: type[Executor], config: object, pieces: list[Slice], fires: list[Fire], facts: dict) -> list[Report]:
    """Place fires at their times and collect everything the executor says, in order."""
    market = Market(facts, {})
    executor = kind(config, ExecutorContext(facts, market))
    fates = Fates({symbol: executor.fill_rules(symbol) for symbol in facts})
    reports: list[Report] = []
    todo = sorted(fires, key=lambda fire: (fire.time, fire.number))
    known = sorted(fires, key=lambda fire: (fire.signal.time, fire.number))
    for piece in pieces:
        market.begin(piece)
        new = [fire.signal for fire in known if fire.signal.time <= piece.horizon]
        known = [fire for fire in known if fire.signal.time > piece.horizon]
        executor.begin(fates.advance(piece, new))
        while todo and todo[0].time <= piece.horizon:
            fire = todo.pop(0)
            reports.extend(executor.advance(fire.time))
            executor.place(fire)
        reports.extend(executor.advance(piece.horizon))
    executor.begin(fates.finish())
    reports.extend(executor.finish())
    return [r if r.kind in (FILLED, CLOSED) else Report(r.key, r.kind, 0, r.time, 0, 0, 0, 0, 0) for r in reports]


def agree(
    pieces: list[Slice], fires: list[Fire], facts: dict, rng: np.random.Generator, **config: object
) -> list[Report]:
    naive = drive(NaiveExecutor, NaiveConfig(**config), pieces, fires, facts)
    kernel = drive(SimulatedExecutor, SimulatedConfig(**config), pieces, fires, facts)
    shredded = drive(SimulatedExecutor, SimulatedConfig(**config), cut(pieces, rng), fires, facts)
    assert kernel == naive
    assert shredded == naive
    assert len([r for r in naive if r.kind != FILLED]) == len(fires)  # every order comes to one end
    return naive


@given(seed=st.integers(0, 2**32 - 1), latency=st.sampled_from([0.0, 0.5, 700.0]), slip=st.sampled_from([0, 0, 2]),
       target=st.sampled_from(["level", "quote"]), level=st.sampled_from([0, 0, 5]))  # fmt: skip
@settings(max_examples=60)
def test_ticks(seed: int, latency: float, slip: int, target: str, level: int) -> None:
    rng = np.random.default_rng(seed)
    facts = {s: instrument(s, stops_level=level) for s in ("EURUSD", "GBPUSD")}
    quotes = {s: random_quotes(rng, s, int(rng.integers(1, 400))) for s in facts}
    horizon = max(int(q.ts[-1]) for q in quotes.values())
    fires = [random_fire(rng, k, quotes[s], facts[s]) for k, s in enumerate(rng.choice(list(facts), 25).tolist())]
    fires = [fire for fire in fires if fire.time <= horizon]
    agree([Slice(horizon, quotes)], fires, facts, rng, latency_ms=latency, slippage_points=slip, target_fill=target)


@given(seed=st.integers(0, 2**32 - 1), latency=st.sampled_from([0.0, 700.0]), from_bars=st.booleans())
@settings(max_examples=60)
def test_orders_that_a_person_releases_later(seed: int, latency: float, from_bars: bool) -> None:
    """Some leave at their signal's time, some later; among equal instants those that left at once are told first."""
    rng = np.random.default_rng(seed)
    facts = {"EURUSD": instrument(stops_level=3)}
    count = int(rng.integers(1, 400))
    quotes = random_quotes(rng, "EURUSD", count)
    if from_bars:
        quotes = random_bar_quotes(rng, "EURUSD", 1 + count // 4, True)
    fires = []
    for k in range(30):
        fire = random_fire(rng, k, quotes, facts["EURUSD"])
        time = fire.time + int(rng.choice([0, 1, int(rng.integers(0, 200_000)) * NS_PER_MS]))
        if time <= quotes.ts[-1] and not 0 < fire.signal.expiry <= time:
            fires.append(replace(fire, time=time))
    pieces = [Slice(int(quotes.ts[-1]), {"EURUSD": quotes})]
    told = [
        sorted(drive(kind, config(latency_ms=latency), cutting, fires, facts))
        for kind, config, cutting in (
            (NaiveExecutor, NaiveConfig, pieces),
            (SimulatedExecutor, SimulatedConfig, pieces),
            (SimulatedExecutor, SimulatedConfig, cut(pieces, rng)),
        )
    ]
    assert told[0] == told[1] == told[2]
    assert len([r for r in told[0] if r.kind != FILLED]) == len(fires)


def random_bar_quotes(rng: np.random.Generator, symbol: str, n: int, pessimistic: bool) -> Quotes:
    time = START + np.cumsum(rng.choice([1, 1, 1, 4], n)) * NS_PER_MINUTE
    close = 110_000 + np.cumsum(rng.integers(-15, 16, n))
    open_ = np.concatenate([[110_000], close[:-1]]) + rng.choice([0, 0, 0, 9, -9], n)
    high = np.maximum(open_, close) + rng.integers(0, 12, n)
    low = np.minimum(open_, close) - rng.integers(0, 12, n)
    columns = BarColumns("M1", time, open_, high, low, close, rng.integers(0, 6, n), np.ones(n, np.int64))
    return bar_quotes(instrument(symbol), columns, pessimistic)


@given(seed=st.integers(0, 2**32 - 1), latency=st.sampled_from([0.0, 25_000.0]), slip=st.sampled_from([0, 2]),
       target=st.sampled_from(["level", "quote"]), pessimistic=st.booleans())  # fmt: skip
@settings(max_examples=60)
def test_bars(seed: int, latency: float, slip: int, target: str, pessimistic: bool) -> None:
    rng = np.random.default_rng(seed)
    facts = {"EURUSD": instrument()}
    quotes = random_bar_quotes(rng, "EURUSD", int(rng.integers(1, 100)), pessimistic)
    fires = [random_fire(rng, k, quotes, facts["EURUSD"]) for k in range(20)]
    fires = [fire for fire in fires if fire.time <= quotes.ts[-1]]
    pieces = [Slice(int(quotes.ts[-1]), {"EURUSD": quotes})]
    agree(pieces, fires, facts, rng, latency_ms=latency, slippage_points=slip, target_fill=target)


def test_all_endings_occur() -> None:
    """The random markets above would prove little if they never trailed, expired or gapped."""
    rng = np.random.default_rng(7)
    facts = {"EURUSD": instrument(stops_level=3)}
    quotes = random_quotes(rng, "EURUSD", 3_000)
    fires = [random_fire(rng, k, quotes, facts["EURUSD"]) for k in range(400)]
    late = between(quotes, int(quotes.ts[-5]), int(quotes.ts[-3]))
    fires += [random_fire(rng, 400 + k, late, facts["EURUSD"]) for k in range(20)]
    fires = [fire for fire in fires if fire.time <= quotes.ts[-1]]
    reports = agree([Slice(int(quotes.ts[-1]), {"EURUSD": quotes})], fires, facts, rng, slippage_points=1)
    reasons = {CLOSE_REASONS[r.reason] for r in reports if r.kind == CLOSED}
    assert {"target", "stop", "trailing", "breakeven", "time", "end"} <= reasons
    assert {REJECTED, EXPIRED, FILLED, CLOSED} == {r.kind for r in reports}


@pytest.mark.parametrize("positions", [1, 300])
def test_many_positions_with_one_symbol(positions: int) -> None:
    rng = np.random.default_rng(positions)
    facts = {"EURUSD": instrument()}
    quotes = random_quotes(rng, "EURUSD", 500)
    fires = [random_fire(rng, k, quotes, facts["EURUSD"]) for k in range(positions)]
    agree([Slice(int(quotes.ts[-1]), {"EURUSD": quotes})], [f for f in fires if f.time <= quotes.ts[-1]], facts, rng)
