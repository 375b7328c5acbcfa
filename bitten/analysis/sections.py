"""The parts of the report that are plain HTML: they read without scripts, and they print.

Every value from outside passes `text`, so that a name can never become markup.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bitten.analysis.figures import ABSENT, BY_KEY, FIGURES, counted, show
from bitten.analysis.months import MonthlyReturns
from bitten.analysis.pictures import diverging_bar
from bitten.analysis.terminal import alert_count, is_synthetic, no_trades, open_at_end, period_text, too_short

TILES: Final = (
    "net",
    "return",
    "max_drawdown",
    "sharpe",
    "sortino",
    "calmar",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy_r",
    "sqn",
    "exposure",
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECRET = re.compile(r"secret|token|passw|credential|api_?key|private|login", re.IGNORECASE)
_HOTTEST: Final = 0.10  # a month that moved equity by this much has the full colour
_MOST_ACCOUNTS: Final = 24  # each in a row of its own; of more, their groups are told
_GROUP_TITLES: Final = {
    "pattern": "Pattern",
    "symbol": "Symbol",
    "side": "Side",
    "close_reason": "Closed by",
    "hour": "Hour of entry, UTC",
    "weekday": "Weekday of entry, UTC",
    "account": "Account",
}


def text(value: Any) -> str:
    """A value as text that is safe between tags and in quoted attributes."""
    return html.escape(str(value), quote=True)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """A table from cells that are HTML already; a cell may begin with its own `<td`, a head with its own `<th`."""
    head = "".join(cell if cell.startswith("<th") else f'<th scope="col">{cell}</th>' for cell in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<div class="scroll"><table class="{css}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def items(lines: Iterable[Any], css: str) -> str:
    """A list of sentences, empty text for none."""
    entries = "".join(f"<li>{text(line)}</li>" for line in lines)
    return f'<ul class="{css}">{entries}</ul>' if entries else ""


def heading(manifest: Mapping[str, Any]) -> str:
    """Run, period, symbols, feed, the synthetic label and what the costs assume."""
    feed = manifest.get("feed") or {}
    facts = [period_text(manifest), ", ".join(map(str, manifest.get("symbols") or ()))]
    if manifest.get("quotes") is not None:
        facts.append(f"{manifest['quotes']:,} quotes")
    if feed.get("name"):
        facts.append(f"feed {feed['name']}")
    if manifest.get("created"):
        facts.append(f"run {str(manifest['created'])[:19].replace('T', ' ')}")
    label = '<span class="synthetic">SYNTHETIC DATA: made-up quotes, no market</span>' if is_synthetic(manifest) else ""
    if count := alert_count(manifest):
        label += f'<a class="synthetic" href="#alerts">{count}</a>'
    shown = "".join(f"<span>{text(fact)}</span>" for fact in facts if fact)
    return (
        f'<div class="title"><h1>{text(manifest.get("name", "run"))}</h1>{label}</div><p class="facts">{shown}</p>'
        f"{items(manifest.get('costs') or (), 'costs')}"
    )


def alerts(manifest: Mapping[str, Any]) -> str:
    """What a person should know before believing the figures; empty for none."""
    lines = manifest.get("alerts") or ()
    if not lines:
        return ""
    count = alert_count(manifest)
    return f'<div class="notice" id="alerts"><strong>{count} in this run</strong>{items(lines, "")}</div>'


def notices(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Why there are no trades, or how many of them have no result; empty for neither."""
    if not summary.get("trades"):
        notes = items(manifest.get("notes") or (), "")
        return f'<div class="notice" id="no-trades"><strong>{text(no_trades(summary))}</strong>{notes}</div>'
    notice = open_at_end(summary)
    return f'<p class="notice" id="open-at-end">{text(notice)}</p>' if notice else ""


def tiles(summary: Mapping[str, Any]) -> str:
    """The dozen figures that come first; none without trades, where all would be zero or undefined."""
    if not summary.get("trades"):
        return ""
    notes = _tile_notes(summary)
    parts = []
    for key in TILES:
        figure, value = BY_KEY[key], summary.get(key)
        tone = _tone(value) if figure.signed else ""
        note = f'<span class="note">{text(notes[key])}</span>' if notes.get(key) else ""
        number, _, unit = show(figure, value, summary.get("currency")).partition(" ")
        parts.append(
            f'<div class="tile" title="{text(figure.meaning)}"><dt>{figure.label}</dt>'
            f'<dd class="{tone}">{number} <span class="unit">{text(unit)}</span>{note}</dd></div>'
        )
    return f'<dl class="tiles">{"".join(parts)}</dl>'


def _tile_notes(summary: Mapping[str, Any]) -> dict[str, str]:
    def shown(key: str) -> str:
        return show(BY_KEY[key], summary.get(key))

    low, high = summary.get("win_rate_low"), summary.get("win_rate_high")
    unresolved = f", {shown('open_at_end')} open at the end" if summary.get("open_at_end") else ""
    growth = f"{shown('cagr')} a year" if summary.get("cagr") is not None else too_short("cagr", summary)
    still = ", still open" if summary.get("max_drawdown_open") else ""
    return {
        "net": f"gross {shown('gross')}, commission {shown('commission')}, swap {shown('swap')}",
        "return": growth,
        "max_drawdown": f"{shown('max_drawdown_money')} over {shown('max_drawdown_days')}{still}",
        "sharpe": counted(summary.get("trading_days") or 0, "daily return"),
        "calmar": too_short("calmar", summary) or "CAGR over max drawdown",
        "trades": f"{shown('wins')} won, {shown('losses')} lost, {shown('flat')} flat{unresolved}",
        "win_rate": f"95 % interval {low * 100:.1f} to {high * 100:.1f} %"
        if low is not None and high is not None
        else "",
        "profit_factor": "won over lost money",
        "expectancy_r": f"{shown('expectancy')} per trade",
        "sqn": "√min(N, 100) · mean R / deviation",
        "sortino": "downside deviation only",
        "exposure": f"mean hold {shown('average_duration')}",
    }


def all_figures(summary: Mapping[str, Any]) -> str:
    """Every key figure with what it means, behind a line that opens it; empty without trades."""
    if not summary.get("trades"):
        return ""
    rows = []
    for figure in FIGURES:
        shown = show(figure, summary.get(figure.key), summary.get("currency"))
        if reason := too_short(figure.key, summary):
            shown += f" ({reason})"
        rows.append(f'<div><dt>{figure.label}</dt><dd>{text(shown)}</dd><dd class="why">{figure.meaning}</dd></div>')
    body = f'<dl class="meanings">{"".join(rows)}</dl>'
    return f'<details class="all"><summary>All key figures</summary>{body}</details>'


def months(returns: Mapping[str, MonthlyReturns]) -> str:
    """Tables of monthly returns, one per curve."""
    if not any(returns.values()):
        return f'<p class="quiet">{"No equity was recorded." if returns else "No trades."}</p>'
    parts = []
    for name, years in returns.items():
        title = f"<h3>{text(name)}</h3>" if len(returns) > 1 else ""
        rows = [
            [str(year), *(_heat(by_month.get(month)) for month in range(1, 13)), _heat(by_month.get(0), plain=True)]
            for year, by_month in years.items()
        ]
        parts.append(title + table(["", *_MONTHS, "Year"], rows, "months wide"))
    return "".join(parts)


def _heat(value: float | None, plain: bool = False) -> str:
    if value is None:
        return "<td></td>"
    shown = show(BY_KEY["return"], value).removesuffix(" %")
    if plain or abs(value) < 0.00005:
        return f"<td>{shown}</td>"
    heat = 0.08 + 0.5 * min(1.0, abs(value) / _HOTTEST)
    return f'<td class="heat-{_tone(value)}" style="--heat:{heat:.2f}">{shown}</td>'


def groups(summary: Mapping[str, Any]) -> str:
    """The breakdowns: patterns over the whole width, the others side by side."""
    found = summary.get("breakdowns") or {}
    if not any(found.values()):
        return '<p class="quiet">No trades.</p>'
    currency = summary.get("currency")
    several = 1 < len(found.get("account", ())) <= _MOST_ACCOUNTS
    accounts = _group("account", found.get("account", ()), currency) if several else ""
    left = "".join(
        _group(name, found.get(name, ()), currency) for name in ("symbol", "side", "close_reason", "weekday")
    )
    right = _group("hour", found.get("hour", ()), currency)
    top = _group("pattern", found.get("pattern", ()), currency) + accounts
    return f'<div class="stack">{top}<div class="halves"><div class="stack">{left}</div><div>{right}</div></div></div>'


def _group(name: str, rows: Sequence[Mapping[str, Any]], currency: str | None) -> str:
    wide = name in ("pattern", "account")
    nets = [row["net"] for row in rows if row["net"] is not None]
    extremes = (min(nets, default=0.0), max(nets, default=0.0))
    heads = ["", "Trades", "Win rate", "95 %", *(("Profit factor", "Held") if wide else ()), "Mean R"]
    heads += [f"Net {text(currency)}" if currency else "Net", ""]
    body = []
    for row in rows:
        known = row["win_rate"] is not None
        interval = f"{row['win_rate_low'] * 100:.0f}–{row['win_rate_high'] * 100:.0f}" if known else ABSENT
        cells = [text(f"{row['key']:02d}:00" if name == "hour" else row["key"]), f"{row['trades']:,}"]
        cells += [f"{row['win_rate'] * 100:.1f} %" if known else ABSENT, f'<td class="quiet">{interval}</td>']
        if wide:
            cells += [show(BY_KEY["profit_factor"], row["profit_factor"])]
            cells += [show(BY_KEY["average_duration"], row["average_duration"])]
        cells += [show(BY_KEY["expectancy_r"], row["expectancy_r"]).removesuffix(" R")]
        cells += [f'<td class="{_tone(row["net"])}">{show(BY_KEY["net"], row["net"])}</td>']
        cells += [f'<td class="span">{diverging_bar(row["net"], extremes)}</td>']
        body.append(cells)
    return f"<div><h3>{_GROUP_TITLES[name]}</h3>{table(heads, body, 'wide')}</div>"


def assumptions(manifest: Mapping[str, Any]) -> str:
    """Costs, notes, accounts, versions and the configuration, with whatever looks like a secret blotted out."""
    feed = manifest.get("feed") or {}
    accounts = [
        [text(row.get("id", "")), show(BY_KEY["initial_balance"], row.get("balance"), text(row.get("currency", "")))]
        for row in (manifest.get("accounts") or ())[:_MOST_ACCOUNTS]
    ]
    if (more := len(manifest.get("accounts") or ()) - len(accounts)) > 0:
        accounts.append([f"and {more:,} more", ""])
    versions = [[text(name), text(value)] for name, value in (manifest.get("versions") or {}).items()]
    timings = [_timing(str(name), value) for name, value in (manifest.get("timings") or {}).items()]
    tables = (("Account", "Start balance", accounts), ("Software", "Version", versions), ("Timing", "", timings))
    side_by_side = "".join(f"<div>{table([head, value], rows, 'wide')}</div>" for head, value, rows in tables if rows)
    config = json.dumps(blot(manifest.get("config") or {}), indent=2, ensure_ascii=False, default=str)
    lines = [*(manifest.get("costs") or ()), *(feed.get("notes") or ()), *(manifest.get("notes") or ())]
    return (
        items(dict.fromkeys(map(str, lines)), "plain")
        + f'<div class="thirds">{side_by_side}</div>'
        + f'<details class="all"><summary>Configuration</summary><pre>{text(config)}</pre></details>'
    )


def _timing(name: str, value: Any) -> list[str]:
    """A key such as `replay_seconds` in words, its unit behind the number."""
    words = name.replace("_", " ").capitalize()
    number = _plain_number(value)
    if words.endswith(" seconds"):
        words, number = words.removesuffix(" seconds"), f"{number} s"
    return [text(words), text(number)]


def _plain_number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def blot(value: Any, key: str = "") -> Any:
    """The same configuration with the values of keys that look like secrets replaced."""
    if _SECRET.search(key) and not isinstance(value, bool | None):
        return "(not shown)"
    if isinstance(value, Mapping):
        return {str(name): blot(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [blot(inner, key) for inner in value]
    return value


def _tone(value: float | None) -> str:
    return "" if not value else "gain" if value > 0 else "loss"
