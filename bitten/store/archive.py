"""Opening quote files: plain, gzip, zstd, and members of zip archives, all as one stream of content bytes.

A member of a zip is written as a path below the archive, `DAT_ASCII_EURUSD_T_202001.zip/DAT_ASCII_EURUSD_T_202001.csv`,
so that importers need not know archives.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa

from bitten.errors import DataError

HEAD_BYTES: Final = 1 << 16
"""How much of a file's content detection sees."""

_CODECS: Final = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}

Advance = Callable[[int], None]
"""Told how many bytes of the file on disk have been read since it was told last."""


class _Counted(io.RawIOBase):
    """A file that tells how many bytes are read from it."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file = file
        self._advance = advance

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._advance(len(data))
        return len(data)


def contents(path: Path) -> list[Path]:
    """The quote files inside a file: the members of a zip archive, else the file itself.

    Text files beside a CSV are left out: HistData packs a report of gaps with every download.

    Raises:
        DataError: the archive is damaged or empty.
    """
    if path.suffix.lower() != ".zip":
        return [path]
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: the zip archive cannot be read ({error}); download it again") from error
    if any(name.lower().endswith(".csv") for name in names):
        names = [name for name in names if not name.lower().endswith(".txt")]
    if not names:
        raise DataError(f"{path}: the zip archive is empty")
    return [path / name for name in sorted(names)]


def file_on_disk(path: Path) -> Path:
    """The file that holds a content path: the archive of a member, else the path itself."""
    return _split(path)[0]


def bare_name(path: Path) -> str:
    """The file name without compression and extension: `quotes.csv.gz` is `quotes`."""
    name = path.name
    if path.suffix.lower() in _CODECS:
        name = path.stem
    return Path(name).stem


def read_head(path: Path) -> bytes:
    """The first `HEAD_BYTES` of the decompressed content."""
    with open_content(path) as stream:
        return bytes(stream.read(HEAD_BYTES))


@contextmanager
def open_content(path: Path, advance: Advance = lambda count: None) -> Iterator[IO[bytes]]:
    """Open the decompressed content of a file or of a zip member.

    Raises:
        DataError: the file is missing, unreadable or damaged.
    """
    disk, member = _split(path)
    try:
        with disk.open("rb") as plain:
            counted = io.BufferedReader(_Counted(plain, advance), HEAD_BYTES)
            if member is not None:
                with zipfile.ZipFile(counted) as archive, archive.open(member) as stream:
                    yield stream
            elif disk.suffix.lower() in _CODECS:
                codec = _CODECS[disk.suffix.lower()]
                with pa.CompressedInputStream(pa.PythonFile(counted, "r"), codec) as inflated:
                    yield inflated
            else:
                yield counted
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path}: the file cannot be read ({error}); it may be damaged, download it again") from error


def _split(path: Path) -> tuple[Path, str | None]:
    """A content path as (file on disk, member of the archive or None)."""
    for parent in path.parents:
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return path, None
