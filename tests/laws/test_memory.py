"""Law 10: a replay needs memory for one slice, never for the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys, bitten
bitten.backtest(
    {"feed": {"use": "synthetic", "symbols": ["EURUSD"], "from": "2024-04-08", "to": sys.argv[2],
              "quotes_per_day": 400_000}, "patterns": [{"use": "bb_scalp", "timeframe": "H1"}]},
    output=sys.argv[1], name="run-" + sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read with getrusage")
def test_peak_memory_does_not_grow_with_the_history(tmp_path: Path) -> None:
    def peak(end: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path), end], check=True, capture_output=True, text=True
        )
        return int(done.stdout.split()[-1])

    short, long = peak("2024-04-10"), peak("2024-04-20")  # 0.8 and 4 million quotes
    assert long - short < 25_000  # KiB; the additional quotes alone are 75 MiB
