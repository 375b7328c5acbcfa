"""Clocks: proved by weekends where a file shows enough of them, demanded where it does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.clock import to_utc, utc_offset_ns
from bitten.errors import DataError
from bitten.model.dtypes import Ints
from bitten.model.instruments import load_instruments
from bitten.store.clockproof import CANDIDATES, Evidence
from bitten.store.tradingweek import CLOSE_NS, OPEN_NS, GapCounter, closed_ns, new_york_week
from tests.store.importing import one, run, write

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
METAL_OPENING = OPEN_NS + HOUR


def instant(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def market(start: str, end: str, opening: int = OPEN_NS, step: int = HOUR) -> Ints:
    """Bar starts, ns UTC, while the market is open; metals open an hour later."""
    utc = np.arange(instant(start), instant(end), step)
    week = new_york_week(utc)
    open_ = (week < CLOSE_NS) | (week >= opening)
    if opening != OPEN_NS:
        open_ &= week % (24 * HOUR) // HOUR != 17
    return utc[open_]


def stamped(utc: Ints, rule: str) -> Ints:
    return utc + np.array([utc_offset_ns(rule, int(time)) for time in utc])


def evidence(utc: Ints, rule: str, symbol: str = "EURUSD", step: int = HOUR) -> Evidence:
    found = Evidence(symbol, step)
    for part in np.array_split(stamped(utc, rule), 7):
        found.add(part)
    return found


YEAR = market("2023-06-01", "2024-06-01")


@pytest.mark.parametrize(
    "rule", ["NY+7", "EET", "UTC", "EST", "America/New_York", "Europe/London", "UTC-03:30", "UTC+08:00"]
)
def test_a_year_proves_its_clock(rule: str) -> None:
    proof = evidence(YEAR, rule).prove("x.csv")
    assert proof.rule == rule
    assert proof.reason.startswith("52 of 52 weekends")


@pytest.mark.parametrize("rule", ["NY+7", "EET", "UTC"])
def test_gold_proves_its_clock(rule: str) -> None:
    assert evidence(market("2023-06-01", "2024-06-01", METAL_OPENING), rule, "XAUUSD").prove("x.csv").rule == rule


def test_rules_that_agree_need_not_be_told_apart() -> None:
    proof = evidence(market("2018-06-01", "2018-07-01"), "EET").prove("x.csv")
    assert proof.rule == "NY+7"
    assert "EET, UTC+03:00 give the same times here" in proof.reason


@pytest.mark.parametrize("rule", ["NY+7", "EET"])
def test_weeks_between_the_clock_changes_tell_servers_apart(rule: str) -> None:
    """2024-03-10 to 2024-03-31: America has summer, Europe has not."""
    assert evidence(market("2024-03-01", "2024-03-25"), rule).prove("x.csv").rule == rule


def test_metals_around_one_change_are_ambiguous() -> None:
    utc = market("2024-02-12", "2024-03-14", METAL_OPENING)
    with pytest.raises(
        DataError, match=r"fit NY\+7 and EET, which differ from 2024-03-11 0\d:00:00 on; .*--clock NY\+7 or"
    ):
        evidence(utc, "NY+7", "XAUUSD").prove("x.csv")


@pytest.mark.parametrize(
    ("utc", "symbol", "step", "reason"),
    [
        (market("2024-05-06", "2024-05-09"), "EURUSD", HOUR, "span 0 weekends and 2 are needed"),
        (market("2024-05-06", "2024-05-14"), "EURUSD", HOUR, "span 1 weekend and 2 are needed"),
        (YEAR, "NAS100", HOUR, "trading hours of NAS100"),
        (YEAR[::4], "EURUSD", 4 * HOUR, "longer than an hour"),
        (
            YEAR[(new_york_week(YEAR) > 2 * 24 * HOUR) & (new_york_week(YEAR) < 4 * 24 * HOUR)],
            "EURUSD",
            HOUR,
            "0 weekends",
        ),
    ],
)
def test_what_proves_nothing_is_asked_for(utc: Ints, symbol: str, step: int, reason: str) -> None:
    with pytest.raises(DataError, match=rf"^x\.csv: .*{reason}.*--clock"):
        evidence(utc, "NY+7", symbol, step).prove("x.csv")


def test_weekends_in_the_wrong_place_fit_no_clock() -> None:
    week = new_york_week(YEAR)
    at_quarter_to = YEAR[(week < 4 * 24 * HOUR + 16 * HOUR) | (week >= OPEN_NS)] - 15 * MINUTE
    with pytest.raises(DataError, match=r"no clock puts the weekends right, \S+ at best 0 of 52; state it"):
        evidence(at_quarter_to, "UTC", step=MINUTE).prove("x.csv")


def test_holidays_do_not_spoil_the_proof() -> None:
    holiday = np.abs(YEAR - instant("2023-12-24T20:00")) < 49 * HOUR
    assert evidence(YEAR[~holiday], "EET").prove("x.csv").rule == "EET"


def test_candidates_are_clocks() -> None:
    for rule in CANDIDATES:
        assert to_utc(YEAR[:1], rule).size == 1


def test_a_wrong_statement_is_doubted() -> None:
    found = evidence(YEAR, "NY+7")
    assert found.doubt("NY+7") is None
    assert "--clock UTC was stated, but the weekends fit NY+7" in (found.doubt("UTC") or "")
    assert evidence(YEAR[:50], "NY+7").doubt("UTC") is None


def csv(utc: Ints, rule: str) -> str:
    rows = "".join(
        f"{time},1.1,1.2\n"
        for time in stamped(utc, rule).astype("datetime64[ns]").astype("datetime64[s]").astype(str).tolist()
    )
    return "time,bid,ask\n" + rows


def test_ticks_are_read_twice_to_prove_their_clock(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", csv(market("2024-03-01", "2024-03-25", step=5 * MINUTE), "EET"))
    imported = one(file, store=tmp_path / "store")
    assert imported.source.clock == "EET"
    assert imported.first == instant("2024-03-01")
    assert imported.source.rules["clock"].startswith("4 of 4 weekends")


def test_clock_is_proved_over_several_files(tmp_path: Path) -> None:
    utc = market("2024-03-01", "2024-03-25", step=5 * MINUTE)
    parts = np.array_split(utc, 10)
    for i, part in enumerate(parts):
        write(tmp_path, f"quotes/EURUSD_{i}.csv", csv(part, "NY+7"))
    with pytest.raises(DataError, match="--clock"):
        run(tmp_path / "quotes/EURUSD_0.csv")
    imported = one(tmp_path / "quotes")
    assert (imported.source.clock, imported.passed) == ("NY+7", utc.size)


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ("EET", "--clock EET contradicts the format, the stamps state their offset"),
        ("CEST", '--clock: clock "CEST" is unknown'),
    ],
)
def test_wrong_statements_are_refused(tmp_path: Path, stated: str, reason: str) -> None:
    file = write(tmp_path, "EURUSD.csv", "time,bid,ask\n2020-01-01 00:00:00Z,1.1,1.2\n")
    with pytest.raises(DataError, match=reason):
        run(file, clock=stated)
    assert one(file, clock="Africa/Abidjan").source.clock == "UTC"  # another name of the same clock


@given(st.integers(instant("2020-01-01"), instant("2021-12-31")), st.integers(0, 400 * 24))
def test_closed_time_is_counted_to_the_minute(start: int, hours: int) -> None:
    start -= start % HOUR
    end = start + hours * HOUR
    each = np.arange(start, end, HOUR)
    week = new_york_week(each)
    assert closed_ns(start, end) == int(((week >= CLOSE_NS) & (week < OPEN_NS)).sum()) * HOUR


@pytest.mark.parametrize(
    ("symbol", "pause", "gaps"), [("EURUSD", 30, 0), ("EURUSD", 31, 1), ("XAUUSD", 90, 0), ("XAUUSD", 91, 1)]
)
def test_gaps_are_holes_in_the_open_market(symbol: str, pause: int, gaps: int) -> None:
    counter = GapCounter(load_instruments()[symbol])
    before_weekend = instant("2024-05-10T20:59")  # Friday 16:59 New York
    after_weekend = instant("2024-05-12T21:00")
    counter.add(np.array([before_weekend, after_weekend]))
    counter.add(np.array([after_weekend + pause * MINUTE]))
    assert counter.count == gaps
    counter.add(np.array([before_weekend]))  # the next file starts earlier
    assert counter.count == gaps


def test_gaps_of_bars_are_longer_than_three_of_them() -> None:
    counter = GapCounter(load_instruments()["EURUSD"], HOUR)
    start = instant("2024-05-07")
    counter.add(start + np.array([0, 3, 7]) * HOUR)
    assert counter.count == 1
