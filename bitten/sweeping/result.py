"""A sweep's folder as an object: what a notebook holds afterwards."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bitten.arrow import read_parquet
from bitten.errors import BittenError
from bitten.run import Run, read_manifest, report_frame
from bitten.sweeping.table import check_figure, ranked, rows_of

if TYPE_CHECKING:
    import pandas as pd


class Sweep:
    """One finished sweep. Make one with `Sweep.open(folder)`; `bitten.sweep` returns one.

    Columns of the table and keys of the manifest are documented in docs/run-folder.md.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def open(cls, path: str | Path) -> Sweep:
        """Open the folder of a sweep.

        Raises:
            BittenError: there is none, or it holds something else.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise BittenError(f"{folder} is no folder of a sweep; `bitten runs list` shows those there are")
        manifest = read_manifest(folder)
        if manifest.get("kind") != "sweep":
            raise BittenError(f"{folder} holds a {manifest.get('kind')}, no sweep: open it with bitten.Run.open")
        return cls(folder, manifest)

    @property
    def name(self) -> str:
        """The sweep's name."""
        return str(self.manifest.get("name", self.folder.name))

    @property
    def report(self) -> Path:
        """Path of the HTML report."""
        return self.folder / "report.html"

    @property
    def axes(self) -> dict[str, list[Any]]:
        """Column of each axis, and its values."""
        return {axis["column"]: axis["values"] for axis in self.manifest["axes"]}

    @cached_property
    def table(self) -> pa.Table:
        """One row per combination, as Arrow."""
        path = self.folder / "sweep.parquet"
        try:
            return read_parquet(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise BittenError(f"{path} cannot be read: {error}; run the sweep again with --overwrite") from error

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per combination, as a DataFrame."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def best(self, figure: str = "net") -> dict[str, Any]:
        """The row of the best combination by a figure; empty where none has it. See the note on selection bias.

        Raises:
            BittenError: there is no such figure.
        """
        order = ranked(self.table, check_figure(figure))
        return rows_of(self.table, order[:1])[0] if order else {}

    def __repr__(self) -> str:
        axes = ", ".join(f"{name} ({len(values)})" for name, values in self.axes.items())
        label = " (SYNTHETIC DATA)" if (self.manifest.get("feed") or {}).get("synthetic") else ""
        return f"<Sweep {self.name}{label}: {self.manifest['combinations']:,} combinations of {axes}>"

    def _repr_html_(self) -> str:
        """The report inside the notebook."""
        if not self.report.exists():
            return f"<pre>{html.escape(repr(self))}</pre>"
        return report_frame(self.report, self.name)


def open_folder(folder: Path) -> Run | Sweep:
    """What a folder of `runs/` holds, a run or a sweep.

    Raises:
        BittenError: its manifest or summary cannot be read.
    """
    return Sweep.open(folder) if read_manifest(folder).get("kind") == "sweep" else Run.open(folder)
