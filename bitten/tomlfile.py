"""Reading TOML so that an error can name its line: `file:line: what was found, what is allowed, what was meant`."""

from __future__ import annotations

import re
import tomllib
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
            line = re.search(r"at line (\d+)", str(error))
            at = line.group(1) if line else str(text.count("\n") + 1)
            raise ConfigError(f"{name}:{at}: not valid TOML: {error}") from error
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
            found = found[key]
        full = path + inner
        label = ".".join(str(key) for key in full if isinstance(key, str)) or "the file"
        if unknown := _UNKNOWN.match(what):
            key = unknown["key"]
            names = (*field_names(kind, inner), *allowed)
            return self.error((*full, key), f'unknown key "{key}" in {label}{did_you_mean(key, names)}')
        if missing := _MISSING.match(what):
            return self.error(full, f'{label} lacks the key "{missing["key"]}"')
        what = what.replace("`", "")
        return self.error(full, f"{label} is {found!r}: {what[:1].lower()}{what[1:]}")


def field_names(kind: Any, inner: KeyPath = ()) -> tuple[str, ...]:
    """The keys that a struct type (or a struct inside it) takes in TOML."""
    for key in inner:
        if isinstance(key, str) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            kind = next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == key), None)
        else:
            kind = next(iter(getattr(kind, "__args__", ())), None)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return tuple(field.encode_name for field in msgspec.structs.fields(kind))
    return ()


def _parse_where(text: str) -> KeyPath:
    """`.gates[0].low` as ("gates", 0, "low"); map keys that msgspec writes as `[...]` are dropped."""
    return tuple(
        int(index) if index else name for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", text) if name or index
    )


def _index(text: str) -> dict[KeyPath, int]:
    """Key paths to line numbers. Covers tables, arrays of tables and keys; enough to point a person to the place."""
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = ()
            parts = [part.strip().strip("\"'") for part in header[2].split(".")]
            for position, part in enumerate(parts):
                table = (*table, part)
                last = position == len(parts) - 1
                if last and header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                if table in counts:
                    table = (*table, counts[table])
            lines[table] = number
            lines.setdefault(table[:1], number)
        elif key := _KEY.match(line):
            parts = (
                [part.strip("\"'") for part in key[1].split(".")] if key[1][0] not in "\"'" else [key[1].strip("\"'")]
            )
            lines.setdefault((*table, *parts), number)
    return lines
