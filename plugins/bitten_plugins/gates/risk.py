"""Risk per trade, as a percentage of equity."""

from __future__ import annotations

import math
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from bitten.errors import DataError
from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.rule import RISK, Rule
from bitten.sizing import floor_to_steps, ratio
from bitten_plugins.gates.loss import loss_per_lot
from bitten_plugins.gates.notional import CurrencyColumn

MOST: Final = 5.0
"""Percent of equity that no trade risks more than, whatever is configured."""


class RiskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much may be lost at the stop."""

    percent: Annotated[float, Meta(gt=0, le=5, description="of equity, for all; else each account's own")] | None = None
    cap: Annotated[float, Meta(gt=0, le=5, description="most of equity, after a tier's multiplier and shields")] = 5.0


class Risk(Gate):
    """Sizes so that the loss at the stop is the configured share of equity; lots are rounded down, never up.

    The loss of one lot is the distance from the price at which the order would fill now to the stop, plus slippage,
    converted at the worse side, plus the round turn's commission. Source: MetaTrader 5 symbol properties.
    """

    Config = RiskConfig
    sizes = True

    def __init__(self, config: RiskConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._accounts = CurrencyColumn()

    def rule(self) -> Rule | None:
        """The same as a kernel's rule."""
        if self.config.percent is None and self.config.cap < MOST:
            return None  # an account's own percent may be above it
        percent = math.nan if self.config.percent is None else min(self.config.percent, self.config.cap)
        return Rule(RISK, percent, self.context.slippage_points)

    def decide(self, situation: Situation) -> Verdict:
        """Lots per account; refused where the stop is reached already, or the smallest volume would risk too much."""
        signal = situation.signal
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
            text = "the stop is {measured:.0f} points from the price, {limit:.0f} are the least"
            return Verdict(situation.for_all(False), float(room), float(nearest), text)
        return self._sized(situation, distance)

    def _sized(self, situation: Situation, distance: int) -> Verdict:
        ledger, instrument = situation.ledger, situation.signal.instrument
        equity = np.maximum(situation.equity, 0.0)
        own = ledger.risk_percent if self.config.percent is None else np.full(equity.size, self.config.percent)
        percent = np.minimum(own * ledger.risk_multiplier, self.config.cap)
        risk = equity * np.minimum(percent * situation.scale, self.config.cap) / 100.0
        loss = loss_per_lot(situation, distance, self.context, self._accounts)
        exact = ratio(risk, loss)
        lots = floor_to_steps(exact, instrument)
        return Verdict(
            lots >= instrument.volume_min,
            exact,
            instrument.volume_min,
            "the risk allows {measured:.4f} lots, the smallest volume is {limit:g}",
            lots,
            loss,
            {
                "equity": equity, "percent": percent, "risk_money": risk, "stop_points": float(distance),
                "loss_per_lot": loss, "exact_lots": exact,
            },
        )  # fmt: skip
