"""Law 9: prices are integer points, so a mirrored market mirrors the executor's trades exactly."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bitten.executor import Report
from bitten.model.dtypes import NO_PRICE
from bitten.model.facts import Fire
from bitten.model.quotes import Quotes, Slice
from bitten_brokers.simulated import SimulatedConfig, SimulatedExecutor
from tests.brokers.test_against_naive import drive
from tests.markets import instrument, random_fire, random_quotes

CENTRE = 230_000


def mirrored(fire: Fire) -> Fire:
    signal = fire.signal

    def level(points: int) -> int:
        return points if points == NO_PRICE or signal.relative else CENTRE - points

    turned = replace(
        signal, side=-signal.side, stop_points=level(signal.stop_points), target_points=level(signal.target_points)
    )
    return replace(fire, signal=turned)


def turned(report: Report) -> Report:
    def price(points: int) -> int:
        return points if points in (0, NO_PRICE) else CENTRE - points

    levels = (report.price, report.stop, report.target, report.best, report.worst)
    return Report(report.key, report.kind, report.reason, report.time, *map(price, levels))


@given(seed=st.integers(0, 2**32 - 1), slip=st.sampled_from([0, 3]), target=st.sampled_from(["level", "quote"]))
@settings(max_examples=40)
def test_mirrored_quotes_mirror_the_trades(seed: int, slip: int, target: str) -> None:
    rng = np.random.default_rng(seed)
    facts = {"EURUSD": instrument(stops_level=int(rng.choice([0, 4])))}
    quotes = random_quotes(rng, "EURUSD", 400)
    image = Quotes("EURUSD", quotes.ts, CENTRE - quotes.ask, CENTRE - quotes.bid)
    fires = [random_fire(rng, k, quotes, facts["EURUSD"]) for k in range(20)]
    fires = [fire for fire in fires if fire.time <= quotes.ts[-1]]
    config = SimulatedConfig(slippage_points=slip, target_fill=target)
    horizon = int(quotes.ts[-1])
    plain = drive(SimulatedExecutor, config, [Slice(horizon, {"EURUSD": quotes})], fires, facts)
    mirror = drive(SimulatedExecutor, config, [Slice(horizon, {"EURUSD": image})], [mirrored(f) for f in fires], facts)
    assert [turned(report) for report in mirror] == plain
