"""Many accounts at once: what each made, by tier and mode, and which rules were broken when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from bitten.analysis.columns import Tables, floats, nanoseconds, table, words
from bitten.analysis.curves import AccountFacts
from bitten.analysis.measures import finite, money
from bitten.clock import iso
from bitten.model.dtypes import Floats, Ints

MOST_EVENTS: Final = 200  # rows that are told one by one


class Results(NamedTuple):
    """What every account made, in the order of the accounts; shape (n,)."""

    trades: Ints
    net: Floats  # in its own currency, positions open at the end included
    growth: Floats  # net over the start balance
    breaches: Ints


def account_results(tables: Tables, accounts: Sequence[AccountFacts]) -> Results:
    """Trades, net profit and breaches per account."""
    trades = table(tables, "trades")
    place = {account.id: i for i, account in enumerate(accounts)}
    size = len(accounts)
    row = _rows(trades, place)
    net = np.bincount(row, floats(trades, "profit"), size + 1)[:size].astype(np.float64)
    breaches = np.zeros(size, np.int64)
    if "breaches" in tables:
        breaches = np.bincount(_rows(tables["breaches"], place), minlength=size + 1)[:size]
    balance = np.array([account.balance for account in accounts], np.float64)
    return Results(np.bincount(row, minlength=size + 1)[:size], net, net / balance, breaches)


def _rows(source: pa.Table, place: Mapping[str, int]) -> Ints:
    """The account of each row; one past the last for an unknown one."""
    code, names = words(source, "account")
    return np.array([place.get(name, len(place)) for name in names], np.int64)[code]


def account_groups(tables: Tables, accounts: Sequence[AccountFacts]) -> list[dict[str, Any]]:
    """One dict per tier and mode, in the order of their first accounts; keys documented in docs/run-folder.md."""
    results = account_results(tables, accounts)
    members: dict[tuple[str, str, str], list[int]] = {}
    for i, account in enumerate(accounts):
        members.setdefault((account.tier, account.mode, account.currency), []).append(i)
    rows = []
    for (tier, mode, currency), mine in members.items():
        growth, net = results.growth[mine], results.net[mine]
        best, worst = mine[int(growth.argmax())], mine[int(growth.argmin())]
        rows.append(
            {
                "tier": tier,
                "mode": mode,
                "currency": currency,
                "accounts": len(mine),
                "traded": int((results.trades[mine] > 0).sum()),
                "trades": int(results.trades[mine].sum()),
                "net": money(float(net.sum())),
                "mean_return": finite(float(growth.mean())),
                "median_return": finite(float(np.median(growth))),
                "best_return": finite(float(results.growth[best])),
                "best_account": accounts[best].id,
                "worst_return": finite(float(results.growth[worst])),
                "worst_account": accounts[worst].id,
                "in_profit": int((net > 0).sum()),
                "breached": int((results.breaches[mine] > 0).sum()),
            }
        )
    return rows


def breach_figures(tables: Tables) -> dict[str, dict[str, Any]]:
    """By rule that was broken: `count`, `accounts` (distinct), and when and by whom `first`."""
    if "breaches" not in tables:
        return {}
    source = tables["breaches"]
    rule, rules = words(source, "rule")
    account, names = words(source, "account")
    time = nanoseconds(source, "time")
    found = {}
    for i, name in enumerate(rules):
        mine = np.flatnonzero(rule == i)
        first = int(mine[np.argmin(time[mine])])
        found[name] = {
            "count": int(mine.size),
            "accounts": int(np.unique(account[mine]).size),
            "first": iso(int(time[first]), 0),
            "first_account": names[account[first]],
        }
    return found


def events(tables: Tables, name: str) -> list[dict[str, Any]]:
    """The first rows of a table that tells of events, as dicts with times as text; empty where there is none."""
    if name not in tables:
        return []
    rows = tables[name].slice(0, MOST_EVENTS)
    columns = {field.name: _plain(rows, field) for field in rows.schema}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(rows: pa.Table, field: pa.Field) -> list[Any]:
    if pa.types.is_timestamp(field.type):
        nulls = rows[field.name].is_null().to_pylist()
        times = nanoseconds(rows, field.name).tolist()
        return [None if null else iso(time, 0) for time, null in zip(times, nulls, strict=True)]
    values = rows[field.name].to_pylist()
    return [finite(value) if isinstance(value, float) else value for value in values]
