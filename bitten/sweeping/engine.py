"""Runs a batch of configurations and says how each came out; nothing is written to disk.

The data is read once, its bars are built once, and every different pattern scans once. What remains, decisions and
money, kernels do for each combination whose gates are rules; the others go through the pipeline, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from bitten.analysis.statistics import AccountFacts, headline
from bitten.backtesting import build_pipeline, make_feed
from bitten.bars import BarLadder
from bitten.config import Config
from bitten.detectors import check_source, known_quotes
from bitten.errors import DataError
from bitten.manager import Manager
from bitten.model.quotes import Slice, no_quotes
from bitten.pipeline import Pipeline
from bitten.rule import Rule
from bitten.sweeping.lane import LaneRun, rules_of
from bitten.sweeping.scanner import Scanner, scanner_key
from bitten.sweeping.tape import TapeMaker

BatchProgress = Callable[[float], None]
"""Called with the share of the batch that is done, 0 to 1."""


def run_batch(
    configs: Sequence[Config], manager: Manager, data: Any = None, progress: BatchProgress | None = None
) -> list[Mapping[str, Any]]:
    """Replay each configuration as `bitten.backtest` would.

    Returns:
        In the order of the configurations, their key figures as `bitten.analysis.statistics.headline` makes them
        (those of signals that were not fired are left out), with `alerts`, the number of alerts, beside them.

    Raises:
        BittenError: the data cannot be used.
    """
    found: list[Mapping[str, Any]] = [{}] * len(configs)
    together: dict[bytes, list[tuple[int, Pipeline, list[Rule]]]] = {}
    apart = []
    for i, config in enumerate(configs):
        pipeline, _ = build_pipeline(config, manager)
        rules = rules_of(config, pipeline)
        if rules is None:
            apart.append(i)
        else:
            together.setdefault(_feed_key(config), []).append((i, pipeline, rules))
    done = 0
    for some in together.values():
        batch = _Batch([(configs[i], pipeline, rules) for i, pipeline, rules in some])

        def follow(share: float, before: int = done, count: int = len(some)) -> None:
            if progress is not None:
                progress((before + share * count) / len(configs))

        for (i, _, _), figures in zip(some, batch.run(data, follow), strict=True):
            found[i] = figures
        done += len(some)
    for i in apart:
        found[i] = _run(configs[i], manager, data)
        done += 1
        if progress is not None:
            progress(done / len(configs))
    return found


def _feed_key(config: Config) -> bytes:
    """Equal for configurations that read the same quotes into the same bars."""
    feed = (config.feed_part.entry.name, config.feed_part.config, config.feed.symbols, config.feed.intrabar)
    return msgspec.json.encode([*feed, config.start, config.end, config.run.seed, config.run.day])


class _Batch:
    """Combinations that share a pass over the data."""

    def __init__(self, combinations: Sequence[tuple[Config, Pipeline, list[Rule]]]) -> None:
        self._config = combinations[0][0]
        self._symbols = list(self._config.instruments)
        self._scanners: dict[str, dict[bytes, Scanner]] = {symbol: {} for symbol in self._symbols}
        self._lanes = [
            LaneRun(config, made, rules, self._ordered(config, made)) for config, made, rules in combinations
        ]
        self._ladders = {
            symbol: BarLadder(
                {name for scanner in scanners.values() for name in scanner.detector.timeframes}, self._config.run.day
            )
            for symbol, scanners in self._scanners.items()
        }
        self._tapes = TapeMaker(self._symbols)

    def run(self, data: Any, progress: BatchProgress) -> list[dict[str, Any]]:
        """The figures of each combination."""
        feed, facts = make_feed(self._config, data)
        tapes, lanes, tape = self._tapes, self._lanes, None
        grids = sorted({lane.grid_ns for lane in lanes})
        started = False
        for piece in feed.slices():
            self._scan(piece)
            tape = tapes.make(piece)
            if not started and tapes.first is not None:
                started = True
                for lane in lanes:
                    lane.start(tapes.first)
            marks = tapes.marks(tape, grids)
            for lane in lanes:
                lane.step(tape, marks[lane.grid_ns])
            if facts.quotes:
                progress(min(1.0, tapes.quotes / facts.quotes))
        if tape is None or tapes.first is None:
            raise DataError(
                "the feed gave no quotes: check feed.symbols and feed.from/feed.to against `bitten data list`"
            )
        for lane in lanes:
            lane.finish(tape, tapes.last_times)
        progress(1.0)
        span = (tapes.first, int(tapes.last_times.max()))
        return [lane.figures(span) for lane in lanes]

    def _ordered(self, config: Config, pipeline: Pipeline) -> list[Scanner]:
        """A combination's scanners, those of its patterns that another has as well being shared."""
        found = []
        for symbol_order, (symbol, detectors) in enumerate(pipeline.parts.detectors.items()):
            scanners = self._scanners[symbol]
            for rank, detector in enumerate(detectors):
                part = config.patterns[detector.order]
                key = scanner_key(part, symbol, detector.timeframe, config.run.day)
                scanner = scanners.setdefault(key, Scanner(detector, symbol_order))
                found.append(((detector.order, symbol_order, rank), scanner))
        return [scanner for _, scanner in sorted(found, key=lambda pair: pair[0])]

    def _scan(self, piece: Slice) -> None:
        for symbol, scanners in self._scanners.items():
            quotes = piece.quotes.get(symbol) or no_quotes(symbol)
            bars, known = self._ladders[symbol].update(quotes), known_quotes(quotes)
            for scanner in scanners.values():
                if quotes.bar_ns:
                    check_source(scanner.detector, quotes)
                scanner.scan(bars, known, piece.horizon, quotes.bar_ns)


def _run(config: Config, manager: Manager, data: Any) -> Mapping[str, Any]:
    """One combination through the pipeline."""
    feed, _ = make_feed(config, data)
    pipeline, _ = build_pipeline(config, manager)
    for piece in feed.slices():
        pipeline.step(piece)
    first, last = pipeline.counters.first, pipeline.counters.last
    if first is None or last is None:
        raise DataError("the feed gave no quotes: check feed.symbols and feed.from/feed.to against `bitten data list`")
    pipeline.finish()
    journal = pipeline.parts.journal
    accounts = [AccountFacts(account.id, account.currency, account.balance) for account in config.accounts]
    return {**headline(journal.tables(), accounts, (first, last)), "alerts": len(journal.alerts)}
