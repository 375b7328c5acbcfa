"""What commands that look at one part have in common: its parameters and the history it is shown."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bitten.manager import Entry

F = TypeVar("F", bound=Callable[..., Any])

PARAMS = click.option(
    "--params", multiple=True, metavar="KEY=VALUE", help="A parameter of it, as in bitten.toml; may be repeated."
)
DATA = click.option(
    "--data", "paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH",
    help="A store, or quote files or folders of any vendor; may be repeated.",
)  # fmt: skip
CLOCK = click.option("--clock", help="With --data: the clock of the files, as UTC, EST, NY+7; detected where proved.")


def part_config(entry: Entry, params: Sequence[str]) -> Any:
    """A part's configuration from `key=value` words, values as TOML writes them or as bare text.

    Raises:
        ConfigError: a key is unknown, or a value is not allowed; the message says what is.
    """
    import msgspec

    from bitten.errors import PluginError
    from bitten.tomlfile import TomlFile

    kind = getattr(entry.load(), "Config", None)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise PluginError(f"{entry.kind[:-1]} {entry.name} of {entry.plugin} has no Config struct (msgspec.Struct)")
    return TomlFile("", "--params").convert(dict(map(_pair, params)), kind, ("params",))


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise click.BadParameter(f'"{text}" is not of the form KEY=VALUE, as in period=30', param_hint="--params")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value
