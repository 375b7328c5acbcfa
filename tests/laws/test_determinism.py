"""Law 4: the same input, configuration and versions give byte-identical tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import bitten
from bitten.journal.schema import TABLES
from tests.replay import settings

PROGRAM = """
import json, sys, bitten
bitten.backtest(json.loads(sys.argv[1]), output=sys.argv[2], name="twin")
"""


def test_tables_are_byte_identical_in_other_processes(tmp_path: Path) -> None:
    import json

    first = bitten.backtest(settings(), output=tmp_path, name="here")
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(settings()), str(tmp_path)], check=True, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert len(first.trades) > 20
    for name in TABLES:
        twin = (tmp_path / "twin" / f"{name}.parquet").read_bytes()
        assert (tmp_path / "here" / f"{name}.parquet").read_bytes() == twin, name
    assert (tmp_path / "here" / "summary.json").read_bytes() == (tmp_path / "twin" / "summary.json").read_bytes()
