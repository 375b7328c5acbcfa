"""Calendars in ICS, read by the library `icalendar` (extra `calendar`)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bitten.errors import BittenError, DataError
from bitten.instants import instant
from bitten.store.calendar import IMPACTS, Event
from bitten.store.calendarfile import COUNTRIES, Parsed, by_clock, currency_of, impact_of

if TYPE_CHECKING:
    from icalendar import Component

CURRENCIES: Final = frozenset(
    (
        "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "CNY", "CNH", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
        "TRY", "ZAR", "MXN", "BRL", "INR", "KRW", "SGD", "HKD", "ILS", "THB", "IDR",
    )
)  # fmt: skip
"""Codes that are looked for in an event's texts, where none of its properties names one."""

_TEXTS: Final = ("CATEGORIES", "SUMMARY", "DESCRIPTION", "LOCATION")
_BY_PRIORITY: Final = ((1, 4, "high"), (5, 5, "medium"), (6, 9, "low"))  # RFC 5545, 3.8.1.9


def parse_ics(text: str, path: Path, clock: str = "UTC") -> Parsed:
    """The events of an ICS text, zones respected; times that name none are read by the clock.

    Currency and impact are taken from `X-CURRENCY` and `X-IMPACT`, from categories, from the summary and description
    ("USD Non-Farm Payrolls", "Impact: High"), the impact at last from the priority.

    Raises:
        BittenError: `icalendar` is not installed.
        DataError: the text is no calendar.
    """
    try:
        from icalendar import Calendar
    except ImportError as error:
        raise BittenError(
            f"{path} is ICS, which takes the library icalendar: pip install 'bitten[calendar]', or bring a CSV"
        ) from error
    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except ValueError as error:
        raise DataError(f"{path}: no ICS calendar: {error}") from error
    parsed = Parsed()
    numbers = [i for i, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if len(events) != len(numbers):
        raise DataError(f"{path}: {len(numbers):,} events begin and {len(events):,} are whole: the file is broken")
    for number, event in zip(numbers, events, strict=True):
        parsed.add(f"{path}:{number}", lambda: _event(event, clock, parsed))  # noqa: B023  # called at once
    return parsed


def _event(event: Component, clock: str, parsed: Parsed) -> Event | None:
    start: Any = event.get("DTSTART")
    try:
        when = None if start is None else start.dt
    except ValueError:  # how newer versions of the library tell what older ones leave out
        when = None
    if when is None:
        raise DataError("the event has no DTSTART that is a date and time")
    if event.get("RRULE") is not None:
        raise DataError("the event repeats (RRULE), which a calendar of releases does not: list its dates")
    if not isinstance(when, dt.datetime):
        return None
    time = instant(when) if when.tzinfo is not None else by_clock(when, clock, parsed)
    name = str(event.get("SUMMARY", "")).strip()
    return Event(time, _currency(event), _impact(event), name)


def _texts(event: Component) -> Iterator[str]:
    for name in _TEXTS:
        value: Any = event.get(name)
        for one in value if isinstance(value, list) else [value]:
            parts = getattr(one, "cats", None)
            yield from map(str, parts) if parts is not None else [] if one is None else [str(one)]


def _currency(event: Component) -> str:
    if event.get("X-CURRENCY") is not None:
        return currency_of(str(event["X-CURRENCY"]))
    for text in _texts(event):
        if text.strip().upper() in COUNTRIES:
            return COUNTRIES[text.strip().upper()]
        for word in re.findall(r"\b[A-Z]{3}\b", text):
            if word in CURRENCIES:
                return str(word)
    raise DataError("the event names no currency: X-CURRENCY, or a code such as USD in its summary or categories")


def _impact(event: Component) -> str:
    if event.get("X-IMPACT") is not None:
        return impact_of(str(event["X-IMPACT"]))
    for text in _texts(event):
        found = re.search(rf"\b({'|'.join(IMPACTS[:4])})\b(?=[ -]*(?:impact|importance)|\s*\Z|\))", text, re.IGNORECASE)
        found = found or re.search(rf"(?:impact|importance)\W+({'|'.join(IMPACTS)})\b", text, re.IGNORECASE)
        if found:
            return found[1].lower()
    priority = int(event.get("PRIORITY", 0))
    for first, last, impact in _BY_PRIORITY:
        if first <= priority <= last:
            return impact
    raise DataError('the event states no impact: X-IMPACT, "High" among its categories, or a PRIORITY of 1 to 9')
