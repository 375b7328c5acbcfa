"""The simulated executor: fires fill and end on historical quotes, by the exit kernel's rules and no others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from bitten.executor import Executor, ExecutorContext, Report
from bitten.kernels.exits import FillRules
from bitten.model.dtypes import NS_PER_MS
from bitten.model.facts import Fire
from bitten.tickets import TicketBooks


class SimulatedConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Assumptions about fills."""

    latency_ms: Annotated[float, Meta(ge=0, le=60_000, description="ms from decision to market")] = 0.0
    slippage_points: Annotated[
        int, Meta(ge=0, description="points, adverse, on entries, stops and time stops; never on targets")
    ] = 0
    target_fill: Annotated[
        str, Meta(pattern="^(level|quote)$", description='"level": at the target; "quote": at the better quote')
    ] = "level"


class SimulatedExecutor(Executor):
    """Replays fires against the feed's quotes.

    A fire fills at the first quote after its decision plus latency, buy at ask, sell at bid; its stop and target are
    checked there against the close side. From the next quote on a touch of the stop closes at that quote, a touch of
    the target at the target.
    """

    Config = SimulatedConfig

    def __init__(self, config: SimulatedConfig, context: ExecutorContext) -> None:
        self._rules = {
            symbol: FillRules(
                latency_ns=round(config.latency_ms * NS_PER_MS),
                slippage=config.slippage_points,
                stops_level=instrument.stops_level,
                target_at_quote=config.target_fill == "quote",
            )
            for symbol, instrument in context.instruments.items()
        }
        self._books = TicketBooks(context.market, self._rules)

    def fill_rules(self, symbol: str) -> FillRules:
        """The configured assumptions with the instrument's stops level."""
        return self._rules[symbol]

    def begin(self) -> None:
        """A new slice is in the market."""
        self._books.begin()

    def place(self, fire: Fire) -> None:
        """Queue the order; its ticket waits for the next quote."""
        self._books.add(fire.number, fire.signal, fire.signal.plan)

    def advance(self, until: int) -> Sequence[Report]:
        """Fills and ends up to an instant."""
        return self._books.advance(until)

    def finish(self) -> Sequence[Report]:
        """Close at the last quotes."""
        return self._books.finish()
