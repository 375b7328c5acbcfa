"""Gates that are plain rules: what a sweep's kernel can apply without asking the gate."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

# Kinds of rules and what `a` and `b` mean; NaN is "no such limit".
PASS: Final = 0  # never refuses in a replay as it is configured
BAND: Final = 1  # confidence within [a, b]
SPREAD: Final = 2  # spread at most a points, and at most b ATR of the signal
SLOTS: Final = 3  # a slot of the account is free
PER_SYMBOL: Final = 4  # fewer than a fires on the symbol that have not ended
LOTS: Final = 5  # decides a lots
RISK: Final = 6  # decides lots that lose a percent of equity at the stop (NaN: the account's own); b points of slippage


class Rule(NamedTuple):
    """One gate in terms that a kernel knows; it must refuse and size exactly as the gate's `decide` does."""

    kind: int
    a: float = math.nan
    b: float = math.nan
