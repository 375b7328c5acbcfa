"""Risk per trade, as a percentage of equity."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.errors import DataError
from bitten.gate import Gate, Situation, Verdict
from bitten.sizing import lots_for_risk, points_to_money


class RiskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much may be lost at the stop."""

    percent: Annotated[float, Meta(gt=0, le=5, description="of equity, for all; else each account's own")] | None = None


class Risk(Gate):
    """Sizes so that the loss at the stop is the configured share of equity; lots are rounded down, never up.

    The loss of one lot is the distance from the price at which the order would fill now to the stop, plus slippage,
    converted at the worse side, plus the round turn's commission. Source: MetaTrader 5 symbol properties.
    """

    Config = RiskConfig
    sizes = True

    def decide(self, situation: Situation) -> Verdict:
        """Lots per account; refused where they would be below the broker's smallest volume."""
        ledger, signal = situation.ledger, situation.signal
        equity = ledger.equity(situation.market, situation.time)
        percent = ledger.risk_percent if self.config.percent is None else self.config.percent
        risk = np.maximum(equity, 0.0) * percent / 100.0 * situation.scale
        losses = {currency: self._loss_per_lot(situation, currency) for currency in set(ledger.currencies)}
        loss = np.array([losses[currency] for currency in ledger.currencies])
        lots = np.array(
            [lots_for_risk(float(r), float(one), signal.instrument) for r, one in zip(risk, loss, strict=True)]
        )
        smallest = signal.instrument.volume_min
        return Verdict(
            lots >= smallest,
            np.divide(risk, loss, out=np.zeros_like(risk), where=loss > 0),
            smallest,
            "the risk allows {measured:.4f} lots, the smallest volume is {limit:g}",
            lots,
        )

    def _loss_per_lot(self, situation: Situation, currency: str) -> float:
        """Account money lost by one lot at the stop, positive."""
        signal, market = situation.signal, situation.market
        quote = market.quote(signal.symbol, situation.time)
        if quote is None:
            raise DataError(f"{signal.symbol} has no quote yet")
        entry = quote.ask if signal.side > 0 else quote.bid
        distance = signal.stop_distance(entry)
        if distance is None:
            raise DataError("a signal without a stop has no risk to size by; use the gate fixed_lots")
        points = max(distance, 1) + self.context.slippage_points
        lost = market.convert(
            -points_to_money(points, 1.0, signal.instrument), signal.instrument.quote, currency, situation.time
        )
        return -lost + 2 * self.context.commission_per_lot
