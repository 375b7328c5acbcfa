"""What the page's scripts draw of signals: each with its fate, who refused it and why; and pools of liquidity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from bitten.analysis.candles import CandleSet
from bitten.analysis.columns import Tables, floats, nanoseconds, table, words
from bitten.analysis.fates import Fates, flags, positions, signal_fates
from bitten.analysis.packing import Packer
from bitten.analysis.payload import Blocks, digits_of
from bitten.arrow import from_numpy, one_chunk, to_numpy
from bitten.model.dtypes import NS_PER_SECOND, Bools, Floats, Ints

FATES: Final = ("fired", "refused", "expired", "declined", "unanswered", "waiting", "unknown")
_FIRED, _REFUSED, _EXPIRED, _DECLINED, _UNANSWERED, _WAITING, _UNKNOWN = range(len(FATES))
_MOST_SIGNALS: Final = 50_000  # in the page; the newest, the tables hold all
_MOST_POOLS: Final = 20_000
_ORDERS: Final = "executor"
_TOO_LATE: Final = "expiry"  # refused before any gate was asked, because its time was over


class Refusals(NamedTuple):
    """Of each signal the first refusal by a gate or shield; columns of shape (n,)."""

    row: Ints  # in the decisions; -1 for none
    gate: Ints  # codes into `gates`
    gates: list[str]
    accounts: Ints  # how many were refused, by whichever gate


def pack_signals(
    blocks: Blocks, tables: Tables, manifest: Mapping[str, Any], candles: Mapping[str, CandleSet]
) -> dict[str, Any]:
    """All signals in the order of their decisions, at most the newest 50,000; prices in points, levels measured from
    the reference price.
    """
    fates = signal_fates(tables)
    refusals = first_refusals(tables, fates)
    fate = fates_of(tables, fates, refusals)
    order = np.argsort(fates.time, kind="stable")[-_MOST_SIGNALS:]
    symbol, facts = fates.symbol[order], manifest.get("instruments") or {}
    reference, stop, target = _levels(table(tables, "signals"), fates.side, order)
    digits = [digits_of(name, reference[symbol == i], facts, candles) for i, name in enumerate(fates.symbols)]
    scale = 10.0 ** np.array([*digits, 0], np.float64)[symbol]
    entry = np.rint(np.nan_to_num(reference) * scale)
    opened, result = fates.time[order], fates.result[order]
    closed = np.maximum(fates.closed[order], opened)
    timeframe, timeframes = words(table(tables, "signals"), "timeframe")
    packer = Packer()
    packer.running("opened", opened // NS_PER_SECOND)  # to the second: as near as a candle can show
    packer.plain("held", closed // NS_PER_SECOND - opened // NS_PER_SECOND)
    codes = {"symbol": symbol, "pattern": fates.pattern[order], "timeframe": timeframe[order], "fate": fate[order],
             "side": fates.side[order], "gate": refusals.gate[order], "result": result}  # fmt: skip
    for name, code in codes.items():
        packer.plain(name, code)
    packer.plain("open", entry.astype(np.int64))
    for name, values in (("stop", stop), ("target", target)):
        packer.scaled(name, np.rint(values * scale) - entry, 1)
    packer.scaled("confidence", fates.confidence[order], 10)
    packer.scaled("r", fates.r[order], 100)
    packer.scaled("score", _scores(tables, fates)[order], 10)
    packer.plain("refused", refusals.accounts[order])
    reason, reasons = _reasons(tables, refusals.row[order])
    packer.plain("reason", reason)
    names = {"symbol": fates.symbols, "pattern": fates.patterns, "timeframe": timeframes, "fate": FATES,
             "gate": refusals.gates, "result": fates.results}  # fmt: skip
    return {
        "block": blocks.columns(packer),
        "ids": blocks.lines(fates.ids.take(from_numpy(order)).to_pylist()),
        "reasons": blocks.lines(reasons),
        "words": names,
        "digits": digits,
        "total": fates.size,
    }


def _levels(signals: pa.Table, side: Ints, order: Ints) -> tuple[Floats, Floats, Floats]:
    """(reference, stop, target) as prices, of signals in an order; NaN for none."""
    reference, stop, target = (floats(signals, name)[order] for name in ("reference", "stop", "target"))
    relative, sign = flags(signals, "relative")[order], side[order]
    return (
        reference,
        np.where(relative, reference - sign * stop, stop),
        np.where(relative, reference + sign * target, target),
    )


def first_refusals(tables: Tables, fates: Fates) -> Refusals:
    """Who refused each signal first, in the order in which decisions were made."""
    decisions = table(tables, "decisions")
    gate, gates = words(decisions, "gate")
    verdict, verdicts = words(decisions, "verdict")
    refused = verdict == (verdicts.index("refused") if "refused" in verdicts else -1)
    if _ORDERS in gates:
        refused = refused & (gate != gates.index(_ORDERS))
    rows = np.flatnonzero(refused)
    signal, known = positions(decisions["signal_id"].take(from_numpy(rows)), fates.ids)
    rows, signal = rows[known], signal[known]
    first = np.full(fates.size, -1, np.int64)
    first[signal[::-1]] = rows[::-1]  # the first one is written last
    found = first >= 0
    by = np.where(found, gate[np.where(found, first, 0)] if gate.size else 0, -1)
    return Refusals(first, by, gates, np.bincount(signal, minlength=fates.size))


def fates_of(tables: Tables, fates: Fates, refusals: Refusals) -> Ints:
    """What became of each signal, as an index into `FATES`: fired for any account, else refused for any, else what
    people made of its missions.
    """
    late = np.array([name == _TOO_LATE for name in (*refusals.gates, "")], np.bool_)[refusals.gate]
    missions = table(tables, "missions")
    answer, answers = words(missions, "answer")
    signal, known = positions(missions["signal_id"], fates.ids)

    def answered(word: str) -> Bools:
        said = np.zeros(fates.size, np.bool_)
        if word in answers:
            said[signal[known & (answer == answers.index(word))]] = True
        return said

    refused = refusals.row >= 0
    cases = [fates.fired, refused & ~late, refused, answered("declined"), answered("expired"), answered("open")]
    codes = [_FIRED, _REFUSED, _EXPIRED, _DECLINED, _UNANSWERED, _WAITING]
    found: Ints = np.select(cases, codes, _UNKNOWN).astype(np.int64)
    return found


def _reasons(tables: Tables, rows: Ints) -> tuple[Ints, list[str]]:
    """(index of each signal's reason, -1 for none; the distinct reasons)."""
    found = np.flatnonzero(rows >= 0)
    picked = table(tables, "decisions")["reason"].take(from_numpy(rows[found]))
    encoded = one_chunk(picked).dictionary_encode()
    index = np.full(rows.size, -1, np.int64)
    # a reason with line breaks must not become two
    texts = [" ".join(text.split()) for text in encoded.dictionary.to_pylist()]
    codes, known = to_numpy(encoded.indices)
    index[found] = codes if known is None else np.where(known, codes, -1)
    return index, texts


def _scores(tables: Tables, fates: Fates) -> Floats:
    """The first score of each signal by the shield whose scores differ most; NaN for none."""
    source = table(tables, "scores")
    shield, shields = words(source, "shield")
    score = floats(source, "score")
    spread = [float(np.ptp(score[shield == i])) for i in range(len(shields))]
    out = np.full(fates.size, np.nan)
    if spread and max(spread) > 0:
        mine = np.flatnonzero(shield == int(np.argmax(spread)))[::-1]
        signal, known = positions(source["signal_id"].take(from_numpy(mine)), fates.ids)
        out[signal[known]] = score[mine[known]]
    return out


def pack_pools(blocks: Blocks, tables: Tables, candles: Mapping[str, CandleSet]) -> dict[str, Any] | None:
    """Pools of liquidity on symbols that have candles, at most the newest 20,000; None where there are none."""
    if "liquidity" not in tables or not tables["liquidity"].num_rows:
        return None
    source = tables["liquidity"]
    symbol, symbols = words(source, "symbol")
    drawn = np.array([name in candles for name in symbols], np.bool_)[symbol]
    born = nanoseconds(source, "born")
    order = np.argsort(born, kind="stable")
    order = order[drawn[order]][-_MOST_POOLS:]
    if not order.size:
        return None
    kind, kinds = words(source, "kind")
    digits = [candles[name].digits if name in candles else 0 for name in symbols]
    scale = 10.0 ** np.array(digits, np.float64)[symbol]
    packer = Packer()
    packer.running("born", born[order] // NS_PER_SECOND)
    packer.plain("symbol", symbol[order])
    packer.plain("kind", kind[order])
    packer.scaled("level", np.rint(floats(source, "level") * scale)[order], 1)
    for name in ("swept", "ended"):
        packer.scaled(name, _after(source, name, born)[order], 1)
    return {"block": blocks.columns(packer), "words": {"symbol": symbols, "kind": kinds}, "digits": digits}


def _after(source: pa.Table, name: str, born: Ints) -> Floats:
    """Seconds from birth to another instant, shape (n,); NaN where that is null."""
    times = nanoseconds(source, name)
    return np.where(times != 0, (times - born) / NS_PER_SECOND, np.nan)
