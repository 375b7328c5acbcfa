"""The part that importers of delimited text share: columns by role become raw ticks and raw bars."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from bitten.errors import DataError
from bitten.model.dtypes import Floats, Ints
from bitten.store.archive import bare_name
from bitten.store.importer import Importer, ImportOptions, Kind, RawBars, RawTicks, Side, market_digits
from bitten.store.stamps import BUDDHIST_YEARS, BadStampError, parse_stamps
from bitten.store.textfile import Chunk, Dialect, Table, TextFile

OHLC: Final = ("open", "high", "low", "close")
_SURE: Final = 100  # so many prices show all decimals that the source has
_SURE_WHOLE: Final = 40  # so many whole prices in a row are no chance
_MOST_DECIMALS: Final = 8
_NOISE: Final = 1e-6  # 130336.99999999999 is what a script left of the whole number 130337


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a text file are, by position from 0."""

    kind: Kind
    stamp: tuple[int, ...]  # the time, or a date and a time
    numbers: Mapping[str, int]  # bid, ask; or open, high, low, close, volume, spread (points), ask_close
    fixed: Mapping[str, int] = field(default_factory=dict)  # text columns that must not change within the file


class TextImporter(Importer):
    """A reader of delimited text: subclasses say where the columns are."""

    empty_is_unchanged: ClassVar[bool] = False
    """An empty bid or ask cell stands for the price of the row before (MT5)."""

    volume_scale: ClassVar[float] = 1.0
    """Volumes are multiplied by this and rounded, for vendors that write fractions."""

    def open(self, path: Path, head: bytes | None = None) -> Table:
        """The file as a table."""
        return TextFile(path, head)

    @abstractmethod
    def layout(self, path: Path, dialect: Dialect, options: ImportOptions) -> Layout:
        """Where the columns are in a file of this dialect.

        Raises:
            DataError: they cannot be told.
        """

    def read(self, path: Path, options: ImportOptions) -> Iterator[RawTicks | RawBars]:
        """Read the rows in chunks; see `Importer.read`."""
        file = self.open(path)
        layout = self.layout(path, file.dialect, options)
        texts = {f"stamp{i}": column for i, column in enumerate(layout.stamp)} | dict(layout.fixed)
        fixed = {name: file.dialect.first[column] for name, column in layout.fixed.items() if file.dialect.first}
        prices = _Prices(path, options)
        filled = _Filled()
        for chunk in file.chunks(texts, layout.numbers, options.advance):
            for name, value in fixed.items():
                chunk.check_same(name, value)
            time, rules = self.times(path, chunk)
            if layout.kind == "ticks":
                bid, ask = chunk.number("bid"), chunk.number("ask")
                if self.empty_is_unchanged:
                    bid, ask = filled.fill("bid", bid), filled.fill("ask", ask)
                yield RawTicks(time, prices.scaled(bid), prices.scaled(ask), {**rules, **prices.rules(bid, ask)})
            else:
                yield self._bars(time, chunk, prices, rules)

    def times(self, path: Path, chunk: Chunk) -> tuple[Ints, Mapping[str, str]]:
        """The times of a chunk in ns of the file's clock, and what had to be concluded."""
        stamps = chunk.stamps("stamp0", "stamp1")
        if not stamps.buddhist:
            return stamps.ns, {}
        return stamps.ns, {"years": f"of the Buddhist era, {BUDDHIST_YEARS} subtracted"}

    def where(self, path: Path, row: int) -> str:
        """`file:line`."""
        return self.open(path).where(row)

    def _bars(self, time: Ints, chunk: Chunk, prices: _Prices, rules: Mapping[str, str]) -> RawBars:
        raw = [chunk.number(role) for role in OHLC]
        rules = {**rules, **prices.rules(*raw)}
        ohlc = [prices.scaled(column) for column in raw]
        if chunk.has("ask_close"):
            spread = prices.scaled(chunk.number("ask_close")) - ohlc[3]
        elif chunk.has("spread"):
            points = chunk.number("spread")
            # terminals write 0 where they have not recorded the spread
            spread = np.where(points > 0, points, np.nan) * prices.point(*ohlc)
        else:
            spread = np.full(len(chunk), np.nan)
        volume = chunk.number("volume") * self.volume_scale
        return RawBars(time, ohlc[0], ohlc[1], ohlc[2], ohlc[3], volume, spread, rules)


def stamps_have_offset(cells: tuple[str, ...]) -> bool:
    """Whether the stamp in these cells (a time, or a date and a time) states its offset from UTC."""
    import pyarrow as pa

    try:
        return parse_stamps(pa.array([" ".join(cells)])).zoned
    except BadStampError:
        return False


def side_from_path(path: Path) -> Side:
    """The side that a file of bars names in its own name, as in `gbpusd-m1-ask-2012.csv`."""
    words = {word for word in re.split(r"[^a-z]+", bare_name(path).lower()) if word in ("bid", "ask")}
    if len(words) != 1:
        return "both"
    return "ask" if "ask" in words else "bid"


class _Filled:
    """Forward fill that remembers the last price of the chunk before."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def fill(self, role: str, prices: Floats) -> Floats:
        extended = np.concatenate(([self._last.get(role, np.nan)], prices))
        known = np.maximum.accumulate(np.where(np.isnan(extended), 0, np.arange(extended.size)))
        filled: Floats = extended[known][1:]
        if filled.size:
            self._last[role] = float(filled[-1])
        return filled


class _Prices:
    """How the numbers of one file become decimal prices; decided on its first rows."""

    def __init__(self, path: Path, options: ImportOptions) -> None:
        self._path = path
        self._options = options
        self._scale: float | None = options.scale
        self._digits: int | None = None

    def rules(self, *columns: Floats) -> Mapping[str, str]:
        """Decide the scale on the first chunk; what was concluded, for people."""
        if self._scale is None:
            self._scale = self._integer_points(columns)
        if self._scale == 1:
            return {}
        stated = "stated" if self._options.scale else "all prices are whole numbers"
        return {"prices": f"integer points, divided by {self._scale:g} ({stated})"}

    def scaled(self, prices: Floats) -> Floats:
        """Decimal prices."""
        return prices if self._scale in (None, 1) else prices / self._scale

    def point(self, *columns: Floats) -> float:
        """The source's own point, from the decimals it writes: what its spread column counts."""
        if self._digits is None:
            values = np.concatenate([column[np.isfinite(column)] for column in columns])
            seen = decimals(values, self._path)
            common = market_digits(self._options.symbol or "") or 0
            self._digits = seen if values.size >= _SURE else max(seen, common)
        return float(10.0**-self._digits)

    def _integer_points(self, columns: tuple[Floats, ...]) -> float:
        values = np.concatenate([column[np.isfinite(column)] for column in columns])
        digits = market_digits(self._options.symbol or "")
        if digits is None or values.size < _SURE_WHOLE or (np.abs(values - np.rint(values)) > _NOISE).any():
            return 1.0
        return float(10.0**digits)


def decimals(prices: Floats, path: Path) -> int:
    """The fewest decimals that write all prices, as far as a double of their size can tell.

    Raises:
        DataError: there are more than `_MOST_DECIMALS`, so that nobody knows what the file calls a point.
    """
    for digits in range(_MOST_DECIMALS + 1):
        scaled = prices * 10.0**digits
        if (np.abs(scaled - np.rint(scaled)) <= _NOISE + np.abs(scaled) * 1e-12).all():
            return digits
    raise DataError(
        f"{path}: prices have more than {_MOST_DECIMALS} decimals, so the points that its spread counts are unknown; "
        "name the columns without the spread, with --columns time=...,open=..."
    )
