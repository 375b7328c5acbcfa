"""KAL and SWP on ticks: their definitions written out naively, the laws, and what they say on a feed of bars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bitten.bars import BarLadder
from bitten.detectors import Detector
from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND, Records
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten.parameters import parameters
from bitten.pattern import Batch, PatternContext
from bitten.sections import ExitSection
from bitten.testing import INSTRUMENT, check_pattern, random_quotes
from bitten_plugins.patterns.kalman_quickfire_ticks import KalmanQuickfireTicks
from bitten_plugins.patterns.liquidity_sweep_reversal_ticks import LiquiditySweepReversalTicks
from bitten_plugins.patterns.ticks import TickPattern
from tests.bar_files import EURUSD
from tests.plugins.patterns import naive_ticks
from tests.plugins.patterns.naive_ticks import Gate, Tick
from tests.tick_files import GOLD, euro_with_crossed_quotes, gold_of_payrolls

NAIVE: dict[type[TickPattern], Callable[[Records, Quotes, Instrument, Gate], list[Tick]]] = {
    KalmanQuickfireTicks: naive_ticks.kal,
    LiquiditySweepReversalTicks: naive_ticks.swp,
}
WEIGHTS = {
    KalmanQuickfireTicks: [0.35, 0.25, 0.20, 0.20],
    LiquiditySweepReversalTicks: [0.25, 0.20, 0.25, 0.15, 0.15],
}
FREE = Gate(min_reward=0.0, min_stop_spreads=0.0)  # spreads are wide for moves of seconds: else little is left
both = pytest.mark.parametrize("kind", NAIVE, ids=lambda kind: kind.__name__)


def ticks(seed: int, count: int = 40_000, **market: Any) -> Quotes:
    """A market of seven hours in which some quotes are crossed, and some have no spread."""
    rng = np.random.default_rng(seed)
    quotes = random_quotes(rng, count, **{"spread": 3, **market})
    crossed = rng.random(count) < 0.05
    return Quotes(quotes.symbol, quotes.ts, quotes.bid, np.where(crossed, quotes.bid - 2, quotes.ask))


def minutes(quotes: Quotes) -> Records:
    return BarLadder(["M1"]).update(quotes)["M1"]


def scan(
    kind: type[TickPattern],
    quotes: Quotes,
    instrument: Instrument = INSTRUMENT,
    bars: Records | None = None,
    **parameters: Any,
) -> Records:
    """All signals over quotes and the bars that they make."""
    context = PatternContext(instrument, "M1", NS_PER_MINUTE)
    batch = Batch({"M1": minutes(quotes) if bars is None else bars}, quotes, int(quotes.ts[-1]))
    return kind(msgspec.convert(parameters, kind.Config), context).scan(batch)


def agree(kind: type[TickPattern], quotes: Quotes, instrument: Instrument, gate: Gate) -> int:
    ours = scan(kind, quotes, instrument, gap_bars=0, **gate._asdict())
    theirs = NAIVE[kind](minutes(quotes), quotes, instrument, gate)
    for name in ("time", "anchor", "side"):
        assert ours[name].tolist() == [getattr(found, name) for found in theirs], name
    for row, found in zip(ours, theirs, strict=True):
        assert abs(row["confidence"] - found.confidence) <= 0.0501
        assert -1e-6 <= found.side * (found.stop - row["stop"]) < 1 + 1e-6
        assert -1e-6 <= found.side * (found.target - row["target"]) < 1 + 1e-6
    return len(theirs)


@both
@pytest.mark.parametrize("seed", range(3))
def test_signals_are_those_of_the_definition_on_random_ticks(kind: type[TickPattern], seed: int) -> None:
    assert agree(kind, ticks(seed), INSTRUMENT, Gate()) >= 1
    assert agree(kind, ticks(seed), INSTRUMENT, FREE) >= 10


@both
@pytest.mark.shared
def test_signals_are_those_of_the_definition_on_real_ticks(kind: type[TickPattern], shared_data: Path) -> None:
    assert agree(kind, gold_of_payrolls(shared_data), GOLD, FREE) >= 15
    assert agree(kind, euro_with_crossed_quotes(shared_data), EURUSD, Gate()) >= 10


@both
@pytest.mark.parametrize("pause_ms", [700, 3000])
def test_laws_hold_on_random_ticks(kind: type[TickPattern], pause_ms: int) -> None:
    quotes = ticks(7, 20_000, pause_ms=pause_ms)
    check_pattern(kind, minutes(quotes), FREE._asdict(), quotes=quotes, mirror=False)  # the mirror is looked at below


@both
@pytest.mark.shared
def test_laws_hold_on_gold(kind: type[TickPattern], shared_data: Path) -> None:
    whole = gold_of_payrolls(shared_data)
    some = slice(40_000, 110_000)
    quotes = Quotes(whole.symbol, whole.ts[some], whole.bid[some], whole.ask[some])
    options: dict[str, Any] = {"instrument": GOLD, "quotes": quotes, "mirror": False, "processes": False}
    check_pattern(kind, minutes(quotes), FREE._asdict(), **options)


@both
@pytest.mark.parametrize("seed", range(3))
def test_with_bid_and_ask_in_each_others_place_buys_are_sells_to_the_point(kind: type[TickPattern], seed: int) -> None:
    quotes, middle = ticks(seed), 220_000
    bars = minutes(quotes)
    image = bars.copy()
    for name, other in (("open", "open"), ("close", "close"), ("low", "high"), ("high", "low")):
        image[name] = middle - bars[other]
    turned = Quotes(quotes.symbol, quotes.ts, middle - quotes.ask, middle - quotes.bid)
    plain = scan(kind, quotes, bars=bars, **FREE._asdict())
    mirror = scan(kind, turned, bars=image, **FREE._asdict()).copy()
    assert plain.size >= 10 and set(plain["side"]) == {-1, 1}
    mirror["side"] *= -1
    for name in ("reference", "stop", "target"):
        mirror[name] = middle - mirror[name]
    mirror["evidence"][:, [0, 1]] = middle - mirror["evidence"][:, [1, 0]]  # the ends of the zone change places
    np.testing.assert_array_equal(mirror, plain)


@both
def test_a_feed_of_bars_is_refused_with_the_pattern_to_use_instead(kind: type[TickPattern]) -> None:
    quotes = ticks(1, 100)
    context = PatternContext(INSTRUMENT, "M1", NS_PER_MINUTE)
    pattern = kind(kind.Config(), context)
    with pytest.raises(DataError) as refused:
        pattern.scan(Batch({"M1": minutes(quotes)}, quotes, int(quotes.ts[-1]), NS_PER_MINUTE))
    assert str(refused.value) == (
        f"{kind.name} reads ticks, but the feed replays M1 bars of EURUSD: "
        f'use the pattern "{kind.name.removesuffix("_ticks")}", or a store of ticks'
    )
    detector = Detector(kind.name, 0, pattern, INSTRUMENT, "M1", ExitSection())
    with pytest.raises(DataError, match="reads ticks"):  # a run is not to go on without it
        detector.scan({"M1": minutes(quotes)}, quotes, int(quotes.ts[-1]), NS_PER_MINUTE)


@both
def test_signals_wait_for_the_warm_up_and_none_comes_soon_after_a_gap(kind: type[TickPattern]) -> None:
    quotes = ticks(4, 60_000)
    ts = quotes.ts + np.where(np.arange(quotes.ts.size) >= 30_000, 120 * NS_PER_MINUTE, 0)
    quotes = Quotes(quotes.symbol, ts, quotes.bid, quotes.ask)
    bars = minutes(quotes)
    rows = scan(kind, quotes, warm_up=60, **FREE._asdict())
    assert rows.size > 20 and rows["time"].min() >= bars["known"][60]
    reopened = ts[30_000]
    late = rows["time"] >= reopened
    assert 0 < late.sum() < rows.size
    # the bar after the gap and the one after it must have closed, and nothing reaches across
    first = bars[bars["time"] + NS_PER_MINUTE > reopened]
    assert rows["time"][late].min() >= first["known"][1]
    assert rows["anchor"][late].min() >= reopened


@both
def test_evidence_levels_and_expiry_of_every_signal(kind: type[TickPattern]) -> None:
    quotes = ticks(2, 80_000)
    rows = scan(kind, quotes)
    factors = rows["evidence"][:, [i for i, name in enumerate(kind.evidence) if name.endswith("_factor")]]
    assert rows.size >= 5 and (factors >= 0).all() and (factors <= 1).all()
    np.testing.assert_allclose(rows["confidence"], 100 * factors @ WEIGHTS[kind], atol=0.0501)
    seconds = {KalmanQuickfireTicks: 30, LiquiditySweepReversalTicks: 120}[kind]
    np.testing.assert_array_equal(rows["expiry"] - rows["time"], seconds * NS_PER_SECOND)
    assert set(scan(kind, quotes, expiry_seconds=0)["expiry"]) == {0}
    assert np.isin(rows["time"], quotes.ts).all()
    spread = rows["evidence"][:, kind.evidence.index("spread")]
    risk = rows["side"] * (rows["reference"] - rows["stop"])
    reward = rows["side"] * (rows["target"] - rows["reference"])
    assert (risk >= 3 * spread).all() and (risk < 3 * rows["atr"] + 1).all()
    assert ((reward + 1 - spread) / (risk - 1 + spread) >= 0.8).all()
    lasted = rows["evidence"][:, kind.evidence.index("seconds")]
    assert (lasted >= 2).all() and (lasted <= {KalmanQuickfireTicks: 15, LiquiditySweepReversalTicks: 120}[kind]).all()


def test_crossed_quotes_count_nowhere_in_a_sweep() -> None:
    quotes = ticks(3)
    crossed = quotes.bid > quotes.ask
    wild = np.random.default_rng(1).integers(0, 300_000, quotes.ts.size)
    other = Quotes(
        quotes.symbol, quotes.ts, np.where(crossed, wild, quotes.bid), np.where(crossed, wild - 5, quotes.ask)
    )
    kind, bars = LiquiditySweepReversalTicks, minutes(quotes)
    rows = scan(kind, quotes, bars=bars, **FREE._asdict())
    assert rows.size >= 10 and crossed.sum() > 1000
    np.testing.assert_array_equal(scan(kind, other, bars=bars, **FREE._asdict()), rows)


def test_a_sweep_must_hold_for_so_many_quotes_and_so_long() -> None:
    quotes = ticks(3, 80_000)
    kind = LiquiditySweepReversalTicks
    sizes = [
        scan(kind, quotes, **given, **FREE._asdict()).size
        for given in ({}, {"back_quotes": 20}, {"back_seconds": 30.0}, {"hold_seconds": 10.0})
    ]
    assert all(0 < size < sizes[0] for size in sizes[1:]), sizes


@both
def test_every_parameter_is_described_and_bounded(kind: type[TickPattern]) -> None:
    for parameter in parameters(kind.Config):
        assert parameter.description, parameter.name
        assert parameter.allowed or parameter.type == "true or false", parameter.name
