from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bitten.errors import DataError
from bitten.store.tickstore import TickStore
from bitten_feeds import frame as frame_module
from bitten_feeds.frame import FrameConfig, FrameFeed
from bitten_feeds.parquet import ParquetConfig, ParquetFeed
from tests.feeds.builders import INSTRUMENTS, SOURCE, START, bars, collect, context, ticks

TICKS = ticks(range(0, 900, 90))


def tick_frame() -> pd.DataFrame:
    return pd.DataFrame({"time": pd.to_datetime(TICKS.ts, utc=True), "bid": TICKS.bid / 1e5, "ask": TICKS.ask / 1e5})


def feed(data: Any, *symbols: str, config: FrameConfig | None = None, **rest: Any) -> FrameFeed:
    return FrameFeed(config or FrameConfig(), context(Path(), *(symbols or ("EURUSD",)), data=data, **rest))


@pytest.mark.parametrize(
    "make",
    [
        lambda f: f,
        lambda f: f.set_index("time"),
        lambda f: f.set_index("time").rename_axis(None).rename(columns={"bid": "BID", "ask": "Ask"}),
        lambda f: f.assign(time=f["time"].dt.tz_localize(None)),
        lambda f: f.assign(time=f["time"].dt.tz_convert("America/New_York").astype("datetime64[ms, America/New_York]")),
        lambda f: f.rename(columns={"time": "Timestamp"}),
        lambda f: pa.Table.from_pandas(f, preserve_index=False),
        lambda f: pl.from_pandas(f),
    ],
    ids=["pandas", "index", "unnamed index", "naive", "zone", "timestamp", "arrow", "polars"],
)
def test_frames_of_any_make_give_the_same_quotes(make: Any) -> None:
    made = feed({"EURUSD": make(tick_frame())})
    ts, bid, ask = collect(made)["EURUSD"]
    np.testing.assert_array_equal(ts, TICKS.ts)
    np.testing.assert_array_equal(bid, TICKS.bid)
    np.testing.assert_array_equal(ask, TICKS.ask)
    assert made.facts().quotes == 10
    assert not made.facts().notes


def test_frame_and_store_have_one_fingerprint_per_content(tmp_path: Path) -> None:
    one = feed({"EURUSD": tick_frame()}).facts().fingerprints["EURUSD"]
    changed = tick_frame()
    changed.loc[3, "bid"] -= 0.00001
    assert feed({"EURUSD": tick_frame()}).facts().fingerprints["EURUSD"] == one
    assert feed({"EURUSD": changed}).facts().fingerprints["EURUSD"] != one


def test_one_frame_for_several_symbols_and_one_for_one() -> None:
    both = pd.concat([tick_frame().assign(Symbol="EURUSD"), tick_frame().assign(Symbol="GBPUSD")[:4]])
    found = collect(feed(both, "EURUSD", "GBPUSD"))
    assert (found["EURUSD"][0].size, found["GBPUSD"][0].size) == (10, 4)
    assert collect(feed(tick_frame()))["EURUSD"][0].size == 10


def test_slices_are_bounded_and_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_module, "_ROWS", 4)
    made = feed({"EURUSD": tick_frame(), "GBPUSD": tick_frame()[::3]}, "EURUSD", "GBPUSD")
    assert collect(made)["EURUSD"][0].size == 10
    assert max(len(piece.quotes["EURUSD"]) for piece in made.slices()) == 4


def test_start_and_end_hold() -> None:
    ts = collect(feed({"EURUSD": tick_frame()}, start=int(TICKS.ts[2]), end=int(TICKS.ts[5])))["EURUSD"][0]
    np.testing.assert_array_equal(ts, TICKS.ts[2:5])
    with pytest.raises(DataError, match="frame of EURUSD: no rows in the configured time range"):
        feed({"EURUSD": tick_frame()}, start=START + 10**15)


def bar_frame() -> pd.DataFrame:
    made = bars(range(6))
    prices = {name: getattr(made, name) / 1e5 for name in ("open", "high", "low", "close")}
    return pd.DataFrame(prices, index=pd.to_datetime(made.time, utc=True)).assign(
        spread=made.spread, tick_volume=made.volume
    )


@pytest.mark.parametrize("intrabar", ["pessimistic", "path"])
def test_bars_come_as_they_come_from_the_store(tmp_path: Path, intrabar: str) -> None:
    TickStore(tmp_path / "data").add("EURUSD", INSTRUMENTS["EURUSD"], bars(range(6)), SOURCE)
    stored = ParquetFeed(ParquetConfig(bars="M1"), context(tmp_path, "EURUSD", intrabar=intrabar))
    (wanted,) = stored.slices()
    (found,) = feed(bar_frame(), config=FrameConfig(bars="M1"), intrabar=intrabar).slices()
    assert found.horizon == wanted.horizon
    for name in ("ts", "bid", "ask", "long_exit", "short_exit", "volume"):
        ours, theirs = getattr(found.quotes["EURUSD"], name), getattr(wanted.quotes["EURUSD"], name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs)


def test_a_frame_without_spread_or_volume_uses_the_default_and_says_so() -> None:
    frame = bar_frame().drop(columns=["spread", "tick_volume"])
    made = feed(frame, config=FrameConfig(bars="M1"))
    assert list(made.facts().notes) == ["EURUSD: 6 of 6 M1 bars have no spread; the default of 8 points is used"]
    gaps = feed(bar_frame().astype({"spread": float}).replace({"spread": {5.0: np.nan}}), config=FrameConfig(bars="M1"))
    assert gaps.facts().notes == made.facts().notes
    _, bid, ask = collect(gaps)["EURUSD"]
    assert set((ask - bid).tolist()) == {8}


def test_prices_finer_than_the_digits_are_told() -> None:
    fine = tick_frame()
    fine.loc[2, "bid"] += 0.000004
    assert list(feed(fine).facts().notes) == ["EURUSD: 1 prices were rounded to 5 digits"]


def edited(row: int, column: str, value: Any) -> pd.DataFrame:
    frame = tick_frame()
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (edited(3, "bid", np.nan), "row 4: bid is nan: drop such rows, as with frame.dropna()"),
        (edited(3, "bid", 1e20), "row 4: bid 1e+20 is no price of EURUSD"),
        (edited(3, "ask", np.inf), "row 4: ask is inf"),
        (edited(4, "bid", 0.0), "(row 5) has a bid that is not positive"),
        (edited(4, "bid", -1.2), "(row 5) has a bid that is not positive"),
        (edited(5, "bid", 1.5), "(row 6) has an ask below its bid"),
        (tick_frame()[::-1], "(row 2) is earlier than the row before it"),
        (edited(2, "time", pd.NaT), "row 3: time is absent"),
        (tick_frame().drop(columns="ask"), "the frame has no column ask; its columns are time, bid"),
        (tick_frame().astype({"bid": str}).assign(bid="high"), "the column bid is of type"),
        (tick_frame().assign(time="2014-05-01"), "make them datetimes first, as with pandas.to_datetime"),
        (tick_frame()[:0], "no rows"),
    ],
)
def test_what_must_not_enter_is_refused_by_row(frame: pd.DataFrame, text: str) -> None:
    with pytest.raises(DataError) as caught:
        feed({"EURUSD": frame})
    assert str(caught.value).startswith("frame of EURUSD: ")
    assert text in str(caught.value)


def test_wrong_bars_are_refused() -> None:
    with pytest.raises(DataError, match=r"row 1: spread is 5e-05: expected whole numbers \(points"):
        feed(bar_frame().assign(spread=0.00005), config=FrameConfig(bars="M1"))
    with pytest.raises(DataError, match="leaves its high and low"):
        feed(bar_frame().assign(close=9.0), config=FrameConfig(bars="M1"))
    with pytest.raises(DataError, match="M5 bars of EURUSD overlap"):
        feed(bar_frame(), config=FrameConfig(bars="M5"))


def test_missing_data_is_an_error_with_the_remedy() -> None:
    with pytest.raises(DataError, match=r"bitten.backtest\(..., data="):
        feed(None)
    with pytest.raises(DataError, match='the frames hold no GBPUSD: did you mean "GBPUS"'):
        feed({"EURUSD": tick_frame(), "GBPUS": tick_frame()}, "EURUSD", "GBPUSD")
    with pytest.raises(DataError, match="one frame for 2 symbols needs a column symbol"):
        feed(tick_frame(), "EURUSD", "GBPUSD")
    with pytest.raises(DataError, match="EURUSD is a list: expected a pandas DataFrame"):
        feed({"EURUSD": [1, 2]})
