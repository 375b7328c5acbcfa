"""Reading TOML so that an error can name its line: `file:line: what was found, what is allowed, what was meant`."""

from __future__ import annotations

import math
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bitten.errors import ConfigError, did_you_mean

T = TypeVar("T")
KeyPath = tuple[str | int, ...]

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?\Z")
_KEY = re.compile(r'\s*("[^"]*"|\'[^\']*\'|[A-Za-z0-9_\-.]+)\s*=')
_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<where>.*)`)?\Z", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`")
_MISSING = re.compile(r"Object missing required field `(?P<key>.*)`")


class TomlFile:
    """A parsed TOML document that knows where its keys stand.

    Args:
        text: the document.
        name: what errors call it, e.g. "bitten.toml".
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r" \(at line (\d+), column \d+\)| \(at end of document\)", str(error))
            at = int(place.group(1)) if place and place.group(1) else text.rstrip().count("\n") + 1
            what = str(error).replace(place.group(0) if place else "", "")
            line = text.split("\n")[at - 1].strip()
            raise ConfigError(
                f"{name}:{at}: not valid TOML: {what[:1].lower()}{what[1:]}, in `{line}`; texts stand in quotes, dates "
                "are written 2014-05-01, numbers without thousands separators"
            ) from error
        self._lines = _index(text)

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """Parse a file.

        Raises:
            ConfigError: it is absent, unreadable, or not TOML.
        """
        try:
            return cls(path.read_text(encoding="utf-8-sig"), str(path))
        except FileNotFoundError:
            raise ConfigError(f"{path} does not exist; `bitten init` writes a commented starter") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read as UTF-8 text: {error}") from error

    def lay_over(self, sections: Mapping[str, Any]) -> None:
        """Replace whole sections; errors in them name no line."""
        self.data.update(sections)
        self._lines = {path: line for path, line in self._lines.items() if path[0] not in sections}

    def check_numbers(self) -> None:
        """Refuse `inf` and `nan`, which TOML can write and no key means.

        Raises:
            ConfigError: with the place of the first.
        """
        for path, value in _leaves(self.data, ()):
            if isinstance(value, float) and not math.isfinite(value):
                label = ".".join(str(key) for key in path if isinstance(key, str))
                raise self.error(path, f"{label} is {value}: expected a finite number")

    def where(self, path: KeyPath) -> str:
        """`file:line` of a key, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line:
                return f"{self.name}:{line}"
        return self.name

    def error(self, path: KeyPath, text: str) -> ConfigError:
        """An error at a key."""
        return ConfigError(f"{self.where(path)}: {text}")

    def convert(self, value: Any, kind: type[T], path: KeyPath, allowed: tuple[str, ...] = ()) -> T:
        """Check a value against a type; `allowed` are further keys that the caller has already taken out."""
        try:
            return msgspec.convert(value, kind, strict=True)
        except msgspec.ValidationError as error:
            raise self._explain(error, value, kind, path, allowed) from error

    def _explain(
        self, error: Exception, value: Any, kind: type[Any], path: KeyPath, allowed: tuple[str, ...]
    ) -> ConfigError:
        match = _AT.match(str(error))
        assert match is not None  # the pattern matches every text
        inner = _parse_where(match["where"] or "")
        what = match["what"]
        found = value
        for key in inner:
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):  # below a key that msgspec does not name
                break
        full = path + inner
        label = ".".join(str(key) for key in full if isinstance(key, str)) or "the file"
        if unknown := _UNKNOWN.match(what):
            key = unknown["key"]
            names = field_names(kind, inner) if inner else (*field_names(kind), *allowed)
            return self.error((*full, key), f'unknown key "{key}" in {label}{did_you_mean(key, names)}')
        if missing := _MISSING.match(what):
            return self.error(full, f'{label} lacks the key "{missing["key"]}"')
        if what.startswith("Invalid enum value") and (choices := allowed_words(kind, inner)):
            listed = ", ".join(f'"{choice}"' for choice in choices)
            return self.error(full, f"{label} is {found!r}: expected one of {listed}{_near(found, choices)}")
        return self.error(full, f"{label} is {found!r}: {_in_words(what, found)}")


def field_names(kind: Any, inner: KeyPath = ()) -> tuple[str, ...]:
    """The keys that a struct type (or a struct inside it) takes in TOML."""
    for key in inner:
        if isinstance(key, str) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            kind = next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == key), None)
        else:
            kind = next(iter(getattr(kind, "__args__", ())), None)
        if hasattr(kind, "__metadata__"):  # Annotated
            kind = kind.__origin__
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return tuple(field.encode_name for field in msgspec.structs.fields(kind))
    return ()


def allowed_words(kind: Any, inner: KeyPath) -> tuple[str, ...]:
    """The words that a `Literal` somewhere inside a type takes."""
    for key in inner:
        kind = _inside(kind)
        if isinstance(key, str) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            kind = next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == key), None)
        else:
            kind = next(iter(typing.get_args(kind)[-1:] if isinstance(key, str) else typing.get_args(kind)), None)
    return tuple(_literals(kind))


def _inside(kind: Any) -> Any:
    """A type without what only annotates it, or says that it may be absent."""
    if hasattr(kind, "__metadata__"):
        return _inside(kind.__origin__)
    given = [one for one in typing.get_args(kind) if one is not type(None)]
    return _inside(given[0]) if isinstance(kind, types.UnionType) and len(given) == 1 else kind


def _literals(kind: Any) -> Iterator[str]:
    if typing.get_origin(kind) is typing.Literal:
        yield from typing.get_args(kind)
        return
    for one in (kind.__origin__,) if hasattr(kind, "__metadata__") else typing.get_args(kind):
        yield from _literals(one)


def _near(found: Any, choices: tuple[str, ...]) -> str:
    """Which of the words was probably meant; they are listed already."""
    near = did_you_mean(str(found).lower(), choices)
    return near if "mean" in near else ""


def _parse_where(text: str) -> KeyPath:
    """`.gates[0].low` as ("gates", 0, "low"); map keys that msgspec writes as `[...]` are dropped."""
    return tuple(
        int(index) if index else name for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", text) if name or index
    )


def _in_words(what: str, found: Any) -> str:
    """msgspec's sentence for a person who writes TOML."""
    what = what.replace("`", "")
    if choices := re.search(r"matching regex '\^\((.*)\)\$'", what):
        return "expected one of " + ", ".join(f'"{choice}"' for choice in choices[1].split("|"))
    if "'^[A-Z]{3}$'" in what:
        return 'expected three capital letters, as "USD"'
    if what.startswith("Expected array, got str"):
        what += f': write ["{found}"]'
    return what[:1].lower() + what[1:]


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from _leaves(inner, (*path, position))
    else:
        yield path, value


def _index(text: str) -> dict[KeyPath, int]:
    """Key paths to line numbers. Covers tables, arrays of tables and keys; enough to point a person to the place."""
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    rows = text.split("\n")
    number = 0
    while number < len(rows):
        line = rows[number]
        number += 1
        if header := _TABLE.match(line):
            table = _table_path(header, counts)
            lines[table] = number
            lines.setdefault(table[:1], number)
        elif key := _KEY.match(line):
            quoted = key[1][0] in "\"'"
            parts = [key[1].strip("\"'")] if quoted else [part.strip() for part in key[1].split(".")]
            lines.setdefault((*table, *parts), number)
            number += _rest_of_value(rows, number - 1)
    return lines


def _table_path(header: re.Match[str], counts: dict[KeyPath, int]) -> KeyPath:
    """The path of a table header; an array's tables are numbered as they come."""
    table: KeyPath = ()
    parts = [part.strip().strip("\"'") for part in header[2].split(".")]
    for position, part in enumerate(parts):
        table = (*table, part)
        if position == len(parts) - 1 and header[1] == "[[":
            counts[table] = counts.get(table, -1) + 1
        if table in counts:
            table = (*table, counts[table])
    return table


def _rest_of_value(rows: list[str], first: int) -> int:
    """How many further lines the value of a key takes: arrays and texts may span several."""
    for more in range(len(rows) - first):
        try:
            tomllib.loads("\n".join(rows[first : first + more + 1]))
        except tomllib.TOMLDecodeError:
            continue
        return more
    return 0
