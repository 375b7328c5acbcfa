"""Age of a signal, and drift of the price since."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.errors import DataError
from bitten.gate import Gate, Situation, Verdict
from bitten.ledger import Ledger
from bitten.market import Quote
from bitten.model.dtypes import NO_PRICE, NS_PER_SECOND
from bitten.model.facts import Signal
from bitten.screening import Offers, Screen


class AgeDriftConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How stale a signal may be."""

    max_age_seconds: Annotated[
        float, Meta(gt=0, le=1e7, description="from the signal's decision to this one", extra={"unit": "s"})
    ] = 120.0
    max_drift: Annotated[
        float,
        Meta(gt=0, le=1, description="largest move since the signal, as a share of the way to its target or its stop"),
    ] = 0.5


class AgeDrift(Gate):
    """Refuses a signal that is too old, or whose price has already gone somewhere.

    Drift is side x (bid - reference), over |target - reference| where it is positive and over |reference - stop| where
    it is negative; the reference is the bid the pattern reasoned from. At half the way to the target the same risk buys
    half the move; at half the way to the stop the idea is half refuted. A stop or target that the price has reached
    refuses, whatever the drift. AUTO accounts decide at once: 120 s is what a person needs to read and to accept.
    A signal without a reference (from a file) has not drifted at its own instant; later its drift is not known.
    """

    Config = AgeDriftConfig

    def screen(self, offers: Offers, ledger: Ledger) -> Screen:
        """Signals at their own instant, whose price has not gone too far."""
        known, side = offers.known, offers.side
        moved = side * (offers.bid - offers.reference)
        level = np.where(moved > 0, offers.target, offers.stop)
        measurable = (offers.reference != NO_PRICE) & (level != NO_PRICE) & (moved != 0)
        way = np.where(offers.relative, level, np.abs(level - offers.reference))
        drift = np.where(measurable, np.abs(moved), 0) / np.where(measurable, np.maximum(way, 1), 1)
        price = np.where(side > 0, offers.bid, offers.ask)
        stopped = (offers.stop != NO_PRICE) & (side * (offers.stop - price) >= 0)
        there = (offers.target != NO_PRICE) & (side * (price - offers.target) >= 0)
        reached = ~offers.relative & (stopped | there)
        return Screen(known & ~reached & (drift <= self.config.max_drift), drift, self.config.max_drift)

    def decide(self, situation: Situation) -> Verdict:
        """The same for every account."""
        signal, config, nobody = situation.signal, self.config, situation.for_all(False)
        quote = situation.market.quote(signal.symbol)
        if quote is None:
            raise DataError(f"{signal.symbol} has no quote yet")
        age = (situation.time - signal.time) / NS_PER_SECOND
        if age > config.max_age_seconds:
            return Verdict(
                nobody,
                age,
                config.max_age_seconds,
                "the signal was {measured:.1f} s old, limit is {limit:g} s",
            )
        if reached := _reached(signal, quote):
            word, beyond = reached
            return Verdict(
                nobody,
                float(beyond),
                0.0,
                f"the price is {{measured:.0f}} points past the {word} already",
            )
        if signal.reference_points == NO_PRICE:
            text = "the signal names no reference price to measure its drift by"
            return Verdict(situation.for_all(age == 0), 0.0, config.max_drift, text)
        drift, word = _drift(signal, quote)
        text = f"the price has gone {{measured:.2f}} of the way to the {word}, limit is {{limit:g}}"
        return Verdict(situation.for_all(drift <= config.max_drift), drift, config.max_drift, text)


def _reached(signal: Signal, quote: Quote) -> tuple[str, int] | None:
    """("stop" or "target", points beyond it) where the price that would close a position is there; None where not."""
    if signal.relative:  # distances from a fill that has not been
        return None
    price = quote.bid if signal.side > 0 else quote.ask
    if signal.stop_points != NO_PRICE and signal.side * (signal.stop_points - price) >= 0:
        return "stop", signal.side * (signal.stop_points - price)
    if signal.target_points != NO_PRICE and signal.side * (price - signal.target_points) >= 0:
        return "target", signal.side * (price - signal.target_points)
    return None


def _drift(signal: Signal, quote: Quote) -> tuple[float, str]:
    """Share of the way that the bid has gone since the signal, and where to; 0 where there is no such level."""
    moved = signal.side * (quote.bid - signal.reference_points)
    word, level = ("target", signal.target_points) if moved > 0 else ("stop", signal.stop_points)
    if level == NO_PRICE or moved == 0:
        return 0.0, word
    way = level if signal.relative else abs(level - signal.reference_points)
    return abs(moved) / max(way, 1), word
