"""The rows of a sweep on their way to the table: appended to a file as they come, so that a kill loses none of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bitten.runfolder import UNFINISHED
from bitten.sweeping.table import COLUMNS, Figures

ROWS: Final = "rows.jsonl"


class RowLog:
    """`rows.jsonl` in the staging folder of a sweep, one JSON object per finished combination.

    Args:
        folder: the staging folder.
        identity: what the sweep is; None for a sweep that cannot be continued, whose rows stay in memory.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any] | None) -> None:
        self._folder = folder
        self._identity = identity
        self.rows = self.kept()
        self.earlier = len(self.rows)  # done before this process began

    def kept(self) -> dict[int, Figures]:
        """The rows on the disk, by combination."""
        return self._read() if (self._folder / UNFINISHED).exists() else {}

    def add(self, rows: Mapping[int, Figures]) -> None:
        """Keep finished rows; they are on the disk when this returns."""
        if self._identity is not None:
            if not (self._folder / UNFINISHED).exists():
                self._begin()
            lines = [json.dumps({"combination": i, "figures": row}, allow_nan=False) for i, row in rows.items()]
            with (self._folder / ROWS).open("ab") as file:
                file.write("".join(f"{line}\n" for line in lines).encode())
                file.flush()
                os.fsync(file.fileno())
        self.rows.update(rows)

    def _begin(self) -> None:
        """State the identity whole or not at all: from then on the folder is kept."""
        fresh = self._folder / f"{UNFINISHED}.new"
        with fresh.open("wb") as file:
            file.write(json.dumps(self._identity, ensure_ascii=False, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / UNFINISHED)

    def _read(self) -> dict[int, Figures]:
        """The rows of an earlier process; the file is cut where a line is torn or unreadable."""
        path = self._folder / ROWS
        content = path.read_bytes() if path.exists() else b""
        rows: dict[int, Figures] = {}
        good = 0
        for line in content.splitlines(keepends=True):
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                row = None
            if not isinstance(row, dict) or set(row.get("figures", ())) != set(COLUMNS):
                break
            rows[int(row["combination"])] = row["figures"]
            good += len(line)
        if good < len(content):
            os.truncate(path, good)
        return rows


def clear(folder: Path) -> None:
    """Take the rows away from a finished sweep: its table holds them."""
    for name in (UNFINISHED, ROWS):
        (folder / name).unlink(missing_ok=True)
