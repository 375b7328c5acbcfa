"""A machine whose clock is wrong: what Python code reads of the time, set ahead for a while."""

from __future__ import annotations

import ast
import contextlib
import datetime
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, ModuleType
from typing import Any, Final
from unittest import mock

import numpy as np

from bitten.model.dtypes import NS_PER_SECOND

_SECONDS: Final = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
_OF_NOW: Final = ("gmtime", "localtime", "ctime")  # of the present where they are given no time
_READERS: Final = {
    "Timestamp": ("now", "today", "utcnow"),
    "datetime64": ("now", "today"),
    "to_datetime": ("now", "today"),
}


@contextlib.contextmanager
def shifted_clock(kind: type, seconds: int) -> Iterator[None]:
    """Set the clock ahead for Python code: in `time`, `datetime`, numpy, and the modules of a class and its bases."""
    replacements = _replacements(seconds)
    own = [sys.modules[base.__module__] for base in kind.__mro__ if base.__module__ in sys.modules]
    modules = dict.fromkeys([time, datetime, *(module for module in own if module.__name__ != "builtins")])
    with contextlib.ExitStack() as stack:
        for module in modules:
            for name, value in list(vars(module).items()):
                if isinstance(value, type | BuiltinFunctionType) and value in replacements:
                    stack.enter_context(mock.patch.object(module, name, replacements[value]))
        stack.enter_context(mock.patch.object(np, "datetime64", _shifted_numpy(seconds)))
        yield


class _Posing(type):
    """Of classes for whose instances those of their base pass as well."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__mro__[1])


def _replacements(seconds: int) -> dict[Any, Any]:
    class Shifted(datetime.datetime, metaclass=_Posing):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return super().now(tz) + datetime.timedelta(seconds=seconds)

        @classmethod
        def utcnow(cls) -> Shifted:
            return cls.now(datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Shifted:
            return cls.now()

    class ShiftedDate(datetime.date, metaclass=_Posing):
        @classmethod
        def today(cls) -> datetime.date:  # type: ignore[override]  # a plain date is what callers expect
            return Shifted.now().date()

    replaced: dict[Any, Any] = {datetime.datetime: Shifted, datetime.date: ShiftedDate}
    for name in _SECONDS:
        replaced[getattr(time, name)] = _ahead(getattr(time, name), seconds)
        nanoseconds = getattr(time, f"{name}_ns")
        replaced[nanoseconds] = _ahead(nanoseconds, seconds * NS_PER_SECOND)
    for name in _OF_NOW:
        replaced[getattr(time, name)] = _of(getattr(time, name), time.time, seconds)  # noqa: TID251  # patched, not used
    replaced[time.strftime] = _formatted(time.strftime, time.localtime, time.time, seconds)  # noqa: TID251  # likewise
    for name, factor in (("clock_gettime", 1), ("clock_gettime_ns", NS_PER_SECOND)):
        if hasattr(time, name):
            replaced[getattr(time, name)] = _ahead(getattr(time, name), seconds * factor)
    return replaced


def _ahead(clock: Callable[..., Any], shift: int) -> Callable[..., Any]:
    return lambda *args: clock(*args) + shift


def _of(function: Callable[[float], Any], now: Callable[[], float], shift: int) -> Callable[..., Any]:
    return lambda when=None: function(now() + shift if when is None else when)


def _formatted(
    function: Callable[..., str], local: Callable[[float], Any], now: Callable[[], float], shift: int
) -> Callable[..., str]:
    return lambda form, when=None: function(form, local(now() + shift) if when is None else when)


def _shifted_numpy(seconds: int) -> type:
    """A `numpy.datetime64` whose "now" and "today" are set ahead, and which otherwise makes real ones."""
    real = np.datetime64

    class Shifted(np.datetime64, metaclass=_Posing):
        def __new__(cls, *args: Any) -> Any:
            made: Any = real(*args)
            return made + np.timedelta64(seconds, "s") if args[:1] in (("now",), ("today",)) else made

    return Shifted


def clock_in_source(kind: type) -> str:
    """Where the module of a class or of its bases asks pandas or numpy for the present, "" where none does.

    Those clocks are written in C, where no patch reaches them.
    """
    for base in kind.__mro__:
        module = sys.modules.get(base.__module__)
        if module is None or module.__name__.partition(".")[0] in ("builtins", "abc", "bitten"):
            continue
        if place := _first_reader(module):
            return place
    return ""


def _first_reader(module: ModuleType) -> str:
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _reader(node)):
            return f"{module.__name__}, line {node.lineno}: {name}"
    return ""


def _reader(node: ast.Call) -> str:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    holder = function.value if isinstance(function, ast.Attribute) else None
    word = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
    if word == "Timestamp" and name in _READERS["Timestamp"]:
        return f"{word}.{name}()"
    first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    return f'{name}("{first}")' if name in _READERS and first in _READERS[name] else ""
