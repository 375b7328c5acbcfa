"""Cheats whose clocks are written in C, where only the source shows them."""

from __future__ import annotations

import numpy as np

from bitten.barpattern import Bar, Proposal
from tests.cheats.honest import Honest


class WallClockByNumpy(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(np.datetime64("now").astype(int) // 3600 % 24))
