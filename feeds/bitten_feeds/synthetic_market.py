"""The mathematics of the synthetic market, in integers: hours from a fixed epoch, and the ticks within an hour."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bitten.clock import iso, utc_offset_ns
from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_MS, Floats, Ints
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes

VERSION: Final = 1  # part of every fingerprint: raise it when the same seed would give other quotes
HOUR_NS: Final = 3_600_000_000_000
HOUR_MS: Final = 3_600_000
DAY_HOURS: Final = 24
WEEK_HOURS: Final = 120  # Sunday 17:00 to Friday 17:00 New York; US clocks change while the market is closed
EPOCH: Final = 788_979_600_000_000_000  # Sunday 1995-01-01 17:00, written as if New York were UTC
SUB: Final = 64  # prices walk in 1/64 points

# By hour of the New York day, from 17:00 (rollover): Tokyo from the third entry, London from the eleventh, the
# London and New York overlap from the sixteenth.
_ACTIVITY: Final = (
    *(0.25, 0.35, 0.60, 0.80, 0.75, 0.60, 0.50, 0.50, 0.60, 1.00, 1.60, 1.50),
    *(1.20, 1.10, 1.30, 2.20, 2.30, 2.20, 1.70, 1.20, 1.00, 1.00, 0.80, 0.45),
)
_SPREAD: Final = (
    *(7.00, 2.50, 1.40, 1.20, 1.20, 1.20, 1.20, 1.20, 1.20, 1.10, 0.95, 0.90),
    *(0.90, 0.90, 0.85, 0.75, 0.75, 0.75, 0.80, 0.95, 0.95, 1.00, 1.20, 1.80),
)
_NEWS: Final = {15: 0.20, 17: 0.05, 21: 0.06}  # probability of news half past 8:00, 10:00 and 14:00 New York
_NEWS_TICKS: Final = 400  # for how many quotes the spread recovers
_JUMP_TICKS: Final = 40  # in how many quotes a price has taken the news in
_PULL: Final = 64  # weeks in which a deviation from the price level would fade

# What one unit costs in US dollars, roughly; the level around which a price moves.
_VALUE: Final = {
    "USD": 1.0,
    "EUR": 1.10,
    "GBP": 1.27,
    "JPY": 1 / 145,
    "CHF": 1.12,
    "AUD": 0.66,
    "NZD": 0.61,
    "CAD": 0.735,
    "SEK": 0.095,
    "NOK": 0.094,
    "DKK": 0.147,
    "PLN": 0.25,
    "HUF": 0.0028,
    "CZK": 0.043,
    "MXN": 0.055,
    "SGD": 0.745,
    "HKD": 0.128,
    "ZAR": 0.053,
    "TRY": 0.033,
    "CNH": 0.139,
    "XAU": 2000.0,
    "XAG": 25.0,
    "XPT": 950.0,
    "XPD": 1000.0,
}
_METALS: Final = ("XAU", "XAG", "XPT", "XPD")


def _student_table() -> Ints:
    """Quantiles of Student's t with 4 degrees of freedom, scaled to unit variance, x 4096, at 65536 midpoints.

    Closed form: Shaw, "Sampling Student's T distribution", Journal of Computational Finance 9(4), 2006.
    """
    p = (np.arange(32768) + 0.5) / 65536
    root = np.sqrt(4 * p * (1 - p))
    t = -2 * np.sqrt(np.cos(np.arccos(root) / 3) / root - 1)
    lower = np.rint(t / math.sqrt(2) * 4096).astype(np.int64)
    return np.concatenate([lower, -lower[::-1]])


def _gap_table() -> Ints:
    """Gaps between quotes, in arbitrary units: Weibull with shape 0.6, so that quotes come in bursts."""
    p = (np.arange(256) + 0.5) / 256
    return np.rint(16 * (-np.log1p(-p)) ** (1 / 0.6)).astype(np.int64) + 1


def _spread_table() -> Ints:
    """Factors on the hour's spread x 256: most within 0.7 and 1.4, one in twenty up to 2.5."""
    p = np.arange(256) / 255
    return np.rint(256 * (0.7 + 0.7 * p + 1.1 * np.clip((p - 0.95) / 0.05, 0, 1))).astype(np.int64)


STUDENT: Final = _student_table()
GAPS: Final = _gap_table()
SPREADS: Final = _spread_table()


def _words(count: int, seed: int, *key: int) -> NDArray[np.uint64]:
    """Raw 64-bit words of a stream of its own: numpy promises them for ever, unlike its distributions."""
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
    return np.asarray(bits.random_raw(count), "<u8")


def _uniform(words: NDArray[Any]) -> Floats:
    """16-bit numbers as midpoints in (0, 1)."""
    return (words + 0.5) / 65536


class Market:
    """One symbol's market from the epoch up to `end`: hour levels are made at once, ticks when asked for.

    Trading hours are numbered from the epoch, 120 a week; hour 0 begins on Sunday 1995-01-01 17:00 New York.
    """

    def __init__(
        self, instrument: Instrument, seed: int, quotes_per_day: int, daily_volatility: float, end: int
    ) -> None:
        self.identity = (VERSION, instrument, seed, quotes_per_day, daily_volatility)
        self._symbol = instrument.symbol
        self._seed = seed
        self._key = zlib.crc32(instrument.symbol.encode())
        self._weeks = max(1, (end - EPOCH) // (7 * DAY_HOURS * HOUR_NS) + 1)
        self._week_start = _week_starts(self._weeks)
        value = _VALUE.get(instrument.base, 100.0) / _VALUE.get(instrument.quote, 1.0)
        level = max(1, instrument.points(value)) * SUB
        volatility = self._volatility_by_hour()
        hour_words = _words(self._weeks * WEEK_HOURS, seed, self._key, 1).view("<u2").reshape(-1, 4)
        self._count = self._counts(hour_words[:, 0], volatility, quotes_per_day, instrument)
        self._sd = self._hour_sd(volatility, level * daily_volatility / 100)
        self._jump = self._jumps(hour_words[:, 1:3])
        move = STUDENT[hour_words[:, 3]] * self._sd // 4096 + self._jump
        self._open, self._move = self._levels(move, level, daily_volatility)
        by_hour = np.tile(_SPREAD, self._weeks * 5) * np.sqrt(volatility) * instrument.default_spread * 256
        self._spread = np.rint(by_hour).astype(np.int64)

    def hour_start(self, hour: int) -> int:
        """Start of a trading hour, ns UTC."""
        week, within = divmod(hour, WEEK_HOURS)
        return int(self._week_start[week]) + within * HOUR_NS

    def span(self, start: int, end: int) -> tuple[int, int]:
        """First trading hour that ends after `start`, and first that begins at or after `end`."""
        if start < self._week_start[0]:
            first = iso(int(self._week_start[0]), 0)
            raise DataError(f"synthetic quotes begin at {first} UTC, {iso(start, 0)} is before that")
        return self._hours_until(start - HOUR_NS + 1), self._hours_until(end)

    def count(self, start: int, end: int) -> int:
        """How many quotes there are with `start` <= ts < `end`."""
        first, last = self.span(start, end)
        edges = {hour for hour in (first, last - 1) if first <= hour < last}
        inside = int(self._count[first:last].sum()) - sum(int(self._count[hour]) for hour in edges)
        return inside + sum(len(q) for hour in edges for q in self.quotes(hour, hour + 1, start, end))

    def quotes(self, first: int, last: int, start: int, end: int) -> Iterator[Quotes]:
        """Quotes of the hours `first` to `last` (not included) with `start` <= ts < `end`, a chunk per hour."""
        for hour in range(first, last):
            if self._count[hour] == 0:
                continue
            ts, bid, ask = self._ticks(hour)
            begin, stop = np.searchsorted(ts, (start, end))
            if begin < stop:
                yield Quotes(self._symbol, ts[begin:stop], bid[begin:stop], ask[begin:stop])

    def _hours_until(self, instant: int) -> int:
        """How many trading hours begin before an instant."""
        week = int(np.searchsorted(self._week_start, instant)) - 1
        if week < 0:
            return 0
        within = -((int(self._week_start[week]) - instant) // HOUR_NS)
        return week * WEEK_HOURS + min(WEEK_HOURS, within)

    def _volatility_by_hour(self) -> Floats:
        """Factor on the volatility of each hour's day, mean square about 1, in steps of 1/1024."""
        shocks = STUDENT[_words(self._weeks * 5, self._seed, self._key, 0).view("<u2")[::4]].tolist()
        factors = np.empty(self._weeks * 5)
        log = 0.0
        for day, shock in enumerate(shocks):
            log = 0.94 * log + 0.16 * shock / 4096
            factors[day] = min(4.0, max(0.3, round(1024 * math.exp(log - 0.2)) / 1024))
        return np.repeat(factors, DAY_HOURS)

    def _counts(self, words: NDArray[Any], volatility: Floats, per_day: int, instrument: Instrument) -> Ints:
        """Quotes in each hour: more on lively days, none in the hour of the metals' daily break."""
        activity = np.array(_ACTIVITY) / math.fsum(_ACTIVITY)
        if instrument.base in _METALS:
            activity[0] = 0.0
        expected = np.tile(activity, self._weeks * 5) * per_day * np.sqrt(volatility) * 1.06
        counts = np.rint(expected * (0.75 + 0.5 * _uniform(words)))
        return np.where(expected > 0, np.clip(counts, 1, HOUR_MS // 2), 0).astype(np.int64)

    def _hour_sd(self, volatility: Floats, daily: float) -> Ints:
        share = np.sqrt(np.array(_ACTIVITY) / math.fsum(_ACTIVITY))
        return np.rint(np.tile(share, self._weeks * 5) * volatility * daily).astype(np.int64)

    def _jumps(self, words: NDArray[Any]) -> Ints:
        """What the news of an hour adds to its move: mostly nothing, else one to three standard deviations."""
        chance = np.zeros(DAY_HOURS)
        for hour, probability in _NEWS.items():
            chance[hour] = probability
        news = _uniform(words[:, 0]) < np.tile(chance, self._weeks * 5)
        size = 2 * _uniform(words[:, 1]) - 1
        return np.where(news, np.rint((2 * size + np.sign(size)) * self._sd), 0).astype(np.int64)

    def _levels(self, move: Ints, level: int, daily_volatility: float) -> tuple[Ints, Ints]:
        """Where each hour begins, and how far it moves; weekends bring a gap, weeks a slow pull to the level."""
        shocks = STUDENT[_words(self._weeks, self._seed, self._key, 2).view("<u2")[::4]]
        gaps = np.rint(shocks / 4096 * level * daily_volatility / 100 * 0.35).astype(np.int64).tolist()
        moves = move.reshape(-1, WEEK_HOURS)
        sums = moves.sum(axis=1).tolist()
        opens = np.empty(self._weeks, np.int64)
        drifts = np.empty(self._weeks, np.int64)
        at = level
        for week, (gap, total) in enumerate(zip(gaps, sums, strict=True)):
            at += gap
            opens[week] = at
            drift = -((at - level) // (_PULL * WEEK_HOURS))
            drifts[week] = drift
            at += total + WEEK_HOURS * drift
        moves = moves + drifts[:, None]
        return (opens[:, None] + np.cumsum(moves, axis=1) - moves).ravel(), moves.ravel()

    def _ticks(self, hour: int) -> tuple[Ints, Ints, Ints]:
        """The quotes of one hour: a walk from its first price to its last, at bursty times."""
        n = int(self._count[hour])
        words = _words(n // 4 + n // 8 + n // 64 + 4, self._seed, self._key, 3, hour)
        steps = words[: n // 4 + 1].view("<u2")[:n]
        gaps = words[n // 4 + 1 : n // 4 + n // 8 + 3].view("u1")[: n + 1]
        noise = words[n // 4 + n // 8 + 3 :].view("u1")
        index = np.arange(n, dtype=np.int64)
        elapsed = np.cumsum(GAPS[gaps])
        ms = elapsed[:n] * (HOUR_MS - n) // elapsed[n] + index

        jump = int(self._jump[hour])
        walk = np.cumsum(STUDENT[steps] * max(1, round(int(self._sd[hour]) * 64 / math.sqrt(n))) // (4096 * 64))
        excess = int(walk[-1]) - (int(self._move[hour]) - jump)
        walk += int(self._open[hour]) - (index + 1) * excess // n
        spread = np.repeat(SPREADS[noise], 8)[:n] * int(self._spread[hour]) // 65536
        if jump:
            at = int(np.searchsorted(ms, HOUR_MS // 2))
            walk[at:] += jump * np.minimum(index[: n - at] + 1, _JUMP_TICKS) // _JUMP_TICKS
            wide = min(_NEWS_TICKS, n - at)
            spread[at : at + wide] += spread[at : at + wide] * 5 * (_NEWS_TICKS - index[:wide]) // _NEWS_TICKS
        bid = np.maximum(walk // SUB, 1)
        return self.hour_start(hour) + ms * NS_PER_MS, bid, bid + np.maximum(spread, 1)


def _week_starts(weeks: int) -> Ints:
    """Sunday 17:00 New York of each week since the epoch, ns UTC."""
    local = EPOCH + np.arange(weeks, dtype=np.int64) * (7 * DAY_HOURS * HOUR_NS)
    offsets = [utc_offset_ns("America/New_York", stamp + 5 * HOUR_NS) for stamp in local.tolist()]
    return local - np.array(offsets, np.int64)
