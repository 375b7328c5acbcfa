"""A run's summary on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bitten.analysis.figures import BY_KEY, counted, show
from bitten.analysis.measures import NS_PER_DAY, SHORTEST_ANNUALISED_NS
from bitten.analysis.signalterminal import account_table, gate_table, pattern_table

_LEFT: Final = (
    "net",
    "return",
    "cagr",
    "max_drawdown",
    "max_drawdown_money",
    "max_drawdown_days",
    "sharpe",
    "sortino",
    "calmar",
    "exposure",
    "average_duration",
)
_RIGHT: Final = (
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy_r",
    "expectancy",
    "sqn",
    "longest_losing_streak",
    "gross",
    "commission",
    "swap",
    "signals",
)
_MOST_ALERTS: Final = 10  # more would push the figures off the screen
_MOST_ACCOUNTS: Final = 24  # in a row each; of more, their tiers and modes are told
_GROUP_COLUMNS: Final = ("trades", "win_rate", "profit_factor", "expectancy_r", "net")


def print_summary(console: Console, summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """Print alerts, key figures, groups, what became of signals, and the assumptions behind the costs.

    A run without trades prints why, in place of figures and groups.

    Args:
        console: where to.
        summary: as `bitten.analysis.statistics.summarise` makes it.
        manifest: the run's manifest; missing keys are left out.
    """
    console.print(_title(manifest))
    _print_alerts(console, manifest.get("alerts") or ())
    notes = manifest.get("notes") or ()
    if summary.get("trades"):
        _print_figures(console, summary)
    else:
        console.print(Text(no_trades(summary), style="bold yellow"))
        _print_lines(console, "Notes", notes, "yellow")
    _print_signals(console, summary)
    _print_lines(console, "Costs", manifest.get("costs") or ())
    if summary.get("trades"):
        _print_lines(console, "Notes", notes)


def alert_count(manifest: Mapping[str, Any]) -> str:
    """`2 alerts`, empty for none."""
    lines = manifest.get("alerts") or ()
    return counted(len(lines), "alert") if lines else ""


def no_trades(summary: Mapping[str, Any]) -> str:
    """The first thing to say of a run that traded nothing."""
    signals, fired = summary.get("signals") or 0, summary.get("signals_fired") or 0
    if not signals:
        return "No trades: the patterns gave no signal."
    return f"No trades: {counted(signals, 'signal')}, {fired:,} of them fired."


def open_at_end(summary: Mapping[str, Any]) -> str:
    """What a reader must know of positions that had no exit, empty for none."""
    count = summary.get("open_at_end") or 0
    if not count:
        return ""
    was = "position was open at the end and is" if count == 1 else "positions were open at the end and are"
    return f"{count:,} {was} valued at the last quotes: in the money figures, not in win rate, R and streaks."


def too_short(key: str, summary: Mapping[str, Any]) -> str:
    """Why an annual figure is absent, empty where it is there or the reason is another."""
    days = summary.get("days")
    short = days is not None and days * NS_PER_DAY < SHORTEST_ANNUALISED_NS
    return "too short to annualise" if key in ("cagr", "calmar") and summary.get(key) is None and short else ""


def _print_alerts(console: Console, lines: Sequence[Any]) -> None:
    if not lines:
        return
    console.print(Text(counted(len(lines), "alert"), style="bold red"))
    for line in lines[:_MOST_ALERTS]:
        console.print(Text(f"  {line}", style="red"))
    if len(lines) > _MOST_ALERTS:
        console.print(Text(f"  and {len(lines) - _MOST_ALERTS:,} more in manifest.json", style="red"))


def _print_figures(console: Console, summary: Mapping[str, Any]) -> None:
    console.print(_key_figures(summary))
    if notice := open_at_end(summary):
        console.print(Text(notice, style="yellow"))
    breakdowns = summary.get("breakdowns", {})
    for name in ("pattern", "symbol", "account"):
        rows = breakdowns.get(name, [])
        if (len(rows) > 1 or (rows and name == "pattern")) and not (name == "account" and len(rows) > _MOST_ACCOUNTS):
            console.print(_groups(name, rows))
    groups = summary.get("account_groups") or ()
    if sum(group["accounts"] for group in groups) > _MOST_ACCOUNTS:
        console.print(account_table(groups))


def _print_signals(console: Console, summary: Mapping[str, Any]) -> None:
    """What gates refused, what patterns' signals came to, fired or not, and which rules were broken."""
    if refused := gate_table(summary):
        console.print(refused)
    if summary.get("patterns"):
        console.print(pattern_table(summary["patterns"], "pattern"))
    for rule, facts in (summary.get("breaches") or {}).items():
        who = counted(facts["accounts"], "account")
        first = f"first by {facts['first_account']} at {facts['first']} UTC"
        console.print(Text(f"rule {rule} broken by {who}, {first}", style="bold red"))


def is_synthetic(manifest: Mapping[str, Any]) -> bool:
    """Whether the run's quotes were made up; that must stand wherever its results are shown."""
    return bool((manifest.get("feed") or {}).get("synthetic"))


def period_text(manifest: Mapping[str, Any]) -> str:
    """`2014-05-01 to 2014-05-31`, empty where the manifest does not say."""
    period = manifest.get("period") or {}
    days = [str(period[key])[:10] for key in ("first", "last") if period.get(key)]
    return " to ".join(days)


def _title(manifest: Mapping[str, Any]) -> Text:
    parts = [period_text(manifest), ", ".join(map(str, manifest.get("symbols") or ()))]
    if manifest.get("quotes") is not None:
        parts.append(f"{manifest['quotes']:,} quotes")
    text = Text(str(manifest.get("name", "run")), style="bold")
    if is_synthetic(manifest):
        text.append("  SYNTHETIC DATA", style="bold yellow")
    text.append("".join(f"  {part}" for part in parts if part), style="dim")
    return text


def _key_figures(summary: Mapping[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for _ in range(2):
        grid.add_column()
        grid.add_column(justify="right")
    for left, right in zip(_LEFT, _RIGHT, strict=True):
        grid.add_row(*_cell(left, summary), *_cell(right, summary))
    return grid


def _cell(key: str, summary: Mapping[str, Any]) -> tuple[str, str]:
    figure = BY_KEY[key]
    text = show(figure, summary.get(key), summary.get("currency"))
    low, high = summary.get("win_rate_low"), summary.get("win_rate_high")
    if key == "win_rate" and low is not None and high is not None:
        text += f" ({low * 100:.0f}–{high * 100:.0f})"
    if reason := too_short(key, summary):
        text += f" ({reason})"
    return figure.label, text


def _groups(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(name)
    for key in _GROUP_COLUMNS:
        table.add_column(BY_KEY[key].label.lower(), justify="right")
    for row in rows:
        cells = (show(BY_KEY[key], row[key]) for key in _GROUP_COLUMNS)
        table.add_row(escape(str(row["key"])), *cells)
    return table


def _print_lines(console: Console, heading: str, lines: Sequence[Any], style: str = "") -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=6)
    grid.add_column(overflow="fold")
    for i, line in enumerate(lines):
        grid.add_row(heading if i == 0 else "", Text(str(line), style=style))
    if lines:
        console.print(grid)
