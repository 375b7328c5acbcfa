"""Runs a batch of configurations and says how each came out; nothing is written to disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bitten.analysis.statistics import AccountFacts, summarise
from bitten.backtesting import build_pipeline, make_feed
from bitten.config import Config
from bitten.errors import DataError
from bitten.manager import Manager

BatchProgress = Callable[[float], None]
"""Called with the share of the batch that is done, 0 to 1."""


def run_batch(
    configs: Sequence[Config], manager: Manager, data: Any = None, progress: BatchProgress | None = None
) -> list[Mapping[str, Any]]:
    """Replay each configuration as `bitten.backtest` would.

    Returns:
        In the order of the configurations, their summaries as `bitten.analysis.statistics.summarise` makes them, with
        `alerts`, the number of alerts, beside the figures.

    Raises:
        BittenError: the data cannot be used.
    """
    found = []
    for i, config in enumerate(configs):
        found.append(_run(config, manager, data))
        if progress is not None:
            progress((i + 1) / len(configs))
    return found


def _run(config: Config, manager: Manager, data: Any) -> Mapping[str, Any]:
    feed, _ = make_feed(config, data)
    pipeline, _ = build_pipeline(config, manager)
    for piece in feed.slices():
        pipeline.step(piece)
    first, last = pipeline.counters.first, pipeline.counters.last
    if first is None or last is None:
        raise DataError("the feed gave no quotes: check feed.symbols and feed.from/feed.to against `bitten data list`")
    pipeline.finish()
    journal = pipeline.parts.journal
    accounts = [AccountFacts(account.id, account.currency, account.balance) for account in config.accounts]
    return {**summarise(journal.tables(), accounts, (first, last)), "alerts": len(journal.alerts)}
