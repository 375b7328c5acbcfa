"""Writing a run folder: everything beside its place first, then one rename, so that no half folder is ever seen."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bitten.errors import BittenError

_DAY_SECONDS = 86_400.0
_NAME = re.compile(r"[\w][\w.\-]*\Z")


def next_name(output: Path, stem: str) -> str:
    """`stem-0001`, or the next number that is free."""
    taken = [int(match[1]) for path in output.glob(f"{stem}-*") if (match := re.fullmatch(rf"{stem}-(\d+)", path.name))]
    return f"{stem}-{max(taken, default=0) + 1:04d}"


@contextmanager
def staged(output: Path, name: str, overwrite: bool = False) -> Iterator[Path]:
    """A folder to write into; it becomes `output/name` when the block ends well, and vanishes when it does not.

    Raises:
        BittenError: a run of that name exists and `overwrite` is not set, or the folder cannot be written.
    """
    if not _NAME.match(name):
        raise BittenError(f'run name "{name}" cannot be a folder: use letters, digits, "-", "_" and "."')
    final = output / name
    if final.exists() and not overwrite:
        raise BittenError(f"{final} exists: choose another --name, or --overwrite to replace that run")
    staging = output / f".{name}.part-{os.getpid()}"
    try:
        staging.mkdir(parents=True)
        _clear_remains(output, staging)
    except OSError as error:
        raise BittenError(
            f"{output} cannot be written: {error.strerror}; choose another folder with --output"
        ) from error
    try:
        yield staging
        if final.exists():
            old = output / f".{name}.old-{os.getpid()}"
            final.rename(old)
            staging.rename(final)
            shutil.rmtree(old)
        else:
            staging.rename(final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _clear_remains(output: Path, staging: Path) -> None:
    """Remove what runs that were killed have left; another run that is still at work is younger than a day."""
    now = staging.stat().st_mtime
    for left in output.glob(".*.part-*"):
        with contextlib.suppress(OSError):
            if now - left.stat().st_mtime > _DAY_SECONDS:
                shutil.rmtree(left)


def write_tables(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write each table as `name.parquet`; equal tables give equal bytes."""
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people and tools: indented, UTF-8, refusing NaN."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
