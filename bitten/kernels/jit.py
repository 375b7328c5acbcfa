"""The one numba wrapper: cached on disk, without the GIL, plain Python under BITTEN_NOJIT=1 (debugging, coverage).

numba's own cache notices a changed file only where the function itself stands, not where one that it calls does. So
compiled kernels are kept in a folder that is named by a digest of all kernel sources: what is loaded was compiled from
exactly what is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

NOJIT: Final = os.environ.get("BITTEN_NOJIT") == "1"
_KEPT: Final = 12  # caches of other digests that survive: other environments and versions on this machine
_announced = False


def kernel(function: Function) -> Function:
    """Compile a function of arrays, scalars and ints on first use; later processes load it from the cache."""
    if NOJIT:
        return function
    import numba

    folder = _cache_folder(function.__module__.partition(".")[0])
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder or "")
    try:
        compiled: Any = numba.njit(cache=folder is not None, nogil=True)(function)
    finally:
        config.CACHE_DIR = before
    return cast(Function, compiled)


@cache
def _cache_folder(package: str) -> Path | None:
    """Where the kernels of a top-level package are kept, None where nothing can be written."""
    from numba.misc import appdirs

    places: Any = appdirs
    base = Path(os.environ.get("NUMBA_CACHE_DIR") or places.user_cache_dir("bitten"))
    folder = base / f"kernels-{_digest(package)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            return None
        others = sorted(base.glob("kernels-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in others[_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError:
        return None
    return folder


def _digest(package: str) -> str:
    """A digest of bitten's kernels and of every source of the package that a kernel stands in."""
    digest = hashlib.sha256()
    sources = set(Path(__file__).parent.glob("*.py")) | {Path(__file__).parent.parent / "model" / "dtypes.py"}
    module = sys.modules.get(package)
    if package != "bitten" and module is not None and getattr(module, "__file__", None):
        sources |= set(Path(str(module.__file__)).parent.rglob("*.py"))
    for path in sorted(sources):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def announce_compilation() -> None:
    """Tell a person at a terminal, once, when numba really compiles (the first run after an installation)."""
    global _announced
    if NOJIT or _announced:
        return
    _announced = True
    from numba.core import event

    class Announcer(event.Listener):
        told = False

        def on_start(self, event: object) -> None:
            if not self.told:
                self.told = True
                print("compiling kernels (first run only, about 15 s; cached afterwards) ...", file=sys.stderr)

        def on_end(self, event: object) -> None:
            pass

    register: Any = event.register
    register("numba:compile", Announcer())
