"""What is drawn over the candles of a story: its levels and its instants, in points."""

from __future__ import annotations

from bitten.analysis.explain_facts import Story
from bitten.analysis.textchart import Level, Mark


def levels_and_marks(story: Story, digits: int) -> tuple[list[Level], list[Mark]]:
    """Stop, target and entry from fill to exit, of the position if there was one, else of the signal itself."""
    signal, trade, outcome = story.signal, story.account.trade, story.outcome
    marks = [Mark("signal", signal.time, _points(signal.reference or 0.0, digits))]
    told = trade or outcome
    opened = told.open_time if told is not None and told.open_time is not None else signal.time
    entry = told.open_price if told is not None else None
    stop, target = (trade.stop, trade.target) if trade is not None else _absolute(story, entry)
    levels = [
        Level(name, _points(value, digits), opened, story.end)
        for name, value in (("target", target), ("entry", entry), ("stop", stop))
        if value is not None
    ]
    if entry is not None:
        marks.append(Mark("entry", opened, _points(entry, digits)))
    if told is not None and told.close_price is not None and told.close_time is not None:
        exit_price = _points(told.close_price, digits)
        marks.append(Mark("exit", told.close_time, exit_price))
        if all(level.price != exit_price for level in levels):
            levels.append(Level("exit", exit_price, told.close_time, told.close_time))
    return levels, marks


def _absolute(story: Story, entry: float | None) -> tuple[float | None, float | None]:
    """The signal's own stop and target as prices; distances count from the fill."""
    signal = story.signal
    if not signal.relative:
        return signal.stop, signal.target
    base = entry if entry is not None else signal.reference
    if base is None:
        return None, None
    sign = 1 if signal.side == "buy" else -1
    stop = None if signal.stop is None else base - sign * signal.stop
    target = None if signal.target is None else base + sign * signal.target
    return stop, target


def _points(price: float, digits: int) -> int:
    points: int = round(price * 10**digits)
    return points
