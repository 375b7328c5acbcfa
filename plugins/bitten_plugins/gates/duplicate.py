"""Duplicates."""

from __future__ import annotations

import math
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, Situation, Verdict
from bitten.ledger import LONG_AGO, Ledger
from bitten.model.dtypes import NS_PER_MINUTE
from bitten.rule import PASS, Rule
from bitten.screening import Offers, Screen

_TEXT: Final = "it fired on this symbol and side {measured:.1f} minutes ago, {limit:g} are the least"


class DuplicateConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How soon an account may do the same again."""

    cooldown_minutes: Annotated[
        float, Meta(ge=0, le=1440, description="between two fires of an account on a symbol and side; 0 for none")
    ] = 0.0


class Duplicate(Gate):
    """Refuses a second fire of a signal by the same account, and one too soon after another on its symbol and side.

    In a replay a signal is decided once per account, so that without a cooldown nothing is refused: what this guards
    against is the same command coming twice. Cooldown is off by default: whether two signals are one idea is for
    whoever trades them to say. Source: SEC rule 15c3-5, "duplicative orders". Measured are minutes.
    """

    Config = DuplicateConfig

    def rule(self) -> Rule | None:
        """Never refuses in a replay where there is no cooldown."""
        return None if self.config.cooldown_minutes else Rule(PASS)

    def screen(self, offers: Offers, ledger: Ledger) -> Screen | None:
        """Signals that nobody has fired, where there is no cooldown."""
        if self.config.cooldown_minutes:
            return None
        fresh = np.array([ledger.fired(signal.id) is ledger.nobody for signal in offers.signals], np.bool_)
        return Screen(fresh, math.nan, math.nan)

    def decide(self, situation: Situation) -> Verdict:
        """By what each account has fired, and by when it fired last on the symbol and side."""
        ledger, signal = situation.ledger, situation.signal
        if not self.config.cooldown_minutes and ledger.fired(signal.id) is ledger.nobody:
            return Verdict(situation.for_all(True), math.nan, math.nan, _TEXT)
        last, least = ledger.last_fire(signal.symbol, signal.side), self.config.cooldown_minutes
        never = last == LONG_AGO
        since = np.where(never, np.nan, (situation.time - last) / NS_PER_MINUTE)
        again = ledger.fired(signal.id)
        if again is ledger.nobody:
            return Verdict(never | (since >= least), since, least, _TEXT)
        text = "it fired this signal, or one like it, {measured:.1f} minutes ago, {limit:g} are the least between two"
        measured = np.where(never & again, 0.0, since)
        return Verdict(~again & (never | (since >= least)), measured, least, text)
