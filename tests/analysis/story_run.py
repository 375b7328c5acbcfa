"""A hand-made market of one day and signals whose fates are known, run through the whole pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bitten.backtesting import run_config
from bitten.clock import iso
from bitten.config import check_document, open_document
from bitten.gate import Insight, Score, Shield
from bitten.manager import Manager
from bitten.market import MarketView
from bitten.model.facts import Signal
from bitten.run import Run
from bitten.store.columns import TickColumns
from bitten.store.tickstore import TickStore
from tests.feeds.builders import INSTRUMENTS, SOURCE, START
from tests.hook_plugins import Offers

SECOND = 10**9
MINUTE = 60 * SECOND
BID = 138_000
SPREAD = 8

# (minute, bid then): straight lines between them
_COURSE = [(0, 0), (70, 0), (75, 80), (80, 80), (85, -60), (118, -60), (240, -60)]
_GAP = (110 * 60 + 1, 111 * 60)  # seconds without a quote
_JUMP = 121 * 60 + 1  # from this second on everything is 40 points lower

# id, minute, side, stop and target in points from the fill, confidence, further columns
SIGNALS: Sequence[tuple[str, float, str, Mapping[str, Any]]] = (
    ("by-target", 70, "buy", {"stop_points": 40, "target_points": 50, "confidence": 85}),
    ("by-stop", 80, "buy", {"stop_points": 40, "target_points": 50, "confidence": 82}),
    ("by-time", 90, "sell", {"stop_points": 40, "target_points": 60, "confidence": 85}),
    ("banded", 99, "buy", {"stop_points": 40, "target_points": 50, "confidence": 92}),
    ("wide", 100.5, "buy", {"stop_points": 40, "target_points": 50, "confidence": 85}),
    ("first", 101.5, "sell", {"stop_points": 40, "target_points": 60, "confidence": 85}),
    ("second", 102.5, "sell", {"stop_points": 40, "target_points": 60, "confidence": 85}),
    ("unfilled", 110, "buy", {"stop_points": 40, "target_points": 50, "confidence": 85, "expiry": 10}),
    ("vetoed", 112, "buy", {"stop_points": 40, "target_points": 50, "confidence": 81}),
    ("jumped", 121, "buy", {"stop": 1.37920, "target": 1.38100, "confidence": 85}),
    ("at-the-end", 238, "buy", {"stop_points": 40, "target_points": 50, "confidence": 85}),
)

GATES: Sequence[Mapping[str, Any]] = (
    {"use": "calm", "name": "calm"},
    {"use": "band"},
    {"use": "spread", "points": 20},
    {"use": "slots"},
    {"use": "risk"},
)
ALONE = ({"id": "main", "slots": 1},)
ANSWERS = """signal_id,account,answer,after_seconds
by-target,hand,accept,20
by-stop,hand,decline,45
by-time,hand,accept,1200
banded,hand,accept,5
"""


class CalmConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it halves."""

    below: float = 83.0


class Calm(Shield):
    """Halves what has little confidence, and refuses what has less."""

    Config = CalmConfig

    def score(self, signal: Signal, market: MarketView) -> Score:
        evidence = {"confidence": signal.confidence, "spread": 8.0}
        if signal.confidence < 82:
            return Score(1.5, 0.0, "everything is wild <here>", evidence)
        calm = signal.confidence >= self.config.below
        return Score(9.0 if calm else 5.0, 1.0 if calm else 0.5, evidence=evidence)

    def insights(self, evidence: Mapping[str, float], signal: Mapping[str, Any]) -> Sequence[Insight]:
        short = evidence["confidence"] < self.config.below
        text = f"{signal['symbol']} has a confidence of {evidence['confidence']:.0f}, {self.config.below:.0f} is calm"
        return [Insight("confidence", 0.2 if short else 1.0, 5.0, text), Insight("spread", 0.9, 1.0, "8 points")]


def plugins() -> Manager:
    """Those that are installed, and the shield."""
    return Manager(extra={"test": Offers({"shields": {"calm": Calm}})})


def project(folder: Path) -> Path:
    """A folder with a store and a file of signals."""
    seconds = np.array([s for s in range(240 * 60) if not _GAP[0] <= s < _GAP[1]], np.int64)
    minutes, levels = zip(*_COURSE, strict=True)
    course = np.interp(seconds / 60, minutes, levels).astype(np.int64)
    bid = BID + course + seconds * 7 % 11 - 5 - np.where(seconds >= _JUMP, 40, 0)
    wide = (seconds >= 100 * 60) & (seconds < 101 * 60)
    ask = bid + np.where(wide, 30, SPREAD)
    store = TickStore(folder / "data")
    store.add("EURUSD", INSTRUMENTS["EURUSD"], TickColumns(START + seconds * SECOND, bid, ask), SOURCE)
    names = ("stop_points", "target_points", "stop", "target", "confidence", "expiry")
    lines = [",".join(("id", "time", "symbol", "side", *names))]
    for name, minute, side, columns in SIGNALS:
        time = START + int(minute * MINUTE)
        cells = {**columns, "expiry": iso(time + columns["expiry"] * SECOND) if "expiry" in columns else ""}
        lines.append(",".join((name, iso(time), "EURUSD", side, *(str(cells.get(one, "")) for one in names))))
    (folder / "signals.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "answers.csv").write_text(ANSWERS, encoding="utf-8")
    return folder


def story_run(folder: Path, name: str, **sections: Any) -> Run:
    """A run of the project with sections of its own."""
    settings: dict[str, Any] = {
        "feed": {"use": "parquet", "symbols": ["EURUSD"]},
        "patterns": [{"use": "signals_file", "params": {"path": "signals.csv"}, "exit": {"time_stop_minutes": 8.0}}],
        "gates": list(GATES),
        "accounts": list(ALONE),
        **sections,
    }
    file, _ = open_document(settings)
    config, manager = check_document(file, folder, plugins())
    return run_config(config, manager, name=name)
