from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.errors import ConfigError, DataError
from bitten.store import parquet
from bitten.store.columns import NO_SPREAD, BarColumns, Source, TickColumns
from bitten.store.tickstore import TickStore
from bitten_feeds.horizon import Piece, slices
from bitten_feeds.parquet import ParquetConfig, ParquetFeed
from tests.feeds.builders import INSTRUMENTS, MINUTE, MS, SOURCE, START, bars, check_slice, collect, context, ticks


def store(folder: Path, row_group: int = 4, **data: TickColumns | BarColumns) -> TickStore:
    made = TickStore(folder / "data", row_group)
    for symbol, columns in data.items():
        made.add(symbol, INSTRUMENTS[symbol], columns, SOURCE)
    return made


def assert_same(found: tuple[Any, ...], wanted: TickColumns) -> None:
    for column, expected in zip(found, (wanted.ts, wanted.bid, wanted.ask), strict=True):
        np.testing.assert_array_equal(column, expected)


def test_one_symbol_comes_in_its_row_groups_without_a_copy(tmp_path: Path) -> None:
    data = ticks(range(0, 1000, 100))
    store(tmp_path, EURUSD=data)
    feed = ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD"))
    pieces = list(feed.slices())
    assert [len(piece.quotes["EURUSD"]) for piece in pieces] == [4, 4, 2]
    for piece in pieces:
        quotes = piece.quotes["EURUSD"]
        assert quotes.bid.dtype == np.int32
        assert not quotes.bid.flags.owndata  # Arrow's own memory
        assert not any(column.flags.writeable for column in (quotes.ts, quotes.bid, quotes.ask))
        assert (quotes.bar_ns, quotes.long_exit, quotes.volume) == (0, None, None)
    assert pieces[-1].horizon == data.ts[-1]
    assert_same(collect(feed)["EURUSD"], data)


instants = st.lists(st.integers(0, 40), min_size=1, max_size=40).map(sorted)


@given(streams=st.lists(instants, min_size=1, max_size=4), size=st.integers(1, 9))
def test_any_streams_cut_at_any_size_give_all_quotes_at_common_horizons(streams: list[list[int]], size: int) -> None:
    data = {f"S{i}": ticks(times) for i, times in enumerate(streams)}

    def pieces(symbol: str) -> Any:
        columns = data[symbol]
        for start in range(0, columns.ts.size, size):
            from bitten.model.quotes import Quotes

            part = slice(start, start + size)
            after = columns.ts[start + size :]
            until = int(after[0]) - 1 if after.size else 2**63 - 1
            yield Piece(Quotes(symbol, columns.ts[part], columns.bid[part], columns.ask[part]), until)

    found: dict[str, list[Any]] = {symbol: [] for symbol in data}
    previous = -(2**62)
    for piece in slices({symbol: pieces(symbol) for symbol in data}):
        check_slice(piece, previous)
        for symbol, columns in data.items():
            due = ((columns.ts > previous) & (columns.ts <= piece.horizon)).sum()
            assert due == (len(piece.quotes[symbol]) if symbol in piece.quotes else 0)
        previous = piece.horizon
        for symbol, quotes in piece.quotes.items():
            found[symbol].append(quotes.bid)
    for symbol, columns in data.items():
        np.testing.assert_array_equal(np.concatenate(found[symbol]), columns.bid)


def test_symbols_of_different_density_share_horizons(tmp_path: Path) -> None:
    dense, sparse = ticks(range(0, 5000, 7)), ticks(range(3, 5000, 500), bid=170_000)
    late = ticks(range(4900, 9000, 100), bid=100_000)
    store(tmp_path, 16, EURUSD=dense, GBPUSD=sparse, USDCHF=late)
    found = collect(ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD", "GBPUSD", "USDCHF")))
    for symbol, data in (("EURUSD", dense), ("GBPUSD", sparse), ("USDCHF", late)):
        assert_same(found[symbol], data)


@pytest.mark.parametrize("times", [[0, 1, 2, 3, 3, 3, 4, 5], [5] * 13, [0, 0, 0, 0, 0, 1, 1, 1, 1, 2]])
def test_quotes_of_one_instant_stay_together_across_row_groups(tmp_path: Path, times: list[int]) -> None:
    data = ticks(times)
    store(tmp_path, 4, EURUSD=data, GBPUSD=ticks(range(0, 40, 3)))
    feed = ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD", "GBPUSD"))
    assert_same(collect(feed)["EURUSD"], data)
    ends = [piece.quotes["EURUSD"].ts[[0, -1]] for piece in feed.slices() if "EURUSD" in piece.quotes]
    assert all(first[1] < second[0] for first, second in pairwise(ends))


def test_start_and_end_are_kept_without_decoding_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = ticks(range(0, 40_000, 100))
    store(tmp_path, 10, EURUSD=data)
    decoded = []
    real = parquet.read_row_group

    def counted(file: Any, index: int, *rest: Any) -> Any:
        decoded.append(index)
        return real(file, index, *rest)

    monkeypatch.setattr(parquet, "read_row_group", counted)
    feed = ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD", start=START + 20_050 * MS, end=START + 22_000 * MS))
    ts = collect(feed)["EURUSD"][0]
    assert ts.tolist() == [START + ms * MS for ms in range(20_100, 22_000, 100)]
    assert feed.facts().quotes == 19
    assert set(decoded) == {20, 21}  # of 40


def test_memory_holds_a_few_row_groups_whatever_the_length(tmp_path: Path) -> None:
    rows = 20_000
    long = ticks(range(60 * rows))
    store(tmp_path, rows, EURUSD=long)
    del long
    before = pa.total_allocated_bytes()
    peak = 0
    for _ in ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD")).slices():
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert 0 < peak < 4 * rows * 16


def test_facts_come_from_metadata(tmp_path: Path) -> None:
    made = TickStore(tmp_path / "data")
    made.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(50)), SOURCE)
    feed = ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD"))
    facts = feed.facts()
    assert (facts.quotes, facts.synthetic, list(facts.notes)) == (50, False, [])
    made.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(100, 150)), Source("demo", ("x",), "UTC", synthetic=True))
    after = ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD")).facts()
    assert after.synthetic
    assert after.fingerprints != facts.fingerprints


def test_a_bar_becomes_its_open_both_extremes_and_its_close(tmp_path: Path) -> None:
    store(tmp_path, EURUSD=bars([0, 1]))
    (piece,) = ParquetFeed(ParquetConfig(bars="M1"), context(tmp_path, "EURUSD")).slices()
    quotes = piece.quotes["EURUSD"]
    assert quotes.bar_ns == MINUTE
    assert (quotes.ts[:4] - START).tolist() == [0, 20_000 * MS, 40_000 * MS, MINUTE - MS]
    assert quotes.bid.tolist() == [138_000, 137_991, 138_010, 138_004, 138_001, 138_011, 137_992, 137_997]
    assert (quotes.ask - quotes.bid).tolist() == [5] * 8
    assert quotes.long_exit is not None
    assert quotes.short_exit is not None
    assert quotes.long_exit.tolist() == [138_000, 137_991, 138_010, 138_004, 138_001, 137_992, 138_011, 137_997]
    assert quotes.short_exit.tolist() == [138_005, 138_015, 137_996, 138_009, 138_006, 138_016, 137_997, 138_002]
    assert quotes.volume is not None
    assert quotes.volume.tolist() == [100, 101]


def test_with_the_bars_own_path_positions_see_what_everyone_sees(tmp_path: Path) -> None:
    store(tmp_path, EURUSD=bars([0, 1]))
    feed = ParquetFeed(ParquetConfig(bars="M1"), context(tmp_path, "EURUSD", intrabar="path"))
    (piece,) = feed.slices()
    assert piece.quotes["EURUSD"].long_exit is None
    assert piece.quotes["EURUSD"].short_exit is None


def test_an_absent_spread_is_the_default_and_is_told(tmp_path: Path) -> None:
    store(tmp_path, EURUSD=bars(range(6), spread=NO_SPREAD))
    feed = ParquetFeed(ParquetConfig(bars="M1"), context(tmp_path, "EURUSD"))
    facts = feed.facts()
    assert facts.quotes == 24
    assert list(facts.notes) == ["EURUSD: 6 of 6 M1 bars have no spread; the default of 8 points is used"]
    _, bid, ask = collect(feed)["EURUSD"]
    assert set((ask - bid).tolist()) == {8}


def test_bars_of_several_symbols_are_cut_only_between_bars(tmp_path: Path) -> None:
    holed = [minute for minute in range(40) if minute % 7]
    store(tmp_path, 4, EURUSD=bars(range(40)), GBPUSD=bars(holed), USDCHF=bars(range(20, 50)))
    feed = ParquetFeed(ParquetConfig(bars="M1"), context(tmp_path, "EURUSD", "GBPUSD", "USDCHF"))
    found = collect(feed)
    assert {symbol: columns[0].size for symbol, columns in found.items()} == {
        "EURUSD": 160, "GBPUSD": 4 * len(holed), "USDCHF": 120,
    }  # fmt: skip


def test_staggered_bars_wait_for_a_common_gap(tmp_path: Path) -> None:
    hours = [60 * hour for hour in range(30) if hour % 10]
    store(tmp_path, 2, EURUSD=bars(hours, "H1"), GBPUSD=bars([start + 30 for start in hours], "H1"))
    feed = ParquetFeed(ParquetConfig(bars="H1"), context(tmp_path, "EURUSD", "GBPUSD"))
    assert len(list(feed.slices())) == 3
    assert {columns[0].size for columns in collect(feed).values()} == {4 * 27}


def test_staggered_bars_without_a_gap_are_refused_before_they_fill_memory(tmp_path: Path) -> None:
    store(tmp_path, 2, EURUSD=bars(range(0, 60_000, 60), "H1"), GBPUSD=bars(range(30, 60_000, 60), "H1"))
    feed = ParquetFeed(ParquetConfig(bars="H1"), context(tmp_path, "EURUSD", "GBPUSD"))
    with pytest.raises(DataError, match=r"without a common end: EURUSD at .*GBPUSD at .*separate runs"):
        list(feed.slices())


def test_a_bar_is_wanted_where_all_of_it_is_in_the_range(tmp_path: Path) -> None:
    store(tmp_path, EURUSD=bars(range(10)))
    feed = ParquetFeed(
        ParquetConfig(bars="M1"), context(tmp_path, "EURUSD", start=START + MINUTE // 2, end=START + 5 * MINUTE)
    )
    ts = collect(feed)["EURUSD"][0]
    assert (ts[0], ts[-1]) == (START + MINUTE, START + 5 * MINUTE - MS)
    cut = ParquetFeed(ParquetConfig(bars="M1"), context(tmp_path, "EURUSD", end=START + 5 * MINUTE - 1))
    assert collect(cut)["EURUSD"][0][-1] == START + 4 * MINUTE - MS


def test_bars_that_overlap_are_refused_also_across_row_groups(tmp_path: Path) -> None:
    store(tmp_path, 2, EURUSD=bars([0, 60, 90, 180], "H1"))
    feed = ParquetFeed(ParquetConfig(bars="H1"), context(tmp_path, "EURUSD"))
    with pytest.raises(DataError, match="one starts at 2014-05-01 01:00:00, the next at 2014-05-01 01:30:00"):
        list(feed.slices())


def test_errors_name_the_remedy(tmp_path: Path) -> None:
    store(tmp_path, EURUSD=ticks(range(9)), GBPUSD=bars(range(9)))
    with pytest.raises(DataError, match=r"holds no EURUSE: did you mean \"EURUSD\"\?; bring .*bitten data import"):
        ParquetFeed(ParquetConfig(), _strange(tmp_path, "EURUSE"))
    with pytest.raises(DataError, match='no ticks of GBPUSD, it holds M1: replay them with bars = "M1" under'):
        ParquetFeed(ParquetConfig(), context(tmp_path, "GBPUSD"))
    with pytest.raises(DataError, match="no M5 bars of EURUSD, it holds ticks: replay them without bars"):
        ParquetFeed(ParquetConfig(bars="M5"), context(tmp_path, "EURUSD"))
    with pytest.raises(ConfigError, match='timeframe "M7" is unknown'):
        ParquetFeed(ParquetConfig(bars="M7"), context(tmp_path, "EURUSD"))
    with pytest.raises(
        DataError, match="holds no EURUSD ticks in that range of time: they run from 2014-05-01 00:00:00"
    ):
        ParquetFeed(ParquetConfig(), context(tmp_path, "EURUSD", start=1_600_000_000 * 10**9))
    with pytest.raises(DataError, match="is empty; bring quotes in with"):
        ParquetFeed(ParquetConfig(store="elsewhere"), context(tmp_path, "EURUSD"))


def test_other_digits_than_configured_are_refused(tmp_path: Path) -> None:
    from bitten.model.instruments import load_instruments

    gold = load_instruments({"XAUUSD": {"digits": 2}})["XAUUSD"]
    TickStore(tmp_path / "data").add("XAUUSD", gold, ticks(range(9)), SOURCE)
    with pytest.raises(DataError, match=r"stored with 2 digits and configured with 3: set digits = 2 under"):
        ParquetFeed(ParquetConfig(), context(tmp_path, "XAUUSD"))


def _strange(folder: Path, symbol: str) -> Any:
    from dataclasses import replace

    return replace(context(folder, "EURUSD"), symbols=(symbol,))
