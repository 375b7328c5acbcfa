"""The key figures as people read them: order, label, unit and a line that says what each means.

The terminal, the report and `bitten runs diff` show the same list in the same words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

ABSENT: Final = "–"
MINUS: Final = "−"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Figure:
    """One key of the summary and how it is shown."""

    key: str
    label: str
    kind: str  # count, percent, money, number, r, seconds, days, flag or word
    meaning: str
    signed: bool = False  # a plus sign in front of gains


FIGURES: Final = (
    Figure("net", "Net profit", "money", "Gross plus commission plus swap of all closed trades.", signed=True),
    Figure("return", "Return", "percent", "Final equity over the start balance, less one.", signed=True),
    Figure("max_drawdown", "Max drawdown", "percent", "Deepest fall from a peak of equity, start included."),
    Figure("trades", "Trades", "count", "Closed positions."),
    Figure("win_rate", "Win rate", "percent", "Share of trades with a profit above zero, of those with a result."),
    Figure("profit_factor", "Profit factor", "number", "Money won over money lost; undefined without a loss."),
    Figure("expectancy_r", "Expectancy", "r", "Mean R: price move over first risk, before commission.", signed=True),
    Figure("expectancy", "Per trade", "money", "Mean profit of a trade after all charged costs.", signed=True),
    Figure("sharpe", "Sharpe", "number", "Daily returns, 252 days, risk-free rate 0.", signed=True),
    Figure("sortino", "Sortino", "number", "Like Sharpe, over downside deviation only.", signed=True),
    Figure("calmar", "Calmar", "number", "CAGR (calendar years) over maximum drawdown.", signed=True),
    Figure(
        "cagr",
        "CAGR",
        "percent",
        "Growth per calendar year; blank below 30 days, below a year it extrapolates.",
        signed=True,
    ),
    Figure("volatility", "Volatility", "percent", "Standard deviation of daily returns, annualised."),
    Figure("sqn", "SQN", "number", "Mean R over its deviation, times √min(N, 100).", signed=True),
    Figure("max_drawdown_money", "Drawdown in money", "money", "The same fall, in money."),
    Figure("max_drawdown_days", "Drawdown length", "days", "Peak to recovery of the deepest fall."),
    Figure("max_drawdown_open", "Drawdown open", "flag", "Whether that fall had not recovered at the end."),
    Figure("longest_drawdown_days", "Longest under water", "days", "Longest time below a peak."),
    Figure("gross", "Gross", "money", "Before commission and swap; spread and slippage are inside.", signed=True),
    Figure("commission", "Commission", "money", "Charged per lot and side."),
    Figure("swap", "Swap", "money", "Rollover interest charged."),
    Figure("exposure", "Exposure", "percent", "Share of the period with a position open."),
    Figure("average_duration", "Average duration", "seconds", "Mean time from fill to close."),
    Figure("trades_with_r", "Trades with R", "count", "Trades that had a stop, so that R is defined."),
    Figure("longest_losing_streak", "Losing streak", "count", "Most losses in a row."),
    Figure("best_trade", "Best trade", "money", "Largest profit of one trade.", signed=True),
    Figure("worst_trade", "Worst trade", "money", "Largest loss of one trade.", signed=True),
    Figure("wins", "Wins", "count", "Profit above zero."),
    Figure("losses", "Losses", "count", "Profit below zero."),
    Figure("flat", "Flat", "count", "Profit exactly zero."),
    Figure("open_at_end", "Open at the end", "count", "Valued at the last quotes: in money, not in win rate or R."),
    Figure("signals", "Signals", "count", "What the patterns proposed."),
    Figure("signals_fired", "Signals fired", "count", "Signals of which at least one order came."),
    Figure(
        "outcome_r", "All signals", "r", "Mean R of every signal at its own stop or target, fired or not.", signed=True
    ),
    Figure("outcome_r_fired", "Fired signals", "r", "The same, of those signals of which an order came.", signed=True),
    Figure("initial_balance", "Start balance", "money", "Before the first trade."),
    Figure("final_balance", "Final balance", "money", "After the last trade."),
    Figure("final_equity", "Final equity", "money", "Balance and open positions at the end."),
    Figure("days", "Days", "days", "First to last quote, calendar days."),
    Figure("trading_days", "Trading days", "count", "Days with equity on record; a day ends 17:00 New York."),
)

BY_KEY: Final = {figure.key: figure for figure in FIGURES}


def show(figure: Figure, value: Any, currency: str | None = None) -> str:
    """A figure's value as text; None becomes a dash.

    Args:
        figure: whose value it is.
        value: as in the summary.
        currency: written behind money.
    """
    if value is None:
        return ABSENT
    plus = "+" if figure.signed and not isinstance(value, bool) and value > 0 else ""
    if figure.kind == "flag":
        return "yes" if value else "no"
    if figure.kind == "count":
        return f"{value:,}"
    if figure.kind == "percent":
        return plus + minus(f"{value * 100:,.2f}") + " %"
    if figure.kind == "money":
        return plus + minus(f"{value:,.2f}") + (f" {currency}" if currency else "")
    if figure.kind == "r":
        return plus + minus(f"{value:.3f}") + " R"
    if figure.kind == "seconds":
        return show_duration(value)
    if figure.kind == "days":
        return f"{value:,.1f} days"
    return plus + minus(f"{value:,.2f}")


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`1 alert`, `2 alerts`, `1,200 alerts`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def minus(text: str) -> str:
    """A number with a true minus sign, and none before a zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.,") else MINUS + text[1:]
    return text


def show_duration(seconds: float | None) -> str:
    """`45 s`, `12 min`, `3 h 05 min`, `2 d 4 h`."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole / _MINUTE:.0f} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
