"""What CITADEL answers when it is asked: the score of a signal, the state of a symbol, its levels. Ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from bitten.clock import iso
from bitten.errors import did_you_mean
from bitten.gate import Insight
from bitten_plugins.shields import factors
from bitten_plugins.shields.liquidity import level_kind, pool_kind
from bitten_plugins.shields.sessions import NAMES, session

if TYPE_CHECKING:
    from bitten_plugins.shields.citadel import Citadel
    from bitten_plugins.shields.watch import Watch

Answer = Mapping[str, Any]


def answer(citadel: Citadel, query: Mapping[str, Any]) -> Answer:
    """Answer a query; what it does not understand is `{"error": ...}`.

    Args:
        citadel: who is asked.
        query: `{"type": "score", "signal_id": ...}`, `{"type": "state", "symbol": ...}`, or
            `{"type": "levels", "symbol": ...}`. States and levels are those after the last quote there was.
    """
    if not isinstance(query, Mapping):
        return {"error": f"a query is an object with a type, not {type(query).__name__}"}
    kind = query.get("type")
    if not isinstance(kind, str) or kind not in _ANSWERS:
        return {"error": f'unknown type "{kind}"{did_you_mean(str(kind), _ANSWERS)}'}
    return _ANSWERS[kind](citadel, query)


def _score(citadel: Citadel, query: Mapping[str, Any]) -> Answer:
    from bitten_plugins.shields.citadel import signal_row

    key = query.get("signal_id")
    if not isinstance(key, str) or key not in citadel.given:
        return {"error": f'no score of a signal "{key}" is remembered; those of the newest {len(citadel.given)} are'}
    signal, time, score = citadel.given[key]
    row = signal_row(signal)
    return {
        "type": "score",
        **row,
        "time": iso(time),
        "score": factors.displayed(score.score),
        "exact": score.score,
        "label": factors.label(score.score),
        "size": 0.0 if score.veto else score.scale,
        "veto": score.veto,
        "factors": [_reason(one) for one in citadel.insights(score.evidence, row)],
        "evidence": dict(score.evidence),
    }


def _reason(one: Insight) -> Answer:
    return {"factor": one.factor, "value": one.value, "weight": one.weight, "text": one.text}


def _state(citadel: Citadel, query: Mapping[str, Any]) -> Answer:
    watch, now = _find(citadel, query)
    if watch is None:
        return _unknown(citadel, query)
    code, usual = session(now, watch.pauses), watch.spreads.usual(now)
    base, quote = watch.instrument.base, watch.instrument.quote
    release = None if citadel.calendar is None else citadel.calendar.nearest(watch.instrument, now)
    return {
        "type": "state",
        "symbol": watch.instrument.symbol,
        "time": iso(now),
        "session": NAMES[code],
        "session_factor": factors.session_factor(code, base, quote),
        "spread": watch.freshness.spread,
        "spread_normal": usual.spread,
        "spread_observations": usual.observations,
        "charts": {name: _chart(watch, name, now) for name in watch.charts},
        "news": None
        if release is None
        else {"event": release.event.event, "minutes": release.minutes, "factor": release.factor},
        "news_checked": citadel.calendar is not None,
    }


def _chart(watch: Watch, timeframe: str, now: int) -> Answer:
    row = watch.charts[timeframe].at(now)
    ratio = row.quick / row.slow if row.slow > 0.0 else math.nan
    return {
        "bars": row.number,
        "atr_points": _number(row.atr),
        "volatility": _number(ratio),
        "last_range_atr": _number(row.last / row.atr if row.atr > 0.0 else math.nan),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _levels(citadel: Citadel, query: Mapping[str, Any]) -> Answer:
    watch, now = _find(citadel, query)
    if watch is None:
        return _unknown(citadel, query)
    price = watch.instrument.price
    levels = [
        {"kind": level_kind(window, high), "timeframe": None, "level": price(level), "born": iso(born)}
        for window, high, level, born, *_ in watch.levels.alive(now).tolist()
    ]
    for name, chart in watch.charts.items():
        levels += [
            {"kind": pool_kind(kind), "timeframe": name, "level": price(level), "born": iso(born)}
            for kind, level, _, _, born, *_ in chart.pools(now).tolist()
        ]
    return {"type": "levels", "symbol": watch.instrument.symbol, "time": iso(now), "levels": levels}


def _find(citadel: Citadel, query: Mapping[str, Any]) -> tuple[Watch | None, int]:
    symbol = query.get("symbol")
    watch = citadel.watches_of.get(symbol) if isinstance(symbol, str) else None
    last = None if watch is None else watch.freshness.last
    return (None, 0) if last is None else (watch, last)


def _unknown(citadel: Citadel, query: Mapping[str, Any]) -> Answer:
    symbol = query.get("symbol")
    return {"error": f'no quotes of "{symbol}" have been seen{did_you_mean(str(symbol), citadel.watches_of)}'}


_ANSWERS: Final[Mapping[str, Callable[[Citadel, Mapping[str, Any]], Answer]]] = {
    "score": _score, "state": _state, "levels": _levels,
}  # fmt: skip
