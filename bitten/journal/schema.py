"""The tables of a run folder: column names and types, which are part of the public interface.

Documented for people in docs/run-folder.md; a test holds that page against these schemas.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

TIME: Final = pa.timestamp("ns", tz="UTC")
WORD: Final = pa.dictionary(pa.int32(), pa.string())

SIGNALS: Final = pa.schema(
    [
        ("signal_id", pa.string()),
        ("pattern", WORD),
        ("symbol", WORD),
        ("timeframe", WORD),
        ("side", WORD),  # buy, sell
        ("time", TIME),
        ("anchor", TIME),
        ("reference", pa.float64()),
        ("stop", pa.float64()),  # a price, or a distance where relative is true; null for none
        ("target", pa.float64()),
        ("relative", pa.bool_()),
        ("confidence", pa.float64()),
        ("expiry", TIME),  # null for never
        ("atr", pa.float64()),  # as a price difference; null where the pattern has none
        ("evidence", pa.string()),  # a JSON object, name to number
    ]
)

DECISIONS: Final = pa.schema(
    [
        ("signal_id", pa.string()),
        ("account", WORD),
        ("time", TIME),
        ("gate", WORD),  # a gate's or shield's configured name; "executor" for orders that ended unfilled
        ("verdict", WORD),  # passed, resized, refused
        ("reason", pa.string()),  # null where it passed
        ("measured", pa.float64()),
        ("limit", pa.float64()),
        ("lots", pa.float64()),  # after this gate
    ]
)

SCORES: Final = pa.schema(
    [
        ("signal_id", pa.string()),
        ("time", TIME),  # of the decision it was worked out for: a mission answered later has one of its own
        ("shield", WORD),  # its configured name
        ("score", pa.float64()),  # 1 to 10
        ("scale", pa.float64()),  # factor on size
        ("confidence", pa.float64()),  # in place of the signal's from here on; null where it left that alone
        ("veto", pa.string()),  # null where it passed
        ("evidence", pa.string()),  # a JSON object, name to number: what it was worked out from
    ]
)

MISSIONS: Final = pa.schema(
    [
        ("mission_id", pa.string()),  # that of the fire which comes of it
        ("signal_id", pa.string()),
        ("account", WORD),
        ("mode", WORD),  # auto, manual
        ("offered", TIME),
        ("expiry", TIME),
        ("answered", TIME),  # null where the data ended first
        ("answer", WORD),  # accepted, declined, expired, open
    ]
)

FIRES: Final = pa.schema(
    [
        ("fire_id", pa.string()),
        ("signal_id", pa.string()),
        ("account", WORD),
        ("time", TIME),
        ("lots", pa.float64()),
        ("risk", pa.float64()),  # account currency lost at the stop, as the gates saw it; null where none worked it out
        ("sizing", pa.string()),  # a JSON object, name to number: how the lots came about
    ]
)

TRADES: Final = pa.schema(
    [
        ("fire_id", pa.string()),
        ("signal_id", pa.string()),
        ("account", WORD),
        ("symbol", WORD),
        ("pattern", WORD),
        ("side", WORD),
        ("lots", pa.float64()),
        ("open_time", TIME),
        ("open_price", pa.float64()),
        ("stop", pa.float64()),  # as it was at the fill; null for none
        ("target", pa.float64()),
        ("close_time", TIME),
        ("close_price", pa.float64()),
        ("close_reason", WORD),  # target stop trailing breakeven time signal manual stopout end
        ("pips", pa.float64()),
        ("gross", pa.float64()),  # money in account currency, before costs that are charged apart
        ("commission", pa.float64()),  # negative
        ("swap", pa.float64()),
        ("profit", pa.float64()),  # gross + commission + swap
        ("mae_pips", pa.float64()),  # largest adverse excursion, never negative
        ("mfe_pips", pa.float64()),
    ]
)

OUTCOMES: Final = pa.schema(
    [
        ("signal_id", pa.string()),
        ("symbol", WORD),
        ("pattern", WORD),
        ("side", WORD),
        ("fired", pa.bool_()),  # at least one account's fire came of it
        ("result", WORD),  # target stop time end, or rejected expired where it never filled
        ("open_time", TIME),
        ("open_price", pa.float64()),
        ("close_time", TIME),
        ("close_price", pa.float64()),
        ("pips", pa.float64()),
        ("r", pa.float64()),  # pips / pips from entry to first stop; null without a stop
        ("mae_pips", pa.float64()),
        ("mfe_pips", pa.float64()),
    ]
)

EQUITY: Final = pa.schema(
    [
        ("time", TIME),
        ("account", WORD),
        ("balance", pa.float64()),
        ("equity", pa.float64()),  # balance + open positions at the last quotes
        ("open_positions", pa.int64()),
    ]
)

TABLES: Final = {
    "signals": SIGNALS,
    "scores": SCORES,
    "missions": MISSIONS,
    "decisions": DECISIONS,
    "fires": FIRES,
    "trades": TRADES,
    "outcomes": OUTCOMES,
    "equity": EQUITY,
}
