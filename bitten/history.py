"""One symbol's history for commands that look at it: from a store, from raw files of any vendor, or made up.

Raw files go through the importers into a store that exists for as long as the history is open.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bitten.demonstration import import_quotes
from bitten.errors import BittenError, DataError, did_you_mean
from bitten.feed import Feed, FeedContext
from bitten.manager import Manager
from bitten.model.instrument import Instrument
from bitten.model.instruments import project_instruments
from bitten.model.quotes import Slice
from bitten.model.timeframe import TIMEFRAMES, timeframe_ns
from bitten.store import layout
from bitten.store.importer import ImportOptions
from bitten.store.ingest import Progress
from bitten.store.tickstore import TICKS, TickStore

_WEEKS: Final = 2  # of a synthetic history
_WEEK_NS: Final = 7 * 86_400 * 10**9
_START: Final = 1_712_523_600_000_000_000  # Sunday 2024-04-07 21:00 UTC
_QUOTES_PER_DAY: Final = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for."""

    paths: tuple[Path, ...] = ()  # files, folders of files, or a store; none for a synthetic history
    symbol: str | None = None
    timeframe: str | None = None
    clock: str | None = None  # of raw files


@dataclass(frozen=True, slots=True)
class History:
    """An open history: one symbol, and the timeframe in which it is looked at."""

    instrument: Instrument
    timeframe: str
    source: str  # where it is from, in words
    synthetic: bool
    others: tuple[str, ...]  # symbols that are there as well
    manager: Manager
    store: Path | None  # None where it is made up
    bars: str | None  # the timeframe of the bars that are replayed, None for ticks

    @property
    def symbol(self) -> str:
        """The instrument's name."""
        return self.instrument.symbol

    def slices(self, start: int | None = None, end: int | None = None) -> Iterator[Slice]:
        """All quotes from one instant (ns UTC) to before another, in slices, as the pipeline gets them."""
        return self._feed(start, end).slices()

    def _feed(self, start: int | None, end: int | None) -> Feed:
        kind = self.manager.find("feeds", "parquet" if self.store else "synthetic").load()
        if self.store:
            config = kind.Config(store=str(self.store.resolve()), bars=self.bars)
        else:
            config = kind.Config(quotes_per_day=_QUOTES_PER_DAY, seed=1)
            start = max(_START, start or 0)
            end = min(_START + _WEEKS * _WEEK_NS, end or 1 << 62)
        symbols = {self.symbol: self.instrument}
        feed: Feed = kind(config, FeedContext((self.symbol,), symbols, start, end, Path()))
        return feed


@contextmanager
def open_history(wanted: Wanted, manager: Manager, progress: Progress | None = None) -> Iterator[History]:
    """Open what a person asked for.

    Raises:
        DataError: there is no such file, symbol, or timeframe; or files that only `bitten data import` can be told of.
    """
    if wanted.timeframe is not None:
        timeframe_ns(wanted.timeframe)
    missing = next((path for path in wanted.paths if not path.exists()), None)
    if missing is not None:
        raise DataError(f"{missing}: there is no such file or folder")
    source = ", ".join(path.name or str(path) for path in wanted.paths)
    if not wanted.paths:
        yield _made_up(wanted, manager)
    elif len(wanted.paths) == 1 and layout.symbols(wanted.paths[0]):
        yield _stored(wanted, wanted.paths[0], f"store {wanted.paths[0]}", manager)
    else:
        with tempfile.TemporaryDirectory(prefix="bitten-") as folder:
            _import(wanted, Path(folder), manager, progress)
            yield _stored(wanted, Path(folder), source, manager)


def _made_up(wanted: Wanted, manager: Manager) -> History:
    instrument = project_instruments(Path())[wanted.symbol or "EURUSD"]
    source = "a SYNTHETIC market: made-up quotes, of which nothing follows for any real one"
    return History(instrument, wanted.timeframe or "M1", source, True, (), manager, None, None)


def _import(wanted: Wanted, store: Path, manager: Manager, progress: Progress | None) -> None:
    def read(symbol: str | None) -> None:
        options = ImportOptions(symbol=symbol, clock=wanted.clock)
        import_quotes(wanted.paths, store, manager, False, options, progress)

    try:
        try:
            read(None)
        except BittenError as error:  # files that tell their own symbol are not to be called otherwise
            if wanted.symbol is None or "--symbol" not in str(error):
                raise
            read(wanted.symbol)
    except DataError as error:
        if not re.search(r" --(?!clock|symbol)[a-z]", str(error)):
            raise
        remedy = "such options has `bitten data import`: make a store with it, and give that with --data"
        raise DataError(f"{error}; {remedy}") from error


def _stored(wanted: Wanted, store: Path, source: str, manager: Manager) -> History:
    held = layout.symbols(store)
    if not held:
        raise DataError(f"{source}: no quotes came out of it")
    symbol = _symbol(wanted.symbol, held, source)
    bars, timeframe = _kind(symbol, layout.kinds(store, symbol), wanted.timeframe)
    holding = TickStore(store).holding(symbol, bars or TICKS)
    others = tuple(name for name in held if name != symbol)
    instrument = project_instruments(Path())[symbol]
    return History(instrument, timeframe, source, holding.synthetic, others, manager, store, bars)


def _symbol(wanted: str | None, held: Sequence[str], source: str) -> str:
    if wanted is None:
        return held[0]
    found = next((name for name in held if name.upper() == wanted.upper()), None)
    if found is None:
        raise DataError(f"{source}: there is no {wanted} in it{did_you_mean(wanted, held)}")
    return found


def _kind(symbol: str, kinds: Sequence[str], wanted: str | None) -> tuple[str | None, str]:
    """(timeframe of the bars to replay, or None for ticks; the timeframe to look at)."""
    if TICKS in kinds:
        return None, wanted or "M1"
    if wanted is None:
        return kinds[0], kinds[0]
    fitting = [kind for kind in kinds if timeframe_ns(wanted) % timeframe_ns(kind) == 0]
    if not fitting:
        possible = [name for name in TIMEFRAMES if any(timeframe_ns(name) % timeframe_ns(kind) == 0 for kind in kinds)]
        raise DataError(
            f"{symbol} comes as {' and '.join(kinds)} bars, of which no {wanted} bars can be made: "
            f"possible are {', '.join(possible)}"
        )
    return fitting[-1], wanted
