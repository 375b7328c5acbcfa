"""Where a backtest's time goes: its stages one by one, timed in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bitten.analysis.report import render_report
from bitten.analysis.statistics import account_facts, summarise
from bitten.backtesting import build_pipeline, make_feed, spared_collector
from bitten.config import read_config
from bitten.manifest import make_manifest
from bitten.runfolder import write_tables

Stage = tuple[str, float, float]  # what, wall seconds, CPU seconds


class Timer:
    """Adds up wall and CPU seconds of this thread by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    def run(self, stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do something and book it."""
        wall, cpu = time.perf_counter(), time.thread_time()
        result = work(*arguments)
        spent = self.spent.setdefault(stage, [0.0, 0.0])
        spent[0] += time.perf_counter() - wall
        spent[1] += time.thread_time() - cpu
        return result


def measure_stages(settings: Mapping[str, Any]) -> list[Stage]:
    """The stages of one backtest, under the conditions of a whole one."""
    with spared_collector():
        return _stages(settings)


def _stages(settings: Mapping[str, Any]) -> list[Stage]:
    """Stage after stage.

    Decoding happens in threads of its own: its wall time is what the pipeline waited for it, its CPU time what those
    threads took. Bars are timed in a pass of their own, because the pipeline builds them while it looks for signals.
    """
    bars = _bars(settings)
    config, manager = read_config(settings)
    feed, facts = make_feed(config)
    pipeline, sketch = build_pipeline(config, manager)
    timer = Timer()
    everything, own = time.process_time(), time.thread_time()
    slices = feed.slices()
    while (piece := timer.run("decode", next, slices, None)) is not None:
        found = timer.run("look", pipeline.detection.look, piece)
        timer.run("decide", pipeline.decide, found)
    timer.run("decide", pipeline.finish)
    decoding = (time.process_time() - everything) - (time.thread_time() - own) + timer.spent["decode"][1]

    tables = timer.run("tables", pipeline.parts.journal.tables)
    accounts = account_facts(config.accounts)
    span = (pipeline.counters.first or 0, pipeline.counters.last or 0)
    summary = timer.run("summary", summarise, tables, accounts, span, [gate.name for gate in config.gates])
    manifest = make_manifest(config, "bench", facts, pipeline, "", 1.0)
    with tempfile.TemporaryDirectory() as folder:
        timer.run("write", write_tables, Path(folder), tables)
    timer.run("report", lambda: render_report(tables, summary, manifest, sketch.sets()))
    spent = timer.spent
    look = spent["look"]
    return [
        ("waiting for quotes that two threads decode", spent["decode"][0], decoding),
        ("bars", *bars),
        ("patterns, fates of signals, candles", max(0.0, look[0] - bars[0]), max(0.0, look[1] - bars[1])),
        ("decisions, fills, equity, journal", *_pair(spent["decide"])),
        ("tables", *_pair(spent["tables"])),
        ("summary", *_pair(spent["summary"])),
        ("Parquet files", *_pair(spent["write"])),
        ("report", *_pair(spent["report"])),
    ]


def _pair(spent: list[float]) -> tuple[float, float]:
    return spent[0], spent[1]


def _bars(settings: Mapping[str, Any]) -> tuple[float, float]:
    """Wall and CPU seconds of the bars alone."""
    config, manager = read_config(settings)
    feed, _ = make_feed(config)
    pipeline, _ = build_pipeline(config, manager)
    ladders = pipeline.detection._ladders  # the benchmark looks inside: there is nothing to use them for
    timer = Timer()
    for piece in feed.slices():
        for symbol, quotes in piece.quotes.items():
            timer.run("bars", ladders[symbol].update, quotes)
    return _pair(timer.spent["bars"])
