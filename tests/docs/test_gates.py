"""docs/gates.md: the chain it shows is one, its packs are configurations, and it names every gate and key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from bitten.config import read_config
from bitten.manager import Manager
from bitten_plugins.gates.prop_firm import PropFirmConfig
from tests.replay import settings

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text(encoding="utf-8")
PACKS = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| ") and line.count(" = ") > 1]


def test_the_chain_is_a_configuration() -> None:
    block = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    gates = tomllib.loads(block[1])["gates"]
    config, _ = read_config(settings(gates=gates))
    assert len(config.gates) == 15


def test_there_are_packs() -> None:
    assert len(PACKS) == 5


@pytest.mark.parametrize("pack", PACKS)
def test_packs_are_configurations(pack: str) -> None:
    lines = "\n".join(re.findall(r"`([^`]+)`", pack))
    assert msgspec.convert(tomllib.loads(lines), PropFirmConfig) != PropFirmConfig()


def test_every_gate_and_its_keys_are_named() -> None:
    for name, entry in Manager().registry("gates").items():
        assert f"`{name}`" in PAGE
        for field in msgspec.structs.fields(entry.load().Config):
            assert re.search(rf"\W{field.encode_name}\W", PAGE), (name, field.encode_name)
