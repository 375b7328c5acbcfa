"""Runs of the whole pipeline on slices handed over directly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pyarrow as pa

from bitten.backtesting import build_pipeline, make_feed
from bitten.config import read_config
from bitten.manager import Manager
from bitten.model.quotes import Slice
from bitten.pipeline import Pipeline

DAY = "2024-04-09"
SYMBOLS = ("EURUSD", "XAUUSD", "USDJPY")

STRATEGY: dict[str, Any] = {
    "patterns": [
        {"use": "kalman_quickfire", "timeframes": ["M1", "M5"], "exit": {"trail_atr": 1.5, "breakeven_r": 0.7}},
        {"use": "bb_scalp", "timeframe": "M1"},
    ],
    "gates": [
        {"use": "band", "low": 20.0},
        {"use": "spread", "atr": 0.9},
        {"use": "slots"},
        {"use": "one_per_symbol", "most": 2},
        {"use": "risk"},
    ],
    "accounts": [{"id": "main", "slots": 3}, {"id": "euro", "currency": "EUR", "balance": 2500.0, "risk_percent": 2.0}],
    "costs": {"commission_per_lot": 3.5},
}


def settings(symbols: Iterable[str] = SYMBOLS, **sections: Any) -> dict[str, Any]:
    """A configuration of the strategy above over synthetic quotes of two days."""
    feed = {
        "use": "synthetic",
        "symbols": list(symbols),
        "from": "2024-04-08",
        "to": "2024-04-10",
        "quotes_per_day": 3000,
    }
    return {"feed": feed, **STRATEGY, **sections}


@cache
def synthetic_slices(symbols: tuple[str, ...] = SYMBOLS, quotes_per_day: int = 3000) -> tuple[Slice, ...]:
    """Two synthetic days."""
    source = settings(symbols)
    source["feed"]["quotes_per_day"] = quotes_per_day
    config, _ = read_config(source)
    return tuple(make_feed(config)[0].slices())


def replay(
    pieces: Iterable[Slice], source: Mapping[str, Any], extra: Mapping[str, object] | None = None
) -> tuple[dict[str, pa.Table], Pipeline]:
    """The tables of a run over these slices, and the pipeline that made them."""
    config, manager = read_config(source, Manager(extra=extra) if extra else None)
    pipeline, _ = build_pipeline(config, manager)
    for piece in pieces:
        pipeline.step(piece)
    pipeline.finish()
    return dict(pipeline.parts.journal.tables()), pipeline


def rows(tables: Mapping[str, pa.Table], name: str) -> list[dict[str, Any]]:
    """A table as plain rows."""
    return tables[name].to_pylist()
