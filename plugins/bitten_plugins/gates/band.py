"""Confidence band."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.ledger import Ledger
from bitten.model.dtypes import Floats
from bitten.rule import BAND, Rule


class BandConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds for every account; each account's own `band` narrows them."""

    low: Annotated[float, Meta(ge=0, le=100, description="lowest confidence that fires")] = 0.0
    high: Annotated[float, Meta(ge=0, le=100, description="highest confidence that fires")] = 100.0

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(
                f"low = {self.low:g} is above high = {self.high:g}; perhaps low = {self.high:g}, high = {self.low:g}"
            )


class Band(Gate):
    """Passes signals whose confidence lies in the band, both ends included."""

    Config = BandConfig

    def __init__(self, config: BandConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._known: tuple[Ledger, Floats, Floats] | None = None

    def rule(self) -> Rule:
        """The same as a kernel's rule."""
        return Rule(BAND, self.config.low, self.config.high)

    def decide(self, situation: Situation) -> Verdict:
        """The bound that is missed is the limit."""
        low, high = self._bounds(situation.ledger)
        confidence = situation.signal.confidence
        passed = (low <= confidence) & (confidence <= high)
        limit = np.where(confidence < low, low, high)
        return Verdict(passed, confidence, limit, "confidence was {measured:.1f}, the band ends at {limit:.1f}")

    def _bounds(self, ledger: Ledger) -> tuple[Floats, Floats]:
        """Lowest and highest confidence per account; the ledger's bands never change."""
        if self._known is None or self._known[0] is not ledger:
            low = np.maximum(ledger.band_low, self.config.low)
            self._known = ledger, low, np.minimum(ledger.band_high, self.config.high)
        return self._known[1:]
