"""Elimination of patterns that do not win."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
import pyarrow as pa
from msgspec import Meta

from bitten.clock import iso
from bitten.gate import Gate, GateContext, Situation, Verdict
from bitten.journal.columns import make_batch
from bitten.journal.decisions import literal
from bitten.journal.schema import TIME, WORD
from bitten.model.facts import Outcome
from bitten_plugins.gates.tape import Tape, moment
from bitten_plugins.gates.winrate import RESOLVED, WinRate

_SCHEMA: Final = pa.schema(
    [
        ("time", TIME),
        ("gate", WORD),
        ("pattern", WORD),
        ("symbol", WORD),  # null where a pattern is judged over all symbols
        ("event", WORD),  # eliminated, restored (by a person), probation passed, probation failed
        ("wins", pa.int64()),
        ("n", pa.int64()),
        ("bound", pa.float64()),  # percent: what was held against the limit
    ]
)


class Restore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person lets a pattern fire again: on one symbol, or wherever it is switched off."""

    pattern: str
    at: Any
    symbol: str | None = None

    def __post_init__(self) -> None:
        moment(self.at, "at")


class EliminationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a pattern is switched off, and how it comes back."""

    limit_percent: Annotated[float, Meta(gt=0, lt=100, description="win rate that a pattern must be able to have")] = (
        40.0
    )
    least: Annotated[int, Meta(ge=1, le=1_000_000, description="resolved signals before it is judged")] = 20
    per: Annotated[
        Literal["pattern", "symbol"], Meta(description="judge a pattern over all symbols, or on each by itself")
    ] = "pattern"
    mode: Annotated[
        Literal["interval", "plain"],
        Meta(description="hold the upper end of the win rate's 95 % interval against the limit, or the rate itself"),
    ] = "interval"
    probation_signals: Annotated[
        int,
        Meta(
            ge=0, le=1_000_000, description="further signals, followed unfired, on which it is judged anew; 0 for never"
        ),
    ] = 0
    restore: Annotated[tuple[Restore, ...], Meta(description="tables of pattern, at and perhaps symbol")] = ()
    file: Annotated[
        str | None, Meta(description="the same as lines: 2014-05-02T12:00:00Z PATTERN (or PATTERN/SYMBOL) reason")
    ] = None

    def __post_init__(self) -> None:
        for one in self.restore:
            if one.symbol is not None and self.per == "pattern":
                raise ValueError(
                    f'restore names {one.symbol}, but patterns are judged over all symbols: set per = "symbol"'
                )


class Elimination(Gate):
    """Switches a pattern off whose signals win too seldom, fired or not; a person or a probation restores it.

    Resolved signals ended at their target, stop or time stop; a win is one whose close is better than its entry. At
    least 20 of them, and the upper end of the Wilson 95 % interval of their win rate lies under 40 %: the pattern is
    bad, not unlucky. Simulated, of patterns that win half of their signals the plain rule throws out 32 % within 500
    signals, the interval 0.3 %. Only win rates are looked at: targets that lie far away want a lower limit. What
    follows a switch-off counts for the probation alone, which is passed where the win rate itself reaches the limit;
    after a restoration counting starts anew.
    """

    Config = EliminationConfig

    def __init__(self, config: EliminationConfig, context: GateContext) -> None:
        super().__init__(config, context)
        for one in config.restore:
            context.check_pattern(one.pattern, "restore")
        self._tape = None if config.file is None else Tape(context.folder / config.file)
        self._records: dict[tuple[str, str | None], WinRate] = {}
        self._cells: list[Any] = []

    def learn(self, outcome: Outcome) -> None:
        """Count a resolved signal, and judge its pattern."""
        if outcome.reason not in RESOLVED:
            return
        signal, time = outcome.signal, outcome.close_time
        record = self._record(signal.pattern, signal.symbol, time)
        if record.off is not None and signal.time < record.off:
            return  # it may have been fired
        record.count(outcome)
        bad = record.bound(self.config.mode) < self.config.limit_percent
        if record.off is None:
            if bad and record.n >= self.config.least:
                record.evidence = record.words(self.config.mode, self.config.limit_percent)
                record.held = record.bound(self.config.mode)
                self._turn(signal.pattern, signal.symbol, "eliminated", time)
        elif record.n == self.config.probation_signals:
            # few signals cannot prove a pattern bad, but to come back it has to have won
            bad = record.bound("plain") < self.config.limit_percent
            self._turn(signal.pattern, signal.symbol, f"probation {'failed' if bad else 'passed'}", time)

    def decide(self, situation: Situation) -> Verdict:
        """The same for every account; measured is what is held against the limit, percent."""
        signal, limit = situation.signal, self.config.limit_percent
        record = self._record(signal.pattern, signal.symbol, situation.time)
        passed = situation.for_all(record.off is None)
        if record.off is None:
            return Verdict(passed, record.bound(self.config.mode), limit, "the pattern may fire")
        text = f"{literal(signal.pattern)} is switched off since {iso(record.off, 0)} UTC: {literal(record.evidence)}"
        return Verdict(passed, record.held, limit, text)

    def tables(self) -> Mapping[str, pa.Table]:
        """What was switched off and restored, when and why."""
        return {"eliminations": pa.Table.from_batches([make_batch(self._cells, _SCHEMA)], _SCHEMA)}

    def _turn(self, pattern: str, symbol: str, event: str, time: int) -> None:
        """Something happens to a pattern: write it down, and count anew."""
        key = self._key(pattern, symbol)
        record = self._records[key]
        bound = record.bound(self.config.mode)
        self._cells += (time, self.context.name, pattern, key[1], event, record.wins, record.n, bound)
        record.wins = record.n = 0
        if event == "eliminated":
            record.off = time
        elif event != "probation failed":
            record.off = None

    def _record(self, pattern: str, symbol: str, time: int) -> WinRate:
        """The record of a signal's pattern at an instant, after everything that a person has done up to it."""
        record = self._records.setdefault(self._key(pattern, symbol), WinRate())
        off = record.off
        if off is not None:
            restored = min((at for at in self._restored(pattern, symbol) if off < at <= time), default=None)
            if restored is not None:
                self._turn(pattern, symbol, "restored", restored)
        return record

    def _key(self, pattern: str, symbol: str) -> tuple[str, str | None]:
        return pattern, symbol if self.config.per == "symbol" else None

    def _restored(self, pattern: str, symbol: str) -> list[int]:
        told = [
            moment(one.at, "at")
            for one in self.config.restore
            if one.pattern == pattern and one.symbol in (None, self._key(pattern, symbol)[1])
        ]
        lines = () if self._tape is None else self._tape.commands()
        words = [pattern, f"{pattern}/{symbol}"] if self.config.per == "symbol" else [pattern]
        return told + [line.time for line in lines if line.word in words]
