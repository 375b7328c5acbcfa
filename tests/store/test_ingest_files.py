"""From paths to files to rows: folders, archives, compression, names, bad rows with their lines, all or nothing."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from bitten.errors import BittenError, DataError
from bitten.store.archive import contents, open_content
from bitten.store.importer import detect_format, known_symbol, symbol_from_path
from bitten.store.tickstore import TickStore
from tests.store.importing import importers, one, run, texts, write

HEADER = "time,bid,ask\n"
ROWS = "".join(f"2024-05-07 10:00:{second:02}Z,1.1,1.2\n" for second in range(60))


def stream(text: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(text.encode())
    return bytes(sink.getvalue())


def test_compressed_files_are_read_directly(tmp_path: Path) -> None:
    one_line_ends = HEADER + ROWS
    for name, content in {
        "a/EURUSD.csv": one_line_ends.encode(),
        "b/EURUSD.csv.gz": gzip.compress(one_line_ends.encode()),
        "c/EURUSD.csv.zst": stream(one_line_ends),
        "d/EURUSD.csv.gz": gzip.compress(HEADER.encode()) + gzip.compress(ROWS.encode()),
        "e/EURUSD.csv": one_line_ends.replace("\n", "\r\n").rstrip().encode(),
        "f/EURUSD.csv": b"\xef\xbb\xbf" + one_line_ends.encode(),
    }.items():
        imported = one(write(tmp_path, name, content))
        assert (imported.symbol, imported.passed) == ("EURUSD", 60), name


def test_members_of_an_archive_are_files(tmp_path: Path) -> None:
    archive = tmp_path / "quotes.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("EURUSD/may.csv", HEADER + ROWS)
        zipped.writestr("GBPUSD/may.csv", HEADER + ROWS)
        zipped.writestr("README.txt", "hello")
    assert [path.relative_to(archive).as_posix() for path in contents(archive)] == ["EURUSD/may.csv", "GBPUSD/may.csv"]
    assert [imported.symbol for imported in run(archive).imported] == ["EURUSD", "GBPUSD"]


def test_progress_counts_the_bytes_on_disk(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv.gz", gzip.compress((HEADER + ROWS * 500).encode()))
    read: list[int] = []
    with open_content(file, read.append) as content:
        assert len(content.read()) == len(HEADER + ROWS * 500)
    assert sum(read) == file.stat().st_size


@pytest.mark.parametrize("name", ["EURUSD.csv.gz", "EURUSD.csv.zst", "EURUSD.zip"])
def test_damaged_archives_say_so(tmp_path: Path, name: str) -> None:
    whole = {"gz": gzip.compress, "zst": lambda data: stream(data.decode())}
    content = (HEADER + "".join(f"2024-05-07 10:00:00.{i:06}Z,1.{i},1.2\n" for i in range(9000))).encode()
    data = whole[name.rsplit(".", 1)[-1]](content)[:-5000] if name.rsplit(".", 1)[-1] in whole else b"PK\x03\x04 broken"
    with pytest.raises(DataError, match=r"cannot be read.*download it again"):
        run(write(tmp_path, name, data))


def test_empty_archive_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv: there is no such file"), open_content(tmp_path / "gone.csv"):
        pass
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(DataError, match="the zip archive is empty"):
        run(tmp_path / "empty.zip")
    with pytest.raises(DataError, match="there is no such file or folder"):
        run(tmp_path / "nothing.csv")


def test_folders_are_walked_without_hidden_files(tmp_path: Path) -> None:
    write(tmp_path, "q/EURUSD/may.csv", HEADER + ROWS)
    write(tmp_path, "q/.cache/EURUSD.csv", HEADER + ROWS)
    write(tmp_path, "q/notes.md", "# Notes\n")
    write(tmp_path, "q/page.csv", "<html>404</html>\n")
    report = run(tmp_path / "q")
    assert [(one.symbol, one.passed) for one in report.imported] == [("EURUSD", 60)]
    assert [skipped.path.name for skipped in report.skipped] == ["notes.md", "page.csv"]


def test_file_named_twice_is_read_once(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", HEADER + ROWS)
    assert one(file, file, tmp_path).passed == 60


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", r"the file is empty \(0 bytes\)"),
        ("time,bid,ask", 'the file has one line only, "time,bid,ask"'),
        ("<html>\n<body>404</body>", "a web page or JSON was saved instead"),
        ("\x00\x01\x02\x03" * 100, "binary content that is neither"),
        ("a,b,c\n1,2,3\n", 'the first line is "a,b,c"; if these are quotes, name the columns with --columns time='),
        ("2020-01-01 00:00:00,1.1,1.2\n" * 2, "no time with prices was recognised"),
    ],
)
def test_undetectable_files_get_a_guess_and_the_known_formats(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(DataError, match=rf"EURUSD\.csv: .*{reason}.*known formats are columns, dukascopy_bi5, "):
        run(write(tmp_path, "EURUSD.csv", content))


def test_unknown_format_is_corrected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'--format "truefix" is unknown: did you mean "truefx"\?'):
        run(write(tmp_path, "EURUSD.csv", HEADER + ROWS), format="truefix")


def test_two_importers_that_claim_a_file_are_both_named(tmp_path: Path) -> None:
    known = importers()
    head = b"EUR/USD,20200101 22:00:00.065,1.12120,1.12172\n"
    with pytest.raises(DataError, match=r"may be truefx \(rows of .*\) and truefx .*choose with --format"):
        detect_format(tmp_path / "x.csv", head, {"a": known["truefx"], "b": known["truefx"]}, None)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            "2024-05-07 10:00:00Z,1.1,1.2\n\n2024-05-07 10:00:01Z,1.1,x1\n",
            r'EURUSD\.csv:4: ask is "x1", expected a number such as',
        ),
        (
            "2024-05-07 10:00:00Z,1.1,1.2\n2024-05-07 10:00:01Z,1.1\n",
            r'EURUSD\.csv:3: the row has 2 cells \("2024-05-07 10:00:01Z,1\.1"\)',
        ),
        ("2024-05-07 10:00:00Z,1.1,1.2\n2024-05-07 10:0", r"EURUSD\.csv:3: the row has 1 cells .* cut off"),
        (
            "2024-05-07 10:00:00Z,1.1,1.2\n2024-05-32 10:00:01Z,1.1,1.2\n",
            r'EURUSD\.csv:3: "2024-05-32 10:00:01Z" has day 32',
        ),
        ("2024-05-07 10:00:00Z,1.1,1.2\n\n\nnoon,1.1,1.2\n", r'EURUSD\.csv:5: "noon" is no time stamp such as'),
        (
            "2024-05-07 10:00:00Z,1.1,1.2\n\n2024-05-07 09:00:00Z,1.1,1.2\n",
            r"EURUSD\.csv:4: time steps back to 2024-05-07 09:00",
        ),
        (
            "2024-05-07 10:00:00Z,1.1,1.2\n2024-05-07 09:00:00,1.1,1.2\n",
            r"EURUSD\.csv:2: .* states its offset from UTC and other",
        ),
        ("noon,1.1,1.2\n", r'EURUSD\.csv:2: "noon" is no time stamp such as'),
        ("2024-05-07 10:00:00Z,1.1,1_2\n", r'EURUSD\.csv:2: ask is "1_2"'),
    ],
)
def test_bad_rows_are_shown_with_their_line(tmp_path: Path, rows: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        run(write(tmp_path, "EURUSD.csv", HEADER + rows))


def test_stated_format_over_no_rows(tmp_path: Path) -> None:
    for name, header in (("EURUSD.csv", HEADER), ("GBPUSD.csv", "time,open,high,low,close\n")):
        with pytest.raises(DataError, match=rf"{name}: nothing imported, there are no rows"):
            run(write(tmp_path, name, header), format="columns", clock="UTC")
    with pytest.raises(DataError, match="is empty or no text file"):
        run(write(tmp_path, "EURUSD.csv", b"\x00" * 2000), format="columns")


def test_decimal_commas_are_not_mixed_with_points(tmp_path: Path) -> None:
    rows = "time;bid;ask\n2024-05-07 10:00:00Z;1,1;1,2\n2024-05-07 10:00:01Z;1,1;1.2\n"
    with pytest.raises(DataError, match=r'EURUSD\.csv:3: ask is "1\.2", expected a number such as 1,2345'):
        run(write(tmp_path, "EURUSD.csv", rows))


def test_line_of_a_row_inside_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "q.zip", "w") as archive:
        archive.writestr("EURUSD.csv", HEADER + "2024-05-07 10:00:00Z,1.1,x\n")
    with pytest.raises(DataError, match=r"q\.zip/EURUSD\.csv:2: ask"):
        run(tmp_path / "q.zip")


@pytest.mark.parametrize(
    ("word", "symbol"),
    [
        ("EURUSD", "EURUSD"), ("eurusd", "EURUSD"), ("EUR/USD", "EURUSD"), ("EURUSD.pro", "EURUSD"),
        ("EURUSDm", "EURUSD"),
        ("AUDUSD43200", "AUDUSD"), ("NAS100", "NAS100"), ("quotes", None), ("EUREUR", None), ("export", None),
        ("M1", None),
    ],
)  # fmt: skip
def test_words_that_are_symbols(word: str, symbol: str | None) -> None:
    assert known_symbol(word, {"NAS100"}) == symbol


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("DAT_ASCII_EURUSD_T_202001.csv.gz", "EURUSD"),
        ("gbpusd-m1-bid-2012.csv", "GBPUSD"),
        ("EURUSD/gbpusd.csv", "GBPUSD"),
        ("EURUSD/2019/01/04/00h_ticks.bi5", "EURUSD"),
        ("EURUSD/a/b/c/d/ticks.csv", None),
    ],
)
def test_symbols_in_paths(path: str, symbol: str | None) -> None:
    assert symbol_from_path(Path(path), ()) == symbol


def test_symbol_must_be_told_and_known(tmp_path: Path) -> None:
    file = write(tmp_path, "q/ticks.csv", HEADER + ROWS)
    with pytest.raises(
        DataError, match=r"ticks\.csv: neither the content nor the name tells the symbol; give it with --symbol"
    ):
        run(file)
    assert one(file, symbol="GBPUSD").symbol == "GBPUSD"
    with pytest.raises(BittenError, match=r'ticks\.csv: symbol "USDILS" is unknown.*\[instruments\.USDILS\].*--symbol'):
        run(file, symbol="USDILS")


def test_one_symbol_is_not_stated_for_files_of_two(tmp_path: Path) -> None:
    write(tmp_path, "q/EURUSD.csv", HEADER + ROWS)
    write(tmp_path, "q/GBPUSD.csv", HEADER + ROWS)
    with pytest.raises(DataError, match=r"--symbol EURUSD would mix EURUSD .* and GBPUSD"):
        run(tmp_path / "q", symbol="EURUSD")


def test_failed_import_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    good = write(tmp_path, "EURUSD.csv", HEADER + ROWS)
    bad = write(tmp_path, "GBPUSD.csv", HEADER + ROWS + "2024-05-07 09:00:00Z,1.1,1.2\n")
    with pytest.raises(DataError, match=r"GBPUSD\.csv:62"):
        run(good, bad, store=tmp_path / "store")
    assert TickStore(tmp_path / "store").symbols() == ()


def test_source_is_stored_with_rules_and_counts(tmp_path: Path) -> None:
    file = write(tmp_path, "EURUSD.csv", HEADER + ROWS + "2024-05-07 10:01:00Z,1.3,1.2\n")
    imported = one(file, store=tmp_path / "store")
    (source,) = TickStore(tmp_path / "store").holding("EURUSD").sources
    assert source == imported.source
    assert (source.format, source.files, source.clock) == ("columns", ("EURUSD.csv",), "UTC")
    assert dict(source.rules) == {
        "crossed": "drop", "duplicates": "keep", "backward": "error", "clock": "the stamps state their offset from UTC",
    }  # fmt: skip
    assert dict(source.counts) == {
        "rows": 61, "duplicates": 0, "backward": 0, "crossed": 1, "zero": 0, "absent": 0, "gaps": 0,
    }  # fmt: skip


def test_source_names_a_few_of_many_files(tmp_path: Path) -> None:
    for i in range(105):
        write(tmp_path, f"q/EURUSD_{i:03}.csv", HEADER + f"2024-05-07 10:{i // 60:02}:{i % 60:02}Z,1.1,1.2\n")
    imported = one(tmp_path / "q")
    assert imported.passed == 105
    assert imported.source.files == ("EURUSD_000.csv", "... 103 more ...", "EURUSD_104.csv")
    assert texts([imported.first, imported.last], 0) == ["2024-05-07 10:00:00", "2024-05-07 10:01:44"]


def test_overlapping_ticks_are_refused_kept_or_replaced(tmp_path: Path) -> None:
    store = tmp_path / "store"
    one(write(tmp_path, "EURUSD.csv", HEADER + ROWS), store=store)
    other = write(tmp_path, "other/EURUSD.csv", HEADER + ROWS.replace("1.2\n", "1.3\n"))
    with pytest.raises(DataError, match=r"overlap and differ between files of columns \(EURUSD\.csv\)"):
        one(other, store=store)
    assert one(other, store=store, on_overlap="keep").added.kept == 60  # type: ignore[union-attr]
    assert one(other, store=store, on_overlap="replace").added.replaced == 60  # type: ignore[union-attr]
    assert TickStore(store).read("EURUSD").ask[0] == 130_000
