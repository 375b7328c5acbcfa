"""Exposure per currency."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.model.dtypes import Floats
from bitten.sizing import floor_to_steps, ratio
from bitten_plugins.gates.notional import CurrencyColumn, unit_worth

_NOISE = 1e-9


class ExposureConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of one currency an account may hold or owe."""

    max_multiple: Annotated[
        float, Meta(gt=0, le=10_000, description="of equity: net units of a currency, in account currency")
    ] = 500.0
    resize: Annotated[bool, Meta(description="make the order as small as fits instead of refusing it")] = False


class Exposure(Gate):
    """Refuses a fire that would make an account too long or too short of one of the symbol's two currencies.

    Net units of all fires that have not ended (a buy adds its base and takes its quote at the reference price, a sell
    the reverse), with this one, in account currency at the worse side, over equity. Five positions that are all short
    of the dollar are one position; slots do not see that. The default is the most that brokers lend, 1:500: stops of
    three pips at 1 % risk make 30 times equity of a single position, so that anything lower is a choice.
    """

    Config = ExposureConfig

    def __init__(self, config: ExposureConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._accounts = CurrencyColumn()

    def decide(self, situation: Situation) -> Verdict:
        """Measured is the larger of the two exposures in multiples of equity."""
        signal, ledger = situation.signal, situation.ledger
        instrument, lots = signal.instrument, situation.lots
        equity = np.maximum(situation.equity, 0.0)
        base_worth, quote_worth = unit_worth(situation, self._accounts)
        quote = situation.market.quote(signal.symbol)
        assert quote is not None  # its worth is known
        price = instrument.price(quote.ask)
        legs = (
            (ledger.exposure(instrument.base), signal.side * instrument.contract_size, base_worth),
            (ledger.exposure(instrument.quote), -signal.side * instrument.contract_size * price, quote_worth),
        )
        after = np.maximum(*(np.abs(held + lots * per_lot) * worth for held, per_lot, worth in legs))
        allowed = equity * self.config.max_multiple
        passed = (lots > 0) & (after <= allowed * (1 + _NOISE))
        multiple = ratio(after, equity)
        names = f"{instrument.base} or {instrument.quote}"
        text = f"net exposure in {names} would be {{measured:.1f}} times equity, limit is {{limit:g}}"
        if not lots.any():
            text = "no gate before this one has decided a volume"
        if not self.config.resize:
            return Verdict(passed, multiple, self.config.max_multiple, text)
        rooms = [_room(allowed / worth, held, per_lot) for held, per_lot, worth in legs]
        smaller = floor_to_steps(np.minimum(np.minimum(*rooms), lots), instrument)
        new = np.where(passed, lots, smaller)
        return Verdict(new >= instrument.volume_min, multiple, self.config.max_multiple, text, new)


def _room(most: Floats, held: Floats, per_lot: float) -> Floats:
    """Lots with which |held + lots x per_lot| reaches `most` units."""
    side = 1.0 if per_lot > 0 else -1.0
    room: Floats = (most - side * held) / abs(per_lot)
    return room
