"""Bar periods by their market names."""

from __future__ import annotations

from typing import Final

from bitten.errors import ConfigError
from bitten.model.dtypes import NS_PER_MINUTE

_MINUTES: Final = {
    "M1": 1,
    "M2": 2,
    "M3": 3,
    "M5": 5,
    "M10": 10,
    "M15": 15,
    "M30": 30,
    "H1": 60,
    "H2": 120,
    "H4": 240,
    "H6": 360,
    "H8": 480,
    "H12": 720,
    "D1": 1440,
}

TIMEFRAMES: Final = tuple(_MINUTES)


def timeframe_ns(name: str) -> int:
    """Length of a bar in nanoseconds; `timeframe_ns("M5")` is 300_000_000_000.

    Raises:
        ConfigError: the name is not one of `TIMEFRAMES`.
    """
    if name not in _MINUTES:
        near = next((known for known in _MINUTES if known == name.upper()), None)
        meant = f'did you mean "{near}"?' if near else f"allowed are {', '.join(_MINUTES)}"
        raise ConfigError(f'timeframe "{name}" is unknown: {meant}')
    return _MINUTES[name] * NS_PER_MINUTE


def timeframe_name(ns: int) -> str:
    """Name of a period given in nanoseconds; the inverse of `timeframe_ns`."""
    for name, minutes in _MINUTES.items():
        if minutes * NS_PER_MINUTE == ns:
            return name
    raise ConfigError(f"a bar of {ns / NS_PER_MINUTE:g} minutes is none of {', '.join(_MINUTES)}")
