"""Every bundled pattern against its definition, written out naively; the common rules one by one."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bitten.model.dtypes import BUY, NS_PER_MINUTE, Records
from bitten.model.instrument import Instrument
from bitten.model.timeframe import timeframe_ns
from bitten.pattern import KernelPattern, PatternContext
from bitten.testing import INSTRUMENT, random_bars
from bitten.testing.markets import bars_as_quotes
from bitten.testing.trial import Replay, run
from bitten_plugins.patterns.bb_scalp import BbScalp
from bitten_plugins.patterns.fair_value_gap_fill import FairValueGapFill
from bitten_plugins.patterns.kalman_quickfire import KalmanQuickfire
from bitten_plugins.patterns.order_block_bounce import OrderBlockBounce
from tests.bar_files import EURUSD, XAUUSD, eurusd_h1, xauusd_m1_2026
from tests.plugins.patterns import naive, naive_zones

Found = naive.Found | naive_zones.FoundInZone
NAIVE: dict[type[KernelPattern], Callable[[Records, Instrument], Sequence[Found]]] = {
    KalmanQuickfire: naive.kal,
    BbScalp: naive.bb,
    OrderBlockBounce: naive_zones.ob,
    FairValueGapFill: naive_zones.fvg,
}
WEIGHTS: dict[type[KernelPattern], list[float]] = {  # of the factors, in the order of the evidence
    KalmanQuickfire: [0.35, 0.25, 0.20, 0.20],
    BbScalp: [0.30, 0.30, 0.20, 0.20],
    OrderBlockBounce: [0.30, 0.20, 0.25, 0.10, 0.15],
    FairValueGapFill: [0.30, 0.25, 0.20, 0.10, 0.15],
}
LIVES: dict[type[KernelPattern], tuple[int, int]] = {  # bars until an order expires and a position ends
    KalmanQuickfire: (2, 20),
    BbScalp: (2, 20),
    OrderBlockBounce: (3, 60),
    FairValueGapFill: (3, 45),
}
every = pytest.mark.parametrize("kind", NAIVE, ids=lambda kind: kind.__name__)


def scan(
    kind: type[KernelPattern],
    bars: Records,
    timeframe: str = "M1",
    instrument: Instrument = INSTRUMENT,
    **parameters: Any,
) -> Records:
    """All signals of a pattern over bars."""
    context = PatternContext(instrument, timeframe, timeframe_ns(timeframe))
    config = msgspec.convert(parameters, kind.Config)
    replay = Replay({timeframe: bars}, bars_as_quotes(bars[:0], timeframe))
    return run(kind(config, context), replay, [int(bars["known"][-1])])


def agree(kind: type[KernelPattern], bars: Records, timeframe: str, instrument: Instrument) -> None:
    ours = scan(kind, bars, timeframe, instrument, gap_bars=0)
    theirs = NAIVE[kind](bars, instrument)
    assert len(theirs) > 10
    same(ours, theirs, bars)


def same(ours: Records, theirs: Sequence[Found], bars: Records) -> None:
    """Signals are those that were found naively, their levels rounded to points."""
    assert ours["time"].tolist() == [bars["known"][found.bar] for found in theirs]
    assert ours["anchor"].tolist() == [bars["time"][found.anchor] for found in theirs]
    assert ours["side"].tolist() == [found.side for found in theirs]
    for row, found in zip(ours, theirs, strict=True):
        assert abs(row["confidence"] - found.confidence) <= 0.0501
        # stops are rounded away from the entry, targets towards it
        assert -1e-6 <= found.side * (found.stop - row["stop"]) < 1 + 1e-6
        assert -1e-6 <= found.side * (found.target - row["target"]) < 1 + 1e-6


@every
@pytest.mark.parametrize("seed", range(4))
def test_signals_are_those_of_the_definition_on_random_bars(kind: type[KernelPattern], seed: int) -> None:
    agree(kind, random_bars(np.random.default_rng(seed), 4000), "M1", INSTRUMENT)


@every
@pytest.mark.shared
def test_signals_are_those_of_the_definition_on_real_bars(kind: type[KernelPattern], shared_data: Any) -> None:
    agree(kind, eurusd_h1(shared_data), "H1", EURUSD)
    agree(kind, xauusd_m1_2026(shared_data)[:15_000], "M1", XAUUSD)


@every
def test_the_first_signal_waits_for_bar_179(kind: type[KernelPattern]) -> None:
    first = []
    for seed in range(30):
        bars = random_bars(np.random.default_rng(seed), 260, gaps=0.0)
        known = bars["known"]
        first += np.searchsorted(known, scan(kind, bars)["time"]).tolist()
        later = scan(kind, bars, warm_up=220)
        assert (np.searchsorted(known, later["time"]) >= 220).all()
    assert min(first) >= 179
    early = [
        np.searchsorted(bars["known"], scan(kind, bars, warm_up=0)["time"]).min(initial=999)
        for bars in (random_bars(np.random.default_rng(seed), 260, gaps=0.0) for seed in range(30))
    ]
    assert 27 <= min(early) < 179  # the ADX is defined from bar 27 on


@every
def test_levels_lie_on_their_sides_and_the_gate_holds(kind: type[KernelPattern]) -> None:
    rows = scan(kind, random_bars(np.random.default_rng(2), 20_000))
    risk = rows["side"] * (rows["reference"] - rows["stop"])
    reward = rows["side"] * (rows["target"] - rows["reference"])
    spread = rows["evidence"][:, kind.evidence.index("spread")]
    assert rows.size > 100
    assert (risk >= 3 * spread).all() and (risk >= 0.4 * rows["atr"]).all() and (risk < 3 * rows["atr"] + 1).all()
    assert ((reward + 1 - spread) / (risk - 1 + spread) >= 0.8).all()  # a point of rounding on either side
    assert ((rows["confidence"] >= 0) & (rows["confidence"] <= 100)).all()
    np.testing.assert_array_equal(rows["confidence"], np.round(rows["confidence"], 1))


@every
def test_the_confidence_is_the_weighted_sum_of_its_factors(kind: type[KernelPattern]) -> None:
    rows = scan(kind, random_bars(np.random.default_rng(2), 20_000))
    factors = rows["evidence"][:, [i for i, name in enumerate(kind.evidence) if name.endswith("_factor")]]
    assert (factors >= 0).all() and (factors <= 1).all()
    assert math.isclose(sum(WEIGHTS[kind]), 1.0)
    np.testing.assert_allclose(rows["confidence"], 100 * factors @ WEIGHTS[kind], atol=0.0501)


@every
def test_nearer_stops_than_the_broker_takes_are_not_proposed(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(2), 20_000)
    free = scan(kind, bars)
    strict = scan(kind, bars, instrument=replace(INSTRUMENT, stops_level=60))
    risk = strict["side"] * (strict["reference"] - strict["stop"])
    reward = strict["side"] * (strict["target"] - strict["reference"])
    assert 0 < strict.size < free.size
    assert risk.min() >= 60 and reward.min() >= 60


@every
def test_bars_without_a_spread_use_the_default(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(2), 20_000)
    bars["quotes"] = 0
    rows = scan(kind, bars, instrument=replace(INSTRUMENT, default_spread=5))
    assert rows.size > 0 and set(rows["evidence"][:, kind.evidence.index("spread")]) == {5.0}
    bars["quotes"], bars["spread_sum"] = 7, 0
    np.testing.assert_array_equal(scan(kind, bars, instrument=replace(INSTRUMENT, default_spread=5)), rows)


@every
def test_orders_expire_and_positions_end_after_so_many_bars(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(2), 5000)
    rows = scan(kind, bars)
    ends = bars["time"][np.searchsorted(bars["known"], rows["time"])] + NS_PER_MINUTE
    expiry, time_stop = LIVES[kind]
    np.testing.assert_array_equal(rows["expiry"], ends + expiry * NS_PER_MINUTE)
    assert set(rows["time_stop_bars"]) == {time_stop}
    other = scan(kind, bars, expiry=0, time_stop=7)
    assert set(other["expiry"]) == {0} and set(other["time_stop_bars"]) == {7}


@every
def test_no_signal_comes_on_the_bar_after_a_gap(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(6), 60_000, gaps=0.05)
    at = np.searchsorted(bars["known"], scan(kind, bars)["time"])
    gap = np.diff(bars["time"], prepend=bars["time"][0]) > 30 * NS_PER_MINUTE
    assert at.size > 100 and not gap[at].any()
    ungapped = np.searchsorted(bars["known"], scan(kind, bars, gap_bars=0)["time"])
    assert gap[ungapped].any()  # with the rule switched off they do come


def test_kernels_run_as_plain_python_say_the_same(repository: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from bitten.testing import random_bars\n"
        "from tests.plugins.patterns.test_definitions import NAIVE, scan\n"
        "bars = random_bars(np.random.default_rng(1), 3000)\n"
        "sys.stdout.buffer.write(b''.join(scan(kind, bars).tobytes() for kind in NAIVE))\n"
    )
    environment = {**os.environ, "BITTEN_NOJIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, env=environment, capture_output=True, check=True
    )
    bars = random_bars(np.random.default_rng(1), 3000)
    assert done.stdout == b"".join(scan(kind, bars).tobytes() for kind in NAIVE)
    assert len(done.stdout) > 1000


def test_a_gap_disarms_kal() -> None:
    bars = random_bars(np.random.default_rng(6), 60_000, gaps=0.05)
    rows = scan(KalmanQuickfire, bars)
    gap = np.diff(bars["time"], prepend=bars["time"][0]) > 30 * NS_PER_MINUTE
    anchor, fired = (np.searchsorted(bars["time"], rows["anchor"]), np.searchsorted(bars["known"], rows["time"]))
    assert all(not gap[a + 1 : f + 1].any() for a, f in zip(anchor, fired, strict=True))
    assert set((fired - anchor).tolist()) == {1, 2, 3}


def test_kal_starts_again_after_a_market_that_never_moved() -> None:
    bars = random_bars(np.random.default_rng(3), 8000, gaps=0.0)
    for name in ("open", "high", "low", "close"):
        bars[name][:3000] = bars["open"][3000]
    rows = scan(KalmanQuickfire, bars)
    assert rows.size > 10 and rows["time"].min() > bars["known"][3000]


@every
def test_prices_below_zero_are_prices(kind: type[KernelPattern]) -> None:
    bars = random_bars(np.random.default_rng(2), 5000)
    lower = bars.copy()
    for name in ("open", "high", "low", "close"):
        lower[name] -= 110_000
    rows, shifted = scan(kind, bars), scan(kind, lower)
    assert rows.size > 0
    prices = [kind.evidence.index(name) for name in kind.evidence_prices]
    shifted["evidence"][:, prices] += 110_000
    for name in ("reference", "stop", "target"):
        shifted[name] += 110_000
    np.testing.assert_array_equal(rows, shifted)


@every
@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"max_stop_atr": 0.3}, r"max_stop_atr was 0\.3, must be above min_stop_atr \(0\.4\)"),
        ({"warm_up": -1}, "warm_up"),
        ({"atr_peroid": 14}, "atr_peroid"),
    ],
)
def test_nonsense_in_the_configuration_is_refused(
    kind: type[KernelPattern], parameters: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.convert(parameters, kind.Config)


def test_crossed_bounds_of_each_pattern_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="full_z was 2, must be above arm_z"):
        msgspec.convert({"full_z": 2.0}, KalmanQuickfire.Config)
    with pytest.raises(msgspec.ValidationError, match=r"max_rank was 0\.1, must be above min_rank"):
        msgspec.convert({"max_rank": 0.1}, BbScalp.Config)
    with pytest.raises(msgspec.ValidationError, match="structure_age was 5, must be above swing_bars"):
        msgspec.convert({"swing_bars": 5, "structure_age": 5}, OrderBlockBounce.Config)
    with pytest.raises(msgspec.ValidationError, match="max_target was 1, must be at least min_target"):
        msgspec.convert({"max_target": 1.0}, FairValueGapFill.Config)


@every
def test_every_parameter_is_described(kind: type[KernelPattern]) -> None:
    schema = msgspec.json.schema(kind.Config)["$defs"][kind.Config.__name__]["properties"]
    assert len(schema) > 15
    for name, facts in schema.items():
        assert facts["description"], name
        if "enum" in facts:
            continue
        assert {"minimum", "exclusiveMinimum"} & facts.keys() and {"maximum", "exclusiveMaximum"} & facts.keys(), name


def test_stop_and_target_round_away_and_towards() -> None:
    rows = scan(KalmanQuickfire, random_bars(np.random.default_rng(9), 20_000))
    risk = rows["side"] * (rows["reference"] - rows["stop"])
    least = np.ceil(rows["atr"])
    assert (risk >= least).all() and (risk == least).any()  # the stop lies one ATR away, rounded up, or farther
    assert math.isclose(float((rows["side"] == BUY).mean()), 0.5, abs_tol=0.2)
