"""What gates said, as columns: one record per gate and signal comes in, one row per account goes out."""

from __future__ import annotations

from collections.abc import Sequence
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
_NUMBERS: Final = ("measured", "limit", "lots")


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
        self._kept: list[tuple[str, int, Answers]] = []
        self.rows = 0

    def add(self, signal: str, time: int, answers: Answers) -> None:
        """Take what a gate said of a signal at an instant."""
        if not self._everything:
            told = answers.told()
            if not told:
                return
            answers = answers.only(told)
        self._kept.append((signal, time, answers))
        self.rows += answers.rows.size

    def batch(self) -> pa.RecordBatch:
        """All rows so far as one batch, which are forgotten here."""
        kept, sizes = self._kept, [answers.rows.size for _, _, answers in self._kept]
        gates = sorted({answers.gate for _, _, answers in kept})
        code = {name: i for i, name in enumerate(gates)}
        rows = np.concatenate([answers.rows for _, _, answers in kept])

        def repeated(values: Sequence[int], dtype: Any) -> Any:
            return np.repeat(np.array(values, dtype), sizes)

        columns = [
            repeated_texts([signal for signal, _, _ in kept], sizes),
            pa.DictionaryArray.from_arrays(from_numpy(self._codes[rows]), from_texts(self._order)),
            from_numpy(repeated([time for _, time, _ in kept], np.int64), DECISIONS.field("time").type),
            pa.DictionaryArray.from_arrays(
                from_numpy(repeated([code[answers.gate] for _, _, answers in kept], np.int32)), from_texts(gates)
            ),
            pa.DictionaryArray.from_arrays(
                from_numpy(_joined(kept, "verdicts").astype(np.int32)), from_texts(VERDICTS)
            ),
            from_texts([reason for _, _, answers in kept for reason in self._reasons(answers)]),
            *(from_numpy(column, known=~np.isnan(column)) for column in (_joined(kept, name) for name in _NUMBERS)),
        ]
        self._kept, self.rows = [], 0
        return pa.RecordBatch.from_arrays(columns, schema=DECISIONS)

    def _reasons(self, answers: Answers) -> list[str | None]:
        reasons: list[str | None] = [None] * answers.rows.size
        for i in answers.told():
            reasons[i] = answers.reason_of(i, self._accounts[answers.rows[i]])
        return reasons


def _joined(kept: Sequence[tuple[str, int, Answers]], name: str) -> Any:
    """One column of all answers; numbers that are the same for all accounts of an answer are repeated."""
    parts: list[Any] = []  # runs of single numbers, and columns between them
    run: list[float] = []
    for _, _, answers in kept:
        value = getattr(answers, name)
        if isinstance(value, np.ndarray):
            parts += [np.array(run, np.float64), value]
            run = []
        elif answers.rows.size == 1:
            run.append(value)
        else:
            parts += [np.array(run, np.float64), np.full(answers.rows.size, value, np.float64)]
            run = []
    return np.concatenate([*parts, np.array(run, np.float64)])


def literal(text: str) -> str:
    """A reason in which nothing is to be filled in, whatever it holds."""
    return text.replace("{", "{{").replace("}", "}}")
