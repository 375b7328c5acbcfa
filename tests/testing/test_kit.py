"""The conformance kit catches every cheat, names the law, shows bars; and lets an honest pattern pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bitten.model.dtypes import Records
from bitten.pattern import Pattern
from bitten.testing import LawBroken, check_pattern, random_bars
from tests.cheats import CAUGHT_BY, Honest, NextBarPeek, SetOrder

ORDER = [
    "valid signals",
    "determinism",
    "batch-size invariance",
    "causality",
    "save and restore",
    "blind to the clock",
    "blind to hash order",
    "mirror symmetry",
    "scale",
]


@pytest.fixture(scope="module")
def bars() -> Records:
    return random_bars(np.random.default_rng(4), 900)


@pytest.mark.parametrize("cheat", CAUGHT_BY, ids=lambda cheat: cheat.__name__)
def test_a_cheat_is_caught_under_the_law_it_breaks(cheat: type[Pattern], bars: Records) -> None:
    law = CAUGHT_BY[cheat]
    # cheats that look ahead in a batch break the cutting law as well; asked for causality alone they must not escape
    with pytest.raises(LawBroken) as caught:
        check_pattern(cheat, bars, only=[law], mirror=True, scale=True)
    assert str(caught.value).startswith(f"{cheat.__name__} breaks the law of {law}: ")


def test_every_law_has_a_cheat_that_breaks_it() -> None:
    assert set(CAUGHT_BY.values()) == set(ORDER)


def test_an_honest_pattern_keeps_every_law(bars: Records) -> None:
    assert check_pattern(Honest, bars) == ORDER


def test_optional_laws_can_be_left_out(bars: Records) -> None:
    kept = check_pattern(Honest, bars, mirror=False, scale=False, processes=False)
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
