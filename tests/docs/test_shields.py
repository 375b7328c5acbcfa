"""docs/citadel.md names every key and number of the bundled shields."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bitten.manager import Manager
from bitten_plugins.shields.citadel import CitadelConfig, Weights
from bitten_plugins.shields.factors import displayed, label
from bitten_plugins.shields.liquidity import SCHEMA
from bitten_plugins.shields.sessions import NAMES

PAGE = (Path(__file__).parents[2] / "docs" / "citadel.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["citadel", "session_filter", "spread_filter", "calibrator"])
def test_every_key_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE or f'"{name}"' in PAGE
    for field in msgspec.structs.fields(Manager().find("shields", name).load().Config):
        assert f"`{field.encode_name}`" in PAGE, field.encode_name


def test_weights_and_sizes_are_the_defaults() -> None:
    for name, weight in msgspec.structs.asdict(Weights()).items():
        assert f"| `{name}` | {weight:g} |" in PAGE
    config = CitadelConfig()
    assert f"sizes = {[list(row) for row in config.sizes]}" in PAGE
    for first, last, text in ((8, 10, "shielded"), (6, 7, "guarded"), (4, 5, "exposed"), (1, 3, "stand down")):
        assert {label(score) for score in (first, last)} == {text}
        factor = config.size(displayed(first))
        assert f"| {text} | {f'× {factor:g}' if factor else 'refused'} |" in PAGE


def test_columns_and_sessions_are_named() -> None:
    for name in (*SCHEMA.names, "raw", "probability", "won", *NAMES[1:]):
        assert f"`{name}`" in PAGE, name
