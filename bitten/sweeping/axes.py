"""What a person writes for one axis of a grid, as values: `10,20,30`, `10:50:10`, `true,false`, `M1,M5`."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from bitten.errors import ConfigError
from bitten.tomlfile import KeyPath, TomlFile

MOST_COMBINATIONS: Final = 100_000
_NUMBER: Final = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
_RANGE: Final = re.compile(":".join([_NUMBER] * 3) + r"\Z")
_HALF_RANGE: Final = re.compile(":".join([_NUMBER] * 2) + r"\Z")
_ITEM: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|[^,"'\[])+""")  # commas in quotes and brackets do not part


@dataclass(frozen=True, slots=True)
class Axis:
    """One swept key.

    `place` is what errors call it: `--grid KEY=VALUES`, or `file:line`.
    """

    key: str  # as it was written, e.g. "patterns.bb_scalp.period"
    values: tuple[Any, ...]
    place: str
    path: KeyPath = ()  # in the configuration; known once it has been looked up there


def parse_option(text: str) -> Axis:
    """An axis from `--grid KEY=VALUES`.

    Raises:
        ConfigError: it is not of that form, a range is impossible, or a value comes twice.
    """
    key, equals, values = text.partition("=")
    place = f"--grid {text}"
    if not equals or not key.strip() or not values.strip():
        raise ConfigError(f"{place}: expected KEY=VALUES, as patterns.bb_scalp.period=10:50:10 or costs.x=0,3.5,7")
    return make_axis(key.strip(), values, place)


def file_axes(file: TomlFile) -> list[Axis]:
    """The axes of the `[sweep]` table, in its order; keys may be quoted or dotted."""
    table = file.data.get("sweep", {})
    if not isinstance(table, Mapping):
        raise file.error(("sweep",), f"sweep is {table!r}: expected a table, as [sweep]")
    return list(_table_axes(file, table, ("sweep",)))


def _table_axes(file: TomlFile, table: Mapping[str, Any], path: KeyPath) -> Sequence[Axis]:
    found: list[Axis] = []
    for name, value in table.items():
        inner = (*path, name)
        if isinstance(value, Mapping):
            found += _table_axes(file, value, inner)
        else:
            found.append(make_axis(".".join(map(str, inner[1:])), value, file.where(inner)))
    return found


def make_axis(key: str, values: Any, place: str) -> Axis:
    """An axis from a key and its values: a text as after `--grid KEY=`, or a sequence of them.

    Raises:
        ConfigError: see `parse_option`.
    """
    if isinstance(values, str):
        found = [value for item in _ITEM.findall(values) for value in _item(item.strip(), place)]
    elif isinstance(values, Sequence) or hasattr(values, "tolist"):
        found = list(values.tolist() if hasattr(values, "tolist") else values)  # a numpy array gives Python numbers
        found = [value.item() if hasattr(value, "item") else value for value in found]
    else:
        found = [values]
    if not found:
        raise ConfigError(f"{place}: {key} has no values")
    double = next((text for text, n in Counter(map(show_value, found)).items() if n > 1), None)
    if double is not None:
        raise ConfigError(f"{place}: {key} has {double} twice")
    return Axis(key, tuple(found), place)


def show_value(value: Any) -> str:
    """A value of an axis as people write it: `20`, `1.5`, `true`, `M1`, `[80, 90]`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _item(text: str, place: str) -> list[Any]:
    """The values between two commas: a range, a value as TOML writes it, or else a bare word."""
    if match := _RANGE.match(text):
        start, stop, step = (Decimal(number) for number in match.groups())
        return _range(start, stop, step, place)
    if _HALF_RANGE.match(text):
        raise ConfigError(f'{place}: "{text}" is no range: write start:stop:step, or a text in double quotes')
    try:
        return [tomllib.loads(f"value = {text}")["value"]]
    except tomllib.TOMLDecodeError:
        return [text]


def _range(start: Decimal, stop: Decimal, step: Decimal, place: str) -> list[Any]:
    """Every step from start to stop, the stop included where it is met; decimals are exact."""
    if step == 0 or (stop - start) * step < 0:
        raise ConfigError(f"{place}: {start}:{stop}:{step} never arrives: start:stop:step goes from start towards stop")
    count = int((stop - start) / step) + 1
    if count > MOST_COMBINATIONS:
        raise ConfigError(f"{place}: {start}:{stop}:{step} are {count:,} values, at most {MOST_COMBINATIONS:,}")
    whole = all(number == number.to_integral_value() and "." not in str(number) for number in (start, stop, step))
    return [int(start + i * step) if whole else float(start + i * step) for i in range(count)]
