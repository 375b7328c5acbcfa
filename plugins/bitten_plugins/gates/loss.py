"""Losses: of one lot at a signal's stop, which gates size by and add up, and of an account in percent."""

from __future__ import annotations

import numpy as np

from bitten.gate import GateContext, Situation
from bitten.model.dtypes import Floats
from bitten.sizing import points_to_money, ratio
from bitten_plugins.gates.notional import CurrencyColumn


def loss_per_lot(situation: Situation, distance: int, context: GateContext, accounts: CurrencyColumn) -> Floats:
    """Account money lost by one lot at the stop, per account, positive, costs included.

    Slippage moves a stop's fill; of a stop that is a price it also leaves the entry farther away. Converted at the
    worse side; plus the round turn's commission. Source: MetaTrader 5 symbol properties.

    Args:
        distance: points from the price at which the order would fill now to the stop.
        context: slippage and commission.
        accounts: spreads numbers by currency over the accounts.
    """
    signal, ledger = situation.signal, situation.ledger
    points = distance + context.slippage_points * (1 if signal.relative else 2)
    money = -points_to_money(float(points), 1.0, signal.instrument)
    lost = {
        currency: 2 * context.commission_per_lot - situation.market.convert(money, signal.instrument.quote, currency)
        for currency in accounts.distinct(ledger)
    }
    return accounts.of(ledger, lost)


def percent_lost(lost: Floats, whole: Floats) -> Floats:
    """Percent of a whole, all of it where there is nothing; without float noise, so that a limit is hit exactly."""
    percent: Floats = np.rint(100.0 * ratio(lost, whole, 1.0) * 1e9) / 1e9
    return percent
