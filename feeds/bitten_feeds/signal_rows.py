"""Rows of a signals file: read from CSV or Parquet, and checked one by one before anything is traded on them."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from bitten.clock import to_utc
from bitten.errors import DataError, did_you_mean
from bitten.model.dtypes import BUY, NS_PER_SECOND, SELL

REQUIRED: Final = ("time", "symbol", "side")
COLUMNS: Final = (*REQUIRED, "stop", "target", "stop_points", "target_points", "confidence", "id", "expiry")
SIDES: Final = {"buy": BUY, "long": BUY, "1": BUY, "+1": BUY, "sell": SELL, "short": SELL, "-1": SELL}

_EPOCH: Final = datetime(1970, 1, 1)
_TIME: Final = re.compile(
    r"(\d{4})[-./](\d\d)[-./](\d\d)[T ]+(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?\Z"
)


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One checked row. `stop` and `target` are decimal prices, or points where `relative`; None for none."""

    time: int  # ns UTC
    symbol: str
    side: int
    stop: float | None
    target: float | None
    relative: bool
    confidence: float | None
    id: str | None
    expiry: int  # ns UTC, 0 never


def read_signal_rows(path: Path, clock: str) -> list[SignalRow]:
    """All rows of a signals file, in its order.

    Args:
        path: a CSV file (comma, semicolon or tab) or a Parquet file (`.parquet`, `.pq`).
        clock: the rule by which times without an offset of their own are written.

    Raises:
        DataError: the file is missing, lacks columns, or has a bad row: with `file:line`, what was found and allowed.
    """
    if not path.is_file():
        raise DataError(f"signals file {path} does not exist; relative paths start at the configuration's folder")
    read = _parquet if path.suffix.lower() in (".parquet", ".pq") else _csv
    rows: list[SignalRow] = []
    ids: dict[str, str] = {}
    for where, values in read(path):
        row = _Row(where, values, clock).checked()
        if row.id is not None and row.id in ids:
            raise DataError(f'{where}: id "{row.id}" was given before, at {ids[row.id]}; ids must be unique')
        if row.id is not None:
            ids[row.id] = where
        rows.append(row)
    return rows


def _csv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            header = file.readline()
            separator = max(",;\t", key=header.count)
            names = _checked_header(next(csv.reader([header], delimiter=separator), []), f"{path.name}:1")
            reader = csv.reader(file, delimiter=separator, strict=True)
            for cells in reader:
                where = f"{path.name}:{reader.line_num + 1}"
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(names):
                    raise DataError(f"{where}: found {len(cells)} cells, the header names {len(names)} columns")
                yield where, {name: cell.strip() or None for name, cell in zip(names, cells, strict=True)}
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path} is no CSV file in UTF-8: {error}") from error


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow as pa

    from bitten.arrow import read_parquet

    try:
        table = read_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is no Parquet file: {error}") from error
    names = _checked_header(table.column_names, path.name)
    columns = []
    for column in table.columns:
        if pa.types.is_timestamp(column.type):  # an aware one counts from 1970 UTC, a naive one on its own clock
            stamp = _AwareStamp if column.type.tz else _NaiveStamp
            whole = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
            columns.append([None if ns is None else stamp(ns) for ns in whole.to_pylist()])
        else:
            columns.append(column.to_pylist())
    for number, values in enumerate(zip(*columns, strict=True), 1):
        yield f"{path.name}: row {number}", dict(zip(names, values, strict=True))


class _NaiveStamp(int):
    """Nanoseconds since 1970 on the file's clock."""


class _AwareStamp(int):
    """Nanoseconds since 1970 UTC."""


def _checked_header(found: list[str], where: str) -> list[str]:
    names = [name.strip().lower() for name in found]
    for name in names:
        if name not in COLUMNS:
            raise DataError(f'{where}: column "{name}" is unknown{did_you_mean(name, COLUMNS)}')
        if names.count(name) > 1:
            raise DataError(f'{where}: column "{name}" appears twice')
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise DataError(f"{where}: lacks the columns {', '.join(missing)}; allowed are {', '.join(COLUMNS)}")
    return names


class _Row:
    """One row on its way to being a `SignalRow`."""

    def __init__(self, where: str, values: Mapping[str, Any], clock: str) -> None:
        self.where = where
        self.values = values
        self.clock = clock

    def checked(self) -> SignalRow:
        time = self._time("time")
        if time is None:
            raise self._bad("time", "a time such as 2024-05-02 12:30:00")
        side = self._side()
        stop, target, relative = self._levels(side)
        confidence = self._number("confidence")
        if confidence is not None and not 0 <= confidence <= 100:
            raise self._bad("confidence", "0 to 100")
        expiry = self._time("expiry")
        if expiry is not None and expiry <= time:
            raise self._bad("expiry", "a time after the signal's own")
        identity = self.values.get("id")
        return SignalRow(
            time,
            self._text("symbol"),
            side,
            stop,
            target,
            relative,
            confidence,
            None if identity is None or identity != identity else str(identity),
            expiry or 0,
        )

    def _bad(self, name: str, allowed: str) -> DataError:
        value = self.values.get(name)
        found = "empty" if value is None else f'"{value}"'
        return DataError(f"{self.where}: {name} is {found}, allowed is {allowed}")

    def _text(self, name: str) -> str:
        value = self.values[name]
        if not isinstance(value, str):
            raise self._bad(name, "the name of a symbol")
        return value

    def _side(self) -> int:
        value = self.values["side"]
        text = str(int(value) if isinstance(value, float) and value == round(value) else value).strip().lower()
        if text not in SIDES:
            close = did_you_mean(text, SIDES)
            raise self._bad("side", "buy, sell, long, short, 1 or -1" + (close if "mean" in close else ""))
        return SIDES[text]

    def _number(self, name: str) -> float | None:
        value = self.values.get(name)
        if value is None or value != value:  # an empty cell; frames write it as NaN
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise self._bad(name, "a number")
        return number

    def _levels(self, side: int) -> tuple[float | None, float | None, bool]:
        """Stop and target, and whether they are distances."""
        stop, target = self._number("stop"), self._number("target")
        distances = self._number("stop_points"), self._number("target_points")
        if distances == (None, None):
            for name, price in (("stop", stop), ("target", target)):
                if price is not None and price <= 0:
                    raise self._bad(name, "a price above 0")
            if stop is not None and target is not None and side * (target - stop) <= 0:
                relation = "below" if side == BUY else "above"
                raise DataError(
                    f"{self.where}: a {'buy' if side == BUY else 'sell'} has its stop {relation} its target, "
                    f"found stop {stop:g} and target {target:g}; perhaps they are swapped, or the side is wrong"
                )
            return stop, target, False
        if (stop, target) != (None, None):
            raise DataError(f"{self.where}: gives both prices and distances; use stop and target or their _points")
        for name, points in zip(("stop_points", "target_points"), distances, strict=True):
            if points is not None and (points <= 0 or points != round(points)):
                raise self._bad(name, "a whole number of points above 0")
        return *distances, True

    def _time(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, _AwareStamp):
            return int(value)
        if isinstance(value, _NaiveStamp):
            return self._utc(int(value))
        match = _TIME.match(str(value).strip())
        if match is None:
            raise self._bad(name, "a time such as 2024-05-02 12:30:00 or 2024-05-02T12:30:00.250Z")
        *parts, fraction, offset = match.groups()
        try:
            moment = datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]  # six of them, no zone
        except ValueError as error:
            raise self._bad(name, f"a time that exists ({error})") from error
        ns = int((moment - _EPOCH) / timedelta(seconds=1)) * NS_PER_SECOND + int((fraction or "0").ljust(9, "0"))
        if offset is None:
            return self._utc(ns)
        return ns - _offset_ns(offset)

    def _utc(self, local: int) -> int:
        return int(to_utc(np.array([local], np.int64), self.clock)[0])


def _offset_ns(text: str) -> int:
    if text == "Z":
        return 0
    seconds = int(text[1:3]) * 3600 + int(text[-2:]) * 60
    return (seconds if text[0] == "+" else -seconds) * NS_PER_SECOND
