"""The journal of a replay: facts become rows of the run folder's tables, in the order in which they happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from bitten.gate import Score
from bitten.journal.columns import Columns, batch_of, make_batch, outcome_columns, signal_columns, trade_columns
from bitten.journal.decisions import PASSED, REFUSED, RESIZED, Answers, DecisionLog, literal
from bitten.journal.schema import TABLES
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
)

_CHUNK: Final = 50_000  # rows after which a table's rows become Arrow memory
_SOME: Final = 5_000  # facts after which they become values of columns, a divisor of the above
# Tables of which facts are kept, and columns made of many at once: cheaper than a row for each.
_COLUMNS: Final[Mapping[str, Callable[[Sequence[Any]], Columns]]] = {
    "signals": signal_columns, "outcomes": outcome_columns, "trades": trade_columns,
}  # fmt: skip
_FULL: Final = {name: _CHUNK * len(schema) for name, schema in TABLES.items()}  # the same as _CHUNK, in cells


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
        self._kept: dict[str, list[Any]] = {name: [] for name in _COLUMNS}  # facts, with what else their columns need
        self._columns: dict[str, list[list[Any]]] = {name: [[] for _ in TABLES[name]] for name in _COLUMNS}
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

    def _keep(self, table: str, *fact: Any) -> None:
        kept = self._kept[table]
        kept += fact
        if len(kept) >= _SOME * len(fact):
            self._spell_out(table)
            if len(self._columns[table][0]) >= _CHUNK:
                self._flush(table)

    def _spell_out(self, table: str) -> None:
        """Kept facts become values of columns, which are less to hold."""
        kept = self._kept[table]
        for column, values in zip(self._columns[table], _COLUMNS[table](kept), strict=True):
            column += values
        kept.clear()

    def _flush(self, table: str) -> None:
        schema = TABLES[table]
        if table == "decisions" and self._decisions.rows:
            self._chunks[table].append(self._decisions.batch())
        if table in _COLUMNS:
            self._spell_out(table)
            columns = self._columns[table]
            if columns[0]:
                self._chunks[table].append(batch_of(columns, schema))
                self._columns[table] = [[] for _ in schema]
        elif cells := self._cells[table]:
            self._chunks[table].append(make_batch(cells, schema))
            cells.clear()

    def _signal(self, s: Signal) -> None:
        self._keep("signals", s, msgspec.json.encode(s.evidence).decode())  # now, for a plugin may write into it

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
        self._keep("trades", c)

    def _outcome(self, o: Outcome) -> None:
        self._keep("outcomes", o, o.signal.id in self._fired)
