"""Importing: foreign quote files in, columns in the store out, all or nothing, with every repair counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from bitten.clock import iso
from bitten.errors import DataError
from bitten.model.instrument import Instrument
from bitten.model.timeframe import timeframe_ns
from bitten.store.barcleaning import BarCleaner, find_timeframe, join_sides, merge_files, whole
from bitten.store.cleaning import Policy, Tally, TickCleaner
from bitten.store.clockproof import Evidence, Proof
from bitten.store.columns import NO_SPREAD, BarColumns, Source, TickColumns
from bitten.store.discovery import Found, Group, Skipped, clock_named, file_labels, find, group, instrument_of
from bitten.store.importer import Importer, ImportOptions, RawBars, RawTicks
from bitten.store.outliers import SpikeCounter
from bitten.store.overlap import OnOverlap
from bitten.store.repairs import dropped_rows
from bitten.store.tickstore import Added, TickStore, Transaction
from bitten.store.tradingweek import GapCounter


class Progress(Protocol):
    """Who is told how an import goes."""

    def start(self, size: int) -> None:
        """So many bytes are to be read."""

    def file(self, path: Path) -> None:
        """This file is being read now."""

    def advance(self, size: int) -> None:
        """So many more bytes have been read."""


class Silent:
    """Nobody is told."""

    def start(self, size: int) -> None:
        """Nothing."""

    def file(self, path: Path) -> None:
        """Nothing."""

    def advance(self, size: int) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be imported, and how."""

    paths: tuple[Path, ...]
    format: str | None = None
    options: ImportOptions = field(default_factory=ImportOptions)
    policy: Policy = field(default_factory=Policy)
    on_overlap: OnOverlap = "refuse"


@dataclass(frozen=True, slots=True)
class Imported:
    """One series that was imported."""

    symbol: str
    kind: str  # "ticks" or a timeframe
    source: Source
    first: int  # ns UTC, of the rows that passed; 0 where none did
    last: int
    passed: int  # rows that passed cleaning
    added: Added | None  # what the store made of them; None in a dry run
    warnings: tuple[str, ...] = ()

    @property
    def left_out(self) -> Mapping[str, int]:
        """Rows that were dropped, by reason: together with those that passed they are all rows of the files."""
        return dropped_rows(self.kind == "ticks", self.source)


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did."""

    imported: tuple[Imported, ...]
    skipped: tuple[Skipped, ...]


def _read_twice(one: Group) -> bool:
    """Ticks of an unknown clock are read once to prove it and once to import them; bars stay in memory."""
    return one.kind == "ticks" and one.clock is None


def ingest(
    request: Request,
    importers: Mapping[str, Importer],
    instruments: Mapping[str, Instrument],
    store: TickStore | None,
    progress: Progress | None = None,
) -> Report:
    """Read files and put them into the store in one transaction: an error, or a kill, leaves the store as it was.

    Args:
        request: files and rules.
        importers: readers by name.
        instruments: facts of symbols.
        store: where it goes; None reads, cleans and counts only.
        progress: told how it goes.

    Raises:
        BittenError: a file cannot be used; one line that says which, where and what to do.
    """
    progress = progress or Silent()
    options = replace(request.options, known_symbols=frozenset(instruments), advance=progress.advance)
    if options.clock is not None:
        options = replace(options, clock=clock_named(options.clock))
    forced = request.format or ("columns" if options.columns else None)
    found, skipped = find(request.paths, importers, options, forced)
    if not found:
        raise _nothing(request.paths, skipped)
    groups = group(found, options)
    known = [(one, instrument_of(one, instruments)) for one in groups]
    progress.start(sum(file.size * (2 if _read_twice(one) else 1) for one in groups for file in one.files))
    with store.transaction() if store is not None else nullcontext() as transaction:
        imported = []
        for one, instrument in known:
            session = _Session(request, replace(options, symbol=one.symbol), one, instrument, transaction, progress)
            imported += session.ticks() if one.kind == "ticks" else session.bars()
        if not any(series.passed for series in imported):
            raise _no_rows(imported, found)
    return Report(tuple(imported), tuple(skipped))


def _nothing(paths: Sequence[Path], skipped: Sequence[Skipped]) -> DataError:
    """No file holds quotes."""
    if not skipped:
        return DataError(f"no quote files found in {', '.join(map(str, paths))}")
    first = skipped[0]
    return DataError(f"{len(skipped)} of {len(skipped)} files skipped, nothing imported: {first.path}: {first.reason}")


def _no_rows(imported: Sequence[Imported], found: Sequence[Found]) -> DataError:
    """Files were read and no row of them can be used."""
    left_out = Counter[str]()
    for series in imported:
        left_out.update(series.left_out)
    what = str(found[0].path) if len(found) == 1 else f"{found[0].path} and {len(found) - 1} more files"
    why = ", ".join(f"{count:,} {name}" for name, count in left_out.items())
    return DataError(f"{what}: nothing imported, {f'no row is usable: {why}' if why else 'there are no rows'}")


class _Session:
    """The import of one group of files."""

    def __init__(
        self,
        request: Request,
        options: ImportOptions,
        files: Group,
        instrument: Instrument,
        transaction: Transaction | None,
        progress: Progress,
    ) -> None:
        self.request = request
        self.group = files
        self.instrument = instrument
        self.transaction = transaction
        self._options = options
        self._progress = progress

    def ticks(self) -> list[Imported]:
        """Read, clean and store the ticks of all files, chunk by chunk."""
        clock = self._known_clock()
        if clock is None:
            first_look = Evidence(self.group.symbol)
            for file in self.group.files:
                for raw in self._chunks(file):
                    first_look.add(raw.time)
            clock = first_look.prove(self.group.what)
        series = _Series(self, "ticks", clock, self.group.files)
        for file in self.group.files:
            where = partial(self.group.importer.where, file.path)
            cleaner = TickCleaner(self.instrument, clock.rule, self.request.policy, series.tally, where)
            for raw in self._chunks(file):
                assert isinstance(raw, RawTicks)
                series.conclude(raw.rules, file.path)
                series.evidence.add(raw.time)
                series.add(cleaner.clean(raw))
            series.add(cleaner.finish())
        return [series.result()]

    def bars(self) -> list[Imported]:
        """Read the bars of all files, then clean and store them by timeframe."""
        by_timeframe: dict[str, list[tuple[Found, RawBars]]] = {}
        for file in self.group.files:
            chunks = [raw for raw in self._chunks(file) if isinstance(raw, RawBars) and raw.time.size]
            if not chunks:
                continue
            raw = whole(chunks)
            timeframe = find_timeframe(raw.time, self._options.timeframe or file.facts.timeframe, str(file.path))
            by_timeframe.setdefault(timeframe, []).append((file, raw))
        return [self._one_timeframe(name, files) for name, files in by_timeframe.items()]

    def _one_timeframe(self, timeframe: str, files: Sequence[tuple[Found, RawBars]]) -> Imported:
        evidence = Evidence(self.group.symbol, timeframe_ns(timeframe))
        evidence.add(np.unique(np.concatenate([raw.time for _, raw in files])))
        clock = self._known_clock() or evidence.prove(self.group.what)
        series = _Series(self, timeframe, clock, [file for file, _ in files], evidence)
        asks = Tally()
        sides: dict[bool, list[BarColumns]] = {False: [], True: []}
        for file, raw in files:
            series.conclude(raw.rules, file.path)
            is_ask = file.facts.side == "ask"
            cleaner = BarCleaner(timeframe, self.instrument, clock.rule, self.request.policy, file.facts.filler)
            where = partial(self.group.importer.where, file.path)
            sides[is_ask].append(cleaner.clean(raw, asks if is_ask else series.tally, where))
        if not sides[False]:
            raise _ask_only(files[0][0].path)
        bars = merge_files(sides[False], self.request.policy, series.tally, self.group.what)
        if sides[True]:
            ask = merge_files(sides[True], self.request.policy, asks, self.group.what)
            bars = join_sides(bars, ask, self.request.policy, series.tally)
            for name, count in asks.counts().items():
                series.tally.add(f"ask_{name}", count)
        series.tally.add("no_spread", (bars.spread == NO_SPREAD).sum())
        series.add(bars)
        return series.result()

    def _known_clock(self) -> Proof | None:
        """The clock that is stated or that the format is written in."""
        return None if self.group.clock is None else Proof(self.group.clock, self.group.clock_proof)

    def _chunks(self, file: Found) -> Iterator[RawTicks | RawBars]:
        self._progress.file(file.path)
        return self.group.importer.read(file.path, self._options)


class _Series:
    """One symbol and kind on its way into the store."""

    def __init__(
        self, session: _Session, kind: str, clock: Proof, files: Sequence[Found], evidence: Evidence | None = None
    ) -> None:
        self.tally = Tally()
        self.evidence = evidence or Evidence(session.group.symbol)
        self._session = session
        self._kind = kind
        self._clock = clock
        self._files = file_labels(files)
        self._concluded: Mapping[str, str] | None = None
        self._all_files = files
        self._spikes = SpikeCounter()
        self._gaps = GapCounter(session.instrument, 0 if kind == "ticks" else timeframe_ns(kind))
        self._added = Added()
        self._passed = 0
        self._times: list[int] = []  # first and last of every piece

    def conclude(self, rules: Mapping[str, str], path: Path) -> None:
        """Note what the importer had to conclude of the rows; one series is read by one set of conclusions.

        Raises:
            DataError: this file was read otherwise than those before it.
        """
        if self._concluded is not None and dict(self._concluded) != dict(rules):
            texts = [
                ", ".join(f"{key}: {text}" for key, text in r.items()) or "as written" for r in (rules, self._concluded)
            ]
            raise DataError(f"{path}: read {texts[0]}, but what came before {texts[1]}; import such files one by one")
        self._concluded = rules

    def add(self, columns: TickColumns | BarColumns | None) -> None:
        """Count rows that passed cleaning, and hand them to the store."""
        if columns is None:
            return
        time = columns.ts if isinstance(columns, TickColumns) else columns.time
        if time.size == 0:
            return
        self._gaps.add(time)
        self._spikes.add(columns)
        self._passed += time.size
        self._times += [int(time[0]), int(time[-1])]
        session = self._session
        if session.transaction is not None:
            self._added += session.transaction.add(
                session.group.symbol, session.instrument, columns, self._source(), session.request.on_overlap
            )

    def result(self) -> Imported:
        """What came of it.

        Raises:
            DataError: every quote has its bid above its ask.
        """
        self._check_sides()
        first, last = min(self._times, default=0), max(self._times, default=0)
        added = self._added if self._session.transaction is not None else None
        symbol = self._session.group.symbol
        return Imported(symbol, self._kind, self._source(), first, last, self._passed, added, tuple(self._warnings()))

    def _source(self) -> Source:
        """The source as counted so far."""
        session = self._session
        rules = session.request.policy.rules(self._kind != "ticks")
        return Source(
            session.group.importer.name,
            self._files,
            self._clock.rule,
            {**rules, "clock": self._clock.reason, **(self._concluded or {})},
            {**self.tally.counts(), "gaps": self._gaps.count},
        )

    def _looked_at(self) -> int:
        """Rows of which bid and ask could be compared."""
        counts = self.tally.counts()
        unseen = ("absent", "zero", "late", "bad_ohlc", "filler")
        dropped = counts["duplicates"] if self._session.request.policy.duplicates == "drop" else 0
        return counts["rows"] - dropped - sum(counts.get(name, 0) for name in unseen)

    def _check_sides(self) -> None:
        crossed = self.tally.counts()["crossed"]
        if self._kind == "ticks" and crossed and crossed == self._looked_at():
            raise DataError(
                f"{self._session.group.what}: all {crossed:,} rows have bid above ask: the columns look swapped, say "
                "which is which with --columns time=...,bid=...,ask=..."
            )

    def _warnings(self) -> Iterator[str]:
        session, counts = self._session, self.tally.counts()
        if counts["crossed"] > self._looked_at() / 2:
            yield (
                f"{counts['crossed']:,} of {self._looked_at():,} rows have bid above ask, more than half: are the "
                "columns what their names say, and is the file whole?"
            )
        if self._spikes.count:
            yield (
                f"outliers: {self._spikes.count:,} (more than three times or less than a third of the prices beside "
                f"them), kept, the first at {iso(self._spikes.first)} UTC; `bitten data check` shows more"
            )
        named = sorted({f.facts.symbol for f in self._all_files if f.facts.symbol} - {session.group.symbol})
        if named:
            yield (
                f"name or content of the files says {', '.join(named)}, they were imported as {session.group.symbol} "
                "because --symbol says so"
            )
        if session.request.options.clock is not None and (doubt := self.evidence.doubt(self._clock.rule)):
            yield doubt
        if rounded := counts.get("rounded"):
            symbol, digits = session.instrument.symbol, session.instrument.digits
            yield (
                f"{rounded} prices have more than {digits} decimals and were rounded; "
                f"to keep them set digits under [instruments.{symbol}] in bitten.toml"
            )


def _ask_only(path: Path) -> DataError:
    """Bars are bid bars, an ask file can only add their spread."""
    name = path.name
    for ask, bid in (("ask", "bid"), ("ASK", "BID"), ("Ask", "Bid")):
        name = name.replace(ask, bid)
    return DataError(f"{path}: holds ask bars only, bars are made of bids; import its bid file with it ({name})")
