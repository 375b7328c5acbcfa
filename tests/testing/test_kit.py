"""The conformance kit catches every cheat, names the law, shows bars; and lets an honest pattern pass."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitten.errors import DataError, PluginError
from bitten.model.dtypes import Records
from bitten.pattern import Batch, Pattern
from bitten.testing import (
    LawBroken,
    Ruling,
    check_pattern,
    random_bars,
    random_markets,
    random_quotes,
    recorded_bars,
    recorded_quotes,
    try_pattern,
)
from bitten.testing.laws import LAWS
from bitten.testing.replay import Replay
from tests.cheats import CAUGHT_BY, CAUGHT_ON_TICKS, Honest, HonestTicks
from tests.cheats.future import NextBarPeek
from tests.cheats.present import SetOrder
from tests.cheats.state import Raises, Sluggish

ORDER = [law.name for law in LAWS]


@pytest.fixture(scope="module")
def bars() -> Records:
    return random_bars(np.random.default_rng(4), 900)


@pytest.fixture(scope="module")
def long_bars() -> Records:
    """Enough of them for the law of warm-up."""
    return random_bars(np.random.default_rng(4), 1700)


@pytest.mark.parametrize("cheat", CAUGHT_BY, ids=lambda cheat: cheat.__name__)
def test_a_cheat_is_caught_under_the_law_it_breaks(
    cheat: type[Pattern], bars: Records, long_bars: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    law = CAUGHT_BY[cheat]
    market = long_bars if law == "warm-up" else bars[:60] if cheat is Sluggish else bars
    # cheats that look ahead in a batch break the cutting law as well; asked for causality alone they must not escape
    with pytest.raises(LawBroken) as caught:
        check_pattern(cheat, market, only=[law], mirror=True, scale=True)
    assert str(caught.value).startswith(f"{cheat.__name__} breaks the law of {law}: ")


@pytest.mark.parametrize("cheat", CAUGHT_ON_TICKS, ids=lambda cheat: cheat.__name__)
def test_a_cheat_on_ticks_is_caught(cheat: type[Pattern]) -> None:
    law = CAUGHT_ON_TICKS[cheat]
    market = recorded_quotes("", cheat, random_quotes(np.random.default_rng(1), 3000))
    (ruling,) = try_pattern(cheat, [market], only=[law])
    assert (ruling.law, ruling.verdict) == (law, "broken")


def test_every_law_has_a_cheat_that_breaks_it() -> None:
    assert set(CAUGHT_BY.values()) == set(ORDER)


def test_an_honest_pattern_keeps_every_law(long_bars: Records) -> None:
    assert check_pattern(Honest, long_bars) == ORDER


def test_an_honest_pattern_of_ticks_is_mirrored_exactly() -> None:
    market = recorded_quotes("", HonestTicks, random_quotes(np.random.default_rng(2), 4000))
    said = {ruling.law: ruling for ruling in try_pattern(HonestTicks, [market])}
    assert list(said) == ORDER
    left_out = {"scale": "does not claim it", "warm-up": "this market has"}
    for law, ruling in said.items():
        assert ruling.verdict == ("not applicable" if law in left_out else "kept"), ruling
        assert left_out.get(law, "") in ruling.note


def test_random_markets_are_ticks_for_patterns_that_read_them() -> None:
    for kind, ticks in ((Honest, False), (HonestTicks, True)):
        markets = random_markets(kind, None, bars=400)
        assert [market.name for market in markets] == ["seed 1", "seed 2", "seed 3"]
        assert all((len(market.replay.quotes) == 4 * 400) != ticks for market in markets)
        assert all(market.replay.bars["M1"].size > 300 for market in markets)


def test_every_law_rules_where_a_pattern_breaks_some(bars: Records) -> None:
    market = recorded_bars("some bars", NextBarPeek, bars)
    said = {ruling.law: ruling for ruling in try_pattern(NextBarPeek, [market], processes=False)}
    assert list(said) == ORDER
    assert {law for law, ruling in said.items() if ruling.verdict == "broken"} >= {"causality", "batch-size invariance"}
    assert said["determinism"].verdict == said["pickling"].verdict == "kept"
    assert said["blind to hash order"] == Ruling("blind to hash order", "not applicable", "left out as you asked")
    assert "the bars before it" in said["causality"].example
    assert re.search(r"median .* p99 .* per symbol and closed bar \(limit 50 ms\), over 300 bars", said["latency"].note)


def test_a_pattern_that_raises_is_ruled_on_as_far_as_that_goes(bars: Records) -> None:
    said = {ruling.law: ruling for ruling in try_pattern(Raises, [recorded_bars("some bars", Raises, bars)])}
    assert said["valid signals"].verdict == "broken"
    assert "ZeroDivisionError: a bar without a range" in said["valid signals"].note
    assert said["causality"] == Ruling("causality", "not applicable", "it raises on this market, see valid signals")


def test_a_pattern_of_ticks_that_is_given_a_feed_of_bars_says_so(bars: Records) -> None:
    class Refuses(HonestTicks):
        def scan(self, batch: Batch) -> Records:
            if batch.source_ns:
                raise DataError("ticks are needed")
            return super().scan(batch)

    market = recorded_bars("bars", Refuses, bars)
    with pytest.raises(PluginError, match="Refuses refuses feeds of bars: ticks are needed"):
        try_pattern(Refuses, [market._replace(replay=replace(market.replay, source_ns=60 * 10**9))])


def test_the_mirror_changes_the_sides_of_quotes_and_keeps_bars_of_bids(bars: Records) -> None:
    quotes = random_quotes(np.random.default_rng(5), 200)
    replay = Replay({"M1": bars}, quotes)
    image = replay.mirrored(300_000)
    assert (image.quotes.bid == 300_000 - quotes.ask).all() and (image.quotes.ask == 300_000 - quotes.bid).all()
    assert (image.bars["M1"]["low"] == 300_000 - bars["high"]).all()
    assert (image.bars["M1"]["spread_sum"] == bars["spread_sum"]).all()
    again = image.mirrored(300_000)
    assert again.bars["M1"].tobytes() == bars.tobytes() and (again.quotes.bid == quotes.bid).all()


def test_claims_of_the_class_leave_laws_out(bars: Records) -> None:
    modest = type("Modest", (Honest,), {"symmetries": (), "memory": 0})
    said = {ruling.law: ruling for ruling in try_pattern(modest, [recorded_bars("", modest, bars)], processes=False)}
    assert '"mirror" is not among its symmetries' in said["mirror symmetry"].note
    assert "memory = 0" in said["warm-up"].note
    assert said["mirror symmetry"].verdict == said["scale"].verdict == said["warm-up"].verdict == "not applicable"


def test_optional_laws_can_be_left_out(long_bars: Records) -> None:
    kept = check_pattern(Honest, long_bars, mirror=False, scale=False, processes=False)
    assert kept == [law for law in ORDER if law not in ("mirror symmetry", "scale", "blind to hash order")]


def test_an_unknown_law_is_refused(bars: Records) -> None:
    with pytest.raises(ValueError, match=r'law "casuality" is unknown: did you mean "causality"\?'):
        check_pattern(Honest, bars, only=["casuality"])


def test_the_message_shows_both_signals_and_the_bars_before(bars: Records) -> None:
    with pytest.raises(LawBroken) as caught:
        check_pattern(NextBarPeek, bars)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("NextBarPeek breaks the law of batch-size invariance: signal ")
    assert lines[1].lstrip().startswith("cut at ") and lines[2].lstrip().startswith("fed in one piece: ")
    assert lines[3] == "  the bars before it:"
    assert lines[4].lstrip().startswith("2024-01-02 0") and "close" in lines[4]


def test_a_pattern_that_a_fresh_process_cannot_import_is_told_so(bars: Records) -> None:
    homeless = type("Homeless", (SetOrder,), {"__module__": "no_such_module"})
    sys.modules["no_such_module"] = sys.modules[__name__]
    setattr(sys.modules[__name__], "Homeless", homeless)  # noqa: B010  # only here, not in any file
    try:
        with pytest.raises(LawBroken, match=r"could not run in a fresh process.*no_such_module"):
            check_pattern(homeless, bars, only=["blind to hash order"])
    finally:
        del sys.modules["no_such_module"]


def test_random_bars_are_bars_and_repeat_with_their_seed() -> None:
    for timeframe, minutes in (("M1", 1), ("H1", 60)):
        bars = random_bars(np.random.default_rng(3), 2000, timeframe)
        assert bars.tobytes() == random_bars(np.random.default_rng(3), 2000, timeframe).tobytes()
        assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
        assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
        assert (bars["low"] > 0).all()
        steps = np.diff(bars["time"]) // (minutes * 60 * 10**9)
        assert steps.min() == 1 and steps.max() > 3  # there are gaps
        assert (bars["known"] >= bars["time"] + minutes * 60 * 10**9).all()
        stated = bars["quotes"] > 0
        mean = bars["spread_sum"][stated] / bars["quotes"][stated]
        assert 0 < stated.sum() < bars.size
        assert (bars["spread_min"][stated] <= mean).all() and (mean <= bars["spread_max"][stated]).all()


def test_the_kit_needs_neither_pytest_nor_hypothesis() -> None:
    code = "import sys, bitten.testing; assert not {'pytest', 'hypothesis', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_kit_is_a_pytest_plugin(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["bitten.testing"]')
    (tmp_path / "test_it.py").write_text("def test_it(market_rng): assert market_rng.random() < 1")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path], capture_output=True, text=True
    )
    assert "1 passed" in done.stdout
