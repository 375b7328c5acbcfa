"""Trades by pattern, symbol, side, hour, weekday, close reason and account; refusals by gate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bitten.analysis.columns import Tables, Trades, floats, table, words
from bitten.analysis.fates import UNRESOLVED, flags
from bitten.analysis.measures import finite, money, ratio, wilson
from bitten.arrow import from_numpy
from bitten.model.dtypes import NS_PER_SECOND, Floats, Ints

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BREAKDOWNS: Final = ("pattern", "symbol", "side", "hour", "weekday", "close_reason", "account")
_NS_PER_HOUR: Final = 3600 * NS_PER_SECOND
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday
_UNFILLED_GATE: Final = "executor"
_DETAIL = re.compile(r"[:;,(]|\s[-+]?\d")  # where the measured part of a reason begins


def breakdowns(table: pa.Table, trades: Trades, currency: str | None) -> dict[str, list[dict[str, Any]]]:
    """Key figures per group, for every one of `BREAKDOWNS`; groups without trades are left out.

    Args:
        table: the trades, row for row as in `trades`.
        trades: the same, unpacked.
        currency: None where accounts differ in theirs; money is then None (except per account).
    """
    hours = trades.opened // _NS_PER_HOUR
    weekdays = (hours // 24 + _EPOCH_WEEKDAY) % 7
    groups: dict[str, tuple[Ints, list[Any]]] = {
        name: words(table, name) for name in ("pattern", "symbol", "side", "close_reason", "account")
    }
    groups["hour"] = (hours % 24, list(range(24)))
    groups["weekday"] = (weekdays, list(WEEKDAYS))
    return {
        name: _rows(trades, *groups[name], with_money=currency is not None or name == "account") for name in BREAKDOWNS
    }


def _rows(trades: Trades, codes: Ints, keys: list[Any], with_money: bool) -> list[dict[str, Any]]:
    def total(values: Any) -> Floats:
        return np.bincount(codes, weights=np.asarray(values, np.float64), minlength=len(keys)).astype(np.float64)

    profit, ended = trades.profit, ~trades.open_at_end
    has_r = ended & np.isfinite(trades.r)
    count, results, wins = total(np.ones(trades.size)), total(ended), total(ended & (profit > 0))
    with_r = total(has_r)
    won, lost = total(np.maximum(profit, 0.0)), total(np.maximum(-profit, 0.0))
    gross, net, r = total(trades.gross), total(profit), total(np.where(has_r, trades.r, 0.0))
    seconds = total((trades.closed - trades.opened) / NS_PER_SECOND)
    rows = []
    for i in np.flatnonzero(count).tolist():
        interval = wilson(int(wins[i]), int(results[i])) or (None, None)
        rows.append(
            {
                "key": keys[i],
                "trades": int(count[i]),
                "wins": int(wins[i]),
                "win_rate": ratio(wins[i], results[i]),
                "win_rate_low": interval[0],
                "win_rate_high": interval[1],
                "gross": money(gross[i]) if with_money else None,
                "net": money(net[i]) if with_money else None,
                "profit_factor": ratio(won[i], lost[i]) if with_money else None,
                "expectancy": money(net[i] / count[i]) if with_money else None,
                "expectancy_r": ratio(r[i], with_r[i]),
                "average_duration": finite(seconds[i] / count[i]),
            }
        )
    return rows


def refusals(tables: Tables, worth: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each gate refused, in brief: gate to `count` (refusals, one per account), `signals` (distinct), `outcome_r`
    (mean R that these signals reached at their own stop or target; None where unknown) and `example` (the first reason
    given).

    Args:
        tables: of the run.
        worth: as `bitten.analysis.attribution.attribution` makes it.
    """
    decisions = table(tables, "decisions")
    gate, gates = words(decisions, "gate")
    verdict, verdicts = words(decisions, "verdict")
    refused = verdict == (verdicts.index("refused") if "refused" in verdicts else -1)
    found = {}
    for name, facts in worth.items():
        mine = facts["refused"]
        if mine["accounts"]:
            first = int(np.argmax(refused & (gate == gates.index(name))))
            found[name] = {
                "count": mine["accounts"],
                "signals": mine["signals"],
                "outcome_r": mine["mean_r"],
                "example": decisions["reason"][first].as_py(),
            }
    return found


def unfilled(tables: Tables) -> dict[str, int]:
    """Orders that ended without a position, by reason; the measured part of the reason is cut off."""
    refused = _refused(table(tables, "decisions"))
    mine = _where(refused, "gate", _UNFILLED_GATE)
    reasons = (reason or "" for reason in mine["reason"].to_pylist())
    counted = Counter(_DETAIL.split(reason, maxsplit=1)[0].strip() or "no reason given" for reason in reasons)
    return dict(sorted(counted.items()))


def outcome_figures(tables: Tables) -> dict[str, Any]:
    """Of all signals: how many there were, how they ended, and the mean R of all and of those that were fired."""
    outcomes = table(tables, "outcomes")
    codes, names = words(outcomes, "result")
    counts = np.bincount(codes, minlength=len(names))
    r = floats(outcomes, "r")
    fired = flags(outcomes, "fired")
    known = np.isfinite(r) & np.array([name not in UNRESOLVED for name in names], np.bool_)[codes]
    return {
        "signals": int(table(tables, "signals").num_rows),
        "signals_fired": int(fired.sum()),
        "outcomes": {name: int(counts[i]) for i, name in enumerate(names)},
        "outcome_r": _mean(r[known]),
        "outcome_r_fired": _mean(r[known & fired]),
    }


def _mean(values: Floats) -> float | None:
    return finite(float(values.mean())) if values.size else None


def _refused(decisions: pa.Table) -> pa.Table:
    return _where(decisions, "verdict", "refused")


def _where(source: pa.Table, name: str, word: str) -> pa.Table:
    """The rows in which a column of words says one word."""
    codes, names = words(source, name)
    return source.take(from_numpy(np.flatnonzero(codes == names.index(word)))) if word in names else source.slice(0, 0)
