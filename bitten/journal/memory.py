"""The journal of a replay: facts become rows of the run folder's tables, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
import pyarrow as pa

from bitten.journal.columns import make_batch
from bitten.journal.schema import TABLES
from bitten.model.dtypes import NO_PRICE
from bitten.model.facts import (
    Alert,
    Close,
    Decision,
    Fill,
    Fire,
    Outcome,
    Signal,
    Unfilled,
    side_name,
)
from bitten.model.instrument import Instrument

Answer = tuple[str, str, str | None, float, float, float]
"""What one gate said of a signal for one account: account, gate, reason (None where it passed), measured, limit, lots
after it."""

_CHUNK: Final = 50_000  # rows after which a table's rows become Arrow memory
_FULL: Final = {name: _CHUNK * len(schema) for name, schema in TABLES.items()}  # the same in cells


class MemoryJournal:
    """Keeps every fact until the run folder is written. Facts are sparse; quotes and bars never come here."""

    def __init__(self) -> None:
        self._cells: dict[str, list[Any]] = {name: [] for name in TABLES}  # row after row, for one list is less to hold
        self._chunks: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
        self.alerts: list[Alert] = []
        self._fired: set[str] = set()
        self._write: dict[type, Callable[[Any], None]] = {
            Signal: self._signal,
            Decision: self._decided,
            Fire: lambda fire: self._fired.add(fire.signal.id),
            Fill: lambda fill: None,  # told with its close: a trade is one row
            Unfilled: self._unfilled,
            Close: self._close,
            Outcome: self._outcome,
            Alert: self.alerts.append,
        }

    def append(self, fact: object) -> None:
        """Take a fact."""
        self._write[type(fact)](fact)

    def decisions(self, signal: str, time: int, answers: Iterable[Answer]) -> None:
        """Take what gates said of a signal."""
        cells = self._cells["decisions"]
        for account, gate, reason, measured, limit, lots in answers:
            verdict = "passed" if reason is None else "refused"
            cells += (signal, account, time, gate, verdict, reason, measured, limit, lots)
        if len(cells) >= _FULL["decisions"]:
            self._flush("decisions")

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
        cells = self._cells[table]
        if cells:
            self._chunks[table].append(make_batch(cells, TABLES[table]))
            cells.clear()

    def _signal(self, s: Signal) -> None:
        evidence = msgspec.json.encode(s.evidence).decode()
        self._add(
            "signals",
            (s.id, s.pattern, s.symbol, s.timeframe, side_name(s.side), s.time, s.anchor, s.reference, s.stop, s.target,
             s.relative, s.confidence, s.expiry or None, evidence),
        )  # fmt: skip

    def _decided(self, d: Decision) -> None:
        reason = d.refusal.reason if d.refusal else None
        self.decisions(d.signal.id, d.signal.time, [(d.account, d.gate, reason, d.measured, d.limit, d.lots)])

    def _unfilled(self, u: Unfilled) -> None:
        fire = u.fire
        reason = f"{u.status} {u.reason}"
        self._add(
            "decisions",
            (fire.signal.id, fire.account, u.time, "executor", "refused", reason, None, None, fire.lots),
        )

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
