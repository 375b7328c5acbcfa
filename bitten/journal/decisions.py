"""What gates said, as columns: one record per gate and signal comes in, one row per account goes out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from bitten.arrow import from_numpy, from_texts, repeated_texts
from bitten.journal.schema import DECISIONS
from bitten.model.dtypes import Floats, Ints

PASSED: Final = 0
REFUSED: Final = 1
RESIZED: Final = 2
VERDICTS: Final = ("passed", "refused", "resized")  # sorted, so that equal rows are equal bytes


Number = Floats | Ints | float


class Answers(NamedTuple):
    """What one gate said of a signal for the accounts that it was asked for.

    Numbers are columns as long as `rows`, or single where they are the same for all.
    """

    gate: str
    rows: Ints  # of the accounts
    verdicts: Ints | int  # indices into VERDICTS
    reason: str  # of what was not simply passed, `{measured}`, `{limit}` and `{account}` to be filled in
    measured: Number  # NaN for none
    limit: Number
    lots: Number  # after this gate

    def told(self) -> list[int]:
        """Positions of the accounts for which the gate did not simply pass."""
        if isinstance(self.verdicts, int):
            return [] if self.verdicts == PASSED else list(range(self.rows.size))
        found: list[int] = np.flatnonzero(self.verdicts != PASSED).tolist()
        return found

    def reason_of(self, i: int, account: str) -> str:
        """The filled-in reason of one row."""
        return self.reason.format(measured=one(self.measured, i), limit=one(self.limit, i), account=account)

    def only(self, which: list[int]) -> Answers:
        """The same of some accounts."""
        verdicts = self.verdicts if isinstance(self.verdicts, int) else self.verdicts[which]
        numbers = (self.measured, self.limit, self.lots)
        measured, limit, lots = (n[which] if isinstance(n, np.ndarray) else n for n in numbers)
        return Answers(self.gate, self.rows[which], verdicts, self.reason, measured, limit, lots)


def one(value: Number, i: int) -> float:
    """The number of one row."""
    return float(value[i]) if isinstance(value, np.ndarray) else float(value)


class DecisionLog:
    """Keeps answers until they become a batch of decisions.parquet.

    Args:
        accounts: names of the accounts, by row.
        everything: whether what was simply passed is kept too.
    """

    def __init__(self, accounts: Sequence[str], everything: bool) -> None:
        self._accounts = list(accounts)
        self._everything = everything
        self._order = sorted(self._accounts)
        place = {name: code for code, name in enumerate(self._order)}
        self._codes = np.array([place[name] for name in self._accounts], np.int32)
        self._kept: list[tuple[str, int, Sequence[Answers], int]] = []  # signal, instant, answers, rows that they make
        self.rows = 0

    def add(self, signal: str, time: int, given: Sequence[Answers]) -> None:
        """Take what gates said of a signal at an instant."""
        if not self._everything:
            given = [answers.only(told) for answers in given if (told := answers.told())]
        rows = len(given) if len(self._accounts) == 1 else sum(answers.rows.size for answers in given)
        if rows:
            self._kept.append((signal, time, given, rows))
            self.rows += rows

    def batch(self) -> pa.RecordBatch:
        """All rows so far as one batch, which are forgotten here."""
        signals, times, given, counts = zip(*self._kept, strict=True)
        columns = _columns(list(chain.from_iterable(given)), len(self._accounts) == 1)
        gates = sorted(set(columns.gate))
        code = {name: i for i, name in enumerate(gates)}
        of_gate = np.repeat(np.array([code[gate] for gate in columns.gate], np.int32), columns.sizes)
        numbers = (columns.measured, columns.limit, columns.lots)
        rows = [
            repeated_texts(signals, counts),
            pa.DictionaryArray.from_arrays(from_numpy(self._codes[columns.rows]), from_texts(self._order)),
            from_numpy(np.repeat(np.array(times, np.int64), counts), DECISIONS.field("time").type),
            pa.DictionaryArray.from_arrays(from_numpy(of_gate), from_texts(gates)),
            pa.DictionaryArray.from_arrays(from_numpy(columns.verdicts.astype(np.int32)), from_texts(VERDICTS)),
            from_texts(self._reasons(columns)),
            *(from_numpy(column, known=~np.isnan(column)) for column in numbers),
        ]
        self._kept, self.rows = [], 0
        return pa.RecordBatch.from_arrays(rows, schema=DECISIONS)

    def _reasons(self, columns: _Columns) -> list[str | None]:
        """Filled in for what was not simply passed."""
        reasons: list[str | None] = [None] * columns.rows.size
        told = np.flatnonzero(columns.verdicts != PASSED)
        of = np.repeat(np.arange(len(columns.reason)), columns.sizes)[told]
        numbers = (columns.measured[told].tolist(), columns.limit[told].tolist())
        accounts = [self._accounts[row] for row in columns.rows[told].tolist()]
        for row, i, measured, limit, account in zip(told.tolist(), of.tolist(), *numbers, accounts, strict=True):
            reasons[row] = columns.reason[i].format(measured=measured, limit=limit, account=account)
        return reasons


class _Columns(NamedTuple):
    """Answers one after the other: a row for each account, but `gate` and `reason` once for each answer."""

    gate: Sequence[str]
    sizes: Ints  # rows of each answer
    rows: Ints  # of the accounts
    verdicts: Ints
    reason: Sequence[str]
    measured: Floats
    limit: Floats
    lots: Floats


def _columns(given: Sequence[Answers], alone: bool) -> _Columns:
    """Columns of answers; `alone` where there is one account, so that each of them is a row of numbers."""
    gate, rows, verdicts, reason, measured, limit, lots = zip(*given, strict=True)
    if alone:
        row, sizes = np.zeros(len(rows), np.int64), np.ones(len(rows), np.int64)
        floats = (np.array(column, np.float64) for column in (measured, limit, lots))
        return _Columns(gate, sizes, row, np.array(verdicts, np.int64), reason, *floats)
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    joined = np.concatenate(rows)
    numbers = (_joined(column, sizes) for column in (measured, limit, lots))
    return _Columns(gate, sizes, joined, _joined(verdicts, sizes).astype(np.int64), reason, *numbers)


def _joined(values: Sequence[Number], sizes: Ints) -> Any:
    """Numbers of all answers as one column; one that is the same for all accounts of its answer is repeated."""
    single = np.array([type(value) is not np.ndarray for value in values], np.bool_)
    if single.all():
        return np.repeat(np.array(values, np.float64), sizes)
    starts = np.cumsum(sizes) - sizes
    column = np.empty(int(sizes.sum()))
    column[np.repeat(single, sizes)] = np.repeat(
        np.array([value for value in values if type(value) is not np.ndarray], np.float64), sizes[single]
    )
    for i in np.flatnonzero(~single).tolist():
        column[starts[i] : starts[i] + sizes[i]] = values[i]
    return column


def literal(text: str) -> str:
    """A reason in which nothing is to be filled in, whatever it holds."""
    return text.replace("{", "{{").replace("}", "}}")
