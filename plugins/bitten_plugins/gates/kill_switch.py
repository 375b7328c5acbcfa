"""Kill switch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from bitten.clock import iso
from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.journal.decisions import literal
from bitten.ledger import Ledger
from bitten.rule import PASS, Rule
from bitten.screening import Offers, Screen
from bitten_plugins.gates.tape import Command, Tape, moment

STATES = ("RUNNING", "REDUCING", "HALTED")
_State = Literal["running", "reducing", "halted"]


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A drill: what the switch says from an instant up to another, which no longer belongs to it."""

    start: Any
    end: Any
    state: _State = "halted"

    def __post_init__(self) -> None:
        if moment(self.start, "from") >= moment(self.end, "to"):
            raise ValueError(f"from {self.start} is not before to {self.end}")


class KillSwitchConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the switch says, from up to three sources; the strictest holds."""

    state: Annotated[_State, Meta(description="running, reducing (no new positions) or halted (nothing new)")] = (
        "running"
    )
    periods: Annotated[
        tuple[Period, ...], Meta(description="drills: tables of from, to and state (halted where none is given)")
    ] = ()
    file: Annotated[
        str | None, Meta(description="commands as lines: 2014-05-02T12:00:00Z HALTED reason; the last one holds")
    ] = None


class KillSwitch(Gate):
    """Refuses every new fire while a person has switched trading off.

    RUNNING passes; REDUCING lets positions be closed and led, HALTED stops everything new: for a fire both refuse. It
    stands first, since whatever else is wrong, this has to work. Source: RTS 6 article 12, SEC rule 15c3-5.
    Measured is 0, 1 or 2 for the three states; the limit is 0.
    """

    Config = KillSwitchConfig

    def __init__(self, config: KillSwitchConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self._tape = None if config.file is None else Tape(context.folder / config.file, STATES)
        self._periods = [(moment(one.start, "from"), moment(one.end, "to"), one.state) for one in config.periods]

    @property
    def _idle(self) -> bool:
        """Whether nothing but "running" is configured."""
        return self.config.state == "running" and not self._periods and self._tape is None

    def rule(self) -> Rule | None:
        """Never refuses where nothing but "running" is configured."""
        return Rule(PASS) if self._idle else None

    def screen(self, offers: Offers, ledger: Ledger) -> Screen | None:
        """Everything, where nothing but "running" is configured."""
        return Screen(np.ones(len(offers.signals), np.bool_), 0.0, 0.0) if self._idle else None

    def decide(self, situation: Situation) -> Verdict:
        """The strictest of the configured state, the periods at this instant, and the last command."""
        level, reason = max(self._said(situation.time), key=lambda one: one[0])
        passed = situation.for_all(level == 0)
        return Verdict(passed, float(level), 0.0, f"trading is {STATES[level]}{literal(reason)}")

    def _said(self, time: int) -> list[tuple[int, str]]:
        """(index of the state, why) of every source."""
        said = [(STATES.index(self.config.state.upper()), " by configuration")]
        for start, end, state in self._periods:
            if start <= time < end:
                said.append((STATES.index(state.upper()), f" from {iso(start, 0)} to {iso(end, 0)} UTC"))
        command: Command | None = None if self._tape is None else self._tape.last(time)
        if command is not None:
            why = f": {command.reason}" if command.reason else ""
            said.append((STATES.index(command.word), f" since {iso(command.time, 0)} UTC{why}"))
        return said
