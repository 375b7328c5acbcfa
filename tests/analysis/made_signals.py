"""A made-up run whose signals have every fate there is: fired, refused by each gate, expired, declined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from bitten.analysis.curves import AccountFacts
from bitten.journal.schema import TIME, WORD
from bitten.model.dtypes import NS_PER_MINUTE
from tests.analysis.made_run import MARKETS, PATTERNS, MadeRun, as_table, make_run

CHAIN = ("citadel", "band", "spread", "slots")
REASONS = {
    "citadel": "sweep against the trade: stand down",
    "band": "confidence was {x:.1f}, band is 80.0 to 89.0",
    "spread": "spread was {x:.0f} points, limit is 20",
    "slots": "slots were 3, limit is 3",
}


def make_signals(
    trades: int = 400, refused: int = 600, bars: int = 20_000, symbols: int = 3, seed: int = 7,
    accounts: tuple[str, ...] = ("main",),
) -> MadeRun:  # fmt: skip
    """A made run with `refused` signals more than it has trades, and what shields and gates leave beside it."""
    made = make_run(trades, bars, symbols, seed, accounts)
    rng = np.random.default_rng(seed + 1)
    rows = _fired(made, rng) + _unfired(made, rng, refused)
    rows.sort(key=lambda row: row["time"])
    made.accounts = [
        AccountFacts(one.id, one.currency, one.balance, 100.0, ("scout", "commander")[i % 2], "auto")
        for i, one in enumerate(made.accounts)
    ]
    made.manifest["accounts"] = [
        {"id": one.id, "currency": one.currency, "balance": one.balance, "tier": one.tier, "mode": one.mode}
        for one in made.accounts
    ]
    ids = [one.id for one in made.accounts]
    made.tables |= {
        "signals": as_table("signals", _columns(rows)),
        "outcomes": as_table("outcomes", _columns(rows)),
        "scores": _scores(rows),
        "decisions": _decisions(rows, ids),
        "missions": _missions(rows, ids),
        "calibration": _calibration(rows),
        "liquidity": _liquidity(made, rng),
        "breaches": _breaches(made),
        "eliminations": _eliminations(made),
    }
    return made


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows] for name in rows[0]}


def _signal(rng: np.random.Generator, **known: Any) -> dict[str, Any]:
    confidence = round(float(np.clip(rng.normal(80, 9), 42, 99)), 1)
    return {
        "timeframe": "M5", "relative": False, "confidence": confidence, "evidence": "{}", "by": None,
        "score": float(np.clip(rng.normal(7, 2), 1, 10)), **known,
    }  # fmt: skip


def _fired(made: MadeRun, rng: np.random.Generator) -> list[dict[str, Any]]:
    names = ("signal_id", "symbol", "pattern", "side", "stop", "target", "open_time", "open_price", "close_time")
    more = ("close_price", "pips", "mae_pips", "mfe_pips", "close_reason")
    columns = {name: made.tables["trades"][name] for name in (*names, *more)}
    times = {name: columns[name].cast(pa.int64()).to_pylist() for name in ("open_time", "close_time")}
    lists = {name: column.to_pylist() for name, column in columns.items()} | times
    rows = []
    for i in range(len(lists["signal_id"])):
        row = {name: values[i] for name, values in lists.items()}
        risk = abs(row["open_price"] - row["stop"])
        sign = 1 if row["side"] == "buy" else -1
        r = sign * (row["close_price"] - row["open_price"]) / risk
        result = row.pop("close_reason")
        time = row["open_time"] - 1_043_000_000
        rows.append(_signal(rng, **row, time=time, reference=row["open_price"], fired=True, result=result, r=r))
    return rows


def _unfired(made: MadeRun, rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    rows = []
    names = list(made.candles)
    for i in range(count):
        symbol = names[int(rng.integers(len(names)))]
        market, pip = made.candles[symbol], MARKETS[symbol][2]
        at = int(rng.integers(0, market.size - 400))
        sign = 1 if rng.random() < 0.5 else -1
        risk = int(rng.integers(40, 160) * MARKETS[symbol][3])
        entry, scale = int(market.close[at]), 10.0**market.digits
        won = bool(rng.random() < 0.3)
        made_points = 2 * risk if won else -risk
        never = rng.random() < 0.04
        row = _signal(
            rng, signal_id=f"u{i}", symbol=symbol, pattern=PATTERNS[int(rng.integers(len(PATTERNS)))],
            side="buy" if sign > 0 else "sell", stop=(entry - sign * risk) / scale,
            target=(entry + sign * 2 * risk) / scale, time=int(market.time[at]), reference=entry / scale, fired=False,
            result="expired" if never else "target" if won else "stop",
            open_time=None if never else int(market.time[at]) + 900_000_000,
            open_price=None if never else entry / scale,
            close_time=int(market.time[at + int(rng.integers(3, 300))]),
            close_price=None if never else (entry + sign * made_points) / scale,
            pips=None if never else made_points / pip, r=None if never else made_points / risk, mae_pips=1.0,
            mfe_pips=2.0,
        )  # fmt: skip
        row["by"] = (*CHAIN, "mission")[int(rng.choice(5, p=[0.15, 0.3, 0.25, 0.2, 0.1]))]
        rows.append(row)
    return rows


def _scores(rows: list[dict[str, Any]]) -> pa.Table:
    columns = {name: [row[name] for row in rows] for name in ("signal_id", "time", "score")}
    scale = [1.0 if row["score"] >= 8 else 0.75 for row in rows]
    fixed = {"shield": ["citadel"] * len(rows), "scale": scale, "evidence": ["{}"] * len(rows)}
    return as_table("scores", columns | fixed)


def _decisions(rows: list[dict[str, Any]], accounts: list[str]) -> pa.Table:
    out = []
    for row in rows:
        if row["by"] == "mission":
            continue
        for gate in CHAIN:
            refused = row["by"] == gate
            x = row["confidence"] if gate == "band" else 21.0 + row["score"]
            reason = REASONS[gate].format(x=x) if refused else None
            verdict = "refused" if refused else "passed"
            for account in accounts:
                out.append((row["signal_id"], account, row["time"], gate, verdict, reason, x, 20.0, 0.1))
            if refused:
                break
    names = ("signal_id", "account", "time", "gate", "verdict", "reason", "measured", "limit", "lots")
    return as_table("decisions", {name: [cells[i] for cells in out] for i, name in enumerate(names)})


def _missions(rows: list[dict[str, Any]], accounts: list[str]) -> pa.Table:
    out = []
    for i, row in enumerate(rows):
        waits = row["by"] == "mission"
        answer = ("expired", "declined", "open")[i % 3] if waits else "accepted"
        for account in accounts:
            end = row["time"] + 60 * NS_PER_MINUTE
            mode = "manual" if waits else "auto"
            told = (f"{row['signal_id']}@{account}", row["signal_id"], account, mode, row["time"], end)
            out.append((*told, None if answer == "open" else row["time"], answer))
    names = ("mission_id", "signal_id", "account", "mode", "offered", "expiry", "answered", "answer")
    return as_table("missions", {name: [cells[i] for cells in out] for i, name in enumerate(names)})


def _calibration(rows: list[dict[str, Any]]) -> pa.Table:
    told = [row for row in rows if row["result"] in ("target", "stop")]
    raw = np.array([row["confidence"] for row in told])
    schema = pa.schema(
        [
            ("signal_id", pa.string()),
            ("time", TIME),
            ("pattern", WORD),
            ("symbol", WORD),
            ("raw", pa.float64()),
            ("probability", pa.float64()),
            ("n", pa.int64()),
            ("won", pa.bool_()),
        ]
    )
    arrays = [
        pa.array([row["signal_id"] for row in told], pa.string()),
        pa.array([row["close_time"] for row in told], pa.int64()).cast(TIME),
        *(pa.array([row[name] for row in told], pa.string()).cast(WORD) for name in ("pattern", "symbol")),
        pa.array(raw), pa.array(0.3 + (raw - 80) / 200), pa.array(np.arange(raw.size)),
        pa.array([row["result"] == "target" for row in told]),
    ]  # fmt: skip
    return pa.Table.from_arrays(arrays, schema=schema)


def _liquidity(made: MadeRun, rng: np.random.Generator) -> pa.Table:
    out = []
    for symbol, market in made.candles.items():
        scale = 10.0**market.digits
        for at in rng.integers(30, market.size - 1500, 60).tolist():
            high = bool(rng.random() < 0.5)
            level = int(
                (market.high if high else market.low)[at - 30 : at].max() if high else market.low[at - 30 : at].min()
            )
            end = at + int(rng.integers(100, 1400))
            swept = int(market.time[end]) if rng.random() < 0.6 else None
            kind = "equal highs" if high else "equal lows"
            out.append((symbol, kind, level / scale, int(market.time[at]), swept, int(market.time[end])))
    schema = pa.schema([("symbol", WORD), ("kind", WORD), ("level", pa.float64()), ("born", TIME), ("swept", TIME),
                        ("ended", TIME)])  # fmt: skip
    return _table(schema, out)


def _breaches(made: MadeRun) -> pa.Table:
    first = int(next(iter(made.candles.values())).time[2000])
    rows = [(made.accounts[-1].id, first + k * 86_400 * 10**9, "ftmo", rule, 5.2 + k, 5.0, 9400.0)
            for k, rule in enumerate(("daily", "daily", "total"))]  # fmt: skip
    schema = pa.schema([("account", WORD), ("time", TIME), ("gate", WORD), ("rule", WORD), ("measured", pa.float64()),
                        ("limit", pa.float64()), ("equity", pa.float64())])  # fmt: skip
    return _table(schema, rows)


def _eliminations(made: MadeRun) -> pa.Table:
    time = int(next(iter(made.candles.values())).time[2500])
    schema = pa.schema([("time", TIME), ("pattern", WORD), ("symbol", WORD), ("wins", pa.int64()),
                        ("resolved", pa.int64()), ("upper", pa.float64()), ("limit", pa.float64())])  # fmt: skip
    return _table(schema, [(time, "liquidity_sweep", None, 4, 31, 0.289, 0.4)])


def _table(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    arrays = []
    for i, field in enumerate(schema):
        values = [row[i] for row in rows]
        plain = pa.string() if pa.types.is_dictionary(field.type) else field.type
        arrays.append(pa.array(values, pa.int64() if pa.types.is_timestamp(field.type) else plain).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
