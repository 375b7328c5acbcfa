"""Total open risk."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, Situation, Verdict
from bitten.sizing import lots_for_risk, ratio

_NOISE = 1e-9  # share of the limit that sums of cents may be off


class OpenRiskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much all positions together may lose."""

    max_percent: Annotated[
        float,
        Meta(
            gt=0, le=100, description="of equity that open and pending fires and this one may lose", extra={"unit": "%"}
        ),
    ] = 10.0
    resize: Annotated[bool, Meta(description="make the order as small as fits instead of refusing it")] = False


class OpenRisk(Gate):
    """Refuses a fire with which an account could lose more at all its stops together than a share of its equity.

    Sum of the risk of fires that have not ended, at their first stops and reserved as soon as they are ordered, plus
    this fire's, over equity now. 10 %: ten slots of 1 % each; without the limit ten slots of 5 % would be half the
    account at once. It stands behind the gate that decides the lots. Source: SEC rule 15c3-5, capital thresholds.
    """

    Config = OpenRiskConfig

    def decide(self, situation: Situation) -> Verdict:
        """Measured and limit are percent of equity."""
        open_risk, risk, lots = situation.ledger.open_risk, situation.risk, situation.lots
        allowed = np.maximum(situation.equity, 0.0) * self.config.max_percent / 100.0
        total = open_risk + risk
        known = risk > 0  # without a stop, or before anything is sized, there is nothing to add
        passed = known & (total <= allowed * (1 + _NOISE))
        share = 100.0 * ratio(total, situation.equity)
        text = "open risk would be {measured:.2f} % of equity, limit is {limit:g} %"
        if not known.any():
            text = "what this fire would lose at its stop is not known, so that open risk cannot be added up"
        if not self.config.resize:
            return Verdict(passed, share, self.config.max_percent, text)
        instrument = situation.signal.instrument
        per_lot = ratio(risk, lots)
        smaller = np.minimum(lots_for_risk(allowed - open_risk, per_lot, instrument), lots)
        new = np.where(passed, lots, smaller)
        fits = known & (new >= instrument.volume_min)
        return Verdict(fits, share, self.config.max_percent, text, new)
