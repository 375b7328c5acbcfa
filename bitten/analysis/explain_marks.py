"""What is drawn over the candles of a story: levels, instants, and the zones of its evidence, in points."""

from __future__ import annotations

from typing import NamedTuple

from bitten.analysis import textchart
from bitten.analysis.candles import CandleSet
from bitten.analysis.explain_facts import Story
from bitten.analysis.explain_numbers import signed_r
from bitten.analysis.explain_words import closed_by, headline
from bitten.analysis.signal_picture import Mark, SignalPicture, zones
from bitten.model.dtypes import BUY, SELL

_FARTHEST = 500  # bars before the first candle at which an anchor is still one


class Drawn(NamedTuple):
    """The position if there was one, else what the signal itself would have met; points and ns UTC."""

    stop: int | None
    target: int | None
    entry: Mark | None
    exit: Mark | None
    won: bool


def drawn(story: Story, digits: int) -> Drawn:
    """What there is to draw."""
    trade, outcome = story.account.trade, story.outcome
    told = trade or outcome
    entry = exit_mark = None
    if told is not None and told.open_time is not None and told.open_price is not None:
        entry = Mark(told.open_time, _points(told.open_price, digits))
    if entry is not None and told is not None and told.close_time is not None and told.close_price is not None:
        word = closed_by(trade.close_reason if trade is not None else outcome.result if outcome is not None else "")
        exit_mark = Mark(told.close_time, _points(told.close_price, digits), f"{word} {signed_r(told.r)}")
    if trade is not None:
        stop, target = (None if one is None else _points(one, digits) for one in (trade.stop, trade.target))
    else:
        stop, target = _own_levels(story, digits, entry)
    won = told is not None and (told.pips or 0) > 0
    return Drawn(stop, target, entry, exit_mark, won)


def _own_levels(story: Story, digits: int, entry: Mark | None) -> tuple[int | None, int | None]:
    """The signal's stop and target; distances count from the fill."""
    signal = story.signal
    levels = [None if one is None else _points(one, digits) for one in (signal.stop, signal.target)]
    if not signal.relative:
        return levels[0], levels[1]
    base = entry.price if entry is not None else None if signal.reference is None else _points(signal.reference, digits)
    if base is None:
        return None, None
    sign = BUY if signal.side == "buy" else SELL
    stop, target = levels
    return None if stop is None else base - sign * stop, None if target is None else base + sign * target


def levels_and_marks(story: Story, digits: int) -> tuple[list[textchart.Level], list[textchart.Mark]]:
    """The same for a chart of characters."""
    told = drawn(story, digits)
    start = told.entry.time if told.entry is not None else story.signal.time
    named = (("target", told.target), ("entry", told.entry and told.entry.price), ("stop", told.stop))
    levels = [textchart.Level(name, price, start, story.end) for name, price in named if price is not None]
    marks = [textchart.Mark("signal", story.signal.time, 0)]
    if told.entry is not None:
        marks.append(textchart.Mark("entry", told.entry.time, told.entry.price))
    if told.exit is not None:
        marks.append(textchart.Mark("exit", told.exit.time, told.exit.price))
        if all(level.price != told.exit.price for level in levels):
            levels.append(textchart.Level("exit", told.exit.price, told.exit.time, told.exit.time))
    return levels, marks


def picture(story: Story, candles: CandleSet) -> SignalPicture:
    """The same for a page."""
    signal, told = story.signal, drawn(story, candles.digits)
    bands, levels = zones(signal.evidence, signal.evidence_prices, candles.digits)
    earliest = int(candles.time[0]) - _FARTHEST * candles.timeframe_ns
    return SignalPicture(
        candles=candles,
        side=BUY if signal.side == "buy" else SELL,
        time=signal.time,
        anchor=signal.anchor if signal.anchor is not None and earliest <= signal.anchor <= signal.time else None,
        stop=told.stop,
        target=told.target,
        entry=told.entry,
        exit=told.exit,
        won=told.won,
        bands=bands,
        levels=levels,
        title=headline(story),
    )


def _points(price: float, digits: int) -> int:
    points: int = round(price * 10**digits)
    return points
