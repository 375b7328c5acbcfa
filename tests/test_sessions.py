"""Sessions go by local clocks: the same UTC hour is in and out of them as summer time comes and goes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bitten.model.dtypes import NS_PER_SECOND
from bitten.sessions import SESSIONS, WINDOWS, in_window, session_of


def at(text: str, zone: str = "UTC") -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return int(moment.timestamp()) * NS_PER_SECOND


def named(*times: int) -> list[str]:
    return [SESSIONS[code] for code in session_of(np.array(times, np.int64)).tolist()]


@pytest.mark.parametrize(
    ("utc", "session"),
    [
        ("2024-01-10T07:59", "other"),  # winter: London opens at 08:00 UTC
        ("2024-01-10T08:00", "london"),
        ("2024-07-10T07:00", "london"),  # summer: at 07:00 UTC
        ("2024-01-10T12:59", "london"),
        ("2024-01-10T13:00", "overlap"),
        ("2024-07-10T12:00", "overlap"),
        ("2024-03-20T12:00", "overlap"),  # New York has changed its clock, London has not
        ("2024-03-20T11:59", "london"),
        ("2024-01-10T16:29", "overlap"),
        ("2024-01-10T16:30", "new_york"),
        ("2024-01-10T21:59", "new_york"),
        ("2024-01-10T22:00", "other"),
        ("2024-01-10T00:00", "tokyo"),  # Japan has no summer time
        ("2024-07-10T05:59", "tokyo"),
        ("2024-07-10T06:00", "other"),
        ("2024-01-14T23:59", "other"),  # a Sunday everywhere but in Tokyo, where it is not yet nine
        ("2024-01-15T00:00", "tokyo"),
        ("2024-01-13T13:00", "other"),  # a Saturday
    ],
)
def test_sessions_follow_local_clocks(utc, session):
    assert named(at(utc)) == [session]


def test_a_whole_year_of_quarters_agrees_with_the_clock_on_the_wall():
    times = at("2023-10-01T00:00") + np.arange(366 * 96, dtype=np.int64) * 900 * NS_PER_SECOND
    for window in WINDOWS.values():
        zone = ZoneInfo(window.clock)
        walls = [datetime.fromtimestamp(time // NS_PER_SECOND, UTC).astimezone(zone) for time in times.tolist()]
        wanted = [wall.weekday() < 5 and window.start <= wall.hour * 60 + wall.minute < window.end for wall in walls]
        assert in_window(times, window).tolist() == wanted


def test_no_instant_has_no_session_and_none_gives_none():
    assert session_of(np.zeros(0, np.int64)).tolist() == []
    order = np.random.default_rng(3).permutation(500)
    times = at("2024-03-25T00:00") + np.arange(500, dtype=np.int64) * 1800 * NS_PER_SECOND
    assert session_of(times[order]).tolist() == session_of(times)[order].tolist()
