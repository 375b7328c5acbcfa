"""The simulated executor: fires fill and end on historical quotes, by the exit kernel's rules and no others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from bitten.executor import ORDER, Executor, ExecutorContext, Foreseen, Report
from bitten.kernels.exits import FillRules
from bitten.model.dtypes import FILLED, NS_PER_MS
from bitten.model.facts import Fire
from bitten_brokers.late import LateOrders

_EVER: Final = 1 << 62


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
    the target at the target. All of it is worked out by the exit kernel before the decision (`bitten.fates`).
    """

    Config = SimulatedConfig
    simulated = True

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
        self._late = LateOrders(self._rules, context.market)
        self._foreseen: Sequence[Foreseen] = ()
        self._next = 0  # of the foreseen events
        self._fires: dict[str, list[int]] = {}  # numbers of the fires that have not ended, by signal
        self._any_late = False  # most runs have none, and need not look for them at every instant

    def fill_rules(self, symbol: str) -> FillRules:
        """The configured assumptions with the instrument's stops level."""
        return self._rules[symbol]

    def begin(self, foreseen: Sequence[Foreseen]) -> None:
        """Take what the slice would do to orders."""
        self._foreseen = foreseen
        self._next = 0
        self._late.begin()

    def place(self, fire: Fire) -> None:
        """From here on, what happens to the signal happens to this fire; one released later by a person goes apart."""
        if fire.time == fire.signal.time:
            self._fires.setdefault(fire.signal.id, []).append(fire.number)
        else:
            self._any_late = True
            self._late.place(fire)

    def advance(self, until: int) -> Sequence[Report]:
        """Fills and ends up to an instant."""
        reports = self._foretold(until)
        late = self._late.advance(until) if self._any_late else ()
        return sorted([*reports, *late], key=lambda report: report.time) if late else reports

    def finish(self) -> Sequence[Report]:
        """Close at the last quotes."""
        return [*self._foretold(_EVER), *self._late.finish()]

    def _foretold(self, until: int) -> list[Report]:
        """What was foreseen of fires that left at their signal's own time."""
        reports: list[Report] = []
        foreseen, fires, position = self._foreseen, self._fires, self._next
        while position < len(foreseen):
            signal, role, report = foreseen[position]
            if report.time > until:
                break
            position += 1
            if role & ORDER and signal.id in fires:
                numbers = fires[signal.id] if report.kind == FILLED else fires.pop(signal.id)
                reports.extend(Report(number, *report[1:]) for number in numbers)
        self._next = position
        return reports
