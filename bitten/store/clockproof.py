"""Which clock a file is written in, proved by where its weekends lie.

The market closes on Friday and opens on Sunday at 17:00 New York. A clock rule fits a weekend if the last quote before
it comes within the half hour to Friday 17:00, and the first one after it soon after Sunday 17:00 (metals open an hour
later, indices keep the hours of their exchanges and prove nothing). A rule is contradicted by quotes in the middle of
the closed time. Between summers and winters, and in the weeks in which America has changed its clocks and Europe has
not, the rules come apart: `NY+7` servers then still end on Friday at 23:59 and never have a Sunday bar, `EET` servers
end at 22:59 and open on Sunday at 23:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bitten.clock import iso, to_utc
from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MINUTE, NS_PER_SECOND, Bools, Ints
from bitten.store.importer import METALS, is_pair
from bitten.store.tradingweek import CLOSE_NS, OPEN_NS, new_york_week

HOUR_NS: Final = 3600 * NS_PER_SECOND
COARSEST_NS: Final = HOUR_NS
"""Bars longer than an hour do not show when the market closed."""

ENOUGH_WEEKENDS: Final = 2
_PAUSE_NS: Final = 24 * HOUR_NS
_WEEKEND_NS: Final = (40 * HOUR_NS, 60 * HOUR_NS)  # longer ones contain a holiday and prove less
_FIT_SHARE: Final = 0.6
_CLOSING_NS: Final = 30 * NS_PER_MINUTE
_OPENING_NS: Final = 60 * NS_PER_MINUTE
_METAL_OPENING_NS: Final = 130 * NS_PER_MINUTE  # 18:00, or 01:00 of an EET server while Europe is behind America
_SLACK_NS: Final = 10 * NS_PER_MINUTE


def _offsets() -> Iterable[str]:
    """Fixed offsets in steps of half an hour, but for those that have names."""
    for half_hours in range(-24, 29):
        if half_hours not in (0, -10):
            yield f"UTC{'-' if half_hours < 0 else '+'}{abs(half_hours) // 2:02d}:{abs(half_hours) % 2 * 30:02d}"


CANDIDATES: Final = ("NY+7", "EET", "UTC", "EST", "America/New_York", "Europe/London", *_offsets())
"""Rules that are tried; of those that give the same times in a file the first one names its clock."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A clock rule and why it is the one."""

    rule: str
    reason: str


class Evidence:
    """What the stamps of one source show of its clock, gathered chunk by chunk in bounded memory.

    Args:
        symbol: only currencies and metals have the hours that prove a clock.
        bar_ns: period of bars, 0 for ticks.
    """

    def __init__(self, symbol: str, bar_ns: int = 0) -> None:
        self._symbol = symbol
        self._bar_ns = bar_ns
        self._pauses: list[tuple[int, int]] = []
        self._hours: list[Ints] = []
        self._last: int | None = None

    def add(self, time: Ints) -> None:
        """Look at the next stamps, ns since 1970 in the file's own clock."""
        if time.size == 0:
            return
        before = int(time[0]) if self._last is None else self._last
        steps = np.diff(time, prepend=before)
        for i in np.flatnonzero(steps >= _PAUSE_NS).tolist():
            self._pauses.append((int(time[i] - steps[i]), int(time[i])))
        self._hours.append(np.unique(time // HOUR_NS))
        self._last = int(time[-1])

    def prove(self, what: str) -> Proof:
        """The clock in which `what` is written.

        Raises:
            DataError: the stamps do not prove one; the message says why and what is plausible.
        """
        ask = "state it with --clock (MetaTrader servers mostly write NY+7, some EET; vendors UTC or EST)"
        if not is_pair(self._symbol):
            raise DataError(
                f"{what}: the trading hours of {self._symbol} depend on the broker and prove no clock; {ask}"
            )
        if self._bar_ns > COARSEST_NS:
            raise DataError(f"{what}: bars longer than an hour do not prove a clock; {ask}")
        pauses = np.array(self._pauses, np.int64).reshape(-1, 2)
        lengths = pauses[:, 1] - pauses[:, 0] - self._bar_ns
        weekends = (lengths >= _WEEKEND_NS[0]) & (lengths <= _WEEKEND_NS[1])
        count = int(weekends.sum())
        if count < ENOUGH_WEEKENDS:
            raise DataError(
                f"{what}: the stamps prove no clock, they span {count} weekend{'' if count == 1 else 's'} and "
                f"{ENOUGH_WEEKENDS} are needed; {ask}"
            )
        scores = [self._score(rule, pauses, weekends) for rule in CANDIDATES]
        best = min(scores, key=lambda score: (score.contradictions, -score.fits))
        if best.fits < _FIT_SHARE * count or best.fits < ENOUGH_WEEKENDS:
            raise DataError(
                f"{what}: no clock puts the weekends right, {best.rule} at best {best.fits} of {count}; {ask}"
            )
        rivals = [s for s in scores if s.contradictions == best.contradictions and s.fits > max(0, best.fits - 2)]
        return self._settle(what, best, rivals, count)

    def doubt(self, rule: str) -> str | None:
        """What the stamps say against a stated rule; None where they prove nothing or agree."""
        try:
            proof = self.prove("the stamps")
        except DataError:
            return None
        hours = np.unique(np.concatenate(self._hours)) * HOUR_NS
        if np.array_equal(to_utc(hours, rule), to_utc(hours, proof.rule)):
            return None
        return f"--clock {rule} was stated, but the weekends fit {proof.rule}: {proof.reason}"

    def _score(self, rule: str, pauses: Ints, weekends: Bools) -> _Score:
        closing = new_york_week(to_utc(pauses[:, 0] + self._bar_ns, rule))
        opening = new_york_week(to_utc(pauses[:, 1], rule))
        ends = (closing > CLOSE_NS - _CLOSING_NS) & (closing <= CLOSE_NS + _SLACK_NS)
        late = _METAL_OPENING_NS if self._symbol[:3] in METALS else _OPENING_NS
        starts = (opening >= OPEN_NS - _SLACK_NS) & (opening <= OPEN_NS + late)
        inside = [(at > CLOSE_NS + _SLACK_NS) & (at < OPEN_NS - _SLACK_NS) for at in (closing, opening)]
        return _Score(rule, int((ends & starts & weekends).sum()), int((inside[0] | inside[1]).sum()))

    def _settle(self, what: str, best: _Score, rivals: Sequence[_Score], count: int) -> Proof:
        """The best rule, if the rivals that cannot be told from it give the same times for every stamp."""
        hours = np.unique(np.concatenate(self._hours)) * HOUR_NS
        times = to_utc(hours, best.rule)
        same = []
        for rival in rivals:
            if rival.rule == best.rule:
                continue
            differs = to_utc(hours, rival.rule) != times
            if differs.any():
                at = iso(int(hours[int(np.argmax(differs))]), 0)
                raise DataError(
                    f"{what}: the weekends fit {best.rule} and {rival.rule}, which differ from {at} on; "
                    f"say which with --clock {best.rule} or --clock {rival.rule}"
                )
            same.append(rival.rule)
        alike = f"; {', '.join(same)} give the same times here" if same else ""
        return Proof(best.rule, f"{best.fits} of {count} weekends run from Friday to Sunday 17:00 New York{alike}")


@dataclass(frozen=True, slots=True)
class _Score:
    rule: str
    fits: int
    contradictions: int
