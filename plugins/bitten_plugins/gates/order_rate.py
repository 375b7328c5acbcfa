"""Order rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Meta

from bitten.clock import iso
from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.journal.columns import make_batch
from bitten.journal.decisions import literal
from bitten.journal.schema import TIME, WORD
from bitten.model.dtypes import NS_PER_MINUTE
from bitten_plugins.gates.tape import Tape, moment

_HOUR: Final = 60 * NS_PER_MINUTE
_SCHEMA: Final = pa.schema(
    [("time", TIME), ("gate", WORD), ("pattern", WORD), ("event", WORD), ("signals", pa.int64()), ("limit", pa.int64())]
)
Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class Reenable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person lets a pattern fire again."""

    pattern: str
    at: Any

    def __post_init__(self) -> None:
        moment(self.at, "at")


class OrderRateConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often; 0 for no such limit."""

    fires_per_hour: Annotated[Count, Meta(description="most fires of an account within an hour")] = 20
    signals_per_minute: Annotated[Count, Meta(description="most signals that the system fires within a minute")] = 60
    pattern_signals_per_hour: Annotated[
        Count, Meta(description="signals of a pattern fired within an hour, after which it is switched off")
    ] = 60
    reenable: Annotated[tuple[Reenable, ...], Meta(description="tables of pattern and at: when it may fire again")] = ()
    file: Annotated[str | None, Meta(description="the same as lines: 2014-05-02T12:00:00Z PATTERN reason")] = None


class OrderRate(Gate):
    """Refuses what comes too fast; a pattern that does is switched off until a person lets it fire again.

    Counted are fires that earlier decisions have made, over windows that end now: the first one beyond a limit is
    refused. A pattern that is stuck fires at most its limit, once, instead of its limit every hour: it does not come
    back by itself. Six patterns give some ten signals an hour on a symbol's one-minute bars; the limits are several
    times that. Source: RTS 6 article 15(1)(d) and 15(3); Knight Capital sent four million orders in 45 minutes.
    """

    Config = OrderRateConfig

    def __init__(self, config: OrderRateConfig, context: GateContext) -> None:
        super().__init__(config, context)
        for one in config.reenable:
            context.check_pattern(one.pattern, "reenable")
        self._tape = None if config.file is None else Tape(context.folder / config.file)
        self._reenable = [(one.pattern, moment(one.at, "at")) for one in config.reenable]
        self._off: dict[str, int] = {}  # patterns that are switched off, since when
        self._events: list[Any] = []  # cells of the table

    def decide(self, situation: Situation) -> Verdict:
        """The pattern first, then the system, then each account."""
        config, ledger, time = self.config, situation.ledger, situation.time
        if config.pattern_signals_per_hour:
            count = self._count(situation, config.pattern_signals_per_hour)
            pattern = situation.signal.pattern
            if pattern in self._off:
                text = (
                    f"{literal(pattern)} was switched off at {iso(self._off[pattern], 0)} UTC: {{limit:.0f}} signals "
                )
                text += "fired within an hour; a person has to let it fire again"
                return Verdict(situation.for_all(False), float(count), float(config.pattern_signals_per_hour), text)
        if config.signals_per_minute:
            count = ledger.signals_since(time - NS_PER_MINUTE, besides=situation.signal.id)
            if count >= config.signals_per_minute:
                text = "{measured:.0f} signals were fired within a minute, limit is {limit:.0f}"
                return Verdict(situation.for_all(False), float(count), float(config.signals_per_minute), text)
        if not config.fires_per_hour:
            return Verdict(situation.for_all(True), np.nan, np.nan, "fires of an account are not limited")
        fires = ledger.fires_since(time - _HOUR)
        text = "{measured:.0f} fires within an hour, limit is {limit:.0f}"
        return Verdict(fires < config.fires_per_hour, fires, float(config.fires_per_hour), text)

    def tables(self) -> Mapping[str, pa.Table]:
        """When patterns were switched off, and let fire again."""
        return {"rate_stops": pa.Table.from_batches([make_batch(self._events, _SCHEMA)], _SCHEMA)}

    def _count(self, situation: Situation, limit: int) -> int:
        """Signals of the pattern that count now; switches it off where they are too many."""
        pattern, time = situation.signal.pattern, situation.time
        allowed = max((at for at in self._reenabled(pattern) if at <= time), default=None)
        if allowed is not None and pattern in self._off and self._off[pattern] <= allowed:
            del self._off[pattern]
            self._events += (allowed, self.context.name, pattern, "on", 0, limit)
        since = time - _HOUR if allowed is None else max(time - _HOUR, allowed - 1)
        count = situation.ledger.signals_since(since, pattern, situation.signal.id)
        if count >= limit and pattern not in self._off:
            self._off[pattern] = time
            self._events += (time, self.context.name, pattern, "off", count, limit)
        return count

    def _reenabled(self, pattern: str) -> Sequence[int]:
        told = [at for name, at in self._reenable if name == pattern]
        lines = () if self._tape is None else self._tape.commands()
        return [*told, *(line.time for line in lines if line.word == pattern)]
