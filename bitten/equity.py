"""Equity over time: noted where it falls due, valued slice by slice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from bitten.journal.memory import MemoryJournal
from bitten.ledger import Ledger
from bitten.market import Market
from bitten.model.dtypes import Floats, Ints
from bitten.model.facts import Fill
from bitten.model.instrument import Instrument
from bitten.sizing import currency_digits, points_to_money, rounded

_NOISE_FREE: Final = 6  # digits of money that no sum of positions disturbs


class Sums(NamedTuple):
    """What an account holds of one symbol, where nothing is converted and sums are all that counts."""

    symbol: str
    long_lots: float
    long_paid: float  # lots times opening price, in points
    short_lots: float
    short_paid: float


class Columns(NamedTuple):
    """What an account holds of one symbol, where each position is converted by itself."""

    symbol: str
    side: Ints
    opened: Ints  # points
    lots: Floats


Held = Sums | Columns


class EquityLog:
    """Records an account's balance and equity at instants of the current slice.

    Nothing in a run depends on these rows, so the open positions of all of them are valued together when the slice
    ends: one look-up per symbol and slice, not one per position and instant.
    """

    def __init__(self, ledger: Ledger, market: Market, journal: MemoryJournal) -> None:
        self._ledger = ledger
        self._market = market
        self._journal = journal
        self._noted: list[tuple[int, int, float]] = []  # time, account row, balance
        self._held: list[tuple[int, Sequence[Held]]] = []  # of each note: positions, by symbol
        self._known: dict[
            int, tuple[int, tuple[int, Sequence[Held]]]
        ] = {}  # account row to what it held, and when that had changed last
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
        profits = self._floating().tolist()
        for (time, row, balance), (count, _), profit in zip(self._noted, self._held, profits, strict=True):
            # a sum carries float noise, on which the rounding of half a cent must not depend
            worth = rounded(rounded(balance + profit, _NOISE_FREE), currency_digits(currencies[row]))
            self._journal.equity(time, ids[row], balance, worth, count)
        self._noted.clear()
        self._held.clear()

    def _positions(self, row: int) -> tuple[int, Sequence[Held]]:
        """What an account holds; worked out anew only after a fill or a close."""
        changes = self._ledger.changes(row)
        known = self._known.get(row)
        if known is None or known[0] != changes:
            fills = self._ledger.fills(row)
            by_symbol: dict[str, list[Fill]] = {}
            for fill in fills:
                by_symbol.setdefault(fill.fire.signal.symbol, []).append(fill)
            held = [self._on_symbol(symbol, row, some) for symbol, some in sorted(by_symbol.items())]
            known = changes, (len(fills), held)
            self._known[row] = known
        return known[1]

    def _on_symbol(self, symbol: str, row: int, fills: Sequence[Fill]) -> Held:
        converted = self._market.instruments[symbol].quote != self._ledger.currencies[row]
        return _columns(symbol, fills) if converted else _sums(symbol, fills)

    def _floating(self) -> Floats:
        """Profit of the open positions of every note, account currency, before commission, shape (notes,)."""
        profit = np.zeros(len(self._noted))
        groups: dict[tuple[str, str], list[tuple[int, Any]]] = {}  # all of the same kind
        for index, ((_, row, _), (_, held)) in enumerate(zip(self._noted, self._held, strict=True)):
            for one in held:
                groups.setdefault((one.symbol, self._ledger.currencies[row]), []).append((index, one))
        for (symbol, currency), notes in sorted(groups.items(), key=lambda group: group[0]):
            instrument = self._market.instruments[symbol]
            value = self._summed if instrument.quote == currency else self._one_by_one
            positions = [index for index, _ in notes]
            times = np.array([self._noted[index][0] for index in positions])
            profit[positions] += value(instrument, currency, [held for _, held in notes], times)
        return profit

    def _summed(self, instrument: Instrument, currency: str, held: Sequence[Sums], times: Ints) -> Floats:
        """Where nothing is converted, sums of lots and prices do: the number of positions does not matter."""
        bid, ask, known = self._market.quotes(instrument.symbol, times)
        sums = np.array([one[1:] for one in held]).T
        points: Floats = (bid * sums[0] - sums[1]) + (sums[3] - ask * sums[2])
        return points_to_money(points * known, np.ones(1), instrument)

    def _one_by_one(self, instrument: Instrument, currency: str, held: Sequence[Columns], times: Ints) -> Floats:
        """Gains and losses are converted at different sides, so every position is."""
        sizes = [one.side.size for one in held]
        note = np.repeat(np.arange(len(held)), sizes)
        side, opened, lots = (np.concatenate([one[column] for one in held]) for column in (1, 2, 3))
        bid, ask, known = (column[note] for column in self._market.quotes(instrument.symbol, times))
        points: Floats = (side * (np.where(side > 0, bid, ask) - opened) * known).astype(np.float64)
        money = self._market.convert_many(
            points_to_money(points, lots, instrument), instrument.quote, currency, times[note]
        )
        summed: Floats = np.bincount(note, weights=money, minlength=len(held)).astype(np.float64)
        return summed


def _sums(symbol: str, fills: Sequence[Fill]) -> Sums:
    long_lots = long_paid = short_lots = short_paid = 0.0
    for fill in fills:  # mostly one or two: numpy would take longer
        lots = fill.fire.lots
        if fill.fire.signal.side > 0:
            long_lots, long_paid = long_lots + lots, long_paid + lots * fill.price_points
        else:
            short_lots, short_paid = short_lots + lots, short_paid + lots * fill.price_points
    return Sums(symbol, long_lots, long_paid, short_lots, short_paid)


def _columns(symbol: str, fills: Sequence[Fill]) -> Columns:
    side = np.array([fill.fire.signal.side for fill in fills])
    opened = np.array([fill.price_points for fill in fills])
    return Columns(symbol, side, opened, np.array([fill.fire.lots for fill in fills]))
