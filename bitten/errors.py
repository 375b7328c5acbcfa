"""Errors a person can act on. Everything else that is raised is a bug and keeps its traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BittenError(Exception):
    """An expected failure: one line that says what was found, where, what is allowed and what was probably meant.

    The command line prints it and exits with code 2; a notebook shows it like any exception.
    """

    exit_code = 2


class ConfigError(BittenError):
    """The configuration cannot be used as written; the message starts with `file:line` where that is known."""


class DataError(BittenError):
    """A file or a store holds what bitten must not guess about."""


class UnknownSymbolError(BittenError):
    """No instrument of that name is known; the message names the keys that describe one."""


class PluginError(BittenError):
    """A plugin is missing, clashes with another, or does not keep its contract."""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return `: did you mean "x"?` for a near miss, else `: allowed are a, b, c` (sorted)."""
    options = sorted(allowed)
    close = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    if close:
        return f': did you mean "{close[0]}"?'
    return f": allowed are {', '.join(options)}" if options else ": nothing is registered under that name"
