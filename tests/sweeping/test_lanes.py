"""What kernels make of a combination is what the pipeline makes of it: trades to the point and the nanosecond, equity,
and every figure, whatever the gates, exits, currencies and assumptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.analysis.columns import floats, nanoseconds, unpack_trades
from bitten.backtesting import build_pipeline
from bitten.config import read_config
from bitten.feed import Feed, FeedFacts
from bitten.manager import Manager
from bitten.model.quotes import Slice
from bitten.sweeping import engine
from bitten.sweeping.engine import run_batch
from bitten.sweeping.lane import LaneRun, rules_of
from tests.markets import cut
from tests.replay import replay, synthetic_slices
from tests.replay import settings as made

MANAGER = Manager()
EXITS = [
    {}, {"trail_atr": 1.5, "breakeven_r": 0.7}, {"time_stop_bars": 5}, {"trail_points": 40},
    {"time_stop_minutes": 7.5, "expiry_minutes": 0}, {"expiry_minutes": 0.2},
]  # fmt: skip
FILTERS = [
    [{"use": "band", "low": 20.0}], [{"use": "band", "high": 40.0}], [{"use": "spread", "atr": 0.3}],
    [{"use": "spread", "points": 12}], [{"use": "slots"}], [{"use": "one_per_symbol", "most": 2}],
    [{"use": "one_per_symbol"}], [],
]  # fmt: skip
SIZES = [{"use": "risk"}, {"use": "risk", "percent": 2.0}, {"use": "fixed_lots", "lots": 0.37}]
ACCOUNTS = [{}, {"slots": 2}, {"currency": "EUR", "balance": 2_500.0}, {"currency": "JPY", "balance": 1e6, "slots": 3}]


@st.composite
def configurations(draw: Callable[[Any], Any]) -> dict[str, Any]:
    """Strategies over the same two synthetic days."""
    one = st.sampled_from
    patterns = [
        {"use": "kalman_quickfire", "timeframes": ["M1", "M5"], "exit": draw(one(EXITS))},
        {"use": "bb_scalp", "timeframe": draw(one(["M1", "M5"])), "exit": draw(one(EXITS)), "params": {"warm_up": 60}},
    ]
    gates = [*draw(one(FILTERS)), *draw(one(FILTERS)), draw(one(SIZES))]
    return made(
        draw(one([("EURUSD", "XAUUSD", "USDJPY"), ("EURUSD",), ("XAUUSD", "USDJPY")])),
        patterns=patterns,
        gates=[{**gate, "name": f"gate{i}"} for i, gate in enumerate(gates)],
        accounts=[draw(one(ACCOUNTS))],
        rates={"USDJPY": 150.0, "EURUSD": 1.1},
        executor={
            "use": "simulated",
            "latency_ms": draw(one([0, 350.0, 45_000.0])),
            "slippage_points": draw(one([0, 2])),
            "target_fill": draw(one(["level", "quote"])),
        },
        run={"equity_minutes": draw(one([7, 60]))},
        costs={"commission_per_lot": draw(one([0.0, 3.5]))},
    )


class Given(Feed):
    """A feed of slices that are there already."""

    pieces: list[Slice]

    def __init__(self, pieces: list[Slice]) -> None:
        self.pieces = pieces

    def facts(self) -> FeedFacts:
        return FeedFacts(None, True, {}, [])

    def slices(self) -> Any:
        return iter(self.pieces)


def led(source: dict[str, Any], pieces: list[Slice]) -> LaneRun:
    """The lane of a configuration after these slices."""
    config, _ = read_config(source, MANAGER)
    pipeline, _ = build_pipeline(config, MANAGER)
    rules = rules_of(config, pipeline)
    assert rules is not None  # else the pipeline would be held against itself
    batch = engine._Batch([(config, pipeline, rules)])
    kept, engine.make_feed = engine.make_feed, lambda *_: (Given(pieces), Given(pieces).facts())
    try:
        batch.run(None, lambda share: None)
    finally:
        engine.make_feed = kept
    return batch._lanes[0]


@given(source=configurations(), seed=st.integers(0, 2**32 - 1), cuts=st.sampled_from([0, 3, 60]))
@settings(max_examples=60)
def test_a_lane_does_what_the_pipeline_does(source: dict[str, Any], seed: int, cuts: int) -> None:
    pieces = list(synthetic_slices(tuple(source["feed"]["symbols"])))
    tables, _ = replay(pieces, source)
    lane = led(source, cut(pieces, np.random.default_rng(seed), cuts) if cuts else pieces)
    theirs, ours = unpack_trades(tables["trades"]), lane.trades()
    order = np.argsort(theirs.closed, kind="stable")
    for name in ("opened", "closed", "gross", "commission", "profit", "r", "open_at_end"):
        assert np.array_equal(getattr(theirs, name)[order], getattr(ours, name), equal_nan=name == "r"), name
    times, balance, equity = (np.concatenate(columns) for columns in zip(*lane._equity, strict=True))
    assert times.tolist() == nanoseconds(tables["equity"], "time").tolist()
    assert balance.tolist() == floats(tables["equity"], "balance").tolist()
    assert equity.tolist() == floats(tables["equity"], "equity").tolist()


def test_combinations_share_scans_and_keep_apart() -> None:
    """Together or alone, in whatever company: the same figures."""
    sources = [
        made(("EURUSD", "XAUUSD"), accounts=[{}],
             gates=[{"use": "one_per_symbol"}, {"use": "fixed_lots", "lots": lots}],
             patterns=[{"use": "bb_scalp", "params": {"warm_up": 60, "period": period, "max_adx": 60.0}}])
        for period in (10, 20) for lots in (0.1, 0.2)
    ]  # fmt: skip
    configs = [read_config(source, MANAGER)[0] for source in sources]
    together = run_batch(configs, MANAGER)
    assert together == [run_batch([config], MANAGER)[0] for config in configs]
    assert together[0]["trades"] > 5
    assert [one["trades"] for one in together] == [together[0]["trades"]] * 2 + [together[2]["trades"]] * 2
    assert together[1]["net"] != together[0]["net"]
