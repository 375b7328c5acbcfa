"""Writing a run folder: everything beside its place first, then one rename, so that no half folder is ever seen.

A run works in `.NAME.part`, whose lock it holds while it lives: two runs never share a name, and what a killed run has
left is told from one that is still at work.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from bitten.errors import BittenError
from bitten.locking import locked

LOCK: Final = ".lock"
_NAME: Final = re.compile(r"\w(?:[\w.\-]*[\w\-])?\Z")


@contextmanager
def staged(output: Path, name: str | None, stem: str = "backtest", overwrite: bool = False) -> Iterator[Path]:
    """A folder to write into; it becomes `output/NAME` when the block ends well, and vanishes when it does not.

    Args:
        output: the folder of run folders.
        name: of the run; None for the next free `stem-0001`. The staging folder's own name is `.NAME.part`.
        overwrite: replace a finished run of that name.

    Raises:
        BittenError: a run of that name exists or is at work, or the folder cannot be written.
    """
    if name is not None and not _NAME.match(name):
        raise BittenError(f'run name "{name}" cannot be a folder: use letters, digits, "-", "_" and "."')
    with ExitStack() as held:
        try:
            output.mkdir(parents=True, exist_ok=True)
            with locked(output / LOCK, wait=True):
                _restore(output)
                staging = _claim(output, name, stem, overwrite)
                held.enter_context(locked(staging / LOCK, wait=True))
        except OSError as error:
            raise BittenError(f"{output} cannot be written: {error.strerror}; choose another with --output") from error
        try:
            yield staging
        except BaseException:
            held.close()
            shutil.rmtree(staging, ignore_errors=True)
            raise
        held.close()
        with locked(output / LOCK, wait=True):
            (staging / LOCK).unlink()
            _put_in_place(staging, output / run_name(staging))


def run_name(staging: Path) -> str:
    """The name of the run that a staging folder is for."""
    return staging.name.removeprefix(".").removesuffix(".part")


def _claim(output: Path, name: str | None, stem: str, overwrite: bool) -> Path:
    """Make the staging folder of a run that nobody else has; the output's lock is held."""
    if name is None:
        taken = [re.fullmatch(rf"\.?{re.escape(stem)}-(\d+)(?:\.part)?", path.name) for path in output.iterdir()]
        name = f"{stem}-{max((int(match[1]) for match in taken if match), default=0) + 1:04d}"
    elif (output / name).exists() and not overwrite:
        raise BittenError(f"{output / name} exists: choose another --name, or --overwrite to replace that run")
    staging = output / f".{name}.part"
    if staging.exists():
        raise BittenError(f"another run is writing {output / name} at this moment: choose another --name")
    staging.mkdir()
    return staging


def _restore(output: Path) -> None:
    """Clear up after runs that were killed: their staging folders go, a run they were about to replace comes back."""
    for staging in output.glob(".*.part"):
        with locked(staging / LOCK, wait=False) as dead:
            pass
        if dead:
            shutil.rmtree(staging, ignore_errors=True)
    for old in output.glob(".*.old"):
        final = output / old.name.removeprefix(".").removesuffix(".old")
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(final)


def _put_in_place(staging: Path, final: Path) -> None:
    old = final.parent / f".{final.name}.old"
    if not final.exists():
        staging.rename(final)
        return
    final.rename(old)
    try:
        staging.rename(final)
    except OSError:
        old.rename(final)
        raise
    with suppress(OSError):
        shutil.rmtree(old)


def write_tables(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write each table as `name.parquet`; equal tables give equal bytes."""
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people and tools: indented, UTF-8, refusing NaN."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
