"""From raw rows to columns that may enter the store: every repair is a stated rule, and every one is counted.

| count | what it counts | what happens to the rows |
|---|---|---|
| rows | rows of the files | |
| absent | a price is missing (NaN) | dropped |
| zero | a price is zero or negative | dropped |
| backward | steps back in time | `--backward`: error, sort, or drop the rows until time has caught up (`late`) |
| duplicates | a row repeats the one before it, time and prices | ticks `--duplicates` keep or drop; bars are dropped |
| crossed | bid above ask | `--crossed`: drop, or both become their mid; bars lose their spread, or it becomes 0 |
| filler | flat bars of zero volume with which a vendor fills closed hours | dropped |
| bad_ohlc | open or close outside low and high | dropped |
| no_spread | bars whose source states no spread | the instrument's default applies |
| rounded | prices with more decimals than the instrument | rounded |
| gaps | holes in the open market (`bitten.store.tradingweek`) | |

Two quotes with one time and different prices are no duplicates: servers stamp in milliseconds and prices move faster.
A bar time can exist once: bars of one time that differ are an error, or with `--duplicates drop` the first one stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from bitten.clock import iso, to_utc
from bitten.errors import DataError
from bitten.model.dtypes import Bools, Floats, Ints
from bitten.model.instrument import Instrument, to_points
from bitten.store.columns import TickColumns
from bitten.store.importer import RawTicks

Crossed = Literal["drop", "mid"]
Duplicates = Literal["keep", "drop"]
Backward = Literal["error", "sort", "drop"]

ALWAYS: Final = ("rows", "duplicates", "backward", "crossed", "zero", "absent", "gaps")
"""Counts that are told even where they are 0."""

MOST_POINTS: Final = 9e18
"""Points that fit int64, with a little to spare."""

_LOSSY: Final = 1e-3  # part of a point that is more than the noise of a double


@dataclass(frozen=True, slots=True)
class Policy:
    """What shall happen to doubtful rows; `duplicates` None is keep for ticks and drop for bars."""

    crossed: Crossed = "drop"
    duplicates: Duplicates | None = None
    backward: Backward = "error"

    def rules(self, bars: bool) -> Mapping[str, str]:
        """The rules in force, as they are stored beside the data."""
        return {
            "crossed": self.crossed,
            "duplicates": self.duplicates or ("drop" if bars else "keep"),
            "backward": self.backward,
        }


class Tally:
    """Counts by name."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = dict.fromkeys(ALWAYS, 0)

    def add(self, name: str, count: int | np.integer | np.bool_) -> None:
        """Count some more."""
        if count:
            self._counts[name] = self._counts.get(name, 0) + int(count)

    def counts(self) -> dict[str, int]:
        """A copy of the counts."""
        return dict(self._counts)


class TickCleaner:
    """Cleans the ticks of one file, chunk by chunk.

    Args:
        instrument: says what a point is.
        clock: rule by which the file's stamps become UTC.
        policy: what happens to doubtful rows.
        tally: counts what happened.
        where: tells the place of a row of the file, counted from 0, for messages.
    """

    def __init__(
        self, instrument: Instrument, clock: str, policy: Policy, tally: Tally, where: Callable[[int], str]
    ) -> None:
        self._instrument = instrument
        self._clock = clock
        self._policy = policy
        self._tally = tally
        self._where = where
        self._row = 0
        self._newest: int | None = None  # latest time so far
        self._previous: int | None = None  # time of the last sound row
        self._before: tuple[int, int, int] | None = None  # the last row that came through
        self._held: list[TickColumns] = []  # with `sort`, everything until the end of the file

    def clean(self, raw: RawTicks) -> TickColumns:
        """The rows of the next chunk that may enter; with `sort` none before `finish`.

        Raises:
            DataError: time steps back and the policy is to refuse that.
        """
        self._tally.add("rows", raw.time.size)
        sound = sound_rows(self._tally, raw.bid, raw.ask)
        rows = self._row + np.flatnonzero(sound)
        self._row += raw.time.size
        check_prices(self._instrument, lambda row: self._where(int(rows[row])), bid=raw.bid[sound], ask=raw.ask[sound])
        ts = to_utc(raw.time[sound], self._clock)
        digits = self._instrument.digits
        bid, ask = raw.bid[sound], raw.ask[sound]
        self._tally.add("rounded", lossy_prices(digits, bid, ask))
        ticks = TickColumns(ts, to_points(bid, digits), to_points(ask, digits))
        late = self._late(ts, rows)
        if self._policy.backward == "sort":
            self._held.append(ticks)
            return _pick(ticks, slice(0, 0))
        return self._settle(_pick(ticks, ~late))

    def finish(self) -> TickColumns | None:
        """What was held back; call it after the file's last chunk."""
        if not self._held:
            return None
        ts, bid, ask = (np.concatenate([getattr(held, name) for held in self._held]) for name in ("ts", "bid", "ask"))
        self._held = []
        return self._settle(_pick(TickColumns(ts, bid, ask), np.argsort(ts, kind="stable")))

    def _late(self, ts: Ints, rows: Ints) -> Bools:
        """Rows older than one before them; counts the steps back, or refuses the first."""
        if ts.size == 0:
            return np.zeros(0, np.bool_)
        newest = int(ts[0]) if self._newest is None else self._newest
        late, steps = late_rows(ts, newest, int(ts[0]) if self._previous is None else self._previous)
        self._newest, self._previous = max(newest, int(ts.max())), int(ts[-1])
        self._tally.add("backward", steps.size)
        if steps.size and self._policy.backward == "error":
            raise backward_error(self._where(int(rows[steps[0]])), int(ts[steps[0]]))
        if self._policy.backward == "drop":
            self._tally.add("late", late.sum())
        return late

    def _settle(self, ticks: TickColumns) -> TickColumns:
        """Duplicates and crossed quotes of rows in order."""
        if ticks.ts.size == 0:
            return ticks
        repeated = np.ones(ticks.ts.size, np.bool_)
        for i, column in enumerate((ticks.ts, ticks.bid, ticks.ask)):
            repeated[1:] &= column[1:] == column[:-1]
            repeated[0] &= self._before is not None and column[0] == self._before[i]
        self._before = int(ticks.ts[-1]), int(ticks.bid[-1]), int(ticks.ask[-1])
        self._tally.add("duplicates", repeated.sum())
        if self._policy.duplicates == "drop":
            ticks = _pick(ticks, ~repeated)
        crossed = ticks.bid > ticks.ask
        self._tally.add("crossed", crossed.sum())
        if self._policy.crossed == "drop":
            return _pick(ticks, ~crossed)
        mid = (ticks.bid + ticks.ask) // 2
        return TickColumns(ticks.ts, np.where(crossed, mid, ticks.bid), np.where(crossed, mid, ticks.ask))


def sound_rows(tally: Tally, *prices: Floats) -> Bools:
    """Rows whose prices are all there and positive; counts the others."""
    absent = np.zeros(prices[0].size, np.bool_)
    zero = np.zeros(prices[0].size, np.bool_)
    for column in prices:
        absent |= ~np.isfinite(column)
        zero |= column <= 0
    tally.add("absent", absent.sum())
    tally.add("zero", (zero & ~absent).sum())
    return ~(absent | zero)


def check_prices(instrument: Instrument, where: Callable[[int], str], **prices: Floats) -> None:
    """See that prices fit int64 points.

    Args:
        instrument: says what a point is.
        where: tells the place of a row of these prices.
        prices: finite prices by the name of their column.

    Raises:
        DataError: one does not fit; with `file:line`.
    """
    for name, column in prices.items():
        absurd = np.flatnonzero(np.abs(column) > MOST_POINTS / instrument.scale)
        if absurd.size:
            row = int(absurd[0])
            raise DataError(f"{where(row)}: {name} {column[row]:.12g} is no price of {instrument.symbol}")


def late_rows(time: Ints, newest: int, previous: int) -> tuple[Bools, Ints]:
    """Rows older than one before them, and the rows at which time steps back.

    Args:
        time: of consecutive rows, not empty.
        newest: latest time of all rows before.
        previous: time of the row before.
    """
    late: Bools = time < np.maximum(np.maximum.accumulate(time), newest)
    return late, np.flatnonzero(np.diff(time, prepend=previous) < 0)


def lossy_prices(digits: int, *prices: Floats) -> int:
    """How many prices have more decimals than the instrument, so that rounding loses something."""
    lost = 0
    for column in prices:
        scaled = column * 10.0**digits
        lost += int((np.abs(scaled - np.rint(scaled)) > _LOSSY).sum())
    return lost


def backward_error(place: str, time: int) -> DataError:
    """Time steps back and nobody has said what to do."""
    return DataError(
        f"{place}: time steps back to {iso(time)} UTC; choose --backward sort (puts the rows in order) "
        "or --backward drop (leaves out rows until time has caught up)"
    )


def _pick(ticks: TickColumns, which: Bools | Ints | slice) -> TickColumns:
    return TickColumns(ticks.ts[which], ticks.bid[which], ticks.ask[which])
