from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bitten.errors import DataError
from bitten.instants import instant
from bitten.model.dtypes import Ints
from bitten.store.check import Check, check
from bitten.store.checkpicture import blocks, picture
from bitten.store.columns import NO_SPREAD, Source, TickColumns
from bitten.store.openmarket import closures
from bitten.store.profile import week_positions
from bitten.store.tickstore import TickStore
from bitten.store.tradingweek import CLOSE_NS, OPEN_NS, new_york_week
from tests.feeds.builders import INSTRUMENTS, SOURCE, bars

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
SPRING = instant("2014-03-03")  # with the American clock change of 9 March


def open_minutes(weeks: int = 3, start: int = SPRING, opening: int = OPEN_NS) -> Ints:
    """Every minute of the open market by New York time."""
    minutes = start + np.arange(weeks * 7 * 1440, dtype=np.int64) * MINUTE
    position = week_positions(minutes)
    return minutes[(position < CLOSE_NS) | (position >= opening)]


def quotes(ts: Ints, rollover: bool = True) -> TickColumns:
    """A calm market; spreads of 30 points from 17:00 to 18:00 New York, else 6."""
    bid = 138_000 + np.arange(ts.size, dtype=np.int64) % 7
    wide = (week_positions(ts) // HOUR % 24 == 17) & rollover
    return TickColumns(ts, bid, bid + np.where(wide, 30, 6))


def checked(folder: Path, data: TickColumns, symbol: str = "EURUSD", row_group: int = 5000) -> Check:
    store = TickStore(folder, row_group)
    store.add(symbol, INSTRUMENTS[symbol], data, SOURCE)
    return check(store, symbol, "ticks", INSTRUMENTS[symbol])


def test_clean_weeks_have_nothing_to_tell(tmp_path: Path) -> None:
    data = quotes(open_minutes())
    found = checked(tmp_path, data)
    assert found.rows == data.ts.size
    assert (found.gaps, found.outliers, found.closed_rows, found.saturday_rows, found.repeated) == (0, 0, 0, 0, 0)
    assert found.clock.shift_hours == 0
    assert found.clock.text == (
        "plausible: 3 of 3 weekends run from Friday 17:00 to Sunday 17:00 New York; "
        "spreads are widest at 17:00 New York"
    )
    assert sum(found.days.values()) == found.rows
    assert found.thin_days == 0


@pytest.mark.parametrize("hours", [-5, -1, 1, 2, 3, 7])
def test_a_clock_that_is_not_utc_is_told_by_how_much(tmp_path: Path, hours: int) -> None:
    shifted = quotes(open_minutes())
    found = checked(tmp_path, replace(shifted, ts=shifted.ts + hours * HOUR))
    assert found.clock.shift_hours == hours
    assert not found.clock.plausible
    where = "ahead of" if hours > 0 else "behind"
    assert f"looks shifted, {abs(hours)} h {where} UTC" in found.clock.text
    assert found.closed_rows > 0


def test_without_a_weekend_the_rollover_tells(tmp_path: Path) -> None:
    week = open_minutes(1, instant("2014-05-05"))
    data = quotes(week[week < instant("2014-05-09")])
    assert checked(tmp_path / "a", data).clock.shift_hours == 0
    late = checked(tmp_path / "b", replace(data, ts=data.ts + 3 * HOUR))
    assert late.clock.shift_hours == 3
    assert "widest at 20:00 New York instead of 17:00" in late.clock.text
    silent = checked(tmp_path / "c", quotes(data.ts, rollover=False))
    assert silent.clock.shift_hours is None
    assert silent.clock.plausible
    assert "not judged" in silent.clock.text


def test_gold_opens_an_hour_later_and_pauses_every_day(tmp_path: Path) -> None:
    minutes = open_minutes(opening=OPEN_NS + HOUR)
    traded = minutes[week_positions(minutes) // HOUR % 24 != 17]
    found = checked(tmp_path, quotes(traded), "XAUUSD")
    assert found.gaps == 0
    assert found.clock.shift_hours == 0
    as_a_pair = checked(tmp_path, quotes(traded), "EURUSD")
    assert as_a_pair.gaps == 15  # the pauses and the late openings are holes in a market that has none
    assert as_a_pair.clock.text.startswith("not judged: weekends do not run from Friday to Sunday 17:00 New York")


def test_gaps_are_open_time_longest_first(tmp_path: Path) -> None:
    ts = open_minutes()
    holes = [("2014-03-05T10:00", "2014-03-05T12:00"), ("2014-03-07T20:00", "2014-03-09T23:30"),
             ("2014-03-12T10:00", "2014-03-12T10:29")]  # fmt: skip
    for start, end in holes:
        ts = ts[(ts <= instant(start)) | (ts >= instant(end))]
    found = checked(tmp_path, quotes(ts))
    assert found.gaps == 2  # the last one is shorter than half an hour
    assert [(gap.start, gap.open_ns / HOUR) for gap in found.longest_gaps] == [
        (
            instant("2014-03-07T20:00"),
            4.5,
        ),  # two hours before the close in winter time, 2.5 after the opening in summer
        (instant("2014-03-05T10:00"), 2.0),
    ]
    assert found.gap_ns == 6.5 * HOUR


def test_a_gap_between_bars_starts_where_the_bar_ends(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add("EURUSD", INSTRUMENTS["EURUSD"], bars([0, 60, 240, 480], "H1"), SOURCE)
    found = check(store, "EURUSD", "H1", INSTRUMENTS["EURUSD"])
    assert [gap.open_ns / HOUR for gap in found.longest_gaps] == []  # two missing bars are no gap, three are not more
    store.add("EURUSD", INSTRUMENTS["EURUSD"], bars([780], "H1", price=138_005), SOURCE)
    found = check(store, "EURUSD", "H1", INSTRUMENTS["EURUSD"])
    assert [(gap.start, gap.open_ns / HOUR) for gap in found.longest_gaps] == [(instant("2014-05-01T09:00"), 4.0)]


def test_holidays_are_named(tmp_path: Path) -> None:
    ts = open_minutes(2, instant("2014-12-22"))
    ts = ts[(ts < instant("2014-12-24T18:00")) | (ts > instant("2014-12-26T08:00"))]
    found = checked(tmp_path, quotes(ts))
    assert [gap.holiday for gap in found.longest_gaps] == ["Christmas"]


@pytest.mark.parametrize("daily", [False, True])
def test_closures_follow_new_york_through_its_clock_changes(daily: bool) -> None:
    for year, spans in ((2014, ("2014-03-04", "2014-03-18")), (2023, ("2023-10-27", "2023-11-10"))):
        found = list(closures(*map(instant, spans), daily))
        assert all(one[1] <= two[0] for one, two in pairwise(found)), year
        weekends = [closed for closed in found if closed[1] - closed[0] > 30 * HOUR]
        assert len(weekends) == 2
        for closed, opened in weekends:
            position = new_york_week(np.array([closed, opened]))
            assert position.tolist() == [CLOSE_NS, OPEN_NS + (HOUR if daily else 0)]
        assert len(found) - len(weekends) == (8 if daily else 0)


def test_single_wrong_prices_are_found_once_each(tmp_path: Path) -> None:
    data = quotes(open_minutes())
    bid = data.bid.copy()
    for at in (100, 4999, 5000, 9_998, 20_000):  # some at the seams of row groups
        bid[at] -= 400
    bid[12_000:12_003] += 500  # one that lasts three quotes
    bid[15_000:] += 900  # a real move: it stays
    found = checked(tmp_path, TickColumns(data.ts, bid, np.maximum(data.ask, bid) + 1))
    assert found.outliers == 5
    assert [outlier.time for outlier in found.first_outliers] == data.ts[[100, 4999, 9998, 12_000, 20_000]].tolist()
    assert found.first_outliers[0].before - found.first_outliers[0].price > 390


def test_a_bar_with_an_absurd_wick_is_an_outlier(tmp_path: Path) -> None:
    made = bars(range(2000))
    high, low = made.high.copy(), made.low.copy()
    high[700] += 2000
    low[900] -= 2000
    store = TickStore(tmp_path)
    spread = np.where(np.arange(2000) < 50, NO_SPREAD, made.spread)
    store.add("EURUSD", INSTRUMENTS["EURUSD"], replace(made, high=high, low=low, spread=spread), SOURCE)
    found = check(store, "EURUSD", "M1", INSTRUMENTS["EURUSD"])
    assert [outlier.price for outlier in found.first_outliers] == [high[700], low[900]]
    assert found.absent_spreads == 50
    assert sum(hour.quotes for hour in found.hours) == 1950


def test_spreads_by_hour_are_exact(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    ts = open_minutes(1)
    bid = np.full(ts.size, 138_000)
    spread = generator.integers(0, 300, ts.size)
    spread[77] = 40_000
    found = checked(tmp_path, TickColumns(ts, bid, bid + spread))
    for hour in found.hours:
        inside = np.sort(spread[ts // HOUR % 24 == hour.hour])
        assert hour.quotes == inside.size
        assert hour.mean == pytest.approx(inside.mean())
        assert hour.median == inside[-(-inside.size // 2) - 1]
        assert hour.p95 == inside[int(np.ceil(0.95 * inside.size)) - 1]
        assert hour.widest == inside[-1]
    assert found.wide_spreads == 1


def test_weekend_repeated_and_thin_rows_are_counted(tmp_path: Path) -> None:
    ts = open_minutes(2)
    saturday = instant("2014-03-08T12:00") + np.arange(30) * MINUTE
    tuesday = (ts >= instant("2014-03-11")) & (ts < instant("2014-03-12"))
    kept = ts[~tuesday | (ts % (20 * MINUTE) == 0)]
    data = quotes(np.sort(np.concatenate((kept, saturday, kept[:1]))))
    bid = data.bid.copy()
    bid[1] = bid[0]
    found = checked(tmp_path, TickColumns(data.ts, bid, bid + 6))
    assert (found.closed_rows, found.saturday_rows) == (30, 30)
    assert (found.repeated, found.thin_days) == (1, 1)


def test_a_range_is_checked_alone(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add("EURUSD", INSTRUMENTS["EURUSD"], quotes(open_minutes()), SOURCE)
    found = check(store, "EURUSD", "ticks", INSTRUMENTS["EURUSD"], instant("2014-03-05"), instant("2014-03-06"))
    assert found.rows == 1440
    with pytest.raises(DataError, match="holds no EURUSD ticks in that range of time: they run from 2014-03-03"):
        check(store, "EURUSD", "ticks", INSTRUMENTS["EURUSD"], instant("2015-03-05"), instant("2015-03-06"))


def test_what_is_found_does_not_depend_on_row_groups(tmp_path: Path) -> None:
    data = quotes(open_minutes())
    bid = data.bid.copy()
    bid[::1777] += 300
    marred = TickColumns(data.ts[::3], bid[::3], bid[::3] + 6)
    results = [checked(tmp_path / str(size), marred, row_group=size) for size in (7, 100, 1_000_000)]
    assert results[0] == results[1] == results[2]
    assert results[0].outliers > 0


def test_the_picture_is_svg_for_light_and_dark(tmp_path: Path) -> None:
    data = quotes(open_minutes())
    store = TickStore(tmp_path)
    store.add("EURUSD", INSTRUMENTS["EURUSD"], data, Source("demo", ("<&>",), "UTC", synthetic=True))
    found = check(store, "EURUSD", "ticks", INSTRUMENTS["EURUSD"])
    text = picture(found)
    root = ET.fromstring(text)
    assert "prefers-color-scheme: dark" in text
    assert "SYNTHETIC" in text
    rectangles = [node for node in root.iter() if node.tag.endswith("rect")]
    assert len(rectangles) == 24 + (max(found.days) - min(found.days) + 1)
    for node in rectangles:
        assert float(node.attrib["height"]) >= 0
        assert 0 <= float(node.attrib["x"]) <= 900


def test_a_long_history_is_drawn_with_days_put_together(tmp_path: Path) -> None:
    days = instant("2010-01-01") + np.arange(2000, dtype=np.int64) * 24 * HOUR
    text = picture(checked(tmp_path, quotes(days)))
    assert "Rows per 5 days" in text
    assert text.count("<rect") < 450


def test_block_characters_keep_the_shape() -> None:
    assert blocks([0, 1, 4, 8], 10) == " ▁▄█"
    assert blocks([1, 1, 8, 8], 2) == "▁█"
    assert blocks([], 5) == ""
