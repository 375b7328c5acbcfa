"""Real bars of ../shared/data as arrays of BAR, read plainly: oracles of pattern tests, not readers for users."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bitten.clock import to_utc
from bitten.model.dtypes import BAR, Ints, Records
from bitten.model.instrument import Instrument, to_points
from bitten.model.timeframe import timeframe_ns

EURUSD = Instrument("EURUSD", 5, "EUR", "USD", 100_000, 0.0001, 0.01, 0.01, 100.0, default_spread=8)
USDJPY = Instrument("USDJPY", 3, "USD", "JPY", 100_000, 0.01, 0.01, 0.01, 100.0, default_spread=10)
XAUUSD = Instrument("XAUUSD", 2, "XAU", "USD", 100, 0.1, 0.01, 0.01, 100.0, default_spread=12)


def eurusd_h1(folder: Path) -> Records:
    """5,000 clean H1 bars without spreads, 2017-04 to 2018-02."""
    frame = pd.read_csv(folder / "misc/EURUSD_H1_backtestingpy.csv", index_col=0, parse_dates=True)
    frame.columns = frame.columns.str.lower()
    return to_bars(frame, _stamps(frame.index), "H1", 5)


def eurusd_m1_2018(folder: Path) -> Records:
    """June 2018 with spreads (server clock UTC+3)."""
    frame = pd.read_csv(folder / "mt5_export/EURUSD_M1_201806_lowercase_header.csv.gz", sep="\t")
    frame = frame.drop(columns="volume").rename(columns={"tickvolume": "volume"})
    stamps = _stamps(pd.to_datetime(frame["date"] + " " + frame["time"], format="%Y.%m.%d %H:%M:%S"))
    return to_bars(frame, to_utc(stamps, "UTC+03:00"), "M1", 5)


def xauusd_m1_2026(folder: Path) -> Records:
    """Gold with spreads and its daily break."""
    frame = pd.read_csv(folder / "mt5_python/XAUUSD_M1_2026.csv.gz").rename(columns={"tick_volume": "volume"})
    return to_bars(frame, to_utc(_stamps(pd.to_datetime(frame["time"])), "NY+7"), "M1", 2)


def eurusd_m5_dirty(folder: Path) -> Records:
    """2021-22 without spreads; 198 rows that repeat or step back are dropped, as `--backward drop` does."""
    text = pd.read_csv(folder / "mt5_python/EURUSD_M5_2021_2022.tsv.gz", header=0, names=["line"], quotechar='"')
    frame = text["line"].str.split("\t", expand=True)
    frame.columns = pd.Index(["time", "open", "high", "low", "close", "volume"])
    stamps = to_utc(_stamps(pd.to_datetime(frame["time"])), "UTC-03:30")
    forward = stamps > np.maximum.accumulate(np.concatenate([[np.iinfo(np.int64).min], stamps[:-1]]))
    return to_bars(frame[forward].drop(columns="time").astype(float), stamps[forward], "M5", 5)


def usdjpy_m5_2026(folder: Path) -> Records:
    """May to July 2026 without spreads; server clock UTC+3, as both rules for servers have it in summer."""
    frame = pd.read_csv(folder / "mt5_python/USDJPY_M5_2026.csv.gz")
    return to_bars(frame, to_utc(_stamps(pd.to_datetime(frame["time"])), "UTC+03:00"), "M5", 3)


def trading_days(bars: Records) -> int:
    """Weekdays with at least 100 bars, on a clock at UTC+3 as brokers keep it in summer."""
    days, counts = np.unique((bars["time"] // 10**9 + 3 * 3600) // 86_400, return_counts=True)
    return int(((counts >= 100) & ((days + 3) % 7 < 5)).sum())


def to_bars(frame: pd.DataFrame, time: Ints, timeframe: str, digits: int) -> Records:
    """Rows of decimal bars as BAR, known at their end; `spread` (points) where the source states it."""
    bars = np.zeros(len(frame), BAR)
    bars["time"] = time
    bars["known"] = time + timeframe_ns(timeframe)
    for name in ("open", "high", "low", "close"):
        bars[name] = to_points(frame[name], digits)
    bars["ticks"] = frame["volume"]
    if "spread" in frame:
        bars["spread_sum"] = bars["spread_min"] = bars["spread_max"] = frame["spread"]
        bars["quotes"] = 1
    return bars


def _stamps(times: pd.Series | pd.DatetimeIndex) -> Ints:
    return pd.DatetimeIndex(times).as_unit("ns").asi8
