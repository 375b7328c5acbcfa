"""What code reaches for beyond its arguments: files, the network, other programs; seen by the interpreter's audit hook.

Python reports every `open`, socket and subprocess of Python code. Libraries that open files in C of their own (Arrow,
DuckDB) are not seen.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import bitten

_COMPILERS: Final = ("numba", "llvmlite")
_CODE: Final = (".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".nbi", ".nbc", ".pth")
_SYSTEM: Final = ("/proc/", "/sys/", "/dev/", "/usr/lib", "/usr/share", "/etc/localtime", "/etc/ld.so")
_ELSEWHERE: Final = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
                     "sqlite3.connect", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.")  # fmt: skip
_CHANGES: Final = ("os.rename", "os.remove", "os.unlink", "os.mkdir", "os.rmdir", "os.truncate", "os.link",
                   "os.symlink", "shutil.")  # fmt: skip
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Touched(NamedTuple):
    """One thing outside that code reached for."""

    phase: str  # when, in words
    what: str  # "read", "wrote", "changed" or "used"
    name: str  # of the file, or of the audited event


_watchers: list[tuple[str, list[Touched]]] = []


@contextmanager
def watched(phase: str, found: list[Touched]) -> Iterator[None]:
    """Append to `found` whatever is reached for within the block, on any thread."""
    _install()
    _watchers.append((phase, found))
    try:
        yield
    finally:
        _watchers.pop()


@cache
def _install() -> None:
    """An audit hook stays as long as the process lives; it does nothing while nobody watches."""
    sys.addaudithook(_heard)


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if not _watchers:
        return
    touched = _classify(event, args)
    if touched is not None and not _compiling():
        phase, found = _watchers[-1]
        found.append(Touched(phase, *touched))


def _compiling() -> bool:
    """Whether numba is at work: it reads what is installed and asks the system for its libraries."""
    frame = sys._getframe(2)
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _COMPILERS:
            return True
        frame = frame.f_back
    return False


def _classify(event: str, args: tuple[Any, ...]) -> tuple[str, str] | None:
    if event == "open":
        path, mode, flags = args
        if isinstance(path, int):
            return None
        name = os.fsdecode(path)
        writes = bool(set(mode or "") & set("wax+")) or bool((flags or 0) & _WRITING)
        return None if _harmless(name, writes) else ("wrote" if writes else "read", name)
    if event.startswith(_CHANGES):
        names = [os.fsdecode(arg) for arg in args if isinstance(arg, (str, bytes, os.PathLike))]
        return None if names and _harmless(names[-1], True) else ("changed", " ".join(names) or event)
    return ("used", event) if event.startswith(_ELSEWHERE) else None


def _harmless(name: str, writes: bool) -> bool:
    """Imports, numba's cache of compiled kernels, and what belongs to Python, bitten or the system itself."""
    path = name.partition(".tmp.")[0]  # numba writes beside the file that it then renames
    if path.endswith((".nbi", ".nbc")) or os.sep + "__pycache__" in path:
        return True
    return not writes and (path.endswith(_CODE) or path.startswith(_SYSTEM + _own_folders()))


@cache
def _own_folders() -> tuple[str, ...]:
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*sorted(places), str(Path(bitten.__file__).parent))
