"""Why a score is what it is, in sentences: one per factor, from the numbers that were kept with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bitten_plugins.shields.factors import POOL_AHEAD, SWEPT_AGAINST, SWEPT_FOR
from bitten_plugins.shields.sessions import OVERLAP, ROLLOVER, WORDS

Numbers = Mapping[str, float]


def _price(level: float, digits: int | None) -> str:
    return f"{level:.10g}" if digits is None else f"{level:.{digits}f}"


def sweep(found: Numbers, signal: Mapping[str, Any], digits: int | None) -> str:
    """Of what liquidity says."""
    buys = signal.get("side") == "buy"
    kind = found.get("sweep")
    if kind is None:
        return "There are no bars yet to tell pools of stops from: not checked."
    level = _price(found.get("level", 0.0), digits)
    near, far = ("below", "highs") if buys else ("above", "lows")
    bars = _bars_ago(int(found.get("sweep_bars", 0)))
    if kind == SWEPT_FOR:
        return f"Stops {near} {level} were taken {bars} and price closed back: those orders are no longer in the way."
    if kind == SWEPT_AGAINST:
        return (
            f"Price swept the {far} at {level} {bars} and turned: a {'buy' if buys else 'sell'} here joins those who "
            "came late, whose exit feeds the other side."
        )
    if kind == POOL_AHEAD:
        return (
            f"An untouched {'low' if buys else 'high'} at {level} lies on the way to your stop; stops gather "
            "behind it, and price often visits it first."
        )
    return "No sweep of late, and no obvious pool of stops between here and your stop."


def _bars_ago(bars: int) -> str:
    return "with the last bar" if bars == 0 else "a bar ago" if bars == 1 else f"{bars} bars ago"


def spread(found: Numbers, signal: Mapping[str, Any], digits: int | None) -> str:
    """Of the spread."""
    ratio = found.get("spread_ratio")
    if ratio is None:
        return "The usual spread is not known: not checked."
    known = "for this hour" if found.get("spread_observations", 0.0) else "(assumed, too few have been seen)"
    parts = [f"The spread is {ratio:.1f} times its usual size {known}"]
    if "spread_atr" in found:
        parts.append(f"{100 * found['spread_atr']:.0f} % of an average bar's range")
    cost = f"; entering costs {found['spread_r']:.2f} R." if "spread_r" in found else "."
    return ", ".join(parts) + cost


def volatility(found: Numbers, signal: Mapping[str, Any], digits: int | None) -> str:
    """Of the ranges of late."""
    ratio = found.get("volatility")
    if ratio is None:
        return "Fewer than 50 bars have been seen, so ranges cannot be compared: not checked."
    if found["range_atr"] > 4.0:
        return f"The last bar ranged {found['range_atr']:.1f} ATR: the market is breaking, fills will slip."
    if ratio > 1.4:
        return f"Ranges are {ratio:.1f} times those of the last 50 bars: stops need more room, and fills slip."
    if ratio < 0.6:
        return (
            f"Ranges are {ratio:.1f} times those of the last 50 bars: the market sleeps, and noise finds a near stop."
        )
    return f"Ranges are {ratio:.1f} times those of the last 50 bars: as usual."


def session(found: Numbers, signal: Mapping[str, Any], digits: int | None) -> str:
    """Of the session."""
    code = int(found.get("session", 0))
    if code == ROLLOVER:
        return "Around 17:00 New York banks roll positions over; quotes thin out and spreads are at their widest."
    if code == OVERLAP:
        return "London and New York are both open: the market is at its deepest."
    return f"The market is deepest while London and New York are both open; now it is {WORDS[code]}."


def news(found: Numbers, signal: Mapping[str, Any], event: str | None) -> str:
    """Of scheduled releases; `event` is the one in question."""
    minutes = found.get("news_minutes")
    if "news_uncovered" in found:
        return "The news calendar does not reach this date: not checked."
    if "f_news" not in found:
        return "No news calendar is loaded: not checked."
    if minutes is None:
        return "The calendar holds no release of weight for this symbol."
    what = event or "A release of weight"
    when = f"is due in {minutes:.0f} min" if minutes >= 0 else f"came {-minutes:.0f} min ago"
    if found["f_news"] >= 1.0:
        return f"{what} {when}: far enough away." if abs(minutes) < 24 * 60 else "No release of weight within a day."
    return f"{what} {when}: spreads can widen within seconds, and stops may not fill at their price."


def drift(found: Numbers, signal: Mapping[str, Any], digits: int | None) -> str:
    """Of what price has done since the signal."""
    favourable, adverse = found.get("drift_favourable", 0.0), found.get("drift_adverse", 0.0)
    if "f_drift" not in found:
        return "The signal carries no levels to measure price by: not checked."
    if favourable > 0.0:
        return f"Price has done {100 * favourable:.0f} % of the planned move: the same risk now buys less of it."
    if adverse > 0.0:
        return f"Price has gone {100 * adverse:.0f} % of the way to the stop: the idea is that far from right."
    return "Price stands where the signal saw it."


def quotes(found: Numbers, signal: Mapping[str, Any], digits: int | None) -> str:
    """Of the quotes themselves."""
    if "quote_age" not in found:
        return "No quote has been seen: not checked."
    text = f"The last quote is {found['quote_age']:.0f} s old"
    if found["crossed_share"] > 0.0:
        text += f", {100 * found['crossed_share']:.1f} % of the last 500 had bid above ask"
    if found["steps_back"] > 0:
        text += f", {found['steps_back']:.0f} of them were earlier than the one before"
    doubtful = found.get("f_quotes", 1.0) < 1.0
    return f"{text}: the price on the screen may not be tradable." if doubtful else f"{text}."


SENTENCES: Final[Mapping[str, Callable[[Numbers, Mapping[str, Any], int | None], str]]] = {
    "sweep": sweep, "spread": spread, "volatility": volatility, "session": session, "drift": drift, "quotes": quotes,
}  # fmt: skip
"""By factor; news takes the name of the release instead of digits."""
