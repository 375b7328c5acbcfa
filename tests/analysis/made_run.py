"""Made-up runs for tests: tables with the real schemas, candles, accounts and a manifest, all from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from bitten.analysis.candles import CandleSet
from bitten.analysis.curves import AccountFacts
from bitten.journal.schema import TABLES
from bitten.model.dtypes import NS_PER_MINUTE

START = 1_704_150_000 * 10**9  # 2024-01-01 23:00 UTC
PATTERNS = ("kalman_quickfire", "bb_scalp", "order_block", "liquidity_sweep")
REASONS = ("target", "stop", "trailing", "breakeven", "time", "end")
MARKETS = {"EURUSD": (5, 1.10, 10, 1.0), "XAUUSD": (2, 2030.0, 10, 12.0), "USDJPY": (3, 147.0, 10, 1.6)}


@dataclass
class MadeRun:
    tables: dict[str, pa.Table]
    accounts: list[AccountFacts]
    candles: dict[str, CandleSet]
    manifest: dict[str, Any]


def as_table(name: str, columns: dict[str, Any]) -> pa.Table:
    """A table of the run with its real schema; absent columns are null."""
    schema = TABLES[name]
    size = len(next(iter(columns.values())))
    arrays = []
    for field in schema:
        values = columns.get(field.name, [None] * size)
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(list(values), pa.string()).cast(field.type))
        elif pa.types.is_timestamp(field.type):
            arrays.append(pa.array(values, pa.int64()).cast(field.type))
        else:
            nans = isinstance(values, np.ndarray) and values.dtype == np.float64
            arrays.append(pa.array(values, field.type, from_pandas=nans))
    return pa.Table.from_arrays(arrays, schema=schema)


def trades_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Trades from a few named fields each; the rest has plain defaults."""
    base = {
        "account": "main",
        "symbol": "EURUSD",
        "pattern": "kal",
        "side": "buy",
        "lots": 0.1,
        "open_time": START,
        "close_time": START + NS_PER_MINUTE,
        "open_price": 1.1,
        "close_price": 1.1,
        "close_reason": "target",
        "pips": 0.0,
        "gross": 0.0,
        "commission": 0.0,
        "swap": 0.0,
        "profit": 0.0,
        "mae_pips": 0.0,
        "mfe_pips": 0.0,
        "stop": None,
        "target": None,
    }
    filled = [{"fire_id": f"f{i}", "signal_id": f"s{i}", **base, **row} for i, row in enumerate(rows)]
    return as_table("trades", {name: [row[name] for row in filled] for name in TABLES["trades"].names})


def equity_table(times: Any, values: Any, account: str = "main") -> pa.Table:
    """Equity of one account; the balance equals it, nothing is open."""
    size = len(times)
    return as_table(
        "equity",
        {
            "time": list(times),
            "account": [account] * size,
            "balance": [float(v) for v in values],
            "equity": [float(v) for v in values],
            "open_positions": [0] * size,
        },
    )


def market(rng: np.random.Generator, bars: int, digits: int, price: float, step: float) -> CandleSet:
    """M1 candles of a random walk that rests at weekends."""
    minute = np.arange(int(bars * 1.45) + 4000)
    times = START // NS_PER_MINUTE + minute
    weekday = (times // 1440 + 3) % 7
    clock = times % 1440
    trading = ~((weekday == 5) | ((weekday == 4) & (clock >= 1320)) | ((weekday == 6) & (clock < 1320)))
    times = times[trading][:bars] * NS_PER_MINUTE
    close = round(price * 10**digits) + np.cumsum(np.rint(rng.normal(0, step * 8, bars))).astype(np.int64)
    opened = np.concatenate((close[:1], close[:-1])) + rng.integers(-1, 2, bars)
    high = np.maximum(opened, close) + rng.integers(0, int(step * 6) + 1, bars)
    low = np.minimum(opened, close) - rng.integers(0, int(step * 6) + 1, bars)
    return CandleSet(digits, NS_PER_MINUTE, times, opened, high, low, close)


def make_run(
    trades: int = 400, bars: int = 20_000, symbols: int = 3, seed: int = 7, accounts: tuple[str, ...] = ("main",)
) -> MadeRun:
    """A run of random trades on random walks."""
    rng = np.random.default_rng(seed)
    names = list(MARKETS)[:symbols]
    candles = {}
    for name in names:
        digits, price, _, step = MARKETS[name]
        candles[name] = market(rng, bars, digits, price, step)
    columns = _trades(rng, trades, names, candles, accounts)
    table = as_table("trades", columns)
    facts = [AccountFacts(account, "USD", 10_000.0) for account in accounts]
    tables = {name: schema.empty_table() for name, schema in TABLES.items()} | {
        "trades": table,
        "equity": _equity(columns, candles[names[0]], facts),
        "signals": _signals(columns),
        "outcomes": _outcomes(rng, columns),
        "decisions": _decisions(rng, columns),
    }
    return MadeRun(tables, facts, candles, _manifest(names, candles, facts))


def _trades(
    rng: np.random.Generator, count: int, names: list[str], candles: dict[str, CandleSet], accounts: tuple[str, ...]
) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {name: [] for name in TABLES["trades"].names}
    for i in range(count):
        symbol = names[int(rng.integers(len(names)))]
        market_ = candles[symbol]
        pip = MARKETS[symbol][2]
        at = int(rng.integers(0, market_.size - 400))
        side = 1 if rng.random() < 0.5 else -1
        opened = int(market_.close[at])
        risk = int(max(15, abs(rng.normal(110, 40)) * MARKETS[symbol][3]))
        end, made, reason, adverse, favourable = _exit(rng, market_, at, side, risk)
        closed = opened + side * made
        scale = 10.0**market_.digits
        lots = round(float(rng.integers(1, 40)) / 100, 2)
        gross = round(made / pip * lots * 10, 2)
        commission = round(-7.0 * lots, 2)
        row = {
            "fire_id": f"{i:06x}-{symbol.lower()}",
            "signal_id": f"s{i}",
            "account": accounts[i % len(accounts)],
            "symbol": symbol,
            "pattern": PATTERNS[int(rng.integers(len(PATTERNS)))],
            "side": "buy" if side == 1 else "sell",
            "lots": lots,
            "open_time": int(market_.time[at]) + 13_043_000_000,
            "open_price": opened / scale,
            "stop": (opened - side * risk) / scale,
            "target": (opened + side * 2 * risk) / scale,
            "close_time": int(market_.time[end]) + 47_000_000_000,
            "close_price": closed / scale,
            "close_reason": reason,
            "pips": made / pip,
            "gross": gross,
            "commission": commission,
            "swap": 0.0,
            "profit": round(gross + commission, 2),
            "mae_pips": adverse / pip,
            "mfe_pips": favourable / pip,
        }
        for name, value in row.items():
            columns[name].append(value)
    order = np.argsort(columns["close_time"], kind="stable")
    return {name: [values[k] for k in order] for name, values in columns.items()}


def _exit(
    rng: np.random.Generator, candles: CandleSet, at: int, side: int, risk: int
) -> tuple[int, int, str, int, int]:
    """(bar of the exit, points made, reason, worst points against, best points in favour): stop 1 R, target 2 R."""
    held = int(rng.integers(3, 300))
    span = slice(at + 1, at + 1 + held)
    opened = int(candles.close[at])
    against = side * (opened - (candles.low if side == 1 else candles.high)[span])
    favour = side * ((candles.high if side == 1 else candles.low)[span] - opened)
    touched = np.flatnonzero((against >= risk) | (favour >= 2 * risk))
    if touched.size == 0:
        made = side * (int(candles.close[at + held]) - opened)
        return at + held, made, REASONS[int(rng.integers(2, 6))], max(0, int(against.max())), max(0, int(favour.max()))
    k = int(touched[0])
    worst, best = max(0, int(against[: k + 1].max())), max(0, int(favour[: k + 1].max()))
    if against[k] >= risk:
        return at + 1 + k, -risk - int(rng.integers(0, 3)), "stop", worst, best
    return at + 1 + k, 2 * risk, "target", worst, best


def _equity(columns: dict[str, Any], candles: CandleSet, facts: list[AccountFacts]) -> pa.Table:
    hours = np.unique(candles.time // (60 * NS_PER_MINUTE)) * 60 * NS_PER_MINUTE + 60 * NS_PER_MINUTE
    closed, profit = np.array(columns["close_time"], np.int64), np.array(columns["profit"])
    owner = np.array(columns["account"])
    parts = []
    for account in facts:
        mine = owner == account.id
        balance = np.concatenate(([0.0], np.cumsum(profit[mine])))
        at = np.searchsorted(closed[mine], hours, side="right")
        parts.append(equity_table(hours, np.round(account.balance + balance[at], 2), account.id))
    return pa.concat_tables(parts)


def _signals(columns: dict[str, Any]) -> pa.Table:
    picked = {name: columns[name] for name in ("signal_id", "pattern", "symbol", "side", "stop", "target")}
    size = len(columns["signal_id"])
    extra = {"timeframe": ["M5"] * size, "time": columns["open_time"], "reference": columns["open_price"]}
    fixed = {"relative": [False] * size, "confidence": [84.0] * size, "evidence": ["{}"] * size}
    return as_table("signals", picked | extra | fixed)


def _outcomes(rng: np.random.Generator, columns: dict[str, Any]) -> pa.Table:
    names = ("signal_id", "symbol", "pattern", "side", "open_time", "open_price", "close_time", "close_price", "pips")
    size = len(columns["signal_id"])
    r = rng.choice([-1.0, 2.0], size, p=[0.68, 0.32])
    result = ["target" if x > 0 else "stop" for x in r]
    return as_table("outcomes", {n: columns[n] for n in names} | {"fired": [True] * size, "result": result, "r": r})


def _decisions(rng: np.random.Generator, columns: dict[str, Any]) -> pa.Table:
    size = len(columns["signal_id"])
    gates = [("band", "slots", "spread", "executor")[int(k)] for k in rng.integers(0, 4, size)]
    reason = {
        "band": "confidence was 92.0, band is 80.0 to 89.0",
        "slots": "slots were 3, limit is 3",
        "spread": "spread was 31 points, limit is 20",
        "executor": "invalid stops: stop is 3 points from the bid, stops level is 10",
    }
    verdict = ["refused" if rng.random() < 0.3 else "passed" for _ in range(size)]
    return as_table(
        "decisions",
        {
            "signal_id": columns["signal_id"],
            "account": columns["account"],
            "time": columns["open_time"],
            "gate": gates,
            "verdict": verdict,
            "reason": [reason[g] if v == "refused" else None for g, v in zip(gates, verdict, strict=True)],
            "measured": [1.0] * size,
            "limit": [2.0] * size,
            "lots": columns["lots"],
        },
    )


def _manifest(names: list[str], candles: dict[str, CandleSet], facts: list[AccountFacts]) -> dict[str, Any]:
    from bitten.clock import iso

    first, last = min(int(c.time[0]) for c in candles.values()), max(int(c.time[-1]) for c in candles.values())
    return {
        "name": "2024-kal-bb",
        "created": "2025-02-03T10:11:12Z",
        "versions": {"bitten": "0.1.0", "numpy": np.__version__},
        "config": {"feed": {"name": "synthetic", "seed": 7}, "telegram": {"token": "123:SECRET"}},
        "feed": {"name": "synthetic", "synthetic": True, "notes": ["seeded random walk, seed 7"]},
        "period": {"first": iso(first), "last": iso(last)},
        "symbols": names,
        "quotes": 12_345_678,
        "timings": {"decode": 0.8, "total": 3.2},
        "costs": [
            "Spread: as quoted, every fill pays it.",
            "Slippage: 2 points adverse on entries and stops.",
            "Latency: 120 ms from decision to order.",
            "Commission: 3.50 USD per lot and side.",
            "Swap is not charged: 41 positions crossed a rollover.",
        ],
        "notes": ["8 weekend gaps were longer than usual."],
        "alerts": ["2024-03-04 12:00 tracker telegram failed twice and was switched off"],
        "instruments": {n: {"digits": MARKETS[n][0], "pip": MARKETS[n][2] / 10 ** MARKETS[n][0]} for n in names},
        "accounts": [{"id": f.id, "currency": f.currency, "balance": f.balance} for f in facts],
    }
