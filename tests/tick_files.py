"""Real ticks of ../shared/data as `Quotes`, read plainly: input of pattern tests, not readers for users."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from bitten.clock import to_utc
from bitten.model.dtypes import NS_PER_MS
from bitten.model.instrument import Instrument, to_points
from bitten.model.quotes import Quotes

GOLD = Instrument("XAUUSD", 3, "XAU", "USD", 100, 0.1, 0.01, 0.01, 100.0, default_spread=300)


def lean_ticks(folder: Path, broker: str, symbol: str, day: str, digits: int, clock: str) -> Quotes:
    """One day, e.g. "20140502", by the broker's clock."""
    with zipfile.ZipFile(folder / f"lean/{broker}/tick/{symbol.lower()}/{day}_quote.zip") as archive:
        frame = pd.read_csv(archive.open(archive.namelist()[0]), header=None)
    since = np.rint(frame[0].to_numpy() * NS_PER_MS).astype(np.int64)
    ts = to_utc(pd.Timestamp(day).as_unit("ns").value + since, clock)
    order = np.argsort(ts, kind="stable")
    return Quotes(symbol, ts[order], to_points(frame[1], digits)[order], to_points(frame[2], digits)[order])


def gold_of_payrolls(folder: Path) -> Quotes:
    """XAUUSD of OANDA on 2014-05-02, with a spread of some thirty cents."""
    return lean_ticks(folder, "oanda", "XAUUSD", "20140502", 3, "UTC")


def euro_with_crossed_quotes(folder: Path) -> Quotes:
    """EURUSD of FXCM on 2014-05-02; in every tenth quote the bid lies above the ask."""
    return lean_ticks(folder, "fxcm", "EURUSD", "20140502", 5, "EST")
