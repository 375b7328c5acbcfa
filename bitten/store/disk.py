"""What a disk refuses (read-only, full, not permitted) as one line that says what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bitten.errors import DataError


def reason(error: OSError) -> str:
    """The system's own words without number and path: "Read-only file system"."""
    return os.strerror(error.errno) if error.errno else str(error) or type(error).__name__


@contextmanager
def writing_to(path: Path, remedy: str) -> Iterator[None]:
    """Turn the refusal of a disk into an error that names the path and the next step.

    Args:
        path: what is being written; an error about another file is one of reading.
        remedy: the next step, as "choose another folder with --store".

    Raises:
        DataError: the system refused to write (or, where it names a file elsewhere, to read).
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None and not _within(Path(os.fsdecode(error.filename)), path):
            raise DataError(f"{os.fsdecode(error.filename)} cannot be read: {reason(error)}") from error
        first = "make room, or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise DataError(f"{path} cannot be written: {reason(error)}; {first}{remedy}") from error


def _within(inner: Path, outer: Path) -> bool:
    """Whether a path is another one, lies below it, or is a folder above it that could not be made."""
    inner, outer = inner.absolute(), outer.absolute()
    is_draft = inner.parent == outer.parent and inner.name.startswith(f".{outer.name}.")
    return inner.is_relative_to(outer) or outer.is_relative_to(inner) or is_draft
