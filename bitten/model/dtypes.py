"""The contract between kernels and everything else: every structured array that crosses that border, field by field.

Times are int64 nanoseconds since 1970-01-01 UTC. Prices and distances are integer points of the instrument
(price x 10^digits). Sides are +1 (buy) and -1 (sell).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Records = NDArray[Any]  # a structured array of one of the dtypes below
Record = Any  # one row of it, whose fields are attributes inside kernels

NS_PER_MS: Final = 1_000_000
NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_SECOND

BUY: Final = 1
SELL: Final = -1

NO_PRICE: Final = np.iinfo(np.int64).min  # "no stop", "no target", "no reference": never a level that can be touched

# One bar of bid prices, known to be complete at `known` (the first quote at or after its end, or its own close quote
# where the source is bars). Spread statistics are over the bar's quotes, in points.
BAR: Final = np.dtype(
    [
        ("time", np.int64),  # the bar's start
        ("known", np.int64),  # the instant from which a decision may use it
        ("open", np.int64),
        ("high", np.int64),
        ("low", np.int64),
        ("close", np.int64),
        ("ticks", np.int64),  # quotes in the bar; the source's tick volume where the source is bars
        ("spread_sum", np.int64),  # sum of ask - bid over `quotes`
        ("spread_min", np.int64),
        ("spread_max", np.int64),
        ("quotes", np.int64),  # how many quotes entered spread_sum
    ]
)

# What a pattern's scan writes: one row per signal, in the order of `time`.
EVIDENCE_SLOTS: Final = 16
SIGNAL: Final = np.dtype(
    [
        ("time", np.int64),  # the decision: `known` of the bar, or the quote's own time
        ("anchor", np.int64),  # what the signal is about (arm bar, zone birth): one signal per anchor
        ("side", np.int64),
        ("reference", np.int64),  # the bid the pattern reasoned from
        ("stop", np.int64),  # a price, or a distance from the fill where `relative` is 1; NO_PRICE for none
        ("target", np.int64),
        ("relative", np.int64),
        ("confidence", np.float64),  # 0 to 100
        ("expiry", np.int64),  # an unfilled order dies with the first quote after this instant; 0 never
        ("time_stop_bars", np.int64),  # 0 for none
        ("atr", np.float64),  # points; 0 where the pattern has none
        ("evidence", np.float64, (EVIDENCE_SLOTS,)),  # the numbers behind it, named by the pattern
    ]
)

# One order that waits for its fill or one open position, as the exit kernel keeps it.
TICKET: Final = np.dtype(
    [
        ("key", np.int64),  # the owner's number for it
        ("side", np.int64),
        ("after", np.int64),  # fills at the first quote with ts > after
        ("expiry", np.int64),  # 0 never
        ("stop", np.int64),
        ("target", np.int64),
        ("relative", np.int64),
        ("stop_kind", np.int64),  # the close reason that a touch of `stop` means now
        ("breakeven_r", np.float64),  # move the stop to the entry after this many R; 0 never
        ("breakeven_at", np.int64),  # the same as a distance in points, set at the fill; 0 never
        ("trail", np.int64),  # distance of a trailing stop; 0 never
        ("hold_ns", np.int64),  # longest holding time; 0 for no limit
        ("deadline", np.int64),  # open time + hold_ns, set at the fill; 0 none
        ("bar_ns", np.int64),  # period of the bars that `bars_left` counts
        ("bar_shift", np.int64),  # they start at multiples of it on a clock this far ahead of UTC
        ("bars_left", np.int64),  # 0 for no limit
        ("next_bar", np.int64),  # start of the period after the current one, set at the fill
        ("open_time", np.int64),
        ("open_price", np.int64),
        ("first_stop", np.int64),  # the stop as it was at the fill
        ("best", np.int64),  # most favourable close-side price since the fill
        ("worst", np.int64),  # most adverse one
        ("neutral_until", np.int64),  # bar sources: up to here the bar's own path, not the pessimistic one, applies
    ]
)

# What the exit kernel knows of a symbol's open tickets together.
WATCH: Final = np.dtype(
    [
        ("known", np.int64),  # whether the band below holds; 0 after anything has happened to a ticket
        ("low_bid", np.int64),  # nothing happens while bid and ask stay strictly inside
        ("high_bid", np.int64),
        ("low_ask", np.int64),
        ("high_ask", np.int64),
        ("wake", np.int64),  # an instant at which a time rule wants a look
        ("least_bid", np.int64),  # extremes since the excursions of tickets were last brought up to date
        ("most_bid", np.int64),
        ("least_ask", np.int64),
        ("most_ask", np.int64),
    ]
)

# Kinds of exit-kernel events
FILLED: Final = 1
CLOSED: Final = 2
REJECTED: Final = 3
EXPIRED: Final = 4

# Close reasons; the words are the public ones of trades.parquet
CLOSE_REASONS: Final = ("", "target", "stop", "trailing", "breakeven", "time", "signal", "manual", "stopout", "end")
BY_TARGET: Final = 1
BY_STOP: Final = 2
BY_TRAILING: Final = 3
BY_BREAKEVEN: Final = 4
BY_TIME: Final = 5
AT_END: Final = 9

# What the exit kernel reports, in the order in which it happened.
EVENT: Final = np.dtype(
    [
        ("key", np.int64),
        ("kind", np.int64),
        ("reason", np.int64),
        ("time", np.int64),
        ("price", np.int64),
        ("stop", np.int64),  # of a fill: the absolute levels that now hold
        ("target", np.int64),
        ("best", np.int64),
        ("worst", np.int64),
    ]
)
