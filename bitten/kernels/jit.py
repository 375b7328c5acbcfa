"""The one numba wrapper: cached on disk, without the GIL, plain Python under BITTEN_NOJIT=1 (debugging, coverage)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

NOJIT = os.environ.get("BITTEN_NOJIT") == "1"
_announced = False


def kernel(function: Function) -> Function:
    """Compile a function of arrays, scalars and ints on first use; later processes load it from numba's cache."""
    if NOJIT:
        return function
    import numba

    compiled: Any = numba.njit(cache=True, nogil=True)(function)
    return cast(Function, compiled)


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
                print("compiling kernels (first run only, about 20 s; cached afterwards) ...", file=sys.stderr)

        def on_end(self, event: object) -> None:
            pass

    register: Any = event.register
    register("numba:compile", Announcer())
