"""Equity over time: noted where it falls due, valued slice by slice."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bitten.journal.memory import MemoryJournal
from bitten.ledger import Ledger
from bitten.market import Market
from bitten.model.dtypes import Floats
from bitten.model.facts import Fill
from bitten.sizing import currency_digits, points_to_money, rounded


class EquityLog:
    """Records an account's balance and equity at instants of the current slice.

    Nothing in a run depends on these rows, so the open positions of all of them are valued together when the slice
    ends: one look-up per symbol and slice, not one per position and instant.
    """

    def __init__(self, ledger: Ledger, market: Market, journal: MemoryJournal) -> None:
        self._ledger = ledger
        self._market = market
        self._journal = journal
        self._noted: list[tuple[int, int, float, int]] = []  # time, account row, balance, open positions
        self._held: list[tuple[int, Fill]] = []  # index of the note, open position
        self._latest: dict[int, int] = {}  # account row to the instant of its last note

    def note(self, time: int, rows: Iterable[int]) -> None:
        """Record these accounts at an instant, once each."""
        for row in rows:
            if self._latest.get(row) == time:
                continue
            self._latest[row] = time
            fills = self._ledger.fills(row)
            index = len(self._noted)
            self._held.extend((index, fill) for fill in fills)
            self._noted.append((time, row, float(self._ledger.balance[row]), len(fills)))

    def forget(self) -> None:
        """Let the next note be written even where its instant has one."""
        self._latest.clear()

    def write(self) -> None:
        """Value what has been noted and write it to the journal; the slice is still in the market."""
        floating = self._floating()
        ids, currencies = self._ledger.ids, self._ledger.currencies
        for (time, row, balance, held), profit in zip(self._noted, floating.tolist(), strict=True):
            worth = rounded(balance + profit, currency_digits(currencies[row]))
            self._journal.equity(time, ids[row], balance, worth, held)
        self._noted.clear()
        self._held.clear()

    def _floating(self) -> Floats:
        """Profit of the open positions of every note, account currency, before commission, shape (notes,)."""
        money = np.zeros(len(self._held))
        groups: dict[tuple[str, str], list[int]] = {}
        for position, (index, fill) in enumerate(self._held):
            currency = self._ledger.currencies[self._noted[index][1]]
            groups.setdefault((fill.fire.signal.symbol, currency), []).append(position)
        for (symbol, currency), positions in groups.items():
            fills = [self._held[position][1] for position in positions]
            times = np.array([self._noted[self._held[position][0]][0] for position in positions])
            side = np.array([fill.fire.signal.side for fill in fills])
            opened = np.array([fill.price_points for fill in fills])
            lots = np.array([fill.fire.lots for fill in fills])
            bid, ask, known = self._market.quotes(symbol, times)
            points: Floats = (side * (np.where(side > 0, bid, ask) - opened) * known).astype(np.float64)
            instrument = self._market.instruments[symbol]
            gained = points_to_money(points, lots, instrument)
            money[positions] = self._market.convert_many(gained, instrument.quote, currency, times)
        profit = np.zeros(len(self._noted))
        np.add.at(profit, [index for index, _ in self._held], money)  # in the order of the fills, however cut
        return profit
