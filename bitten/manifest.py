"""manifest.json: what a run was made of, so that it can be repeated and its results judged."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from typing import Any

import msgspec

from bitten.clock import iso
from bitten.config import Config
from bitten.feed import FeedFacts
from bitten.pipeline import Pipeline


def make_manifest(
    config: Config, name: str, facts: FeedFacts, pipeline: Pipeline, created: str, seconds: float
) -> dict[str, Any]:
    """The manifest of a finished replay.

    Args:
        created: when, as text in UTC.
        seconds: wall time from the first slice to the last fact.
    """
    counters = pipeline.counters
    assert counters.first is not None and counters.last is not None  # there were quotes
    return {
        "name": name,
        "kind": "backtest",
        "created": created,
        "versions": {
            "bitten": version("bitten"),
            "python": platform.python_version(),
            **{package: version(package) for package in ("numpy", "numba", "pyarrow", "pandas")},
        },
        "host": {"system": platform.system(), "machine": platform.machine(), "python": sys.implementation.name},
        "config": msgspec.to_builtins(config.resolved),
        "seed": config.run.seed,
        "feed": {
            "name": config.feed_part.name,
            "synthetic": facts.synthetic,
            "fingerprints": dict(facts.fingerprints),
            "notes": list(facts.notes),
        },
        "period": {"first": iso(counters.first, 9), "last": iso(counters.last, 9)},
        "symbols": list(config.feed.symbols),
        "quotes": counters.quotes,
        "quotes_by_symbol": dict(counters.per_symbol),
        "timings": {"replay_seconds": round(seconds, 3), "quotes_per_second": round(counters.quotes / seconds)},
        "costs": _costs(config, pipeline),
        "notes": [*facts.notes, *_pattern_notes(pipeline)],
        "alerts": [alert.text for alert in pipeline.parts.journal.alerts],
        "failures": dict(pipeline.publisher.failures),
        "instruments": {
            symbol: {"digits": one.digits, "pip": one.pip, "contract_size": one.contract_size}
            for symbol, one in config.instruments.items()
        },
        "accounts": [
            {"id": account.id, "currency": account.currency, "balance": account.balance} for account in config.accounts
        ],
    }


def _pattern_notes(pipeline: Pipeline) -> list[str]:
    notes: list[str] = []
    for detectors in pipeline.parts.detectors.values():
        for detector in detectors:
            notes.extend(note for note in getattr(detector.pattern, "notes", ()) if note not in notes)
    return notes


def _costs(config: Config, pipeline: Pipeline) -> list[str]:
    """The cost assumptions as plain sentences."""
    rules = pipeline.executor.fill_rules(config.feed.symbols[0])
    charged = config.costs.commission_per_lot
    lines = [
        "Spread: as quoted, buys fill at the ask and close at the bid, sells the reverse.",
        f"Latency {rules.latency_ns / 1e6:g} ms from decision to market; slippage {rules.slippage} points, adverse, on "
        "entries and stops, none on targets.",
        f"Commission {charged:g} per lot and side in account currency." if charged else "Commission: none configured.",
        "Margin and stop-out are not modelled.",
    ]
    held = pipeline.counters.over_rollover
    if held:
        what = "position was" if held == 1 else "positions were"
        lines.append(f"Swap is NOT charged yet: {held} {what} held over a rollover (17:00 New York).")
    return lines
