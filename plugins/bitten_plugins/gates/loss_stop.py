"""Daily loss and drawdown stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Meta

from bitten.clock import iso
from bitten.gate import NEVER, Gate, GateContext, Situation, Verdict
from bitten.ledger import Ledger
from bitten.market import MarketView
from bitten.model.dtypes import Floats, Ints
from bitten_plugins.gates.loss import percent_lost
from bitten_plugins.gates.resets import Resets
from bitten_plugins.gates.tape import moment

_NAMED: Final = 3  # accounts that a note names


class LossStopConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much may be lost before trading stops."""

    daily_percent: Annotated[
        float, Meta(ge=0, le=100, description="of the equity at the start of the account's day; 0 for no such stop")
    ] = 5.0
    drawdown_percent: Annotated[
        float, Meta(ge=0, le=100, description="of the highest equity so far; 0 for no such stop")
    ] = 20.0
    reset: Annotated[str, Meta(description="time of day at which the next day starts")] = "17:00"
    zone: Annotated[str, Meta(description="clock of that time")] = "America/New_York"
    resume: Annotated[
        tuple[Any, ...], Meta(description="instants at which a person lets accounts go on after a drawdown stop")
    ] = ()

    def __post_init__(self) -> None:
        Resets(self.reset, self.zone)
        for one in self.resume:
            moment(one, "resume")


class LossStop(Gate):
    """Refuses new fires of an account that has lost enough: until its next day, or until a person resumes.

    Daily loss = (equity at the reset - equity) / equity at the reset; drawdown = (peak - equity) / peak; a stop acts
    as soon as its percentage is reached. The drawdown stop stays; at an instant of `resume` the peak starts anew. Days
    end at 17:00 New York, when the market settles. 5 % is five full stops at 1 % risk; 20 % takes 25 % to win back.
    Every decision looks at equity; what stays in mind is what the grid of equity, every close and every reset see.
    """

    Config = LossStopConfig
    watches = True

    def __init__(self, config: LossStopConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._resets = Resets(config.reset, config.zone)
        self._resumes = sorted(moment(one, "resume") for one in config.resume)
        self._reset = self._resume = NEVER
        self._ledger: Ledger | None = None
        words = [f"{config.daily_percent:g} % of the day's start"] if config.daily_percent else []
        words += [f"{config.drawdown_percent:g} % of the peak"] if config.drawdown_percent else []
        stops = " or ".join(words) or "never"
        self._text = f"equity had fallen {{measured:.2f}} %, trading stops at {{limit:g}} %: {stops}"

    def wake(self, after: int) -> int:
        """The next reset, or the next resumption."""
        self._reset = self._resets.next(after)
        self._resume = next((one for one in self._resumes if one > after), NEVER)
        return min(self._reset, self._resume)

    def mark(self, market: MarketView, ledger: Ledger) -> None:
        """Keep the worst of both losses in mind; a reset forgets the day's, a resumption the drawdown."""
        self._start(ledger)
        equity = ledger.equity(market)
        np.maximum(self._peak, equity, out=self._peak)
        np.maximum(self._day_loss, percent_lost(self._day - equity, self._day), out=self._day_loss)
        np.maximum(self._drawdown, percent_lost(self._peak - equity, self._peak), out=self._drawdown)
        if market.now == self._reset:
            self._day[:], self._day_loss[:] = equity, 0.0
        if market.now == self._resume:
            self._peak[:], self._drawdown[:], self._stopped[:] = equity, 0.0, NEVER
        limit = self.config.drawdown_percent or np.inf
        self._stopped[(self._drawdown >= limit) & (self._stopped == NEVER)] = market.now

    def notes(self) -> Sequence[str]:
        """Which accounts stand still until a person lets them go on."""
        if self._ledger is None:
            return []
        still = np.flatnonzero(self._stopped != NEVER).tolist()
        named = [f"{self._ledger.ids[row]} on {iso(int(self._stopped[row]), 0)} UTC" for row in still[:_NAMED]]
        more = f" and {len(still) - _NAMED:,} more" if len(still) > _NAMED else ""
        limit = self.config.drawdown_percent
        return [f"drawdown of {limit:g} % stopped {', '.join(named)}{more}, until a `resume`"] if still else []

    def decide(self, situation: Situation) -> Verdict:
        """Measured and limit are percent: of the drawdown where that stops, else of the day."""
        self._start(situation.ledger)
        equity = situation.equity
        peak = np.maximum(self._peak, equity)
        day = np.maximum(self._day_loss, percent_lost(self._day - equity, self._day))
        drawdown = np.maximum(self._drawdown, percent_lost(peak - equity, peak))
        daily, deepest = self.config.daily_percent or np.nan, self.config.drawdown_percent or np.nan
        over = drawdown >= deepest
        passed = ~(over | (day >= daily))
        return Verdict(passed, np.where(over, drawdown, day), np.where(over, deepest, daily), self._text)

    def _start(self, ledger: Ledger) -> None:
        """Begin the books of an account table: every account at its initial balance."""
        if self._ledger is not ledger:
            self._ledger = ledger
            self._day: Floats = ledger.initial.copy()
            self._peak: Floats = ledger.initial.copy()
            self._day_loss: Floats = np.zeros(ledger.initial.size)
            self._drawdown: Floats = np.zeros(ledger.initial.size)
            self._stopped: Ints = np.full(ledger.initial.size, NEVER)
