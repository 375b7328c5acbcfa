"""`bitten.sweep`: run a configuration once for each combination of a grid, and leave one folder with all results."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from bitten.backtesting import build_pipeline, make_feed
from bitten.clock import WallClock, iso
from bitten.config import Config, open_document
from bitten.feed import FeedFacts
from bitten.kernels.jit import announce_compilation
from bitten.manager import Manager
from bitten.manifest import resolved
from bitten.notebook import notebook_sections
from bitten.runfolder import run_name, staged, write_json
from bitten.sweeping.axes import Axis, file_axes, make_axis, show_value
from bitten.sweeping.grid import Grid, make_grid
from bitten.sweeping.manifest import sweep_manifest
from bitten.sweeping.report import render_sweep
from bitten.sweeping.result import Sweep
from bitten.sweeping.rows import RowLog, clear
from bitten.sweeping.table import check_figure, make_table
from bitten.sweeping.workers import Batch, InProcess, Task, Workers, can_travel
from bitten.version import VERSION

SweepProgress = Callable[[float, int, int], None]
"""Called with combinations done (those under way count by their share), all of them, and those done before."""

_BATCH: Final = 50  # combinations that share one pass over the data, and that a kill may cost
_OF_FEED: Final = ("feed", "instruments", "run")  # sections that decide which quotes a feed gives


def sweep(
    config: str | Path | Mapping[str, Any] | None = None,
    grid: Mapping[str, Any] | Sequence[Axis] | None = None,
    *,
    jobs: int | None = None,
    data: Any = None,
    name: str | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    sort: str = "net",
    progress: SweepProgress | None = None,
    **sections: Any,
) -> Sweep:
    """Replay a configuration once for each combination of a grid.

    Args:
        config: path of a bitten.toml, or the same as nested dicts; None for keyword arguments alone.
        grid: values by key, as `{"patterns.bb_scalp.period": [10, 20], "costs.commission_per_lot": "0:7:3.5"}`; the
            `[sweep]` table of the configuration by default. The last key changes fastest.
        jobs: worker processes; one for each core by default. The result is the same for any number.
        data: frames by symbol, as for `bitten.backtest`.
        name: of the folder; by default that of unfinished work on the same sweep, or else the next free number.
        output: folder of run folders; the configuration's `run.output` by default.
        overwrite: replace a sweep or run of that name.
        sort: the figure that the report shows first.
        progress: called as combinations are done.
        sections: whole sections that replace the configuration's, as for `bitten.backtest`.

    A sweep that was interrupted or killed is continued by calling it again with the same arguments.

    Raises:
        BittenError: the grid, the configuration or the data cannot be used; nothing has been written.
        KeyboardInterrupt: with a text that says what was kept.
    """
    check_figure(sort)
    laid_over, classes = notebook_sections(config, data, sections)
    source = Path("bitten.toml") if config is None and not laid_over else config
    file, folder = open_document(Path(source) if isinstance(source, str) else source or {}, laid_over)
    if isinstance(grid, Mapping):
        axes = [make_axis(key, values, f'grid["{key}"]') for key, values in grid.items()]
    else:
        axes = list(grid or file_axes(file))
    work = _Work(make_grid(file, folder, axes, classes), data)
    place = Path(output) if output is not None else folder / work.config.run.output
    return work.run(place, name, overwrite, jobs or available_cores(), sort, progress)


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class _Work:
    """One sweep: checked on construction, then run."""

    def __init__(self, grid: Grid, data: Any) -> None:
        self.clock = WallClock()
        self.started = self.clock.elapsed()
        announce_compilation()
        self.grid = grid
        self.data = data
        self.config, self.manager = grid.config(0)
        for index in range(len(grid)):
            build_pipeline(grid.config(index, self.manager)[0], self.manager)
        self.facts = _feed_facts(grid, self.manager, data)
        self.identity = None if grid.patterns else _identity(grid, self.config, self.manager, self.facts)

    def run(
        self, place: Path, name: str | None, overwrite: bool, jobs: int, sort: str, progress: SweepProgress | None
    ) -> Sweep:
        task = Task(self.grid, self.data)
        count = len(self.grid)
        jobs = min(jobs, count)
        with ExitStack() as stack:
            # before the folder is locked: a forked worker would hold the lock as well
            many = jobs > 1 and can_travel(task)
            workers: Workers | InProcess = Workers(task, jobs) if many else InProcess(task, self.manager)
            stack.enter_context(workers)
            folder = stack.enter_context(staged(place, name, "sweep", overwrite, self.identity))
            log = RowLog(folder, self.identity)
            try:
                follow = _follow(progress, log.earlier, count)
                for rows in workers.run(_batches([i for i in range(count) if i not in log.rows], jobs), follow):
                    log.add(rows)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(_what_is_kept(len(log.kept()), count)) from None
            self._write(folder, log, jobs, sort)
        clear(place / run_name(folder))  # not before it is in its place: until then a kill must cost nothing
        return Sweep.open(place / run_name(folder))

    def _write(self, folder: Path, log: RowLog, jobs: int, sort: str) -> None:
        table = make_table(self.grid, log.rows)
        timings = {
            "sweep_seconds": round(self.clock.elapsed() - self.started, 3),
            "jobs": jobs,
            "done_before": log.earlier,
        }
        pipeline = build_pipeline(self.config, self.manager)[0]
        manifest = {
            "name": run_name(folder),
            "created": iso(self.clock.now_ns(), 0),
            **sweep_manifest(self.grid, self.config, pipeline, self.facts, table, _first_quote(self.config, self.data)),
            "sort": sort,
            "timings": timings,
        }
        pq.write_table(table, folder / "sweep.parquet", compression="zstd")
        write_json(folder / "manifest.json", manifest)
        (folder / "report.html").write_text(render_sweep(table, manifest), encoding="utf-8")


def _follow(progress: SweepProgress | None, earlier: int, count: int) -> Callable[[float], None]:
    """Tell how many combinations are done, those of an earlier process included."""
    if progress is None:
        return lambda done: None
    progress(earlier, count, earlier)
    return lambda done: progress(earlier + done, count, earlier)


def _what_is_kept(kept: int, count: int) -> str:
    if not kept:
        return "nothing was kept, earlier runs are untouched"
    return f"{kept:,} of {count:,} combinations are done and kept; run the same command again to continue"


def _batches(waiting: Sequence[int], jobs: int) -> list[Batch]:
    """Combinations in batches; with few of them, no worker is left without one."""
    size = max(1, min(_BATCH, math.ceil(len(waiting) / jobs)))
    return [waiting[at : at + size] for at in range(0, len(waiting), size)]


def _feed_facts(grid: Grid, manager: Manager, data: Any) -> list[FeedFacts]:
    """What the feed says of its data, once for each setting of it."""
    swept = [n for n, axis in enumerate(grid.axes) if axis.path[0] in _OF_FEED]
    found: dict[tuple[str, ...], FeedFacts] = {}
    for index in range(len(grid)):
        values = grid.values(index)
        setting = tuple(show_value(values[n]) for n in swept)
        if setting not in found:
            found[setting] = make_feed(grid.config(index, manager)[0], data)[1]
        if not swept:
            break
    return list(found.values())


def _first_quote(config: Config, data: Any) -> int:
    """Instant of a feed's first quote, ns UTC."""
    feed, _ = make_feed(config, data)
    pieces = (min(int(q.ts[0]) for q in piece.quotes.values()) for piece in feed.slices() if piece.quotes)
    return next(pieces)


def _identity(grid: Grid, config: Config, manager: Manager, facts: Sequence[FeedFacts]) -> dict[str, Any]:
    """What must be equal for finished rows to be those of another attempt."""
    identity = {
        "bitten": VERSION,
        "plugins": manager.plugins,
        "grid": {axis.key: axis.values for axis in grid.axes},
        "data": [dict(one.fingerprints) for one in facts],
        "configuration": resolved(config),
    }
    plain: dict[str, Any] = json.loads(json.dumps(identity, default=str))
    return plain
