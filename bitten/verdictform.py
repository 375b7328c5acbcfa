"""What a gate's answer must look like; one that does not refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from bitten.gate import Verdict
from bitten.journal.decisions import Number
from bitten.model.dtypes import Floats

_BOOL: Final = np.dtype(np.bool_)  # numpy has one object for each of these


class VerdictForm:
    """The form of verdicts on so many accounts.

    Args:
        size: accounts.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._sound: set[str] = set()  # reasons that are known to be usable

    def check(self, verdict: Verdict) -> None:
        """Raise where a gate's answer is none: no column of booleans over the accounts, or a broken reason."""
        if not isinstance(verdict, Verdict):
            raise TypeError(f"answered {type(verdict).__name__} instead of a Verdict")
        passed = verdict.passed
        if type(passed) is not np.ndarray or passed.dtype is not _BOOL or passed.shape != (self._size,):
            passed = np.asarray(passed)
            raise ValueError(f"passed has shape {passed.shape} and type {passed.dtype}, not bool ({self._size},)")
        if verdict.reason not in self._sound:
            if verdict.reason.format(measured=0.0, limit=0.0, account="").strip():
                self._sound.add(verdict.reason)
            elif not passed.all():
                raise ValueError("it refuses without a reason")

    def sizes(self, what: str, value: Number) -> Floats:
        """A column of volumes or of money; raises where it is none: another shape, negative, not finite."""
        sizes = np.asarray(self.number(value), np.float64)
        least, most = (sizes[0], sizes[0]) if sizes.shape == (1,) else (sizes.min(), sizes.max())
        if sizes.shape != (self._size,) or not (least >= 0 and most < math.inf):
            raise ValueError(f"{what} {sizes.tolist()}")
        return sizes

    def working(self, verdict: Verdict) -> Mapping[str, Number]:
        """How the lots came about; raises where that is not names and numbers."""
        for name, value in verdict.working.items():
            if not isinstance(name, str) or isinstance(value, str) or value is None:
                raise TypeError(f"working holds {name!r}: {value!r}, must be names and numbers")
            self.number(value)
        return verdict.working

    def number(self, value: Number) -> Number:
        """A column over the accounts, or a number that is one for all; raises where it is neither."""
        if type(value) is float:
            return value
        if type(value) is np.ndarray and value.shape == (self._size,) and value.dtype.kind in "fi":
            return value
        column = np.asarray(value, np.float64)
        if column.shape not in ((), (self._size,)):
            raise ValueError(f"a column has shape {column.shape}, not ({self._size},)")
        return column if column.ndim else column.item()
