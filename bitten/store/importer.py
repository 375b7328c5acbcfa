"""What a reader of a foreign quote format is: it proves the format, says what is in a file, and reads raw columns.

An importer repairs nothing and drops nothing: it gives the rows as they stand in the file, in the file's own clock and
as decimal prices. What happens to crossed, repeated or absent rows is decided, counted and told in one place for all
formats (`bitten.store.cleaning`).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Literal

from bitten.errors import DataError, did_you_mean
from bitten.model.dtypes import Floats, Ints
from bitten.store.archive import bare_name

Kind = Literal["ticks", "bars"]
Side = Literal["bid", "ask", "both"]

_FOLDERS: Final = 4  # as deep as Dukascopy's SYMBOL/2019/01/04; further up a name is chance

METALS: Final = frozenset({"XAG", "XAU", "XPD", "XPT"})
CURRENCIES: Final = METALS | {
    "AUD", "BRL", "CAD", "CHF", "CLP", "CNH", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR",
    "JPY", "KRW", "MXN", "NOK", "NZD", "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TRY", "TWD", "USD", "ZAR",
}  # fmt: skip


def _silent(count: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user has stated about the files, for importers to read by."""

    symbol: str | None = None
    clock: str | None = None
    timeframe: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # role to column name or 1-based number
    scale: float | None = None  # integer prices are divided by this
    known_symbols: Collection[str] = ()  # symbols that have an instrument
    advance: Callable[[int], None] = _silent  # told the bytes read from disk


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file says of itself before its rows are read; None where it does not say."""

    kind: Kind
    symbol: str | None = None
    clock: str | None = None  # rule by which the format writes its stamps
    clock_proof: str = ""  # why that is so, for people
    timeframe: str | None = None  # of bars
    side: Side = "both"  # of bars whose bid and ask come in two files: which of them this is
    filler: bool = False  # the vendor fills closed hours with flat bars of zero volume


@dataclass(frozen=True, slots=True, eq=False)
class RawTicks:
    """A chunk of quotes as the file has them, in the file's order.

    `time` is ns since 1970 in the file's own clock; `bid` and `ask` are decimal prices, NaN where the cell is empty.
    """

    time: Ints
    bid: Floats
    ask: Floats
    rules: Mapping[str, str] = field(default_factory=dict)  # what the importer had to conclude, e.g. Buddhist years


@dataclass(frozen=True, slots=True, eq=False)
class RawBars:
    """A chunk of bars as the file has them, in the file's order.

    `time` is the bar's start, ns since 1970 in the file's own clock; prices are decimal, NaN where absent; `spread`
    is a price difference (not points: a broker's point need not be bitten's), NaN where the file has none.
    """

    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    spread: Floats
    rules: Mapping[str, str] = field(default_factory=dict)


class Importer(ABC):
    """A reader of one family of files.

    Subclasses are registered by name with the hook `bitten_importers`. They are made once per command, without
    arguments, and keep no state between files.
    """

    name: ClassVar[str]

    generic: ClassVar[bool] = False
    """A generic reader is asked only where no other one has recognised the file."""

    @abstractmethod
    def detect(self, path: Path, head: bytes) -> str | None:
        """Say what in the content proves the format, or None.

        Args:
            path: the file, or the member of a zip archive as a path below it. A hint, never the proof.
            head: the first 64 KiB of the decompressed content.
        """

    @abstractmethod
    def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
        """What the file says of itself, from its head and its name.

        Raises:
            DataError: the file is of this format but cannot be used, for example monthly bars.
        """

    @abstractmethod
    def read(self, path: Path, options: ImportOptions) -> Iterator[RawTicks | RawBars]:
        """Read the rows in chunks of bounded size, all of the kind that `describe` told.

        Raises:
            DataError: a row cannot be read; the message starts with `file:line`.
        """

    def where(self, path: Path, row: int) -> str:
        """The place of a row, counted from 0, for messages: `file:line` in text files."""
        return f"{path}, record {row + 1}"


def known_symbol(word: str, known: Collection[str]) -> str | None:
    """The symbol that a word stands for: `EURUSD`, `eurusd.pro`, `EUR/USD`, `EURUSD60`, or None.

    A symbol is one that has an instrument, or a pair of currencies.
    """
    upper = re.sub(r"[^A-Z0-9]", "", word.upper())
    if upper in known:
        return upper
    stem = re.match(r"([A-Z]{6})(?:\d{1,5}|[A-Z]{1,4})?\Z", upper)
    if stem and (stem[1] in known or is_pair(stem[1])):
        return stem[1]
    return None


def is_pair(word: str) -> bool:
    """Whether a word is two currencies, or a metal and a currency."""
    return word[:3] in CURRENCIES and word[3:] in CURRENCIES and word[:3] != word[3:]


def symbol_from_path(path: Path, known: Collection[str]) -> str | None:
    """A symbol named in the file name, else in the nearest folder that names one, else None."""
    for part in (bare_name(path), *(parent.name for parent in list(path.parents)[:_FOLDERS])):
        for word in re.split(r"[^A-Za-z0-9]+", part):
            if found := known_symbol(word, known):
                return found
    return None


def market_digits(symbol: str) -> int | None:
    """Decimals that MetaTrader brokers commonly quote a currency pair or a metal with; None for anything else."""
    if not is_pair(symbol):
        return None
    if symbol[:3] in METALS:
        return 3 if symbol[:3] == "XAG" else 2
    return 3 if symbol[3:] in ("JPY", "HUF", "CZK", "THB", "RUB") else 5


def detect_format(
    path: Path, head: bytes, importers: Mapping[str, Importer], forced: str | None
) -> tuple[Importer, str]:
    """The importer of a file and the proof of its format.

    Args:
        path: the file.
        head: the first bytes of its content.
        importers: those to choose from, by name.
        forced: the format that the user stated, or None.

    Raises:
        DataError: no importer, or more than one, recognises the content, or the stated one is unknown.
    """
    if forced is not None:
        if forced not in importers:
            raise DataError(f'--format "{forced}" is unknown{did_you_mean(forced, importers)}')
        return importers[forced], "stated"
    for generic in (False, True):
        proofs = [
            (importer, proof)
            for importer in importers.values()
            if importer.generic is generic and (proof := importer.detect(path, head)) is not None
        ]
        if len(proofs) > 1:
            names = " and ".join(f"{importer.name} ({proof})" for importer, proof in proofs)
            raise DataError(f"{path}: may be {names}; choose with --format")
        if proofs:
            return proofs[0]
    if head.startswith(b"PAR1") and path.is_file():
        raise DataError(f"{path}: {_why_no_quotes(path)}")
    raise DataError(f"{path}: {_why_unknown(head)}; known formats are {', '.join(sorted(importers))}")


def _why_no_quotes(path: Path) -> str:
    """Why a Parquet file is not taken."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        names = parquet.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        return f"the Parquet file cannot be read: {error}"
    return (
        f"a Parquet file with the columns {', '.join(names)}, in which no time with prices was recognised; if these "
        "are quotes, say which is which with --columns time=...,bid=...,ask=..."
    )


def _why_unknown(head: bytes) -> str:
    """The nearest guess at why no importer takes a file."""
    if not head:
        return "the file is empty (0 bytes), which is an hour without ticks only in a .bi5 file"
    first = next((line for line in head.split(b"\n") if line.strip()), b"").strip()
    shown = first[:60].decode("utf-8", "replace")
    if b"\0" in head[:1000] or not shown.isprintable():
        return "binary content that is neither Dukascopy .bi5 (LZMA), MT4 .hst nor Parquet"
    if first[:1] in (b"<", b"{", b"["):
        return f'not a table of quotes, it starts with "{shown}" (a web page or JSON was saved instead of the data?)'
    if first and not head.strip().count(b"\n"):
        return f'the file has one line only, "{shown}"'
    return (
        f'no time with prices was recognised, the first line is "{shown}"; if these are quotes, name the columns '
        f"with --columns {_numbered(shown)}"
    )


def _numbered(line: str) -> str:
    """The --columns option for a line: numbers where the first line is one of data."""
    cells = re.split(r"[,;\t|]", line)
    if not re.match(r"\d", cells[0]):
        return "time=...,bid=...,ask=..."
    return "time=1,bid=2,ask=3" if len(cells) < 5 else "time=1,open=2,high=3,low=4,close=5"
