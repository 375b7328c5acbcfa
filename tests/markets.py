"""Seeded random markets for property tests: prices move on a small grid, so that levels are hit exactly, often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitten.model.dtypes import NO_PRICE, NS_PER_MINUTE, NS_PER_MS
from bitten.model.facts import ExitPlan, Fire, Signal
from bitten.model.instrument import Instrument
from bitten.model.quotes import QUOTES_PER_BAR, Quotes, Slice

START = 1_399_000_000_000_000_000 // NS_PER_MINUTE * NS_PER_MINUTE


def instrument(symbol: str = "EURUSD", **changes: object) -> Instrument:
    facts = Instrument(
        symbol=symbol, digits=5, base=symbol[:3], quote=symbol[3:], contract_size=100_000.0, pip=0.0001,
        volume_min=0.01, volume_step=0.01, volume_max=100.0, default_spread=8,
    )  # fmt: skip
    return replace(facts, **changes)  # type: ignore[arg-type]


def random_quotes(rng: np.random.Generator, symbol: str, n: int, step_ms: int = 4_000, centre: int = 110_000) -> Quotes:
    """A walk of a few points per quote with jumps, equal neighbours, equal instants and pauses."""
    gaps = rng.integers(0, step_ms, n) * NS_PER_MS
    gaps[rng.random(n) < 0.01] += 20 * NS_PER_MINUTE
    moves = rng.integers(-3, 4, n) + np.where(rng.random(n) < 0.02, rng.integers(-40, 41, n), 0)
    bid = centre + np.cumsum(moves)
    ask = bid + rng.integers(0, 6, n)
    return Quotes(symbol, START + np.cumsum(gaps), bid, ask)


def cut(slices: list[Slice], rng: np.random.Generator, most: int = 1_000_000) -> list[Slice]:
    """The same quotes in other slices: cut at random instants (every instant where `most` is large enough)."""
    whole = merge(slices)
    instants = np.unique(np.concatenate([_cuttable(quotes) for quotes in whole.quotes.values()]))
    chosen = instants if most >= instants.size else np.sort(rng.choice(instants, most, replace=False))
    horizons = sorted({*chosen.tolist(), whole.horizon})
    pieces, start = [], -1
    for horizon in horizons:
        pieces.append(Slice(horizon, {s: between(q, start, horizon) for s, q in whole.quotes.items()}))
        start = horizon
    return [Slice(p.horizon, {s: q for s, q in p.quotes.items() if len(q)}) for p in pieces]


def _cuttable(quotes: Quotes) -> np.ndarray:
    return quotes.ts[QUOTES_PER_BAR - 1 :: QUOTES_PER_BAR] if quotes.bar_ns else quotes.ts


def between(quotes: Quotes, after: int, until: int) -> Quotes:
    """Quotes with `after < ts <= until`."""
    i, j = np.searchsorted(quotes.ts, [after, until], "right").tolist()

    def part(column: np.ndarray | None, per: int = 1) -> np.ndarray | None:
        return None if column is None else column[i // per : (j + per - 1) // per]

    return Quotes(
        quotes.symbol, quotes.ts[i:j], quotes.bid[i:j], quotes.ask[i:j], quotes.bar_ns,
        part(quotes.long_exit), part(quotes.short_exit), part(quotes.volume, QUOTES_PER_BAR),
    )  # fmt: skip


def merge(slices: list[Slice]) -> Slice:
    """All slices as one."""
    symbols = list(dict.fromkeys(symbol for piece in slices for symbol in piece.quotes))

    def joined(symbol: str) -> Quotes:
        parts = [piece.quotes[symbol] for piece in slices if symbol in piece.quotes]

        def column(name: str) -> np.ndarray | None:
            values = [getattr(part, name) for part in parts]
            return None if values[0] is None else np.concatenate(values)

        names = ("long_exit", "short_exit", "volume")
        return Quotes(
            symbol, column("ts"), column("bid"), column("ask"), parts[0].bar_ns, *(column(name) for name in names)
        )  # type: ignore[arg-type]

    return Slice(slices[-1].horizon, {symbol: joined(symbol) for symbol in symbols})


def random_fire(rng: np.random.Generator, number: int, quotes: Quotes, facts: Instrument) -> Fire:
    """An order at a random instant with levels near the price: some invalid, some led, some without stop or target."""
    i = int(rng.integers(0, len(quotes)))
    side = int(rng.choice([-1, 1]))
    relative = bool(rng.random() < 0.4)
    bid = int(quotes.bid[i])
    stop, target = int(rng.integers(-2, 40)), int(rng.integers(-2, 60))
    if relative:
        stop, target = max(1, stop), max(1, target)
    else:
        stop, target = bid - side * stop, bid + side * target
    time = int(quotes.ts[i]) + int(rng.choice([0, 0, 1, 500 * NS_PER_MS]))
    expiry = time + int(rng.integers(1, 10_000)) * NS_PER_MS if rng.random() < 0.5 else 0
    signal = Signal(
        id=f"s{number}", pattern="random", instrument=facts, timeframe="M1", timeframe_ns=NS_PER_MINUTE, side=side,
        time=time, anchor=number, reference_points=bid,
        stop_points=NO_PRICE if rng.random() < 0.1 else stop, target_points=NO_PRICE if rng.random() < 0.1 else target,
        relative=relative, confidence=50.0, expiry=expiry,
        plan=ExitPlan(
            breakeven_r=float(rng.choice([0, 0, 0.5, 1.0])), trail_points=int(rng.choice([0, 0, 5, 25])),
            time_stop_bars=int(rng.choice([0, 0, 1, 3])), time_stop_ns=int(rng.choice([0, 0, 90_000])) * NS_PER_MS,
        ),
    )  # fmt: skip
    return Fire(f"f{number}", number, signal, "main", 0.1, time)
