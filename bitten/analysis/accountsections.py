"""The parts of the report that tell of many accounts, and of events one by one. Plain HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bitten.analysis.accountgroups import Results
from bitten.analysis.curves import AccountFacts
from bitten.analysis.figures import ABSENT, BY_KEY, minus, show
from bitten.analysis.sections import table, text
from bitten.analysis.signalpictures import return_histogram

_MOST_LISTED: Final = 50  # rows of events; the tables hold them all
_SPREAD: Final = 10  # accounts from which on their returns are drawn
_EXTREMES: Final = 5


def accounts(
    summary: Mapping[str, Any], facts: Sequence[AccountFacts], results: Results | None, breaches: Sequence[Any]
) -> str:
    """Accounts by tier and mode, how their returns are spread, the best and the worst, and rules that were broken.

    Args:
        summary: of the run.
        facts: every account.
        results: of the same accounts; None for a single one.
        breaches: rows of events, as `bitten.analysis.accountgroups.events` makes them.
    """
    parts = []
    if summary.get("account_groups"):
        parts.append(_account_groups(summary["account_groups"]))
    if results is not None and len(facts) >= _SPREAD:
        order = np.argsort(-results.growth, kind="stable").tolist()
        lists = (("Best", order[:_EXTREMES]), ("Worst", order[: -_EXTREMES - 1 : -1]))
        sides = "".join(f"<div><h3>{name}</h3>{_extremes(rows, facts, results)}</div>" for name, rows in lists)
        parts.append(
            f'<div class="halves"><figure><h3>Returns of {len(facts):,} accounts</h3>{return_histogram(results.growth)}'
            f"<figcaption>Profit over the start balance, positions open at the end included.</figcaption></figure>"
            f'<div class="stack">{sides}</div></div>'
        )
    broken = summary.get("breaches") or {}
    if broken or breaches:
        rows = [
            [text(rule), f"{one['count']:,}", f"{one['accounts']:,}", text(one["first"]), text(one["first_account"])]
            for rule, one in broken.items()
        ]
        head = table(["Rule", "Breaches", "Accounts", "First, UTC", "By"], rows, "wide events") if rows else ""
        every = events_table("Every breach", breaches)
        parts.append(f'<div class="stack"><div><h3>Rules that were broken</h3>{head}</div>{every}</div>')
    return f'<div class="stack">{"".join(parts)}</div>' if parts else ""


def _account_groups(groups: Sequence[Mapping[str, Any]]) -> str:
    heads = ["", "Accounts", "In profit", "Trades", "Net", "Median", "Mean", "Best", "Worst", "Broke a rule"]
    rows = []
    for group in groups:
        name = text(group["tier"] or "no tier") + f' <span class="quiet">{text(group["mode"])}</span>'
        money = minus(f"{group['net']:,.0f}") + f" {text(group['currency'])}"
        cells = [show(BY_KEY["return"], group[key]) for key in ("median_return", "mean_return")]
        ends = [
            f'<td title="{text(group[f"{end}_account"])}">{show(BY_KEY["return"], group[f"{end}_return"])}</td>'
            for end in ("best", "worst")
        ]
        counts = [f"{group[key]:,}" for key in ("accounts", "in_profit", "trades")]
        rows.append([name, *counts, money, *cells, *ends, f"{group['breached']:,}"])
    return f"<div><h3>By tier and mode</h3>{table(heads, rows, 'wide')}</div>"


def _extremes(rows: Sequence[int], facts: Sequence[AccountFacts], results: Results) -> str:
    body = [
        [
            text(facts[i].id),
            f"{int(results.trades[i]):,}",
            minus(f"{results.net[i]:,.2f}") + f" {text(facts[i].currency)}",
            show(BY_KEY["return"], float(results.growth[i])),
        ]
        for i in rows
    ]
    return table(["", "Trades", "Net", "Return"], body, "wide")


def events_table(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of a table of events under their own column names, the instant first; empty for none."""
    if not rows:
        return ""
    names = sorted(rows[0], key=lambda name: name != "time")
    body = [[text(_value(row[name])) for name in names] for row in rows[:_MOST_LISTED]]
    more = (
        f'<p class="quiet">The first {_MOST_LISTED}; the run folder holds all.</p>' if len(rows) > _MOST_LISTED else ""
    )
    heads = [text(name.replace("_", " ").capitalize()) for name in names]
    head = f"<h3>{title}</h3>" if title else ""
    return f"<div>{head}{table(heads, body, 'wide events')}{more}</div>"


def _value(value: Any) -> str:
    if value is None:
        return ABSENT
    return minus(f"{value:,.4g}") if isinstance(value, float) else str(value)
