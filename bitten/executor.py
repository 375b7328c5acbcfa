"""What an executor is: it takes fires and reports what became of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import msgspec

from bitten.kernels.exits import FillRules
from bitten.market import Market
from bitten.model.facts import Fire
from bitten.model.instrument import Instrument


class Report(NamedTuple):
    """One thing that happened to a fire or to a followed signal; points and ns UTC."""

    key: int  # the owner's number
    kind: int  # FILLED, CLOSED, REJECTED, EXPIRED
    reason: int  # index into CLOSE_REASONS, for CLOSED
    time: int
    price: int
    stop: int
    target: int
    best: int
    worst: int


@dataclass(frozen=True, slots=True)
class ExecutorContext:
    """What the pipeline tells an executor when it makes one."""

    instruments: Mapping[str, Instrument]  # configured order
    market: Market


class Executor(ABC):
    """Takes fires, reports fills and ends. It decides nothing: what reaches it has passed the gates."""

    Config: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, config: Any, context: ExecutorContext) -> None: ...

    @abstractmethod
    def fill_rules(self, symbol: str) -> FillRules:
        """The assumptions under which a symbol's orders fill; outcomes of signals are followed by the same."""

    @abstractmethod
    def begin(self) -> None:
        """A new slice is in the market."""

    @abstractmethod
    def place(self, fire: Fire) -> None:
        """Take an order that has been journalled."""

    @abstractmethod
    def advance(self, until: int) -> Sequence[Report]:
        """What has happened up to and including an instant, in order of time; later calls never report earlier."""

    @abstractmethod
    def finish(self) -> Sequence[Report]:
        """The data has ended: close what is open, expire what waits."""
