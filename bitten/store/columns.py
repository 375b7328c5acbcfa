"""What passes between importers, the store and feeds: clean columns of one symbol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bitten.model.dtypes import Ints

NO_SPREAD: Final = -1  # a bar whose source states no spread; the instrument's default applies


@dataclass(frozen=True, slots=True, eq=False)
class TickColumns:
    """Quotes in time order: `ts` ns UTC, `bid` and `ask` positive integer points, ask never below bid."""

    ts: Ints
    bid: Ints
    ask: Ints


@dataclass(frozen=True, slots=True, eq=False)
class BarColumns:
    """Bid bars in time order: `time` is the bar's start in ns UTC, prices and `spread` in points."""

    timeframe: str
    time: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    spread: Ints  # NO_SPREAD where absent
    volume: Ints


@dataclass(frozen=True, slots=True)
class Source:
    """Where columns came from and what was done to them: stored beside the data, printed by `bitten data list`."""

    format: str  # the importer's name
    files: tuple[str, ...]  # base names
    clock: str  # the rule by which stamps became UTC
    rules: Mapping[str, str] = field(default_factory=dict)  # e.g. {"crossed": "drop"}
    counts: Mapping[str, int] = field(default_factory=dict)  # rows, duplicates, backward, crossed, zero, absent, gaps
    synthetic: bool = False
