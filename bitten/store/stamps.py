"""Time stamps as vendors write them, parsed by columns: every shape of stamp is found once and applied to all its rows.

A shape is recognised from one stamp (regular expression), then compared with all stamps of the same length as a matrix
of bytes. A column that mixes shapes (ISO with and without fraction, one- and two-digit days) costs one round per shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bitten.model.dtypes import NS_PER_SECOND, Bools, Ints

Bytes = NDArray[np.uint8]
Fields = dict[str, Ints]

BUDDHIST_FROM: Final = 2400
"""A year from here on is of the Buddhist era (2566 is 2023): Thai terminals write their locale's calendar."""

BUDDHIST_YEARS: Final = 543

_MAX_SHAPES: Final = 200  # more than this in one chunk is no column of stamps
_CLOCK: Final = rb"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
_ZONE: Final = rb"(?: ?(?:GMT|UTC)?(?P<sign>[+-])(?P<zone_hour>\d\d):?(?P<zone_minute>\d\d)| ?(?P<utc>Z|UTC|GMT))?"
_TIME: Final = rb"(?:[ T]" + _CLOCK + _ZONE + rb")?\Z"
_SHAPES: Final = (
    re.compile(rb"(?P<year>\d{4})[-./](?P<month>\d{1,2})[-./](?P<day>\d{1,2})" + _TIME),
    re.compile(rb"(?P<day>\d{1,2})[-.](?P<month>\d{1,2})[-.](?P<year>\d{4})" + _TIME),
    re.compile(rb"(?P<either>\d{1,2})/(?P<other>\d{1,2})/(?P<year>\d{4})" + _TIME),
    re.compile(rb"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)" + _TIME),
    re.compile(
        rb"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d) "
        rb"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?P<fraction>\d{3})?\Z"
    ),
    re.compile(rb"(?P<epoch>\d{9,10})(?:\.0+)?\Z"),
    re.compile(rb"(?P<epoch_ms>\d{12,13})\Z"),
    re.compile(rb"(?P<epoch_us>\d{15,16})\Z"),
    re.compile(rb"(?P<epoch_ns>\d{18,19})\Z"),
)
_LETTERS: Final = ("sign", "utc")
_EPOCH_NS: Final = {"epoch": NS_PER_SECOND, "epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}
_RANGES: Final = {"month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
_MONTH_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


class BadStampError(ValueError):
    """A stamp that is none; `row` counts from the start of the column."""

    def __init__(self, row: int, text: str, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.text = text


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """A parsed column: ns since 1970 in the column's own clock, or in UTC where the stamps carry an offset."""

    ns: Ints
    zoned: bool  # every stamp states its offset from UTC, so `ns` is UTC
    buddhist: int  # stamps whose year was of the Buddhist era and was converted


def parse_stamps(column: Any) -> Stamps:
    """Parse a pyarrow string (or binary) array of stamps.

    Raises:
        BadStampError: the first stamp in no known shape, out of range, or ambiguous (03/04/2019).
    """
    texts = _Texts(column)
    ns = np.zeros(len(texts), np.int64)
    zoned = buddhist = 0
    groups = list(_groups(texts))
    day_first = _day_first(groups)
    for group in groups:
        fields = group.fields
        if "either" in fields:
            either, other = fields.pop("either"), fields.pop("other")
            fields["day"], fields["month"] = (either, other) if day_first else (other, either)
        ns[group.rows], changed = _instants(group, texts)
        zoned += group.rows.size if group.zoned else 0
        buddhist += changed
    if 0 < zoned < ns.size:
        raise BadStampError(0, texts[0], "states its offset from UTC and other stamps do not, or the other way round")
    return Stamps(ns, zoned > 0, buddhist)


class _Texts:
    """The stamps of a column as bytes."""

    def __init__(self, column: Any) -> None:
        text = pc.fill_null(column.cast(pa.binary()), b"")
        start, self._count = text.offset, len(text)
        buffers = text.buffers() if self._count else (None, b"\0" * 4, b"")
        offsets = np.frombuffer(buffers[1], np.int32)[start : start + self._count + 1]
        self.offsets: Ints = offsets.astype(np.int64)
        self.lengths: Ints = np.diff(self.offsets)
        self._data: Bytes = np.frombuffer(buffers[2] or b"", np.uint8)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> str:
        return self.raw(row).decode("utf-8", "replace")

    def raw(self, row: int) -> bytes:
        return bytes(self._data[self.offsets[row] : self.offsets[row + 1]])

    def matrix(self, rows: Ints, width: int) -> Bytes:
        """The stamps of `rows`, all of one width, as a matrix; no copy where they are the whole column."""
        if rows.size == self._count:
            return self._data[self.offsets[0] : self.offsets[-1]].reshape(rows.size, width)
        picked: Bytes = self._data[self.offsets[rows][:, None] + np.arange(width)]
        return picked


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """The rows of one shape, and their numbers by name."""

    rows: Ints
    match: re.Match[bytes]
    fields: Fields

    @property
    def zoned(self) -> bool:
        named = self.match.groupdict()
        return bool(named.get("sign") or named.get("utc"))


def _groups(texts: _Texts) -> Iterator[_Group]:
    left = np.ones(len(texts), np.bool_)
    for _ in range(_MAX_SHAPES):
        if not left.any():
            return
        row = int(np.argmax(left))
        match = _match(texts.raw(row), row)
        width = len(match.string)
        rows, matrix = _fitting(match, texts, np.flatnonzero(left & (texts.lengths == width)))
        numbers = {name for name, value in match.groupdict().items() if value and name not in _LETTERS}
        yield _Group(rows, match, {name: _number(matrix, *match.span(name)) for name in numbers})
        left[rows] = False
    row = int(np.argmax(left))
    raise BadStampError(row, texts[row], "follows too many other shapes of time stamps in one column")


def _match(sample: bytes, row: int) -> re.Match[bytes]:
    for shape in _SHAPES:
        if match := shape.match(sample):
            return match
    raise BadStampError(row, sample.decode("utf-8", "replace"), "is no time stamp such as 2019-02-04 02:00:00.994")


def _fitting(match: re.Match[bytes], texts: _Texts, rows: Ints) -> tuple[Ints, Bytes]:
    """The rows that have the sample's shape: digits where it has digits, its own letters everywhere else."""
    matrix = texts.matrix(rows, len(match.string))
    named = match.groupdict()
    numbers = {i for name, value in named.items() if value and name not in _LETTERS for i in range(*match.span(name))}
    fits: Bools = np.ones(rows.size, np.bool_)
    for i, letter in enumerate(match.string):
        # the unsigned difference is above 9 for everything that is no digit
        fits &= (matrix[:, i] - np.uint8(48) <= 9) if i in numbers else (matrix[:, i] == letter)
    return (rows, matrix) if fits.all() else (rows[fits], matrix[fits])


def _number(matrix: Bytes, start: int, end: int) -> Ints:
    value = np.zeros(len(matrix), np.int64)
    for i in range(start, end):
        value = value * 10 + (matrix[:, i] - np.uint8(48))
    return value


def _day_first(groups: Sequence[_Group]) -> bool:
    """Whether 14/03/2019 starts with the day: one of the two numbers passes 12 somewhere, or nothing proves it."""
    slashed = [group for group in groups if "either" in group.fields]
    day_first = any((group.fields["either"] > 12).any() for group in slashed)
    month_first = any((group.fields["other"] > 12).any() for group in slashed)
    if slashed and day_first == month_first:
        raise BadStampError(
            int(slashed[0].rows[0]),
            slashed[0].match.string.decode(),
            "may be day/month or month/day and no row decides; write the dates year first",
        )
    return day_first


def _instants(group: _Group, texts: _Texts) -> tuple[Ints, int]:
    """The instants of a group in ns, and how many of its years were of the Buddhist era."""
    fields = group.fields
    for name, unit in _EPOCH_NS.items():
        if name in fields:
            return fields[name] * unit, 0
    late = fields["year"] >= BUDDHIST_FROM
    fields["year"] = np.where(late, fields["year"] - BUDDHIST_YEARS, fields["year"])
    _check_ranges(group, texts)
    seconds = _days(fields) * 86400 + fields.get("hour", 0) * 3600 + fields.get("minute", 0) * 60
    ns = (seconds + fields.get("second", 0)) * NS_PER_SECOND
    if "fraction" in fields:
        start, end = group.match.span("fraction")
        ns += fields["fraction"] * 10 ** (9 - (end - start))
    if "zone_hour" in fields:
        sign = -1 if group.match["sign"] == b"-" else 1
        ns -= sign * (fields["zone_hour"] * 60 + fields["zone_minute"]) * 60 * NS_PER_SECOND
    return ns, int(late.sum())


def _check_ranges(group: _Group, texts: _Texts) -> None:
    fields = group.fields
    leap = (fields["year"] % 4 == 0) & ((fields["year"] % 100 != 0) | (fields["year"] % 400 == 0))
    for name, (low, high) in _RANGES.items():
        if name not in fields:
            continue
        most: Any = high
        if name == "day":  # the month has been checked by now
            most = _MONTH_DAYS[fields["month"] - 1] + (leap & (fields["month"] == 2))
        wrong = (fields[name] < low) | (fields[name] > most)
        if wrong.any():
            at = int(np.argmax(wrong))
            row = int(group.rows[at])
            raise BadStampError(row, texts[row], f"has {name} {int(fields[name][at])}, which does not exist")


def _days(fields: Fields) -> Ints:
    """Days since 1970-01-01 of Gregorian dates (H. Hinnant, chrono-compatible low-level date algorithms)."""
    year = fields["year"] - (fields["month"] <= 2)
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((fields["month"] + 9) % 12) + 2) // 5 + fields["day"] - 1
    days: Ints = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return days
