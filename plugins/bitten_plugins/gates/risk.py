"""Risk per trade, as a percentage of equity."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.errors import DataError
from bitten.gate import Gate, Situation, Verdict
from bitten.rule import RISK, Rule
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

    def rule(self) -> Rule:
        """The same as a kernel's rule."""
        percent = math.nan if self.config.percent is None else self.config.percent
        return Rule(RISK, percent, self.context.slippage_points)

    def decide(self, situation: Situation) -> Verdict:
        """Lots per account; refused where the stop is reached already, or the smallest volume would risk too much."""
        ledger, signal = situation.ledger, situation.signal
        quote = situation.market.quote(signal.symbol)
        if quote is None:
            raise DataError(f"{signal.symbol} has no quote yet")
        entry, close_side = (quote.ask, quote.bid) if signal.side > 0 else (quote.bid, quote.ask)
        distance = signal.stop_distance(entry)
        if distance is None:
            raise DataError("a signal without a stop has no risk to size by; use the gate fixed_lots")
        room = distance - signal.side * (entry - close_side)
        nearest = max(1, signal.instrument.stops_level)
        if room < nearest:
            nobody = np.zeros(len(ledger.ids), np.bool_)
            text = "the stop is {measured:.0f} points from the price, {limit:.0f} are the least"
            return Verdict(nobody, float(room), float(nearest), text)
        return self._sized(situation, distance)

    def _sized(self, situation: Situation, distance: int) -> Verdict:
        ledger, instrument = situation.ledger, situation.signal.instrument
        percent = ledger.risk_percent if self.config.percent is None else self.config.percent
        risk = np.maximum(situation.equity, 0.0) * percent / 100.0 * situation.scale
        losses = {currency: self._loss_per_lot(situation, distance, currency) for currency in set(ledger.currencies)}
        loss = np.array([losses[currency] for currency in ledger.currencies])
        lots = np.array([lots_for_risk(float(r), float(one), instrument) for r, one in zip(risk, loss, strict=True)])
        return Verdict(
            lots >= instrument.volume_min,
            np.divide(risk, loss, out=np.zeros_like(risk), where=loss > 0),
            instrument.volume_min,
            "the risk allows {measured:.4f} lots, the smallest volume is {limit:g}",
            lots,
        )

    def _loss_per_lot(self, situation: Situation, distance: int, currency: str) -> float:
        """Account money lost by one lot at the stop, positive.

        Slippage moves a stop's fill; of a stop that is a price it also leaves the entry farther away.
        """
        signal = situation.signal
        points = distance + self.context.slippage_points * (1 if signal.relative else 2)
        money = -points_to_money(points, 1.0, signal.instrument)
        lost = situation.market.convert(money, signal.instrument.quote, currency)
        return -lost + 2 * self.context.commission_per_lot
