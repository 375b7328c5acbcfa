"""What the page's scripts draw: trades, curves and candles as packed columns, and the facts that describe them."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bitten.analysis.candles import CANDLE_BUDGET, CandleSet, coarsen, coarser
from bitten.analysis.columns import floats, nanoseconds, unpack_trades, words
from bitten.analysis.curves import Curve, thin
from bitten.analysis.packing import LEVEL, Packer
from bitten.arrow import from_numpy
from bitten.model.dtypes import NS_PER_SECOND, Floats, Ints

_CURVE_POINTS: Final = 12_000
_NS_PER_MS: Final = NS_PER_SECOND // 1000
_MOST_DIGITS: Final = 8


class Blocks:
    """The packed blocks of one page, each in an element of its own that the script empties when it has read it."""

    def __init__(self) -> None:
        self._elements: list[str] = []

    def columns(self, packer: Packer) -> dict[str, Any]:
        """Keep packed columns; returns what the script needs to find and read them."""
        return {"id": self._keep(packer.text()), "columns": packer.meta}

    def lines(self, lines: Sequence[str]) -> str:
        """Keep lines of text; returns the element's id."""
        return self._keep(
            base64.b64encode(gzip.compress("\n".join(lines).encode("utf-8"), LEVEL, mtime=0)).decode("ascii")
        )

    def html(self) -> str:
        """All elements. Base64 cannot end an element early, whatever the columns held."""
        return "\n".join(self._elements)

    def _keep(self, text: str) -> str:
        name = f"block-{len(self._elements)}"
        self._elements.append(f'<script type="text/plain" id="{name}">{text}</script>')
        return name


def pack_curve(blocks: Blocks, name: str, currency: str, curve: Curve, begin: int) -> dict[str, Any]:
    """One equity curve, thinned to what a screen can show; it begins with the start balance at `begin` (ns UTC)."""
    thinned = thin(curve, _CURVE_POINTS)
    first = min(begin, int(thinned.times[0])) if thinned.times.size else begin
    packer = Packer()
    packer.running("time", np.concatenate(([first], thinned.times)) // NS_PER_SECOND)
    for column, values in (("equity", thinned.equity), ("balance", thinned.balance)):
        packer.scaled(column, np.concatenate(([curve.start], values)), 100)
    return {"name": name, "currency": currency, "block": blocks.columns(packer)}


def pack_candles(blocks: Blocks, candles: Mapping[str, CandleSet]) -> dict[str, Any]:
    """The candles of every symbol, in a coarser timeframe where all together exceed `CANDLE_BUDGET`."""
    return {
        symbol: {
            "digits": series.digits,
            "seconds": series.timeframe_ns // NS_PER_SECOND,
            "block": blocks.columns(_packed(series)),
        }
        for symbol, series in within_budget(candles, CANDLE_BUDGET).items()
        if series.size
    }


def within_budget(candles: Mapping[str, CandleSet], budget: int) -> dict[str, CandleSet]:
    """Coarsen the symbol with the most candles, again and again, until all together are at most `budget`."""
    kept = dict(candles)
    while sum(series.size for series in kept.values()) > budget:
        steps = {symbol: coarser(series.timeframe_ns) for symbol, series in kept.items()}
        left = [symbol for symbol, step in steps.items() if step is not None and kept[symbol].size]
        if not left:
            break
        largest = max(left, key=lambda symbol: kept[symbol].size)
        kept[largest] = coarsen(kept[largest], steps[largest] or 0)
    return kept


def _packed(series: CandleSet) -> Packer:
    """The close runs on; open, high and low are measured from it, which leaves small numbers."""
    packer = Packer()
    packer.running("time", series.time // NS_PER_SECOND)
    packer.running("close", series.close)
    packer.plain("open", series.open - np.concatenate((series.close[:1], series.close[:-1])))
    packer.plain("high", series.high - np.maximum(series.open, series.close))
    packer.plain("low", np.minimum(series.open, series.close) - series.low)
    return packer


def pack_trades(
    blocks: Blocks, trades: pa.Table, manifest: Mapping[str, Any], candles: Mapping[str, CandleSet]
) -> dict[str, Any]:
    """All trades in the order in which they were opened; prices in points, levels measured from the entry."""
    source = trades.take(from_numpy(np.argsort(nanoseconds(trades, "open_time"), kind="stable")))
    columns = unpack_trades(source)
    symbol, symbols = words(source, "symbol")
    prices = {name: floats(source, name) for name in ("open_price", "close_price", "stop", "target")}
    facts = manifest.get("instruments") or {}
    digits = [digits_of(name, prices["open_price"][symbol == i], facts, candles) for i, name in enumerate(symbols)]
    scale = 10.0 ** np.array([*digits, 0], np.float64)[symbol]
    packer = Packer()
    _pack_times(packer, columns.opened, columns.closed)
    packer.plain("symbol", symbol)
    names = {"symbol": symbols}
    for name, column in (("account", "account"), ("pattern", "pattern"), ("reason", "close_reason")):
        codes, names[name] = words(source, column)
        packer.plain(name, codes)
    side, sides = words(source, "side")
    packer.plain("side", np.array([1 if word == "buy" else -1 for word in sides], np.int64)[side])
    entry = np.rint(prices["open_price"] * scale)
    packer.plain("open", entry.astype(np.int64))
    for name, column in (("close", "close_price"), ("stop", "stop"), ("target", "target")):
        packer.scaled(name, np.rint(prices[column] * scale) - entry, 1)
    packer.scaled("lots", floats(source, "lots"), 10_000)
    for name, column in (("profit", "profit"), ("pips", "pips"), ("mae", "mae_pips"), ("mfe", "mfe_pips")):
        packer.scaled(name, floats(source, column), 100)
    packer.scaled("r", columns.r, 1000)
    packer.scaled("risk", _risk_pips(source, symbol, symbols, facts), 100)
    ids = blocks.lines([str(value) for value in source["fire_id"].to_pylist()])
    return {"block": blocks.columns(packer), "ids": ids, "words": names, "digits": digits}


def _pack_times(packer: Packer, opened: Ints, closed: Ints) -> None:
    """Seconds and thousandths apart: together they would not fit into 32 bits."""
    opened, held = opened // _NS_PER_MS, (closed - opened) // _NS_PER_MS
    packer.running("opened", opened // 1000)
    packer.plain("openedMs", opened % 1000)
    packer.plain("held", held // 1000)
    packer.plain("heldMs", held % 1000)


def digits_of(symbol: str, prices: Floats, facts: Mapping[str, Any], candles: Mapping[str, CandleSet]) -> int:
    """Decimals of a symbol's prices: as the manifest or the candles say, else as many as its entries use."""
    stated = (facts.get(symbol) or {}).get("digits")
    if stated is not None:
        return int(stated)
    if symbol in candles:
        return candles[symbol].digits
    for digits in range(_MOST_DIGITS):
        scaled = prices * 10.0**digits
        if np.allclose(scaled, np.rint(scaled), rtol=0, atol=1e-6):
            return digits
    return _MOST_DIGITS


def _risk_pips(source: pa.Table, codes: Ints, symbols: list[str], facts: Mapping[str, Any]) -> Floats:
    """Pips from entry to first stop; NaN without a stop. A pip the manifest does not give is read off the trades."""
    distance = np.abs(floats(source, "open_price") - floats(source, "stop"))
    moved = np.abs(floats(source, "close_price") - floats(source, "open_price"))
    pips = np.abs(floats(source, "pips"))
    risk = np.full(distance.size, np.nan)
    for i, symbol in enumerate(symbols):
        mine = codes == i
        pip = (facts.get(symbol) or {}).get("pip")
        known = mine & (pips > 0)
        if pip is None and known.any():
            pip = float(np.median(moved[known] / pips[known]))
        if pip:
            risk[mine] = distance[mine] / pip
    return risk
