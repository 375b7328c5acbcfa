"""Keyword arguments of `bitten.backtest` as sections of a configuration: frames, names, and pattern classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bitten.errors import BittenError


def notebook_sections(
    config: str | Path | Mapping[str, Any] | None, data: Any, sections: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, type]]:
    """Sections to lay over a configuration, and the pattern classes among them by name.

    Raises:
        BittenError: frames without symbols, or two classes of one name.
    """
    laid_over = dict(sections)
    if data is not None:
        stated = sections.get("feed") or (config.get("feed", {}) if isinstance(config, Mapping) else {})
        laid_over["feed"] = {"use": "frame", "symbols": _symbols(data), **stated}
    classes: dict[str, type] = {}
    patterns = sections.get("patterns", config.get("patterns") if isinstance(config, Mapping) else None)
    if patterns is not None:
        one = isinstance(patterns, (str, type, Mapping)) or not isinstance(patterns, Sequence)
        laid_over["patterns"] = [_pattern(item, classes) for item in ([patterns] if one else patterns)]
    return laid_over, classes


def _symbols(data: Any) -> list[str]:
    """The symbols of frames by symbol, or of one frame with a column of them."""
    if isinstance(data, Mapping):
        return list(data)
    names = {str(name).lower(): name for name in getattr(data, "columns", getattr(data, "column_names", ()))}
    if "symbol" not in names:
        raise BittenError('data is one frame without a symbol column: give frames by symbol, as data={"EURUSD": frame}')
    column = data[names["symbol"]]
    return list(dict.fromkeys(str(value) for value in (column.to_pylist() if hasattr(column, "to_pylist") else column)))


def _pattern(item: Any, classes: dict[str, type]) -> Any:
    """A pattern as its table; a class is given a name and remembered."""
    if isinstance(item, str):
        return {"use": item}
    use = item.get("use") if isinstance(item, Mapping) else item
    if not isinstance(use, type):
        return item
    label = "".join("_" + letter.lower() if letter.isupper() else letter for letter in use.__name__).strip("_")
    if classes.setdefault(label, use) is not use:
        raise BittenError(f"two different pattern classes are called {use.__name__}: rename one of them")
    return {**(item if isinstance(item, Mapping) else {}), "use": label}
