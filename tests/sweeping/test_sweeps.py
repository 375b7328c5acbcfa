"""A sweep gives the same table with any number of jobs, and after any interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

import bitten
from bitten import runfolder
from bitten.barpattern import BarPattern
from bitten.errors import BittenError
from bitten.sweeping import engine, sweeps, workers
from tests.sweeping.made import GRID, OPTIONS, SMALL_BATCHES, SOURCE, project

COUNT = 12


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "_BATCH", 2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bitten.Sweep:
    """The sweep as it is without any interruption."""
    return bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path_factory.mktemp("whole"))


def stopping_after(count: int, error: BaseException) -> Callable[[float, int, int], None]:
    def follow(done: float, total: int, earlier: int) -> None:
        assert total == COUNT
        if done >= earlier + count:
            raise error

    return follow


def interrupted(output: Path, **changes: Any) -> Path:
    """A sweep that was stopped after some batches; the folder it left."""
    with pytest.raises(KeyboardInterrupt, match=r"^6 of 12 combinations are done and kept; run the same command again"):
        bitten.sweep(SOURCE, GRID, jobs=1, output=output, progress=stopping_after(7, KeyboardInterrupt()), **changes)
    (part,) = output.glob(".*.part")
    assert len((part / "rows.jsonl").read_text().splitlines()) == 6
    return part


def test_the_table_has_a_row_per_combination_and_the_folder_its_files(whole: bitten.Sweep) -> None:
    assert whole.table.num_rows == COUNT
    assert whole.table["period"].to_pylist() == [10] * 4 + [15] * 4 + [20] * 4
    assert whole.table["commission_per_lot"].to_pylist() == [0.0, 0.0, 3.5, 3.5] * 3
    assert min(whole.table["trades"].to_pylist()) > 3
    assert sorted(path.name for path in whole.folder.iterdir()) == ["manifest.json", "report.html", "sweep.parquet"]
    assert whole.name == "sweep-0001"
    assert list(whole.frame["combination"]) == list(range(1, 13))
    assert whole.best()["net"] == max(whole.table["net"].to_pylist())
    assert repr(whole) == (
        "<Sweep sweep-0001 (SYNTHETIC DATA): 12 combinations of period (3), commission_per_lot (2), percent (2)>"
    )
    assert "<iframe" in whole._repr_html_()


def test_the_manifest_says_what_was_swept_and_assumed(whole: bitten.Sweep) -> None:
    manifest = whole.manifest
    assert manifest["kind"] == "sweep"
    assert [axis["key"] for axis in manifest["axes"]] == list(GRID)
    assert manifest["combinations"] == COUNT
    assert manifest["period"] == {"first": manifest["period"]["first"], "last": manifest["period"]["last"]}
    assert manifest["period"]["first"] < "2024-04-08 06:01" < "2024-04-08 15:59" < manifest["period"]["last"]
    assert "costs.commission_per_lot is swept: 0, 3.5" in manifest["costs"][-1]
    assert manifest["selection"][0].startswith("Selection bias: the best of 12 combinations")
    assert len(manifest["feed"]["fingerprints"]["EURUSD"]) == 64
    assert manifest["config"]["patterns"][0]["params"]["period"] == 10


def test_trackers_stay_away_and_alerts_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def alarmed(configs: Any, *rest: Any) -> Any:
        return [{**summary, "alerts": 2} for summary in engine.run_batch(configs, *rest)]

    monkeypatch.setattr(workers, "run_batch", alarmed)
    trackers = [{"use": "jsonl"}]
    done = bitten.sweep(SOURCE, {"gates.risk.percent": [0.5, 1]}, trackers=trackers, jobs=1, output=tmp_path)
    assert done.manifest["notes"][-1] == "Trackers (jsonl) follow single runs and did not take part."
    assert done.table["alerts"].to_pylist() == [2, 2]
    assert done.manifest["alerts"][0].startswith("2 combinations had alerts (column `alerts`)")
    assert "2 combinations had alerts" in done.report.read_text(encoding="utf-8")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_jobs_change_nothing(
    whole: bitten.Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_batches: None, method: str
) -> None:
    if method == "fork" and sys.platform != "linux":
        pytest.skip("processes are forked on Linux only")
    monkeypatch.setattr(workers, "start_method", lambda: method)
    done = bitten.sweep(SOURCE, GRID, jobs=2, output=tmp_path)
    assert done.manifest["timings"]["jobs"] == 2
    assert done.table.equals(whole.table)


def test_an_interrupted_sweep_goes_on(whole: bitten.Sweep, tmp_path: Path, small_batches: None) -> None:
    interrupted(tmp_path)
    heard: list[tuple[float, int, int]] = []
    done = bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path, progress=lambda *told: heard.append(told))
    assert heard[0] == (6, 12, 6)
    assert heard[-1] == (12, 12, 6)
    assert done.name == "sweep-0001"
    assert done.manifest["timings"]["done_before"] == 6
    assert done.table.equals(whole.table)
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["sweep-0001"]


def test_only_what_is_missing_is_run(tmp_path: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path)
    periods: list[int] = []

    def watched(configs: Any, *rest: Any) -> Any:
        periods.extend(config.patterns[0].part.config.period for config in configs)
        return engine.run_batch(configs, *rest)

    monkeypatch.setattr(workers, "run_batch", watched)
    bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path)
    assert periods == [15, 15, 20, 20, 20, 20]


def test_an_end_between_the_last_row_and_the_finished_folder_costs_nothing(
    whole: bitten.Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(runfolder, "_put_in_place", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path)
    done = bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path)
    assert done.manifest["timings"]["done_before"] == COUNT
    assert done.table.equals(whole.table)
    assert sorted(path.name for path in done.folder.iterdir()) == ["manifest.json", "report.html", "sweep.parquet"]


@pytest.mark.parametrize(
    "tail", [b'{"combination": 6, "figu', b"\0" * 40 + b"\n", b'{"combination": 7}\n{"combination": 8']
)
def test_a_torn_line_is_dropped(whole: bitten.Sweep, tmp_path: Path, small_batches: None, tail: bytes) -> None:
    part = interrupted(tmp_path)
    with (part / "rows.jsonl").open("ab") as file:
        file.write(tail)
    done = bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path)
    assert done.manifest["timings"]["done_before"] == 6
    assert done.table.equals(whole.table)


def test_a_cut_anywhere_in_the_rows_costs_the_cut_row_only(
    whole: bitten.Sweep, tmp_path: Path, small_batches: None
) -> None:
    part = interrupted(tmp_path)
    content = (part / "rows.jsonl").read_bytes()
    (part / "rows.jsonl").write_bytes(content[: len(content) // 2])
    done = bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path)
    assert 0 < done.manifest["timings"]["done_before"] < 6
    assert done.table.equals(whole.table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": {**GRID, "gates.risk.percent": [0.5, 2.0]}}, "grid.gates.risk.percent was [0.5, 1.0], is [0.5, 2.0]"),
        (
            {"costs": {"commission_per_lot": 1}, "run": {"seed": 0, "day": "NY+7"}},
            'configuration.run.day was "UTC", is "NY+7"',
        ),
        ({"run": {"seed": 5}}, "data[0].EURUSD was"),
    ],
)
def test_another_sweep_of_that_name_is_refused(
    tmp_path: Path, small_batches: None, change: dict[str, Any], message: str
) -> None:
    part = interrupted(tmp_path, name="mine")
    before = {path.name: path.read_bytes() for path in part.iterdir()}
    arguments: dict[str, Any] = {"grid": GRID, "jobs": 1, "output": tmp_path, "name": "mine", **change}
    with pytest.raises(BittenError) as caught:
        bitten.sweep(SOURCE, **arguments)
    assert "is an unfinished sweep of something else" in str(caught.value)
    assert message in str(caught.value)
    assert str(caught.value).endswith("choose another --name, or --overwrite to discard it")
    assert {path.name: path.read_bytes() for path in part.iterdir()} == before
    done = bitten.sweep(SOURCE, **arguments, overwrite=True)
    assert done.manifest["timings"]["done_before"] == 0
    assert not part.exists()


def test_another_version_is_refused(tmp_path: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path, name="mine")
    monkeypatch.setattr(sweeps, "VERSION", "99.0")
    with pytest.raises(BittenError, match=r'bitten was ".*", is "99\.0"'):
        bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path, name="mine")


def test_another_grid_without_a_name_leaves_the_unfinished_sweep_alone(tmp_path: Path, small_batches: None) -> None:
    part = interrupted(tmp_path)
    done = bitten.sweep(SOURCE, {"costs.commission_per_lot": [0, 1]}, jobs=1, output=tmp_path)
    assert done.name == "sweep-0002"
    assert (part / "rows.jsonl").exists()
    with pytest.raises(BittenError, match=r"sweep-0001 is an unfinished sweep: choose another --name, or --overwrite"):
        bitten.backtest(SOURCE, output=tmp_path, name="sweep-0001")
    assert bitten.backtest(SOURCE, output=tmp_path, name="sweep-0001", overwrite=True).stats["trades"]


def test_a_finished_sweep_is_not_overwritten_unasked(whole: bitten.Sweep) -> None:
    with pytest.raises(BittenError, match="exists: choose another --name, or --overwrite"):
        bitten.sweep(SOURCE, GRID, jobs=1, output=whole.folder.parent, name=whole.name)


def test_nothing_is_left_where_nothing_was_done(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"^nothing was kept"):
        bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path, progress=stopping_after(0, KeyboardInterrupt()))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_nothing_is_written_where_a_combination_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(
        BittenError, match=r'^grid\["patterns\.slow\.period"\]: patterns\.params\.period is 1: expected'
    ):
        bitten.sweep(SOURCE, {"patterns.slow.period": [20, 1]}, output=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(3)


def blunder() -> None:
    raise ZeroDivisionError("a bug")


def refuse() -> None:
    raise BittenError("no such thing")


@pytest.mark.skipif(sys.platform != "linux", reason="the failing engine is inherited by a fork")
@pytest.mark.parametrize(
    ("failure", "kind", "message"),
    [
        (die, BittenError, "a worker process was killed by signal 9"),
        (leave, BittenError, "a worker process ended with exit code 3"),
        (blunder, ZeroDivisionError, "a bug"),
        (refuse, BittenError, r"^no such thing$"),
    ],
)
def test_a_worker_that_fails_is_reported_and_what_was_done_is_kept(
    whole: bitten.Sweep,
    tmp_path: Path,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
    failure: Callable[[], None],
    kind: type[Exception],
    message: str,
) -> None:
    def failing(configs: Any, *rest: Any) -> Any:
        if any(config.patterns[0].part.config.period == 20 for config in configs):
            time.sleep(0.3)  # what the other worker has under way is done by then
            failure()
        return engine.run_batch(configs, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(workers, "run_batch", failing)
        with pytest.raises(kind, match=message) as caught:
            bitten.sweep(SOURCE, GRID, jobs=2, output=tmp_path)
    notes = "".join(getattr(caught.value, "__notes__", ()))
    assert ("in a worker process:" in notes and "in blunder" in notes) is (failure is blunder)
    done = bitten.sweep(SOURCE, GRID, jobs=1, output=tmp_path)
    assert done.manifest["timings"]["done_before"] >= 6
    assert done.table.equals(whole.table)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_sweep_goes_on_and_ends_the_same(tmp_path: Path, whole: bitten.Sweep) -> None:
    project(tmp_path)
    command = [sys.executable, "-c", SMALL_BATCHES, "sweep", *OPTIONS, "--jobs", "2", "--output", "runs"]
    rows = tmp_path / "runs" / ".sweep-0001.part" / "rows.jsonl"
    for wanted in (1, 6):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if rows.exists() and rows.read_bytes().count(b"\n") >= wanted:
                break
            time.sleep(0.002)
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        process.wait()
    kept = rows.read_bytes().count(b"\n")
    assert 6 <= kept < COUNT
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"{kept} of 12 combinations were done before" in done.stderr
    found = bitten.Sweep.open(tmp_path / "runs" / "sweep-0001")
    assert json.dumps(found.table.to_pydict()) == json.dumps(whole.table.to_pydict())
    assert not rows.parent.exists()


def test_a_note_names_the_gates_that_kernels_cannot_lead(tmp_path: Path, whole: bitten.Sweep) -> None:
    assert not any("plain rules" in note for note in whole.manifest["notes"])
    bands = {"use": "band", "low": 20.0, "patterns": {"slow": [10.0, 50.0]}}
    source = {**SOURCE, "gates": [bands, {"use": "slots"}, {"use": "risk"}]}
    other = bitten.sweep(source, GRID, jobs=1, output=tmp_path)
    (note,) = [note for note in other.manifest["notes"] if "plain rules" in note]
    assert note.startswith("band is more than plain rules")


def test_frames_of_a_notebook(tmp_path: Path) -> None:
    start = 1_712_556_000_000_000_000
    steps = range(20_000)
    bid = [1.1 + (i % 700) / 1e5 for i in steps]
    times = pa.array([start + i * 2_000_000_000 for i in steps], pa.timestamp("ns", tz="UTC"))
    frame = pa.table({"time": times, "bid": bid, "ask": [value + 0.00008 for value in bid]})
    done = bitten.sweep(
        data={"EURUSD": frame},
        patterns=["bb_scalp"],
        grid={"patterns.bb_scalp.period": [10, 20]},
        jobs=2,
        output=tmp_path,
    )
    assert done.table.num_rows == 2
    assert done.manifest["quotes"] == 20_000


class RisingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bars: int = 2


class Rising(BarPattern):
    """Buys after some bars that each closed higher."""

    Config = RisingConfig
    window = 10

    def on_bar(self, bar: Any, window: Any) -> Any:
        closes = window.close[-self.config.bars - 1 :]
        if len(closes) <= self.config.bars or not (closes[1:] > closes[:-1]).all():
            return None
        return self.buy(stop=bar.close - 0.001, target=bar.close + 0.001, confidence=50)


def test_pattern_classes_of_a_notebook(tmp_path: Path) -> None:
    grid = {"patterns.rising.bars": [1, 2, 4]}
    done = bitten.sweep(SOURCE, grid, patterns=[Rising], jobs=2, output=tmp_path)
    signals = done.table["signals"].to_pylist()
    assert signals[0] > signals[1] > signals[2] > 0
    assert done.table["alerts"].to_pylist() == [0, 0, 0]
    with pytest.raises(KeyboardInterrupt, match=r"^nothing was kept"):  # the class may be another one the next time
        bitten.sweep(
            SOURCE,
            grid,
            patterns=[Rising],
            jobs=1,
            output=tmp_path,
            progress=lambda *_: signal.raise_signal(signal.SIGINT),
        )
    assert not list(tmp_path.glob(".*.part"))


def test_a_class_that_cannot_travel_stays_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    local = type("Local", (), {"__module__": "__main__"})
    grid = sweeps.make_grid(*sweeps.open_document(SOURCE), [sweeps.make_axis("run.seed", [1, 2], "")], {"local": local})
    idle = threading.Event()
    thread = threading.Thread(target=idle.wait)
    assert workers.can_travel(workers.Task(grid)) is (sys.platform == "linux")
    thread.start()  # as in a notebook, where a fork would not be safe
    try:
        assert not workers.can_travel(workers.Task(grid))
    finally:
        idle.set()
        thread.join()


def test_sweeps_and_runs_are_told_apart(whole: bitten.Sweep, tmp_path: Path) -> None:
    with pytest.raises(BittenError, match=r"holds a sweep, no single run: open it with bitten\.Sweep\.open"):
        bitten.Run.open(whole.folder)
    run = bitten.backtest(SOURCE, output=tmp_path)
    with pytest.raises(BittenError, match=r"holds a backtest, no sweep: open it with bitten\.Run\.open"):
        bitten.Sweep.open(run.folder)
    with pytest.raises(BittenError, match="is no folder of a sweep"):
        bitten.Sweep.open(tmp_path / "none")
