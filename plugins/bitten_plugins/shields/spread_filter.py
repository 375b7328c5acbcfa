"""Trade at usual spreads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bitten.gate import GateContext, Insight, Score, Shield
from bitten.market import MarketView
from bitten.model.dtypes import Records
from bitten.model.facts import Signal
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_ns
from bitten_plugins.shields.factors import ramp
from bitten_plugins.shields.spreads import Spreads


class SpreadFilterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The widest spread, in usual ones."""

    times: Annotated[
        float, Meta(gt=0, le=100, description="widest spread in multiples of what is usual for the hour of the day")
    ] = 3.0
    default_spread: Annotated[
        dict[str, Annotated[int, Meta(ge=1)]],
        Meta(description="points by symbol, usual until 60 bars have been seen; the instrument's own otherwise"),
    ] = {}


class SpreadFilter(Shield):
    """Vetoes while the spread is wider than a multiple of what is usual for the hour of the day."""

    Config = SpreadFilterConfig

    def __init__(self, config: SpreadFilterConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._spreads: dict[str, Spreads] = {}

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """Take in the finest bars."""
        if bars:
            self._of(symbol).observe(bars[min(bars, key=timeframe_ns)])

    def _of(self, symbol: str) -> Spreads:
        if symbol not in self._spreads:
            default = self.config.default_spread.get(symbol, self.context.instruments[symbol].default_spread)
            self._spreads[symbol] = Spreads(default)
        return self._spreads[symbol]

    def score(self, signal: Signal, market: MarketView) -> Score:
        """10 at the usual spread, less as it widens, a veto beyond the limit."""
        quote = market.quote(signal.symbol)
        if quote is None:
            return Score(1.0, veto=f"{signal.symbol} has no quote yet")
        usual = self._of(signal.symbol).usual(market.now)
        spread = float(quote.ask - quote.bid)
        evidence = {
            "spread": spread, "spread_normal": usual.spread, "spread_observations": float(usual.observations),
        }  # fmt: skip
        limit = self.config.times
        if spread > limit * usual.spread:
            text = f"spread was {spread:.0f} points, limit is {limit:g} times the usual {usual.spread:.1f}"
            return Score(1.0, veto=text, evidence=evidence)
        wide = ramp(spread, usual.spread, limit * usual.spread) if limit > 1.0 and usual.spread > 0.0 else 0.0
        return Score(10.0 - 6.0 * wide, evidence=evidence)

    def insights(self, evidence: Mapping[str, float], signal: Mapping[str, Any]) -> Sequence[Insight]:
        """The spread beside the usual one."""
        spread, usual, seen = (evidence[name] for name in ("spread", "spread_normal", "spread_observations"))
        known = f"the median of {seen:.0f} bars" if seen else "assumed, too few bars have been seen"
        text = f"The spread is {spread:.0f} points; usual for this hour are {usual:.1f} ({known})."
        return (Insight("spread", 1.0 if spread <= self.config.times * usual else 0.0, 0.0, text),)
