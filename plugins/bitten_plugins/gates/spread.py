"""Maximum spread."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.errors import DataError
from bitten.gate import Gate, Situation, Verdict


class SpreadConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limit, in points, or relative to the usual size of a move."""

    points: Annotated[int, Meta(ge=0, description="widest spread in points")] | None = None
    atr: Annotated[float, Meta(gt=0, description="widest spread in multiples of the signal's ATR")] | None = None


class MaximumSpread(Gate):
    """Refuses while the spread of the quote at the decision is wider than the limit."""

    Config = SpreadConfig

    def decide(self, situation: Situation) -> Verdict:
        """The narrower of the configured limits applies; the same for every account."""
        signal = situation.signal
        quote = situation.market.quote(signal.symbol, situation.time)
        if quote is None:
            raise DataError(f"{signal.symbol} has no quote yet")
        limits = [float("inf") if self.config.points is None else float(self.config.points)]
        if self.config.atr is not None and signal.atr_points > 0:
            limits.append(self.config.atr * signal.atr_points)
        spread, limit = float(quote.ask - quote.bid), min(limits)
        passed = np.full(len(situation.ledger.ids), spread <= limit)
        return Verdict(passed, spread, limit, "spread was {measured:.0f} points, limit is {limit:.0f}")
