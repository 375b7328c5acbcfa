"""The conformance kit for authors of plugins: random markets, and contracts that patterns, feeds and gates must keep.

    from bitten.testing import check_pattern, random_bars

    def test_my_pattern_keeps_the_laws():
        check_pattern(MyPattern, random_bars(np.random.default_rng(1), 3000))

Every contract raises an AssertionError that shows the first counter-example; `try_pattern` gives a ruling for every law
instead, as `bitten plugins check` shows them. Nothing here needs pytest or hypothesis; with
`pytest_plugins = ["bitten.testing"]` the fixture `market_rng` is there as well.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from bitten.model.dtypes import Records
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten.pattern import Pattern
from bitten.testing.contracts import check_executor, check_feed, configured
from bitten.testing.kit import BROKEN, KEPT, Options, Ruling, random_markets, recorded_bars, recorded_quotes, rulings
from bitten.testing.markets import INSTRUMENT, random_bars, random_quotes
from bitten.testing.parts import check_gate, check_shield
from bitten.testing.trial import LawBroken, Recording

__all__ = [
    "INSTRUMENT",
    "LawBroken",
    "Recording",
    "Ruling",
    "check_executor",
    "check_feed",
    "check_gate",
    "check_pattern",
    "check_shield",
    "random_bars",
    "random_markets",
    "random_quotes",
    "recorded_bars",
    "recorded_quotes",
    "try_pattern",
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
        mirror: whether the pattern claims that sells are the exact mirror of buys; its `symmetries` may say no as well.
        scale: whether it claims that only ratios of prices matter; likewise.
        processes: whether to run it in fresh processes too (a second or two), which finds orders that depend on hashes.
        only: names of laws, to try no others.
        seed: of the cuts and poisons.

    Raises:
        LawBroken: with the law and the first counter-example.
    """
    market = recorded_bars("", kind, bars, timeframe, instrument, quotes)
    options = Options(mirror, scale, processes, tuple(only), seed)
    kept = []
    for ruling in rulings(kind, [market], configured(kind, config), options):
        if ruling.verdict == BROKEN:
            raise LawBroken(f"{kind.__name__} breaks the law of {ruling.law}: {ruling.example}")
        if ruling.verdict == KEPT:
            kept.append(ruling.law)
    return kept


def try_pattern(
    kind: type[Pattern],
    markets: Sequence[Recording] = (),
    config: Any = None,
    *,
    mirror: bool = True,
    scale: bool = True,
    processes: bool = True,
    only: Sequence[str] = (),
    seed: int = 0,
) -> list[Ruling]:
    """Try a pattern under every law on several markets; a ruling for each law, broken or not.

    Args:
        kind: the pattern's class, importable by its name.
        markets: made by `recorded_bars`, `recorded_quotes` or `random_markets`; three random ones if none is given.
        config: as for `check_pattern`, and the options likewise.
        mirror: False leaves that law out.
        scale: False leaves that law out.
        processes: False runs it in this process only.
        only: names of laws, to try no others.
        seed: of the cuts and poisons.
    """
    settings = configured(kind, config)
    markets = markets or random_markets(kind, settings)
    return list(rulings(kind, markets, settings, Options(mirror, scale, processes, tuple(only), seed)))
