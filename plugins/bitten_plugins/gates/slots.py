"""Slots."""

from __future__ import annotations

import msgspec

from bitten.gate import Gate, Situation, Verdict
from bitten.rule import SLOTS, Rule


class SlotsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to configure: the limit is each account's `slots`."""


class Slots(Gate):
    """Refuses when an account's slots are taken; pending orders hold theirs like open positions."""

    Config = SlotsConfig

    def rule(self) -> Rule:
        """The same as a kernel's rule."""
        return Rule(SLOTS)

    def decide(self, situation: Situation) -> Verdict:
        """A slot is free where fewer are used than the account has."""
        ledger = situation.ledger
        return Verdict(
            ledger.used < ledger.slots,
            ledger.used,
            ledger.slots,
            "{measured:.0f} of {limit:.0f} slots are taken",
        )
