"""Rules of firms that let people trade the firm's money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Meta

from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.journal.columns import make_batch
from bitten.journal.schema import TIME, WORD
from bitten.ledger import Ledger
from bitten.market import MarketView
from bitten.model.dtypes import Bools, Floats
from bitten_plugins.gates.challenge import Challenge, Consistency
from bitten_plugins.gates.news import Releases, read_releases
from bitten_plugins.gates.resets import Resets

Percent = Annotated[float, Meta(ge=0, le=100)]
Minutes = Annotated[float, Meta(ge=0, le=1440)]
BREACHES: Final = pa.schema(
    [
        ("account", WORD),
        ("time", TIME),
        ("gate", WORD),  # the rule pack's configured name
        ("rule", WORD),  # daily, total
        ("measured", pa.float64()),  # percent
        ("limit", pa.float64()),
        ("equity", pa.float64()),
    ]
)


class PropFirmConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule pack; 0 percent is no such rule."""

    daily_percent: Annotated[Percent, Meta(description="loss within a day at which it is breached")] = 5.0
    daily_on: Annotated[Literal["equity", "balance"], Meta(description="what is watched for the daily rule")] = "equity"
    daily_from: Annotated[
        Literal["balance", "equity", "higher"],
        Meta(description="the figure at the reset that the day is measured from"),
    ] = "balance"
    daily_of: Annotated[
        Literal["start", "initial"], Meta(description="percent of that figure or of the initial balance")
    ] = "initial"
    total_percent: Annotated[Percent, Meta(description="loss of the initial balance at which it is breached")] = 10.0
    total_on: Annotated[Literal["equity", "balance"], Meta(description="what is watched for the total rule")] = "equity"
    trailing: Annotated[
        Literal["no", "always", "daily"],
        Meta(description="whether the total loss is measured from the highest figure, and when that is taken"),
    ] = "no"
    trailing_lock: Annotated[bool, Meta(description="the trailing floor stops rising at the initial balance")] = True
    reset: Annotated[str, Meta(description="time of day at which the next day starts")] = "17:00"
    zone: Annotated[str, Meta(description="clock of that time")] = "America/New_York"
    calendar: Annotated[str | None, Meta(description="file of economic releases, for the news window")] = None
    news_before_minutes: Annotated[Minutes, Meta(description="no fires so long before a high-impact release")] = 0.0
    news_after_minutes: Annotated[Minutes, Meta(description="no fires so long after one")] = 0.0
    consistency_percent: Annotated[
        Percent, Meta(description="largest share of the best day in the whole profit; reported, refuses nothing")
    ] = 0.0

    def __post_init__(self) -> None:
        Resets(self.reset, self.zone)
        if (self.news_before_minutes or self.news_after_minutes) and self.calendar is None:
            raise ValueError('a news window needs a calendar, as calendar = "calendar.csv"')


class PropFirm(Gate):
    """Stops an account that has broken a rule: the daily one until the next reset, the total one for good.

    Daily loss = (figure at the reset - watched figure) / (that figure, or the initial balance). Total loss = (initial
    balance, or the highest figure so far if trailing, - watched figure) / initial balance. A rule is broken as soon as
    its percentage is reached. 5 % a day and 10 % in all are the figures that most packs start from; every firm has its
    own, and changes them. The pack belongs to one account or to many alike: each is judged by itself.
    """

    Config = PropFirmConfig
    watches = True

    def __init__(self, config: PropFirmConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._resets = Resets(config.reset, config.zone)
        self._releases = Releases(())
        if config.calendar is not None:
            self._releases = read_releases(context.folder / config.calendar)
        self._reset = 0
        self._ledger: Ledger | None = None
        self._cells: list[Any] = []

    def wake(self, after: int) -> int:
        """The next reset."""
        self._reset = self._resets.next(after)
        return self._reset

    def mark(self, market: MarketView, ledger: Ledger) -> None:
        """Judge every account, write down what is broken; at a reset the next day starts."""
        challenge = self._of(ledger)
        equity, balance = ledger.equity(market), ledger.balance
        for rule, broken, measured, limit in challenge.judge(equity, balance):
            for row in np.flatnonzero(broken).tolist():
                number = float(measured[row])
                self._cells += (ledger.ids[row], market.now, self.context.name, rule, number, limit, float(equity[row]))
        if market.now == self._reset:
            challenge.reset(equity, balance)
            self._days.add(balance)

    def decide(self, situation: Situation) -> Verdict:
        """The news window first, then what has been broken or is at this instant; measured in percent."""
        before, after = self.config.news_before_minutes, self.config.news_after_minutes
        instrument, time = situation.signal.instrument, situation.time
        minutes = self._releases.minutes_since((instrument.base, instrument.quote), time, before, after)
        if minutes is not None:
            when, limit = ("after", after) if minutes >= 0 else ("before", before)
            text = f"it is {{measured:.1f}} minutes {when} a high-impact release, none within {{limit:g}}"
            return Verdict(situation.for_all(False), abs(minutes), limit, text)
        day, total = self._of(situation.ledger).losses(situation.equity, situation.ledger.balance)
        daily, most = self.config.daily_percent or np.nan, self.config.total_percent or np.nan
        over: Bools = total >= most
        measured: Floats = np.where(over, total, day)
        words = [f"{daily:g} % a day"] if self.config.daily_percent else []
        words += [f"{most:g} % in all"] if self.config.total_percent else []
        text = f"lost {{measured:.2f}} %, the limit is {{limit:g}} % ({', '.join(words)})"
        return Verdict(~(over | (day >= daily)), measured, np.where(over, most, daily), text)

    def tables(self) -> Mapping[str, pa.Table]:
        """Breaches, and how even the profit is if that is a rule."""
        tables = {"breaches": pa.Table.from_batches([make_batch(self._cells, BREACHES)], BREACHES)}
        if self.config.consistency_percent and self._ledger is not None:
            tables["consistency"] = self._days.table(self._ledger, self.context.name, self.config.consistency_percent)
        return tables

    def notes(self) -> Sequence[str]:
        """How finely equity is watched."""
        return [
            "rules are judged on the grid of equity (run.equity_minutes) while positions are open, at every close "
            "and at every reset; a loss in between that was won back is not seen, and gaps make real losses larger"
        ]

    def _of(self, ledger: Ledger) -> Challenge:
        """The state of an account table, begun at the initial balances."""
        if self._ledger is not ledger:
            self._ledger, self._challenge = ledger, Challenge(self.config, ledger.initial)
            self._days = Consistency(ledger.initial)
        return self._challenge
