"""The worked cases of `fill_scenarios`, by the kernel and by the naive executor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitten.executor import Executor, Report
from bitten.model.dtypes import CLOSE_REASONS, CLOSED, EXPIRED, FILLED, NO_PRICE, NS_PER_MINUTE, NS_PER_SECOND, REJECTED
from bitten.model.facts import ExitPlan, Fire, Signal
from bitten.model.quotes import BAR_UNIT_NS, Quotes, Slice
from bitten.store.columns import BarColumns
from bitten_brokers.simulated import SimulatedConfig, SimulatedExecutor
from bitten_feeds.barquotes import bar_quotes
from tests.brokers.fill_scenarios import BAR_SCENARIOS, SCENARIOS, BarScenario, Scenario
from tests.brokers.test_against_naive import drive
from tests.markets import START, instrument
from tests.naive import NaiveConfig, NaiveExecutor

KINDS = {FILLED: "FILLED", CLOSED: "CLOSED", REJECTED: "REJECTED", EXPIRED: "EXPIRED"}
BOTH = [(SimulatedExecutor, SimulatedConfig), (NaiveExecutor, NaiveConfig)]


def order(at: int, facts: Any, side: int, **plan: Any) -> Fire:
    signal = Signal(
        id="s", pattern="p", instrument=facts, timeframe="M1", timeframe_ns=NS_PER_MINUTE, side=side, time=at,
        anchor=0, reference_points=NO_PRICE, stop_points=plan.get("stop", NO_PRICE),
        target_points=plan.get("target", NO_PRICE), relative=plan.get("relative", False), confidence=50.0,
        expiry=at + plan["expiry"] * NS_PER_SECOND if "expiry" in plan else 0,
        plan=ExitPlan(plan.get("breakeven_r", 0.0), plan.get("trail", 0), plan.get("bars", 0),
                      plan.get("hold", 0) * NS_PER_SECOND),
    )  # fmt: skip
    return Fire("f", 1, signal, "main", 0.1, at)


def check(reports: list[Report], fill: tuple[float, int] | None, end: tuple[str, float, int, str]) -> None:
    last = reports[-1]
    seconds = (last.time - START) / NS_PER_SECOND
    assert (KINDS[last.kind], seconds, last.price, CLOSE_REASONS[last.reason]) == end
    fills = [((r.time - START) / NS_PER_SECOND, r.price) for r in reports if r.kind == FILLED]
    assert fills == ([] if fill is None else [fill])


@pytest.mark.parametrize(("kind", "config"), BOTH)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.rule)
def test_ticks(scenario: Scenario, kind: type[Executor], config: type) -> None:
    facts = {"EURUSD": instrument(stops_level=scenario.stops_level)}
    times, bids, asks = (np.array(column) for column in zip(*scenario.quotes, strict=True))
    quotes = Quotes("EURUSD", START + (times * NS_PER_SECOND).astype(np.int64), bids, asks)
    pieces = [Slice(int(quotes.ts[-1]), {"EURUSD": quotes})]
    fire = order(START, facts["EURUSD"], **scenario.order)
    check(drive(kind, config(**scenario.executor), pieces, [fire], facts), scenario.fill, scenario.end)


@pytest.mark.parametrize(("kind", "config"), BOTH)
@pytest.mark.parametrize("scenario", BAR_SCENARIOS, ids=lambda s: s.rule)
def test_bars(scenario: BarScenario, kind: type[Executor], config: type) -> None:
    facts = {"EURUSD": instrument()}
    n = len(scenario.bars)
    time = START + np.arange(n) * NS_PER_MINUTE
    prices = [np.array(column) for column in zip(*scenario.bars, strict=True)]
    columns = BarColumns("M1", time, *prices, np.full(n, 2), np.ones(n, np.int64))
    quotes = bar_quotes(facts["EURUSD"], columns, scenario.intrabar == "pessimistic")
    fire = order(START + NS_PER_MINUTE - BAR_UNIT_NS, facts["EURUSD"], **scenario.order)
    pieces = [Slice(int(quotes.ts[-1]), {"EURUSD": quotes})]
    reports = drive(kind, config(**scenario.executor), pieces, [fire], facts)
    entry = scenario.bars[1][0] + (2 if fire.signal.side > 0 else 0)
    check(reports, (60, entry), scenario.end)  # decided at a bar's close: fills at the next bar's open
