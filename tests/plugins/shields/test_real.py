"""CITADEL on real quotes: the payroll minute of gold, and how scores are distributed on a month of EURUSD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitten.backtesting import make_feed
from bitten.bars import BarLadder
from bitten.commands.data_import import import_
from bitten.config import read_config
from bitten.gate import Score
from bitten.instants import instant
from bitten.market import Market, MarketView
from bitten_plugins.shields import factors
from bitten_plugins.shields.citadel import Weights
from tests.plugins.shields.made import shield, signal
from tests.replay import replay, rows

pytestmark = pytest.mark.shared

PATTERNS = [{"use": name, "timeframe": "M1"} for name in ("kalman_quickfire", "bb_scalp")]


def import_files(shared: Path, store: Path, files: list[str], options: list[str]) -> None:
    import_.main([*(str(shared / name) for name in files), "--store", str(store), *options], standalone_mode=False)


@pytest.fixture(scope="module")
def payroll(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Score]:
    """Scores of made-up signals around the payroll of 2014-05-02 12:30 UTC, by time and side: gold, every tick."""
    store = tmp_path_factory.mktemp("gold") / "store"
    import_files(shared_data, store, ["lean/oanda/tick/xauusd"], [])
    feed = {"use": "parquet", "store": str(store), "symbols": ["XAUUSD"], "to": "2014-05-03"}
    config, _ = read_config({"feed": feed})
    facts = config.instruments["XAUUSD"]
    citadel, market = shield("citadel", config.instruments), Market(config.instruments, {})
    ladder, scores = BarLadder(["M1"]), {}
    times = ("10:00:30", "12:20:30", "12:30:01", "12:30:10", "12:30:30", "12:30:59", "12:31:00.5", "12:31:30")
    for piece in make_feed(config)[0].slices():
        quotes = piece.quotes["XAUUSD"]
        citadel.observe("XAUUSD", quotes, ladder.update(quotes))
        market.begin(piece)
        for time in times:
            now = instant(f"2014-05-02T{time}")
            if not quotes.ts[0] <= now <= quotes.ts[-1]:
                continue
            view = MarketView(market, now)
            bid = view.quote("XAUUSD").bid  # type: ignore[union-attr]
            for side in (1, -1):
                of = signal(
                    side, now, instrument=facts, reference_points=bid, stop_points=bid - side * 2_000,
                    target_points=bid + side * 4_000,
                )  # fmt: skip
                scores[time, side] = citadel.score(of, view)
    assert len(scores) == 2 * len(times)
    return scores


def test_the_payroll_minute_scores_four_or_less(payroll: dict[tuple[str, int], Score]) -> None:
    """Without a calendar: the spread and the range of the minute are enough."""
    for (time, _), score in payroll.items():
        if time.startswith(("12:30", "12:31")):
            assert score.score <= 4.0
    after = payroll["12:31:00.5", 1].evidence
    assert after["range_atr"] > 4.0 and after["f_volatility"] == 0.0
    assert max(score.evidence["spread_ratio"] for score in payroll.values()) > 4.0


def test_an_ordinary_hour_does_not(payroll: dict[tuple[str, int], Score]) -> None:
    calm = payroll["12:20:30", 1].evidence
    assert calm["spread_ratio"] < 1.5 and calm["f_volatility"] == 1.0 and calm["session"] == 8


@pytest.fixture(scope="module")
def month(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Scores of both patterns on EURUSD M1 of June 2018."""
    store = tmp_path_factory.mktemp("euro") / "store"
    import_files(shared_data, store, ["mt5_export/EURUSD_M1_201806_lowercase_header.csv.gz"], ["--clock", "NY+7"])
    source = {
        "feed": {"use": "parquet", "store": str(store), "symbols": ["EURUSD"], "bars": "M1"},
        "patterns": PATTERNS,
        "gates": [{"use": "citadel"}, {"use": "fixed_lots", "lots": 0.1}],
    }
    tables, _ = replay(make_feed(read_config(source)[0])[0].slices(), source)
    return rows(tables, "scores")


def test_quantiles_on_a_month_of_euros(month: list[dict[str, Any]]) -> None:
    scores = np.array([row["score"] for row in month])
    assert scores.size > 500
    quantiles = np.quantile(scores, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert quantiles == pytest.approx([4.0, 6.8, 8.0, 8.5, 9.6], abs=0.3)
    counts = np.bincount(np.floor(scores + 0.5).astype(int), minlength=11)
    assert (counts[2:] > 0).all()
    assert np.mean([row["veto"] is not None for row in month]) < 0.05


def test_a_score_can_be_worked_out_again_from_its_evidence(month: list[dict[str, Any]]) -> None:
    weights = {name: getattr(Weights(), name) for name in factors.NAMES}
    for row in month:
        evidence = json.loads(row["evidence"])
        marks = {name: evidence[f"f_{name}"] for name in factors.NAMES if f"f_{name}" in evidence}
        assert row["score"] == pytest.approx(factors.protection(marks, weights))
        assert set(marks) == set(factors.NAMES) - {"news"}
