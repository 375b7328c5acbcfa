"""`bitten init`: a commented starter."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from bitten.errors import BittenError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--force", is_flag=True, help="Replace a bitten.toml that is there.")
def init(folder: Path, force: bool) -> None:
    """Write a commented bitten.toml into FOLDER (the current one by default).

    It runs as it stands, on synthetic quotes: `bitten init && bitten backtest`.
    """
    path = folder / "bitten.toml"
    text = files("bitten.commands").joinpath("starter.toml").read_text(encoding="utf-8")
    if path.exists() and not force:
        raise BittenError(f"{path} exists and was left alone; --force replaces it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = folder / f".bitten.toml.part-{os.getpid()}"
        staging.write_text(text, encoding="utf-8")
        staging.replace(path)
    except OSError as error:
        raise BittenError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {path}. Next: bitten backtest" + ("" if folder == Path() else f" {path}"))
