"""What every test may use: the real quotes beside the repository, and how hypothesis searches."""

from __future__ import annotations

import atexit
import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent

# A property over kernels compiles on its first example, so no deadline holds; a red build must be red again.
settings.register_profile("bitten", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("bitten")


def pytest_configure() -> None:
    """Let Ctrl-C interrupt: a shell has whatever it starts in the background ignore it, and programs inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish() -> None:
    """The command line, which tests call in this process, spares itself the last collection; duckdb would complain."""
    atexit.unregister(gc.freeze)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the working tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real quote files: `BITTEN_SHARED`, or `../shared/data` beside the repository."""
    folder = Path(os.environ.get("BITTEN_SHARED") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(
            f"tests over real quotes are skipped: {folder} does not exist; set BITTEN_SHARED to the folder that "
            "holds truefx, histdata, mt5_export and the other vendors' files"
        )
    return folder
