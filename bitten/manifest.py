"""manifest.json: what a run was made of, so that it can be repeated and its results judged."""

from __future__ import annotations

import math
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import msgspec

from bitten.clock import iso
from bitten.config import Config, Part
from bitten.detectors import Detector
from bitten.executor import Executor
from bitten.feed import FeedFacts
from bitten.ledger import Account
from bitten.pipeline import Pipeline

_MOST_ACCOUNTS = 100  # whose configuration is repeated; of more, the file that names them says it


def make_manifest(
    config: Config, name: str, facts: FeedFacts, pipeline: Pipeline, created: str, seconds: float
) -> dict[str, Any]:
    """The manifest of a finished replay.

    Args:
        created: when, as text in UTC.
        seconds: wall time from the first slice to the last fact.
    """
    counters = pipeline.counters
    texts = Counter(alert.text for alert in pipeline.parts.journal.alerts)
    listeners = {key.rpartition(".")[0] for key in pipeline.publisher.failures}
    sources = Counter(a.source for a in pipeline.parts.journal.alerts if a.source not in listeners)
    assert counters.first is not None and counters.last is not None  # there were quotes
    return {
        "name": name,
        "kind": "backtest",
        "created": created,
        **made_with(),
        "config": resolved(config),
        "seed": config.run.seed,
        "feed": feed_facts(config, facts),
        "period": {"first": iso(counters.first, 9), "last": iso(counters.last, 9)},
        "symbols": list(config.feed.symbols),
        "quotes": counters.quotes,
        "quotes_by_symbol": dict(counters.per_symbol),
        "timings": {"replay_seconds": round(seconds, 3), "quotes_per_second": round(counters.quotes / seconds)},
        "costs": _costs(config, pipeline),
        "notes": [
            *facts.notes,
            *_pattern_notes(pipeline),
            *_chain_notes(pipeline),
            *_nobody(config),
            *config.human.notes(),
            *_silence(pipeline),
        ],
        "alerts": [text if n == 1 else f"{text} ({n} times)" for text, n in texts.items()],
        "failures": dict(sources | Counter(pipeline.publisher.failures)),
        "instruments": {
            symbol: {"digits": one.digits, "pip": one.pip, "contract_size": one.contract_size}
            for symbol, one in config.instruments.items()
        },
        "accounts": account_facts(config),
    }


def made_with() -> dict[str, Any]:
    """`versions` and `host` of a manifest."""
    return {
        "versions": {
            "bitten": version("bitten"),
            "python": platform.python_version(),
            **{package: version(package) for package in ("numpy", "numba", "pyarrow", "pandas")},
        },
        "host": {"system": platform.system(), "machine": platform.machine(), "python": sys.implementation.name},
    }


def feed_facts(config: Config, facts: FeedFacts) -> dict[str, Any]:
    """`feed` of a manifest."""
    return {
        "name": config.feed_part.name,
        "synthetic": facts.synthetic,
        "fingerprints": dict(facts.fingerprints),
        "notes": list(facts.notes),
    }


def account_facts(config: Config) -> list[dict[str, Any]]:
    """`accounts` of a manifest."""
    keys = ("id", "currency", "balance", "tier", "mode", "risk_percent")
    return [{key: getattr(account, key) for key in keys} for account in config.accounts]


def resolved(config: Config) -> dict[str, Any]:
    """The configuration with every default filled in, as bitten.toml would say it."""

    def plain(struct: Any) -> dict[str, Any]:
        values: dict[str, Any] = msgspec.to_builtins(struct)
        return values

    def part(one: Part) -> dict[str, Any]:
        return {"use": one.entry.name, "name": one.name, **plain(one.config)}

    feed = {
        "use": config.feed_part.entry.name,
        "symbols": list(config.feed.symbols),
        "from": None if config.start is None else iso(config.start, 9),
        "to": None if config.end is None else iso(config.end, 9),
        "intrabar": config.feed.intrabar,
        **plain(config.feed_part.config),
    }
    patterns = [
        {
            "use": one.part.entry.name,
            "name": one.part.name,
            "timeframes": list(one.timeframes),
            "symbols": list(one.symbols),
            "params": plain(one.part.config),
            "per_symbol": {symbol: plain(config) for symbol, config in one.per_symbol.items()},
            "exit": plain(one.exit),
        }
        for one in config.patterns
    ]
    return {
        "run": plain(config.run),
        "feed": feed,
        "patterns": patterns,
        "gates": [part(gate) for gate in config.gates],
        "executor": part(config.executor),
        "trackers": [part(tracker) for tracker in config.trackers],
        "tiers": [asdict(tier) for tier in config.tiers],
        "accounts": [_account(account) for account in config.accounts[:_MOST_ACCOUNTS]],
        "missions": plain(config.missions),
        "costs": plain(config.costs),
        "rates": dict(config.rates),
        "instruments": {symbol: asdict(instrument) for symbol, instrument in config.instruments.items()},
    }


def _account(account: Account) -> dict[str, Any]:
    """An account as configured; a band that is the gate's own is not repeated."""
    values = asdict(account)
    low, high = values.pop("band_low"), values.pop("band_high")
    return {**values, "band": None if math.isnan(low) else [low, high]}


def _silence(pipeline: Pipeline) -> list[str]:
    """Why there was no signal at all, as far as that can be told."""
    detectors = [detector for of_symbol in pipeline.parts.detectors.values() for detector in of_symbol]
    if not detectors:
        return ["No signals: no pattern is configured; add [[patterns]]."]
    if any(detector.signals for detector in detectors):
        spoke = {detector.name for detector in detectors if detector.signals}
        silent = dict.fromkeys(detector.name for detector in detectors if detector.name not in spoke)
        return [f"No signals of {name}: it saw {_bars(detectors, name):,} bars." for name in silent]
    notes = []
    for detector in detectors:
        warm_up = getattr(detector.pattern.config, "warm_up", None)
        needs = f", it is silent for the first {warm_up}" if warm_up is not None else ""
        where = f"{detector.name} on {detector.instrument.symbol} {detector.timeframe}"
        notes.append(f"No signals: {where} saw {detector.bars} bars{needs}.")
    return notes


def _bars(detectors: Sequence[Detector], name: str) -> int:
    return sum(detector.bars for detector in detectors if detector.name == name)


def _nobody(config: Config) -> list[str]:
    """That MANUAL accounts wait for a person who is not there."""
    waiting = sum(account.mode == "manual" for account in config.accounts)
    if not waiting or config.missions.human != "never":
        return []
    who = f"Account {config.accounts[0].id} is" if len(config.accounts) == 1 else f"{waiting:,} accounts are"
    return [f'{who} MANUAL and nobody answers: set human = "always" or "file" under [missions].']


def _chain_notes(pipeline: Pipeline) -> list[str]:
    return [f"{step.name}: {note}" for step in pipeline.chain.steps for note in step.part.notes()]


def _pattern_notes(pipeline: Pipeline) -> list[str]:
    notes: list[str] = []
    for detectors in pipeline.parts.detectors.values():
        for detector in detectors:
            notes.extend(note for note in getattr(detector.pattern, "notes", ()) if note not in notes)
    return notes


def _costs(config: Config, pipeline: Pipeline) -> list[str]:
    """The cost assumptions as plain sentences, and what they left out in this run."""
    leverage = pipeline.counters.leverage
    lines = [
        *cost_rules(config, pipeline.executor),
        "Margin and stop-out are not modelled"
        + (f"; the largest position was worth {leverage:.0f} times its account's balance." if leverage >= 1 else "."),
    ]
    held = pipeline.counters.over_rollover
    if held:
        what = "position was" if held == 1 else "positions were"
        lines.append(f"Swap is NOT charged yet: {held} {what} held over a rollover (17:00 New York).")
    return lines


def cost_rules(config: Config, executor: Executor) -> list[str]:
    """What is charged, as plain sentences that are known before anything runs."""
    rules = executor.fill_rules(config.feed.symbols[0])
    charged = config.costs.commission_per_lot
    return [
        "Spread: as quoted, buys fill at the ask and close at the bid, sells the reverse.",
        f"Latency {rules.latency_ns / 1e6:g} ms from decision to market; slippage {rules.slippage} points, adverse, on "
        "entries and stops, none on targets.",
        f"Commission {charged:g} per lot and side in account currency." if charged else "Commission: none configured.",
    ]
