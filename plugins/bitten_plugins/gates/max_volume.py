"""Maximum volume of an order."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.model.dtypes import Floats
from bitten.sizing import floor_to_step, floor_to_steps
from bitten_plugins.gates.notional import CurrencyColumn, unit_worth


class MaxVolumeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The largest order."""

    lots: Annotated[float, Meta(gt=0, le=10_000, description="largest volume of an order")] = 50.0
    notional: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="largest value of an order, in each account's own currency; absent for no such limit"),
    ] = None
    resize: Annotated[bool, Meta(description="make the order as small as fits instead of refusing it")] = True


class MaxVolume(Gate):
    """Makes an order smaller (or refuses it) that is larger than anybody meant to send.

    The least of `lots`, `notional` (lots x contract size x ask, in account currency) and the broker's largest volume,
    rounded down to the broker's step; what is left below the broker's smallest volume is refused. 50 lots are what
    many brokers take in one order: a finger that slipped is larger. Source: RTS 6 article 15(1)(b) and (c).
    """

    Config = MaxVolumeConfig

    def __init__(self, config: MaxVolumeConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._accounts = CurrencyColumn()

    def decide(self, situation: Situation) -> Verdict:
        """Measured and limit are lots."""
        lots, instrument = situation.lots, situation.signal.instrument
        most: Floats | float = floor_to_step(self.config.lots, instrument)
        if self.config.notional is not None:
            base_worth, _ = unit_worth(situation, self._accounts)
            most = floor_to_steps(
                np.minimum(most, self.config.notional / (base_worth * instrument.contract_size)), instrument
            )
        text = "{measured:g} lots are above the largest order of {limit:g}"
        if not lots.any():
            text = "no gate before this one has decided a volume"
        fits = (lots > 0) & (lots <= most)
        if not self.config.resize:
            return Verdict(fits, lots, most, text)
        new = floor_to_steps(np.minimum(lots, most), instrument)
        return Verdict(new >= instrument.volume_min, lots, most, text, new)
