"""What every benchmark prints: the machine, the versions, the load, medians and spread."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from rich.console import Console

from bitten.clock import WallClock

CLOCK = WallClock()


def print_machine(console: Console) -> None:
    """Where and with what the figures were measured."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else (float("nan"),) * 3
    packages = ", ".join(f"{name} {version(name)}" for name in ("bitten", "numpy", "numba", "pyarrow"))
    console.print(f"{platform.system()} {platform.machine()}, {cpu_name()}, {os.cpu_count()} cores")
    console.print(f"Python {platform.python_version()}, {packages}; load average before the run {load[0]:.2f}")


def cpu_name() -> str:
    """The processor's own name where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - a kernel file, not a path of ours
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def seconds(work: Callable[[], object], runs: int) -> list[float]:
    """Wall seconds of each of `runs` calls."""
    times = []
    for _ in range(runs):
        start = CLOCK.elapsed()
        work()
        times.append(CLOCK.elapsed() - start)
    return times


def spread(values: Sequence[float], unit: float = 1.0, digits: int = 2) -> str:
    """`median (least to most)`."""
    low, middle, high = min(values) / unit, statistics.median(values) / unit, max(values) / unit
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def process(arguments: Sequence[str]) -> tuple[float, int, str]:
    """Run Python in a process of its own: wall seconds, peak memory in KiB, what it printed."""
    start = CLOCK.elapsed()
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None  # asked for
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"benchmark process failed with status {status}: {' '.join(arguments)}")
    return CLOCK.elapsed() - start, usage.ru_maxrss, printed
