"""Fixed lots."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.model.dtypes import Floats
from bitten.rule import LOTS, Rule
from bitten.sizing import floor_to_step
from bitten_plugins.gates.loss import loss_per_lot
from bitten_plugins.gates.notional import CurrencyColumn


class FixedLotsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The volume of every fire."""

    lots: Annotated[float, Meta(gt=0, description="lots, rounded down to the symbol's step")] = 0.1


class FixedLots(Gate):
    """Gives every fire the same volume, whatever its stop."""

    Config = FixedLotsConfig
    sizes = True

    def __init__(self, config: FixedLotsConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._accounts = CurrencyColumn()

    def rule(self) -> Rule:
        """The same as a kernel's rule."""
        return Rule(LOTS, self.config.lots)

    def decide(self, situation: Situation) -> Verdict:
        """The configured lots, scaled by the shield; refused below the smallest volume."""
        instrument = situation.signal.instrument
        wanted = self.config.lots * situation.scale
        size = len(situation.ledger.ids)
        if wanted > instrument.volume_max:
            return Verdict(
                situation.for_all(False), wanted, instrument.volume_max,
                "{measured:g} lots are above the largest volume {limit:g}",
            )  # fmt: skip
        lots = np.full(size, floor_to_step(wanted, instrument))
        text = "{measured:g} lots are below the smallest volume {limit:g}"
        return Verdict(lots >= instrument.volume_min, wanted, instrument.volume_min, text, lots, self._loss(situation))

    def _loss(self, situation: Situation) -> Floats | None:
        """Account money that one lot loses at the stop, for gates that add up risk; None without a stop."""
        signal = situation.signal
        quote = situation.market.quote(signal.symbol)
        distance = None if quote is None else signal.stop_distance(quote.ask if signal.side > 0 else quote.bid)
        if distance is None:
            return None
        return np.maximum(loss_per_lot(situation, distance, self.context, self._accounts), 0.0)  # 0 beyond the stop
