"""What `bitten demo` is made of: vendor-like files of synthetic quotes, their import, and a configuration to run.

Whatever is made up says SYNTHETIC: the files' names, the store's metadata, and through it the run and its report.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv

from bitten.errors import ConfigError, DataError
from bitten.feed import Feed, FeedContext
from bitten.manager import Manager
from bitten.market import Market, check_conversions
from bitten.model.dtypes import NS_PER_MS
from bitten.model.instrument import Instrument, to_prices
from bitten.model.instruments import load_instruments
from bitten.model.timeframe import TIMEFRAMES, timeframe_ns
from bitten.store.block import Columns
from bitten.store.columns import Source
from bitten.store.commit import writing
from bitten.store.importer import ImportOptions
from bitten.store.ingest import Progress, Report, Request, ingest
from bitten.store.overlap import OnOverlap
from bitten.store.tickstore import TICKS, Added, Holding, TickStore, Transaction

SYMBOLS: Final = ("EURUSD", "XAUUSD", "USDJPY")
START: Final = 1_712_523_600_000_000_000  # Sunday 2024-04-07 21:00 UTC
WEEKS: Final = 4
SEED: Final = 7
QUOTES_PER_DAY: Final = 40_000

_WEEK_NS: Final = 7 * 86_400 * 1_000_000_000
_SMALL_UNITS: Final = {"JPY": 1_500_000, "HUF": 3_600_000}  # balances worth about the 10,000 of other currencies
_NOTE: Final = """\
The quotes in this folder are SYNTHETIC: made by `bitten demo` from seed {seed}. No market ever traded at these prices,
and what a strategy earns on them means nothing. Times are UTC.
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of a store a demo replays, and in which currency."""

    symbols: tuple[str, ...]
    bars: str | None  # a timeframe, or None for ticks
    currency: str
    left_out: tuple[str, ...]  # symbols that are held in another form only

    @property
    def timeframes(self) -> tuple[str, ...]:
        """M1 and M5 from ticks; from bars their own timeframe and the next that is a multiple of it."""
        first = self.bars or "M1"
        longer = [name for name in TIMEFRAMES if timeframe_ns(name) > timeframe_ns(first)]
        multiples = [name for name in longer if timeframe_ns(name) % timeframe_ns(first) == 0]
        return ("M1", "M5") if first == "M1" else (first, *multiples[:1])


def write_quotes(folder: Path, manager: Manager) -> list[Path]:
    """Write four weeks of synthetic quotes, one gzipped CSV per symbol, the same bytes every time.

    Args:
        folder: where to; made where it is absent.
        manager: offers the feed "synthetic".
    """
    known = load_instruments({})
    instruments = {symbol: known[symbol] for symbol in SYMBOLS}
    context = FeedContext(SYMBOLS, instruments, START, START + WEEKS * _WEEK_NS, folder, SEED)
    made = manager.find("feeds", "synthetic").load()
    feed: Feed = made(made.Config(quotes_per_day=QUOTES_PER_DAY), context)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SYNTHETIC.txt").write_text(_NOTE.format(seed=SEED), encoding="utf-8")
    paths = {symbol: folder / f"{symbol}_SYNTHETIC_2024-04.csv.gz" for symbol in SYMBOLS}
    staged = {symbol: path.with_name(f".{path.name}.part-{os.getpid()}") for symbol, path in paths.items()}
    try:
        _write(feed, instruments, staged)
        for symbol, path in paths.items():
            staged[symbol].replace(path)
    finally:
        for part in staged.values():
            part.unlink(missing_ok=True)
    return list(paths.values())


def _write(feed: Feed, instruments: Mapping[str, Instrument], paths: Mapping[str, Path]) -> None:
    options = pyarrow.csv.WriteOptions(include_header=False)
    outputs = {symbol: gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) for symbol, path in paths.items()}
    try:
        for output in outputs.values():
            output.write(b"time,bid,ask\n")
        for piece in feed.slices():
            for symbol, quotes in piece.quotes.items():
                digits = instruments[symbol].digits
                columns = {
                    "time": pa.array(quotes.ts // NS_PER_MS).cast(pa.timestamp("ms", "UTC")),
                    "bid": to_prices(quotes.bid, digits),
                    "ask": to_prices(quotes.ask, digits),
                }
                pyarrow.csv.write_csv(pa.table(columns), outputs[symbol], options)
    finally:
        for output in outputs.values():
            output.close()


def import_quotes(
    paths: Sequence[Path],
    store: Path,
    manager: Manager,
    synthetic: bool,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Import files as `bitten data import` does; made-up quotes and real ones never share a store.

    Raises:
        DataError: the store holds quotes of the other kind.
    """
    for holding in TickStore(store).describe():
        if holding.synthetic is not synthetic:
            held, wanted = ("SYNTHETIC", "yours") if holding.synthetic else ("real", "SYNTHETIC quotes")
            raise DataError(f"{store} holds {held} quotes of {holding.symbol}: choose another --folder for {wanted}")
    importers = {name: entry.load()() for name, entry in manager.registry("importers").items()}
    request = Request(tuple(paths), options=options or ImportOptions())
    target = _SyntheticStore(store) if synthetic else TickStore(store)
    return ingest(request, importers, load_instruments({}), target, progress)


def choose(holdings: Sequence[Holding], instruments: Mapping[str, Instrument]) -> Choice:
    """Ticks where there are any, else bars of the shortest timeframe; an account currency that profits convert to.

    Raises:
        DataError: the store is empty.
    """
    if not holdings:
        raise DataError("no quotes came out of these files, so there is nothing to replay")
    kinds = {holding.kind for holding in holdings}
    kind = TICKS if TICKS in kinds else min(kinds, key=timeframe_ns)
    symbols = tuple(holding.symbol for holding in holdings if holding.kind == kind)
    left_out = tuple(sorted({holding.symbol for holding in holdings} - set(symbols)))
    traded = {symbol: instruments[symbol] for symbol in symbols}
    currency = next((c for c in ("USD", *(i.quote for i in traded.values())) if _converts(traded, c)), "USD")
    return Choice(symbols, None if kind == TICKS else kind, currency, left_out)


def configuration(choice: Choice) -> str:
    """The text of bitten.toml: the starter that `bitten init` writes, replaying the demo's store."""
    text = files("bitten.commands").joinpath("starter.toml").read_text(encoding="utf-8")
    quoted = ", ".join(f'"{name}"' for name in choice.symbols)
    frames = ", ".join(f'"{name}"' for name in choice.timeframes)
    changes = [
        (r'^use = "synthetic".*$', 'use = "parquet"'),
        (r"^symbols = .*$", f"symbols = [{quoted}]"),
        (r'^# store = "data".*$', 'store = "data"'),
        (r"^timeframes = .*$", f"timeframes = [{frames}]"),
        (r'^currency = "USD".*$', f'currency = "{choice.currency}"'),
    ]
    if choice.currency in _SMALL_UNITS:
        changes.append((r"^balance = .*$", f"balance = {_SMALL_UNITS[choice.currency]:.1f}"))
    if choice.bars is not None:
        changes.append((r'^# bars = "M1".*$', f'bars = "{choice.bars}"'))
    for pattern, line in changes:
        text, count = re.subn(pattern, line, text, flags=re.MULTILINE)
        assert count, f"the starter has no line {pattern}"  # the two files are ours and are tested together
    return text


def _converts(instruments: Mapping[str, Instrument], currency: str) -> bool:
    try:
        check_conversions(Market(instruments, {}), list(instruments), currency)
    except ConfigError:
        return False
    return True


class _SyntheticTransaction(Transaction):
    """Labels whatever is added."""

    def add(
        self, symbol: str, instrument: Instrument, columns: Columns, source: Source, on_overlap: OnOverlap = "refuse"
    ) -> Added:
        """See `Transaction.add`."""
        return super().add(symbol, instrument, columns, replace(source, synthetic=True), on_overlap)


class _SyntheticStore(TickStore):
    """A store whose additions are labelled SYNTHETIC for as long as they exist."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `TickStore.transaction`."""
        with writing(self.path):
            transaction = _SyntheticTransaction(self.path, self._row_group)
            yield transaction
            transaction.commit()
