"""A bar before the weekend is known with the first quote after it: its signal is stale by then and never fired."""

from __future__ import annotations

from typing import Any

import numpy as np

import bitten
from bitten.model.dtypes import SIGNAL
from bitten.model.quotes import Quotes, Slice
from bitten.pattern import Batch, Pattern
from tests.laws.test_containment import Nothing
from tests.replay import replay, rows, settings

FRIDAY = 1_715_374_500_000_000_000  # 2024-05-10 20:55 UTC
SUNDAY = FRIDAY + 48 * 3_600_000_000_000 + 600_000_000_000


class EveryBar(Pattern):
    Config = Nothing

    def scan(self, batch: Batch) -> Any:
        bars = batch.bars["M1"]
        out = np.zeros(bars.size, SIGNAL)
        out["time"], out["anchor"], out["side"], out["reference"] = bars["known"], bars["time"], 1, bars["close"]
        out["stop"], out["target"] = bars["close"] - 100, bars["close"] + 100
        out["expiry"] = bars["time"] + 3 * 60_000_000_000
        return out


class Plugin:
    @bitten.hookimpl
    def bitten_patterns(self) -> dict[str, Any]:
        return {"every_bar": EveryBar}


def test_only_the_bar_over_the_weekend_is_refused() -> None:
    ts = np.concatenate([FRIDAY + np.arange(5) * 60_000_000_000, SUNDAY + np.arange(5) * 60_000_000_000])
    bid = np.full(ts.size, 110_000)
    pieces = [Slice(int(ts[-1]), {"EURUSD": Quotes("EURUSD", ts, bid, bid + 8)})]
    source = settings(["EURUSD"], patterns=[{"use": "every_bar"}], gates=[{"use": "fixed_lots"}], accounts=[{}])
    tables, _ = replay(pieces, source, {"every": Plugin()})
    refused = [row for row in rows(tables, "decisions") if row["gate"] == "expiry"]
    assert len(refused) == 1
    assert refused[0]["reason"].startswith("it had expired at 2024-05-10 21:02:00")
    assert [row["result"] for row in rows(tables, "outcomes") if row["signal_id"] == refused[0]["signal_id"]] == [
        "expired"
    ]
    assert tables["signals"].num_rows == 9
    unfilled = [row["reason"] for row in rows(tables, "decisions") if row["gate"] == "executor"]
    assert unfilled == ["EXPIRED no quote in time"] * 2  # Friday's last order but one, and the last of the data
    assert tables["trades"].num_rows == 6
