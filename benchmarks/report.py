"""What every benchmark prints and keeps: the machine, the versions, the load, medians and spread, tables."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bitten.clock import WallClock

CLOCK = WallClock()
ROOT = Path(__file__).resolve().parent.parent

quick_option = click.option("--quick", is_flag=True, help="Small sizes and few runs, to see that everything works.")
json_option = click.option("--json", "to", type=click.Path(path_type=Path), help="Write all figures there.")


def machine() -> dict[str, Any]:
    """Where and with what figures are measured."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("bitten", "numpy", "numba", "pyarrow")},
        "load": round(load, 2),
    }


def print_machine(console: Console) -> None:
    """Where and with what the figures were measured."""
    facts = machine()
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    console.print(f"{facts['system']}, {facts['cpu']}, {facts['cores']} cores")
    console.print(f"Python {facts['python']}, {packages}; load average before the run {facts['load']:.2f}")


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


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text, for the terminal and for the page."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def show(self, console: Console) -> None:
        """Print it."""
        table = Table(*self.head)
        for row in self.rows:
            table.add_row(*row)
        console.print(f"\n{self.title}", style="bold", highlight=False)
        console.print(table)
        for note in self.notes:
            console.print(note, highlight=False)

    def markdown(self) -> str:
        """The same for a page."""
        lines = [f"**{self.title}**", "", _line(self.head), _line(["---"] * len(self.head))]
        lines += [_line(row) for row in self.rows]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def conclude(console: Console, figures: Mapping[str, Any], sheets: Sequence[Sheet], to: Path | None) -> None:
    """Print the tables of a benchmark, and write its figures where that is asked for."""
    for sheet in sheets:
        sheet.show(console)
    if to is not None:
        to.write_text(json.dumps(figures, indent=1), encoding="utf-8")
        console.print(f"figures in {to}", highlight=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole process, from fork to exit."""

    wall: float  # seconds
    cpu: float  # seconds, user and system, of the process and those it waited for
    peak: float  # resident MiB of the largest of them
    status: int
    printed: str


def measure(
    command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None, errors: Path | None = None
) -> Measured:
    """Run one process alone.

    Args:
        command: the program and its arguments.
        env: the whole environment; this process's own by default.
        cwd: where it runs.
        errors: a file to which what it writes to standard error is appended; by default it is seen.
    """
    launcher = Path(__file__).with_name("launch.py")
    with ExitStack() as held:
        stream = held.enter_context(errors.open("ab")) if errors else None
        done = subprocess.run(
            [sys.executable, "-S", str(launcher), *command], stdout=subprocess.PIPE, stderr=stream, env=env, cwd=cwd,
            text=True, check=True,
        )  # fmt: skip
    printed, _, figures = done.stdout.rstrip("\n").rpartition("\n")
    wall, cpu, peak, status = json.loads(figures)
    return Measured(wall, cpu, peak, status, printed)


def python(*arguments: str, env: Mapping[str, str] | None = None) -> Measured:
    """Run Python in a process of its own, from the root of the tree; the benchmark ends where that fails."""
    run = measure([sys.executable, *arguments], env, ROOT)
    if run.status:
        raise SystemExit(f"benchmark process failed with status {run.status}: {' '.join(arguments)}")
    return run


def touch_memory(megabytes: int) -> None:
    """Touch free memory in a process that ends at once.

    A virtual machine hands memory that nobody has used for some seconds back to its host, and the next process pays
    for getting it (some 2 s per GB). After this every measured process finds the same.
    """
    script = Path(__file__).with_name("touch.py")
    subprocess.run([sys.executable, "-S", str(script), str(megabytes)], check=True)
