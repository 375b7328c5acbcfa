"""Every row of a sweep is what `bitten.backtest` makes of the same configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

import bitten
from bitten.errors import DataError
from bitten.manager import Manager
from bitten.sweeping.engine import run_batch
from bitten.sweeping.table import figures_of
from tests.sweeping.made import SOURCE, grid_of

MANAGER = Manager()


def test_a_batch_equals_backtests(tmp_path: Path) -> None:
    grid = grid_of(
        "patterns.bb_scalp.period=10,20", "gates.risk.percent=0.5,1", "executor.latency_ms=0,700", "feed.intrabar=path"
    )
    heard: list[float] = []
    configs = [grid.config(i, MANAGER)[0] for i in range(len(grid))]
    found = run_batch(configs, MANAGER, progress=heard.append)
    assert len({summary["net"] for summary in found}) > 4  # the keys do change something
    assert heard[-1] == 1.0
    assert heard == sorted(heard)
    for config, summary in zip(configs, found, strict=True):
        run = bitten.backtesting.run_config(config, MANAGER, output=tmp_path)
        assert run.stats["trades"] > 5
        assert figures_of({**run.stats, "alerts": 0}) == figures_of(summary)


def test_a_sweep_over_quotes_takes_each_from_its_own(tmp_path: Path) -> None:
    grid = grid_of("run.seed=0,1", "feed.to=2024-04-08T12:00,2024-04-08T16:00")
    configs = [grid.config(i, MANAGER)[0] for i in range(len(grid))]
    found = [summary["days"] for summary in run_batch(configs, MANAGER)]
    alone = [run_batch([config], MANAGER)[0]["days"] for config in configs]
    assert found == alone
    assert len(set(found)) == 4


def test_no_quotes_is_an_error() -> None:
    source = {**SOURCE, "feed": {**SOURCE["feed"], "from": "2024-04-06", "to": "2024-04-07"}}
    grid = grid_of("costs.commission_per_lot=1", source=source)
    with pytest.raises(DataError, match="the feed gave no quotes"):
        run_batch([grid.config(0, MANAGER)[0]], MANAGER)
