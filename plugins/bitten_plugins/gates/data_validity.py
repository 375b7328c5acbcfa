"""Data validity."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from bitten.gate import Gate, Situation, Verdict
from bitten.ledger import Ledger
from bitten.model.dtypes import NS_PER_SECOND
from bitten.screening import Offers, Screen


class DataValidityConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How old a quote may be."""

    max_quote_age_seconds: Annotated[
        float, Meta(gt=0, le=1e6, description="oldest last quote of the symbol at the decision", extra={"unit": "s"})
    ] = 30.0


class DataValidity(Gate):
    """Refuses what would be decided on no data, or on data that cannot be right.

    The symbol is known to the feed, it has a quote, 0 < bid <= ask, and the quote is not older than the limit. 30 s:
    a liquid symbol is quoted several times a second in its session, so half a minute of silence is a closed market or
    a broken line. Bars that are replayed count as quotes at their closes.
    """

    Config = DataValidityConfig

    def screen(self, offers: Offers, ledger: Ledger) -> Screen:
        """Sound quotes that are fresh."""
        age, limit = (offers.time - offers.quoted) / NS_PER_SECOND, self.config.max_quote_age_seconds
        sound = offers.known & (offers.bid > 0) & (offers.bid <= offers.ask)
        return Screen(sound & (age <= limit), age, limit)

    def decide(self, situation: Situation) -> Verdict:
        """The same for every account."""
        symbol, nobody = situation.signal.symbol, situation.for_all(False)
        quote = situation.market.quote(symbol) if symbol in situation.market.instruments else None
        if quote is None:
            return Verdict(nobody, 0.0, 1.0, "no quote of the symbol is known")
        if not 0 < quote.bid <= quote.ask < math.inf:
            bid = float(quote.bid) if math.isfinite(quote.bid) else 0.0
            return Verdict(nobody, bid, 0.0, "the last quote is none: its bid is not above 0, or above its ask")
        age, limit = (situation.time - quote.time) / NS_PER_SECOND, self.config.max_quote_age_seconds
        return Verdict(
            situation.for_all(age <= limit), age, limit, "the last quote was {measured:.1f} s old, limit is {limit:g} s"
        )
