"""What a rule pack has seen of every account so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from bitten.journal.columns import make_batch
from bitten.journal.schema import WORD
from bitten.ledger import Ledger
from bitten.model.dtypes import Bools, Floats
from bitten.sizing import rounded
from bitten_plugins.gates.loss import percent_lost

if TYPE_CHECKING:
    from bitten_plugins.gates.prop_firm import PropFirmConfig

_CONSISTENCY: Final = pa.schema(
    [
        ("account", WORD),
        ("gate", WORD),  # the rule pack's configured name
        ("best_day", pa.float64()),  # profit of the best day, by balance, account currency
        ("profit", pa.float64()),  # of the whole run, by balance
        ("share", pa.float64()),  # of the best day, percent; null where there is no profit
        ("limit", pa.float64()),
        ("kept", pa.bool_()),
    ]
)


class Broken(NamedTuple):
    """A rule that some accounts have just broken; columns over the accounts."""

    rule: str
    accounts: Bools
    measured: Floats  # percent
    limit: float


class Challenge:
    """Figures that losses are measured from, and the worst losses so far; columns over the accounts.

    Args:
        rules: the pack.
        initial: balances at the start.
    """

    def __init__(self, rules: PropFirmConfig, initial: Floats) -> None:
        self._rules = rules
        self._initial = initial
        self._day: Floats = initial.copy()
        self._peak: Floats = initial.copy()
        self._worst_day: Floats = np.zeros(initial.size)
        self._worst: Floats = np.zeros(initial.size)

    def losses(self, equity: Floats, balance: Floats) -> tuple[Floats, Floats]:
        """(of the day, in all): the worst of what was kept in mind and what is now, percent."""
        rules = self._rules
        watched = equity if rules.daily_on == "equity" else balance
        whole = self._day if rules.daily_of == "start" else self._initial
        day = np.maximum(self._worst_day, percent_lost(self._day - watched, whole))
        watched = equity if rules.total_on == "equity" else balance
        start = self._initial
        if rules.trailing != "no":
            start = np.maximum(self._peak, watched) if rules.trailing == "always" else self._peak
            if rules.trailing_lock and rules.total_percent:
                start = np.minimum(start, self._initial * (1 + rules.total_percent / 100))
        return day, np.maximum(self._worst, percent_lost(start - watched, self._initial))

    def judge(self, equity: Floats, balance: Floats) -> list[Broken]:
        """Keep the losses of an instant in mind; the rules that were broken by them and had not been before."""
        day, total = self.losses(equity, balance)
        watched = equity if self._rules.total_on == "equity" else balance
        if self._rules.trailing == "always":
            np.maximum(self._peak, watched, out=self._peak)
        judged = (
            ("daily", self._worst_day, day, self._rules.daily_percent),
            ("total", self._worst, total, self._rules.total_percent),
        )
        broken = [
            Broken(rule, (now >= limit) & (before < limit), now, limit) for rule, before, now, limit in judged if limit
        ]
        self._worst_day, self._worst = day, total
        return broken

    def reset(self, equity: Floats, balance: Floats) -> None:
        """The next day starts."""
        figures = {"balance": balance, "equity": equity, "higher": np.maximum(equity, balance)}
        self._day = figures[self._rules.daily_from].copy()
        self._worst_day = np.zeros(self._day.size)
        if self._rules.trailing == "daily":
            np.maximum(self._peak, equity if self._rules.total_on == "equity" else balance, out=self._peak)


class Consistency:
    """How even the profit is: the best day against the whole.

    Args:
        initial: balances at the start.
    """

    def __init__(self, initial: Floats) -> None:
        self._before: Floats = initial.copy()
        self._best: Floats = np.zeros(initial.size)

    def add(self, balance: Floats) -> None:
        """A day has ended."""
        np.maximum(self._best, balance - self._before, out=self._best)
        self._before = balance.copy()

    def table(self, ledger: Ledger, gate: str, limit: float) -> pa.Table:
        """One row per account; the day that the data ends in counts as one."""
        best = np.maximum(self._best, ledger.balance - self._before)
        cells: list[Any] = []
        for account, most, profit in zip(
            ledger.ids, best.tolist(), (ledger.balance - ledger.initial).tolist(), strict=True
        ):
            share = rounded(100 * most / profit, 6) if profit > 0 else None
            cells += (
                account,
                gate,
                rounded(most, 2),
                rounded(profit, 2),
                share,
                limit,
                share is None or share <= limit,
            )
        return pa.Table.from_batches([make_batch(cells, _CONSISTENCY)], _CONSISTENCY)
