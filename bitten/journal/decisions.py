"""What gates said, as columns: one record per gate and signal comes in, one row per account goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from bitten.arrow import from_numpy, from_texts
from bitten.journal.schema import DECISIONS
from bitten.model.dtypes import Floats, Ints

PASSED: Final = 0
REFUSED: Final = 1
RESIZED: Final = 2
VERDICTS: Final = ("passed", "refused", "resized")  # sorted, so that equal rows are equal bytes


class Answers(NamedTuple):
    """What one gate said of a signal for the accounts that it was asked for; columns of equal length."""

    gate: str
    rows: Ints  # of the accounts
    verdicts: Ints  # indices into VERDICTS
    reason: str  # of what was not simply passed, `{measured}`, `{limit}` and `{account}` to be filled in
    measured: Floats  # NaN for none
    limit: Floats
    lots: Floats  # after this gate

    def reason_of(self, i: int, account: str) -> str:
        """The filled-in reason of one row."""
        return self.reason.format(measured=self.measured[i], limit=self.limit[i], account=account)

    def only(self, which: Any) -> Answers:
        """The same of some accounts: a mask, or indices."""
        columns = (self.verdicts, self.measured, self.limit, self.lots)
        verdicts, measured, limit, lots = (column[which] for column in columns)
        return Answers(self.gate, self.rows[which], verdicts, self.reason, measured, limit, lots)


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
            told = answers.verdicts != PASSED
            if not told.any():
                return
            answers = answers.only(told)
        self._kept.append((signal, time, answers))
        self.rows += answers.rows.size

    def batch(self) -> pa.RecordBatch:
        """All rows so far as one batch, which are forgotten here."""
        kept, sizes = self._kept, [answers.rows.size for _, _, answers in self._kept]
        gates = sorted({answers.gate for _, _, answers in kept})
        code = {name: i for i, name in enumerate(gates)}

        def repeated(values: Sequence[int], dtype: Any) -> Any:
            return np.repeat(np.array(values, dtype), sizes)

        columns = [
            from_texts([signal for (signal, _, _), size in zip(kept, sizes, strict=True) for _ in range(size)]),
            pa.DictionaryArray.from_arrays(from_numpy(self._codes[_joined(kept, 1)]), from_texts(self._order)),
            from_numpy(repeated([time for _, time, _ in kept], np.int64), DECISIONS.field("time").type),
            pa.DictionaryArray.from_arrays(
                from_numpy(repeated([code[answers.gate] for _, _, answers in kept], np.int32)), from_texts(gates)
            ),
            pa.DictionaryArray.from_arrays(from_numpy(_joined(kept, 2).astype(np.int32)), from_texts(VERDICTS)),
            from_texts([reason for _, _, answers in kept for reason in self._reasons(answers)]),
            *(from_numpy(column, known=~np.isnan(column)) for column in (_joined(kept, i) for i in (4, 5, 6))),
        ]
        self._kept, self.rows = [], 0
        return pa.RecordBatch.from_arrays(columns, schema=DECISIONS)

    def _reasons(self, answers: Answers) -> list[str | None]:
        reasons: list[str | None] = [None] * answers.rows.size
        for i in np.flatnonzero(answers.verdicts != PASSED).tolist():
            reasons[i] = answers.reason_of(i, self._accounts[answers.rows[i]])
        return reasons


def _joined(kept: Sequence[tuple[str, int, Answers]], field: int) -> Any:
    return np.concatenate([answers[field] for _, _, answers in kept])


def literal(text: str) -> str:
    """A reason in which nothing is to be filled in, whatever it holds."""
    return text.replace("{", "{{").replace("}", "}}")
