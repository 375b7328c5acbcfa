"""What a lane is made of: a slice's quotes, a broker's facts, an account and what it logs; its money and its rules."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bitten.kernels.jit import kernel
from bitten.model.dtypes import NO_PRICE, Floats, Ints, Record, Records
from bitten.rule import BAND, LOTS, PER_SYMBOL, SLOTS, SPREAD

# A checked signal with its exit plan.
CANDIDATE: Final = np.dtype(
    [
        ("time", np.int64),
        ("symbol", np.int64),  # index among the feed's
        ("side", np.int64),
        ("stop", np.int64),
        ("target", np.int64),
        ("relative", np.int64),
        ("confidence", np.float64),
        ("atr", np.float64),
        ("expiry", np.int64),
        ("breakeven_r", np.float64),
        ("trail", np.int64),
        ("hold_ns", np.int64),
        ("bar_ns", np.int64),
        ("bar_shift", np.int64),
        ("bars_left", np.int64),
    ]
)

# A fire from its decision to its end. Instants that have not come are FAR.
FIRE: Final = np.dtype(
    [
        ("symbol", np.int64),
        ("side", np.int64),
        ("lots", np.float64),
        ("filled", np.int64),  # ns UTC
        ("open_price", np.int64),
        ("stop", np.int64),  # at the fill
        ("ended", np.int64),
        ("kind", np.int64),  # CLOSED, REJECTED or EXPIRED
        ("reason", np.int64),
        ("close_price", np.int64),
        ("sequence", np.int64),  # of the event at which it ended, among those of one instant
        ("gross", np.float64),
        ("commission", np.float64),
    ]
)

# What an account carries from slice to slice.
ACCOUNT: Final = np.dtype(
    [
        ("balance", np.float64),
        ("live", np.int64),  # fires that have not ended
        ("fired", np.int64),
        ("alerts", np.int64),  # rules that could not measure
        ("no_rate", np.int64),  # a conversion had neither a quote nor a configured rate
        ("noted", np.int64),  # instant of the last equity row
    ]
)


class Tape(NamedTuple):
    """A slice: the quotes of all symbols one after the other, symbol s at [offsets[s], offsets[s + 1])."""

    ts: Ints
    bid: Ints
    ask: Ints
    long_exit: Ints
    short_exit: Ints
    extremes: Ints  # of long and short exits, the blocks of symbol s from blocks[s] on
    offsets: Ints
    blocks: Ints
    last: Ints  # (symbols, 3): bid and ask before the slice, and whether there was a quote
    per_bar: int
    horizon: int


class Broker(NamedTuple):
    """Facts of symbols, fills and money, by symbol."""

    rules: Ints  # (symbols, 4): the fields of FillRules
    scale: Floats  # points per unit of price
    contract: Floats
    volume: Floats  # (symbols, 4): smallest, step, largest, decimals of the step
    legs: Ints  # (symbols, 2, 2): how quote currency becomes account currency: kind (a leg constant), symbol
    leg_rates: Floats  # (symbols, 2): the rate of a fixed leg, or where there is no quote yet; NaN for none
    money_scale: float  # units of the smallest coin per unit of account currency
    commission: float  # per lot and side


# Kinds of conversion legs
NO_LEG: Final = 0
FIXED_LEG: Final = 1
UP_LEG: Final = 2  # multiply by the leg symbol's price
DOWN_LEG: Final = 3  # divide


class Lane(NamedTuple):
    """Everything of one account, arrays that survive from slice to slice."""

    account: Records  # (1,) ACCOUNT
    rules: Floats  # (gates, 3): kind, a, b in the order of the chain
    limits: Floats  # the account's own: slots, risk percent
    fires: Records  # (room,) FIRE: the first `live`
    open: Records  # (room,) TICKET of each
    waiting: Records  # (room,) TICKET of each
    watch: Records  # (room,) WATCH of each
    held: Ints  # (symbols,) live fires by symbol
    cursor: Ints  # (symbols,) quotes of the slice that have been seen
    events: Records  # (4,) EVENT


class Log(NamedTuple):
    """What a slice adds: trades as they end, equity as it falls due."""

    trades: Records  # FIRE
    times: Ints
    balance: Floats
    equity: Floats


@kernel
def rounded(value: float, scale: float) -> float:
    """`bitten.sizing.rounded`."""
    return float(np.rint(value * scale) / scale)


@kernel
def see(tape: Tape, lane: Lane, s: int, time: int) -> tuple[bool, int, int]:
    """(whether there is one, bid, ask) of a symbol's last quote at or before an instant; instants never decrease."""
    first, stop = tape.offsets[s], tape.offsets[s + 1]
    i = first + lane.cursor[s]
    step = 1
    while i + step <= stop and tape.ts[i + step - 1] <= time:
        i += step
        step *= 2
    while step > 1:
        step //= 2
        if i + step <= stop and tape.ts[i + step - 1] <= time:
            i += step
    lane.cursor[s] = i - first
    if i > first:
        return True, int(tape.bid[i - 1]), int(tape.ask[i - 1])
    return tape.last[s, 2] > 0, int(tape.last[s, 0]), int(tape.last[s, 1])


@kernel
def convert(tape: Tape, broker: Broker, lane: Lane, s: int, amount: float, time: int) -> float:
    """Money of a symbol's quote currency in account currency, at the side that is worse for its owner."""
    for k in range(2):
        kind, other, rate = broker.legs[s, k, 0], broker.legs[s, k, 1], broker.leg_rates[s, k]
        if kind == NO_LEG or amount == 0.0:
            break
        if kind != FIXED_LEG:
            known, bid, ask = see(tape, lane, other, time)
            if known:
                price = (bid if (amount > 0.0) == (kind == UP_LEG) else ask) / broker.scale[other]
                amount = amount * price if kind == UP_LEG else amount / price
                continue
            if np.isnan(rate):
                lane.account[0]["no_rate"] = 1
        amount = amount * rate
    return amount


@kernel
def money(broker: Broker, s: int, points: float, lots: float) -> float:
    """`bitten.sizing.points_to_money`."""
    return float(points * broker.contract[s] * lots / broker.scale[s])


@kernel
def worth(tape: Tape, broker: Broker, lane: Lane, time: int) -> float:
    """Balance plus what the open positions would bring at the last quotes."""
    account = lane.account[0]
    total = 0.0
    for k in range(account["live"]):
        fire = lane.fires[k]
        if fire["filled"] > time:
            continue
        s = fire["symbol"]
        known, bid, ask = see(tape, lane, s, time)
        if known:
            points = fire["side"] * ((bid if fire["side"] > 0 else ask) - fire["open_price"])
            total += convert(tape, broker, lane, s, money(broker, s, float(points), fire["lots"]), time)
    return float(account["balance"] + total)


@kernel
def floor_to_step(lots: float, volume: Floats) -> float:
    """`bitten.sizing.floor_to_step`; `volume` is smallest, step, largest, decimals of the step."""
    if not lots > 0.0:
        return 0.0
    steps = np.floor(min(lots, volume[2]) / volume[1] + 1e-9)
    scale = 10.0 ** volume[3]
    size = np.rint(steps * volume[1] * scale) / scale
    return float(size) if size >= volume[0] else 0.0


@kernel
def risk_lots(tape: Tape, broker: Broker, lane: Lane, c: Record, percent: float, slippage: float) -> float:
    """Lots whose loss at the stop is a share of equity, as the gate `risk` sizes; -1 where it cannot measure."""
    s = c["symbol"]
    known, bid, ask = see(tape, lane, s, c["time"])
    if not known or c["stop"] == NO_PRICE:
        return -1.0
    entry, close_side = (ask, bid) if c["side"] > 0 else (bid, ask)
    distance = c["stop"] if c["relative"] else c["side"] * (entry - c["stop"])
    if distance - c["side"] * (entry - close_side) < max(1, broker.rules[s, 2]):
        return 0.0
    points = distance + slippage * (1 if c["relative"] else 2)
    lost = convert(tape, broker, lane, s, -money(broker, s, points, 1.0), c["time"])
    loss = -lost + 2.0 * broker.commission
    risk = max(worth(tape, broker, lane, c["time"]), 0.0) * percent / 100.0 * 1.0
    if not (loss > 0.0 and np.isfinite(loss)):
        return 0.0
    return floor_to_step(risk / loss, broker.volume[s])


@kernel
def ask_rules(tape: Tape, broker: Broker, lane: Lane, c: Record) -> float:
    """Lots at which a candidate fires, 0 where a rule refuses it."""
    account = lane.account[0]
    if 0 < c["expiry"] <= c["time"]:
        return 0.0
    s = c["symbol"]
    lots = 0.0
    for g in range(lane.rules.shape[0]):
        kind, a, b = lane.rules[g, 0], lane.rules[g, 1], lane.rules[g, 2]
        if kind == BAND:
            if not a <= c["confidence"] <= b:
                return 0.0
        elif kind == SPREAD:
            known, bid, ask = see(tape, lane, s, c["time"])
            if not known:
                account["alerts"] += 1
                return 0.0
            if (not np.isnan(b) and c["atr"] <= 0.0) or ask - bid > a or ask - bid > b * c["atr"]:
                return 0.0
        elif kind == SLOTS:
            if account["live"] >= lane.limits[0]:
                return 0.0
        elif kind == PER_SYMBOL:
            if lane.held[s] >= a:
                return 0.0
        elif kind == LOTS:
            lots = 0.0 if a > broker.volume[s, 2] else floor_to_step(a, broker.volume[s])
        else:
            lots = risk_lots(tape, broker, lane, c, lane.limits[1] if np.isnan(a) else a, b)
            if lots < 0.0:
                account["alerts"] += 1
        if kind >= LOTS and not lots > 0.0:
            return 0.0
    return lots
