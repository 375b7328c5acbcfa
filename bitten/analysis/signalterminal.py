"""What became of signals, on the terminal: gates by what they refused, patterns by what they won."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bitten.analysis.analytics import ENOUGH, win_rate_label
from bitten.analysis.figures import ABSENT, counted, minus, show_duration

SESSION_NAMES: Final = {
    "london": "London",
    "new_york": "New York",
    "overlap": "London and New York",
    "tokyo": "Tokyo",
    "other": "none of them",
}
_FEW: Final = f"Fewer than {ENOUGH} resolved signals (*) tell next to nothing."


def number(value: float | None, digits: int = 2, signed: bool = True) -> str:
    """`+0.12`, `−1.00`, a dash for None."""
    if value is None:
        return ABSENT
    return ("+" if signed and round(value, digits) > 0 else "") + minus(f"{value:,.{digits}f}")


def interval(row: Mapping[str, Any], key: str, digits: int = 2, factor: float = 1.0) -> str:
    """`−18.9 … −5.1` of a figure that has `_low` and `_high` beside it; empty where it has none."""
    low, high = row.get(f"{key}_low"), row.get(f"{key}_high")
    if low is None or high is None:
        return ""
    return f"{number(low * factor, digits, signed=False)} … {number(high * factor, digits, signed=False)}"


def with_interval(row: Mapping[str, Any], key: str, digits: int = 2) -> str:
    """`−12.3 (−18.9 … −5.1)`."""
    bounds = interval(row, key, digits)
    return number(row.get(key), digits) + (f" ({bounds})" if bounds else "")


def win_rate(row: Mapping[str, Any]) -> str:
    """`35 % (29 … 41)`; a star where there are too few."""
    if row["win_rate"] is None:
        return ABSENT
    few = "*" if row["resolved"] < ENOUGH else ""
    return f"{row['win_rate'] * 100:.0f} %{few} ({interval(row, 'win_rate', 0, 100.0)})"


def gate_table(summary: Mapping[str, Any]) -> Table | None:
    """What each gate refused and what it let pass, and orders that never filled; None where there is neither."""
    worth, unfilled = summary.get("attribution") or {}, summary.get("unfilled") or {}
    refusing = {gate: facts for gate, facts in worth.items() if facts["refused"]["signals"]}
    if not refusing and not unfilled:
        return None
    table = _table("refused by", "signals", "worth R (95 %)", "mean R", "mean R let pass")
    for gate, facts in refusing.items():
        refused, passed = facts["refused"], facts["passed"]
        cells = (with_interval(refused, "r", 1), number(refused["mean_r"]), number(passed["mean_r"]))
        table.add_row(escape(gate), f"{refused['signals']:,}", *cells)
    for reason, count in unfilled.items():
        table.add_row(escape(f"unfilled: {reason}"), f"{count:,}", "", "", "")
    return table


def pattern_table(rows: Sequence[Mapping[str, Any]], *keys: str) -> Table:
    """Signals by groups, with intervals.

    Args:
        rows: as `bitten.analysis.performance.performance_rows` makes them.
        keys: the groups' names.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for key in keys:
        table.add_column({"decile": "confidence"}.get(key, key), justify="left")
    for heading in ("signals", "won", "lost", "win rate (95 %)", "mean R (95 %)", "mean held"):
        table.add_column(heading, justify="right")
    for row in rows:
        names = (escape(key_text(key, row[key])) for key in keys)
        counts = (f"{row[name]:,}" for name in ("signals", "wins", "losses"))
        held = show_duration(row["average_duration"])
        table.add_row(*names, *counts, win_rate(row), with_interval(row, "mean_r"), held)
    return table


def account_table(groups: Sequence[Mapping[str, Any]]) -> Table:
    """Accounts by tier and mode."""
    table = _table("accounts", "number", "in profit", "trades", "net", "median", "best", "worst", "broke a rule")
    for group in groups:
        returns = (f"{number(100 * group[f'{which}_return'])} %" for which in ("median", "best", "worst"))
        table.add_row(
            escape(f"{group['tier']} {group['mode']}".strip()),
            *(f"{group[key]:,}" for key in ("accounts", "in_profit", "trades")),
            f"{number(group['net'], 0)} {group['currency']}",
            *returns,
            f"{group['breached']:,}",
        )
    return table


def key_text(key: str, value: Any) -> str:
    """A group's key as people read it: a session by its name, a tenth of confidence by its bounds."""
    if key == "session":
        return SESSION_NAMES.get(value, str(value))
    if key == "decile":
        return f"{value * 10} to {value * 10 + 10}"
    return str(value)


def print_patterns(console: Console, summary: Mapping[str, Any]) -> None:
    """Print how patterns did over all their signals: alone, by symbol, by session and by confidence."""
    patterns = summary.get("patterns") or ()
    if not patterns:
        console.print("No signals.")
        return
    for rows, keys in (
        (patterns, ("pattern",)),
        (summary.get("pattern_symbols") or (), ("pattern", "symbol")),
        (summary.get("sessions") or (), ("session",)),
        (summary.get("deciles") or (), ("decile",)),
    ):
        console.print(pattern_table(rows, *keys))
        console.print()
    labels = ((row["pattern"], win_rate_label(row["wins"], row["resolved"])) for row in patterns)
    told = [f"{name}: {label}" for name, label in labels if label]
    _lines(console, [_FEW, "All signals, fired or not; what the data cut off or what never filled is in none of the "
                     "rates.", *told])  # fmt: skip
    if line := calibration_line(summary):
        console.print(Text(line))


def print_gates(console: Console, summary: Mapping[str, Any]) -> None:
    """Print what each gate and shield refused and let pass, in R and in money, and the same by pattern and symbol."""
    worth = summary.get("attribution") or {}
    if not worth:
        console.print("No gate was asked.")
        return
    currency = summary.get("currency") or ""
    console.print(_worth_table([(gate, facts) for gate, facts in worth.items()], "gate", currency))
    for group in ("pattern", "symbol"):
        rows = [
            (f"{gate}  {row['key']}", row)
            for gate, facts in worth.items()
            for row in facts[f"by_{group}"]
            if row["refused"]["signals"]
        ]
        if rows:
            console.print()
            console.print(_worth_table(rows, f"gate and {group}", currency))
    _lines(
        console,
        [
            "Difference: mean R of what passed less that of what was refused. A gate has earned its place where all of "
            "its interval lies above zero.",
            "Money: R times each account's risk percent of its start balance, times its tier's multiplier.",
            "Intervals: Student's t, 95 %, signals taken as independent. Unresolved outcomes are in none of them.",
        ],
    )


def _worth_table(rows: Iterable[tuple[str, Mapping[str, Any]]], head: str, currency: str) -> Table:
    table = _table(
        head, "refused", "worth R (95 %)", f"worth {currency}".strip(), "mean R (95 %)", "let pass",
        "mean R (95 %)", "difference (95 %)",
    )  # fmt: skip
    for name, facts in rows:
        refused, passed = facts["refused"], facts["passed"]
        table.add_row(
            escape(name),
            f"{refused['signals']:,}",
            with_interval(refused, "r", 1),
            number(refused["money"], 0),
            with_interval(refused, "mean_r"),
            f"{passed['signals']:,}",
            with_interval(passed, "mean_r"),
            with_interval(facts, "difference"),
        )
    return table


def calibration_line(summary: Mapping[str, Any]) -> str:
    """How far confidence may be read as a probability, in a sentence; empty where there is nothing to judge."""
    figures = summary.get("calibration") or {}
    if not figures.get("signals"):
        return ""
    what = "Calibrated probabilities" if figures["calibrated"] else "Confidence (not calibrated: it is no probability)"
    skill = figures["skill"]
    better = "better" if (skill or 0.0) >= 0 else "worse"
    against = "" if skill is None else f", {abs(100 * skill):.1f} % {better} than the base rate alone"
    return (
        f"{what}: said {figures['mean_forecast'] * 100:.0f} %, came {figures['base_rate'] * 100:.0f} % of "
        f"{counted(figures['signals'], 'signal')}; Brier score {figures['brier']:.3f}{against}."
    )


def _table(first: str, *rest: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(escape(first))
    for heading in rest:
        table.add_column(heading, justify="right")
    return table


def _lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(Text(line, style="dim"), soft_wrap=True)
