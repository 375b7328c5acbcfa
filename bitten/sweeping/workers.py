"""Worker processes: each takes one batch of combinations after another until there are none left."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Final, cast

from bitten.errors import BittenError
from bitten.manager import Manager
from bitten.sweeping.engine import run_batch
from bitten.sweeping.grid import Grid
from bitten.sweeping.table import Figures, figures_of

Batch = Sequence[int]  # combinations, counted from 0
Share = Callable[[float], None]
"""Called with how many combinations are done, counting those under way by their share."""

_PATIENCE: Final = 5.0  # seconds for a worker to end
_STEP: Final = 0.02  # of a batch; finer progress is not worth a message


@dataclass(frozen=True, slots=True)
class Task:
    """What every worker knows from the start."""

    grid: Grid
    data: Any = None  # frames, in a notebook

    def run(self, batch: Batch, manager: Manager, progress: Callable[[float], None]) -> dict[int, Figures]:
        """The figures of a batch's combinations."""
        configs = [self.grid.config(i, manager)[0] for i in batch]
        summaries = run_batch(configs, manager, self.data, progress)
        return {i: figures_of(summary) for i, summary in zip(batch, summaries, strict=True)}


class InProcess:
    """Runs every batch here: one job needs no other process."""

    def __init__(self, task: Task, manager: Manager) -> None:
        self._task = task
        self._manager = manager

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def run(self, batches: Sequence[Batch], share: Share) -> Iterator[dict[int, Figures]]:
        """The figures of each batch, as it is done."""
        done = 0

        def follow(part: float) -> None:
            share(done + part * len(batch))

        for batch in batches:
            yield self._task.run(batch, self._manager, follow)
            done += len(batch)


class Workers:
    """Processes that run batches side by side; they end with the block, however it ends.

    Args:
        task: what they work on.
        jobs: how many of them.
    """

    def __init__(self, task: Task, jobs: int) -> None:
        self._task = task
        self._jobs = jobs
        self._processes: dict[Connection, Any] = {}

    def __enter__(self) -> Workers:
        method = start_method()
        context = multiprocessing.get_context(method)
        for _ in range(self._jobs):
            ours, theirs = context.Pipe()
            # a forked process inherits our ends of the pipes: it must close them, or no end would ever be seen
            inherited = [*self._processes, ours] if method == "fork" else []
            process = context.Process(  # type: ignore[attr-defined]  # the stubs leave it out of the base class
                target=_serve, args=(theirs, inherited, self._task), daemon=True
            )
            with warnings.catch_warnings():
                # Python 3.12 warns of native threads, too; those of numpy and pyarrow are made anew after a fork
                warnings.filterwarnings("ignore", r".*use of fork\(\)", DeprecationWarning)
                process.start()
            theirs.close()
            self._processes[ours] = process
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for connection, process in self._processes.items():
            connection.close()
            if kind is not None:
                process.terminate()
        for process in self._processes.values():
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()

    def run(self, batches: Sequence[Batch], share: Share) -> Iterator[dict[int, Figures]]:
        """The figures of each batch, in the order in which they are done.

        Raises:
            BittenError: a combination cannot run, or a worker died.
        """
        waiting = deque(batches)
        at_work: dict[Connection, Batch] = {}
        parts: dict[Connection, float] = {}
        done = 0
        for connection in list(self._processes)[: len(waiting)]:
            at_work[connection] = waiting.popleft()
            self._send(connection, at_work[connection])
        while at_work:
            for connection in cast("list[Connection]", wait(list(at_work))):
                kind, value = self._receive(connection)
                if kind == "failed":
                    raise value
                if kind == "part":
                    parts[connection] = value * len(at_work[connection])
                else:
                    done += len(at_work.pop(connection))
                    parts.pop(connection, None)
                    if waiting:
                        at_work[connection] = waiting.popleft()
                        self._send(connection, at_work[connection])
                    yield value
                share(done + sum(parts.values()))

    def _send(self, connection: Connection, batch: Batch) -> None:
        try:
            connection.send(batch)
        except OSError:
            raise self._died(connection) from None

    def _receive(self, connection: Connection) -> tuple[str, Any]:
        try:
            message: tuple[str, Any] = connection.recv()
        except (EOFError, OSError):
            raise self._died(connection) from None
        return message

    def _died(self, connection: Connection) -> BittenError:
        process = self._processes[connection]
        process.join(_PATIENCE)
        code = process.exitcode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return BittenError(
            f"a worker process {how}, perhaps for want of memory; what was finished is kept: run the same command "
            "again, with fewer --jobs"
        )


def start_method() -> str:
    """`fork` where a copy of this process is safe and starts at once, else `spawn`."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


def can_travel(task: Task) -> bool:
    """Whether worker processes can be given a task; a pattern class of a notebook may not leave its process."""
    if start_method() == "fork":
        return True
    try:
        pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return not any(kind.__module__ == "__main__" for kind in task.grid.patterns.values())


def _serve(connection: Connection, inherited: Sequence[Connection], task: Task) -> None:
    """The life of a worker: batches in, figures out, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the first process decides
    for other in inherited:
        other.close()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    manager: Manager | None = None
    last = 0.0

    def tell(part: float) -> None:
        nonlocal last
        if part - last >= _STEP:
            last = part
            connection.send(("part", part))

    try:
        while True:
            batch = connection.recv()
            last = 0.0
            try:
                manager = manager or task.grid.config(batch[0])[1]
                message: tuple[str, Any] = ("done", task.run(batch, manager, tell))
            except Exception as error:
                message = ("failed", _portable(error))
            connection.send(message)
    except (EOFError, OSError):
        return  # nobody is there any more


def _end_with_parent() -> None:
    """A killed first process leaves no orphans at work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _portable(error: Exception) -> Exception:
    """An error that can be sent; a bug takes its traceback along as a note."""
    if not isinstance(error, BittenError):
        error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes of this moment
    except Exception:  # whatever a foreign class does when it is pickled
        return RuntimeError("".join(traceback.format_exception(error)))
    return error
