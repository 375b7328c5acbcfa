"""Confidence band."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.ledger import AUTO, Ledger
from bitten.model.dtypes import Floats
from bitten.rule import BAND, Rule
from bitten.screening import Offers, Screen

Percent = Annotated[float, Meta(ge=0, le=100)]
AUTO_BAND: Final = (80.0, 89.0)
"""What fires by itself where nothing else is configured."""

_EVERYTHING: Final = (0.0, 100.0)
Bound = Floats | float

_STARTS: Final = "confidence was {measured:.1f}, the band starts at {limit:.1f}"
_ENDS: Final = "confidence was {measured:.1f}, the band ends at {limit:.1f}"
_EITHER: Final = "confidence was {measured:.1f}, the near end of the band is {limit:.1f}"  # accounts differ


class BandConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lowest and highest confidence. An account's own `band` goes before a pattern's, and that before these."""

    low: (
        Annotated[
            float,
            Meta(ge=0, le=100, description="lowest confidence that fires; 80 where high is not given either, else 0"),
        ]
        | None
    ) = None
    high: (
        Annotated[
            float, Meta(ge=0, le=100, description="highest that fires; 89 where low is not given either, else 100")
        ]
        | None
    ) = None
    manual: Annotated[
        tuple[Percent, Percent], Meta(description="lowest and highest confidence for MANUAL accounts")
    ] = _EVERYTHING
    patterns: Annotated[
        dict[str, tuple[Percent, Percent]],
        Meta(description="bands of single patterns for AUTO accounts, as {bb_scalp = [60.0, 100.0]}"),
    ] = {}

    def __post_init__(self) -> None:
        low, high = self.auto
        if low > high:
            raise ValueError(f"low = {low:g} is above high = {high:g}; perhaps low = {high:g}, high = {low:g}")
        for name, (low, high) in {"manual": self.manual, **self.patterns}.items():
            if low > high:
                raise ValueError(f"{name} = [{low:g}, {high:g}] goes down; perhaps [{high:g}, {low:g}]")

    @property
    def auto(self) -> tuple[float, float]:
        """The band of AUTO accounts."""
        if self.low is None and self.high is None:
            return AUTO_BAND
        low, high = _EVERYTHING
        return low if self.low is None else self.low, high if self.high is None else self.high


class Band(Gate):
    """Passes signals whose confidence lies in the band, both ends included.

    80.0 to 89.0 is what fires by itself; MANUAL accounts are offered everything.
    """

    Config = BandConfig

    def __init__(self, config: BandConfig, context: GateContext) -> None:
        super().__init__(config, context)
        for name in config.patterns:
            context.check_pattern(name, "patterns")
        self._ledger: Ledger | None = None
        self._known: dict[str, tuple[Bound, Bound]] = {}

    def rule(self) -> Rule | None:
        """The same as a kernel's rule, where patterns do not differ."""
        return None if self.config.patterns else Rule(BAND, *self.config.auto)

    def screen(self, offers: Offers, ledger: Ledger) -> Screen | None:
        """Those within the band, where it is the same for all accounts."""
        bounds = {name: self._bounds(ledger, name) for name in {signal.pattern for signal in offers.signals}}
        if not all(isinstance(low, float) for low, _ in bounds.values()):
            return None
        low, high = np.array([bounds[signal.pattern] for signal in offers.signals], np.float64).T
        return Screen((low <= offers.confidence) & (offers.confidence <= high), offers.confidence, high)

    def decide(self, situation: Situation) -> Verdict:
        """The bound that is missed is the limit."""
        low, high = self._bounds(situation.ledger, situation.signal.pattern)
        confidence = situation.confidence
        if isinstance(low, float) and isinstance(high, float):
            passed = situation.for_all(low <= confidence <= high)
            return Verdict(passed, confidence, *((low, _STARTS) if confidence < low else (high, _ENDS)))
        below, above = np.asarray(confidence < low), np.asarray(confidence > high)
        text = _ENDS if not below.any() else _STARTS if not above.any() else _EITHER
        return Verdict(~(below | above), confidence, np.where(below, low, high), text)

    def _bounds(self, ledger: Ledger, pattern: str) -> tuple[Bound, Bound]:
        """Lowest and highest confidence, per account or one for all; the ledger's bands and modes never change."""
        if self._ledger is not ledger:
            self._ledger, self._known = ledger, {}
        if pattern not in self._known:
            auto = self.config.patterns.get(pattern, self.config.auto)
            by_mode = [np.where(ledger.mode == AUTO, auto[i], self.config.manual[i]) for i in (0, 1)]
            own = (ledger.band_low, ledger.band_high)
            low, high = (np.where(np.isnan(mine), rest, mine) for mine, rest in zip(own, by_mode, strict=True))
            alike = np.ptp(low) == np.ptp(high) == 0.0
            self._known[pattern] = (float(low[0]), float(high[0])) if alike else (low, high)
        return self._known[pattern]
