"""What happens to doubtful rows: each by its rule, each counted, the same however the file is cut into chunks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.errors import DataError
from bitten.model.dtypes import NS_PER_SECOND
from bitten.model.instruments import load_instruments
from bitten.store.cleaning import Backward, Crossed, Duplicates, Policy, Tally, TickCleaner
from bitten.store.importer import RawTicks
from bitten.store.tickstore import TickStore
from tests.store.importing import one, run, write

NAN = float("nan")
EURUSD = load_instruments()["EURUSD"]
Row = tuple[int, float, float]


def clean(
    rows: Sequence[Row], cuts: Sequence[int] = (), **policy: str
) -> tuple[list[tuple[int, int, int]], dict[str, int]]:
    """Rows of (second, bid, ask) cleaned in chunks; the rows that passed, and counts that are not 0."""
    tally = Tally()
    cleaner = TickCleaner(EURUSD, "UTC", Policy(**policy), tally, lambda row: f"row {row}")  # type: ignore[arg-type]
    edges = [0, *sorted(cuts), len(rows)]
    pieces = []
    for start, stop in itertools.pairwise(edges):
        part = np.array(rows[start:stop], np.float64).reshape(-1, 3)
        pieces.append(cleaner.clean(RawTicks(part[:, 0].astype(np.int64) * NS_PER_SECOND, part[:, 1], part[:, 2])))
    pieces += [last] if (last := cleaner.finish()) is not None else []
    passed = [
        (int(ts) // NS_PER_SECOND, int(bid), int(ask))
        for piece in pieces for ts, bid, ask in zip(piece.ts, piece.bid, piece.ask, strict=True)
    ]  # fmt: skip
    return passed, {name: count for name, count in tally.counts().items() if count}


def test_absent_and_zero_prices_never_pass() -> None:
    rows = [(1, NAN, 1.2), (2, 1.1, NAN), (3, 0.0, 1.2), (4, 1.1, -1.2), (5, np.inf, 1.2), (6, NAN, 0.0), (7, 1.1, 1.2)]
    assert clean(rows) == ([(7, 110000, 120000)], {"rows": 7, "absent": 4, "zero": 2})


def test_crossed_quotes_are_dropped_or_become_their_mid() -> None:
    rows = [(1, 1.1, 1.2), (2, 1.2, 1.1), (3, 1.2, 1.19999), (4, 1.2, 1.2)]
    assert clean(rows) == ([(1, 110000, 120000), (4, 120000, 120000)], {"rows": 4, "crossed": 2})
    passed, counts = clean(rows, crossed="mid")
    assert passed[1:3] == [(2, 115000, 115000), (3, 119999, 119999)]
    assert counts == {"rows": 4, "crossed": 2}


def test_only_a_whole_repetition_is_a_duplicate() -> None:
    rows = [(1, 1.1, 1.2), (1, 1.1, 1.2), (1, 1.1, 1.3), (1, 1.1, 1.2), (2, 1.1, 1.2)]
    passed, counts = clean(rows)
    assert (len(passed), counts["duplicates"]) == (5, 1)
    passed, counts = clean(rows, duplicates="drop")
    assert (passed, counts["duplicates"]) == (
        [(1, 110000, 120000), (1, 110000, 130000), (1, 110000, 120000), (2, 110000, 120000)],
        1,
    )


def test_time_that_steps_back() -> None:
    rows = [(1, 1.1, 1.2), (5, 1.1, 1.3), (3, 1.1, 1.4), (4, 1.1, 1.5), (5, 1.1, 1.6), (6, 1.1, 1.7), (2, 1.1, 1.8)]
    with pytest.raises(
        DataError, match=r"^row 2: time steps back to 1970-01-01 00:00:03\.000 UTC; choose --backward sort"
    ):
        clean(rows)
    passed, counts = clean(rows, backward="drop")
    assert [second for second, _, _ in passed] == [1, 5, 5, 6]
    assert counts == {"rows": 7, "backward": 2, "late": 3}
    passed, counts = clean(rows, backward="sort")
    assert passed == [
        (s, 110000, a * 10000) for s, a in ((1, 12), (2, 18), (3, 14), (4, 15), (5, 13), (5, 16), (6, 17))
    ]
    assert counts == {"rows": 7, "backward": 2}


def test_place_counts_rows_that_were_dropped() -> None:
    with pytest.raises(DataError, match="row 4: time steps back"):
        clean([(5, 1.1, 1.2), (1, NAN, 1.2), (1, 0.0, 1.2), (6, 1.1, 1.2), (4, 1.1, 1.2)], cuts=[2])


def test_more_decimals_than_the_instrument_are_counted() -> None:
    assert clean([(1, 1.100001, 1.2), (2, 1.1, 1.2000049), (3, 1.12345, 1.20001)])[1] == {"rows": 3, "rounded": 2}


ticks = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from([1.1, 1.10001, 1.10003, 0.0, NAN]),
        st.sampled_from([1.10001, 1.10002, 1.1, NAN]),
    ),
    max_size=25,
)


@given(
    ticks, st.lists(st.integers(0, 25), max_size=25), st.sampled_from(["drop", "mid"]),
    st.sampled_from(["keep", "drop"]), st.sampled_from(["sort", "drop"]),
)  # fmt: skip
def test_cutting_a_file_changes_nothing(
    rows: list[Row], cuts: list[int], crossed: Crossed, duplicates: Duplicates, backward: Backward
) -> None:
    policy = {"crossed": crossed, "duplicates": duplicates, "backward": backward}
    whole, counts = clean(rows, **policy)
    assert clean(rows, [min(cut, len(rows)) for cut in cuts], **policy) == (whole, counts)
    seconds = [second for second, _, _ in whole]
    assert seconds == sorted(seconds)
    assert all(ask >= bid > 0 for _, bid, ask in whole)
    if crossed == "drop":
        removed = sum(counts.get(name, 0) for name in ("absent", "zero", "late", "crossed"))
        repeated = counts.get("duplicates", 0) if duplicates == "drop" else 0
        assert len(whole) >= len(rows) - removed - repeated  # a repetition of a crossed row is both


HEADER = "time,open,high,low,close,volume\n"


def bars(folder: Path, *rows: str) -> Path:
    return write(folder, "EURUSD.csv", HEADER + "".join(f"2024-05-07 {row}\n" for row in rows))


def bar(minute: int, close: str = "1.2") -> str:
    return f"00:{minute:02}:00Z,1.1,1.3,1.0,{close},9"


def starts(path: Path) -> list[int]:
    return ((TickStore(path).read("EURUSD", kind="M1").time // (60 * NS_PER_SECOND)) % 60).tolist()


def test_repeated_bars_are_dropped(tmp_path: Path) -> None:
    imported = one(bars(tmp_path, *map(bar, (0, 1, 1, 2, 3))), store=tmp_path / "store")
    assert (imported.passed, imported.source.counts["duplicates"]) == (4, 1)
    assert imported.source.rules["duplicates"] == "drop"
    assert starts(tmp_path / "store") == [0, 1, 2, 3]


def test_repeated_bars_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"EURUSD\.csv:4: the bar of 2024-05-07 00:01:00 UTC comes again, a bar can exist once"
    ):
        run(bars(tmp_path, *map(bar, (0, 1, 1, 2, 3))), duplicates="keep")


def test_bars_of_one_time_that_differ_are_refused_or_the_first_stays(tmp_path: Path) -> None:
    file = bars(tmp_path, bar(0), bar(1, "1.2"), bar(1, "1.25"), bar(2), bar(3))
    with pytest.raises(DataError, match=r"EURUSD\.csv:4: the bar of 2024-05-07 00:01:00 UTC comes with other values"):
        run(file)
    one(file, duplicates="drop", store=tmp_path / "store")
    closes = TickStore(tmp_path / "store").read("EURUSD", kind="M1").close.tolist()
    assert closes == [120000, 120000, 120000, 120000]


@pytest.mark.parametrize(("backward", "late", "duplicates"), [("sort", 0, 2), ("drop", 1, 1)])
def test_blocks_of_bars_that_come_again(tmp_path: Path, backward: str, late: int, duplicates: int) -> None:
    file = bars(tmp_path, *map(bar, (0, 1, 2, 1, 2, 3)))
    with pytest.raises(DataError, match=r"EURUSD\.csv:5: time steps back to 2024-05-07 00:01"):
        run(file)
    imported = one(file, backward=backward, store=tmp_path / "store")
    counts = imported.source.counts
    assert (counts["backward"], counts.get("late", 0), counts["duplicates"]) == (1, late, duplicates)
    assert starts(tmp_path / "store") == [0, 1, 2, 3]


def test_a_few_impossible_bars_are_dropped_many_are_an_error(tmp_path: Path) -> None:
    rows = [bar(minute, "1.4" if minute == 7 else "1.2") for minute in range(30)]
    imported = one(bars(tmp_path, *rows))
    assert (imported.passed, imported.source.counts["bad_ohlc"]) == (29, 1)
    rows = [bar(minute, "1.4" if minute > 20 else "1.2") for minute in range(30)]
    with pytest.raises(
        DataError, match=r"EURUSD\.csv:23: open 1\.1 or close 1\.4 lies outside low 1 and high 1\.3, as in 9 of 30"
    ):
        run(bars(tmp_path, *rows))


def test_absent_and_zero_bars_never_pass(tmp_path: Path) -> None:
    rows = [bar(0), "00:01:00Z,,1.3,1.0,1.2,9", "00:02:00Z,0,1.3,0,1.2,9", bar(3), bar(4)]
    imported = one(bars(tmp_path, *rows))
    assert (imported.passed, imported.source.counts["absent"], imported.source.counts["zero"]) == (3, 1, 1)


@pytest.mark.parametrize(
    ("minutes", "options", "reason"),
    [
        ((0, 1), {}, "2 bars do not show their period; state it with --timeframe M1"),
        ((0, 7, 14, 21), {}, "the bars are 7 minutes apart, allowed are M1, "),
        ((0, 5, 10, 15, 16, 17), {}, "bars of different periods are mixed; most are M5"),
        ((0, 1, 2, 3), {"timeframe": "M5"}, "stated as M5, but the bars are 1 minutes apart"),
    ],
)
def test_periods_that_cannot_be(tmp_path: Path, minutes: Sequence[int], options: dict[str, str], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        run(bars(tmp_path, *map(bar, minutes)), **options)


def test_nothing_that_can_be_used(tmp_path: Path) -> None:
    absent = bars(tmp_path, *(f"00:{minute:02}:00Z,,,,,9" for minute in range(3)))
    with pytest.raises(DataError, match=r"nothing imported, no row is usable: 3 absent"):
        one(absent, store=tmp_path / "store")
    crossed = write(
        tmp_path, "EURUSD.csv", "time,bid,ask\n2024-05-07 10:00:01Z,1.3,1.2\n2024-05-07 10:00:00Z,1.3,1.2\n"
    )
    with pytest.raises(DataError, match=r"all 2 rows have bid above ask: the columns look swapped, .* --columns"):
        one(crossed, backward="sort", store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def pair(folder: Path, bid: Sequence[str], ask: Sequence[str]) -> Path:
    for side, rows in (("bid", bid), ("ask", ask)):
        write(folder, f"q/EURUSD-{side}.csv", HEADER + "".join(f"2024-05-07 {row}\n" for row in rows))
    return folder / "q"


def test_sides_are_joined_by_time(tmp_path: Path) -> None:
    folder = pair(
        tmp_path,
        [bar(0, "1.2"), bar(1, "1.2"), bar(2, "1.2"), bar(4, "1.2")],
        [bar(0, "1.20007"), bar(1, "1.1"), bar(3, "1.3"), bar(4, "1.2")],
    )
    imported = one(folder, store=tmp_path / "store")
    assert TickStore(tmp_path / "store").read("EURUSD", kind="M1").spread.tolist() == [7, -1, -1, 0]
    counts = imported.source.counts
    assert (counts["rows"], counts["ask_rows"], counts["ask_only"], counts["crossed"], counts["no_spread"]) == (
        4,
        4,
        1,
        1,
        2,
    )


def test_ask_file_alone_is_refused(tmp_path: Path) -> None:
    folder = pair(tmp_path, [bar(0), bar(1), bar(2)], [bar(0), bar(1), bar(2)])
    with pytest.raises(DataError, match=r"EURUSD-ask\.csv: holds ask bars only, .* \(EURUSD-bid\.csv\)"):
        run(folder / "EURUSD-ask.csv")


def test_files_that_share_a_bar_are_one_series(tmp_path: Path) -> None:
    write(tmp_path, "q/EURUSD_1.csv", HEADER + "".join(f"2024-05-07 {bar(minute)}\n" for minute in (0, 1, 2)))
    write(tmp_path, "q/EURUSD_2.csv", HEADER + "".join(f"2024-05-07 {bar(minute)}\n" for minute in (2, 3, 4)))
    imported = one(tmp_path / "q", store=tmp_path / "store")
    assert (imported.passed, imported.source.counts["duplicates"]) == (5, 1)
    write(tmp_path, "q/EURUSD_2.csv", HEADER + "".join(f"2024-05-07 {bar(minute, '1.25')}\n" for minute in (2, 3, 4)))
    with pytest.raises(
        DataError, match=r"EURUSD_1\.csv and 1 more of EURUSD: the bar of 2024-05-07 00:02:00 UTC comes with"
    ):
        run(tmp_path / "q")


def test_series_of_several_timeframes_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "q/EURUSD_a.csv", HEADER + "".join(f"2024-05-07 {bar(minute)}\n" for minute in (0, 1, 2)))
    write(tmp_path, "q/EURUSD_b.csv", HEADER + "".join(f"2024-05-07 {bar(minute)}\n" for minute in (0, 5, 10)))
    report = run(tmp_path / "q")
    assert [(one.kind, one.source.files) for one in report.imported] == [
        ("M1", ("EURUSD_a.csv",)),
        ("M5", ("EURUSD_b.csv",)),
    ]


def test_files_read_by_different_conclusions_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, "q/EURUSD_1.csv", "time,bid,ask\n2566-01-05 10:00:00,1.1,1.2\n")
    write(tmp_path, "q/EURUSD_2.csv", "time,bid,ask\n2023-01-05 10:00:01,1.1,1.2\n")
    with pytest.raises(DataError, match=r"EURUSD_2\.csv: read as written, but what came before years: .*one by one"):
        run(tmp_path / "q", clock="UTC")
