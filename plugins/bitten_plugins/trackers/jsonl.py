"""Facts as lines of JSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bitten import hookimpl
from bitten.clock import iso
from bitten.model.facts import Alert, Close, Fill, Fire, Outcome, Signal, Unfilled, side_name
from bitten.tracker import Tracker, TrackerContext


class JsonLinesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where they go."""

    file: Annotated[str, Meta(pattern=r"^[\w.-]+$", description="file name inside the run folder")] = "facts.jsonl"


class JsonLines(Tracker):
    """Writes every sparse fact but single gate decisions to a file in the run folder, one JSON object per line."""

    Config = JsonLinesConfig

    def __init__(self, config: JsonLinesConfig, context: TrackerContext) -> None:
        super().__init__(config, context)
        self._file = (context.folder / config.file).open("wb")

    def _write(self, kind: str, time: int, **values: Any) -> None:
        line = {"fact": kind, "time": iso(time, 9), **values}
        self._file.write(msgspec.json.encode(line) + b"\n")

    @hookimpl
    def bitten_signal(self, signal: Signal) -> None:
        """A signal with its levels as decimal prices."""
        self._write(
            "signal", signal.time, id=signal.id, symbol=signal.symbol, pattern=signal.pattern,
            side=side_name(signal.side), stop=signal.stop, target=signal.target, confidence=signal.confidence,
        )  # fmt: skip

    @hookimpl
    def bitten_fire(self, fire: Fire) -> None:
        """An order."""
        self._write("fire", fire.time, id=fire.id, account=fire.account, lots=fire.lots)

    @hookimpl
    def bitten_fill(self, fill: Fill) -> None:
        """A position."""
        price = fill.fire.signal.instrument.price(fill.price_points)
        self._write("fill", fill.time, id=fill.fire.id, price=price)

    @hookimpl
    def bitten_unfilled(self, unfilled: Unfilled) -> None:
        """An order that ended without a position."""
        self._write("unfilled", unfilled.time, id=unfilled.fire.id, status=unfilled.status, reason=unfilled.reason)

    @hookimpl
    def bitten_close(self, close: Close) -> None:
        """The end of a position."""
        fire = close.fill.fire
        price = fire.signal.instrument.price(close.price_points)
        self._write("close", close.time, id=fire.id, price=price, reason=close.reason, profit=close.profit)

    @hookimpl
    def bitten_outcome(self, outcome: Outcome) -> None:
        """A signal's fate."""
        self._write("outcome", outcome.close_time, id=outcome.signal.id, result=outcome.reason)

    @hookimpl
    def bitten_alert(self, alert: Alert) -> None:
        """Something a person should know."""
        self._write("alert", alert.time, source=alert.source, text=alert.text)

    def finish(self) -> None:
        """Close the file."""
        self._file.close()
