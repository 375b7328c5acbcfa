"""Plain-Python patterns: what `on_bar` sees, what becomes of its proposals, and that failures lose nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.barpattern import Bar, BarPattern, Proposal, Window
from bitten.bars import BarBuilder
from bitten.model.dtypes import BUY, NO_PRICE, NS_PER_MINUTE, SELL, SIGNAL, Records
from bitten.model.timeframe import timeframe_ns
from bitten.pattern import Batch, KernelPattern, Pattern, PatternContext, PatternFailed
from bitten.testing import INSTRUMENT, LawBroken, check_pattern, random_bars, random_quotes
from bitten.testing.laws import LAWS
from bitten.testing.markets import bars_as_quotes, longer_bars
from bitten.testing.trial import Replay, run

BARS = random_bars(np.random.default_rng(8), 700)


def replay(kind: type[BarPattern], bars: Records = BARS, timeframe: str = "M1") -> tuple[BarPattern, Replay]:
    """An instance, and the market it is to be shown."""
    context = PatternContext(INSTRUMENT, timeframe, timeframe_ns(timeframe))
    market = {name: longer_bars(bars, name) for name in kind.context_timeframes}
    return kind(kind.Config(), context), Replay({**market, timeframe: bars}, bars_as_quotes(bars[:0], timeframe))


def show(kind: type[BarPattern], bars: Records = BARS, cuts: list[int] | None = None) -> tuple[BarPattern, Records]:
    """An instance that has seen all bars, and its signals."""
    pattern, market = replay(kind, bars)
    return pattern, run(pattern, market, [*(cuts or []), int(bars["known"][-1])])


class Recorder(BarPattern):
    """Keeps what it is shown."""

    window = 30

    def start(self) -> None:
        self.seen: list[tuple[Bar, list[float], list[int]]] = []

    def on_bar(self, bar: Bar, window: Window) -> None:
        self.seen.append((bar, window.close.tolist(), window.time.tolist()))


def test_bars_come_in_decimals_with_their_mean_spread() -> None:
    pattern, rows = show(Recorder)
    assert isinstance(pattern, Recorder) and rows.size == 0 and rows.dtype == SIGNAL
    assert len(pattern.seen) == BARS.size
    stated = 0
    for (bar, _, _), row in zip(pattern.seen, BARS, strict=True):
        assert bar.time == row["time"] and bar.known == row["known"] and bar.timeframe == "M1"
        assert [bar.open, bar.high, bar.low, bar.close] == [row[n] / 1e5 for n in ("open", "high", "low", "close")]
        assert bar.ticks == row["ticks"]
        stated += row["quotes"] > 0
        assert bar.spread == pytest.approx(row["spread_sum"] / row["quotes"] / 1e5 if row["quotes"] else 0.00008)
        assert {type(value) for value in bar} == {int, float, str}
    assert 0 < stated < BARS.size


@given(st.lists(st.integers(0, BARS.size - 1), max_size=8))
def test_windows_end_with_the_bar_however_the_market_is_cut(cuts: list[int]) -> None:
    pattern, _ = show(Recorder, cuts=sorted({int(BARS["known"][cut]) for cut in cuts}))
    assert isinstance(pattern, Recorder)
    closes, starts = (BARS["close"] / 1e5).tolist(), BARS["time"].tolist()
    for i, (_, close, stamps) in enumerate(pattern.seen):
        assert close == closes[max(0, i - 29) : i + 1]
        assert stamps == starts[max(0, i - 29) : i + 1]


class Columns(BarPattern):
    window = 7

    def on_bar(self, bar: Bar, window: Window) -> None:
        assert len(window) == window.close.size <= 7
        last = [getattr(window, name)[-1] for name in ("time", "open", "high", "low", "close", "ticks", "spread")]
        assert last == [bar.time, bar.open, bar.high, bar.low, bar.close, bar.ticks, bar.spread]
        with pytest.raises(ValueError, match="read-only"):
            window.close[0] = 1.0


def test_a_window_has_every_column_and_cannot_be_written() -> None:
    show(Columns)


class TwoTimeframes(BarPattern):
    context_timeframes = ("H1", "M15")

    def start(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def on_bar(self, bar: Bar, window: Window) -> None:
        assert window.time[-1] == bar.time
        self.seen.append((bar.timeframe, bar.known))
        for name, other in self.windows.items():
            if len(other):
                assert other.time[-1] + timeframe_ns(name) <= bar.known
        if bar.timeframe == "M1" and bar.time % (60 * NS_PER_MINUTE) == 59 * NS_PER_MINUTE:
            assert self.windows["H1"].time[-1] == bar.time - 59 * NS_PER_MINUTE  # known at the same instant, seen first


@pytest.mark.parametrize("cuts", [[], BARS["known"].tolist()])
def test_context_bars_come_when_they_are_known_and_before_the_own_bar(cuts: list[int]) -> None:
    pattern, _ = show(TwoTimeframes, cuts=cuts[:-1])
    assert isinstance(pattern, TwoTimeframes)
    known = [instant for _, instant in pattern.seen]
    assert known == sorted(known)
    names = [name for name, _ in pattern.seen]
    assert names.count("H1") >= 10 and names.count("M15") >= 40 and names.count("M1") == BARS.size
    first = names.index("H1")
    assert names[first : first + 3] == ["H1", "M15", "M1"]


class Trades(BarPattern):
    """One proposal of each kind at three bars."""

    evidence = ("range", "number")

    def start(self) -> None:
        self.count = 0

    def on_bar(self, bar: Bar, window: Window) -> Proposal | list[Proposal] | None:
        self.count += 1
        if self.count == 3:
            return self.buy(stop=1.0, target=1.2, confidence=61.5, expiry_bars=2, time_stop_bars=9, number=3, range=0.5)
        if self.count == 5:
            return self.sell(stop=None, target=None, confidence=0, anchor=77)
        if self.count == 8:
            return [self.buy(stop=1.0, target=None, confidence=1), self.sell(stop=1.5, target=1.0, confidence=2)]
        return None


def test_proposals_become_rows_of_signals() -> None:
    _, rows = show(Trades)
    buy, sell, first, second = rows
    assert (buy["time"], buy["anchor"]) == (BARS["known"][2], BARS["time"][2])
    assert (buy["side"], buy["reference"], buy["stop"], buy["target"]) == (BUY, BARS["close"][2], 100_000, 120_000)
    assert buy["expiry"] == BARS["time"][2] + 3 * NS_PER_MINUTE and buy["time_stop_bars"] == 9
    assert buy["confidence"] == 61.5 and buy["evidence"][:3].tolist() == [0.5, 3.0, 0.0]
    assert (sell["side"], sell["stop"], sell["target"], sell["anchor"]) == (SELL, NO_PRICE, NO_PRICE, 77)
    assert sell["expiry"] == 0 and sell["relative"] == 0
    assert (first["side"], second["side"]) == (BUY, SELL) and first["time"] == second["time"]


def test_decimals_become_the_nearest_points() -> None:
    class Awkward(BarPattern):
        def on_bar(self, bar: Bar, window: Window) -> Proposal | None:
            return self.buy(stop=1.1 * 1.1 - 0.11, target=0.1 + 0.2 + 1, confidence=50) if len(window) == 1 else None

    _, rows = show(Awkward)
    assert (rows["stop"][0], rows["target"][0]) == (110_000, 130_000)


class FailsAtTen(BarPattern):
    """Signals at bars 2 and 5, something bad at bar 10."""

    evidence = ("range",)
    bad: Callable[[FailsAtTen], Any]

    def start(self) -> None:
        self.count = 0

    def on_bar(self, bar: Bar, window: Window) -> Any:
        self.count += 1
        if self.count in (2, 5):
            return self.buy(stop=1.0, target=1.2, confidence=self.count)
        return type(self).bad(self) if self.count == 10 else None


def divide(pattern: FailsAtTen) -> Any:
    return 1 / 0


@pytest.mark.parametrize(
    ("bad", "original", "words"),
    [
        (divide, ZeroDivisionError, "division"),
        (lambda p: p.buy(stop=float("nan"), target=1.2, confidence=50), ValueError, "NaN"),
        (lambda p: p.buy(stop=1.0, target=float("inf"), confidence=50), OverflowError, "infinity"),
        (lambda p: p.buy(stop=1e30, target=1.0, confidence=50), OverflowError, "int"),
        (lambda p: p.buy(stop="1.0", target=1.0, confidence=50), TypeError, ""),
        (lambda p: p.buy(stop=1.0, target=1.2, confidence="80"), TypeError, "str"),
        (lambda p: p.buy(stop=1.0, target=1.2, confidence=None), TypeError, "None"),
        (lambda p: p.buy(stop=1.0, target=1.2, confidence=5, expiry_bars=1.5), TypeError, "float"),
        (lambda p: p.buy(stop=1.0, target=1.2, confidence=5, rnage=1.0), ValueError, 'did you mean "range"'),
        (lambda p: p.buy(stop=1.0, target=1.2, confidence=5, range=None), TypeError, "None"),
        (lambda p: p.buy(stop=1.0, target=1.2, confidence=5)._replace(side="buy"), TypeError, "str"),
        (lambda p: "buy", TypeError, "on_bar returned 'b'; allowed are None, self.buy"),
        (lambda p: 7, TypeError, "not iterable"),
        (lambda p: [p.buy(stop=1.0, target=1.2, confidence=5), None], TypeError, "on_bar returned None"),
    ],
)
def test_a_failure_keeps_the_signals_before_it(bad: Any, original: type[Exception], words: str) -> None:
    kind = type("Bad", (FailsAtTen,), {"bad": bad})
    with pytest.raises(LawBroken) as broken:
        show(kind)
    failure = broken.value.__cause__
    assert isinstance(failure, PatternFailed)
    assert failure.time == BARS["known"][9]
    assert isinstance(failure.original, original) and words in str(failure.original)
    assert str(failure) == f"{type(failure.original).__name__}: {failure.original}"
    assert failure.signals["confidence"].tolist() == [2, 5] and failure.signals.dtype == SIGNAL


def test_a_side_that_is_none_reaches_the_pipeline_which_drops_it() -> None:
    kind = type("Bad", (FailsAtTen,), {"bad": lambda p: p.buy(stop=1.0, target=1.2, confidence=5)._replace(side=7)})
    assert show(kind)[1]["side"].tolist() == [BUY, BUY, 7]


class MeanReversion(BarPattern):
    """Averages over a window, with context: everything a plain pattern does."""

    window = 20
    context_timeframes = ("M15",)

    def on_bar(self, bar: Bar, window: Window) -> Proposal | None:
        if bar.timeframe != "M1" or len(window) < 20 or not len(self.windows["M15"]):
            return None
        mean, width = window.close.mean(), window.close.std()
        if bar.close >= mean - 2 * width or bar.close < self.windows["M15"].low[-1]:
            return None
        return self.buy(stop=bar.close - 2 * width - 0.0001, target=mean, confidence=55)


def test_a_plain_pattern_keeps_the_laws() -> None:
    kept = check_pattern(MeanReversion, random_bars(np.random.default_rng(5), 1500), mirror=False, scale=False)
    assert "batch-size invariance" in kept and "causality" in kept and "save and restore" in kept


class Snap(Pattern):
    """Reads ticks: fades a jump of the bid that exceeds the mean range of the last M1 bars. State in plain Python."""

    Config = BarPattern.Config

    symmetries = ("scale",)  # the mirror of a bid is an ask

    def __init__(self, config: Any, context: PatternContext) -> None:
        super().__init__(config, context)
        self.ranges: list[int] = []
        self.last: int | None = None
        self.bar: int | None = None  # start of the bar of the last signal: one signal per bar

    def scan(self, batch: Batch) -> Records:
        rows = []
        bars, quotes = batch.bars["M1"], batch.quotes
        order = [(int(known), 0, i) for i, known in enumerate(bars["known"])]
        order += [(int(ts), 1, i) for i, ts in enumerate(quotes.ts)]
        for instant, is_quote, i in sorted(order):
            if not is_quote:
                self.ranges = [*self.ranges[-9:], int(bars["high"][i] - bars["low"][i])]
                continue
            bid = int(quotes.bid[i])
            jump = 0 if self.last is None else bid - self.last
            self.last = bid
            if len(self.ranges) == 10 and 10 * abs(jump) > sum(self.ranges) and self.bar != instant // NS_PER_MINUTE:
                self.bar = instant // NS_PER_MINUTE
                row = np.zeros(1, SIGNAL)
                side = -1 if jump > 0 else 1
                row["time"], row["anchor"], row["side"], row["reference"] = instant, self.bar, side, bid
                row["stop"], row["target"] = bid - side * abs(jump), bid + side * abs(jump)
                row["confidence"] = 50
                rows.append(row)
        return np.concatenate(rows) if rows else np.zeros(0, SIGNAL)


def test_a_pattern_that_reads_ticks_keeps_the_laws() -> None:
    quotes = random_quotes(np.random.default_rng(2), 6000)
    bars = BarBuilder(NS_PER_MINUTE).update(quotes)
    kept = check_pattern(Snap, bars, quotes=quotes)
    assert {law.name for law in LAWS} - set(kept) == {"mirror symmetry", "warm-up"}, "bids only, and too few bars"


class Empty(BarPattern):
    def on_bar(self, bar: Bar, window: Window) -> None:
        return None


def test_an_empty_pattern_is_not_slow() -> None:
    bars = random_bars(np.random.default_rng(5), 100_000)
    best = 0.0
    for _ in range(3):
        started = time.perf_counter()
        show(Empty, bars)
        best = max(best, bars.size / (time.perf_counter() - started))
    assert best > 100_000  # 1.5 million bars/s on a quiet machine; the goal is 300,000


def test_memory_is_that_of_the_window() -> None:
    pattern, market = replay(Recorder)
    for row in BARS[:100]:
        pattern.scan(market.batch(int(row["known"]) - 1, int(row["known"])))
        assert len(pattern.windows["M1"]) <= 30
    assert pattern.windows["M1"]._columns["close"].size <= 31


def test_kernel_patterns_must_say_what_they_carry() -> None:
    with pytest.raises(TypeError, match=r"abstract methods .*new_params.*new_state"):
        KernelPattern(None, PatternContext(INSTRUMENT, "M1", NS_PER_MINUTE))  # type: ignore[abstract]
