"""Price collar."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.errors import DataError
from bitten.gate import Gate, Situation, Verdict
from bitten.ledger import Ledger
from bitten.model.dtypes import NO_PRICE, NS_PER_SECOND
from bitten.screening import Offers, Screen


class PriceCollarConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How odd the price may be at which an order would go out."""

    entry_atr: Annotated[
        float, Meta(gt=0, le=100, description="farthest entry from the middle of the quote, in the signal's ATRs")
    ] = 2.0
    spread_atr: Annotated[float, Meta(gt=0, le=100, description="widest spread, in the signal's ATRs")] = 1.0
    max_quote_age_seconds: Annotated[
        float, Meta(gt=0, le=1e6, description="oldest last quote of the symbol at the decision", extra={"unit": "s"})
    ] = 2.0


class PriceCollar(Gate):
    """Refuses an order whose price has nothing to do with the market's.

    |entry - middle| <= entry_atr x ATR and spread <= spread_atr x ATR, with the entry that the pattern meant: its
    reference bid, plus the spread for a buy; a signal without a reference (from a file) means the quote itself. A fence
    against broken quotes and stale plans, not an opinion on cost: usual spreads are a twentieth to a quarter of an ATR.
    Orders go out on quotes that are two seconds old at most. Source: RTS 6 article 15(1)(a).
    """

    Config = PriceCollarConfig

    def screen(self, offers: Offers, ledger: Ledger) -> Screen:
        """Fresh quotes, narrow enough, near the entry that was meant."""
        config, spread = self.config, offers.ask - offers.bid
        bid = np.where(offers.reference == NO_PRICE, offers.bid, offers.reference)
        entry = bid + np.where(offers.side > 0, spread, 0)
        distance, limit = np.abs(entry - (offers.bid + offers.ask) / 2), config.entry_atr * offers.atr
        fresh = offers.known & ((offers.time - offers.quoted) / NS_PER_SECOND <= config.max_quote_age_seconds)
        narrow = (offers.atr > 0) & (spread <= config.spread_atr * offers.atr)
        return Screen(fresh & narrow & (distance <= limit), distance, limit)

    def decide(self, situation: Situation) -> Verdict:
        """The same for every account; the first limit that is missed."""
        signal, config, nobody = situation.signal, self.config, situation.for_all(False)
        quote = situation.market.quote(signal.symbol)
        if quote is None:
            raise DataError(f"{signal.symbol} has no quote yet")
        age = (situation.time - quote.time) / NS_PER_SECOND
        if age > config.max_quote_age_seconds:
            limit = config.max_quote_age_seconds
            return Verdict(nobody, age, limit, "the last quote was {measured:.1f} s old, limit is {limit:g} s")
        spread, atr = float(quote.ask - quote.bid), signal.atr_points
        if atr <= 0:
            return Verdict(nobody, spread, 0.0, "the signal carries no ATR to measure its price by")
        if spread > config.spread_atr * atr:
            limit = config.spread_atr * atr
            return Verdict(nobody, spread, limit, "spread was {measured:.0f} points, the collar is {limit:.1f}")
        bid = quote.bid if signal.reference_points == NO_PRICE else signal.reference_points
        entry = bid + (spread if signal.side > 0 else 0.0)
        distance, limit = abs(entry - (quote.bid + quote.ask) / 2), config.entry_atr * atr
        text = "the entry is {measured:.0f} points from the market, the collar is {limit:.1f}"
        return Verdict(situation.for_all(distance <= limit), distance, limit, text)
