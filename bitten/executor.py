"""What an executor is: it takes fires and reports what became of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from bitten.kernels.exits import FillRules
from bitten.market import Market
from bitten.model.facts import Fire, Signal
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


# What a foreseen event is of: the signal by itself (its outcome), an order led by the signal's exit plan, or both where
# they are the same.
OUTCOME: Final = 1
ORDER: Final = 2
BOTH: Final = OUTCOME | ORDER


class Foreseen(NamedTuple):
    """What the quotes of a slice do to a signal, whether it is fired or not."""

    signal: Signal
    role: int  # OUTCOME, ORDER or BOTH
    report: Report  # its key is not an order's


@dataclass(frozen=True, slots=True)
class ExecutorContext:
    """What the pipeline tells an executor when it makes one."""

    instruments: Mapping[str, Instrument]  # configured order
    market: Market


class Executor(ABC):
    """Takes fires, reports fills and ends. It decides nothing: what reaches it has passed the gates."""

    Config: ClassVar[type[msgspec.Struct]]
    simulated: ClassVar[bool] = False
    """Whether every order meets exactly what is foreseen of its signal; sweeps then need not place it."""

    @abstractmethod
    def __init__(self, config: Any, context: ExecutorContext) -> None: ...

    @abstractmethod
    def fill_rules(self, symbol: str) -> FillRules:
        """The assumptions under which a symbol's orders fill; outcomes of signals are followed by the same."""

    @abstractmethod
    def begin(self, foreseen: Sequence[Foreseen]) -> None:
        """A new slice is in the market; in a replay, what it would do to the orders of every signal, by time.

        A simulated executor reports from it, for the signals that are fired; it decides nothing by it, and nothing
        else sees it. Executors of a market ignore it.
        """

    @abstractmethod
    def place(self, fire: Fire) -> None:
        """Take an order that has been journalled."""

    @abstractmethod
    def advance(self, until: int) -> Sequence[Report]:
        """What has happened up to and including an instant, in order of time; later calls never report earlier."""

    @abstractmethod
    def finish(self) -> Sequence[Report]:
        """The data has ended (`begin` has been told what that does): close what is open, expire what waits."""
