from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.errors import DataError
from bitten.model.instruments import load_instruments
from bitten.store import commit, parquet, transaction
from bitten.store.columns import NO_SPREAD, BarColumns, Source, TickColumns
from bitten.store.tickstore import TickStore
from tests.feeds.builders import INSTRUMENTS, MINUTE, MS, SOURCE, START, bars, ticks

EURUSD = INSTRUMENTS["EURUSD"]
HOUR_MS = 3_600_000


def part(columns: TickColumns, start: int, stop: int) -> TickColumns:
    return TickColumns(columns.ts[start:stop], columns.bid[start:stop], columns.ask[start:stop])


def content(store: TickStore, symbol: str = "EURUSD", kind: str = "ticks") -> list[tuple[int, ...]]:
    columns = store.read(symbol, kind=kind)
    names = ("ts", "bid", "ask") if isinstance(columns, TickColumns) else ("time", "open", "high", "low", "close")
    return list(zip(*(getattr(columns, name).tolist() for name in names), strict=True))


def rows_of(columns: TickColumns) -> list[tuple[int, ...]]:
    return list(zip(columns.ts.tolist(), columns.bid.tolist(), columns.ask.tolist(), strict=True))


def files(store: TickStore) -> dict[str, bytes]:
    return {path.relative_to(store.path).as_posix(): path.read_bytes() for path in store.path.rglob("*.parquet")}


def test_months_become_files_and_come_back_as_they_were(tmp_path: Path) -> None:
    data = ticks(range(0, 80 * 24 * HOUR_MS, HOUR_MS))
    store = TickStore(tmp_path)
    added = store.add("EURUSD", EURUSD, data, SOURCE)
    assert (added.new, added.same, added.first, added.last) == (1920, 0, data.ts[0], data.ts[-1])
    assert sorted(files(store)) == [f"EURUSD/2014-0{month}.parquet" for month in (5, 6, 7)]
    assert content(store) == rows_of(data)
    assert content(TickStore(tmp_path)) == rows_of(data)
    assert (store.symbols(), store.kinds("EURUSD")) == (("EURUSD",), ("ticks",))


def test_turns_of_months_are_utc_midnights(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    turn = np.datetime64("2016-03-01", "ns").astype(np.int64)  # after a 29 February
    store.add("EURUSD", EURUSD, TickColumns(np.array([turn - 1, turn]), np.array([5, 6]), np.array([7, 8])), SOURCE)
    assert store.read("EURUSD", end=int(turn)).ts.tolist() == [turn - 1]  # type: ignore[union-attr]
    assert sorted(files(store)) == ["EURUSD/2016-02.parquet", "EURUSD/2016-03.parquet"]


def test_bars_lie_beside_ticks_and_keep_absent_spreads(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    made = bars(range(6))
    spread = np.array([5, NO_SPREAD, 0, 7, NO_SPREAD, 1])
    store.add("EURUSD", EURUSD, replace(made, spread=spread), SOURCE)
    store.add("EURUSD", EURUSD, ticks(range(5)), SOURCE)
    store.add("EURUSD", EURUSD, bars(range(0, 600, 60), "H1"), SOURCE)
    assert store.kinds("EURUSD") == ("ticks", "M1", "H1")
    found = store.read("EURUSD", kind="M1")
    assert isinstance(found, BarColumns)
    for name in ("time", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    np.testing.assert_array_equal(found.spread, spread)
    assert store.holding("EURUSD", "M1").absent_spreads == 2


@pytest.mark.parametrize(("unit_ns", "unit"), [(10**9, "ms"), (10**6, "ms"), (10**3, "us"), (1, "ns")])
def test_times_are_stored_in_the_coarsest_exact_unit(tmp_path: Path, unit_ns: int, unit: str) -> None:
    ts = START + np.array([0, 1, 5, 9]) * unit_ns
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, TickColumns(ts, np.arange(1, 5), np.arange(1, 5)), SOURCE)
    file = pq.ParquetFile(tmp_path / "EURUSD" / "2014-05.parquet")
    assert file.schema_arrow.field("time").type == pa.timestamp(unit, tz="UTC")
    assert file.metadata.metadata[b"bitten.time_unit"] == unit.encode()
    np.testing.assert_array_equal(store.read("EURUSD").ts, ts)  # type: ignore[union-attr]


def test_points_are_int32_until_they_need_more(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add(
        "EURUSD", EURUSD, TickColumns(START + np.arange(2), np.array([1, 2**31 - 1]), np.array([2, 2**31])), SOURCE
    )
    schema = pq.ParquetFile(tmp_path / "EURUSD" / "2014-05.parquet").schema_arrow
    assert (schema.field("bid").type, schema.field("ask").type) == (pa.int32(), pa.int64())
    assert store.read("EURUSD").ask.tolist() == [2, 2**31]  # type: ignore[union-attr]


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, ticks(range(7)), SOURCE)
    path = tmp_path / "EURUSD" / "2014-05.parquet"
    raw = {
        k.decode(): v.decode() for k, v in pq.ParquetFile(path).metadata.metadata.items() if k.startswith(b"bitten.")
    }
    assert raw["bitten.format"] == "1"
    assert (raw["bitten.symbol"], raw["bitten.kind"], raw["bitten.digits"]) == ("EURUSD", "ticks", "5")
    assert (raw["bitten.point"], raw["bitten.rows"], raw["bitten.counts"]) == ("0.00001", "7", '{"rows": 3}')
    assert '"format":"truefx"' in raw["bitten.sources"]
    assert parquet.read_meta(path).sources == (SOURCE,)
    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    assert "DELTA_BINARY_PACKED" in column.encodings
    assert column.compression == "UNCOMPRESSED"


def test_the_same_rows_give_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    code = (
        "import sys; from bitten.store.tickstore import TickStore; from tests.feeds.builders import *;"
        "TickStore(sys.argv[1]).add('EURUSD', INSTRUMENTS['EURUSD'], ticks(range(500)), SOURCE)"
    )
    for name, seed in (("a", "1"), ("b", "2")):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path.cwd()), "PATH": ""}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True, env=environment)
    assert files(TickStore(tmp_path / "a")) == files(TickStore(tmp_path / "b"))


def test_a_fingerprint_is_of_the_content_alone(tmp_path: Path) -> None:
    data = ticks(range(0, 5000, 3))
    one, two, other = (TickStore(tmp_path / name, size) for name, size in (("a", 10), ("b", 1000), ("c", 10)))
    one.add("EURUSD", EURUSD, data, SOURCE)
    for start in range(0, data.ts.size, 400):
        two.add("EURUSD", EURUSD, part(data, start, start + 400), Source("mt5_ticks", (str(start),), "EET"))
    ask = data.ask.copy()
    ask[77] += 1
    other.add("EURUSD", EURUSD, TickColumns(data.ts, data.bid, ask), SOURCE)
    assert one.holding("EURUSD").fingerprint == two.holding("EURUSD").fingerprint
    assert one.holding("EURUSD").fingerprint != other.holding("EURUSD").fingerprint


def test_again_is_nothing_new_and_touches_no_file(tmp_path: Path) -> None:
    data = ticks([0, 0, 1, 1, 1, 2, 3 * HOUR_MS, 40 * 24 * HOUR_MS])
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, data, SOURCE)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    again = store.add("EURUSD", EURUSD, data, Source("other", ("b.csv",), "UTC"))
    assert (again.new, again.same) == (0, 8)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == before
    assert store.holding("EURUSD").sources == (SOURCE,)


def test_overlapping_rows_that_agree_are_merged(tmp_path: Path) -> None:
    data = ticks(range(0, 4 * HOUR_MS, 60_000))
    store = TickStore(tmp_path)
    assert store.add("EURUSD", EURUSD, part(data, 60, 150), SOURCE).new == 90
    middle = store.add("EURUSD", EURUSD, part(data, 100, 200), SOURCE)
    assert (middle.new, middle.same) == (50, 50)
    before = store.add("EURUSD", EURUSD, part(data, 0, 80), SOURCE)
    assert (before.new, before.same) == (60, 20)
    assert content(store) == rows_of(part(data, 0, 200))


def test_a_hole_is_filled_from_either_side(tmp_path: Path) -> None:
    data = ticks(range(0, 6 * HOUR_MS, 60_000))
    store = TickStore(tmp_path)
    for start, stop in ((0, 100), (200, 360), (100, 130), (170, 210), (130, 170)):
        store.add("EURUSD", EURUSD, part(data, start, stop), SOURCE)
    assert content(store) == rows_of(data)


def test_rows_that_differ_are_refused_with_both_sides(tmp_path: Path) -> None:
    data = ticks(range(0, HOUR_MS, 1000))
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, data, SOURCE)
    before = files(store)
    bid = data.bid.copy()
    bid[1234] -= 3
    with pytest.raises(DataError) as caught:
        store.add("EURUSD", EURUSD, TickColumns(data.ts, bid, data.ask), Source("histdata", ("h.csv",), "EST"))
    for text in (
        "EURUSD ticks overlap", "first at 2014-05-01 00:20:34.000000000 UTC", "bid 1.38053 ask 1.38061 and bid 1.38050",
        "between truefx (a.csv) and histdata (h.csv)", "--on-overlap keep or --on-overlap replace",
    ):  # fmt: skip
        assert text in str(caught.value)
    assert files(store) == before
    assert not (tmp_path / ".staging").exists()


def test_two_vendors_are_never_interleaved(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, ticks(range(0, HOUR_MS, 1000)), SOURCE)
    with pytest.raises(DataError, match=r"00:00:01.500000000 UTC: nothing at that time and bid 1.38000 ask 1.38008"):
        store.add("EURUSD", EURUSD, ticks(range(1500, HOUR_MS, 1000)), SOURCE)
    with pytest.raises(DataError, match=r"M1 bars overlap .* open 1.38003 .* and open 1.50000 .* spread 5 volume 103?"):
        store.add("EURUSD", EURUSD, bars(range(30)), SOURCE)
        store.add("EURUSD", EURUSD, bars(range(3, 30), price=150_000), SOURCE)


@pytest.fixture
def rivals() -> tuple[TickColumns, TickColumns]:
    """Two vendors over six hours: the second starts an hour later, ends an hour later, and has a hole of an hour."""
    first = ticks(range(0, 6 * HOUR_MS, 60_000))
    minutes = [minute for minute in range(60, 420) if not 180 <= minute < 240]
    return first, ticks([minute * 60_000 + 500 for minute in minutes], bid=139_000)


def test_keep_and_replace_leave_no_stray_rows_of_the_loser(
    tmp_path: Path, rivals: tuple[TickColumns, TickColumns]
) -> None:
    stored, new = rivals
    keeper = TickStore(tmp_path / "keep")
    keeper.add("EURUSD", EURUSD, stored, SOURCE)
    kept = keeper.add("EURUSD", EURUSD, new, SOURCE, on_overlap="keep")
    assert (kept.new, kept.same, kept.kept, kept.replaced) == (61, 0, 239, 0)
    minutes = [(row[0] - START) / MINUTE for row in content(keeper)]
    assert minutes[:360] == list(range(360))
    assert all(minute >= 359 for minute in minutes[360:])

    replacer = TickStore(tmp_path / "replace")
    replacer.add("EURUSD", EURUSD, stored, SOURCE)
    swapped = replacer.add("EURUSD", EURUSD, new, SOURCE, on_overlap="replace")
    assert (swapped.new, swapped.kept) == (300, 0)
    found = content(replacer)
    vendor = ["new" if row[0] % MINUTE else "old" for row in found]
    assert vendor == ["old"] * 61 + ["new"] * 120 + ["old"] * 61 + ["new"] * 180


def test_keep_counts_what_agrees_as_the_same(tmp_path: Path) -> None:
    data = ticks(range(0, 3 * HOUR_MS, 60_000))
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, data, SOURCE)
    bid = data.bid.copy()
    bid[100] -= 1
    added = store.add("EURUSD", EURUSD, TickColumns(data.ts, bid, data.ask), SOURCE, on_overlap="keep")
    assert added.new == added.replaced == 0
    assert added.same + added.kept == 180
    assert added.kept >= 1
    assert content(store) == rows_of(data)
    swapped = store.add("EURUSD", EURUSD, TickColumns(data.ts, bid, data.ask), SOURCE, on_overlap="replace")
    assert swapped.new == swapped.replaced > 0
    assert content(store) == rows_of(TickColumns(data.ts, bid, data.ask))


def test_an_instant_may_have_several_quotes_and_keeps_their_order(tmp_path: Path) -> None:
    ts = START + np.array([5, 5, 5, 6]) * MS
    data = TickColumns(ts, np.array([9, 7, 8, 1]), np.array([9, 8, 8, 3]))
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, data, SOURCE)
    assert content(store) == rows_of(data)
    other = TickColumns(ts, np.array([7, 9, 8, 1]), np.array([8, 9, 8, 3]))
    with pytest.raises(DataError, match="overlap"):
        store.add("EURUSD", EURUSD, other, SOURCE)


moments = st.lists(st.integers(0, 60), min_size=1, max_size=60).map(sorted)


@given(times=moments, cuts=st.lists(st.integers(0, 60), max_size=5), again=st.lists(st.integers(0, 60), max_size=5))
def test_a_file_read_in_any_pieces_is_stored_once(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], cuts: list[int], again: list[int]
) -> None:
    """Pieces may end in the middle of an instant; reading the file again in other pieces brings nothing new."""
    data = ticks([time * 1000 * 60 for time in times])
    store = TickStore(tmp_path_factory.mktemp("store"))
    for cut, new in ((cuts, len(times)), (again, 0)):
        edges = sorted({0, *(c for c in cut if c < len(times)), len(times)})
        with store.transaction() as tx:
            added = [tx.add("EURUSD", EURUSD, part(data, a, b), SOURCE) for a, b in pairwise(edges)]
        assert sum(piece.new for piece in added) == new
        assert sum(piece.new + piece.same for piece in added) == len(times)
        assert content(store) == rows_of(data)


@given(order=st.permutations(range(8)), twice=st.booleans())
def test_files_in_any_order_give_one_history(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], twice: bool
) -> None:
    data = ticks(range(0, 8 * HOUR_MS, 40_000))
    store = TickStore(tmp_path_factory.mktemp("store"))
    with store.transaction() as tx:
        for number in [*order, *(order if twice else [])]:
            tx.add("EURUSD", EURUSD, part(data, number * 90, number * 90 + 100), Source("x", (str(number),), "UTC"))
    assert content(store) == rows_of(part(data, 0, 720))


def test_rows_leave_memory_while_an_import_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "SPILL_ROWS", 100)
    data = ticks(range(0, 70 * 24 * HOUR_MS, HOUR_MS))
    store = TickStore(tmp_path)
    with store.transaction() as tx:
        for start in range(0, data.ts.size, 60):
            tx.add("EURUSD", EURUSD, part(data, start, start + 60), SOURCE)
            assert sum(month.resident for month in tx._months.values()) <= 100
        assert list((tmp_path / ".staging").rglob("*.parquet"))
        again = tx.add("EURUSD", EURUSD, part(data, 100, 400), SOURCE)
        assert (again.new, again.same) == (0, 300)
    assert content(store) == rows_of(data)
    assert not (tmp_path / ".staging").exists()


def test_counts_grow_with_the_pieces_and_the_last_ones_stay(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    with store.transaction() as tx:
        for total in (10, 20, 30):
            tx.add("EURUSD", EURUSD, ticks(range(total - 10, total)), replace(SOURCE, counts={"rows": total}))
    (source,) = store.holding("EURUSD").sources
    assert source.counts == {"rows": 30}


def test_every_month_of_an_import_has_its_final_counts(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    with store.transaction() as tx:
        for day in (0, 20, 40):
            tx.add("EURUSD", EURUSD, ticks([day * 24 * HOUR_MS]), replace(SOURCE, counts={"rows": day}))
    for path in (tmp_path / "EURUSD").iterdir():
        assert [source.counts for source in parquet.read_meta(path).sources] == [{"rows": 40}]


def test_pieces_of_two_files_may_alternate(tmp_path: Path) -> None:
    """The first file goes on in the middle of an instant after the second one has gone further."""
    data = ticks([0, 1000, 1000, 2000, 3000])
    store = TickStore(tmp_path)
    with store.transaction() as tx:
        tx.add("EURUSD", EURUSD, part(data, 0, 3), Source("x", ("1",), "UTC"))
        tx.add("EURUSD", EURUSD, part(data, 3, 4), Source("x", ("2",), "UTC"))
        more = tx.add("EURUSD", EURUSD, part(data, 2, 4), Source("x", ("1",), "UTC"), on_overlap="keep")
        tx.add("EURUSD", EURUSD, part(data, 4, 5), Source("x", ("2",), "UTC"))
    assert more.new == 0
    assert content(store) == rows_of(data)


def test_a_reader_waits_for_a_commit_that_is_under_way(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, ticks(range(3)), SOURCE)
    (tmp_path / "EURUSD" / "2014-05.parquet").rename(tmp_path / "held")
    with commit._locked(tmp_path, wait=False):
        new = tmp_path / ".staging" / "new" / "EURUSD"
        new.mkdir(parents=True)
        (tmp_path / "held").rename(new / "2014-05.parquet")
        (tmp_path / ".commit.json").write_text('["EURUSD/2014-05.parquet"]')
        found: list[tuple[str, ...]] = []
        reader = threading.Thread(target=lambda: found.append(TickStore(tmp_path).symbols()))
        reader.start()
        reader.join(0.2)
        assert reader.is_alive()
    reader.join(10)
    assert found == [("EURUSD",)]


def test_several_symbols_are_committed_together_or_not_at_all(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    with store.transaction() as tx:
        tx.add("EURUSD", EURUSD, ticks(range(5)), SOURCE)
        tx.add("GBPUSD", INSTRUMENTS["GBPUSD"], bars(range(5)), SOURCE)
    before = files(store)

    def failing() -> None:
        with store.transaction() as tx:
            tx.add("EURUSD", EURUSD, ticks(range(10, 20)), SOURCE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert files(store) == before
    assert not (tmp_path / ".staging").exists()


def test_a_refused_addition_leaves_the_rest_of_its_transaction(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    may = ticks(range(0, HOUR_MS, 60_000))
    june = TickColumns(may.ts + 31 * 24 * HOUR_MS * MS, may.bid, may.ask)
    store.add("EURUSD", EURUSD, june, SOURCE)
    with store.transaction() as tx:
        tx.add("GBPUSD", INSTRUMENTS["GBPUSD"], may, SOURCE)
        both = TickColumns(
            np.concatenate((may.ts, june.ts)), np.concatenate((may.bid, june.bid - 1)), np.tile(may.ask, 2)
        )
        with pytest.raises(DataError, match="overlap"):
            tx.add("EURUSD", EURUSD, both, SOURCE)
    assert content(store) == rows_of(june)  # nothing of May either
    assert content(store, "GBPUSD") == rows_of(may)


def test_one_import_at_a_time(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    with store.transaction():
        with pytest.raises(DataError, match="another import is writing to"):
            store.add("EURUSD", EURUSD, ticks(range(3)), SOURCE)
        assert TickStore(tmp_path).symbols() == ()  # readers are not kept waiting
    store.add("EURUSD", EURUSD, ticks(range(3)), SOURCE)


def test_other_digits_are_refused_for_ticks_and_bars_alike(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add("XAUUSD", INSTRUMENTS["XAUUSD"], ticks(range(3)), SOURCE)
    two = load_instruments({"XAUUSD": {"digits": 2}})["XAUUSD"]
    for columns in (ticks(range(10, 13)), bars(range(3))):
        with pytest.raises(
            DataError, match=r"XAUUSD is stored with 3 digits and these quotes have 2: set\s+digits = 3"
        ):
            store.add("XAUUSD", two, columns, SOURCE)


def test_a_range_is_read_alone(tmp_path: Path) -> None:
    data = ticks(range(0, 50 * 24 * HOUR_MS, HOUR_MS))
    store = TickStore(tmp_path, 100)
    store.add("EURUSD", EURUSD, data, SOURCE)
    start, end = int(data.ts[333]), int(data.ts[777])
    np.testing.assert_array_equal(store.read("EURUSD", start, end).ts, data.ts[333:777])  # type: ignore[union-attr]
    sizes = [piece.ts.size for piece in _ticks(store.stream("EURUSD", start, end))]
    assert max(sizes) <= 100
    assert sum(sizes) == 444 == store.plan("EURUSD", "ticks", start, end).rows
    between = store.read("EURUSD", start + 1, start + 2)
    assert between.ts.size == 0  # type: ignore[union-attr]
    assert store.read("EURUSD", end=1).ts.size == 0  # type: ignore[union-attr]


def _ticks(pieces: Iterator[Any]) -> Iterator[TickColumns]:
    yield from pieces


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (
            TickColumns(np.array([2, 1]), np.array([1, 1]), np.array([1, 1])),
            "(row 2) is earlier than the row before it",
        ),
        (TickColumns(np.array([1, 2]), np.array([1, 0]), np.array([1, 1])), "(row 2) has a bid that is not positive"),
        (TickColumns(np.array([1]), np.array([3]), np.array([2])), "(row 1) has an ask below its bid"),
        (TickColumns(np.array([1, 2]), np.array([3]), np.array([2])), "different lengths: time 2, bid 1, ask 1"),
        (bars([1, 1]), "(row 2) does not start after the bar before it"),
        (replace(bars([1, 2]), close=np.array([1, 138_000])), "(row 1) leaves its high and low"),
        (replace(bars([1]), low=np.array([-1])), "(row 1) has a low that is not positive"),
        (replace(bars([1]), spread=np.array([-2])), "(row 1) has a negative spread"),
        (replace(bars([1]), volume=np.array([-2])), "(row 1) has a negative volume"),
    ],
)
def test_columns_that_importers_should_have_settled_do_not_enter(tmp_path: Path, columns: Any, text: str) -> None:
    with pytest.raises(DataError) as caught:
        TickStore(tmp_path).add("EURUSD", EURUSD, columns, SOURCE)
    assert text in str(caught.value)


def test_nothing_added_is_nothing_written(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    empty = np.empty(0, np.int64)
    added = store.add("EURUSD", EURUSD, TickColumns(empty, empty, empty), SOURCE)
    assert (added.new, added.first, added.last) == (0, None, None)
    assert store.describe() == []


def test_strange_names_files_and_kinds_are_refused(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    for symbol in ("../EURUSD", "EUR/USD", ".hidden", ""):
        with pytest.raises(DataError, match="cannot name a folder"):
            store.add(symbol, EURUSD, ticks(range(3)), SOURCE)
    store.add("EURUSD", EURUSD, ticks(range(3)), SOURCE)
    with pytest.raises(DataError, match='"M7" is no kind of data'):
        store.read("EURUSD", kind="M7")
    with pytest.raises(DataError, match='holds no EURUSX: did you mean "EURUSD"'):
        store.read("EURUSX")
    with pytest.raises(DataError, match="is a file, a store is a folder"):
        TickStore(tmp_path / "EURUSD" / "2014-05.parquet")


def test_foreign_damaged_and_misplaced_files_are_named(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.add("EURUSD", EURUSD, ticks(range(50)), SOURCE)
    path = tmp_path / "EURUSD" / "2014-05.parquet"
    good = path.read_bytes()
    (tmp_path / "GBPUSD").mkdir()
    (tmp_path / "GBPUSD" / "2014-05.parquet").write_bytes(good)
    with pytest.raises(DataError, match=r"2014-05.parquet holds EURUSD ticks: move it"):
        store.read("GBPUSD")
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(DataError, match=r"2014-05.parquet cannot be read as Parquet"):
        store.read("EURUSD")
    pq.write_table(pa.table({"time": [1], "bid": [2], "ask": [3]}), path)
    with pytest.raises(DataError, match="is not a file of a bitten store; bring it in with"):
        store.read("EURUSD")
    table = pq.read_table(tmp_path / "GBPUSD" / "2014-05.parquet")
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"bitten.format": b"2"}), path)
    with pytest.raises(DataError, match="has store format 2, this bitten reads 1: update bitten"):
        store.read("EURUSD")
