"""Compiled and plain Python kernels agree, and a stale cache is never loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, numpy as np
from tests.brokers.test_against_naive import drive
from tests.markets import instrument, random_fire, random_quotes
from bitten.bars import BarBuilder
from bitten.model.quotes import Slice
from bitten_brokers.simulated import SimulatedConfig, SimulatedExecutor
rng = np.random.default_rng(11)
facts = {"EURUSD": instrument()}
quotes = random_quotes(rng, "EURUSD", 400)
fires = [random_fire(rng, k, quotes, facts["EURUSD"]) for k in range(60)]
fires = [fire for fire in fires if fire.time <= quotes.ts[-1]]
reports = drive(SimulatedExecutor, SimulatedConfig(), [Slice(int(quotes.ts[-1]), {"EURUSD": quotes})], fires, facts)
print(json.dumps([[int(v) for v in report] for report in reports] + BarBuilder(60_000_000_000).update(quotes).tolist()))
"""


def run(program: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True,
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": str(folder), **environment},
    )  # fmt: skip
    return done.stdout


def test_plain_python_says_the_same(tmp_path: Path) -> None:
    compiled = run(PROGRAM, tmp_path)
    assert len(compiled) > 1_000
    assert run(PROGRAM, tmp_path, BITTEN_NOJIT="1") == compiled


def test_a_change_in_a_called_kernel_is_noticed(tmp_path: Path) -> None:
    package = tmp_path / "two_kernels"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(
        "from bitten.kernels.jit import kernel\n@kernel\ndef inner(x):\n    return x + 1\n"
    )
    (package / "outer.py").write_text(
        "from bitten.kernels.jit import kernel\nfrom two_kernels.inner import inner\n"
        "@kernel\ndef outer(x):\n    return inner(x)\n"
    )
    program = "from two_kernels.outer import outer; print(outer(1), len(outer.stats.cache_hits))"
    cache = str(tmp_path / "cache")
    assert run(program, tmp_path, NUMBA_CACHE_DIR=cache).split() == ["2", "0"]
    assert run(program, tmp_path, NUMBA_CACHE_DIR=cache).split() == ["2", "1"]  # the cache works
    (package / "inner.py").write_text(
        "from bitten.kernels.jit import kernel\n@kernel\ndef inner(x):\n    return x + 100\n"
    )
    assert run(program, tmp_path, NUMBA_CACHE_DIR=cache).split() == ["101", "0"]
