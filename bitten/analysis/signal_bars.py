"""The candles around a signal, made again from the feed of its run: a run folder holds no quotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bitten.analysis.candles import CandleSet
from bitten.analysis.run_origin import origins
from bitten.backtesting import make_feed
from bitten.bars import BarLadder
from bitten.clock import iso, utc_offset_ns
from bitten.config import Config, check_document, open_document
from bitten.errors import BittenError, DataError
from bitten.instants import instant
from bitten.model.dtypes import NS_PER_MINUTE, Records
from bitten.model.quotes import Quotes
from bitten.model.timeframe import TIMEFRAMES, timeframe_ns

BEFORE: Final = 60  # bars shown before the signal
AFTER: Final = 10  # bars shown after the end
_MOST: Final = 300  # bars of a chart: more are drawn in a longer timeframe
_ENOUGH: Final = 30  # fewer bars before the signal mean that the market was closed: look farther back
_HOUR_NS: Final = 60 * NS_PER_MINUTE
_WEEKEND_NS: Final = 3 * 1440 * NS_PER_MINUTE
_NOTEBOOK_FEED: Final = "frame"


@dataclass(frozen=True, slots=True)
class SignalBars:
    """Candles around a signal, and what a reader must know of them."""

    candles: CandleSet
    timeframe: str
    note: str | None = None


def signal_bars(
    manifest: Mapping[str, Any], run_folder: Path, symbol: str, timeframe: str, time: int, until: int
) -> SignalBars:
    """Bid candles from 60 bars before a signal to 10 bars after its end.

    Args:
        manifest: of the run; its `config` says where the quotes are.
        run_folder: from which the folder of the configuration is guessed, for relative paths.
        symbol: whose candles.
        timeframe: the signal's; a longer one is taken where the signal lived for hundreds of its bars.
        time: of the decision, ns UTC.
        until: the end of what is shown, less the bars after it, ns UTC.

    Raises:
        DataError: there is no source, or it gives no quotes any more.
    """
    if ((manifest.get("config") or {}).get("feed") or {}).get("use") == _NOTEBOOK_FEED:
        raise DataError("the quotes came from a notebook")
    folder, note = _source(manifest, run_folder, symbol)
    name = _fitting(timeframe, until - time)
    bar = timeframe_ns(name)
    first, last = _range(manifest, symbol, folder)
    shift = 0 if bar <= _HOUR_NS else utc_offset_ns(_day(manifest), time)  # of the clock that long bars start by
    stop = min(((until + shift) // bar + AFTER + 1) * bar - shift, last)
    bars: Records | None = None
    for farther in (0, _WEEKEND_NS):
        begin = ((time + shift) // bar - BEFORE - 1) * bar - shift - farther
        config = _config(manifest, symbol, folder, max(begin, first), stop)
        bars = np.concatenate(list(_bars(config, symbol, name)))
        if begin > first:
            bars = bars[1:]  # where a clock was set in between, it began in the middle of that one
        if np.count_nonzero(bars["time"] <= time) >= _ENOUGH or begin <= first:
            break
    assert bars is not None
    if not bars.size:
        raise DataError(f"the source holds no quotes of {symbol} around {iso(time, 0)} UTC any more")
    start = max(0, int(np.searchsorted(bars["time"], time)) - BEFORE)
    return SignalBars(_candles(bars[start:], config.instruments[symbol].digits, bar), name, note)


def _source(manifest: Mapping[str, Any], run_folder: Path, symbol: str) -> tuple[Path, str | None]:
    """The folder in which the configuration stood, judged by the quotes found from there, and a note if they differ.

    Raises:
        DataError: from nowhere the feed finds its data.
    """
    wanted = ((manifest.get("feed") or {}).get("fingerprints") or {}).get(symbol)
    found, reason = None, ""
    for folder in origins(manifest, run_folder):
        try:
            _, facts = make_feed(_config(manifest, symbol, folder))
        except BittenError as error:
            reason = reason or str(error)
            continue
        if wanted is None or facts.fingerprints.get(symbol) == wanted:
            return folder, None
        found = found or folder
    if found is None:
        raise DataError(reason)
    return found, "the quotes are no longer those of the run: drawn as they are now"


def _range(manifest: Mapping[str, Any], symbol: str, folder: Path) -> tuple[int, int]:
    """First instant of the run's data, and the first after it."""
    config = _config(manifest, symbol, folder)
    period = manifest.get("period") or {}
    first = config.start if config.start is not None else instant(period["first"]) if "first" in period else 0
    last = config.end if config.end is not None else instant(period["last"]) + NS_PER_MINUTE if "last" in period else 0
    return first, last or 1 << 62


def _day(manifest: Mapping[str, Any]) -> str:
    return str(((manifest.get("config") or {}).get("run") or {}).get("day", "UTC"))


def _config(
    manifest: Mapping[str, Any], symbol: str, folder: Path, start: int | None = None, end: int | None = None
) -> Config:
    """The run's feed as a configuration of its own, for one symbol and, where given, one stretch of time."""
    config = manifest.get("config") or {}
    feed = {key: value for key, value in (config.get("feed") or {}).items() if value is not None}
    feed["symbols"] = [symbol]
    if start is not None and end is not None:
        feed |= {"from": iso(start, 6), "to": iso(end, 6)}
    facts = (config.get("instruments") or {}).get(symbol) or {}
    run = {key: value for key, value in (config.get("run") or {}).items() if key in ("seed", "day")}
    sections = {
        "run": run,
        "feed": feed,
        "instruments": {symbol: {key: value for key, value in facts.items() if key != "symbol"}},
    }
    file, _ = open_document({key: value for key, value in sections.items() if value})
    return check_document(file, folder)[0]


def _fitting(timeframe: str, held_ns: int) -> str:
    """The signal's timeframe, or the first longer one in which it takes few enough candles."""
    own = timeframe_ns(timeframe)
    fitting = (
        name
        for name in TIMEFRAMES
        if (bar := timeframe_ns(name)) % own == 0 and held_ns // bar + BEFORE + AFTER <= _MOST
    )
    return next(fitting, TIMEFRAMES[-1])


def _bars(config: Config, symbol: str, timeframe: str) -> Iterator[Records]:
    feed, _ = make_feed(config)
    ladder = BarLadder([timeframe], config.run.day)
    last: Quotes | None = None
    for piece in feed.slices():
        quotes = piece.quotes.get(symbol)
        if quotes is not None and len(quotes):
            yield ladder.update(quotes)[timeframe]
            last = quotes
    if last is None:
        raise DataError(f"the source holds no quotes of {symbol} there any more")
    if not last.bar_ns:  # a bar of ticks is known by the next one's first quote: give it one
        after = np.array([int(last.ts[-1]) + 2 * timeframe_ns(timeframe)])
        yield ladder.update(Quotes(symbol, after, last.bid[-1:], last.ask[-1:]))[timeframe]


def _candles(bars: Records, digits: int, bar_ns: int) -> CandleSet:
    time, opened, high, low, close = (
        np.ascontiguousarray(bars[name]) for name in ("time", "open", "high", "low", "close")
    )
    return CandleSet(digits, bar_ns, time, opened, high, low, close)
