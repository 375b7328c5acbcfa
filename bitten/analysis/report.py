"""`report.html`: one page that holds everything it shows.

The skeleton, the style and the scripts lie in `assets/`, beside uPlot and Lightweight Charts with their licences. The
page's own security policy forbids it every request, and every script that is not one of these.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, Final

from bitten.analysis import accountsections, sections, signalsections
from bitten.analysis.accountgroups import account_results, events
from bitten.analysis.candles import CandleSet
from bitten.analysis.columns import Tables, table, unpack_trades
from bitten.analysis.curves import AccountFacts, Curve, account_curves, common_currency, total_curve
from bitten.analysis.months import monthly_returns
from bitten.analysis.payload import Blocks, pack_candles, pack_curve, pack_trades
from bitten.analysis.pictures import r_histogram
from bitten.analysis.signalpayload import pack_pools, pack_signals

_STYLES: Final = ("uplot.min.css", "report.css", "fates.css")
_SCRIPTS: Final = (
    "unpack.js",
    "paint.js",
    "curves.js",
    "scatter.js",
    "levels.js",
    "marks.js",
    "signalmarks.js",
    "pools.js",
    "candleview.js",
    "list.js",
    "tradecolumns.js",
    "filters.js",
    "signals.js",
    "main.js",
)
_MOST_CURVES: Final = 24  # accounts whose own curve can be chosen; thousands would not be looked at


def render_report(
    run_tables: Tables, summary: Mapping[str, Any], manifest: Mapping[str, Any], candles: Mapping[str, CandleSet]
) -> str:
    """Render a run as one HTML page that works without server and network. Equal input gives equal text.

    Args:
        run_tables: the tables of the run by name; a missing one counts as empty.
        summary: as `bitten.analysis.statistics.summarise` makes it.
        manifest: the run's manifest; keys documented in docs/run-folder.md, missing ones are left out.
        candles: by symbol, as `bitten.analysis.candles.CandleSketch` collects them.

    Raises:
        DataError: the equity table names an account that the manifest does not.
    """
    trades = table(run_tables, "trades")
    blocks = Blocks()
    curves = _curves(run_tables, manifest)
    facts = {
        "currency": summary.get("currency"),
        "curves": [pack_curve(blocks, name, currency, curve, _begin(curve)) for name, currency, curve in curves],
        "trades": pack_trades(blocks, trades, manifest, candles),
        "signals": pack_signals(blocks, run_tables, manifest, candles),
        "candles": pack_candles(blocks, candles),
    }
    pools = pack_pools(blocks, run_tables, candles)
    if pools is not None:
        facts["pools"] = pools
    accounts = known_accounts(manifest)
    results = account_results(run_tables, accounts) if len(accounts) > 1 else None
    multiples = unpack_trades(trades).multiples()
    shown = curves[:1] if summary.get("currency") else curves
    slots = {
        "title": sections.text(f"{manifest.get('name', 'run')}: bitten"),
        "heading": sections.heading(manifest),
        "alerts": sections.alerts(manifest) + sections.notices(summary, manifest),
        "tiles": sections.tiles(summary) + sections.all_figures(summary),
        "months": sections.months(
            {name: monthly_returns(curve) for name, _, curve in shown} if trades.num_rows else {}
        ),
        "groups": sections.groups(summary),
        "histogram": r_histogram(multiples, trades.num_rows),
        "gates": signalsections.gates(summary),
        "patterns": signalsections.patterns(summary),
        "confidence": signalsections.confidence(summary),
        "accounts": _section(
            "accounts",
            "Accounts",
            accountsections.accounts(summary, accounts, results, events(run_tables, "breaches")),
        ),
        "assumptions": sections.assumptions(manifest),
        "blocks": blocks.html(),
        "facts": script_json(facts),
    }
    return Template(asset("report.html")).substitute(slots | _static())


def _curves(tables: Tables, manifest: Mapping[str, Any]) -> Sequence[tuple[str, str, Curve]]:
    """(name, currency, curve): the total first where there is one, then the accounts."""
    accounts = known_accounts(manifest)
    if not accounts:
        return []
    by_account = account_curves(table(tables, "equity"), accounts)
    apart = [(account.id, account.currency, by_account[account.id]) for account in accounts[:_MOST_CURVES]]
    currency = common_currency(accounts)
    if currency is None or len(accounts) == 1:
        return apart
    return [("all accounts", currency, total_curve(list(by_account.values()))), *apart]


def known_accounts(manifest: Mapping[str, Any]) -> list[AccountFacts]:
    """The accounts of a manifest."""
    return [
        AccountFacts(
            str(row["id"]),
            str(row["currency"]),
            float(row["balance"]),
            tier=str(row.get("tier") or ""),
            mode=str(row.get("mode") or "auto"),
        )
        for row in manifest.get("accounts") or ()
    ]


def _section(name: str, title: str, body: str) -> str:
    """A section of the page; none where there is nothing in it."""
    return f'<section id="{name}">\n<h2>{title}</h2>\n{body}\n</section>' if body else ""


def _begin(curve: Curve) -> int:
    return int(curve.times[0]) if curve.times.size else 0


@cache
def _static() -> dict[str, str]:
    """What is the same in every report."""
    scripts = {
        "theme_script": asset("theme.js"),
        "uplot": asset("uplot.min.js"),
        "candle_library": asset("lightweight-charts.min.js"),
        "script": bundle(_SCRIPTS),
    }
    return {**scripts, "style": "\n".join(asset(name) for name in _STYLES), "policy": policy(scripts.values())}


def bundle(names: Iterable[str]) -> str:
    """Scripts of the assets as one, in a scope of their own."""
    return "\n".join(["(() => {", '"use strict";', *(asset(name) for name in names), "})();"])


def policy(scripts: Iterable[str]) -> str:
    """The security policy of a page: no request at all, and these scripts only."""
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {hashes}"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


@cache
def asset(name: str) -> str:
    """The text of a file in `assets/`."""
    return (files("bitten.analysis") / "assets" / name).read_text(encoding="utf-8")


def script_json(value: Any) -> str:
    """JSON that can stand inside a script element: no `<` survives, so no tag can end or begin there."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
