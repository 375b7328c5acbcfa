"""What is run side by side: one row for each engine, job and amount of data, and where the peers' programs are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Virtual environments of the peers: the variable that says where one is, the default, what is read from it.
VENVS: Final = {
    "main": ("PEERS_VENV", "~/.cache/bitten-peers/main"),
    "vbt": ("PEERS_VENV_VBT", "~/.cache/bitten-peers/vbt"),
    "nt312": ("PEERS_VENV_NT312", "~/.cache/bitten-peers/nt312"),
}

ROWS: Final = {"A": "bars", "B": "ticks", "C": "bars"}
TITLES: Final = {
    "A": "A: given signals on one-minute bars, one position at a time",
    "B": "B: given signals on ticks, up to ten positions at once",
    "C": "C: sweep of Bollinger reversion, ten periods by ten widths, 100,000 bars each",
}

# The rules by which an engine fills, as variants of the reference: the file it dumps, and the rule in words.
BARS_BASE: Final = "ref_A_{rows}_entry1_high0"
BARS_LATE: Final = "ref_A_{rows}_entry0_high0"
BARS_HIGH: Final = "ref_A_{rows}_entry1_high1"
TICKS_BASE: Final = "ref_B_{rows}_touch0"
TICKS_TOUCH: Final = "ref_B_{rows}_touch1"
TICKS_LEVEL: Final = "ref_B_{rows}_sllevel"
SWEEP_BASE: Final = "ref_C_100000_entry1_high0"
SWEEP_LATE: Final = "ref_C_100000_entry0_high0"
SWEEP_HIGH: Final = "ref_C_100000_entry1_high1"
RULES: Final = {
    BARS_BASE: "", BARS_LATE: "stops not live on the entry bar", BARS_HIGH: "high before low inside a bar",
    TICKS_BASE: "", TICKS_TOUCH: "target at the touching price", TICKS_LEVEL: "stop at its level",
    SWEEP_BASE: "", SWEEP_LATE: "stops not live on the entry bar", SWEEP_HIGH: "high before low inside a bar",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One engine on one job."""

    package: str  # "bitten", or the distribution that runs
    variant: str
    job: str
    rows: int  # of data: bars or ticks; for job C of all combinations together
    venv: str
    script: str  # the peer's script and its arguments
    reference: str  # the variant of the reference whose rules it follows
    slow: bool = False  # more than about 20 s
    event_driven: bool = False  # an object and a Python call for every bar or tick

    @property
    def reference_name(self) -> str:
        """The reference's dump without its suffix."""
        return self.reference.format(rows=self.rows)


M, K = 1_000_000, 1_000
SWEEP, TENTH = 10 * M, M  # bars of all hundred combinations, and of the ten that slow engines do

CASES: Final = (
    Case("bitten", "", "A", M, "", "", BARS_BASE),
    Case("numba", "bare kernel", "A", M, "main", "ref_numba_bars.py", BARS_BASE),
    Case("vectorbt", "rust", "A", M, "vbt", "vectorbt_bars.py --engine rust", BARS_LATE),
    Case("vectorbt", "numba", "A", M, "vbt", "vectorbt_bars.py --engine numba", BARS_LATE),
    Case("backtesting", "", "A", M, "main", "backtestingpy_bars.py --n 1000000", BARS_BASE),
    Case("nautilus_trader", "", "A", M, "main", "nautilus_bars.py --n 1000000", BARS_HIGH, True, True),
    Case("nautilus_trader", "", "A", M, "nt312", "nautilus_bars.py --n 1000000", BARS_HIGH, True, True),
    Case("backtrader", "", "A", M, "main", "backtrader_bars.py --n 1000000", BARS_LATE, True, True),
    Case("bitten", "", "A", 100 * K, "", "", BARS_BASE),
    Case("nautilus_trader", "", "A", 100 * K, "main", "nautilus_bars.py --n 100000", BARS_HIGH, False, True),
    Case("nautilus_trader", "", "A", 100 * K, "nt312", "nautilus_bars.py --n 100000", BARS_HIGH, False, True),
    Case("backtrader", "", "A", 100 * K, "main", "backtrader_bars.py --n 100000", BARS_LATE, False, True),
    #
    Case("bitten", "", "B", 10 * M, "", "", TICKS_BASE),
    Case("numba", "bare kernel", "B", 10 * M, "main", "ref_numba_ticks.py --n 10000000", TICKS_BASE),
    Case("hftbacktest", "roi", "B", 10 * M, "main", "hftbacktest_ticks.py --n 10000000 --depth roi", TICKS_TOUCH),
    Case("hftbacktest", "hash", "B", 10 * M, "main", "hftbacktest_ticks.py --n 10000000 --depth hash", TICKS_TOUCH),
    Case("nautilus_trader", "catalog", "B", 10 * M, "main", "nautilus_ticks.py --n 10000000 --mode catalog",
         TICKS_LEVEL, True, True),
    Case("nautilus_trader", "catalog", "B", 10 * M, "nt312", "nautilus_ticks.py --n 10000000 --mode catalog",
         TICKS_BASE, True, True),
    Case("bitten", "", "B", M, "", "", TICKS_BASE),
    Case("nautilus_trader", "list", "B", M, "main", "nautilus_ticks.py --n 1000000 --mode list",
         TICKS_LEVEL, False, True),
    Case("nautilus_trader", "list", "B", M, "nt312", "nautilus_ticks.py --n 1000000 --mode list",
         TICKS_BASE, False, True),
    Case("bitten", "", "B", 200 * K, "", "", TICKS_BASE),
    Case("backtrader", "two feeds", "B", 200 * K, "main", "backtrader_ticks.py --n 200000", TICKS_TOUCH, True, True),
    #
    Case("bitten", "two processes", "C", SWEEP, "", "", SWEEP_BASE),
    Case("numba", "bare kernel", "C", SWEEP, "main", "ref_numba_sweep.py", SWEEP_BASE),
    Case("vectorbt", "rust", "C", SWEEP, "vbt", "vectorbt_sweep.py --once --engine rust", SWEEP_LATE),
    Case("vectorbt", "numba", "C", SWEEP, "vbt", "vectorbt_sweep.py --once --engine numba", SWEEP_LATE),
    Case("backtesting", "two processes", "C", SWEEP, "main", "backtestingpy_sweep.py", SWEEP_BASE, True),
    Case("nautilus_trader", "10 of 100", "C", TENTH, "main", "nautilus_sweep.py", SWEEP_HIGH, True, True),
    Case("nautilus_trader", "10 of 100", "C", TENTH, "nt312", "nautilus_sweep.py", SWEEP_HIGH, True, True),
    Case("backtrader", "10 of 100", "C", TENTH, "main", "backtrader_sweep.py", SWEEP_LATE, True, True),
)  # fmt: skip

# Scripts that dump the reference's trades.
REFERENCES: Final = {
    "A": "ref_numba_bars.py --dump --n {rows}",
    "B": "ref_numba_ticks.py --dump --n {rows}",
    "C": "ref_numba_sweep.py --dump",
}


def interpreter(venv: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The python of one of `VENVS`; None where it is not installed."""
    variable, default = VENVS[venv]
    python = Path(environment.get(variable, default)).expanduser() / "bin" / "python"
    return python if python.exists() else None
