"""Duplicates."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.ledger import LONG_AGO
from bitten.model.dtypes import NS_PER_MINUTE
from bitten.rule import PASS, Rule

_FORGET = 4096  # signals that are remembered before old ones are looked for
_REMEMBERED_NS = 24 * 60 * NS_PER_MINUTE


class DuplicateConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How soon an account may do the same again."""

    cooldown_minutes: Annotated[
        float, Meta(ge=0, le=1440, description="between two fires of an account on a symbol and side; 0 for none")
    ] = 0.0


class Duplicate(Gate):
    """Refuses a second fire of a signal by the same account, and one too soon after another on its symbol and side.

    In a replay a signal is decided once per account, so that without a cooldown nothing is refused: what this guards
    against is the same command coming twice. An account counts as having fired a signal if its last fire on the symbol
    and side was at an earlier decision of this signal. Cooldown is off by default: whether two signals are one idea is
    for whoever trades them to say. Source: SEC rule 15c3-5, "duplicative orders". Measured are minutes.
    """

    Config = DuplicateConfig

    def __init__(self, config: DuplicateConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._decided: dict[str, set[int]] = {}  # instants at which a signal was decided, by its id

    def rule(self) -> Rule | None:
        """Never refuses in a replay where there is no cooldown."""
        return None if self.config.cooldown_minutes else Rule(PASS)

    def decide(self, situation: Situation) -> Verdict:
        """By the instant of each account's last fire on the symbol and side."""
        signal, time = situation.signal, situation.time
        fired = situation.ledger.last_fire(signal.symbol, signal.side)
        earlier = self._earlier(signal.id, time)
        again = np.isin(fired, earlier) if earlier else np.zeros(fired.size, np.bool_)
        never = fired == LONG_AGO
        since = (time - fired) / NS_PER_MINUTE
        passed = never | ~again & (since >= self.config.cooldown_minutes)
        if again.any():
            text = (
                "it fired this signal, or one like it, {measured:.1f} minutes ago, {limit:g} are the least between two"
            )
        else:
            text = "it fired on this symbol and side {measured:.1f} minutes ago, {limit:g} are the least"
        return Verdict(passed, np.where(never, np.nan, since), self.config.cooldown_minutes, text)

    def _earlier(self, signal_id: str, time: int) -> list[int]:
        """When the signal was decided before; from now on this instant counts, too."""
        if signal_id not in self._decided and len(self._decided) >= _FORGET:
            known = self._decided.items()
            self._decided = {one: times for one, times in known if max(times) >= time - _REMEMBERED_NS}
        times = self._decided.setdefault(signal_id, set())
        earlier = sorted(one for one in times if one < time)
        times.add(time)
        return earlier
