"""Finding quote files: folders and archives are walked, formats detected, symbols and clocks told, files grouped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from bitten.clock import check_clock, utc_offset_ns
from bitten.errors import BittenError, DataError, UnknownSymbolError
from bitten.model.dtypes import NS_PER_SECOND
from bitten.model.instrument import Instrument
from bitten.store.archive import bare_name, contents, file_on_disk, read_head
from bitten.store.importer import CURRENCIES, FileFacts, Importer, ImportOptions, Kind, detect_format

NO_TICKS: Final = "0 bytes: an hour without ticks"

_MOST_LABELS: Final = 100
_LIKE_A_SYMBOL: Final = re.compile(rf"(?:[A-Z0-9]{{2,6}}(?:{'|'.join(sorted(CURRENCIES))})|[A-Z]{{2,6}}\d{{2,3}})\Z")
_A_YEAR: Final = tuple(range(1_704_067_200, 1_735_689_600, 7 * 86_400))  # every week of 2024, seconds


@dataclass(frozen=True, slots=True)
class Found:
    """A quote file: its reader, and what it says of itself."""

    path: Path  # members of archives are paths below the archive
    importer: Importer
    proof: str
    facts: FileFacts
    symbol: str

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return file_on_disk(self.path).stat().st_size


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that holds nothing to import, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """Files of one symbol, kind, format and stated clock, in the order of their names."""

    symbol: str
    kind: Kind
    importer: Importer
    clock: str | None
    clock_proof: str
    files: tuple[Found, ...]

    @property
    def what(self) -> str:
        """The files, for messages."""
        first = str(self.files[0].path)
        return first if len(self.files) == 1 else f"{first} and {len(self.files) - 1} more of {self.symbol}"


def walk(paths: Iterable[Path]) -> list[tuple[Path, bool]]:
    """The files to look at, sorted, each once; the flag is set for those that were found in a folder, not named.

    Raises:
        DataError: a path does not exist.
    """
    files: dict[Path, bool] = {}
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder")
        inside = path.is_dir()
        for file in sorted(path.rglob("*")) if inside else [path]:
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts):
                files[file] = files.get(file, True) and inside
    return sorted(files.items())


def find(
    paths: Iterable[Path], importers: Mapping[str, Importer], options: ImportOptions, forced: str | None = None
) -> tuple[list[Found], list[Skipped]]:
    """Detect every file. In folders, files that are no quotes are skipped; a file that was named must be one.

    Args:
        paths: files, folders, archives.
        importers: the readers, by name.
        options: what the user states.
        forced: the format that the user states.

    Raises:
        DataError: a file cannot be used, with what to do about it.
    """
    found, skipped = [], []
    for file, by_chance in walk(paths):
        for path in contents(file):
            head = read_head(path)
            try:
                importer, proof = detect_format(path, head, importers, forced)
            except DataError as error:
                if not by_chance:
                    raise
                skipped.append(Skipped(path, str(error).removeprefix(f"{path}: ")))
                continue
            if not head:
                skipped.append(Skipped(path, NO_TICKS))
                continue
            facts = importer.describe(path, head, options)
            found.append(Found(path, importer, proof, facts, _symbol(path, facts, options)))
    _check_stated_symbol(found, options)
    return found, skipped


def group(found: Sequence[Found], options: ImportOptions) -> list[Group]:
    """Put files together that are read as one series.

    Raises:
        DataError: the stated clock contradicts the one that a format is written in.
    """
    groups: dict[tuple[str, str, str, str], list[Found]] = {}
    for file in found:
        clock, proof = _clock(file, options)
        key = (file.symbol, file.facts.kind, file.importer.name, clock or "")
        groups.setdefault(key, []).append(replace(file, facts=replace(file.facts, clock=clock, clock_proof=proof)))
    return [
        Group(symbol, files[0].facts.kind, files[0].importer, clock or None, files[0].facts.clock_proof, tuple(files))
        for (symbol, _, _, clock), files in sorted(groups.items())
    ]


def instrument_of(group: Group, instruments: Mapping[str, Instrument]) -> Instrument:
    """The instrument of a group.

    Raises:
        UnknownSymbolError: there is none; the message adds that --symbol can name another.
    """
    try:
        return instruments[group.symbol]
    except UnknownSymbolError as error:
        raise UnknownSymbolError(f"{group.files[0].path}: {error}; or say with --symbol which one it is") from error


def file_labels(files: Sequence[Found]) -> tuple[str, ...]:
    """Names by which a source remembers its files: enough to recognise them, few enough to be stored every month."""
    labels = [_label(file.path, file.symbol) for file in files]
    if len(labels) <= _MOST_LABELS:
        return tuple(labels)
    return labels[0], f"... {len(labels) - 2} more ...", labels[-1]


def _label(path: Path, symbol: str) -> str:
    """The base name; where it does not name the symbol and a folder does (Dukascopy), the path from there on."""
    if symbol.lower() not in path.name.lower():
        for depth, part in enumerate(reversed(path.parts[:-1]), 2):
            if part.upper() == symbol:
                return "/".join(path.parts[-depth:])
    return path.name


def _symbol(path: Path, facts: FileFacts, options: ImportOptions) -> str:
    symbol = options.symbol or facts.symbol
    if symbol is None:
        raise DataError(f"{path}: {_unnamed(path)}")
    return symbol


def _unnamed(path: Path) -> str:
    """What to do about a file of which no symbol is known."""
    for word in re.split(r"[^A-Za-z0-9]+", bare_name(path)):
        if _LIKE_A_SYMBOL.match(word):
            return (
                f"the name says {word}, which is not among the bundled instruments: describe it under "
                f"[instruments.{word}] in bitten.toml, or give --symbol"
            )
    return "neither the content nor the name tells the symbol; give it with --symbol"


def _check_stated_symbol(found: Sequence[Found], options: ImportOptions) -> None:
    """A stated symbol is for files of one symbol, not for a folder of several."""
    named = {file.facts.symbol: file.path for file in found if file.facts.symbol is not None}
    if options.symbol is not None and len(named) > 1:
        (one, at), (other, there), *_ = sorted(named.items())
        raise DataError(
            f"--symbol {options.symbol} would mix {one} ({at}) and {other} ({there}); import them one by one, "
            "or leave --symbol away"
        )


def clock_named(text: str) -> str:
    """A clock rule as `bitten.clock` spells it, from one in any case: `utc`, `ny+7`, `europe/london`."""
    if text.upper() in ("UTC", "EST", "EET") or text.upper().startswith(("NY+", "UTC+", "UTC-")):
        return text.upper()
    zones = available_timezones()
    return text if text in zones else next((zone for zone in sorted(zones) if zone.lower() == text.lower()), text)


def _clock(file: Found, options: ImportOptions) -> tuple[str | None, str]:
    own, stated = file.facts.clock, options.clock
    if stated is None:
        return own, file.facts.clock_proof
    try:
        check_clock(stated)
    except BittenError as error:
        raise DataError(f"--clock: {error}") from error
    if own is not None and not _same_clock(own, stated):
        raise DataError(
            f"{file.path}: --clock {stated} contradicts the format, {file.facts.clock_proof} (clock {own}); "
            "import files of different clocks one by one"
        )
    return own or stated, "stated"


def _same_clock(one: str, other: str) -> bool:
    """Whether two names mean one clock, as UTC and Europe/Reykjavik do."""
    return all(utc_offset_ns(one, at * NS_PER_SECOND) == utc_offset_ns(other, at * NS_PER_SECOND) for at in _A_YEAR)
