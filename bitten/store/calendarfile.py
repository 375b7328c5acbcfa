"""Calendars as their vendors write them: CSV with columns of many names, and ICS."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from bitten.clock import to_utc
from bitten.errors import DataError, did_you_mean
from bitten.instants import instant
from bitten.model.dtypes import NS_PER_SECOND
from bitten.store.calendar import EVERYWHERE, IMPACTS, NAME, Event, read_events

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("time", "datetime", "date time", "timestamp", "date and time", "when", "start", "release time"),
    "date": ("date", "day", "release date"),
    "currency": ("currency", "ccy", "cur", "symbol", "currency code", "country", "country code", "region"),
    "impact": ("impact", "importance", "volatility", "priority", "impact level", "strength"),
    "event": ("event", "name", "title", "event name", "indicator", "news", "description", "summary"),
}
"""Columns by what they mean, under the names that vendors give them."""

COUNTRIES: Final[Mapping[str, str]] = {
    "US": "USD", "USA": "USD", "UNITED STATES": "USD", "EU": "EUR", "EA": "EUR", "EMU": "EUR", "EUROZONE": "EUR",
    "EURO ZONE": "EUR", "EURO AREA": "EUR", "EUROPEAN UNION": "EUR", "EUROPEAN MONETARY UNION": "EUR", "DE": "EUR",
    "GERMANY": "EUR", "FR": "EUR", "FRANCE": "EUR", "IT": "EUR", "ITALY": "EUR", "ES": "EUR", "SPAIN": "EUR",
    "UK": "GBP", "GB": "GBP", "UNITED KINGDOM": "GBP", "JP": "JPY", "JAPAN": "JPY", "CH": "CHF", "SWITZERLAND": "CHF",
    "CA": "CAD", "CANADA": "CAD", "AU": "AUD", "AUSTRALIA": "AUD", "NZ": "NZD", "NEW ZEALAND": "NZD", "CN": "CNY",
    "CHINA": "CNY", "SE": "SEK", "SWEDEN": "SEK", "NO": "NOK", "NORWAY": "NOK", "MX": "MXN", "MEXICO": "MXN",
    "GLOBAL": EVERYWHERE, "WORLD": EVERYWHERE,
}  # fmt: skip

_DEGREES: Final[Mapping[str, str]] = {
    "3": "high", "h": "high", "red": "high", "***": "high", "2": "medium", "m": "medium", "med": "medium",
    "moderate": "medium", "orange": "medium", "**": "medium", "1": "low", "l": "low", "yellow": "low", "*": "low",
    "bank holiday": "holiday", "non-economic": "none", "gray": "none", "grey": "none", "0": "none", "": "none",
}  # fmt: skip
_NO_TIME: Final = re.compile(r"(|all[ -]?day|tentative|day ?\d*|tba|-)\Z", re.IGNORECASE)
_DATE: Final = re.compile(r"(\d{4})[-./]?(\d{2})[-./]?(\d{2})\Z")
_TIME: Final = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap]m)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?\Z", re.I
)


@dataclass(slots=True)
class Parsed:
    """What a calendar file holds."""

    events: list[Event] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)  # `file:line: what is wrong`
    untimed: int = 0  # rows without a time of day ("All Day"): nothing can be measured from them
    zoneless: int = 0  # events whose time names no zone, and was read by the clock

    def add(self, where: str, make: Callable[[], Event | None]) -> None:
        """Take a row, or what is wrong with it; None is a row without a time of day."""
        zoneless = self.zoneless
        try:
            event = make()
        except (DataError, ValueError) as error:
            self.bad.append(f"{where}: {error}")
            self.zoneless = zoneless
            return
        if event is None:
            self.untimed += 1
        else:
            self.events.append(event)


def read_calendar(path: Path, clock: str = "UTC") -> Parsed:
    """A calendar file: CSV, ICS, or bitten's own Parquet, told by content.

    Args:
        path: the file.
        clock: the clock of times that name no zone, by rule name.

    Raises:
        DataError: it cannot be read, or is no calendar.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        hint = f"; `bitten data calendar import FILE` makes {NAME} in the store" if path.suffix == ".parquet" else ""
        raise DataError(f"{path} cannot be read: {error.strerror}{hint}") from error
    if raw.startswith(b"PAR1"):
        return Parsed(read_events(path))
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    text = text.lstrip("\ufeff")
    if text.lstrip().upper().startswith("BEGIN:VCALENDAR"):
        from bitten.store.icsfile import parse_ics

        return parse_ics(text, path, clock)
    return parse_csv(text, path, clock)


def parse_csv(text: str, path: Path, clock: str = "UTC") -> Parsed:
    """Rows of a delimited text with a header; see `read_calendar`."""
    head = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t|", key=head.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    header = next((row for row in rows if any(cell.strip() for cell in row)), [])
    columns = _columns(header, path)
    parsed = Parsed()
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells = {role: row[i].strip() if i < len(row) else "" for role, i in columns.items()}
        width, found = len(header), len(row)
        parsed.add(f"{path}:{rows.line_num}", lambda: _event(cells, clock, parsed, width, found))  # noqa: B023  # at once
    return parsed


def _columns(header: Sequence[str], path: Path) -> dict[str, int]:
    """Which column is which."""
    names = [re.sub(r"\(.*\)", "", cell.strip(' "<>').lower()).replace("_", " ").strip() for cell in header]
    columns = {}
    for role, allowed in ROLES.items():
        places = [names.index(name) for name in allowed if name in names]
        if places:
            columns[role] = places[0]
    if "time" not in columns and "date" in columns:
        columns["time"] = columns.pop("date")
    missing = [role for role in ("time", "currency", "impact", "event") if role not in columns]
    if missing:
        raise DataError(
            f"{path}:1: no column is the {' or the '.join(missing)} of a release: its columns are "
            f'"{", ".join(header)[:100]}"; a calendar has time, currency, impact and event'
        )
    return columns


def _event(cells: Mapping[str, str], clock: str, parsed: Parsed, width: int, found: int) -> Event | None:
    if found < width:
        raise DataError(f"the row has {found} cells, the header has {width}")
    time = moment(cells.get("date", ""), cells["time"], clock, parsed)
    if time is None:
        return None
    return Event(time, currency_of(cells["currency"]), impact_of(cells["impact"]), cells["event"])


def moment(date: str, time: str, clock: str, parsed: Parsed) -> int | None:
    """A date and a time of day, or both in `time`, as ns UTC; None without a time of day."""
    if not date:
        if re.fullmatch(r"\d{10}|\d{13}", time):
            return int(time) * (NS_PER_SECOND if len(time) == 10 else 1_000_000)
        date, time = _split(time)
    day, clocked = _DATE.match(date), _TIME.match(time)
    if day and _NO_TIME.match(time):
        return None
    if not day or not clocked:
        hint = (
            "write 2014-05-02 12:30"
            if day or not re.match(r"\d\d?[-./]\d\d?[-./]\d{4}", date)
            else ("day and month cannot be told apart, write 2014-05-02")
        )
        raise DataError(f'"{f"{date} {time}".strip()}" is no date and time: {hint}')
    hour, minute, second, half, zone = clocked.groups()
    hours = int(hour) if not half else int(hour) % 12 + (12 if half.lower() == "pm" else 0)
    year, month, number = map(int, day.groups())
    naive = dt.datetime(year, month, number, hours, int(minute), int(second or 0))
    if zone:
        sign = "+00:00" if zone.upper() in ("Z", "UTC", "GMT") else zone
        return instant(f"{naive.isoformat()}{sign}")
    return by_clock(naive, clock, parsed)


def _split(text: str) -> tuple[str, str]:
    """`2014-05-02T12:30` or `2014.05.02, 12:30` as date and time."""
    match = re.match(r"([\d./-]+)(?:[T, ]\s*|\Z)(.*)", text.strip())
    return (match[1], match[2]) if match else (text, "")


def by_clock(naive: dt.datetime, clock: str, parsed: Parsed) -> int:
    """A time that names no zone, by a clock, as ns UTC; counted."""
    parsed.zoneless += 1
    return int(to_utc(np.array([instant(naive)], np.int64), clock)[0])


def currency_of(text: str) -> str:
    """A currency's code, from itself or a country.

    Raises:
        DataError: it is neither.
    """
    word = text.strip().upper()
    if word in COUNTRIES:
        return COUNTRIES[word]
    if re.fullmatch(r"[A-Z]{3}", word):
        return word
    raise DataError(f'currency is "{text}", expected a code such as USD, or {EVERYWHERE} for a release that moves all')


def impact_of(text: str) -> str:
    """One of `IMPACTS`.

    Raises:
        DataError: it is none of them.
    """
    word = re.sub(r"\s+", " ", text.strip().lower().replace("★", "*"))
    if word in _DEGREES:
        return _DEGREES[word]
    for impact in IMPACTS:
        if re.search(rf"\b{impact}\b", word):
            return impact
    raise DataError(f'impact is "{text}"{did_you_mean(word, IMPACTS)}')
