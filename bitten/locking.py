"""Locks between processes: a locked file, which the system gives back when its owner dies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def locked(path: Path, wait: bool) -> Iterator[bool]:
    """Hold a lock file, which is made where it is missing; yields whether it was free (always, with `wait`)."""
    with path.open("a+b") as file:
        got = take(file, wait)
        try:
            yield got
        finally:
            if got:
                give_back(file)


if sys.platform == "win32":
    import msvcrt

    def take(file: IO[bytes], wait: bool) -> bool:
        """Lock an open file; whether it was free."""
        file.seek(0)
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:  # LK_LOCK gives up after ten seconds
                if not wait:
                    return False
            else:
                return True

    def give_back(file: IO[bytes]) -> None:
        """Unlock it."""
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def take(file: IO[bytes], wait: bool) -> bool:
        """Lock an open file; whether it was free."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def give_back(file: IO[bytes]) -> None:
        """Unlock it."""
        fcntl.flock(file, fcntl.LOCK_UN)
