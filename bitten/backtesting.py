"""`bitten.backtest`: build the pipeline from a configuration, replay the feed through it, leave a run folder."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bitten.chain import GateChain, Step
from bitten.clock import WallClock, iso
from bitten.config import Config, read_config
from bitten.detectors import make_detectors
from bitten.errors import BittenError, DataError
from bitten.executor import ExecutorContext
from bitten.feed import Feed, FeedContext, FeedFacts
from bitten.gate import GateContext
from bitten.journal.memory import MemoryJournal
from bitten.journal.schema import TABLES
from bitten.kernels.jit import announce_compilation
from bitten.ledger import Ledger
from bitten.manager import Manager
from bitten.manifest import make_manifest
from bitten.market import Market, check_conversions
from bitten.missions import Desk
from bitten.model.dtypes import NS_PER_MINUTE, Records
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_ns
from bitten.notebook import notebook_sections
from bitten.pipeline import Parts, Pipeline
from bitten.runfolder import run_name, staged, write_json, write_tables
from bitten.tracker import trackers

if TYPE_CHECKING:
    import pyarrow as pa

    from bitten.analysis.candles import CandleSketch
    from bitten.run import Run

_GARBAGE: Final = 50_000  # new objects before the collector looks for garbage

Progress = Callable[[int, int | None, int], None]
"""Called after every slice: quotes so far, quotes in all (None if unknown), the instant reached (ns UTC)."""


def backtest(
    config: str | Path | Mapping[str, Any] | None = None,
    *,
    data: Any = None,
    name: str | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **sections: Any,
) -> Run:
    """Replay a configuration's feed through its strategy and return the finished run.

    Args:
        config: path of a bitten.toml, or the same as nested dicts; None for keyword arguments alone.
        data: frames by symbol (pandas, polars or Arrow; ticks or bars); the feed is then "frame".
        name: of the run folder; by default the next free number.
        output: folder of run folders; the configuration's `run.output` by default.
        overwrite: replace a run of that name.
        progress: called after every slice.
        sections: whole sections that replace the configuration's: `patterns=["bb_scalp"]`,
            `accounts=[{"balance": 5000}]`, `feed={...}`. A pattern may be a name, a table, or a `Pattern` class.

    Raises:
        BittenError: the configuration or the data cannot be used; nothing has been written.
    """
    laid_over, classes = notebook_sections(config, data, sections)
    source = Path("bitten.toml") if config is None and not laid_over else config
    source = Path(source) if isinstance(source, str) else source or {}
    settings, manager = read_config(source, None, laid_over, classes)
    return run_config(settings, manager, data, name, output, overwrite, progress)


def run_config(
    config: Config,
    manager: Manager,
    data: Any = None,
    name: str | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run a checked configuration. See `backtest`."""
    from bitten.run import Run

    clock = WallClock()
    started = clock.elapsed()
    announce_compilation()
    feed, facts = make_feed(config, data)
    place = Path(output) if output is not None else config.folder / config.run.output
    with staged(place, name or config.run.name, overwrite=overwrite) as folder:
        with trackers(config, manager, folder) as listening:
            pipeline, sketch = build_pipeline(config, manager)
            listening.report_to(pipeline.publisher)
            with spared_collector():
                _replay(pipeline, feed, facts, progress)
        seconds = clock.elapsed() - started
        created = iso(clock.now_ns(), 0)
        tables = {**pipeline.parts.journal.tables(), **_extra_tables(pipeline)}
        manifest = make_manifest(config, run_name(folder), facts, pipeline, created, seconds)
        _write(folder, config, tables, (pipeline.counters.first or 0, pipeline.counters.last or 0), sketch, manifest)
    return Run.open(place / run_name(folder))


def make_feed(config: Config, data: Any = None) -> tuple[Feed, FeedFacts]:
    """The configured feed and what it says of its data."""
    context = FeedContext(
        symbols=config.feed.symbols,
        instruments=config.instruments,
        start=config.start,
        end=config.end,
        folder=config.folder,
        seed=config.run.seed,
        intrabar=config.feed.intrabar,
        data=data,
    )
    try:
        feed: Feed = config.feed_part.entry.load()(config.feed_part.config, context)
        return feed, feed.facts()
    except BittenError as error:
        raise config.file.error(("feed",), str(error)) from error


def build_pipeline(config: Config, manager: Manager) -> tuple[Pipeline, CandleSketch]:
    """Everything between feed and journal, from a configuration; live trading builds the same."""
    from bitten.analysis.candles import CANDLE_BUDGET, CandleSketch

    market = Market(config.instruments, config.rates)
    traded = sorted({symbol for pattern in config.patterns for symbol in pattern.symbols})
    for row, account in enumerate(config.accounts):
        try:
            check_conversions(market, traded, account.currency)
        except BittenError as error:
            raise config.file.error(("accounts", row, "currency"), str(error)) from error
    ledger = Ledger(config.accounts)
    journal = MemoryJournal(ledger.ids, config.run.decisions == "all")
    executor = config.executor.entry.load()(config.executor.config, ExecutorContext(config.instruments, market))
    steps = _steps(config, max((executor.fill_rules(symbol).slippage for symbol in config.instruments), default=0))
    desk = Desk(config.human, config.missions.life_minutes)
    detectors = make_detectors(config.patterns, config.instruments, config.folder, config.run.day)
    pipeline = Pipeline(
        Parts(market, detectors, executor, ledger, journal, manager, desk),
        lambda publisher: GateChain(steps, ledger, market, publisher),
        config.costs.commission_per_lot,
        config.run.equity_minutes * NS_PER_MINUTE,
        config.run.day,
    )
    sketch = CandleSketch(CANDLE_BUDGET // max(1, len(config.instruments)))
    pipeline.detection.observers.append(_CandleObserver(sketch, config))
    return pipeline, sketch


def _steps(config: Config, slippage: int) -> list[Step]:
    """The gates and shields of the chain, in configured order."""
    steps = []
    for i, part in enumerate(config.gates):
        context = GateContext(
            slippage, config.costs.commission_per_lot, part.name, config.folder, config.instruments,
            tuple(pattern.part.name for pattern in config.patterns),
        )  # fmt: skip
        try:
            steps.append(Step(part.name, part.entry.load()(part.config, context)))
        except BittenError as error:  # a file that it needs, for example
            raise config.file.error(("gates", i), str(error)) from error
    return steps


class _CandleObserver:
    """Sketches candles for the report from each symbol's finest bars."""

    def __init__(self, sketch: CandleSketch, config: Config) -> None:
        self._sketch = sketch
        self._config = config

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """Keep the shortest timeframe's bars."""
        if bars:
            name = min(bars, key=timeframe_ns)
            digits = self._config.instruments[symbol].digits
            self._sketch.add(symbol, bars[name], timeframe_ns=timeframe_ns(name), digits=digits)


@contextmanager
def spared_collector() -> Iterator[None]:
    """Keep the garbage collector from walking, again and again, facts that stay until the run folder is written: where
    signals are many, a tenth of the time. The command line has told it so already, a notebook has not.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _GARBAGE), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _replay(pipeline: Pipeline, feed: Feed, facts: FeedFacts, progress: Progress | None) -> None:
    for piece in feed.slices():
        pipeline.step(piece)
        if progress is not None:
            progress(pipeline.counters.quotes, facts.quotes, piece.horizon)
    if pipeline.counters.quotes == 0:
        raise DataError("the feed gave no quotes: check feed.symbols and feed.from/feed.to against `bitten data list`")
    pipeline.finish()


def _extra_tables(pipeline: Pipeline) -> dict[str, pa.Table]:
    """What gates and shields leave, by name; one that fails to, or takes a name that is taken, leaves nothing.

    Two that leave tables of one name and form (two rule packs, say) leave one together.
    """
    import pyarrow as pa

    extra: dict[str, pa.Table] = {}
    for step in pipeline.chain.steps:
        try:
            for name, table in step.part.tables().items():
                other = extra.get(name)
                taken = name in (*TABLES, "performance") or (other is not None and other.schema != table.schema)
                if taken or not name.isidentifier():
                    raise ValueError(f'a table cannot be called "{name}": that is taken, or no word')
                extra[name] = table if other is None else pa.concat_tables([other, table]).unify_dictionaries()
        except Exception as error:
            pipeline.publisher.failed(step.name, "tables", error)
    return extra


def _write(
    folder: Path, config: Config, tables: Mapping[str, pa.Table], span: tuple[int, int], sketch: CandleSketch,
    manifest: dict[str, Any],
) -> None:  # fmt: skip
    from bitten.analysis.performance import performance_table
    from bitten.analysis.report import render_report
    from bitten.analysis.statistics import account_facts, summarise

    tables = {**tables, "performance": performance_table(tables)}
    accounts, chain = account_facts(config.accounts), [part.name for part in config.gates]
    with ThreadPoolExecutor(1) as pool:  # Arrow writes without the interpreter
        written = pool.submit(write_tables, folder, tables)
        summary = summarise(tables, accounts, span, chain)
        write_json(folder / "summary.json", summary)
        write_json(folder / "manifest.json", manifest)
        report = render_report(tables, summary, manifest, sketch.sets())
        (folder / "report.html").write_text(report, encoding="utf-8")
        written.result()
