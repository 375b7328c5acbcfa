"""docs/configuration.md names every key that bitten.toml takes, and the README's example is valid."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from bitten import sections
from bitten.config import read_config
from bitten.manager import Manager

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
README = Path(__file__).parents[2] / "README.md"
SECTIONS = [kind for name, kind in vars(sections).items() if name.endswith("Section") and name != "Section"]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda kind: kind.__name__)
def test_every_key_is_documented(section: type[msgspec.Struct]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for field in msgspec.structs.fields(section):
        if field.encode_name == "per_symbol":
            assert "`[patterns.per_symbol." in text
        elif field.encode_name in ("params", "exit"):  # tables of their own
            assert f"`[patterns.{field.encode_name}]`" in text
        else:
            assert f"`{field.encode_name}`" in text, field.encode_name


def test_every_gate_and_executor_key_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    manager = Manager()
    for kind in ("gates", "executors"):
        for name, entry in manager.registry(kind).items():
            assert f"`{name}`" in text or f'"{name}"' in text
            for field in msgspec.structs.fields(entry.load().Config):
                assert f"`{field.encode_name}`" in text, (name, field.encode_name)


def test_the_readmes_configuration_is_valid() -> None:
    block = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    source = tomllib.loads(block[1])
    source["feed"]["use"] = "synthetic"  # a reader has a store, this test has none
    settings, _ = read_config(source)
    assert len(settings.gates) == 3
