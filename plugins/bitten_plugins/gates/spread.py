"""Maximum spread."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.errors import DataError
from bitten.gate import Gate, Situation, Verdict
from bitten.ledger import Ledger
from bitten.rule import SPREAD, Rule
from bitten.screening import Offers, Screen


class SpreadConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limit, in points, or relative to the usual size of a move."""

    points: Annotated[int, Meta(ge=0, description="widest spread in points")] | None = None
    atr: Annotated[float, Meta(gt=0, description="widest spread in multiples of the signal's ATR")] | None = None

    def __post_init__(self) -> None:
        if self.points is None and self.atr is None:
            raise ValueError("neither points nor atr says how wide a spread may be, as points = 20")


class MaximumSpread(Gate):
    """Refuses while the spread of the quote at the decision is wider than the limit."""

    Config = SpreadConfig

    def rule(self) -> Rule:
        """The same as a kernel's rule."""
        points, atr = self.config.points, self.config.atr
        return Rule(SPREAD, math.inf if points is None else points, math.nan if atr is None else atr)

    def screen(self, offers: Offers, ledger: Ledger) -> Screen:
        """Narrow spreads."""
        points, atr = self.config.points, self.config.atr
        limit = np.full(offers.time.size, math.inf if points is None else float(points))
        known, spread = offers.known, (offers.ask - offers.bid).astype(np.float64)
        if atr is not None:
            limit, known = np.minimum(limit, atr * offers.atr), known & (offers.atr > 0)
        return Screen(known & (spread <= limit), spread, limit)

    def decide(self, situation: Situation) -> Verdict:
        """The narrower of the configured limits applies; the same for every account."""
        signal = situation.signal
        quote = situation.market.quote(signal.symbol)
        if quote is None:
            raise DataError(f"{signal.symbol} has no quote yet")
        spread = float(quote.ask - quote.bid)
        limits = [] if self.config.points is None else [float(self.config.points)]
        if self.config.atr is not None:
            if signal.atr_points <= 0:
                text = "the signal carries no ATR to measure its spread of {measured:.0f} by"
                return Verdict(situation.for_all(False), spread, 0.0, text)
            limits.append(self.config.atr * signal.atr_points)
        passed = situation.for_all(spread <= min(limits))
        return Verdict(passed, spread, min(limits), "spread was {measured:.0f} points, limit is {limit:.0f}")
