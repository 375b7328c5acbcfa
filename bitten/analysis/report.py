"""`report.html`: one self-contained page."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from bitten.analysis.candles import CandleSet
from bitten.analysis.columns import Tables
from bitten.analysis.figures import FIGURES, show


def render_report(
    run_tables: Tables, summary: Mapping[str, Any], manifest: Mapping[str, Any], candles: Mapping[str, CandleSet]
) -> str:
    """Render a run as one HTML page that needs nothing else: no server, no network."""
    currency = summary.get("currency")
    shown = ((figure.label, html.escape(show(figure, summary.get(figure.key), currency))) for figure in FIGURES)
    rows = "".join(f"<tr><th>{label}</th><td>{text}</td></tr>" for label, text in shown)
    name = html.escape(str(manifest.get("name", "run")))
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><h1>{name}</h1><table>{rows}</table>"
