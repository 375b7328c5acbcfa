"""A cheat that asks pandas for the hour."""

from __future__ import annotations

import pandas as pd

from bitten.barpattern import Bar, Proposal
from tests.cheats.honest import Honest


class WallClockByPandas(Honest):
    def fade(self, bar: Bar, confidence: float) -> Proposal:
        return super().fade(bar, float(pd.Timestamp.now().hour))
