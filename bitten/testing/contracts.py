"""Contracts of feeds, gates and executors, each as a check that shows its first counter-example."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from bitten.executor import Executor, ExecutorContext, Report
from bitten.fates import Fates
from bitten.feed import Feed, FeedContext
from bitten.gate import Gate, GateContext, Situation, Verdict, column
from bitten.ledger import Account, Ledger
from bitten.market import Market, MarketView
from bitten.model.dtypes import CLOSED, FILLED, NS_PER_SECOND, Floats
from bitten.model.facts import ExitPlan, Fire, Signal
from bitten.model.quotes import QUOTES_PER_BAR, Quotes, Slice
from bitten.testing.markets import INSTRUMENT, random_quotes
from bitten.testing.trial import LawBroken

_CONDITIONS: Final = 12  # situations a gate is tried in
_ACCOUNTS: Final = 5
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


def check_gate(kind: type[Gate], config: Any = None, *, context: GateContext | None = None, seed: int = 0) -> int:
    """Try a gate in random situations; the number of accounts it refused in them.

    A verdict is complete, the same when asked again, leaves the situation as it was, and is for each account what it
    would be if that account were alone, or in another row.

    Raises:
        LawBroken: with the situation's number and what is wrong.
    """
    rng = np.random.default_rng(seed)
    refused = 0
    for number in range(_CONDITIONS):
        trial = _GateTrial(kind(configured(kind, config), context or GateContext()), f"situation {number}", rng)
        everybody = list(range(_ACCOUNTS))
        verdict = trial.ask(everybody)
        refused += int((~verdict.passed).sum())
        for how, rows in [
            ("asked again", everybody),
            ("accounts in reverse order", everybody[::-1]),
            *((f"account {row} alone", [row]) for row in everybody),
        ]:
            _same_verdict(trial.ask(rows), verdict, rows, f"situation {number}, {how}")
    return refused


class _GateTrial:
    """One situation with five accounts, which a gate can be shown in any selection and order."""

    def __init__(self, gate: Gate, name: str, rng: np.random.Generator) -> None:
        self.gate = gate
        self.name = name
        self.market, self.signal = _market(rng)
        self.accounts = [
            Account(f"a{i}", currency, float(rng.integers(100, 100_000)), int(rng.integers(1, 4)), 20.0, 80.0)
            for i, currency in zip(range(_ACCOUNTS), itertools.cycle(("USD", "EUR")), strict=False)
        ]
        self.lots: Floats = np.round(rng.integers(0, 100, _ACCOUNTS) / 100, 2)
        self.loss: Floats = rng.uniform(50.0, 500.0, _ACCOUNTS)  # money that one lot loses at the stop
        self.busy = rng.integers(0, 4, _ACCOUNTS).tolist()
        self.now = self.signal.time + int(rng.choice([0, 1, 60, 240])) * NS_PER_SECOND  # a person may answer late

    def ask(self, rows: list[int]) -> Verdict:
        """The gate's verdict on these accounts, in this order."""
        ledger = _ledger([self.accounts[row] for row in rows], [self.busy[row] for row in rows], self.signal)
        view = MarketView(self.market, self.now)
        worked_out = {"loss_per_lot": self.loss[rows]}
        situation = Situation(self.signal, view, ledger, self.lots[rows].copy(), 0.75, None, worked_out)
        before = _columns(situation)
        verdict = self.gate.decide(situation)
        wrong = _fault_of_verdict(verdict, len(rows))
        if not wrong and _columns(situation) != before:
            wrong = "it changed the situation that it was given"
        if wrong:
            raise LawBroken(f"{self.name}: {wrong}")
        return verdict


def _market(rng: np.random.Generator) -> tuple[Market, Signal]:
    """A market of one symbol, and a signal at its last quote."""
    quotes = random_quotes(rng, 200)
    market = Market({INSTRUMENT.symbol: INSTRUMENT}, {})
    market.begin(Slice(int(quotes.ts[-1]), {INSTRUMENT.symbol: quotes}))
    return market, _signal(rng, quotes, quotes.ts.size - 1, 0)


def _signal(rng: np.random.Generator, quotes: Quotes, at: int, number: int) -> Signal:
    side = int(rng.choice([-1, 1]))
    bid = int(quotes.bid[at])
    return Signal(
        id=f"signal-{number}",
        pattern="random",
        instrument=INSTRUMENT,
        timeframe="M1",
        timeframe_ns=60 * NS_PER_SECOND,
        side=side,
        time=int(quotes.ts[at]),
        anchor=number,
        reference_points=bid,
        stop_points=bid - side * int(rng.integers(20, 200)),
        target_points=bid + side * int(rng.integers(20, 200)),
        relative=False,
        confidence=float(rng.integers(0, 1001)) / 10,
        expiry=0,
        plan=ExitPlan(),
        atr_points=float(rng.integers(10, 200)),
    )


def _ledger(accounts: Sequence[Account], busy: Sequence[int], signal: Signal) -> Ledger:
    """Accounts of which each has some fires that have not ended; half of them are on the signal's symbol."""
    pound = dataclasses.replace(INSTRUMENT, symbol="GBPUSD", base="GBP")
    other = msgspec.structs.replace(signal, instrument=pound)
    ledger = Ledger(accounts)
    for row, account in enumerate(accounts):
        for i in range(busy[row]):
            fired = msgspec.structs.replace(signal if i % 2 else other, id=f"earlier-{row}-{i}")
            name, risk = f"{account.id}-{i}", account.balance / 25
            ledger.apply(Fire(name, 10 * row + i, fired, account.id, 0.1, signal.time - 1, risk))
    return ledger


def _columns(situation: Situation) -> tuple[Any, ...]:
    ledger = situation.ledger
    arrays = (situation.lots, situation.risk, ledger.balance, ledger.slots, ledger.used, ledger.open_risk)
    bands = (ledger.band_low, ledger.band_high)
    return (*(array.tolist() for array in (*arrays, *bands)), ledger.on_symbol(situation.signal.symbol).tolist())


def _fault_of_verdict(verdict: Verdict, size: int) -> str:
    if not isinstance(verdict, Verdict):
        return f"decide returned {type(verdict).__name__}, must be a Verdict"
    if verdict.passed.shape != (size,) or verdict.passed.dtype != np.bool_:
        return f"passed has shape {verdict.passed.shape} and type {verdict.passed.dtype}, must be bool ({size},)"
    if verdict.lots is not None and (
        verdict.lots.shape != (size,) or not np.isfinite(verdict.lots).all() or (verdict.lots < 0).any()
    ):
        return f"lots are {verdict.lots.tolist()}, must be {size} finite numbers, none negative"
    try:
        numbers = [column(value, size) for value in (verdict.measured, verdict.limit)]
        reason = verdict.reason.format(measured=0.5, limit=1.5, account="a0")
    except (ValueError, KeyError, IndexError) as error:
        return f"measured, limit or reason cannot be used: {type(error).__name__}: {error}"
    if not all(np.isfinite(one[~verdict.passed]).all() for one in numbers):
        return "measured or limit of a refusal is not a finite number"
    return "" if reason.strip() else "a refusal has no reason"


def _same_verdict(found: Verdict, whole: Verdict, rows: Sequence[int], how: str) -> None:
    pick = list(rows)
    size = whole.passed.size
    for name in ("passed", "measured", "limit", "lots"):
        ours, theirs = getattr(found, name), getattr(whole, name)
        if (ours is None) != (theirs is None):
            raise LawBroken(f"{how}: {name} is {ours}, was {theirs}")
        if ours is None:
            continue
        left, right = column(ours, len(pick)), column(theirs, size)[pick]
        if not np.array_equal(left, right, equal_nan=True):
            raise LawBroken(f"{how}: {name} is {left.tolist()}, was {right.tolist()}")


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
        Fire(f"fire-{i}", i, _signal(rng, quotes, index, i), "main", 0.1, int(quotes.ts[index]))
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
