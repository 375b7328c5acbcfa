"""From Arrow columns to numpy arrays: the one place where the run tables are unpacked for analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bitten.arrow import from_numpy, one_chunk, to_numpy
from bitten.journal.schema import TABLES
from bitten.model.dtypes import Bools, Floats, Ints

Tables = Mapping[str, pa.Table]

_FRACTIONS: Final = ("open_price", "stop", "close_price", "gross", "commission", "swap", "profit")


def table(tables: Tables, name: str) -> pa.Table:
    """A table of the run, empty where it is missing."""
    return tables[name] if name in tables else pa.Table.from_batches([], TABLES[name])


def floats(source: pa.Table, name: str) -> Floats:
    """A float column, shape (n,); null becomes NaN."""
    values, known = to_numpy(source[name])
    return np.asarray(values if known is None else np.where(known, values, np.nan), np.float64)


def nanoseconds(source: pa.Table, name: str) -> Ints:
    """A time column as ns UTC, shape (n,); null becomes 0."""
    values, known = to_numpy(source[name])
    return np.asarray(values if known is None else np.where(known, values, 0), np.int64)


def words(source: pa.Table, name: str) -> tuple[Ints, list[str]]:
    """A column of words as (codes of shape (n,), sorted distinct words); null becomes the empty word."""
    encoded = one_chunk(source[name])
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    found: list[str] = [*(word or "" for word in encoded.dictionary.to_pylist()), ""]
    values, known = to_numpy(encoded.indices)
    codes = (values if known is None else np.where(known, values, len(found) - 1)).astype(np.int64)
    counts = np.bincount(codes, minlength=len(found)).tolist()
    names = sorted({word for word, count in zip(found, counts, strict=True) if count})
    rank = {word: i for i, word in enumerate(names)}
    return np.array([rank.get(word, 0) for word in found], np.int64)[codes], names


@dataclass(frozen=True, slots=True)
class Trades:
    """Columns of closed trades in the order in which they closed, all of shape (n,); money in account currency."""

    fire_id: Any  # pyarrow string array
    account: Ints  # codes into `accounts`
    accounts: list[str]
    opened: Ints  # ns UTC
    closed: Ints
    gross: Floats
    commission: Floats
    swap: Floats
    profit: Floats
    r: Floats  # NaN without a stop
    open_at_end: Bools  # closed by the end of the data alone: valued at the last quotes, no result

    @property
    def size(self) -> int:
        """Number of trades."""
        return self.profit.size

    def multiples(self) -> Floats:
        """R of those trades that have one and were not closed by the end of the data, in order."""
        return self.r[np.isfinite(self.r) & ~self.open_at_end]

    def pick(self, rows: Any) -> Trades:
        """Only the rows that a mask or an index array selects."""
        return Trades(
            self.fire_id.take(from_numpy(np.arange(self.size)[rows])),
            self.account[rows],
            self.accounts,
            self.opened[rows],
            self.closed[rows],
            self.gross[rows],
            self.commission[rows],
            self.swap[rows],
            self.profit[rows],
            self.r[rows],
            self.open_at_end[rows],
        )


def by_close(trades: pa.Table) -> pa.Table:
    """The trades table in the order in which the positions closed; ties keep their order."""
    order = np.argsort(nanoseconds(trades, "close_time"), kind="stable")
    return trades.take(from_numpy(order))


def unpack_trades(trades: pa.Table) -> Trades:
    """Columns of a trades table, row for row."""
    fraction = {name: floats(trades, name) for name in _FRACTIONS}
    account, accounts = words(trades, "account")
    reason, reasons = words(trades, "close_reason")
    side, sides = words(trades, "side")
    signs = np.array([1.0 if word == "buy" else -1.0 for word in sides])
    return Trades(
        fire_id=one_chunk(trades["fire_id"]),
        account=account,
        accounts=accounts,
        opened=nanoseconds(trades, "open_time"),
        closed=nanoseconds(trades, "close_time"),
        gross=fraction["gross"],
        commission=fraction["commission"],
        swap=fraction["swap"],
        profit=fraction["profit"],
        r=r_multiples(signs[side] if side.size else signs, fraction),
        open_at_end=np.array([word == "end" for word in reasons], np.bool_)[reason],
    )


def r_multiples(side: Floats, prices: Mapping[str, Floats]) -> Floats:
    """What each trade made in units of its first risk, shape (n,); NaN without a stop or with one behind the price.

    Pips made over pips between `open_price` and the stop at the fill. Price-based: spread and slippage are inside,
    commission and swap are not.
    """
    risk = side * (prices["open_price"] - prices["stop"])
    made = side * (prices["close_price"] - prices["open_price"])
    out = np.full(risk.size, np.nan)
    np.divide(made, risk, out=out, where=risk > 0)
    return out


def last_of_each(groups: Ints) -> Bools:
    """True at the last element of every run of equal values, shape (n,)."""
    flags = np.ones(groups.size, np.bool_)
    flags[:-1] = groups[1:] != groups[:-1]
    return flags
