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
UNFINISHED: Final = "unfinished.json"  # what a kept staging folder was for: its work is continued, not thrown away
_NAME: Final = re.compile(r"\w(?:[\w.\-]*[\w\-])?\Z")


@contextmanager
def staged(
    output: Path,
    name: str | None,
    stem: str = "backtest",
    overwrite: bool = False,
    identity: Mapping[str, Any] | None = None,
) -> Iterator[Path]:
    """A folder to write into; it becomes `output/NAME` when the block ends well, and vanishes when it does not.

    Work that can be continued writes its identity to `unfinished.json` in the folder. Such a folder stays when the
    block fails or the process dies, and is handed out again for an equal identity; once it is in its place, its owner
    removes the file.

    Args:
        output: the folder of run folders.
        name: of the run; None for the next free `stem-0001`. The staging folder's own name is `.NAME.part`.
        overwrite: replace a finished run of that name, or unfinished work of another identity.
        identity: what the work is, ready for JSON; None for work that cannot be continued.

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
                staging = _claim(output, name, stem, overwrite, identity)
                held.enter_context(locked(staging / LOCK, wait=True))
        except OSError as error:
            raise BittenError(f"{output} cannot be written: {error.strerror}; choose another with --output") from error
        try:
            yield staging
        except BaseException:
            held.close()
            if not (staging / UNFINISHED).exists():
                shutil.rmtree(staging, ignore_errors=True)
            raise
        held.close()
        with locked(output / LOCK, wait=True):
            (staging / LOCK).unlink()
            _put_in_place(staging, output / run_name(staging))


def run_name(staging: Path) -> str:
    """The name of the run that a staging folder is for."""
    return staging.name.removeprefix(".").removesuffix(".part")


def _claim(output: Path, name: str | None, stem: str, overwrite: bool, identity: Mapping[str, Any] | None) -> Path:
    """Make the staging folder of a run that nobody else has, or find the one to go on in; the output's lock is held."""
    if name is None:
        for staging in sorted(output.glob(f".{stem}-*.part")):
            if identity is not None and _identity(staging) == identity and _dead(staging):
                return staging
        taken = [re.fullmatch(rf"\.?{re.escape(stem)}-(\d+)(?:\.part)?", path.name) for path in output.iterdir()]
        name = f"{stem}-{max((int(match[1]) for match in taken if match), default=0) + 1:04d}"
    elif (output / name).exists() and not overwrite:
        raise BittenError(f"{output / name} exists: choose another --name, or --overwrite to replace that run")
    staging = output / f".{name}.part"
    if staging.exists():
        if not _dead(staging):
            raise BittenError(f"another run is writing {output / name} at this moment: choose another --name")
        found = _identity(staging)
        if identity is not None and found == identity:
            return staging
        if not overwrite:
            raise BittenError(
                f"{output / name} is an unfinished sweep{_difference(found, identity)}: choose another --name, or "
                "--overwrite to discard it"
            )
        shutil.rmtree(staging)
    staging.mkdir()
    return staging


def _difference(found: Any, identity: Mapping[str, Any] | None) -> str:
    """Where the unfinished work is another than what is asked for; passwords and the like stay unsaid."""
    from bitten.analysis.compare import different_keys
    from bitten.analysis.sections import blot

    if identity is None:
        return ""
    keys = different_keys(blot(found), blot(identity))
    if not keys:
        return " of another configuration"
    key, (before, now) = next(iter(keys.items()))
    more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
    return f" of something else ({key} was {before}, is {now}{more})"


def _identity(staging: Path) -> Any:
    try:
        return json.loads((staging / UNFINISHED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _dead(staging: Path) -> bool:
    """Whether nobody is at work in a staging folder."""
    with locked(staging / LOCK, wait=False) as free:
        return free


def _restore(output: Path) -> None:
    """Clear up after runs that were killed: staging folders go, unless their work can be continued; a run they were
    about to replace comes back.
    """
    for staging in output.glob(".*.part"):
        if _dead(staging) and not (staging / UNFINISHED).exists():
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
