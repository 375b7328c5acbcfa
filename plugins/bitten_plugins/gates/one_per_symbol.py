"""One position per symbol."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from bitten.gate import Gate, Situation, Verdict
from bitten.rule import PER_SYMBOL, Rule


class OnePerSymbolConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    most: Annotated[int, Meta(ge=1, description="open and pending positions per account and symbol")] = 1


class OnePerSymbol(Gate):
    """Refuses while an account already holds (or has ordered) as many positions on the symbol as it may."""

    Config = OnePerSymbolConfig

    def rule(self) -> Rule:
        """The same as a kernel's rule."""
        return Rule(PER_SYMBOL, self.config.most)

    def decide(self, situation: Situation) -> Verdict:
        """Counts fires that have not ended."""
        held = situation.ledger.on_symbol(situation.signal.symbol)
        return Verdict(
            held < self.config.most,
            held,
            float(self.config.most),
            "{measured:.0f} positions on the symbol, limit is {limit:.0f}",
        )
