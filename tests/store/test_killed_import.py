"""A store whose importer is killed, at every step that the system sees of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bitten.store.tickstore import TickStore
from tests.feeds.builders import INSTRUMENTS, SOURCE, bars, ticks

# Forks once per step. Each child imports into a copy of the store and is killed just before its n-th operation on a
# file; the children are forked because a fresh interpreter per step would take a second each.
SCRIPT = """
import os, shutil, signal, sys
from pathlib import Path
from bitten.store.tickstore import TickStore
from tests.feeds.builders import INSTRUMENTS, SOURCE, bars, ticks

base, work = Path(sys.argv[1]), Path(sys.argv[2])
WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "bitten.flush"}

def run(store):  # a changed month, a new month, another symbol and kind
    with store.transaction() as tx:
        tx.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(1000, 2000)), SOURCE)
        tx.add("EURUSD", INSTRUMENTS["EURUSD"], ticks([40 * 24 * 3_600_000]), SOURCE)
        tx.add("GBPUSD", INSTRUMENTS["GBPUSD"], bars(range(9)), SOURCE)

step = 0
while True:
    step += 1
    folder = work / f"{step:03}"
    shutil.copytree(base, folder)
    child = os.fork()
    if child == 0:
        left = step
        flush = os.fsync

        def hook(event, args):
            global left
            if event in WATCHED and any(str(folder) in str(a) for a in args):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        def fsync(descriptor):
            sys.audit("bitten.flush", str(folder))
            flush(descriptor)

        os.fsync = fsync
        sys.addaudithook(hook)
        run(TickStore(folder))
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(step)
"""


def held(folder: Path) -> dict[str, str]:
    return {f"{h.symbol} {h.kind}": f"{h.rows} {h.fingerprint}" for h in TickStore(folder).describe()}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> tuple[dict[str, str], list[Path]]:
    """What the store held before, and its folders: killed at every step in turn, and at last not killed."""
    if not hasattr(os, "fork"):
        pytest.skip("kills forked processes, which this system does not have")
    folder = tmp_path_factory.mktemp("killed")
    TickStore(folder / "base").add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(1000)), SOURCE)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(folder / "base"), str(folder / "work")],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )
    steps = int(done.stdout)
    return held(folder / "base"), [folder / "work" / f"{step:03}" for step in range(1, steps + 1)]


def test_a_killed_import_leaves_the_store_before_or_after_never_between(
    killed: tuple[dict[str, str], list[Path]], tmp_path: Path
) -> None:
    before, folders = killed
    after = held(folders[-1])
    assert set(after) == {"EURUSD ticks", "GBPUSD M1"}
    found = []
    for number, folder in enumerate(folders):
        copy = shutil.copytree(folder, tmp_path / str(number))
        found.append(held(copy))  # opening the store settles what was left
        assert found[-1] in (before, after), f"killed at step {number}"
        assert not (copy / ".staging").exists()
        assert not (copy / ".commit.json").exists()
    flip = found.index(after)
    assert found == [before] * flip + [after] * (len(found) - flip)  # one step decides
    assert flip > 10
    assert len(found) - flip > 8


def test_the_import_can_be_repeated_after_any_kill(killed: tuple[dict[str, str], list[Path]], tmp_path: Path) -> None:
    _, folders = killed
    wanted = held(folders[-1])
    for number, folder in enumerate(folders):
        store = TickStore(shutil.copytree(folder, tmp_path / str(number)))
        with store.transaction() as tx:
            tx.add("EURUSD", INSTRUMENTS["EURUSD"], ticks(range(1000, 2000)), SOURCE)
            tx.add("EURUSD", INSTRUMENTS["EURUSD"], ticks([40 * 24 * 3_600_000]), SOURCE)
            tx.add("GBPUSD", INSTRUMENTS["GBPUSD"], bars(range(9)), SOURCE)
        assert held(store.path) == wanted
