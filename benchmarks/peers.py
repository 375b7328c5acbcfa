"""bitten and other backtesters side by side: the same data, the same jobs, whole processes, trades compared.

    python -m benchmarks.peers [--rounds 5] [--quick] [--jobs A,B] [--only TEXT] [--json FILE]

Each case runs alone, in rounds (all cases, then all again), so that a change of the machine's mood meets them all.
Before the rounds every case runs once without being timed: compiled code and files are then in their caches, and its
closed trades are compared one by one with those of a reference that has the same rules. Needs the peers' programs,
which are no part of this repository (`--peers`), and their virtual environments (`cases.VENVS`).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.agreement import Agreement
from benchmarks.cases import CASES, ROWS, RULES, TITLES, Case, interpreter
from benchmarks.report import ROOT, Sheet, json_option, machine, print_machine, spread, touch_memory
from benchmarks.runs import Result, run_case
from benchmarks.workplace import Workplace
from bitten import __version__
from bitten.errors import BittenError

TOUCH = 1000  # MB that are touched before a run, at least


@dataclass
class Entry:
    """A case and its runs."""

    case: Case
    proof: Result | None = None  # of the run before the rounds
    runs: list[Result] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Median seconds of the whole process."""
        return statistics.median(run.measured.wall for run in self.runs)

    @property
    def rate(self) -> float:
        """Bars or ticks per second of the whole process."""
        return self.case.rows / self.wall

    @property
    def engine(self) -> list[float]:
        """Seconds of the engine alone, where the program tells them."""
        return [run.engine for run in self.runs if run.engine is not None]

    @property
    def peak(self) -> float:
        """Resident MiB, median."""
        return statistics.median(run.measured.peak for run in self.runs)


@click.command()
@click.option(
    "--peers",
    type=click.Path(path_type=Path),
    default=ROOT.parent / "shared" / "peers",
    show_default="../shared/peers",
    help="Folder of the peers' programs.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(tempfile.gettempdir()) / "bitten-peers",
    show_default="in the system's temporary folder",
    help="Where data and projects are made and kept.",
)
@click.option("--rounds", default=5, show_default=True, help="Timed runs of each case.")
@click.option("--slow-rounds", default=2, show_default=True, help="Timed runs of those that take more than 20 s.")
@click.option("--quick", is_flag=True, help="Leave out those that take more than 20 s.")
@click.option("--jobs", default="A,B,C", show_default=True)
@click.option("--only", default="", help="Engines whose name holds this text; bitten always runs.")
@click.option("--max-rows", default=1 << 62, help="Leave out larger cases, to try things out.", hidden=True)
@json_option
def main(
    peers: Path, folder: Path, rounds: int, slow_rounds: int, quick: bool, jobs: str, only: str, max_rows: int,
    to: Path | None,
) -> None:  # fmt: skip
    """Measure and print."""
    console = Console(width=170)
    if not (peers / "kernels.py").is_file():
        console.print(f"{peers} is not there: nothing to compare with. It is no part of the repository; see --peers.")
        return
    facts = machine()  # with the load before the first run
    print_machine(console)
    place = Workplace(peers.resolve(), folder)
    place.out.mkdir(parents=True, exist_ok=True)
    try:
        place.make_data()
    except BittenError as error:
        raise SystemExit(str(error)) from error
    chosen = [case for case in chosen_cases(jobs, only, quick) if case.rows <= max_rows]
    entries = [Entry(case) for case in chosen if runs_here(console, case)]
    for entry in entries:
        entry.proof = prove(console, entry.case, place)
    entries = [entry for entry in entries if entry.proof is not None]
    for number in range(rounds):
        for entry in entries:
            if number < (slow_rounds if entry.case.slow else rounds):
                time_once(console, entry, place, number)
    for job in jobs.split(","):
        print_job(console, job, [entry for entry in entries if entry.case.job == job and entry.runs])
    if to is not None:
        cases = [figures(entry, entries) for entry in entries if entry.runs]
        to.write_text(json.dumps({"machine": facts, "cases": cases}, indent=1), encoding="utf-8")
        console.print(f"figures in {to}", highlight=False)


def chosen_cases(jobs: str, only: str, quick: bool) -> list[Case]:
    """What the options ask for, and bitten on the same jobs with as much data."""
    peers = [case for case in CASES if case.job in jobs.split(",") and case.package != "bitten"]
    peers = [case for case in peers if only in label(case) and not (quick and case.slow)]
    sizes = {(case.job, case.rows) for case in peers}
    return [case for case in CASES if case in peers or (case.package == "bitten" and (case.job, case.rows) in sizes)]


def runs_here(console: Console, case: Case) -> bool:
    """Whether the case's program is installed; says so where it is not."""
    if case.package == "bitten":
        known = case.job != "C" or "sweep" in offered_commands()
        if not known:
            console.print("this bitten has no `sweep`: left out")
        return known
    if version_of(case.venv, case.package) is None:
        console.print(f"{case.package} is not installed ({case.venv}): left out")
        return False
    return True


@cache
def offered_commands() -> str:
    """What `bitten --help` prints."""
    return subprocess.run([sys.executable, "-m", "bitten", "--help"], capture_output=True, text=True, cwd=ROOT).stdout


@cache
def version_of(venv: str, package: str) -> str | None:
    """The version that is installed there, or None."""
    python = interpreter(venv)
    if python is None:
        return None
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def label(case: Case) -> str:
    """The engine's name, version and variant."""
    version = __version__ if case.package == "bitten" else version_of(case.venv, case.package)
    return f"{case.package} {version}{f', {case.variant}' if case.variant else ''}"


def prove(console: Console, case: Case, place: Workplace) -> Result | None:
    """The run before the rounds: warms caches, and shows that the trades are the same."""
    try:
        if case.package != "bitten":
            place.catalog(case, version_of(case.venv, case.package) or "")
        result = run_case(case, place, verify=True)
    except BittenError as error:
        console.print(f"{label(case)}: {error}")
        return None
    if result is None:
        console.print(f"{label(case)}, job {case.job}: failed, see {place.out / 'errors.log'}")
        return None
    rule = RULES[case.reference]
    console.print(
        f"{case.job} {case.rows:>10,} {label(case):<40} {agreed(case, result)}{f' ({rule})' if rule else ''}",
        highlight=False,
    )
    return result


def agreed(case: Case, result: Result | None) -> str:
    """`trades agree: 1700 of 1700`."""
    found = result.agreement if result else None
    if found is None:
        return "nothing to compare"
    return f"{'combinations' if case.job == 'C' else 'trades'} agree: {found}"


def time_once(console: Console, entry: Entry, place: Workplace, number: int) -> None:
    """One timed run, after memory for it has been touched."""
    assert entry.proof is not None  # those that failed are gone
    touch_memory(max(TOUCH, round(entry.proof.measured.peak)))
    result = run_case(entry.case, place)
    if result is None or result.trades != entry.proof.trades:
        console.print(f"{label(entry.case)}, job {entry.case.job}: round {number + 1} failed or found other trades")
        return
    entry.runs.append(result)
    console.print(f"round {number + 1} {entry.case.job} {label(entry.case):<40} {result.measured.wall:8.2f} s")


def print_job(console: Console, job: str, entries: list[Entry]) -> None:
    """One table, by amount of data."""
    unit = ROWS[job]
    table = Table(
        "engine", unit, f"{unit}/s", "wall s: median (spread)", "runs", "engine s", "peak MiB", "x bitten", "trades",
        "agree", title=TITLES[job],
    )  # fmt: skip
    by_rows = defaultdict(list)
    for entry in entries:
        by_rows[entry.case.rows].append(entry)
    for rows, group in by_rows.items():
        for entry in group:
            own = yardstick(entry, entries)
            proof = entry.proof.agreement if entry.proof else None
            rule = RULES[entry.case.reference]
            table.add_row(
                label(entry.case), f"{rows:,}", f"{entry.rate:,.0f}", spread([run.measured.wall for run in entry.runs]),
                str(len(entry.runs)), f"{statistics.median(entry.engine):.3f}" if entry.engine else "",
                f"{entry.peak:.0f}", f"{own.rate / entry.rate:.2f}" if own else "", f"{entry.runs[0].trades:,}",
                f"{proof}{f' ({rule})' if rule else ''}" if proof else "",
            )  # fmt: skip
        table.add_section()
    console.print(table)
    console.print(f"x bitten: the whole process's time per {unit[:-1]} in multiples of bitten's on as many {unit}")
    for entry in entries:
        own = yardstick(entry, entries)
        if entry.case.event_driven and own is not None:
            words = f"bitten passes {own.rate / entry.rate:,.0f} times as many {unit} per second as"
            console.print(f"{words} {label(entry.case)} ({entry.case.rows:,} {unit})", highlight=False)


def yardstick(entry: Entry, entries: list[Entry]) -> Entry | None:
    """bitten on the same job and as much data, or else on the most."""
    own = [other for other in entries if other.case.package == "bitten" and other.case.job == entry.case.job]
    same = [other for other in own if other.case.rows == entry.case.rows]
    return max(same or own, key=lambda other: other.case.rows, default=None)


def sheets(found: Mapping[str, Any]) -> list[Sheet]:
    """The tables that figures written as JSON make, one for each job."""
    head = ("engine", "rows", "runs", "process s: median (spread)", "rows/s", "peak MiB", "x bitten", "trades", "agree")
    return [
        Sheet(title, head, [_row(case) for case in found["cases"] if case["job"] == job])
        for job, title in TITLES.items()
        if any(case["job"] == job for case in found["cases"])
    ]


def _row(case: Mapping[str, Any]) -> list[str]:
    walls, ratio = [run["wall"] for run in case["runs"]], case["times_bitten"]
    agreement = str(Agreement(**case["agreement"])) if case["agreement"] else ""
    rule = f" ({case['rule']})" if case["rule"] and agreement else ""
    return [
        case["engine"], f"{case['rows']:,} {case['unit']}", str(len(walls)), spread(walls), f"{case['rate']:,.0f}",
        f"{case['peak']:.0f}", f"{ratio:.2f}" if ratio else "", f"{case['trades']:,}", agreement + rule,
    ]  # fmt: skip


def figures(entry: Entry, entries: list[Entry]) -> dict[str, Any]:
    """Everything of one case, for other programs; medians of the runs, seconds and MiB."""
    case, own = entry.case, yardstick(entry, entries)
    proof = entry.proof.agreement if entry.proof else None
    return {
        "engine": label(case), "package": case.package, "variant": case.variant, "job": case.job, "rows": case.rows,
        "unit": ROWS[case.job], "rule": RULES[case.reference], "event_driven": case.event_driven,
        "agreement": proof._asdict() if proof else None, "trades": entry.runs[0].trades,
        "wall": entry.wall, "rate": entry.rate, "peak": entry.peak,
        "engine_seconds": statistics.median(entry.engine) if entry.engine else None,
        "times_bitten": own.rate / entry.rate if own else None,
        "runs": [
            {"wall": run.measured.wall, "cpu": run.measured.cpu, "peak": run.measured.peak, "engine": run.engine}
            for run in entry.runs
        ],
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
