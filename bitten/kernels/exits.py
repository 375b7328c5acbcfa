"""The exit kernel: fills, stops, targets, trailing and time stops of one symbol's tickets, by these rules alone.

It never looks at every quote for every position. The nearest levels of all tickets make a band on the bid (longs) and
one on the ask (shorts); blocks of quotes whose extremes stay inside are passed over, and only where a quote leaves the
band, or a time comes, are the tickets examined. The cost of a quiet quote does not depend on how many are open.

The same kernel settles fires and resolves the fate of every signal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bitten.kernels.blocks import FAR, first_outside
from bitten.kernels.jit import kernel
from bitten.model.dtypes import (
    BY_BREAKEVEN,
    BY_STOP,
    BY_TARGET,
    BY_TIME,
    BY_TRAILING,
    CLOSED,
    EXPIRED,
    FILLED,
    NO_PRICE,
    REJECTED,
    Ints,
    Record,
    Records,
)


class FillRules(NamedTuple):
    """How one symbol's orders fill. Distances in points."""

    latency_ns: int = 0
    slippage: int = 0  # adverse, on market fills: entries, stops and time stops
    stops_level: int = 0  # a stop or target nearer than this to the close side is invalid
    target_at_quote: bool = False  # fill a target at the touching quote where that is better


class Path(NamedTuple):
    """One symbol's quotes as the kernel reads them, columns of equal length.

    `long_exit` and `short_exit` are the bid and ask that open positions see; `bid` and `ask` themselves for ticks.
    `per_bar` is 4 where the quotes were made of bars, else 0: between the quotes of one bar the price is taken to
    have passed every level, so that only a bar's first quote can gap over a stop.
    """

    ts: Ints
    bid: Ints
    ask: Ints
    long_exit: Ints
    short_exit: Ints
    per_bar: int


@kernel
def watch(tickets: Records, count: int, now: int) -> tuple[int, int, int, int, int]:
    """The band that holds nothing of interest, and the instant at which a time rule wants a look (FAR for none)."""
    low_bid, high_bid, low_ask, high_ask, wake = -FAR, FAR, -FAR, FAR, FAR
    for k in range(count):
        t = tickets[k]
        if now <= t["neutral_until"]:
            wake = min(wake, now)
        if t["deadline"] > 0:
            wake = min(wake, t["deadline"])
        if t["bars_left"] > 0:
            wake = min(wake, t["next_bar"])
        gain = t["side"] * t["target"]  # the nearest level on the winning side, as a favourable price
        if t["breakeven_at"] > 0:
            gain = min(gain, t["side"] * t["open_price"] + t["breakeven_at"])
        if t["trail"] > 0:
            behind = t["side"] * t["best"] - t["side"] * t["stop"] - t["trail"]
            if behind > 0:  # just filled with a stop farther away than the trail
                wake = min(wake, now)
            gain = min(gain, t["side"] * t["best"] + max(0, -behind) + 1)
        if t["side"] > 0:
            low_bid = max(low_bid, t["stop"])
            high_bid = min(high_bid, gain)
        else:
            high_ask = min(high_ask, t["stop"])
            low_ask = max(low_ask, -gain)
    return low_bid, high_bid, low_ask, high_ask, wake


@kernel
def report(events: Records, n: int, t: Record, kind: int, reason: int, time: int, price: int) -> int:
    """Append one event; the number of events after it."""
    e = events[n]
    e["key"], e["kind"], e["reason"], e["time"], e["price"] = t["key"], kind, reason, time, price
    e["stop"] = NO_PRICE if t["stop"] in (FAR, -FAR) else t["stop"]
    e["target"] = NO_PRICE if t["target"] in (FAR, -FAR) else t["target"]
    e["best"], e["worst"] = t["best"], t["worst"]
    return n + 1


@kernel
def next_bar(ts: int, t: Record) -> int:
    """Start of the bar after the one that an instant lies in."""
    start: int = (ts + t["bar_shift"]) // t["bar_ns"] * t["bar_ns"] - t["bar_shift"]
    return start + int(t["bar_ns"])


@kernel
def try_fill(path: Path, j: int, t: Record, rules: FillRules) -> bool:
    """Open a waiting ticket at quote j; False where its stop or target is invalid there."""
    side = t["side"]
    close_side = path.bid[j] if side > 0 else path.ask[j]
    price = (path.ask[j] if side > 0 else path.bid[j]) + side * rules.slippage
    if t["stop"] == NO_PRICE:
        t["stop"] = -side * FAR
    else:
        t["stop"] = price - side * t["stop"] if t["relative"] else t["stop"]
        if side * (close_side - t["stop"]) < max(1, rules.stops_level):
            return False
    if t["target"] == NO_PRICE:
        t["target"] = side * FAR
    else:
        t["target"] = price + side * t["target"] if t["relative"] else t["target"]
        if side * (t["target"] - close_side) < max(1, rules.stops_level):
            return False
    t["open_time"], t["open_price"], t["first_stop"] = path.ts[j], price, t["stop"]
    t["best"] = t["worst"] = close_side
    t["stop_kind"] = BY_STOP
    t["breakeven_at"] = 0
    if t["breakeven_r"] > 0 and abs(t["stop"]) != FAR:
        t["breakeven_at"] = max(1, np.int64(np.ceil(t["breakeven_r"] * (side * (price - t["stop"])))))
    t["deadline"] = path.ts[j] + t["hold_ns"] if t["hold_ns"] > 0 else 0
    if t["bars_left"] > 0:
        t["next_bar"] = next_bar(path.ts[j], t)
    t["neutral_until"] = 0
    if path.per_bar and 0 < j % path.per_bar < path.per_bar - 1:
        t["neutral_until"] = path.ts[j - j % path.per_bar + path.per_bar - 1]
    return True


@kernel
def exit_at(path: Path, j: int, t: Record, rules: FillRules) -> tuple[int, int, int]:
    """Whether quote j ends an open ticket: (close reason or 0, price before slippage, the close-side price seen)."""
    side = t["side"]
    if path.ts[j] <= t["neutral_until"]:
        price = path.bid[j] if side > 0 else path.ask[j]
    else:
        price = path.long_exit[j] if side > 0 else path.short_exit[j]
    gap = path.per_bar == 0 or j % path.per_bar == 0
    if side * (price - t["stop"]) <= 0:
        return t["stop_kind"], price if gap else t["stop"], price
    if side * (price - t["target"]) >= 0:
        return BY_TARGET, price if rules.target_at_quote and gap else t["target"], price
    if t["deadline"] > 0 and path.ts[j] >= t["deadline"]:
        return BY_TIME, price, price
    if t["bars_left"] > 0 and path.ts[j] >= t["next_bar"]:
        t["bars_left"] -= 1
        t["next_bar"] = next_bar(path.ts[j], t)
        if t["bars_left"] == 0:
            return BY_TIME, price, price
    return 0, price, price


@kernel
def follow(t: Record, price: int) -> None:
    """Let an open ticket's extremes and its stop follow a quote that did not end it."""
    side = t["side"]
    if side * (price - t["best"]) > 0:
        t["best"] = price
    if side * (price - t["worst"]) < 0:
        t["worst"] = price
    if t["breakeven_at"] > 0 and side * (price - t["open_price"]) >= t["breakeven_at"]:
        t["breakeven_at"] = 0
        if side * (t["open_price"] - t["stop"]) > 0:
            t["stop"], t["stop_kind"] = t["open_price"], BY_BREAKEVEN
    if t["trail"] > 0:
        stop = t["best"] - side * t["trail"]
        if side * (stop - t["stop"]) > 0:
            t["stop"], t["stop_kind"] = stop, BY_TRAILING


@kernel
def settle(
    path: Path, j: int, tickets: Records, count: int, rules: FillRules, events: Records, n: int
) -> tuple[int, int]:
    """Examine every open ticket at quote j, in the order of placement; how many stay, and how many events there are."""
    kept = 0
    for k in range(count):
        t = tickets[k]
        reason, price, seen = exit_at(path, j, t, rules)
        if reason:
            if t["side"] * (price - t["best"]) > 0:
                t["best"] = price
            if t["side"] * (price - t["worst"]) < 0:
                t["worst"] = price
            slipped = price if reason == BY_TARGET else price - t["side"] * rules.slippage
            n = report(events, n, t, CLOSED, reason, path.ts[j], slipped)
        else:
            follow(t, seen)
            if kept != k:
                tickets[kept] = tickets[k]
            kept += 1
    return kept, n


@kernel
def admit(path: Path, j: int, t: Record, rules: FillRules, events: Records, n: int) -> tuple[bool, int]:
    """A waiting ticket meets its first quote, j: whether it is open now, and how many events there are."""
    if t["expiry"] > 0 and path.ts[j] > t["expiry"]:
        return False, report(events, n, t, EXPIRED, 0, t["expiry"], 0)
    if try_fill(path, j, t, rules):
        return True, report(events, n, t, FILLED, 0, path.ts[j], t["open_price"])
    return False, report(events, n, t, REJECTED, 0, path.ts[j], path.bid[j] if t["side"] > 0 else path.ask[j])


@kernel
def remember(watched: Record, least_bid: int, most_bid: int, least_ask: int, most_ask: int) -> None:
    """Keep the extremes of a quiet stretch for the excursions of all open tickets, without a look at any of them."""
    watched["least_bid"], watched["most_bid"] = min(watched["least_bid"], least_bid), max(watched["most_bid"], most_bid)
    watched["least_ask"], watched["most_ask"] = min(watched["least_ask"], least_ask), max(watched["most_ask"], most_ask)


@kernel
def widen(tickets: Records, count: int, watched: Record) -> None:
    """Let the excursions of open tickets take in the extremes that were kept, before anything else happens to them."""
    if watched["least_bid"] <= watched["most_bid"]:
        for k in range(count):
            t = tickets[k]
            if t["side"] > 0:
                t["best"], t["worst"] = max(t["best"], watched["most_bid"]), min(t["worst"], watched["least_bid"])
            else:
                t["best"], t["worst"] = min(t["best"], watched["least_ask"]), max(t["worst"], watched["most_ask"])
    watched["least_bid"] = watched["least_ask"] = FAR
    watched["most_bid"] = watched["most_ask"] = -FAR


@kernel
def advance(
    path: Path,
    extremes: Ints,
    start: int,
    until: int,
    tickets: Records,
    count: int,
    waiting: Records,
    queued: int,
    rules: FillRules,
    watch_state: Records,
    events: Records,
) -> tuple[int, int, int]:
    """Lead one symbol's tickets through the quotes of a path from `start` on that have `ts <= until`.

    Args:
        extremes: of the path's long and short exits, as `block_extremes` makes them.
        until: everything up to this instant has been seen: a waiting ticket whose expiry has come ends here.
        tickets: dtype TICKET, the first `count` are open; compacted in place, order kept, room for all that wait.
        waiting: dtype TICKET, the first `queued` wait for their first quote, in the order of `after`; compacted too.
        watch_state: shape (1,), dtype WATCH: what lies between the open tickets and the last quote seen. Where it is
            known, a quiet slice costs the same for one ticket and for ten thousand. Zeros at first.
        events: dtype EVENT, room for two per ticket.

    Returns:
        How many tickets are open, how many still wait, and how many events were written.
    """
    watched = watch_state[0]
    n, head, i = 0, 0, start
    stop = path.ts.size
    if stop > 0 and path.ts[stop - 1] > until:
        stop = int(np.searchsorted(path.ts, until, "right"))
    while i < stop and (count > 0 or head < queued):
        if watched["known"] == 0:
            widen(tickets, 0, watched)  # nothing kept yet
            low_bid, high_bid, low_ask, high_ask, wake = watch(tickets, count, path.ts[i])
            watched["known"] = 1
            watched["low_bid"], watched["high_bid"] = low_bid, high_bid
            watched["low_ask"], watched["high_ask"], watched["wake"] = low_ask, high_ask, wake
        wake = watched["wake"]
        if head < queued:
            wake = min(wake, waiting[head]["after"] + 1)
        j = i
        if wake > path.ts[i]:
            end = stop
            if wake <= path.ts[stop - 1]:
                end = i + int(np.searchsorted(path.ts[i:stop], wake))
            if count > 0:
                j, least_bid, most_bid, least_ask, most_ask = first_outside(
                    path.long_exit, path.short_exit, extremes, i, end, watched["low_bid"], watched["high_bid"],
                    watched["low_ask"], watched["high_ask"],
                )  # fmt: skip
                if j > i:
                    remember(watched, least_bid, most_bid, least_ask, most_ask)
            else:
                j = end
        if j >= stop:
            break
        widen(tickets, count, watched)
        count, n = settle(path, j, tickets, count, rules, events, n)
        while head < queued and path.ts[j] > waiting[head]["after"]:
            tickets[count] = waiting[head]
            is_open, n = admit(path, j, tickets[count], rules, events, n)
            if is_open:
                count += 1
            head += 1
        watched["known"] = 0
        i = j + 1
    left = 0
    for k in range(head, queued):
        t = waiting[k]
        if 0 < t["expiry"] <= until:
            n = report(events, n, t, EXPIRED, 0, t["expiry"], 0)
            continue
        if left != k:
            waiting[left] = waiting[k]
        left += 1
    return count, left, n
