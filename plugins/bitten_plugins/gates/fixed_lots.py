"""Fixed lots."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, Situation, Verdict
from bitten.rule import LOTS, Rule
from bitten.sizing import floor_to_step


class FixedLotsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The volume of every fire."""

    lots: Annotated[float, Meta(gt=0, description="lots, rounded down to the symbol's step")] = 0.1


class FixedLots(Gate):
    """Gives every fire the same volume, whatever its stop."""

    Config = FixedLotsConfig
    sizes = True

    def rule(self) -> Rule:
        """The same as a kernel's rule."""
        return Rule(LOTS, self.config.lots)

    def decide(self, situation: Situation) -> Verdict:
        """The configured lots, scaled by the shield; refused below the smallest volume."""
        instrument = situation.signal.instrument
        wanted = self.config.lots * situation.scale
        size = len(situation.ledger.ids)
        if wanted > instrument.volume_max:
            nobody = np.zeros(size, np.bool_)
            return Verdict(
                nobody, wanted, instrument.volume_max, "{measured:g} lots are above the largest volume {limit:g}"
            )
        lots = np.full(size, floor_to_step(wanted, instrument))
        text = "{measured:g} lots are below the smallest volume {limit:g}"
        return Verdict(lots >= instrument.volume_min, wanted, instrument.volume_min, text, lots)
