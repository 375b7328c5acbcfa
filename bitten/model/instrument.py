"""Facts of a symbol, and the border at which decimal prices become integer points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bitten.errors import DataError
from bitten.model.dtypes import Floats, Ints

_UNITS = tuple(10**digits for digits in range(32))  # by digits; a look-up is half the price of a power


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a broker's specification says of a symbol. Distances are in points, volumes in lots."""

    symbol: str
    digits: int  # decimals of a price
    base: str  # currency (or metal) bought by a buy
    quote: str  # currency the price is in
    contract_size: float  # units of base per lot
    pip: float  # size of a pip as a price difference, e.g. 0.0001
    volume_min: float
    volume_step: float
    volume_max: float
    default_spread: int  # points; used where the data has none
    stops_level: int = 0  # points; stops and targets nearer to the price are rejected
    description: str = ""

    @property
    def point(self) -> float:
        """Size of a point as a price difference."""
        return float(10.0**-self.digits)

    @property
    def scale(self) -> float:
        """Points per unit of price."""
        return 10.0**self.digits

    @property
    def pip_points(self) -> int:
        """Points in a pip."""
        return _pip_points(self.pip, self.digits)

    def points(self, price: float) -> int:
        """The integer points of one decimal price."""
        return round(price * self.scale)

    def price(self, points: int) -> float:
        """The decimal price of integer points, correctly rounded."""
        return float(points / _UNITS[self.digits])

    def pips(self, points: float) -> float:
        """A distance in points as pips."""
        return float(points / self.pip_points)


@lru_cache(maxsize=256)
def _pip_points(pip: float, digits: int) -> int:
    return round(pip * 10.0**digits)


def to_points(prices: Any, digits: int) -> Ints:
    """Quantise decimal prices to int64 points, `rint(x * 10^digits)`.

    Raises:
        DataError: a price is NaN or infinite; those never pass the border.
    """
    scaled = np.rint(np.asarray(prices, dtype=np.float64) * 10.0**digits)
    if not np.isfinite(scaled).all():
        where = int(np.flatnonzero(~np.isfinite(scaled))[0])
        raise DataError(f"price {where} of {scaled.size} is not a finite number; drop such rows before they enter")
    return scaled.astype(np.int64)


def to_prices(points: Any, digits: int) -> Floats:
    """Decimal prices of integer points; division, because x / 10^d is the correctly rounded decimal."""
    return np.asarray(points, dtype=np.float64) / 10.0**digits
