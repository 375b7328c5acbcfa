"""A small market and a strategy that trades on it often, so that a combination takes milliseconds."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from bitten.config import open_document
from bitten.sweeping.axes import parse_option
from bitten.sweeping.grid import Grid, make_grid

SOURCE: dict[str, Any] = {
    "feed": {"use": "synthetic", "symbols": ["EURUSD"], "from": "2024-04-08T06:00", "to": "2024-04-08T16:00"},
    "patterns": [
        {"use": "bb_scalp", "params": {"warm_up": 30, "rank_bars": 20, "max_adx": 90.0, "min_reward": 0.1}},
        {"use": "bb_scalp", "name": "slow", "timeframe": "M5"},
    ],
}
GRID = {
    "patterns.bb_scalp.period": [10, 15, 20],
    "costs.commission_per_lot": [0, 3.5],
    "gates.risk.percent": [0.5, 1.0],
}
OPTIONS = [
    "--grid", "patterns.bb_scalp.period=10:20:5", "--grid", "costs.commission_per_lot=0,3.5",
    "--grid", "gates.risk.percent=0.5,1.0",
]  # fmt: skip

TOML = textwrap.dedent("""\
    [feed]
    use = "synthetic"
    symbols = ["EURUSD"]
    from = 2024-04-08T06:00:00Z
    to = 2024-04-08T16:00:00Z

    [[patterns]]
    use = "bb_scalp"
    [patterns.params]
    warm_up = 30
    rank_bars = 20
    max_adx = 90.0
    min_reward = 0.1

    [[patterns]]
    use = "bb_scalp"
    name = "slow"
    timeframe = "M5"
    """)

SMALL_BATCHES = """
import sys
from bitten import cli
from bitten.sweeping import sweeps
sweeps._BATCH = 1
sys.exit(cli.main())
"""
"""The command line, for `python -c`, with a row on the disk after each combination."""


def grid_of(*texts: str, source: dict[str, Any] = SOURCE) -> Grid:
    """A grid from texts as after `--grid`."""
    file, folder = open_document(source)
    return make_grid(file, folder, [parse_option(text) for text in texts], {})


def project(folder: Path) -> Path:
    """A folder with the configuration as a file."""
    (folder / "bitten.toml").write_text(TOML, encoding="utf-8")
    return folder
