"""The journal of a replay: facts become rows of the run folder's tables, in the order in which they happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from bitten.gate import Score
from bitten.journal.columns import make_batch
from bitten.journal.decisions import PASSED, REFUSED, RESIZED, Answers, DecisionLog, literal
from bitten.journal.schema import TABLES
from bitten.model.dtypes import NO_PRICE
from bitten.model.facts import (
    Alert,
    Answer,
    Close,
    Decision,
    Fill,
    Fire,
    Mission,
    Outcome,
    Signal,
    Unfilled,
    side_name,
)
from bitten.model.instrument import Instrument

_CHUNK: Final = 50_000  # rows after which a table's rows become Arrow memory
_FULL: Final = {name: _CHUNK * len(schema) for name, schema in TABLES.items()}  # the same in cells


class MemoryJournal:
    """Keeps every fact until the run folder is written. Facts are sparse; quotes and bars never come here.

    Args:
        accounts: names of the accounts, by row of the ledger.
        everything: whether gates that simply passed a signal are kept, too.
    """

    def __init__(self, accounts: Sequence[str], everything: bool = True) -> None:
        self._rows = {name: row for row, name in enumerate(accounts)}
        self._decisions = DecisionLog(accounts, everything)
        self._cells: dict[str, list[Any]] = {name: [] for name in TABLES}  # row after row, for one list is less to hold
        self._chunks: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
        self.alerts: list[Alert] = []
        self._fired: set[str] = set()
        self._write: dict[type, Callable[[Any], None]] = {
            Signal: self._signal,
            Decision: self._decided,
            Mission: lambda mission: None,  # told with its answer: one row
            Answer: self._answer,
            Fire: self._fire,
            Fill: lambda fill: None,  # told with its close: a trade is one row
            Unfilled: self._unfilled,
            Close: self._close,
            Outcome: self._outcome,
            Alert: self.alerts.append,
        }

    def append(self, fact: object) -> None:
        """Take a fact."""
        self._write[type(fact)](fact)

    def decisions(self, signal: str, time: int, answers: Sequence[Answers]) -> None:
        """Take what gates said of a signal at an instant."""
        self._decisions.add(signal, time, answers)
        if self._decisions.rows >= _CHUNK:
            self._flush("decisions")

    def score(self, signal: str, time: int, shield: str, score: Score) -> None:
        """Take what a shield said of a signal at an instant."""
        evidence = msgspec.json.encode(score.evidence).decode()
        self._add(
            "scores",
            (signal, time, shield, float(score.score), float(score.scale), score.confidence, score.veto, evidence),
        )

    def missions(self, signal: Signal, time: int, expiry: int, accounts: Sequence[str]) -> None:
        """Take that a signal was offered to accounts that accept at once."""
        for account in accounts:
            row = (f"{signal.id}@{account}", signal.id, account, "auto", time, expiry, time, "accepted")
            self._add("missions", row)

    def equity(self, time: int, account: str, balance: float, equity: float, open_positions: int) -> None:
        """Take an account's money at an instant."""
        self._add("equity", (time, account, balance, equity, open_positions))

    def tables(self) -> Mapping[str, pa.Table]:
        """All tables by name, with the public schemas."""
        tables = {}
        for name, schema in TABLES.items():
            self._flush(name)
            tables[name] = pa.Table.from_batches(self._chunks[name], schema).unify_dictionaries()
        return tables

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        cells = self._cells[table]
        cells += row
        if len(cells) >= _FULL[table]:
            self._flush(table)

    def _flush(self, table: str) -> None:
        if table == "decisions" and self._decisions.rows:
            self._chunks[table].append(self._decisions.batch())
        cells = self._cells[table]
        if cells:
            self._chunks[table].append(make_batch(cells, TABLES[table]))
            cells.clear()

    def _signal(self, s: Signal) -> None:
        evidence = msgspec.json.encode(s.evidence).decode()
        atr = s.atr_points / s.instrument.scale if s.atr_points else None
        self._add(
            "signals",
            (s.id, s.pattern, s.symbol, s.timeframe, side_name(s.side), s.time, s.anchor, s.reference, s.stop, s.target,
             s.relative, s.confidence, s.expiry or None, atr, evidence),
        )  # fmt: skip

    def _answer(self, a: Answer) -> None:
        m = a.mission
        answered = None if a.answer == "open" else a.time
        self._add("missions", (m.id, m.signal.id, m.account, m.mode, m.time, m.expiry, answered, a.answer))

    def _fire(self, f: Fire) -> None:
        self._fired.add(f.signal.id)
        sizing = msgspec.json.encode(f.sizing).decode()
        self._add("fires", (f.id, f.signal.id, f.account, f.time, f.lots, f.risk or None, sizing))

    def _decided(self, d: Decision) -> None:
        verdict = PASSED if d.reason is None else REFUSED if d.refusal is not None else RESIZED
        self._one(d.signal.id, d.time, d.account, d.gate, verdict, d.reason or "", (d.measured, d.limit, d.lots))

    def _unfilled(self, u: Unfilled) -> None:
        fire = u.fire
        reason = f"{u.status} {u.reason}"
        self._one(fire.signal.id, u.time, fire.account, "executor", REFUSED, reason, (math.nan, math.nan, fire.lots))

    def _one(
        self, signal: str, time: int, account: str, gate: str, verdict: int, reason: str,
        numbers: tuple[float, float, float],
    ) -> None:  # fmt: skip
        """One row of the decisions by itself."""
        row = np.array([self._rows[account]])
        self.decisions(signal, time, [Answers(gate, row, verdict, literal(reason), *numbers)])

    def _close(self, c: Close) -> None:
        fill, fire = c.fill, c.fill.fire
        signal, instrument = fire.signal, fire.signal.instrument
        pips = instrument.pips(signal.side * (c.price_points - fill.price_points))
        self._add(
            "trades",
            (fire.id, signal.id, fire.account, signal.symbol, signal.pattern, side_name(signal.side), fire.lots,
             fill.time, instrument.price(fill.price_points), _price(instrument, fill.stop_points),
             _price(instrument, fill.target_points), c.time, instrument.price(c.price_points), c.reason, pips,
             c.gross, c.commission, c.swap, c.profit, instrument.pips(c.mae_points), instrument.pips(c.mfe_points)),
        )  # fmt: skip

    def _outcome(self, o: Outcome) -> None:
        signal, instrument = o.signal, o.signal.instrument
        fired = signal.id in self._fired
        words = (signal.id, signal.symbol, signal.pattern, side_name(signal.side), fired, o.reason)
        if o.open_points == NO_PRICE:
            self._add("outcomes", (*words, None, None, o.close_time, None, None, None, None, None))
            return
        points = signal.side * (o.close_points - o.open_points)
        risk = 0 if o.stop_points == NO_PRICE else abs(o.open_points - o.stop_points)
        self._add(
            "outcomes",
            (*words, o.open_time, instrument.price(o.open_points), o.close_time, instrument.price(o.close_points),
             instrument.pips(points), points / risk if risk else None, instrument.pips(o.mae_points),
             instrument.pips(o.mfe_points)),
        )  # fmt: skip


def _price(instrument: Instrument, points: int) -> float | None:
    return None if points == NO_PRICE else instrument.price(points)
