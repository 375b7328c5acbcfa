"""Dates and times as people state them, as instants."""

from __future__ import annotations

import datetime as dt

from bitten.errors import DataError

When = str | dt.date | dt.datetime
"""A date or time; without a zone it is UTC. Texts are ISO 8601: `2014-05-01`, `2014-05-01T12:30:00+02:00`."""


def instant(when: When) -> int:
    """A date or time as int64 ns UTC; a date is its midnight.

    Raises:
        DataError: a text that is no date.
    """
    if isinstance(when, str):
        try:
            when = dt.datetime.fromisoformat(when)
        except ValueError as error:
            raise DataError(f'"{when}" is no date: write 2014-05-01 or 2014-05-01T12:30:00 (UTC)') from error
    if not isinstance(when, dt.datetime):
        when = dt.datetime(when.year, when.month, when.day)
    moment = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
    since = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
