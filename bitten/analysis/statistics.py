"""`summary.json`: every figure of a run, from its tables.

Definitions, units and sources are documented in docs/run-folder.md, which a test holds against the keys made here.
Undefined is None, never a made-up 0; no NaN and no infinity leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bitten.analysis import measures
from bitten.analysis.accountgroups import account_groups, breach_figures, events
from bitten.analysis.attribution import attribution
from bitten.analysis.breakdown import breakdowns, outcome_figures, refusals, unfilled
from bitten.analysis.calibration import calibration_figures
from bitten.analysis.columns import Tables, Trades, by_close, table, unpack_trades
from bitten.analysis.curves import AccountFacts, Curve, account_curves, check_known, common_currency, total_curve
from bitten.analysis.fates import signal_fates
from bitten.analysis.performance import by_decile, by_pattern, by_session, by_symbol, performance_rows
from bitten.analysis.scores import score_figures
from bitten.ledger import Account
from bitten.model.dtypes import NS_PER_SECOND, Floats

MOST_APART = 100
"""Accounts that get figures of their own; of more, tiers and modes tell, and the tables hold them all."""

__all__ = ["AccountFacts", "account_facts", "headline", "summarise"]


def account_facts(accounts: Iterable[Account]) -> list[AccountFacts]:
    """What the statistics must know of configured accounts. At stake is the risk percent of the start balance times
    the tier's multiplier, whatever a shield or a gate makes of it later.
    """
    return [
        AccountFacts(
            account.id,
            account.currency,
            account.balance,
            account.balance * account.risk_percent / 100 * account.risk_multiplier,
            account.tier,
            account.mode,
        )
        for account in accounts
    ]


def summarise(
    tables: Tables,
    accounts: Sequence[AccountFacts],
    period: tuple[int, int] | None = None,
    chain: Sequence[str] = (),
) -> dict[str, Any]:
    """Compute the summary of a run.

    Args:
        tables: the tables of `bitten.journal.schema.TABLES` by name, and what gates and shields left beside them; a
            missing one counts as empty.
        accounts: every account of the run, with its start balance. Several accounts get their own figures under
            `accounts`, and totals in money only where they share a currency.
        period: (first, last) instant of the run's quotes, ns UTC; by default that of the equity and the trades.
        chain: configured names of gates and shields, in their order.

    Returns:
        `headline` and what became of signals, by gate, pattern, session, confidence and score, ready for JSON.

    Raises:
        DataError: a table names an account that `accounts` does not.
    """
    return {**_money_figures(tables, accounts, period, groups=True), **_signal_figures(tables, accounts, chain)}


def headline(tables: Tables, accounts: Sequence[AccountFacts], period: tuple[int, int] | None = None) -> dict[str, Any]:
    """The flat key figures of `summarise` alone: a sweep asks for no more."""
    return _money_figures(tables, accounts, period, groups=False)


def _money_figures(
    tables: Tables, accounts: Sequence[AccountFacts], period: tuple[int, int] | None, groups: bool
) -> dict[str, Any]:
    source = by_close(table(tables, "trades"))
    trades = unpack_trades(source)
    check_known(trades.accounts, accounts)
    curves = account_curves(table(tables, "equity"), accounts)
    currency = common_currency(accounts)
    span = period or _span(trades, list(curves.values()))
    total = total_curve(list(curves.values())) if currency is not None else None
    summary: dict[str, Any] = {"currency": currency, **key_figures(trades, total, span), **outcome_figures(tables)}
    if groups:
        summary["breakdowns"] = breakdowns(source, trades, currency)
        several = 1 < len(accounts) <= MOST_APART
        summary["accounts"] = _per_account(trades, accounts, curves, span) if several else {}
        if len(accounts) > MOST_APART:
            summary["breakdowns"]["account"] = []
    return summary


def _signal_figures(tables: Tables, accounts: Sequence[AccountFacts], chain: Sequence[str]) -> dict[str, Any]:
    fates = signal_fates(tables)
    pattern = by_pattern(fates)
    worth = attribution(tables, fates, accounts, chain)
    return {
        "refusals": refusals(tables, worth),
        "unfilled": unfilled(tables),
        "attribution": worth,
        "patterns": performance_rows(fates, pattern),
        "pattern_symbols": performance_rows(fates, pattern, by_symbol(fates)),
        "sessions": performance_rows(fates, by_session(fates)),
        "deciles": performance_rows(fates, by_decile(fates)),
        "calibration": calibration_figures(tables, fates),
        "scores": score_figures(tables, fates),
        "account_groups": account_groups(tables, accounts) if len(accounts) > 1 else [],
        "breaches": breach_figures(tables),
        "eliminations": events(tables, "eliminations"),
    }


def _per_account(
    trades: Trades, accounts: Sequence[AccountFacts], curves: dict[str, Curve], span: tuple[int, int]
) -> dict[str, dict[str, Any]]:
    order = np.argsort(trades.account, kind="stable")
    bounds = np.searchsorted(trades.account[order], np.arange(len(trades.accounts) + 1))
    rows = {name: order[bounds[i] : bounds[i + 1]] for i, name in enumerate(trades.accounts)}
    nothing = np.zeros(0, np.int64)
    return {
        account.id: {
            "currency": account.currency,
            **key_figures(trades.pick(rows.get(account.id, nothing)), curves[account.id], span),
        }
        for account in accounts
    }


def key_figures(trades: Trades, curve: Curve | None, span: tuple[int, int]) -> dict[str, Any]:
    """The flat part of the summary, for one account or all.

    Args:
        trades: in the order in which they closed.
        curve: the equity; None where accounts of different currencies are counted together, which leaves every
            figure in money None.
        span: (first, last) instant of the run, ns UTC.
    """
    return {
        "days": max(0, span[1] - span[0]) / measures.NS_PER_DAY,
        **_counts(trades),
        **_money(trades, curve is not None),
        **_multiples(trades.multiples()),
        **_times(trades, span),
        **_equity(curve, span),
    }


def _span(trades: Trades, curves: list[Curve]) -> tuple[int, int]:
    times = np.concatenate([trades.opened, trades.closed, *(curve.times for curve in curves)])
    return (int(times.min()), int(times.max())) if times.size else (0, 0)


def _counts(trades: Trades) -> dict[str, Any]:
    """What was won and lost; a position that the end of the data closed has no result."""
    profit = trades.profit[~trades.open_at_end]
    wins, losses = int((profit > 0).sum()), int((profit < 0).sum())
    interval = measures.wilson(wins, profit.size) or (None, None)
    return {
        "trades": trades.size,
        "open_at_end": trades.size - profit.size,
        "wins": wins,
        "losses": losses,
        "flat": profit.size - wins - losses,
        "win_rate": measures.ratio(wins, profit.size),
        "win_rate_low": interval[0],
        "win_rate_high": interval[1],
        "longest_losing_streak": measures.longest_streak(profit < 0),
    }


def _money(trades: Trades, summable: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {
        name: measures.money(float(column.sum())) if summable else None
        for name, column in (
            ("gross", trades.gross),
            ("commission", trades.commission),
            ("swap", trades.swap),
            ("net", trades.profit),
        )
    }
    some = summable and trades.size > 0
    best, worst = (int(trades.profit.argmax()), int(trades.profit.argmin())) if some else (0, 0)
    figures["profit_factor"] = measures.profit_factor(trades.profit) if summable else None
    figures["expectancy"] = measures.money(float(trades.profit.mean())) if some else None
    figures["best_trade"] = measures.money(trades.profit[best]) if some else None
    figures["best_trade_id"] = trades.fire_id[best].as_py() if some else None
    figures["worst_trade"] = measures.money(trades.profit[worst]) if some else None
    figures["worst_trade_id"] = trades.fire_id[worst].as_py() if some else None
    return figures


def _multiples(r: Floats) -> dict[str, Any]:
    return {
        "trades_with_r": r.size,
        "expectancy_r": measures.finite(float(r.mean())) if r.size else None,
        "sqn": measures.sqn(r),
    }


def _times(trades: Trades, span: tuple[int, int]) -> dict[str, Any]:
    covered = measures.covered_ns(np.maximum(trades.opened, span[0]), np.minimum(trades.closed, span[1]))
    seconds = (trades.closed - trades.opened) / NS_PER_SECOND
    return {
        "exposure": measures.ratio(covered, max(0, span[1] - span[0])),
        "average_duration": measures.finite(float(seconds.mean())) if trades.size else None,
    }


def _equity(curve: Curve | None, span: tuple[int, int]) -> dict[str, Any]:
    start = None if curve is None else curve.start
    figures: dict[str, Any] = dict.fromkeys(EQUITY_FIGURES)
    figures["initial_balance"] = start
    figures["trading_days"] = 0
    if curve is None or curve.times.size == 0:
        return figures
    _, returns = curve.daily_returns()
    growth = measures.cagr(curve.start, float(curve.equity[-1]), span[1] - span[0])
    fall = measures.drawdown(
        np.concatenate(([min(span[0], int(curve.times[0]))], curve.times)),
        np.concatenate(([curve.start], curve.equity)),
    )
    spread = measures.deviation(returns)
    figures |= {
        "final_balance": measures.money(curve.balance[-1]),
        "final_equity": measures.money(curve.equity[-1]),
        "return": measures.finite(curve.equity[-1] / curve.start - 1) if curve.start > 0 else None,
        "cagr": growth,
        "trading_days": returns.size,
        "volatility": None if spread is None else spread * measures.TRADING_DAYS**0.5,
        "sharpe": measures.sharpe(returns),
        "sortino": measures.sortino(returns),
    }
    if fall is not None:
        figures |= {
            "calmar": None if growth is None else measures.ratio(growth, fall.depth),
            "max_drawdown": fall.depth,
            "max_drawdown_money": measures.money(fall.money),
            "max_drawdown_days": fall.days,
            "max_drawdown_open": fall.open,
            "longest_drawdown_days": fall.longest_days,
        }
    return figures


EQUITY_FIGURES = (
    "initial_balance",
    "final_balance",
    "final_equity",
    "return",
    "cagr",
    "trading_days",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "max_drawdown_money",
    "max_drawdown_days",
    "max_drawdown_open",
    "longest_drawdown_days",
)
