"""Calendars: what vendors write, zones, bad rows, merging, and a file that is replaced as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bitten.clock import iso
from bitten.errors import BittenError, DataError
from bitten.instants import instant
from bitten.store.calendar import NAME, Event, add_events, merge, read_events
from bitten.store.calendarfile import read_calendar
from bitten.store.tickstore import TickStore

NFP = Event(instant("2014-05-02T12:30"), "USD", "high", "Non-Farm Payrolls")

ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//made//EN
BEGIN:VTIMEZONE
TZID:Wall Street
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
{events}END:VCALENDAR
"""


def written(folder: Path, text: str, name: str = "news.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def ics(folder: Path, *events: str) -> Path:
    blocks = (f"BEGIN:VEVENT\nUID:{i}\n{event}\nEND:VEVENT\n" for i, event in enumerate(events))
    return written(folder, ICS.format(events="".join(blocks)).replace("\n", "\r\n"), "news.ics")


@pytest.mark.parametrize(
    "text",
    [
        "time,currency,impact,event\n2014-05-02 12:30,USD,high,Non-Farm Payrolls\n",
        "Time;Currency;Impact;Event\n2014-05-02T12:30:00Z;usd;High;Non-Farm Payrolls\n",
        "DateTime\tCountry\tImportance\tName\n2014.05.02 12:30:00\tUnited States\t3\tNon-Farm Payrolls\n",
        "Date,Time,Currency,Impact,Title\n2014-05-02,12:30pm,USD,High Impact Expected,Non-Farm Payrolls\n",
        "date,time,ccy,volatility,description\n2014/05/02,12:30,US,***,Non-Farm Payrolls\n",
        "timestamp,symbol,priority,event,forecast\n1399033800,USD,red,Non-Farm Payrolls,215K\n",
        "timestamp,symbol,priority,event\n1399033800000,USD,h,Non-Farm Payrolls\n",
        "\ufeff\n\nTime (UTC),Currency Code,Impact Level,Name\n2014-05-02 14:30+02:00,USD,HIGH,Non-Farm Payrolls\n",
        '<TIME>,<CURRENCY>,<IMPACT>,<EVENT>\n"2014-05-02, 12:30 UTC","USD","High","Non-Farm Payrolls"\n',
        "event,impact,currency,time\nNon-Farm Payrolls,★★★,USD,20140502 12:30\n",
    ],
)
def test_columns_of_many_names(text: str, tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16"):
        parsed = read_calendar(written(tmp_path, text, encoding=encoding))
        assert (parsed.events, parsed.bad) == ([NFP], [])


def test_times_without_a_zone_are_read_by_the_clock_and_counted(tmp_path: Path) -> None:
    text = "time,currency,impact,event\n2014-01-10 08:30,USD,high,NFP\n2014-05-02 08:30,USD,high,NFP\n"
    parsed = read_calendar(written(tmp_path, f"{text}2014-05-02 12:30Z,USD,high,NFP\n"), "America/New_York")
    assert [iso(event.time, 0) for event in parsed.events] == [
        "2014-01-10 13:30:00", "2014-05-02 12:30:00", "2014-05-02 12:30:00"
    ]  # fmt: skip
    assert parsed.zoneless == 2


def test_bad_rows_are_named(tmp_path: Path) -> None:
    text = (
        "time,currency,impact,event\n2014-05-02 12:30,USD,high,NFP\n05/02/2014 08:30,USD,high,A\nsoon,USD,high,B\n\n"
        "2014-05-02 12:30,Dollar,high,C\n2014-05-02 12:30,USD,hgih,D\n2014-02-30 12:30,USD,high,E\n2014-05-02,USD\n"
        "2014-05-02 25:30,USD,high,F\n2014-05-02 All Day,GBP,holiday,May Day\n2014-05-02,GBP,high,Tentative\n"
    )
    path = written(tmp_path, text)
    parsed = read_calendar(path)
    assert len(parsed.events) == 1 and parsed.untimed == 2 and parsed.zoneless == 1
    places = [one.removeprefix(f"{path}:").split(":")[0] for one in parsed.bad]
    assert places == ["3", "4", "6", "7", "8", "9", "10"]
    words = (
        "day and month cannot be told apart", '"soon" is no date and time', 'currency is "Dollar"',
        'did you mean "high"?', "day", "the row has 2 cells, the header has 4", "hour",
    )  # fmt: skip
    for one, word in zip(parsed.bad, words, strict=True):
        assert word in one


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no column is the time or the currency or the impact or the event of a release"),
        ("time,currency,event\n", "no column is the impact"),
        ("", "no column is the time"),
    ],
)
def test_no_calendar(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        read_calendar(written(tmp_path, text))


def test_ics_with_zones(tmp_path: Path) -> None:
    path = ics(
        tmp_path,
        "DTSTART;TZID=America/New_York:20140502T083000\nSUMMARY:USD Non-Farm Payrolls\nCATEGORIES:High Impact",
        "DTSTART;TZID=Wall Street:20140110T083000\nSUMMARY:NFP\nX-CURRENCY:USD\nX-IMPACT:3",
        "DTSTART:20140508T114500Z\nSUMMARY:Rate decision\nLOCATION:Eurozone\nPRIORITY:1",
        "DTSTART:20140508T123000\nSUMMARY:GBP PMI\\, flash\nDESCRIPTION:Impact: medium",
        "DTSTART;VALUE=DATE:20140505\nSUMMARY:GBP Bank Holiday\nCATEGORIES:holiday",
    )
    parsed = read_calendar(path)
    assert parsed.bad == [] and parsed.untimed == 1 and parsed.zoneless == 1
    assert [(iso(event.time, 0), *event[1:]) for event in parsed.events] == [
        ("2014-05-02 12:30:00", "USD", "high", "USD Non-Farm Payrolls"),
        ("2014-01-10 13:30:00", "USD", "high", "NFP"),
        ("2014-05-08 11:45:00", "EUR", "high", "Rate decision"),
        ("2014-05-08 12:30:00", "GBP", "medium", "GBP PMI, flash"),
    ]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("DTSTART:garbage\nSUMMARY:USD x\nPRIORITY:1", "no DTSTART that is a date and time"),
        ("SUMMARY:USD x\nPRIORITY:1", "no DTSTART"),
        ("DTSTART:20140508T114500Z\nSUMMARY:Lunch\nPRIORITY:1", "names no currency"),
        ("DTSTART:20140508T114500Z\nSUMMARY:USD thing", "states no impact"),
        ("DTSTART:20140508T114500Z\nSUMMARY:USD thing\nPRIORITY:1\nRRULE:FREQ=WEEKLY", "repeats"),
    ],
)
def test_bad_events_are_named(event: str, words: str, tmp_path: Path) -> None:
    path = ics(tmp_path, "DTSTART:20140508T114500Z\nSUMMARY:USD y\nPRIORITY:1", event)
    parsed = read_calendar(path)
    (bad,) = parsed.bad
    assert len(parsed.events) == 1 and words in bad
    line = path.read_text().splitlines()[int(bad.removeprefix(f"{path}:").split(":")[0]) - 1]
    assert line == "BEGIN:VEVENT"


def test_ics_that_is_broken(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 events begin and 0 are whole"):
        read_calendar(written(tmp_path, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "x.ics"))


def test_ics_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(BittenError, match=r"pip install 'bitten\[calendar\]'"):
        read_calendar(ics(tmp_path, "DTSTART:20140508T114500Z\nSUMMARY:USD y\nPRIORITY:1"))


def test_merging_counts() -> None:
    other = NFP._replace(event="Unemployment Rate")
    events, counts = merge([NFP], [NFP, other, other, NFP._replace(impact="low")])
    assert events == [NFP._replace(impact="low"), other]
    assert (counts.new, counts.duplicates, counts.changed, counts.total) == (1, 2, 1, 2)


def test_stored_beside_the_quotes(tmp_path: Path) -> None:
    store = tmp_path / "data"
    later = NFP._replace(time=NFP.time + 10**9, event="Später")
    assert add_events(store, [later, NFP]).total == 2
    assert add_events(store, [NFP]).duplicates == 1
    assert read_events(store / NAME) == [NFP, later]
    table = pq.read_table(store / NAME)
    assert table.schema.names == ["time", "currency", "impact", "event"]
    assert TickStore(store).symbols() == ()  # it is no symbol
    assert read_calendar(store / NAME).events == [NFP, later]
    assert [path.name for path in store.iterdir() if not path.name.startswith(".")] == [NAME]


def test_replaced_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "data"
    add_events(store, [NFP])
    before = (store / NAME).read_bytes()

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bitten.store.calendar.pq.write_table", full)
    with pytest.raises(DataError, match="cannot be written: No space left on device; make room"):
        add_events(store, [NFP._replace(currency="EUR")])
    assert (store / NAME).read_bytes() == before


@pytest.mark.parametrize("content", [b"PAR1 and nothing more", b""])
def test_a_damaged_calendar(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(DataError, match="is no calendar of bitten, or damaged"):
        read_events(tmp_path / NAME)
    with pytest.raises(DataError, match="there is no calendar"):
        read_events(tmp_path / "other.parquet")


def test_another_table_is_no_calendar(tmp_path: Path) -> None:
    import pyarrow as pa

    pq.write_table(pa.table({"time": [1], "currency": ["USD"], "impact": ["high"], "event": ["x"]}), tmp_path / NAME)
    with pytest.raises(DataError, match="is no calendar of bitten"):
        read_events(tmp_path / NAME)
