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

    It runs as it stands: on the quotes of the store `data` in that folder, or on synthetic ones where there is none.
    """
    path = folder / "bitten.toml"
    text = starter(folder)
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


def starter(folder: Path) -> str:
    """The starter file, for the stored symbols where there is a store."""
    text = files("bitten.commands").joinpath("starter.toml").read_text(encoding="utf-8")
    symbols = stored_ticks(folder / "data")
    if not symbols:
        return text
    rows = text.split("\n")
    use = next(i for i, row in enumerate(rows) if row.startswith('use = "synthetic"'))
    rows[use] = 'use = "parquet"             # the store in the folder data, filled by `bitten data import`'
    rows[use + 1] = "symbols = [" + ", ".join(f'"{symbol}"' for symbol in symbols) + "]"
    return "\n".join(rows)


def stored_ticks(store: Path) -> list[str]:
    """Symbols of which a store holds ticks; none where there is no store."""
    if not store.is_dir():
        return []
    from bitten.store.tickstore import TICKS, TickStore

    held = TickStore(store)
    return [symbol for symbol in held.symbols() if TICKS in held.kinds(symbol)]
