"""Stores of synthetic quotes, made once and kept in the temporary folder, and the strategies that run on them."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from bitten.clock import iso
from bitten.model.dtypes import NS_PER_SECOND
from bitten.model.instruments import load_instruments
from bitten.store.columns import Source, TickColumns
from bitten.store.tickstore import TICKS, TickStore
from bitten_feeds.synthetic import DEFAULT_START, generate_ticks

FIVE: Final = ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "XAUUSD")
TEN: Final = (*FIVE, "USDCHF", "USDCAD", "NZDUSD", "EURGBP", "EURJPY")
ON_BARS: Final = (
    "kalman_quickfire", "bb_scalp", "order_block_bounce", "fair_value_gap_fill", "liquidity_sweep_reversal",
    "vcb_breakout",
)  # fmt: skip
ON_TICKS: Final = ("kalman_quickfire_ticks", "liquidity_sweep_reversal_ticks")
PER_DAY: Final = 100_000  # quotes per symbol and trading day, what a liquid pair brings
PER_WEEK: Final = 5 * PER_DAY
WEEK_NS: Final = 7 * 86_400 * NS_PER_SECOND
SEED: Final = 1


def store_folder(quotes: int, symbols: Sequence[str] = FIVE) -> Path:
    """Where a store of so many quotes over all symbols stands."""
    suffix = "" if len(symbols) == len(FIVE) else f"-{len(symbols)}"
    return Path(tempfile.gettempdir()) / f"bench{quotes // 10**6}{suffix}"


def weeks_of(quotes: int, symbols: Sequence[str] = FIVE) -> int:
    """Whole weeks that bring at least so many quotes over all symbols; some weeks bring a little less than others."""
    return -(-quotes // (len(symbols) * PER_WEEK)) + 1


def make_store(folder: Path, symbols: Sequence[str], weeks: int) -> int:
    """Fill a store where symbols are missing; how many quotes it holds."""
    instruments = load_instruments()
    store = TickStore(folder)
    for symbol in symbols:
        if symbol in store.symbols():
            continue
        with store.transaction() as transaction:
            for week in range(weeks):
                begin = DEFAULT_START + week * WEEK_NS
                chunks = list(generate_ticks(instruments[symbol], begin, begin + WEEK_NS, SEED, quotes_per_day=PER_DAY))
                names = ("ts", "bid", "ask")
                columns = TickColumns(*(np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in names))
                source = Source("synthetic", (f"seed {SEED}",), "UTC", synthetic=True)
                transaction.add(symbol, instruments[symbol], columns, source)
    return sum(store.plan(symbol, TICKS).rows for symbol in symbols)


def until(weeks: int) -> str:
    """The end of so many weeks, as a configuration takes it."""
    return iso(DEFAULT_START + weeks * WEEK_NS, 6)


def starter(store: Path, symbols: Sequence[str] = FIVE) -> dict[str, Any]:
    """Patterns, the whole chain of gates and the executor as `bitten init` writes them."""
    written = tomllib.loads(files("bitten.commands").joinpath("starter.toml").read_text(encoding="utf-8"))
    feed = {"use": "parquet", "store": str(store), "symbols": list(symbols)}
    return {"feed": feed, **{name: written[name] for name in ("patterns", "gates", "executor")}}


def every_signal(store: Path, symbols: Sequence[str] = FIVE) -> dict[str, Any]:
    """The same, but no confidence is too low and lots are fixed: as many trades as the signals allow."""
    gates: list[dict[str, Any]] = [
        {"use": "band", "low": 0.0}, {"use": "spread", "atr": 0.5}, {"use": "slots"}, {"use": "one_per_symbol"},
        {"use": "fixed_lots", "lots": 0.01},
    ]  # fmt: skip
    accounts = [{"balance": 1e6}]  # enough to lose for a billion quotes
    return {**starter(store, symbols), "gates": gates, "accounts": accounts}


def every_pattern(store: Path, symbols: Sequence[str] = FIVE) -> dict[str, Any]:
    """The same gates, but every bundled pattern with its defaults: six on M1 and M5, two on ticks."""
    on_bars: list[dict[str, Any]] = [{"use": name, "timeframes": ["M1", "M5"]} for name in ON_BARS]
    return {**starter(store, symbols), "patterns": [*on_bars, *({"use": name} for name in ON_TICKS)]}


STARTER: Final = "as `bitten init` writes it"
EVERY: Final = "every signal fires"
ALL: Final = "all bundled patterns"
STRATEGIES: Final = {STARTER: starter, EVERY: every_signal, ALL: every_pattern}
LONG: Final = (STARTER, EVERY)
"""What a billion quotes are led through."""
