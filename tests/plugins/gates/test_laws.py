"""The laws of gates: the contract of the kit, cuts that change nothing, and a naive account of everything they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.analysis.measures import wilson
from bitten.gate import GateContext
from bitten.instants import instant
from bitten.manager import Manager
from bitten.testing import check_gate
from bitten.testing.markets import INSTRUMENT
from tests.markets import cut
from tests.plugins.gates.naive import Books, breaches, ns, stop_losses, within
from tests.replay import replay, rows, synthetic_slices
from tests.replay import settings as strategy

CONTEXT = GateContext(instruments={"EURUSD": INSTRUMENT})

# gate, configuration, whether the kit's situations make it refuse
CONTRACTS: list[tuple[str, dict[str, Any], bool]] = [
    ("kill_switch", {}, False),
    ("kill_switch", {"state": "reducing"}, True),
    ("data_validity", {"max_quote_age_seconds": 2}, True),
    ("data_validity", {"max_quote_age_seconds": 1e6}, False),
    ("duplicate", {}, False),
    ("duplicate", {"cooldown_minutes": 1}, True),
    ("age_drift", {}, True),
    ("elimination", {}, False),
    ("price_collar", {}, True),
    ("open_risk", {}, True),
    ("open_risk", {"resize": True}, True),
    ("exposure", {"max_multiple": 1.0}, True),
    ("exposure", {"max_multiple": 1.0, "resize": True}, True),
    ("exposure", {"max_multiple": 10_000}, True),  # those without lots
    ("order_rate", {"fires_per_hour": 1}, True),
    ("max_volume", {"lots": 0.2, "resize": False}, True),
    ("max_volume", {"lots": 0.2, "notional": 5_000.0}, True),
    ("loss_stop", {}, False),
    ("prop_firm", {}, False),
]


@pytest.mark.parametrize(("name", "config", "refuses"), CONTRACTS)
def test_the_contract_of_gates(name: str, config: dict[str, Any], refuses: bool) -> None:
    kind = Manager().find("gates", name).load()
    refused = sum(check_gate(kind, config, context=CONTEXT, seed=seed) for seed in range(3))
    assert (refused > 0) == refuses


def test_every_gate_is_held_to_the_contract() -> None:
    names = set(Manager().registry("gates"))
    older = {"band", "slots", "risk", "fixed_lots", "spread", "one_per_symbol"}
    assert names <= older | {name for name, _, _ in CONTRACTS}


def chain(**configs: dict[str, Any]) -> list[dict[str, Any]]:
    """The whole chain in its order, with some keys changed; its limits are narrow: every gate has something to say."""
    changed: dict[str, dict[str, Any]] = {
        "kill_switch": {"periods": [{"from": "2024-04-08T10:00:00", "to": "2024-04-08T11:00:00"}]},
        "data_validity": {},
        "duplicate": {"cooldown_minutes": 45},
        "age_drift": {"max_drift": 0.45},
        "elimination": {"least": 12, "limit_percent": 45, "mode": "plain", "probation_signals": 4},
        "band": {"low": 20.0},
        "price_collar": {"spread_atr": 0.4, "max_quote_age_seconds": 60.0},
        "slots": {},
        "risk": {},
        "open_risk": {"max_percent": 1.7, "resize": True},
        "exposure": {"max_multiple": 40.0},
        "order_rate": {"fires_per_hour": 2, "pattern_signals_per_hour": 7},
        "max_volume": {"lots": 2.0},
        "loss_stop": {"daily_percent": 1.0},
        "prop_firm": {"daily_percent": 2.0, "total_percent": 1.5, "trailing": "always", "consistency_percent": 30},
    }
    return [{"use": name, **config, **configs.get(name, {})} for name, config in changed.items()]


ACCOUNTS = [
    {"id": "main", "slots": 3}, {"id": "euro", "currency": "EUR", "balance": 2500.0, "risk_percent": 2.0},
    {"id": "yen", "currency": "JPY", "balance": 2e6}, {"id": "person", "mode": "manual"},
]  # fmt: skip
HUMAN = {"human": "always", "after_seconds": 40.0}


def run(gates: list[dict[str, Any]], pieces: Any = None, **sections: Any) -> tuple[dict[str, Any], Any]:
    """The tables of a run, those that gates leave among them, and its pipeline."""
    source = strategy(gates=gates, accounts=ACCOUNTS, missions=HUMAN, **sections)
    tables, pipeline = replay(synthetic_slices() if pieces is None else pieces, source)
    for step in pipeline.chain.steps:
        tables |= step.part.tables()
    return tables, pipeline


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    tables, pipeline = run(chain())
    assert not pipeline.parts.journal.alerts
    return tables


def test_every_gate_refused_or_resized_something(whole: dict[str, Any]) -> None:
    """Else the law of cuts would hold for nothing."""
    spoke = {row["gate"] for row in rows(whole, "decisions") if row["verdict"] != "passed"}
    assert spoke >= {step["use"] for step in chain()} - {"band", "slots", "risk"}
    assert rows(whole, "trades")


@given(seed=st.integers(0, 2**32 - 1), cuts=st.sampled_from([1, 10, 300]))
@settings(max_examples=8)
def test_cuts_change_nothing(whole: dict[str, Any], seed: int, cuts: int) -> None:
    tables, _ = run(chain(), cut(list(synthetic_slices()), np.random.default_rng(seed), cuts))
    assert set(tables) == set(whole)
    for name in whole:
        assert rows(tables, name) == rows(whole, name), name


# -- a naive account of what they say ------------------------------------------------------------------------------

ONLY = [{"use": "band", "low": 0.0, "high": 100.0}, {"use": "slots"}, {"use": "risk"}]


def books(tables: dict[str, Any], pipeline: Any) -> Books:
    return Books(tables, synthetic_slices(), pipeline.ledger.accounts, pipeline.market.instruments)


def said_by(tables: dict[str, Any], gate: str) -> list[dict[str, Any]]:
    found = [row for row in rows(tables, "decisions") if row["gate"] == gate]
    assert found
    return found


@given(
    daily=st.sampled_from([0.5, 1.0, 2.0, 0.0]),
    drawdown=st.sampled_from([1.5, 3.0, 6.0, 0.0]),
    minutes=st.sampled_from([7, 60]),
)
@settings(max_examples=8)
def test_the_loss_stop_against_trades_and_quotes(daily: float, drawdown: float, minutes: int) -> None:
    loss = {"use": "loss_stop", "daily_percent": daily, "drawdown_percent": drawdown}
    limits = [daily or np.inf, drawdown or np.inf]
    tables, pipeline = run([*ONLY, loss], run={"equity_minutes": minutes})
    found = books(tables, pipeline)
    accounts = {account.id: account for account in found.accounts}
    refused = 0
    for row in said_by(tables, "loss_stop"):
        day, fallen = stop_losses(found, accounts[row["account"]], ns(row["time"]))
        over = fallen >= limits[1]
        assert row["measured"] == pytest.approx(fallen if over else day, abs=1e-6)
        assert (row["verdict"] == "refused") == (over or day >= limits[0])
        refused += row["verdict"] == "refused"
    assert refused or min(limits) > 2


@given(
    daily=st.sampled_from([0.7, 2.0]),
    total=st.sampled_from([1.5, 4.0]),
    trailing=st.sampled_from(["no", "always"]),
    lock=st.booleans(),
)
@settings(max_examples=8)
def test_breaches_against_trades_and_quotes(daily: float, total: float, trailing: str, lock: bool) -> None:
    pack = {"daily_percent": daily, "total_percent": total, "trailing": trailing, "trailing_lock": lock}
    tables, pipeline = run([*ONLY, {"use": "prop_firm", **pack}])
    found = books(tables, pipeline)
    rules = pipeline.chain.steps[-1].part.config
    expected = [(account.id, *row) for account in found.accounts for row in breaches(found, account, rules)]
    told = rows(tables, "breaches")
    assert sorted((row["account"], ns(row["time"]), row["rule"]) for row in told) == sorted(row[:3] for row in expected)
    by_key = {row[:3]: row[3] for row in expected}
    for row in told:
        assert row["measured"] == pytest.approx(by_key[row["account"], ns(row["time"]), row["rule"]], abs=1e-6)
    assert told or min(daily, total) > 1.5
    after = [row for row in told if row["rule"] == "total"]
    for breach in after:  # for good
        fires = [row for row in rows(tables, "fires") if row["account"] == breach["account"]]
        assert all(ns(row["time"]) < ns(breach["time"]) for row in fires)


@pytest.mark.parametrize("limit", [2, 5])
def test_rates_against_the_fires(limit: int) -> None:
    tables, _ = run([*ONLY, {"use": "order_rate", "fires_per_hour": limit, "pattern_signals_per_hour": 9}])
    signals = {row["signal_id"]: row for row in rows(tables, "signals")}
    fires = rows(tables, "fires")
    hour, refused = 3600 * 10**9, 0
    stopped = {row["pattern"]: ns(row["time"]) for row in rows(tables, "rate_stops")}
    for row in said_by(tables, "order_rate"):
        time, pattern = ns(row["time"]), signals[row["signal_id"]]["pattern"]
        if stopped.get(pattern, time + 1) <= time:
            assert row["verdict"] == "refused"
            continue
        mine = sorted(ns(one["time"]) for one in fires if one["account"] == row["account"])
        assert row["measured"] == within(mine, time - hour, time - 1)
        assert (row["verdict"] == "refused") == (row["measured"] >= limit)
        refused += row["verdict"] == "refused"
    assert refused
    for pattern, time in stopped.items():
        ids = {
            one["signal_id"]
            for one in fires
            if signals[one["signal_id"]]["pattern"] == pattern and ns(one["time"]) < time
        }
        assert len(ids) >= 9


@pytest.mark.parametrize("mode", ["interval", "plain"])
def test_eliminations_against_the_outcomes(mode: str) -> None:
    tables, _ = run([*ONLY, {"use": "elimination", "least": 5, "limit_percent": 60, "mode": mode, "per": "symbol"}])
    told = {(row["pattern"], row["symbol"]): row for row in rows(tables, "eliminations")}
    assert told
    counts: dict[tuple[str, str], list[int]] = {}
    for row in rows(tables, "outcomes"):
        key = (row["pattern"], row["symbol"])
        if row["result"] not in ("target", "stop", "time"):
            continue
        wins, n = counts.setdefault(key, [0, 0])
        if key in told and ns(row["close_time"]) > ns(told[key]["time"]):
            continue
        counts[key] = [wins + (row["pips"] > 0), n + 1]
        bound = wilson(*counts[key])
        assert bound is not None
        share = bound[1] if mode == "interval" else counts[key][0] / counts[key][1]
        off = n + 1 >= 5 and share < 0.6
        assert off == (key in told and ns(row["close_time"]) == ns(told[key]["time"])), (key, counts[key])
    signals = {row["signal_id"]: row for row in rows(tables, "signals")}
    for row in said_by(tables, "elimination"):
        of = signals[row["signal_id"]]
        event = told.get((of["pattern"], of["symbol"]))
        assert (row["verdict"] == "refused") == (event is not None and ns(event["time"]) <= ns(row["time"]))


def test_total_open_risk_never_exceeds_its_limit() -> None:
    gates = [*ONLY, {"use": "open_risk", "max_percent": 2.0, "resize": True}]
    tables, pipeline = run(gates)
    found = books(tables, pipeline)
    trades = {row["fire_id"]: row for row in rows(tables, "trades")}
    fires = rows(tables, "fires")
    accounts = {account.id: account for account in found.accounts}
    tight = 0.0
    for number, row in enumerate(fires):
        time, account = ns(row["time"]), row["account"]
        held = [
            one["risk"] for one in fires[: number + 1]
            if one["account"] == account
            and f"{one['signal_id']}@{account}" in trades
            and ns(trades[f"{one['signal_id']}@{account}"]["close_time"]) > time
        ]  # fmt: skip
        share = 100 * sum(held) / found.equity(accounts[account], time)
        assert share <= 2.0 + 1e-3  # risks are kept in cents
        tight = max(tight, share)
    assert tight > 1.5


@pytest.mark.parametrize("change", [lambda g: g.rule()], ids=["rule"])
def test_gates_that_may_refuse_are_no_rules(change: Callable[[Any], Any]) -> None:
    """A sweep's kernels leave out what passes; only what cannot refuse may be left out."""
    for name in ("data_validity", "age_drift", "price_collar", "order_rate", "max_volume", "loss_stop", "prop_firm",
                 "open_risk", "exposure", "elimination"):  # fmt: skip
        kind = Manager().find("gates", name).load()
        assert change(kind(msgspec.convert({}, kind.Config), CONTEXT)) is None
    assert instant("2024-04-08") < instant("2024-04-10")
