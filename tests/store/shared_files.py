"""Every file of ../shared/data: what its README says of it, and what bitten needs to be told to import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Good:
    """Files that make one series; rows and times as in the README, in the file's own clock."""

    files: tuple[str, ...]  # patterns below the folder
    symbol: str
    kind: str
    rows: int
    first: str
    last: str
    clock: str
    options: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)  # all that are not 0, but for rows and gaps
    passed: int | None = None  # where it is not `rows`


@dataclass(frozen=True)
class Refused:
    """A file that cannot be imported as it is, and words of the reason."""

    file: str
    reason: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


GOOD = (
    Good(("lean/oanda/tick/xauusd/*.zip",), "XAUUSD", "ticks", 1171336,
         "2014-05-01 00:00:00.043", "2014-05-08 23:59:59.341", "UTC"),
    Good(("lean/oanda/minute/xauusd/*.zip",), "XAUUSD", "M1", 9558,
         "2014-05-01 00:00:00", "2014-05-09 20:59:00", "UTC"),
    Good(("lean/fxcm/tick/eurusd/*.zip",), "EURUSD", "ticks", 675401,
         "2014-05-01 00:00:01.787", "2014-05-09 15:59:11.407", "EST", counts={"crossed": 69354}, passed=606047),
    Good(("lean/fxcm/tick/eurusd/*.zip",), "EURUSD", "ticks", 675401, "2014-05-01 00:00:01.787",
         "2014-05-09 15:59:11.407", "EST", {"crossed": "mid"}, {"crossed": 69354}),
    Good(("lean/fxcm/minute/eurusd/*.zip",), "EURUSD", "M1", 9590, "2014-05-01 00:00:00", "2014-05-09 15:59:00", "EST",
         counts={"crossed": 226, "no_spread": 226}),
    Good(("lean/oanda/tick/eurusd/*.zip",), "EURUSD", "ticks", 99861,
         "2014-05-01 00:00:00.292", "2014-05-05 23:59:59.513", "UTC"),
    Good(("lean/fxcm/tick/nzdusd/*.zip",), "NZDUSD", "ticks", 390583,
         "2014-05-05 00:00:00.233", "2014-05-08 23:59:58.809", "EST", counts={"crossed": 8757}, passed=381826),
    Good(("lean/oanda/hour/xauusd.zip",), "XAUUSD", "H1", 76499, "2006-03-20 00:00:00", "2019-02-25 23:00:00", "UTC"),
    Good(("truefx/usdjpy-ticks.csv",), "USDJPY", "ticks", 1000, "2013-01-01 22:00:00.295", "2013-01-01 22:35:13.494",
         "UTC"),
    Good(("histdata/DAT_ASCII_EURUSD_T_202001_head.csv.gz",), "EURUSD", "ticks", 9500,
         "2020-01-01 17:00:00.065", "2020-01-01 23:00:52.125", "EST"),
    Good(("histdata/DAT_NT_EURUSD_M1_201502.csv.gz",), "EURUSD", "M1", 14382,
         "2015-02-01 17:00:00", "2015-02-13 16:58:00", "EST", counts={"no_spread": 14382}),
    Good(("fxcm/gbpusd-m1-*-2012.csv.gz",), "GBPUSD", "M1", 30117, "2012-02-01 00:00:00", "2012-03-01 00:00:00", "UTC",
         counts={"ask_rows": 30117, "crossed": 347, "no_spread": 347}),
    Good(("fxcm/usdjpy-m1-*-2013.csv.gz",), "USDJPY", "M1", 28761, "2013-02-01 00:00:00", "2013-03-01 00:00:00", "UTC",
         counts={"ask_rows": 28761, "crossed": 683, "no_spread": 683}),
    Good(("fxcm/gbpusd-m1-bid-2012.csv.gz",), "GBPUSD", "M1", 30117,
         "2012-02-01 00:00:00", "2012-03-01 00:00:00", "UTC",
         counts={"no_spread": 30117}),
    Good(("dukascopy_bi5/EURUSD/2019/01/04/*h_ticks.bi5",), "EURUSD", "ticks", 136741,
         "2019-02-04 00:00:00.994", "2019-02-04 23:59:57.992", "UTC"),
    Good(("dukascopy_bi5/EURUSD/2019/01/04/*_candles_min_1.bi5",), "EURUSD", "M1", 1440,
         "2019-02-04 00:00:00", "2019-02-04 23:59:00", "UTC", counts={"ask_rows": 1440}),
    Good(("dukascopy_bi5/EURUSD/2019/01/*_candles_hour_1.bi5",), "EURUSD", "H1", 672,
         "2019-02-01 00:00:00", "2019-02-28 23:00:00", "UTC",
         counts={"filler": 192, "ask_rows": 672, "ask_filler": 192}, passed=480),
    Good(("dukascopy_csv/EURUSD_Candlestick_1_M_BID_14.03.2019.csv",), "EURUSD", "M1", 2700,
         "2019-03-14 00:00:00", "2019-03-15 20:59:00", "UTC", counts={"no_spread": 2700}),
    Good(("dukascopy_csv/CADJPY_Ticks_01.05.2012.csv.gz",), "CADJPY", "ticks", 52948,
         "2012-05-01 00:00:01.680", "2012-05-01 23:59:50.267", "UTC"),
    Good(("mt4/CADJPY_M1_2012.05.01.csv",), "CADJPY", "M1", 1440, "2012-05-01 00:00:00", "2012-05-01 23:59:00", "UTC",
         {"clock": "UTC"}, {"no_spread": 1440, "rounded": 3125}),
    Good(("mt5_export/EURUSD_H1_202401020000_202503282300.csv",), "EURUSD", "H1", 7728,
         "2024-01-02 00:00:00", "2025-03-28 23:00:00", "NY+7"),
    Good(("mt5_export/EURUSD_M1_201806_lowercase_header.csv.gz",), "EURUSD", "M1", 30203,
         "2018-06-01 00:00:00", "2018-06-29 23:59:00", "NY+7", counts={"no_spread": 3}),
    Good(("mt5_python/XAUUSD_M1_2026.csv.gz",), "XAUUSD", "M1", 63230, "2026-03-24 17:00:00", "2026-05-28 17:00:00",
         "NY+7"),
    Good(("mt5_python/EURUSD_M1_2022.tsv.gz",), "EURUSD", "M1", 49993, "2022-01-04 18:00:00", "2022-02-22 15:25:00",
         "UTC-03:30", counts={"no_spread": 49993}),
    Good(("mt5_python/EURUSD_M5_2021_2022.tsv.gz",), "EURUSD", "M5", 50000, "2021-06-24 16:05:00",
         "2022-02-22 15:25:00", "UTC-03:30", {"backward": "sort"},
         {"backward": 13, "duplicates": 198, "no_spread": 49802}, passed=49802),
    Good(("mt5_python/EURUSD_M5_2021_2022.tsv.gz",), "EURUSD", "M5", 50000, "2021-06-24 16:05:00",
         "2022-02-22 15:25:00", "UTC-03:30", {"backward": "drop"},
         {"backward": 13, "duplicates": 12, "late": 186, "no_spread": 49802}, passed=49802),
    Good(("mt5_python/GBPUSD_M5_2026.csv.gz",), "GBPUSD", "M5", 11998, "2026-05-13 06:10:00", "2026-07-09 21:55:00",
         "NY+7", counts={"no_spread": 11998}),
    Good(("mt5_python/USDJPY_M5_2026.csv.gz",), "USDJPY", "M5", 11998, "2026-05-13 06:10:00", "2026-07-09 21:55:00",
         "NY+7", counts={"no_spread": 11998}),
    Good(("mt5_python/NAS100_M5_2026.csv.gz",), "NAS100", "M5", 11998, "2026-05-08 13:30:00", "2026-07-09 21:55:00",
         "NY+7", {"clock": "NY+7"}, {"no_spread": 11998}),
    Good(("misc/EURUSD_15M_smc.csv.gz",), "EURUSD", "M15", 24424, "2022-10-10 00:00:00", "2023-10-02 06:45:00", "EET",
         counts={"no_spread": 20240}),
    Good(("misc/EURUSD_H1_backtestingpy.csv",), "EURUSD", "H1", 5000,
         "2017-04-19 09:00:00", "2018-02-07 15:00:00", "UTC",
         counts={"no_spread": 5000}),
    Good(("misc/XAUUSD_H1_ejtrader.csv.gz",), "XAUUSD", "H1", 57600,
         "2012-05-17 08:00:00", "2022-03-04 23:00:00", "EET",
         counts={"no_spread": 57600}),
    Good(("mt4/GOLD1440_v400.hst",), "XAUUSD", "D1", 2249, "2010-02-11 08:00:00", "2018-02-23 08:00:00", "EET",
         {"symbol": "XAUUSD", "clock": "EET"}, {"no_spread": 2249}),
    Good(("mt5_export/EURUSD_201902040200_201902050159_ticks_CONVERTED.csv.gz",), "EURUSD", "ticks", 116183,
         "2019-02-04 02:00:00.994", "2019-02-05 01:59:57.992", "NY+7", {"clock": "NY+7"}),
    Good(("mt5_export/EURUSD_old_build_no_flags_CONVERTED.csv.gz",), "EURUSD", "ticks", 3785,
         "2019-02-04 02:00:00.994", "2019-02-04 03:23:35.160", "NY+7", {"clock": "NY+7"}),
    Good(("mt5_export/EURGBP_20221110_ticks_genuine_7rows.csv",), "EURGBP", "ticks", 7,
         "2022-11-10 15:00:00.017", "2022-11-10 15:00:01.596", "NY+7", {"clock": "NY+7"}),
)  # fmt: skip

REFUSED = (
    Refused("lean/symbol-properties-database.csv.gz", ("no time with prices", "market,symbol", "--columns", "truefx")),
    Refused("fxcm/gbpusd-m1-ask-2012.csv.gz", ("ask bars only", "gbpusd-m1-bid-2012.csv.gz")),
    Refused("mt4/AUDUSD43200_v401.hst", ("monthly bars", "allowed are M1")),
    Refused("mt4/GOLD1440_v400.hst", ('symbol "GOLD" is unknown', "--symbol")),
    Refused("mt4/GOLD1440_v400.hst", ("longer than an hour", "--clock"), {"symbol": "XAUUSD"}),
    Refused("mt4/CADJPY_M1_2012.05.01.csv", ("span 0 weekends", "--clock")),
    Refused("mt5_python/EURUSD_M5_2021_2022.tsv.gz", (".tsv.gz:33423: time steps back", "--backward sort")),
    Refused("mt5_python/NAS100_M5_2026.csv.gz", ("hours of NAS100", "--clock")),
    Refused("mt5_export/EURUSD_201902040200_201902050159_ticks_CONVERTED.csv.gz", ("span 0 weekends", "--clock")),
    Refused("mt5_export/EURUSD_old_build_no_flags_CONVERTED.csv.gz", ("span 0 weekends", "--clock")),
    Refused("mt5_export/EURGBP_20221110_ticks_genuine_7rows.csv", ("span 0 weekends", "--clock")),
)

EMPTY = "dukascopy_bi5/empty.bi5"
NO_QUOTES = ("README.md", "MANIFEST.json")
