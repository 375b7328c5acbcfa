"""Signals that were made elsewhere: every way to write them, right and wrong, and when they are given."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

import bitten
from bitten.errors import BittenError, DataError
from bitten.model.dtypes import BUY, NO_PRICE, NS_PER_MINUTE, NS_PER_SECOND, SELL, Records
from bitten.model.quotes import Quotes
from bitten.pattern import PatternContext
from bitten.testing import INSTRUMENT, random_quotes
from bitten.testing.trial import Replay, run
from bitten_feeds.signals_file import SignalsFile

QUOTES = random_quotes(np.random.default_rng(1), 3000)
FIRST, LAST = int(QUOTES.ts[0]), int(QUOTES.ts[-1])
NOON = 1_398_945_600 * NS_PER_SECOND  # 2014-05-01 12:00 UTC
MAY = Quotes("EURUSD", np.array([NOON - NS_PER_MINUTE, NOON + 10**15]), *2 * (np.array([110_000] * 2),))


def signals(path: Path, symbols: tuple[str, ...] = ("EURUSD",), **parameters: Any) -> SignalsFile:
    """An instance for EURUSD reading a file of the project's folder."""
    context = PatternContext(INSTRUMENT, "M1", NS_PER_MINUTE, path.parent, symbols)
    return SignalsFile(msgspec.convert({"path": path.name, **parameters}, SignalsFile.Config), context)


def given(pattern: SignalsFile, quotes: Quotes = MAY, cuts: list[int] | None = None) -> Records:
    """What it gives over a market."""
    return run(pattern, Replay({}, quotes), [*(cuts or []), int(quotes.ts[-1])])


def write(tmp_path: Path, text: str, name: str = "signals.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_prices_distances_ids_and_expiries(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "time,symbol,side,stop,target,stop_points,target_points,confidence,id,expiry\n"
        "2014-05-01 12:00:00,EURUSD,buy,1.38000,1.39,,,85.5,first,2014-05-01 12:05\n"
        "2014-05-01 12:01:00,EURUSD,SELL,,,150,300,,,\n"
        "2014-05-01 12:02:00,EURUSD,Long,,,,,,third,\n",
    )
    pattern = signals(path)
    rows = given(pattern)
    assert rows["time"].tolist() == [NOON, NOON + NS_PER_MINUTE, NOON + 2 * NS_PER_MINUTE]
    assert rows["side"].tolist() == [BUY, SELL, BUY]
    assert rows["stop"].tolist() == [138_000, 150, NO_PRICE]
    assert rows["target"].tolist() == [139_000, 300, NO_PRICE]
    assert rows["relative"].tolist() == [0, 1, 0]
    assert rows["confidence"].tolist() == [85.5, 100.0, 100.0]
    assert rows["expiry"].tolist() == [NOON + 5 * NS_PER_MINUTE, 0, 0]
    assert rows["anchor"].tolist() == rows["time"].tolist()
    assert set(rows["reference"]) == {NO_PRICE} and not rows["evidence"].any()
    assert pattern.external_ids == {NOON: "first", NOON + 2 * NS_PER_MINUTE: "third"}
    assert pattern.notes == []
    assert set(given(signals(path, confidence=70.0))["confidence"]) == {85.5, 70.0}


@pytest.mark.parametrize(
    ("side", "meant"),
    [("buy", 1), ("Sell", -1), ("LONG", 1), ("short", -1), ("1", 1), ("+1", 1), ("-1", -1), (" buy ", 1)],
)
def test_sides(tmp_path: Path, side: str, meant: int) -> None:
    path = write(tmp_path, f"time,symbol,side\n2014-05-01 12:00:00,EURUSD,{side}\n")
    assert given(signals(path))["side"].tolist() == [meant]


@pytest.mark.parametrize(
    ("text", "clock", "after_noon"),
    [
        ("2014-05-01 12:00:00", "UTC", 0),
        ("2014-05-01T12:00:00Z", "NY+7", 0),
        ("2014-05-01T14:00:00+02:00", "UTC", 0),
        ("2014-05-01 07:00:00-0500", "EET", 0),
        ("2014.05.01 15:00", "NY+7", 0),
        ("2014/05/01 08:00:00.250", "America/New_York", 250_000_000),
        ("2014-05-01 12:00:00,000000001", "UTC", 1),
        ("2014-05-01 07:00:00", "EST", 0),
    ],
)
def test_times_and_clocks(tmp_path: Path, text: str, clock: str, after_noon: int) -> None:
    path = write(tmp_path, f"time;symbol;side\n{text};EURUSD;buy\n")
    assert given(signals(path, clock=clock))["time"].tolist() == [NOON + after_noon]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_blank_lines_bom_and_header_case(tmp_path: Path, separator: str) -> None:
    lines = [
        ["Time", " SYMBOL", "Side"],
        ["2014-05-01 12:00:00", "EURUSD", "buy"],
        [],
        ["2014-05-01 12:01", "EURUSD", "-1"],
    ]
    path = write(tmp_path, "\ufeff" + "\r\n".join(separator.join(cells) for cells in lines))
    assert given(signals(path))["side"].tolist() == [BUY, SELL]


HEADER = "time,symbol,side,stop,target,stop_points,target_points,confidence,id,expiry\n"
ROW = HEADER + "2014-05-01 12:00,"
GOOD = "2014-05-01 12:00:00,EURUSD,buy,,,,,,x,\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "signals.csv:1: lacks the columns time, symbol, side; allowed are time, symbol, side, stop"),
        ("time,symbol\n", "signals.csv:1: lacks the columns side"),
        ("time,symbol,side,stopp\n", 'signals.csv:1: column "stopp" is unknown: did you mean "stop"?'),
        ("time,symbol,side,side\n", 'signals.csv:1: column "side" appears twice'),
        (HEADER + GOOD + "2014-05-01,EURUSD\n", "signals.csv:3: found 2 cells, the header names 10 columns"),
        (
            ROW + "EURUSD,bye,,,,,,,\n",
            'signals.csv:2: side is "bye", allowed is buy, sell, long, short, 1 or -1: did you mean "buy"?',
        ),
        (ROW + "EURUSD,,,,,,,,\n", "signals.csv:2: side is empty, allowed is buy, sell"),
        (ROW + ",buy,,,,,,,\n", "signals.csv:2: symbol is empty, allowed is the name of a symbol"),
        (
            HEADER + "01.05.2014 12:00,EURUSD,buy,,,,,,,\n",
            'signals.csv:2: time is "01.05.2014 12:00", allowed is a time',
        ),
        (HEADER + ",EURUSD,buy,,,,,,,\n", "signals.csv:2: time is empty, allowed is a time such as 2024-05-02"),
        (HEADER + "2014-02-30 12:00,EURUSD,buy,,,,,,,\n", 'time is "2014-02-30 12:00", allowed is a time that exists'),
        (ROW + "EURUSD,buy,1.38.1,,,,,,\n", 'signals.csv:2: stop is "1.38.1", allowed is a number'),
        (ROW + "EURUSD,buy,nan,,,,,,\n", 'signals.csv:2: stop is "nan", allowed is a number'),
        (ROW + "EURUSD,buy,0,,,,,,\n", 'signals.csv:2: stop is "0", allowed is a price above 0'),
        (
            ROW + "EURUSD,buy,1.39,1.38,,,,,\n",
            "signals.csv:2: a buy has its stop below its target, "
            "found stop 1.39 and target 1.38; perhaps they are swapped",
        ),
        (ROW + "EURUSD,sell,1.38,1.39,,,,,\n", "signals.csv:2: a sell has its stop above its target"),
        (ROW + "EURUSD,buy,,,15.5,,,,\n", 'stop_points is "15.5", allowed is a whole number of points'),
        (ROW + "EURUSD,buy,,,,-3,,,\n", 'target_points is "-3", allowed is a whole number of points'),
        (ROW + "EURUSD,buy,1.38,,,30,,,\n", "signals.csv:2: gives both prices and distances"),
        (ROW + "EURUSD,buy,,,,,101,,\n", 'signals.csv:2: confidence is "101", allowed is 0 to 100'),
        (HEADER + GOOD + "\n" + GOOD, 'signals.csv:4: id "x" was given before, at signals.csv:2; ids must be unique'),
        (ROW + "EURUSD,buy,,,,,,,2014-05-01 12:00\n", "allowed is a time after the signal's own"),
        (ROW + '"EURUSD,buy,,,,,,,\n', "is no CSV file in UTF-8"),
    ],
)
def test_bad_files_are_refused_in_one_line_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        signals(write(tmp_path, text))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_a_wrong_encoding_and_an_unknown_clock(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv does not exist; relative paths start at"):
        signals(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes(b"time,symbol,side\n2014-05-01 12:00,EURUSD,b\xfcy\n")
    with pytest.raises(DataError, match="is no CSV file in UTF-8"):
        signals(tmp_path / "latin.csv")
    with pytest.raises(BittenError, match='clock "Marsian" is unknown'):
        signals(write(tmp_path, "time,symbol,side\n"), clock="Marsian")
    with pytest.raises(DataError, match="is no Parquet file"):
        signals(write(tmp_path, "time,symbol,side\n", "text.parquet"))


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/London"])
def test_parquet_says_the_same_as_csv(tmp_path: Path, zone: str | None) -> None:
    text = "time,symbol,side,stop,target,confidence,id\n2014-05-01 12:00:00,EURUSD,1,1.38,1.39,80,a\n"
    text += "2014-05-01 12:00:01,EURUSD,-1,,,,\n2014-05-01 12:00:02,GBPUSD,1,1.6,1.7,50,c\n"
    path = write(tmp_path, text)
    frame = pd.read_csv(path, parse_dates=["time"])
    if zone is not None:
        frame["time"] = frame["time"].dt.tz_localize("UTC").dt.tz_convert(zone)
    frame.to_parquet(tmp_path / "signals.parquet")
    ours, theirs = signals(tmp_path / "signals.parquet"), signals(path)
    np.testing.assert_array_equal(given(ours), given(theirs))
    assert ours.external_ids == theirs.external_ids == {NOON: "a"}


def test_parquet_rows_are_checked_too(tmp_path: Path) -> None:
    pd.DataFrame({"time": ["2014-05-01 12:00"] * 2, "symbol": "EURUSD", "side": ["buy", "boy"]}).to_parquet(
        tmp_path / "s.parquet"
    )
    with pytest.raises(DataError, match=r's\.parquet: row 2: side is "boy"'):
        signals(tmp_path / "s.parquet")


def test_rows_at_one_time_have_anchors_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path, "time,symbol,side,id\n" + "".join(f"2014-05-01 12:00,EURUSD,buy,{i}\n" for i in range(3)))
    pattern = signals(path)
    assert given(pattern)["anchor"].tolist() == [NOON, NOON + 1, NOON + 2]
    assert pattern.external_ids == {NOON: "0", NOON + 1: "1", NOON + 2: "2"}


def test_symbols_nobody_trades_are_told(tmp_path: Path) -> None:
    rows = "".join(f"2014-05-01 12:00,{symbol},buy\n" for symbol in ("EURUSD", "GBPUSD", "DAX", "GBPUSD", "XAUUSD"))
    path = write(tmp_path, "time,symbol,side\n" + rows)
    pattern = signals(path, ("EURUSD", "XAUUSD"))
    assert pattern.notes == [
        "signals.csv: signals on DAX, which is not configured, left out: 1",
        "signals.csv: signals on GBPUSD, which is not configured, left out: 2",
    ]
    assert given(pattern).size == 1


def many(tmp_path: Path) -> Path:
    """Rows in no order, some before the first quote and some after the last, some at one instant."""
    rng = np.random.default_rng(5)
    span = LAST - FIRST
    times = rng.integers(FIRST - span // 10, LAST + span // 10, 300)
    times[:30] = rng.choice(QUOTES.ts, 30)
    times[30:40] = times[40:50]
    frame = pd.DataFrame({"time": pd.to_datetime(times), "symbol": "EURUSD", "side": rng.choice([-1, 1], 300)})
    frame["stop_points"] = rng.integers(10, 90, 300)
    frame.to_csv(tmp_path / "many.csv", index=False)
    return tmp_path / "many.csv"


def test_rows_are_given_once_in_order_however_the_market_is_cut(tmp_path: Path) -> None:
    path = many(tmp_path)
    pattern = signals(path)
    whole = given(pattern, QUOTES)
    assert (np.diff(whole["time"]) >= 0).all() and whole["time"].min() >= FIRST and whole["time"].max() <= LAST
    inside = 200 < whole.size < 300
    assert inside and len(set(whole["anchor"].tolist())) == whole.size
    assert any("from before its first quote, left out: " in note for note in pattern.notes)
    early = [FIRST - 10**15, FIRST - 1]  # horizons that other symbols bring
    rng = np.random.default_rng(6)
    for cuts in (early, np.sort(rng.choice(QUOTES.ts, 50)).tolist(), early + np.unique(QUOTES.ts).tolist()):
        np.testing.assert_array_equal(given(signals(path), QUOTES, cuts), whole)


def test_it_goes_on_after_being_saved(tmp_path: Path) -> None:
    path = many(tmp_path)
    whole = given(signals(path), QUOTES)
    pattern = signals(path)
    middle = int(QUOTES.ts[1500])
    early = run(pattern, Replay({}, QUOTES), [middle])
    restored = pickle.loads(pickle.dumps(pattern))
    np.testing.assert_array_equal(np.append(early, run(restored, Replay({}, QUOTES), [LAST], middle)), whole)


def test_a_stamp_at_the_end_of_a_bar_fills_at_the_next_open(tmp_path: Path) -> None:
    time = pd.date_range("2024-04-09 10:00", periods=4, freq="min")
    bars = pd.DataFrame(
        {"time": time, "open": [1.10, 1.11, 1.12, 1.13], "high": 1.20, "low": 1.00, "close": [1.11, 1.12, 1.13, 1.14],
         "spread": 10}
    )  # fmt: skip
    path = write(
        tmp_path,
        "time,symbol,side,stop_points,target_points\n"
        "2024-04-09 10:01:00,EURUSD,sell,50000,50000\n"  # the close of the first bar
        "2024-04-09 10:01:00.500,EURUSD,sell,50000,50000\n",  # within the second: its next extreme
    )
    run = bitten.backtest(
        {"patterns": [{"use": "signals_file", "params": {"path": str(path)}}], "gates": [{"use": "fixed_lots"}],
         "feed": {"use": "frame", "bars": "M1", "symbols": ["EURUSD"]}},
        data={"EURUSD": bars}, output=tmp_path,
    )  # fmt: skip
    assert run.trades["open_time"].astype(str).tolist() == [
        "2024-04-09 10:01:00+00:00", "2024-04-09 10:01:20+00:00",
    ]  # fmt: skip
    assert run.trades["open_price"].tolist() == [1.11, 1.0]
