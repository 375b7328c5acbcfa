"""Signals with their fate, one line each: where a person looks for the id to explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bitten.analysis.columns import words
from bitten.analysis.explain import EXECUTOR
from bitten.analysis.explain_numbers import moment, signed_r
from bitten.analysis.signal_rows import as_rows, whole_table
from bitten.arrow import from_numpy
from bitten.errors import BittenError, did_you_mean

_UNDONE: Final = {"expired": "unanswered", "declined": "declined", "open": "waiting"}
_NARROW: Final = 100  # columns below which a signal takes less of them


class Fated(NamedTuple):
    """A signal and what became of it."""

    id: str
    time: int  # ns UTC
    pattern: str
    symbol: str
    side: str
    confidence: float
    fate: str  # fired, expired, rejected, refused, declined, unanswered, waiting, unknown
    by: str  # the gate that refused, or how the position ended
    r: float | None  # of the signal at its own stop or target


def list_fates(folder: Path, pattern: str | None = None, symbol: str | None = None) -> list[Fated]:
    """The signals of a run, by time, of one pattern or symbol where one is named.

    Raises:
        BittenError: the folder is damaged, or there is no signal of that pattern or symbol.
    """
    columns = ["signal_id", "time", "pattern", "symbol", "side", "confidence"]
    signals = as_rows(whole_table(folder, "signals").select(columns))
    for name, wanted in (("pattern", pattern), ("symbol", symbol)):
        known = {row[name] for row in signals}
        if wanted is not None and wanted not in known:
            raise BittenError(f'the run has no signal of {name} "{wanted}"{did_you_mean(wanted, known)}')
        signals = [row for row in signals if wanted is None or row[name] == wanted]
    fates = _fates(folder)
    outcomes = {row["signal_id"]: row for row in as_rows(_some(folder, "outcomes", ["signal_id", "result", "r"]))}
    signals.sort(key=lambda row: row["time"])
    listed = []
    for row in signals:
        outcome = outcomes.get(row["signal_id"], {})
        fate, by = fates.get(row["signal_id"], ("unknown", ""))
        by = str(outcome.get("result", "")) if fate == "fired" else by
        listed.append(
            Fated(**{name.removeprefix("signal_"): row[name] for name in columns}, fate=fate, by=by, r=outcome.get("r"))
        )
    return listed


def _fates(folder: Path) -> dict[str, tuple[str, str]]:
    """What became of each signal, of what happened to its accounts the farthest: (fate, gate)."""
    found: dict[str, tuple[str, str]] = {}
    for row in as_rows(_some(folder, "missions", ["signal_id", "answer"])):
        if row["answer"] in _UNDONE:
            found[row["signal_id"]] = (_UNDONE[row["answer"]], "")
    counts: dict[str, Counter[str]] = {}
    for row in as_rows(_refusals(folder)):
        signal_id, gate = row["signal_id"], row["gate"]
        if gate == EXECUTOR:
            word = "rejected" if str(row["reason"]).startswith("REJECTED") else "expired"
            found[signal_id] = (word, "")
        else:
            counts.setdefault(signal_id, Counter())[gate] += 1
    for signal_id, gates in counts.items():
        if found.get(signal_id, ("",))[0] not in ("rejected", "expired"):
            found[signal_id] = ("refused", gates.most_common(1)[0][0])
    for row in as_rows(_some(folder, "trades", ["signal_id"])):
        found[row["signal_id"]] = ("fired", "")
    return found


def _refusals(folder: Path) -> pa.Table:
    decisions = _some(folder, "decisions", ["signal_id", "gate", "verdict", "reason"])
    codes, names = words(decisions, "verdict")
    refused = np.flatnonzero(codes == names.index("refused")) if "refused" in names else np.zeros(0, np.int64)
    return decisions.take(from_numpy(refused))


def _some(folder: Path, name: str, columns: list[str]) -> pa.Table:
    return whole_table(folder, name).select(columns)


def print_fates(console: Console, fates: Sequence[Fated], total: int, run: str) -> None:
    """Print signals as a table.

    Args:
        console: where to.
        fates: what to print.
        total: how many there were to choose from.
        run: the run's name.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    table.add_column("signal", overflow="fold")
    wide = console.width >= _NARROW
    if wide:
        table.add_column("time, UTC", no_wrap=True)
    for heading in ("conf.", "fate", "R"):
        table.add_column(heading, justify="left" if heading == "fate" else "right", no_wrap=heading != "fate")
    for one in fates:
        fate = f"{one.fate}: {one.by}" if one.by else one.fate
        cells: list[Any] = [Text(one.id), *([moment(one.time)[:19]] if wide else []), f"{one.confidence:.1f}"]
        table.add_row(*cells, Text(fate), signed_r(one.r).removesuffix(" R"))
    if fates:
        console.print(table)
    shown = "no signal" if not fates else f"{len(fates):,} signals" if len(fates) > 1 else "1 signal"
    last = f"the last {shown} of {total:,}" if len(fates) < total else shown
    hint = "; --limit shows more" if len(fates) < total else ""
    console.print(f"{last} in run {run}{hint}; R is that of the signal itself, fired or not", style="dim")
