"""manifest.json of a sweep. Keys are documented in docs/run-folder.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from bitten.analysis.figures import counted
from bitten.analysis.measures import NS_PER_DAY
from bitten.clock import iso
from bitten.config import Config
from bitten.executor import Executor
from bitten.feed import FeedFacts
from bitten.manifest import account_facts, cost_rules, feed_facts, made_with, resolved
from bitten.pipeline import Pipeline
from bitten.sweeping.axes import show_value
from bitten.sweeping.grid import Grid
from bitten.sweeping.luck import selection_notes
from bitten.sweeping.table import axis_columns


def sweep_manifest(
    grid: Grid, config: Config, pipeline: Pipeline, facts: Sequence[FeedFacts], table: pa.Table, first: int
) -> dict[str, Any]:
    """What a sweep was made of; the caller adds name, time and timings.

    Args:
        grid: the grid.
        config: of the first combination.
        pipeline: as that configuration makes it.
        facts: what the feed says of its data, for each of its settings; that of the first combination first.
        table: the results.
        first: instant of the first quote of the first combination, ns UTC.
    """
    settings = resolved(config)
    last = first + round(table["days"][0].as_py() * NS_PER_DAY)
    columns = axis_columns(grid.axes)
    return {
        "kind": "sweep",
        **made_with(),
        "axes": [
            {"column": column, "key": axis.key, "values": [_plain(value) for value in axis.values]}
            for column, axis in zip(columns, grid.axes, strict=True)
        ],
        "combinations": len(grid),
        "config": settings,
        "config_digest": hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest(),
        "seed": config.run.seed,
        "feed": feed_facts(config, facts[0]),
        "fingerprints": [dict(one.fingerprints) for one in facts],
        "period": {"first": iso(first, 9), "last": iso(last, 9)},
        "symbols": list(config.feed.symbols),
        "quotes": facts[0].quotes,
        "costs": _costs(grid, config, pipeline.executor),
        "selection": selection_notes(len(grid), table["sharpe"].to_pylist()),
        "notes": _notes(config, pipeline, facts),
        "alerts": _alerts(table),
        "accounts": account_facts(config),
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else show_value(value)


def _costs(grid: Grid, config: Config, executor: Executor) -> list[str]:
    lines = [*cost_rules(config, executor), "Margin and stop-out are not modelled; swap is NOT charged yet."]
    for axis in grid.axes:
        if axis.path[0] in ("costs", "executor"):
            values = ", ".join(map(show_value, axis.values))
            lines.append(f"{axis.key} is swept: {values}; what is said of it above holds for the first.")
    return lines


def _notes(config: Config, pipeline: Pipeline, facts: Sequence[FeedFacts]) -> list[str]:
    notes = list(dict.fromkeys(note for one in facts for note in one.notes))
    beyond = pipeline.chain.beyond_rules()
    if beyond:
        verb = "is" if len(beyond) == 1 else "are"
        notes.append(
            f"{', '.join(beyond)} {verb} more than plain rules, so every combination went through the whole pipeline: "
            "the same results, but much slower. A sweep of patterns is faster without them."
        )
    if config.trackers:
        names = ", ".join(part.name for part in config.trackers)
        notes.append(f"Trackers ({names}) follow single runs and did not take part.")
    return notes


def _alerts(table: pa.Table) -> list[str]:
    alerted = sum(count > 0 for count in table["alerts"].to_pylist())
    if not alerted:
        return []
    what = counted(alerted, "combination had alerts", "combinations had alerts")
    return [f"{what} (column `alerts`): run one of them with `bitten backtest` to read them"]
