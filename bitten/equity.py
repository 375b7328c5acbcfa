"""Equity over time: noted where it falls due, valued slice by slice."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from bitten.journal.memory import MemoryJournal
from bitten.ledger import Ledger
from bitten.market import Market
from bitten.model.dtypes import Floats, Ints
from bitten.model.facts import Fill
from bitten.sizing import currency_digits, points_to_money, rounded


class Held(NamedTuple):
    """Open positions of an account as columns, in the order of their fills."""

    symbol: Ints  # index among the market's
    side: Ints
    opened: Ints  # points
    lots: Floats


class EquityLog:
    """Records an account's balance and equity at instants of the current slice.

    Nothing in a run depends on these rows, so the open positions of all of them are valued together when the slice
    ends: one look-up per symbol and slice, not one per position and instant.
    """

    def __init__(self, ledger: Ledger, market: Market, journal: MemoryJournal) -> None:
        self._ledger = ledger
        self._market = market
        self._journal = journal
        self._symbols = list(market.instruments)
        self._noted: list[tuple[int, int, float]] = []  # time, account row, balance
        self._held: list[Held] = []  # of each note
        self._known: dict[int, tuple[int, Held]] = {}  # account row to what it held, and when that had changed last
        self._latest: dict[int, int] = {}  # account row to the instant of its last note

    def note(self, time: int, rows: Iterable[int]) -> None:
        """Record these accounts at an instant, once each."""
        for row in rows:
            if self._latest.get(row) == time:
                continue
            self._latest[row] = time
            self._noted.append((time, row, float(self._ledger.balance[row])))
            self._held.append(self._positions(row))

    def forget(self) -> None:
        """Let the next note be written even where its instant has one."""
        self._latest.clear()

    def write(self) -> None:
        """Value what has been noted and write it to the journal; the slice is still in the market."""
        if not self._noted:
            return
        ids, currencies = self._ledger.ids, self._ledger.currencies
        for (time, row, balance), held, profit in zip(self._noted, self._held, self._floating().tolist(), strict=True):
            worth = rounded(balance + profit, currency_digits(currencies[row]))
            self._journal.equity(time, ids[row], balance, worth, held.side.size)
        self._noted.clear()
        self._held.clear()

    def _positions(self, row: int) -> Held:
        """What an account holds; columns are made anew only after a fill or a close."""
        changes = self._ledger.changes(row)
        known = self._known.get(row)
        if known is None or known[0] != changes:
            known = changes, self._columns(self._ledger.fills(row))
            self._known[row] = known
        return known[1]

    def _columns(self, fills: Collection[Fill]) -> Held:
        facts = [
            (self._symbols.index(fill.fire.signal.symbol), fill.fire.signal.side, fill.price_points, fill.fire.lots)
            for fill in fills
        ]
        symbol, side, opened, lots = zip(*facts, strict=True) if facts else ((), (), (), ())
        return Held(np.array(symbol, np.int64), np.array(side, np.int64), np.array(opened, np.int64), np.array(lots))

    def _floating(self) -> Floats:
        """Profit of the open positions of every note, account currency, before commission, shape (notes,)."""
        sizes = [held.side.size for held in self._held]
        profit = np.zeros(len(sizes))
        if not any(sizes):
            return profit
        note = np.repeat(np.arange(len(sizes)), sizes)
        times = np.array([time for time, _, _ in self._noted])[note]
        rows = np.array([row for _, row, _ in self._noted])[note]
        symbol, side, opened, lots = (np.concatenate(column) for column in zip(*self._held, strict=True))
        money = np.zeros(note.size)
        for code in np.unique(symbol).tolist():
            of_symbol = symbol == code
            instrument = self._market.instruments[self._symbols[code]]
            for currency in {self._ledger.currencies[row] for row in np.unique(rows[of_symbol]).tolist()}:
                own = [self._ledger.currencies[row] == currency for row in range(len(self._ledger.ids))]
                which = of_symbol & np.array(own)[rows]
                bid, ask, known = self._market.quotes(instrument.symbol, times[which])
                price = np.where(side[which] > 0, bid, ask)
                points: Floats = (side[which] * (price - opened[which]) * known).astype(np.float64)
                gained = points_to_money(points, lots[which], instrument)
                money[which] = self._market.convert_many(gained, instrument.quote, currency, times[which])
        np.add.at(profit, note, money)  # in the order of the fills, however the slices are cut
        return profit
