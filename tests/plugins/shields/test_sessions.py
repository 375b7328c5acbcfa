"""Sessions by local clocks: weeks in which America and Europe differ, the rollover, and the ends of the week."""

from __future__ import annotations

import pytest

from bitten.instants import instant
from bitten_plugins.shields.sessions import NAMES, WINDOWS, open_sessions, session, windows


@pytest.mark.parametrize(
    ("when", "name"),
    [
        # winter: London 08:00-16:30 and New York 13:00-22:00 UTC
        ("2024-01-10 07:59:59", "quiet"), ("2024-01-10 08:00", "london"), ("2024-01-10 12:59:59", "london"),
        ("2024-01-10 13:00", "overlap"), ("2024-01-10 16:29:59", "overlap"), ("2024-01-10 16:30", "new_york"),
        ("2024-01-10 21:49:59", "new_york"), ("2024-01-10 21:50", "rollover"), ("2024-01-10 23:09:59", "rollover"),
        ("2024-01-10 23:10", "quiet"), ("2024-01-11 00:00", "tokyo"), ("2024-01-11 05:59:59", "tokyo"),
        ("2024-01-11 06:00", "quiet"),
        # America has set its clocks on 10 March, Europe will on the 31st
        ("2024-03-13 11:59:59", "london"), ("2024-03-13 12:00", "overlap"), ("2024-03-13 16:29:59", "overlap"),
        ("2024-03-13 16:30", "new_york"), ("2024-03-13 20:50", "rollover"), ("2024-03-13 22:10", "quiet"),
        # both in summer
        ("2024-04-10 06:59:59", "quiet"), ("2024-04-10 07:00", "london"), ("2024-04-10 12:00", "overlap"),
        ("2024-04-10 15:30", "new_york"), ("2024-04-10 20:50", "rollover"),
        # Europe has set its clocks back on 27 October, America will on 3 November
        ("2024-10-30 08:00", "london"), ("2024-10-30 12:00", "overlap"), ("2024-10-30 16:30", "new_york"),
        ("2024-10-30 20:50", "rollover"), ("2024-11-06 20:50", "new_york"), ("2024-11-06 21:50", "rollover"),
        # Friday from 15:00 New York, the weekend, and Sunday
        ("2024-04-12 18:59:59", "new_york"), ("2024-04-12 19:00", "friday_late"), ("2024-04-12 20:50", "rollover"),
        ("2024-04-12 21:00", "closed"), ("2024-04-13 12:00", "closed"), ("2024-04-14 20:59:59", "closed"),
        ("2024-04-14 21:00", "sunday_open"), ("2024-04-14 21:59:59", "sunday_open"), ("2024-04-14 22:00", "quiet"),
        ("2024-01-14 21:59:59", "closed"), ("2024-01-14 22:00", "sunday_open"), ("2024-01-14 23:00", "quiet"),
    ],
)  # fmt: skip
def test_session(when: str, name: str) -> None:
    assert NAMES[session(instant(when))] == name


def test_metals_open_an_hour_later() -> None:
    assert NAMES[session(instant("2024-04-14 22:30"), pauses=True)] == "sunday_open"
    assert NAMES[session(instant("2024-04-14 23:00"), pauses=True)] == "quiet"


def test_cities_by_their_own_clocks() -> None:
    assert open_sessions(instant("2024-04-10 13:00")) == {"london", "new_york", "overlap"}
    assert open_sessions(instant("2024-04-12 19:30")) == {"new_york", "friday_late"}
    assert open_sessions(instant("2024-04-13 13:00")) == {"closed"}


@pytest.mark.parametrize(
    ("kind", "day", "spans"),
    [
        ("london", "2024-03-13", [("2024-03-13 08:00", "2024-03-13 16:30")]),
        ("new_york", "2024-03-13", [("2024-03-13 12:00", "2024-03-13 21:00")]),
        ("new_york", "2024-01-10", [("2024-01-10 13:00", "2024-01-10 22:00")]),
        ("tokyo", "2024-03-13", [("2024-03-13 00:00", "2024-03-13 06:00")]),
        ("day", "2024-03-11", [("2024-03-10 21:00", "2024-03-11 21:00"), ("2024-03-11 21:00", "2024-03-12 21:00")]),
        ("london", "2024-04-13", []),
    ],
)
def test_windows(kind: str, day: str, spans: list[tuple[str, str]]) -> None:
    (window,) = (one for one in WINDOWS if one.name == kind)
    found = windows(window, instant(f"{day} 00:00"), instant(f"{day} 23:59"))
    assert found.tolist() == [[instant(start), instant(end)] for start, end in spans]
