"""Contracts of feeds and executors, each as a check that shows its first counter-example."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from bitten.executor import Executor, ExecutorContext, Report
from bitten.fates import Fates
from bitten.feed import Feed, FeedContext
from bitten.market import Market
from bitten.model.dtypes import CLOSED, FILLED
from bitten.model.facts import Fire
from bitten.model.quotes import QUOTES_PER_BAR, Quotes, Slice
from bitten.testing.markets import INSTRUMENT, random_quotes
from bitten.testing.partmarket import random_signal
from bitten.testing.trial import LawBroken

_FIRES: Final = 40  # orders an executor is given


def configured(kind: Any, config: Any) -> Any:
    """A plugin's configuration from a struct, a mapping as in bitten.toml, or None for its defaults."""
    return msgspec.convert(config or {}, kind.Config) if config is None or isinstance(config, Mapping) else config


def check_feed(kind: type[Feed], context: FeedContext, config: Any = None) -> int:
    """Read a feed to its end, twice, under the contract of `bitten.model.quotes`; the number of quotes it gave.

    Args:
        kind: the feed's class.
        context: symbols, instruments and folder as the pipeline would give them.
        config: a `Config` struct, a mapping as in bitten.toml, or None for the defaults.

    Raises:
        LawBroken: with the slice and what is wrong in it.
    """
    config = configured(kind, config)
    stated = kind(config, context).facts().quotes
    given, digest = _read_feed(kind(config, context), context)
    if stated is not None and stated != given:
        raise LawBroken(f"facts() says {stated} quotes, slices() gave {given}")
    if given == 0:
        raise LawBroken("the feed gave no quote, so nothing would be proved")
    if _read_feed(kind(config, context), context) != (given, digest):
        raise LawBroken("read a second time, the feed gave other quotes")
    return given


def _read_feed(feed: Feed, context: FeedContext) -> tuple[int, int]:
    """Quotes given, and a digest of them that does not depend on how they were cut."""
    horizon: int | None = None
    given = 0
    digests = dict.fromkeys(context.symbols, 0)
    for number, piece in enumerate(feed.slices()):
        if horizon is not None and piece.horizon <= horizon:
            raise LawBroken(f"slice {number} has horizon {piece.horizon}, not later than {horizon} before it")
        for symbol, quotes in piece.quotes.items():
            wrong = _fault_of_quotes(symbol, quotes, context, horizon, piece.horizon)
            if wrong:
                raise LawBroken(f"slice {number}, {symbol}: {wrong}")
            given += len(quotes)
            for row in zip(quotes.ts.tolist(), quotes.bid.tolist(), quotes.ask.tolist(), strict=True):
                digests[symbol] = hash((digests[symbol], row))
        horizon = piece.horizon
    return given, hash(tuple(digests.items()))


def _fault_of_quotes(symbol: str, quotes: Quotes, context: FeedContext, after: int | None, until: int) -> str:
    if symbol not in context.symbols or quotes.symbol != symbol:
        return f"it is given as {quotes.symbol}, asked for were {', '.join(context.symbols)}"
    if not quotes.ts.size == quotes.bid.size == quotes.ask.size:
        return f"ts, bid and ask have lengths {quotes.ts.size}, {quotes.bid.size}, {quotes.ask.size}"
    if len(quotes) == 0:
        return ""
    if quotes.ts.dtype != np.int64 or not {quotes.bid.dtype, quotes.ask.dtype} <= {np.dtype("i4"), np.dtype("i8")}:
        return f"ts, bid and ask have types {quotes.ts.dtype}, {quotes.bid.dtype}, {quotes.ask.dtype}"
    if (np.diff(quotes.ts) < 0).any():
        return f"ts steps back at quote {int(np.argmax(np.diff(quotes.ts) < 0)) + 1}"
    if (after is not None and quotes.ts[0] <= after) or quotes.ts[-1] > until:
        return f"ts from {quotes.ts[0]} to {quotes.ts[-1]} is not within ({after}, {until}]"
    if (quotes.bid <= 0).any() or (quotes.ask < quotes.bid).any():
        return f"quote {int(np.argmax((quotes.bid <= 0) | (quotes.ask < quotes.bid)))} is not 0 < bid <= ask"
    if quotes.bar_ns and len(quotes) % QUOTES_PER_BAR:
        return f"{len(quotes)} quotes made of bars are no multiple of {QUOTES_PER_BAR}"
    return ""


def check_executor(make: Callable[[ExecutorContext], Executor], *, seed: int = 0) -> int:
    """Give an executor random orders over random quotes; the number of positions it opened.

    Every order is filled after its decision and ends once, or ends once unfilled; reports come in the order of time;
    asking often or seldom what has happened changes nothing.

    Args:
        make: makes the executor: `lambda context: MyExecutor(MyConfig(), context)`.
        seed: of the market and the orders.

    Raises:
        LawBroken: with the order and what is wrong.
    """
    rng = np.random.default_rng(seed)
    quotes = random_quotes(rng, 4000)
    at = np.sort(rng.choice(quotes.ts.size - 10, _FIRES, replace=False)).tolist()
    fires = [
        Fire(f"fire-{i}", i, random_signal(rng, quotes, index, i), "main", 0.1, int(quotes.ts[index]))
        for i, index in enumerate(at)
    ]
    seldom = _execute(make, quotes, fires, [])
    often = _execute(make, quotes, fires, quotes.ts[::7].tolist())
    if seldom != often:
        first = next((pair for pair in zip(seldom, often, strict=False) if pair[0] != pair[1]), (seldom, often))
        raise LawBroken(f"asked seldom it reports {first[0]}, asked often {first[1]}")
    for fire in fires:
        own = [report for report in seldom if report.key == fire.number]
        kinds = [report.kind for report in own]
        if kinds not in ([FILLED, CLOSED], kinds[:1]) or kinds in ([], [FILLED], [CLOSED]):
            raise LawBroken(f"order {fire.number} was reported as {own}: expected a fill and a close, or one refusal")
        if own[0].kind == FILLED and own[0].time <= fire.time:
            raise LawBroken(f"order {fire.number} of {fire.time} was filled at {own[0].time}, not after it")
    return sum(report.kind == FILLED for report in seldom)


def _execute(
    make: Callable[[ExecutorContext], Executor], quotes: Quotes, fires: Sequence[Fire], stops: Sequence[int]
) -> list[Report]:
    instruments = {INSTRUMENT.symbol: INSTRUMENT}
    market = Market(instruments, {})
    executor = make(ExecutorContext(instruments, market))
    piece = Slice(int(quotes.ts[-1]), {INSTRUMENT.symbol: quotes})
    market.begin(piece)
    fates = Fates({INSTRUMENT.symbol: executor.fill_rules(INSTRUMENT.symbol)})
    executor.begin(fates.advance(piece, [fire.signal for fire in fires]))
    waiting = list(fires)
    reports: list[Report] = []
    for instant in sorted({*stops, *(fire.time for fire in fires), int(quotes.ts[-1])}):
        reports.extend(executor.advance(instant))
        while waiting and waiting[0].time <= instant:
            executor.place(waiting.pop(0))
    executor.begin(fates.finish())
    reports.extend(executor.finish())
    if any(later.time < earlier.time for earlier, later in itertools.pairwise(reports)):
        raise LawBroken("reports do not come in the order of time")
    return reports
