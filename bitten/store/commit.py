"""Putting finished files in place, all or none of them, whenever the process dies.

An import writes whole new month files below `.staging`. Its commit is one rename: `.commit.json`, which lists the moves
that are still to be made. Before that rename the store is untouched and the staging folder is rubbish; after it the
import is complete, and whoever opens the store next makes the moves that are missing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from bitten.errors import DataError
from bitten.locking import give_back, take
from bitten.store.disk import writing_to

STAGING: Final = ".staging"
JOURNAL: Final = ".commit.json"
LOCK: Final = ".lock"


@contextmanager
def writing(store: Path) -> Iterator[Path]:
    """Hold the store for one import; yields its empty staging folder, which is gone afterwards.

    A store that did not exist before, and into which nothing came, does not exist afterwards either.

    Raises:
        DataError: another process is importing into the store, or the disk refuses.
    """
    is_new = not store.exists()
    try:
        with writing_to(store, "choose another folder with --store"):
            store.mkdir(parents=True, exist_ok=True)
            with _locked(store, wait=False) as got:
                if not got:
                    raise DataError(
                        f"another import is writing to {store}; let it finish, or use another store with --store"
                    )
                _settle(store)
                staging = store / STAGING
                staging.mkdir()
                try:
                    yield staging
                finally:
                    if not (store / JOURNAL).exists():  # else the commit was cut short, staging holds the rest of it
                        shutil.rmtree(staging, ignore_errors=True)
                    if is_new and sys.platform != "win32":
                        _forget_lock(store)  # while it is held: nobody else can be given the file that goes
    finally:
        if is_new:
            if sys.platform == "win32":
                _forget_lock(store)  # an open file cannot go there, and one that another process holds does not
            with suppress(OSError):
                store.rmdir()


def _forget_lock(store: Path) -> None:
    """Remove the lock of a store that holds nothing else."""
    with suppress(OSError):
        if [path.name for path in store.iterdir()] == [LOCK]:
            (store / LOCK).unlink()


def commit(store: Path, files: Sequence[Path]) -> None:
    """Move staged files to where they belong: `.staging/new/EURUSD/2014-05.parquet` to `EURUSD/2014-05.parquet`."""
    staged = store / STAGING / "new"
    moves = sorted(path.relative_to(staged).as_posix() for path in files)
    for path in files:
        _flush(path)
    for folder in sorted({parent for path in files for parent in path.parents if parent.is_relative_to(staged)}):
        _flush(folder)
    _flush(staged.parent)
    draft = store / STAGING / "journal"
    draft.write_text(json.dumps(moves), encoding="utf-8")
    _flush(draft)
    draft.replace(store / JOURNAL)
    _flush(store)
    _settle(store)


def recover(store: Path) -> None:
    """Finish a commit that was cut short, and sweep up after an import that died before its commit.

    Costs two look-ups where there is nothing to do. Raises DataError where a commit cannot be finished.
    """
    try:
        if (store / JOURNAL).exists():
            with _locked(store, wait=True) as got:  # a commit that is under way in another process ends soon
                if not got:  # the folder was taken away meanwhile
                    raise DataError(f"another import is writing to {store}; let it finish, then try again")
                _settle(store)
    except OSError as error:
        raise DataError(
            f"{store} holds an import that was cut short and cannot be finished: {error}; it needs write access once"
        ) from error
    if (store / STAGING).exists() and os.access(store, os.W_OK):
        with suppress(OSError), _locked(store, wait=False) as got:  # rubbish may stay where the disk refuses
            if got:
                _settle(store)


def _settle(store: Path) -> None:
    """Make the moves that the journal still lists, then forget journal and staging. The lock is held.

    Raises:
        DataError: a file that is to be moved is neither there nor already in place.
    """
    journal, staged = store / JOURNAL, store / STAGING / "new"
    if journal.exists():
        for move in json.loads(journal.read_text(encoding="utf-8")):
            source, target = staged / move, store / move
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
                _flush(target.parent)
                _flush(target.parent.parent)
            elif not target.exists():
                raise DataError(
                    f"{journal} lists {move}, which is neither in {staged} nor in place: files of the store were "
                    f"removed; remove {journal} and import that month again"
                )
        journal.unlink()
        _flush(store)
    if (store / STAGING).exists():
        shutil.rmtree(store / STAGING)


@contextmanager
def _locked(store: Path, wait: bool) -> Iterator[bool]:
    """Hold the store's lock, which the system takes back when a process dies; yields whether it was free."""
    with (store / LOCK).open("a+b") as file:
        got = take(file, wait) and _is_current(file, store / LOCK)
        try:
            yield got
        finally:
            if got:
                give_back(file)


def _is_current(file: IO[bytes], path: Path) -> bool:
    """Whether a lock is still the store's: an import that brought nothing takes a new store away again."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _flush(path: Path) -> None:
    """Wait until a file's bytes or a folder's names are on the disk."""
    if sys.platform == "win32" and path.is_dir():
        return  # Windows has no handle to flush a folder with
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
