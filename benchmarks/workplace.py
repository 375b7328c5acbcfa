"""Folders and files of the comparison: the peers' data, the reference's trades, and bitten's projects, made once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from benchmarks import jobs
from benchmarks.cases import REFERENCES, Case, interpreter
from benchmarks.jobs import Arrays
from benchmarks.report import ROOT
from bitten.errors import BittenError
from bitten.model.dtypes import NS_PER_MINUTE, Ints

FOREVER: Final = 1 << 62
_SMALL_BARS, _SMALL_TICKS = 100_000, 1_000_000  # what the smaller files hold


@dataclass(frozen=True)
class Workplace:
    """Where everything is.

    Attributes:
        scripts: the folder of the peers' programs; nothing is written there.
        folder: of everything that is made; kept, so that the next comparison starts at once.
    """

    scripts: Path
    folder: Path

    @cached_property
    def data(self) -> Path:
        """The seeded Parquet files."""
        return Path(os.environ.get("PEERS_DATA", self.folder / "data"))

    @cached_property
    def out(self) -> Path:
        """What programs write: dumps, logs, caches."""
        return Path(os.environ.get("PEERS_OUT", self.folder / "out"))

    def peer_environment(self, dump: Path | None = None) -> dict[str, str]:
        """The environment of a peer's program: its caches stand here, not beside the scripts."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return environment | {
            "PEERS_DATA": str(self.data),
            "PEERS_OUT": str(dump or self.out),
            "NUMBA_CACHE_DIR": str(self.out / "numba"),
            "PYTHONPYCACHEPREFIX": str(self.out / "bytecode"),
        }

    def bitten_environment(self) -> dict[str, str]:
        """The environment of bitten with the benchmark's pattern installed."""
        path = [str(ROOT), str(jobs.offer_patterns(self.folder / "site")), os.environ.get("PYTHONPATH", "")]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}

    def make_data(self) -> None:
        """Run the peers' generator where its files are missing."""
        wanted = ("bars", "bars_100k", "ticks_10m", "ticks_1m", "tick_signals")
        if not all((self.data / f"{name}.parquet").is_file() for name in wanted):
            self.help("gen_data.py", "main")

    def help(self, script: str, venv: str, dump: Path | None = None) -> None:
        """Run one of the peers' programs that prepares something.

        Raises:
            BittenError: it failed, or its interpreter is not installed.
        """
        python = interpreter(venv)
        if python is None:
            raise BittenError(f"{script} needs the peers' environment {venv}; the README of {self.scripts} installs it")
        command = [str(python), *script.split()]
        done = subprocess.run(
            command, cwd=self.scripts, env=self.peer_environment(dump), capture_output=True, text=True
        )
        if done.returncode:
            raise BittenError(f"{script} failed: {done.stderr.strip()[-500:]}")

    def reference(self, case: Case) -> Any:
        """What the reference did by the case's rules; made where it is missing."""
        folder = self.out / "reference"
        path = folder / f"{case.reference_name}.npy"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            self.help(REFERENCES[case.job].format(rows=case.rows), "main", folder)
        return np.load(path)

    def catalog(self, case: Case, version: str) -> None:
        """The files from which nautilus reads ticks, where it reads them from files."""
        if "--mode catalog" in case.script and not (self.data / f"catalog_{version}_{case.rows // 10**6}m").is_dir():
            self.help(f"nautilus_make_catalog.py --n {case.rows}", case.venv)

    def fresh(self, name: str) -> Path:
        """An empty folder below `out`."""
        folder = self.out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def project(self, case: Case) -> Path:
        """The configuration of bitten's project for a case; made where it is missing."""
        version = hashlib.sha256(Path(jobs.__file__).read_bytes()).hexdigest()[:8]  # projects are as `jobs` makes them
        folder = self.folder / "projects" / f"{case.job}-{case.rows}-{version}"
        config = folder / "bitten.toml"
        if config.is_file():  # written last
            return config
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if case.job == "B":
            return jobs.make_ticks_job(folder, self._columns(case), self._tick_signals(case.rows))
        return (jobs.make_bars_job if case.job == "A" else jobs.make_sweep_job)(folder, self._columns(case))

    def times(self, case: Case) -> Ints:
        """Starts of the rows of a case's data, ns UTC."""
        ts: Ints = self._columns(case, ["ts"])["ts"]
        return ts if case.job == "B" else ts - NS_PER_MINUTE

    def _columns(self, case: Case, names: list[str] | None = None) -> Arrays:
        if case.job == "B":
            name, rows = "ticks_1m" if case.rows <= _SMALL_TICKS else "ticks_10m", case.rows
        else:
            small = case.job == "C" or case.rows <= _SMALL_BARS
            name, rows = "bars_100k" if small else "bars", min(case.rows, _SMALL_BARS) if small else case.rows
        return _read(self.data / f"{name}.parquet", rows, names)

    def _tick_signals(self, rows: int) -> Mapping[str, Any]:
        signals = _read(self.data / "tick_signals.parquet", FOREVER)
        return {name: column[signals["idx"] < rows] for name, column in signals.items()}


def _read(path: Path, rows: int, names: list[str] | None = None) -> dict[str, Any]:
    table = pq.read_table(path, columns=names).slice(0, rows)
    return {name: table[name].to_numpy() for name in table.column_names}
