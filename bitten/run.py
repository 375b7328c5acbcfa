"""A run folder as an object: what a notebook holds after a backtest."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bitten.arrow import read_parquet
from bitten.errors import BittenError, did_you_mean
from bitten.journal.schema import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from bitten.explanation import Explanation

_FRAME_HEIGHT = 900  # pixels of the report inside a notebook cell


class Run:
    """One finished run. Tables are read on first use; columns are documented in docs/run-folder.md.

    Make one with `Run.open(folder)`; `bitten.backtest` returns one.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any], stats: Mapping[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.stats = stats

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Open a run folder.

        Raises:
            BittenError: there is no run folder, or its manifest or summary cannot be read.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise BittenError(f"{folder} is no run folder; `bitten runs list` shows those there are")
        manifest = read_manifest(folder)
        if manifest.get("kind") == "sweep":
            raise BittenError(f"{folder} holds a sweep, no single run: open it with bitten.Sweep.open")
        return cls(folder, manifest, _read_json(folder / "summary.json"))

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self.manifest.get("name", self.folder.name))

    @property
    def report(self) -> Path:
        """Path of the HTML report."""
        return self.folder / "report.html"

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The tables of every run by name, as Arrow: signals, decisions, trades, outcomes, equity, ..."""
        return {name: self._read(name) for name in TABLES}

    def table(self, name: str) -> pa.Table:
        """One table by name, also one that a gate or shield has left beside those that every run has.

        Raises:
            BittenError: there is none of that name.
        """
        there = sorted(path.stem for path in self.folder.glob("*.parquet"))
        if name not in there:
            raise BittenError(f'{self.folder} has no table "{name}"{did_you_mean(name, there)}')
        return self._read(name)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row per closed position, in the order of closing."""
        return self._frame("trades")

    @cached_property
    def signals(self) -> pd.DataFrame:
        """One row per signal."""
        return self._frame("signals")

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row per gate, account and signal."""
        return self._frame("decisions")

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """How every signal ended at its own stop or target, fired or not."""
        return self._frame("outcomes")

    @cached_property
    def equity(self) -> pd.DataFrame:
        """Balance and equity over time, per account."""
        return self._frame("equity")

    def explain(self, wanted: str, account: str | None = None) -> Explanation:
        """Why a signal was fired or not; shown in a notebook as a page.

        Args:
            wanted: a signal's or fire's id, or a beginning or end of one that no other has.
            account: whose part is told; of many the most telling one by default.

        Raises:
            BittenError: there is no such signal or account, or several have such an id.
        """
        from bitten.analysis.signal_rows import HOW_TO_LIST, near_misses
        from bitten.explanation import explain

        found = explain(self.folder, self.manifest, wanted, account)
        if found is None:
            hint = near_misses(self.folder, wanted)
            raise BittenError(f'no signal or fire "{wanted}" in run {self.name}{hint or ";"} {HOW_TO_LIST}')
        return found

    def _read(self, name: str) -> pa.Table:
        path = self.folder / f"{name}.parquet"
        try:
            return read_parquet(path)
        except (OSError, pa.ArrowInvalid) as error:
            reason = _reason(error)
            raise BittenError(f"{path} cannot be read: {reason}; the run folder is incomplete, run it again") from error

    def _frame(self, name: str) -> pd.DataFrame:
        frame: pd.DataFrame = self.tables[name].to_pandas()
        return frame

    def __repr__(self) -> str:
        from bitten.analysis.figures import BY_KEY, show
        from bitten.analysis.terminal import alert_count, is_synthetic, period_text

        currency = self.stats.get("currency")
        keys = ("trades", "win_rate", "net", "expectancy_r", "max_drawdown", "sharpe")
        figures = ", ".join(
            f"{BY_KEY[key].label.lower()} {show(BY_KEY[key], self.stats.get(key), currency)}" for key in keys
        )
        label = " (SYNTHETIC DATA)" if is_synthetic(self.manifest) else ""
        count = alert_count(self.manifest)
        alerts = f" [{count}]" if count else ""
        return f"<Run {self.name}{label}{alerts} {period_text(self.manifest)}: {figures}>"

    def _repr_html_(self) -> str:
        """The report inside the notebook: the page itself, so that it works offline and in a saved notebook."""
        if not self.report.exists():
            return f"<pre>{html.escape(repr(self))}</pre>"
        return report_frame(self.report, self.name)


def report_frame(report: Path, name: str) -> str:
    """A report as an element of a notebook's page."""
    page = html.escape(report.read_text(encoding="utf-8"), quote=True)
    return (
        f'<iframe srcdoc="{page}" sandbox="allow-scripts allow-popups" title="Report of {html.escape(name)}" '
        f'style="width:100%;height:{_FRAME_HEIGHT}px;border:0;border-radius:8px"></iframe>'
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder that a run or a sweep has left.

    Raises:
        BittenError: it cannot be read.
    """
    return _read_json(folder / "manifest.json")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BittenError(f"{path} cannot be read: {_reason(error)}; this is no complete run folder") from error
    if not isinstance(content, dict):
        raise BittenError(f"{path} holds no JSON object; this is no complete run folder")
    return content


def _reason(error: Exception) -> str:
    """What an error says beyond the path, which its reader has been told."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
