"""One account's run, decisions included, without an object: what a sweep leads a thousand of through the same quotes.

It does what the pipeline does with one account whose gates are all rules (`bitten.rule`), and only that: exits first,
then equity, then decisions, a fire filled at the first quote after it. A property test holds its trades and its equity
against the pipeline's, to the point, the nanosecond and the cent.
"""

from __future__ import annotations

from bitten.kernels.blocks import BLOCK, FAR
from bitten.kernels.exits import FillRules, Path, advance
from bitten.kernels.jit import kernel
from bitten.kernels.lanestate import Broker, Lane, Log, Tape, ask_rules, convert, money, rounded, see, worth
from bitten.model.dtypes import AT_END, CLOSED, FILLED, Ints, Record, Records


@kernel
def note(tape: Tape, broker: Broker, lane: Lane, log: Log, n: int, time: int) -> int:
    """Write an equity row, once per instant."""
    account = lane.account[0]
    if account["noted"] == time:
        return n
    account["noted"] = time
    log.times[n], log.balance[n] = time, account["balance"]
    log.equity[n] = rounded(rounded(worth(tape, broker, lane, time), 1e6), broker.money_scale)  # as `bitten.equity`
    return n + 1


@kernel
def fill_rules(broker: Broker, s: int) -> FillRules:
    """How a symbol's orders fill."""
    rules = broker.rules
    return FillRules(rules[s, 0], rules[s, 1], rules[s, 2], rules[s, 3] != 0)


@kernel
def resolve(tape: Tape, broker: Broker, lane: Lane, k: int, start: int) -> None:
    """Work out what the rest of the slice does to a live fire."""
    fire = lane.fires[k]
    s = fire["symbol"]
    a, b = tape.offsets[s], tape.offsets[s + 1]
    path = Path(tape.ts[a:b], tape.bid[a:b], tape.ask[a:b], tape.long_exit[a:b], tape.short_exit[a:b], tape.per_bar)
    blocks = tape.blocks[s]
    extremes = tape.extremes[blocks : blocks + (b - a + BLOCK - 1) // BLOCK]
    is_open = 1 if fire["filled"] < FAR else 0
    _, _, events = advance(
        path, extremes, start, tape.horizon, lane.open[k : k + 1], is_open, lane.waiting[k : k + 1], 1 - is_open,
        fill_rules(broker, s), lane.watch[k : k + 1], lane.events,
    )  # fmt: skip
    for i in range(events):
        event = lane.events[i]
        if event["kind"] == FILLED:
            fire["filled"], fire["open_price"], fire["stop"] = event["time"], event["price"], event["stop"]
        else:
            fire["ended"], fire["kind"] = event["time"], event["kind"]
            fire["reason"], fire["close_price"] = event["reason"], event["price"]


@kernel
def book(tape: Tape, broker: Broker, lane: Lane, k: int, time: int, log: Log, trades: int) -> int:
    """A live fire has ended: settle it in money at an instant and forget it; the number of trades after it."""
    account, fire = lane.account[0], lane.fires[k]
    s = fire["symbol"]
    if fire["kind"] == CLOSED:
        points = fire["side"] * (fire["close_price"] - fire["open_price"])
        gross = convert(tape, broker, lane, s, money(broker, s, float(points), fire["lots"]), time)
        fire["gross"] = rounded(gross, broker.money_scale)
        fire["commission"] = rounded(-2.0 * broker.commission * fire["lots"], broker.money_scale) + 0.0
        profit = rounded(fire["gross"] + fire["commission"], 100.0)
        account["balance"] = rounded(account["balance"] + profit, 100.0)
        log.trades[trades] = fire
        trades += 1
    lane.held[s] -= 1
    account["live"] -= 1
    for i in range(k, account["live"]):  # placement order is kept: it decides among equal instants
        lane.fires[i] = lane.fires[i + 1]
        lane.open[i] = lane.open[i + 1]
        lane.waiting[i] = lane.waiting[i + 1]
        lane.watch[i] = lane.watch[i + 1]
    return trades


@kernel
def settle_until(
    tape: Tape, broker: Broker, lane: Lane, time: int, log: Log, trades: int, notes: int
) -> tuple[int, int]:
    """End all fires that end up to and including an instant, in order; equity after the last close of an instant."""
    account = lane.account[0]
    while True:
        first, moment = -1, FAR
        for k in range(account["live"]):
            fire = lane.fires[k]
            if fire["ended"] < moment or (
                fire["ended"] == moment and first >= 0 and fire["symbol"] < lane.fires[first]["symbol"]
            ):
                first, moment = k, fire["ended"]
        if first < 0 or moment > time:
            return trades, notes
        closed = False
        while first >= 0:
            closed = closed or lane.fires[first]["kind"] == CLOSED
            trades = book(tape, broker, lane, first, moment, log, trades)
            first = -1
            for k in range(account["live"]):
                fire = lane.fires[k]
                if fire["ended"] == moment and (first < 0 or fire["symbol"] < lane.fires[first]["symbol"]):
                    first = k
        if closed:
            notes = note(tape, broker, lane, log, notes, moment)


@kernel
def fire_candidate(tape: Tape, broker: Broker, lane: Lane, c: Record, lots: float) -> None:
    """Turn a candidate into a live fire and work out its fate within the slice."""
    account = lane.account[0]
    k = account["live"]
    s = c["symbol"]
    ticket = lane.waiting[k]
    ticket["key"] = 0
    ticket["side"] = c["side"]
    ticket["after"] = c["time"] + broker.rules[s, 0]
    ticket["expiry"] = max(c["expiry"], c["time"] + 1) if c["expiry"] > 0 else 0
    ticket["stop"], ticket["target"], ticket["relative"] = c["stop"], c["target"], c["relative"]
    ticket["breakeven_r"], ticket["trail"], ticket["hold_ns"] = c["breakeven_r"], c["trail"], c["hold_ns"]
    ticket["bar_ns"], ticket["bar_shift"], ticket["bars_left"] = c["bar_ns"], c["bar_shift"], c["bars_left"]
    fire = lane.fires[k]
    fire["symbol"], fire["side"], fire["lots"] = s, c["side"], lots
    fire["filled"], fire["ended"] = FAR, FAR
    lane.watch[k]["known"] = 0
    account["live"] += 1
    account["fired"] += 1
    lane.held[s] += 1
    see(tape, lane, s, c["time"])
    resolve(tape, broker, lane, k, lane.cursor[s])


@kernel
def lead(
    tape: Tape, broker: Broker, lane: Lane, candidates: Records, marks: Ints, day_ends: Ints, log: Log
) -> tuple[int, int]:
    """Lead an account through a slice.

    Args:
        candidates: dtype CANDIDATE, in the order in which they are decided.
        marks: instants at which equity is recorded, sorted: the grid, and the ends of trading days.
        day_ends: 1 where a mark is a day's end, at which equity is recorded even with no position open.
        log: room for a trade per live fire and candidate, and a row more than that and the marks.

    Returns:
        How many trades and equity rows were written.
    """
    account = lane.account[0]
    trades, notes, i, m = 0, 0, 0, 0
    lane.cursor[:] = 0
    for k in range(account["live"]):
        resolve(tape, broker, lane, k, 0)
    while i < candidates.size or m < marks.size:
        due = candidates[i]["time"] if i < candidates.size else FAR
        if m < marks.size and marks[m] <= due:
            trades, notes = settle_until(tape, broker, lane, marks[m], log, trades, notes)
            some = day_ends[m] != 0
            for k in range(account["live"]):
                some = some or lane.fires[k]["filled"] <= marks[m]
            if some:
                notes = note(tape, broker, lane, log, notes, marks[m])
            m += 1
            continue
        trades, notes = settle_until(tape, broker, lane, due, log, trades, notes)
        lots = ask_rules(tape, broker, lane, candidates[i])
        if lots > 0.0:
            fire_candidate(tape, broker, lane, candidates[i], lots)
        i += 1
    return settle_until(tape, broker, lane, tape.horizon, log, trades, notes)


@kernel
def end_lane(tape: Tape, broker: Broker, lane: Lane, last_times: Ints, log: Log) -> tuple[int, int]:
    """The data has ended: close what is open at its symbol's last quote, and record equity a last time."""
    account = lane.account[0]
    trades = 0
    while account["live"] > 0:
        first = 0
        for k in range(account["live"]):
            here, best = lane.fires[k]["symbol"], lane.fires[first]["symbol"]
            if (last_times[here], here) < (last_times[best], best):
                first = k
        fire = lane.fires[first]
        s = fire["symbol"]
        _, bid, ask = see(tape, lane, s, tape.horizon)
        fire["ended"], fire["kind"], fire["reason"] = last_times[s], CLOSED if fire["filled"] < FAR else 0, AT_END
        fire["close_price"] = bid if fire["side"] > 0 else ask
        trades = book(tape, broker, lane, first, tape.horizon, log, trades)
    account["noted"] = -1
    return trades, note(tape, broker, lane, log, 0, tape.horizon)
