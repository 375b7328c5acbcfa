"""The conformance kit for authors of plugins: random markets, and contracts that patterns, feeds and gates must keep.

    from bitten.testing import check_pattern, random_bars

    def test_my_pattern_keeps_the_laws():
        check_pattern(MyPattern, random_bars(np.random.default_rng(1), 3000))

Every contract raises an AssertionError that shows the first counter-example. Nothing here needs pytest or hypothesis;
with `pytest_plugins = ["bitten.testing"]` the fixture `market_rng` is there as well.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from bitten.errors import did_you_mean
from bitten.model.dtypes import EVIDENCE_SLOTS, Records
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_ns
from bitten.pattern import Pattern, PatternContext
from bitten.testing.contracts import check_executor, check_feed, check_gate, configured
from bitten.testing.laws import laws
from bitten.testing.markets import INSTRUMENT, bars_as_quotes, longer_bars, random_bars, random_quotes
from bitten.testing.trial import LawBroken, Replay, Trial

__all__ = [
    "INSTRUMENT",
    "LawBroken",
    "check_executor",
    "check_feed",
    "check_gate",
    "check_pattern",
    "random_bars",
    "random_quotes",
]

if "pytest" in sys.modules:
    import pytest

    @pytest.fixture
    def market_rng() -> np.random.Generator:
        """A seeded generator for random markets, new for every test."""
        return np.random.default_rng(20240102)


def check_pattern(
    kind: type[Pattern],
    bars: Records,
    config: Any = None,
    *,
    timeframe: str = "M1",
    instrument: Instrument = INSTRUMENT,
    quotes: Quotes | None = None,
    mirror: bool = True,
    scale: bool = True,
    processes: bool = True,
    only: Sequence[str] = (),
    seed: int = 0,
) -> list[str]:
    """Try a pattern on a market under every law and return the names of the laws it keeps.

    Args:
        kind: the pattern's class, importable by its name.
        bars: closed bars of its timeframe, dtype BAR; context timeframes are built from them.
        config: its configuration as a `Config` struct, or a mapping as in bitten.toml; the defaults if None.
        timeframe: period of the bars.
        instrument: what is traded.
        quotes: the quotes, for patterns that read them; made of the bars if None.
        mirror: whether the pattern claims that sells are the exact mirror of buys.
        scale: whether it claims that only ratios of prices matter.
        processes: whether to run it in fresh processes too (a second or two), which finds orders that depend on hashes.
        only: names of laws, to try no others.
        seed: of the cuts and poisons.

    Raises:
        LawBroken: with the law and the first counter-example.
    """
    if len(kind.evidence) > EVIDENCE_SLOTS:
        raise LawBroken(f"{kind.__name__} names {len(kind.evidence)} pieces of evidence, at most {EVIDENCE_SLOTS} fit")
    config = configured(kind, config)
    context = PatternContext(instrument, timeframe, timeframe_ns(timeframe))
    market = {name: longer_bars(bars, name) for name in kind.context_timeframes}
    market[timeframe] = bars
    if quotes is None:
        quotes = bars_as_quotes(bars, timeframe, instrument.symbol)
    trial = Trial(kind, config, context, Replay(market, quotes), seed)
    chosen = laws(mirror, scale, processes)
    for name in only:
        if name not in chosen:
            raise ValueError(f'law "{name}" is unknown{did_you_mean(name, chosen)}')
    kept = []
    for name, law in chosen.items():
        if only and name not in only:
            continue
        try:
            law(trial)
        except LawBroken as broken:
            raise LawBroken(f"{kind.__name__} breaks the law of {name}: {broken}") from None
        kept.append(name)
    return kept
