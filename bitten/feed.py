"""What a feed is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from bitten.model.instrument import Instrument
from bitten.model.quotes import Slice


@dataclass(frozen=True, slots=True)
class FeedContext:
    """What the pipeline tells a feed when it makes one."""

    symbols: tuple[str, ...]  # configured order
    instruments: Mapping[str, Instrument]
    start: int | None  # ns UTC, first instant wanted
    end: int | None  # ns UTC, first instant not wanted
    folder: Path  # where relative paths in the configuration start
    seed: int = 0
    intrabar: str = "pessimistic"  # order of a bar's extremes for open positions: "pessimistic" or "path"
    data: Any = None  # an object handed over in a notebook: frames by symbol


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What a feed says of its data before the first slice: for progress, the manifest and honest labels."""

    quotes: int | None = None  # how many will come, where known
    synthetic: bool = False
    fingerprints: Mapping[str, str] = field(default_factory=dict)  # symbol to a digest of its data
    notes: Sequence[str] = ()  # assumptions a reader of the results must know


class Feed(ABC):
    """A source of slices. Memory is bounded by the slice, never by the length of the history."""

    Config: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, config: Any, context: FeedContext) -> None:
        """Check that the data is there; raise `BittenError` with the remedy where it is not."""

    @abstractmethod
    def facts(self) -> FeedFacts:
        """Called once before the first slice."""

    @abstractmethod
    def slices(self) -> Iterator[Slice]:
        """All quotes of all symbols in slices with strictly increasing horizons."""
