"""How tests import: small files written by hand, and one call that reads, cleans and counts them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitten.clock import iso
from bitten.manager import Manager
from bitten.model.instruments import load_instruments
from bitten.store.cleaning import Policy
from bitten.store.importer import Importer, ImportOptions, RawBars, RawTicks
from bitten.store.ingest import Imported, Report, Request, ingest
from bitten.store.tickstore import TickStore

OPTIONS = ("symbol", "clock", "timeframe", "columns", "scale")
POLICY = ("crossed", "duplicates", "backward")


def importers() -> Mapping[str, Importer]:
    """All registered importers, by name."""
    return {name: entry.load()() for name, entry in Manager().registry("importers").items()}


def run(*paths: Path, store: Path | None = None, **stated: Any) -> Report:
    """Import files with the options of the command line."""
    options = ImportOptions(**{name: stated.pop(name) for name in OPTIONS if name in stated})
    policy = Policy(**{name: stated.pop(name) for name in POLICY if name in stated})
    request = Request(paths, options=options, policy=policy, **stated)
    return ingest(request, importers(), load_instruments(), TickStore(store) if store else None)


def one(*paths: Path, **stated: Any) -> Imported:
    """Import files that are one series."""
    (imported,) = run(*paths, **stated).imported
    return imported


def write(folder: Path, name: str, text: str | bytes) -> Path:
    """A file of that content; folders in the name are made."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read_ticks(path: Path, name: str, **options: Any) -> RawTicks:
    """All raw ticks of a file, by a named importer."""
    chunks = [chunk for chunk in importers()[name].read(path, ImportOptions(**options)) if isinstance(chunk, RawTicks)]
    time, bid, ask = (np.concatenate([getattr(chunk, column) for chunk in chunks]) for column in ("time", "bid", "ask"))
    return RawTicks(time, bid, ask, chunks[0].rules)


def read_bars(path: Path, name: str, **options: Any) -> RawBars:
    """The raw bars of a small file, by a named importer."""
    (chunk,) = importers()[name].read(path, ImportOptions(**options))
    assert isinstance(chunk, RawBars)
    return chunk


def texts(time: NDArray[np.int64], digits: int = 3) -> list[str]:
    """Times as people write them."""
    return [iso(int(instant), digits) for instant in time]
