"""The bundled instruments, and what a project says differently under `[instruments.SYMBOL]` of its bitten.toml."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from bitten.errors import ConfigError, UnknownSymbolError, did_you_mean
from bitten.model.instrument import Instrument
from bitten.tomlfile import TomlFile

MAX_DIGITS: Final = 10  # prices to 900 million fit int64 points; no market quotes finer

Where = Callable[[tuple[str, ...]], str]


class _Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of one `[instruments.SYMBOL]` table, with their units as in `Instrument`."""

    digits: int
    base: str
    quote: str
    contract_size: float
    pip: float
    volume_min: float
    volume_step: float
    volume_max: float
    default_spread: int
    stops_level: int = 0
    description: str = ""


_KEYS: Final = tuple(field.name for field in msgspec.structs.fields(_Facts))
_REQUIRED: Final = tuple(field.name for field in msgspec.structs.fields(_Facts) if field.required)


class Instruments(Mapping[str, Instrument]):
    """Instruments by symbol; an unknown symbol is an error that says how to describe it."""

    def __init__(self, known: Mapping[str, Instrument]) -> None:
        self._known = dict(known)

    def __getitem__(self, symbol: str) -> Instrument:
        """The instrument.

        Raises:
            UnknownSymbolError: it is not described; the message names the keys to give.
        """
        if symbol not in self._known:
            near = difflib.get_close_matches(symbol.upper(), self._known, n=1, cutoff=0.75)
            meant = f'did you mean "{near[0]}"? If not, ' if near else ""
            raise UnknownSymbolError(
                f'symbol "{symbol}" is unknown: {meant}describe it in bitten.toml under [instruments.{symbol}] '
                f"with the keys {', '.join(_REQUIRED)}"
            )
        return self._known[symbol]

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._known

    def get(self, symbol: str, default: Any = None) -> Any:
        """The instrument, or the default where it is not described."""
        return self._known.get(symbol, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def load_instruments(
    overrides: Mapping[str, Mapping[str, object]] | None = None, where: Where | None = None
) -> Instruments:
    """The bundled instruments with a project's own facts laid over them.

    Args:
        overrides: tables by symbol. Of a bundled symbol they may state single keys; where `digits` changes and
            `default_spread` or `stops_level` is not stated, the bundled value keeps its size as a price difference.
            A new symbol states every key that has no default.
        where: tells `file:line` of a key path below `[instruments]`, for messages.

    Raises:
        ConfigError: an unknown or missing key, a wrong type, or a value that cannot be.
    """
    known = dict(_bundled())
    for symbol, table in (overrides or {}).items():
        reader = _Table(symbol, where)
        if not isinstance(table, Mapping):
            raise reader.error((), f"is {table!r}: expected a table of {', '.join(_KEYS)}")
        known[symbol] = reader.over(known.get(symbol), table)
    return Instruments(
        {symbol: Instrument(symbol=symbol, **msgspec.structs.asdict(facts)) for symbol, facts in known.items()}
    )


@cache
def _bundled() -> Mapping[str, _Facts]:
    text = files("bitten.model").joinpath("instruments.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, _Facts])


def project_instruments(folder: Path) -> Instruments:
    """The instruments of a project: bundled, with `[instruments]` of `folder/bitten.toml` where there is such a file.

    Nothing else of the file is looked at.

    Raises:
        ConfigError: the file is not TOML, or its instruments cannot be; with `file:line`.
    """
    path = folder / "bitten.toml"
    if not path.is_file():
        return load_instruments()
    file = TomlFile.read(path)
    table = file.data.get("instruments", {})
    if not isinstance(table, Mapping):
        raise file.error(("instruments",), f"instruments is {table!r}: expected tables such as [instruments.EURUSD]")
    return load_instruments(table, lambda keys: file.where(("instruments", *keys)))


class _Table:
    """Checks one project's table of one symbol."""

    def __init__(self, symbol: str, where: Where | None) -> None:
        self.symbol = symbol
        self.where = where

    def error(self, keys: tuple[str, ...], text: str) -> ConfigError:
        label = ".".join(("instruments", self.symbol, *keys))
        place = f"{self.where((self.symbol, *keys))}: " if self.where else ""
        return ConfigError(f"{place}{label} {text}")

    def over(self, bundled: _Facts | None, table: Mapping[str, object]) -> _Facts:
        """The bundled facts with the table's on top, checked."""
        for key, value in table.items():
            if key not in _KEYS:
                raise self.error((key,), f"is no key of an instrument{did_you_mean(key, _KEYS)}")
            self._check_type(key, value)
        missing = [key for key in _REQUIRED if key not in table]
        if bundled is None and missing:
            raise self.error((), f"describes a symbol that is not bundled and lacks {', '.join(missing)}")
        facts = msgspec.convert({**(self._at_digits(bundled, table) if bundled else {}), **table}, _Facts)
        self._check_values(facts)
        return facts

    def _check_type(self, key: str, value: object) -> None:
        expected = next(field.type for field in msgspec.structs.fields(_Facts) if field.name == key)
        try:
            msgspec.convert(value, expected, strict=True)
        except msgspec.ValidationError:
            words = {int: "a whole number", float: "a number", str: "a text"}
            raise self.error((key,), f"is {value!r}: expected {words[expected]}") from None

    @staticmethod
    def _at_digits(bundled: _Facts, table: Mapping[str, object]) -> dict[str, object]:
        """The bundled facts with distances in the points of the table's digits, rounded up."""
        digits = table.get("digits", bundled.digits)
        if not isinstance(digits, int) or not 0 <= digits <= MAX_DIGITS:
            return msgspec.structs.asdict(bundled)  # refused below
        finer, coarser = 10 ** max(digits - bundled.digits, 0), 10 ** max(bundled.digits - digits, 0)
        return msgspec.structs.asdict(bundled) | {
            key: -(-getattr(bundled, key) * finer // coarser) for key in ("default_spread", "stops_level")
        }

    def _check_values(self, facts: _Facts) -> None:
        if not 0 <= facts.digits <= MAX_DIGITS:
            raise self.error(("digits",), f"is {facts.digits}: a price has 0 to {MAX_DIGITS} decimals")
        for key in ("base", "quote"):
            if not getattr(facts, key).strip():
                raise self.error((key,), 'is empty: expected a currency such as "USD"')
        for key in ("contract_size", "pip", "volume_min", "volume_step", "volume_max"):
            value = getattr(facts, key)
            if not (math.isfinite(value) and value > 0):
                raise self.error((key,), f"is {value:g}: expected more than 0")
        for key in ("default_spread", "stops_level"):
            if getattr(facts, key) < 0:
                raise self.error((key,), f"is {getattr(facts, key)}: expected 0 or more points")
        if facts.volume_min > facts.volume_max:
            raise self.error(("volume_min",), f"is {facts.volume_min:g}, more than volume_max {facts.volume_max:g}")
        if facts.volume_step > facts.volume_max:
            raise self.error(("volume_step",), f"is {facts.volume_step:g}, more than volume_max {facts.volume_max:g}")
        pip_points = facts.pip * 10**facts.digits
        if round(pip_points) < 1 or not math.isclose(pip_points, round(pip_points), rel_tol=1e-9):
            raise self.error(
                ("pip",), f"is {facts.pip:g}, no whole number of points: with digits {facts.digits} a point is "
                f"{10.0**-facts.digits:g}"
            )  # fmt: skip
