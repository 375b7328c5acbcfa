"""`report.html` of a sweep: one page that holds everything it shows, in the style of a run's report.

What needs no script (assumptions, best and worst) is plain HTML; the map and the sortable list are drawn by
`bitten/analysis/assets/`. The page's own security policy forbids it every request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from string import Template
from typing import Any, Final

import pyarrow as pa

from bitten.analysis import sections
from bitten.analysis.figures import BY_KEY, Figure, counted, show
from bitten.analysis.report import asset, bundle, policy, script_json
from bitten.sweeping.axes import show_value
from bitten.sweeping.table import COLUMNS, figure_label, less_is_better, ranked, rows_of

_SCRIPTS: Final = ("paint.js", "list.js", "sweepfacts.js", "heatpaint.js", "heat.js", "sweepmain.js")
_FIGURES: Final = (
    "net", "return", "max_drawdown", "trades", "win_rate", "profit_factor", "expectancy_r", "expectancy", "sharpe",
    "sortino", "calmar", "sqn", "signals", "exposure", "average_duration", "longest_losing_streak",
)  # fmt: skip
_TABLED: Final = ("net", "trades", "win_rate", "profit_factor", "expectancy_r", "max_drawdown", "sharpe")
_WITHOUT_TRADES: Final = ("trades", "signals", "alerts")  # mean something without any trade
_ROWS: Final = 10  # of the best and of the worst
_MOST_VALUES: Final = 12  # of an axis, in the summary


def render_sweep(table: pa.Table, manifest: Mapping[str, Any]) -> str:
    """Render a sweep as one HTML page that works without server and network. Equal input gives equal text.

    Args:
        table: one row per combination, as `bitten.sweeping.table.make_table` makes it.
        manifest: of the sweep; keys documented in docs/run-folder.md. Its `sort` is the figure that is shown first.
    """
    sort = str(manifest["sort"])
    selection = sections.items(manifest.get("selection") or (), "")
    slots = {
        "title": sections.text(f"{manifest.get('name', 'sweep')}: bitten"),
        "heading": sections.heading(manifest),
        "alerts": sections.alerts(manifest),
        "selection": f'<div class="notice" id="selection">{selection}</div>' if selection else "",
        "axes": _axes(manifest),
        "sorted_by": f"By {sections.text(figure_label(sort).lower())}, of {manifest['combinations']:,} combinations.",
        "best": _best(table, manifest, sort),
        "assumptions": sections.assumptions(manifest),
        "facts": script_json(_facts(table, manifest, sort)),
    }
    return Template(asset("sweep.html")).substitute(slots | _static())


@cache
def _static() -> dict[str, str]:
    """What is the same in every report of a sweep."""
    scripts = {"theme_script": asset("theme.js"), "script": bundle(_SCRIPTS)}
    return {**scripts, "style": asset("report.css") + asset("sweep.css"), "policy": policy(scripts.values())}


def _axes(manifest: Mapping[str, Any]) -> str:
    rows = []
    for axis in manifest["axes"]:
        texts = [show_value(value) for value in axis["values"]]
        listed = ", ".join(texts if len(texts) <= _MOST_VALUES else [*texts[: _MOST_VALUES - 1], "…", texts[-1]])
        rows.append([sections.text(axis["key"]), f"{len(texts):,}", f'<td class="text">{sections.text(listed)}</td>'])
    return sections.table(["Swept key", "Values", '<th scope="col" class="text"></th>'], rows, "wide")


def _best(table: pa.Table, manifest: Mapping[str, Any], sort: str) -> str:
    """The best and the worst rows, a gap between them."""
    order = ranked(table, sort)
    if not order:
        return '<p class="quiet">No combination has trades and this figure.</p>'
    keys = [sort, *(key for key in _TABLED if key != sort)]
    columns = [axis["column"] for axis in manifest["axes"]]
    heads = ["Combination", *map(sections.text, columns), *map(figure_label, keys)]
    rows = [_row(row, columns, keys) for row in rows_of(table, order[:_ROWS])]
    worst = order[max(_ROWS, len(order) - _ROWS) :]
    if len(order) > 2 * _ROWS:
        rows.append(["…", *["…"] * (len(heads) - 1)])
    rows += [_row(row, columns, keys) for row in rows_of(table, worst)]
    idle = table.num_rows - len(order)
    note = f"{counted(idle, 'combination has', 'combinations have')} no trades, or no such figure." if idle else ""
    return sections.table(heads, rows, "wide") + (f'<p class="quiet">{note}</p>' if note else "")


def _row(row: Mapping[str, Any], columns: Sequence[str], keys: Sequence[str]) -> list[str]:
    cells = [f"{row['combination']:,}", *(sections.text(show_value(row[name])) for name in columns)]
    for key in keys:
        figure, value = _figure(key), row[key]
        tone = "gain" if figure.signed and (value or 0) > 0 else "loss" if figure.signed and (value or 0) < 0 else ""
        cells.append(f'<td class="{tone}">{sections.text(show(figure, value, row["currency"]))}</td>')
    return cells


def _figure(key: str) -> Figure:
    """How a figure is shown; those that no run's report shows are plain numbers."""
    kind = "percent" if key.startswith("win_rate") else "count" if COLUMNS[key] == pa.int64() else "number"
    return BY_KEY.get(key) or Figure(key, figure_label(key), kind, "")


def _facts(table: pa.Table, manifest: Mapping[str, Any], sort: str) -> dict[str, Any]:
    """What the scripts draw: axes, and figures by combination."""
    currencies = set(table["currency"].to_pylist())
    return {
        "currency": currencies.pop() if len(currencies) == 1 else None,
        "sort": sort,
        "axes": [
            {
                "column": axis["column"],
                "key": axis["key"],
                "texts": [show_value(value) for value in axis["values"]],
                "order": _order(axis["values"]),
            }
            for axis in manifest["axes"]
        ],
        "figures": [_packed(_figure(key), table) for key in dict.fromkeys((*_FIGURES, sort))],
    }


def _order(values: Sequence[Any]) -> list[float]:
    """By what an axis is sorted: its numbers, or else the order in which they were given."""
    numeric = all(isinstance(value, int | float) for value in values)
    return [float(value) for value in values] if numeric else [float(i) for i in range(len(values))]


def _packed(figure: Figure, table: pa.Table) -> dict[str, Any]:
    """One figure of all combinations, to six digits; null where there are no trades, unless trades are counted."""
    known = [bool(n) or figure.key in _WITHOUT_TRADES for n in table["trades"].to_pylist()]
    values = table[figure.key].to_pylist()
    if figure.kind != "count":
        values = [None if value is None else float(f"{value:.6g}") for value in values]
    values = [value if there else None for value, there in zip(values, known, strict=True)]
    middle = 0 if figure.signed else 1 if figure.key == "profit_factor" else None
    return {
        "key": figure.key, "label": figure.label, "kind": figure.kind, "meaning": figure.meaning,
        "signed": figure.signed, "less": less_is_better(figure.key), "middle": middle, "values": values,
    }  # fmt: skip
