"""Everything that is installed keeps the laws of its kind: no false alarm, on several seeds."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitten.clock import iso
from bitten.gate import GateContext
from bitten.manager import Manager
from bitten.model.dtypes import Records
from bitten.testing import Recording, random_bars, random_markets, recorded_bars, try_pattern
from bitten.testing.parts import part_rulings, part_trial

PATTERNS = list(Manager().registry("patterns"))
PARAMETERS: dict[str, dict[str, Any]] = {"spread": {"points": 10}, "session_filter": {"sessions": ["london", "tokyo"]}}
PARTS = [(kind, name) for kind in ("shields", "gates") for name in Manager().registry(kind)]


def signals_file(bars: Records, folder: Path) -> dict[str, Any]:
    """Parameters of the pattern that needs a file: signals at the known times of some bars."""
    sides = itertools.cycle(["buy", "sell"])
    rows = [
        f"{iso(int(known), 9)},EURUSD,{side},50,70" for known, side in zip(bars["known"][20::90], sides, strict=False)
    ]
    (folder / "signals.csv").write_text("\n".join(["time,symbol,side,stop_points,target_points", *rows]))
    return {"path": str(folder / "signals.csv")}


def markets(name: str, kind: Any, seed: int, folder: Path) -> tuple[list[Recording], Any]:
    if name != "signals_file":
        config = kind.Config()
        return random_markets(kind, config, seed=seed), config
    bars = random_bars(np.random.default_rng(seed), 3000)
    return [recorded_bars("bars", kind, bars)], signals_file(bars, folder)


@pytest.mark.parametrize("seed", [1, 21])
@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_keeps_the_laws(name: str, seed: int, tmp_path: Path) -> None:
    kind = Manager().find("patterns", name).load()
    tried, config = markets(name, kind, seed, tmp_path)
    said = try_pattern(kind, tried, config, seed=seed, processes=seed == 1)
    assert not [ruling for ruling in said if ruling.verdict == "broken"]
    left_out = {ruling.law for ruling in said if ruling.verdict == "not applicable"}
    claimed = {"mirror symmetry": "mirror" in kind.symmetries, "scale": "scale" in kind.symmetries}
    assert left_out == {law for law, claims in claimed.items() if not claims} | (
        {"blind to hash order"} if seed > 1 else set()
    )


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_every_shield_and_gate_keeps_the_laws(kind: str, name: str, tmp_path: Path) -> None:
    part = Manager().find(kind, name).load()
    trial = part_trial(part, PARAMETERS.get(name), GateContext(name=name, folder=tmp_path))
    assert not [ruling for ruling in part_rulings(trial) if ruling.verdict != "kept"]
