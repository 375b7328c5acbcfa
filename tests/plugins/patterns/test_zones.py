"""OB and FVG: what their zones are and what becomes of them; the geometry of gaps against another library."""

from __future__ import annotations

import contextlib
import io
import pickle
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bitten.model.dtypes import NS_PER_MINUTE, Records
from bitten.pattern import Batch, KernelPattern, PatternContext
from bitten.testing import INSTRUMENT, random_bars
from bitten.testing.markets import bars_as_quotes
from bitten_plugins.patterns.fair_value_gap_fill import FairValueGapFill
from bitten_plugins.patterns.gaps import gap_side
from bitten_plugins.patterns.order_block_bounce import OrderBlockBounce
from tests.bar_files import XAUUSD, eurusd_h1, xauusd_m1_2026
from tests.plugins.patterns.naive_zones import FoundInZone, fvg, fvg_filling, ob
from tests.plugins.patterns.test_definitions import same, scan

NAIVE: dict[type[KernelPattern], Callable[..., Sequence[FoundInZone]]] = {OrderBlockBounce: ob, FairValueGapFill: fvg}
each = pytest.mark.parametrize("kind", NAIVE, ids=lambda kind: kind.__name__)


def evidence(kind: type[KernelPattern], rows: Records, name: str) -> Any:
    return rows["evidence"][:, kind.evidence.index(name)]


def same_zones(kind: type[KernelPattern], ours: Records, theirs: Sequence[FoundInZone], bars: Records) -> None:
    same(ours, theirs, bars)
    for name, attribute in (("zone_low", "low"), ("zone_high", "high"), ("touches", "touches")):
        assert evidence(kind, ours, name).tolist() == [getattr(found, attribute) for found in theirs], name
    for name, attribute in (("displacement", "displacement"), ("volume_ratio", "volume")):
        np.testing.assert_allclose(evidence(kind, ours, name), [getattr(found, attribute) for found in theirs], 1e-9)


@each
def test_zones_are_those_of_the_definition(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(11), 6000)
    same_zones(kind, scan(kind, bars, gap_bars=0), NAIVE[kind](bars, INSTRUMENT), bars)


@each
@pytest.mark.shared
def test_zones_are_those_of_the_definition_on_gold(kind: type[KernelPattern], shared_data: Path) -> None:
    bars = xauusd_m1_2026(shared_data)[:15_000]
    same_zones(kind, scan(kind, bars, "M1", XAUUSD, gap_bars=0), NAIVE[kind](bars, XAUUSD), bars)


@each
def test_every_signal_follows_from_the_bars_up_to_its_own(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(12), 2500, gaps=0.0)
    rows = scan(kind, bars)
    at = np.searchsorted(bars["known"], rows["time"])
    anchors = np.searchsorted(bars["time"], rows["anchor"])
    np.testing.assert_array_equal(bars["time"][anchors], rows["anchor"])
    np.testing.assert_array_equal(at - anchors, evidence(kind, rows, "age"))
    assert (at > anchors).all()
    for i in np.unique(at)[::6]:
        past = bars[: i + 1]
        theirs = [found for found in NAIVE[kind](past, INSTRUMENT) if found.bar == i]
        same_zones(kind, rows[at == i], theirs, bars)


def test_the_other_mode_of_fvg_trades_into_the_gap() -> None:
    bars = random_bars(np.random.default_rng(13), 6000)
    rows = scan(FairValueGapFill, bars, gap_bars=0, mode="fill")
    assert rows.size > 100
    same_zones(FairValueGapFill, rows, fvg_filling(bars, INSTRUMENT), bars)
    low, high = evidence(FairValueGapFill, rows, "zone_low"), evidence(FairValueGapFill, rows, "zone_high")
    sells = rows["side"] < 0  # above a bullish gap, down to its low
    assert (rows["reference"][sells] > high[sells]).all() and (rows["target"][sells] == low[sells]).all()
    assert (rows["reference"][~sells] < low[~sells]).all() and (rows["target"][~sells] == high[~sells]).all()


@each
def test_no_zone_gives_two_signals(kind: type[KernelPattern]) -> None:
    rows = scan(kind, random_bars(np.random.default_rng(14), 20_000))
    assert np.unique(rows[["side", "anchor"]]).size == rows.size > 100


@each
def test_zones_survive_a_gap_in_time(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(15), 20_000, gaps=0.02)
    rows = scan(kind, bars)
    gap = np.cumsum(np.diff(bars["time"], prepend=bars["time"][0]) > 30 * NS_PER_MINUTE)
    anchors, at = np.searchsorted(bars["time"], rows["anchor"]), np.searchsorted(bars["known"], rows["time"])
    assert (gap[anchors] < gap[at]).any()


def test_a_gap_in_time_leaves_no_fair_value_gap() -> None:
    bars = random_bars(np.random.default_rng(16), 40_000, gaps=0.05)
    gap = np.diff(bars["time"], prepend=bars["time"][0]) > 30 * NS_PER_MINUTE
    anchors = np.searchsorted(bars["time"], scan(FairValueGapFill, bars)["anchor"])
    assert anchors.size > 100 and not gap[anchors].any()
    anchors = np.searchsorted(bars["time"], scan(FairValueGapFill, bars, gap_bars=0)["anchor"])
    assert gap[anchors].any()


@pytest.mark.parametrize("most", [1, 2])
def test_the_oldest_order_block_makes_room(most: int) -> None:
    bars = random_bars(np.random.default_rng(17), 6000)
    rows = scan(OrderBlockBounce, bars, gap_bars=0, max_zones=most)
    same_zones(OrderBlockBounce, rows, ob(bars, INSTRUMENT, most), bars)
    assert 50 < rows.size < scan(OrderBlockBounce, bars, gap_bars=0).size


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (OrderBlockBounce, {"swing_bars": 1, "min_displacement": 0.3, "min_body": 0.1, "departure": 0.2}),
        (FairValueGapFill, {"mode": "fill"}),
    ],
)
def test_one_bar_may_serve_every_zone_that_waited(kind: type[KernelPattern], parameters: dict[str, Any]) -> None:
    """A bar that is fed alone brings more signals than a bar has room for: zones of earlier bars have theirs."""
    bars = random_bars(np.random.default_rng(3), 20_000)
    parameters |= {"min_reward": 0.0, "max_stop_atr": 100.0, "min_stop_atr": 0.0, "max_age": 2000}
    rows = scan(kind, bars, **parameters)
    times, counts = np.unique(rows["time"], return_counts=True)
    assert counts.max() > kind.signals_per_bar
    pattern = kind(msgspec.convert(parameters, kind.Config), PatternContext(INSTRUMENT, "M1", NS_PER_MINUTE))
    none = bars_as_quotes(bars[:0], "M1")
    cut = int(np.searchsorted(bars["known"], times[counts.argmax()]))
    restored = pickle.loads(_pickled_after(pattern, Batch({"M1": bars[:cut]}, none, 0)))
    alone = restored.scan(Batch({"M1": bars[cut : cut + 1]}, none, 0))
    np.testing.assert_array_equal(alone, rows[rows["time"] == bars["known"][cut]])


def _pickled_after(pattern: KernelPattern, batch: Batch) -> bytes:
    pattern.scan(batch)
    pattern._out = pattern._out[:0].copy()  # what a call returned is no state
    return pickle.dumps(pattern)


@each
def test_bars_without_volume_have_a_ratio_of_one(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(19), 5000)
    bars["ticks"] = 0
    rows = scan(kind, bars)
    assert rows.size > 0 and set(evidence(kind, rows, "volume_ratio")) == {1.0}


@pytest.mark.shared
def test_gaps_are_where_smartmoneyconcepts_sees_them_one_bar_later(shared_data: Path) -> None:
    """It labels the middle bar; the third bar, with which a gap is known, is the next."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from smartmoneyconcepts import smc
    import pandas as pd

    bars = eurusd_h1(shared_data)[:1502]
    columns = ("open", "high", "low", "close")
    frame = pd.DataFrame({name: bars[name].astype(np.float64) for name in columns})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = smc.fvg(frame)["FVG"].fillna(0).to_numpy()
    ours = [
        gap_side(a["high"], a["low"], b["open"], b["close"], c["high"], c["low"])
        for a, b, c in zip(bars[:-2], bars[1:-1], bars[2:], strict=True)
    ]
    assert len(ours) == 1500 and {-1, 0, 1} == set(ours)
    assert np.count_nonzero(np.array(ours) == labels[1:-1]) == 1500
