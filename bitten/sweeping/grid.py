"""A grid: a configuration, axes over some of its keys, and the configuration of each combination."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from bitten.config import DEFAULT_TABLES, Config, check_document
from bitten.errors import ConfigError, did_you_mean
from bitten.manager import Manager
from bitten.sections import PatternSection
from bitten.sweeping.axes import MOST_COMBINATIONS, Axis, show_value
from bitten.tomlfile import KeyPath, TomlFile

_LISTS: Final = ("patterns", "gates", "trackers", "accounts")
_PATTERN_KEYS: Final = tuple(field.encode_name for field in msgspec.structs.fields(PatternSection))
_FIXED: Final = {
    ("plugins",): "plugins are loaded once, for all combinations",
    ("sweep",): "the sweep cannot sweep itself",
    ("trackers",): "trackers follow single runs and are not part of a sweep",
    ("run", "name"): "a sweep has one folder",
    ("run", "output"): "a sweep has one folder",
}


@dataclass(frozen=True, slots=True)
class Grid:
    """Axes laid over a configuration. The last axis changes fastest.

    Make one with `make_grid`; it can be sent to another process as long as `patterns` can.
    """

    file: TomlFile
    folder: Path
    axes: tuple[Axis, ...]
    patterns: Mapping[str, type]  # pattern classes of a notebook, by name

    def __len__(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    def values(self, index: int) -> tuple[Any, ...]:
        """The value of each axis in a combination, counted from 0."""
        found = []
        for axis in reversed(self.axes):
            index, position = divmod(index, len(axis.values))
            found.append(axis.values[position])
        return tuple(reversed(found))

    def config(self, index: int, manager: Manager | None = None) -> tuple[Config, Manager]:
        """The checked configuration of a combination, counted from 0, and the plugins it was checked against.

        Raises:
            ConfigError: a value cannot be; the message names its axis, or the combination where no single one is wrong.
        """
        file = _Combined(self, self.values(index))
        try:
            return check_document(file, self.folder, manager, self.patterns)
        except ConfigError as error:
            if str(error).startswith(tuple(f"{axis.place}: " for axis in self.axes)):
                raise
            self._check_base(manager, str(error))
            raise ConfigError(f"{error} (with {self.describe(index)})") from error

    def describe(self, index: int) -> str:
        """`patterns.bb_scalp.period=20, costs.commission_per_lot=3.5`."""
        pairs = zip(self.axes, self.values(index), strict=True)
        return ", ".join(f"{axis.key}={show_value(value)}" for axis, value in pairs)

    def _check_base(self, manager: Manager | None, text: str) -> None:
        """Raise where the configuration has the same error without the grid."""
        try:
            check_document(self.file, self.folder, manager, self.patterns)
        except ConfigError as error:
            if str(error) == text:
                raise


class _Combined(TomlFile):
    """The configuration with one combination laid over it; what an axis has changed is found at that axis."""

    def __init__(self, grid: Grid, values: Sequence[Any]) -> None:
        self.name = grid.file.name
        self._base = grid.file
        self._axes = grid.axes
        data: Any = {**DEFAULT_TABLES, **grid.file.data}
        for axis, value in zip(grid.axes, values, strict=True):
            data = _laid(data, axis.path, value)
        self.data = data

    def where(self, path: KeyPath) -> str:
        """The axis that has changed a key, or has brought it in; else the place in the file."""
        for axis in self._axes:
            if path[: len(axis.path)] == axis.path:
                return axis.place
        below = [axis for axis in self._axes if axis.path[: len(path)] == path]
        if len(below) == 1 and not _holds(self._base.data, path):
            return below[0].place
        return self._base.where(path)


def make_grid(file: TomlFile, folder: Path, axes: Iterable[Axis], patterns: Mapping[str, type]) -> Grid:
    """Look the axes up in a configuration.

    Raises:
        ConfigError: no axes, too many combinations, a key that leads nowhere, or one that is swept twice.
    """
    found = [replace(axis, path=_find(file.data, axis)) for axis in axes]
    if not found:
        raise ConfigError(
            "nothing to sweep: give --grid KEY=VALUES, as --grid patterns.bb_scalp.period=10:50:10, or [sweep] in "
            f"{file.name}"
        )
    for i, axis in enumerate(found):
        for other in found[:i]:
            shorter = min(len(axis.path), len(other.path))
            if axis.path[:shorter] == other.path[:shorter]:
                raise ConfigError(f"{axis.place}: {axis.key} is swept twice, also by {other.place}")
    count = math.prod(len(axis.values) for axis in found)
    if count > MOST_COMBINATIONS:
        sizes = " × ".join(f"{len(axis.values):,}" for axis in found)
        raise ConfigError(f"{sizes} are {count:,} combinations, at most {MOST_COMBINATIONS:,}: use a coarser grid")
    return Grid(file, folder, tuple(found), patterns)


def _find(data: Mapping[str, Any], axis: Axis) -> KeyPath:
    """Where the key of an axis stands in a configuration."""
    words: list[str | int] = list(axis.key.split("."))
    if len(words) < 2 or not all(words):
        raise ConfigError(
            f'{axis.place}: "{axis.key}" is no key: write section.key, as costs.commission_per_lot or '
            "patterns.bb_scalp.period"
        )
    for fixed, reason in _FIXED.items():
        if tuple(words[: len(fixed)]) == fixed:
            raise ConfigError(f"{axis.place}: {'.'.join(fixed)} cannot be swept: {reason}")
    head = str(words[0])
    if head in _LISTS:
        tables = data.get(head, DEFAULT_TABLES.get(head, []))
        if not isinstance(tables, list):
            raise ConfigError(f"{axis.place}: {head} is a single table: write [[{head}]], one block for each")
        words[1] = _element(head, tables, str(words[1]), axis)
        if len(words) < 3:
            raise ConfigError(f'{axis.place}: "{axis.key}" lacks the key, as {axis.key}.KEY')
        if head == "patterns" and words[2] not in _PATTERN_KEYS:
            words.insert(2, "params")
    table: Any = {**DEFAULT_TABLES, **data}
    for depth, word in enumerate(words[:-1]):
        table = table.get(word, {}) if isinstance(table, Mapping) else table[word]
        if not isinstance(table, Mapping | list):
            raise ConfigError(f"{axis.place}: {'.'.join(map(str, words[: depth + 1]))} is {table!r}, not a table")
    return tuple(words)


def _element(head: str, tables: Sequence[Any], word: str, axis: Axis) -> int:
    """The position of the table that a name, or an index, stands for."""
    named = [_names(head, table) for table in tables]
    own = [i for i, names in enumerate(named) if names[0] == word]
    for found in (own, [i for i, names in enumerate(named) if word in names]):
        if len(found) == 1:
            return found[0]
        if found:
            choices = " or ".join(f"{head}.{i}" for i in found)
            raise ConfigError(
                f'{axis.place}: {len(found)} of {head} are called "{word}": write {choices}, or name them'
            )
    if word.isdecimal() and int(word) < len(tables):
        return int(word)
    known = sorted({name for names in named for name in names})
    raise ConfigError(f'{axis.place}: there is no "{word}" among {head}{did_you_mean(word, known)}')


def _names(head: str, table: Any) -> tuple[str, ...]:
    """What a table of a list may be called; the first is its own name, which goes before the plugin's."""
    if not isinstance(table, Mapping):
        return ("",)
    if head == "accounts":
        return (str(table.get("id", "main")),)
    use = str(table.get("use", ""))
    return (str(table.get("name", use)), use)


def _holds(table: Any, path: KeyPath) -> bool:
    for key in path:
        known = isinstance(key, int) if isinstance(table, list) else isinstance(table, Mapping) and key in table
        if not known:
            return False
        table = table[key]
    return True


def _laid(table: Any, path: KeyPath, value: Any) -> Any:
    """A copy of nested tables with one value replaced; what is not on the path is shared."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(table, list):
        return [_laid(inner, rest, value) if i == head else inner for i, inner in enumerate(table)]
    return {**table, head: _laid(table.get(head, {}), rest, value)}
