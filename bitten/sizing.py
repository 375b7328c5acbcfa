"""How much: loss per lot at the stop, and lots for a risk, rounded down to what the broker trades.

Formulas: MetaTrader 5 symbol properties (contract size, volume step); measured float traps are in the tests.
"""

from __future__ import annotations

import math
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

import numpy as np

from bitten.model.dtypes import Floats
from bitten.model.instrument import Instrument

Number = TypeVar("Number", float, Floats)

_WHOLE_CURRENCIES = frozenset({"JPY", "KRW", "CLP", "VND", "ISK"})


def floor_to_step(lots: float, instrument: Instrument) -> float:
    """Round a volume down to the instrument's step and its limits; 0.0 where it is below the smallest volume.

    Never rounds up to the minimum. A value within a billionth of a step counts as that step: 0.29 lots are 29 steps of
    0.01 although 0.29 / 0.01 is 28.999999999999996 in floats.
    """
    if not lots > 0:
        return 0.0
    steps = math.floor(min(lots, instrument.volume_max) / instrument.volume_step + 1e-9)
    volume = round(steps * instrument.volume_step, decimals(instrument.volume_step))
    return volume if volume >= instrument.volume_min else 0.0


def floor_to_steps(lots: Floats, instrument: Instrument) -> Floats:
    """`floor_to_step` of many volumes, shape (n,), to the last bit the same."""
    if lots.size == 1:  # most runs have one account, and this is many times cheaper
        return np.array([floor_to_step(float(lots[0]), instrument)])
    wanted = np.where(lots > 0, np.minimum(lots, instrument.volume_max), 0.0)
    steps = np.floor(wanted / instrument.volume_step + 1e-9)
    scale = 10.0 ** decimals(instrument.volume_step)
    volumes: Floats = np.rint(steps * instrument.volume_step * scale) / scale
    return np.where(volumes >= instrument.volume_min, volumes, 0.0)


@lru_cache(maxsize=256)
def decimals(step: float) -> int:
    """Decimals of a volume step: 2 for 0.01."""
    return max(0, -int(Decimal(repr(step)).normalize().as_tuple().exponent))


def currency_digits(currency: str) -> int:
    """Decimals of an account currency (ISO 4217 minor units)."""
    return 0 if currency in _WHOLE_CURRENCIES else 2


def rounded(value: float, digits: int) -> float:
    """Money to its digits, halves to even: one formula for Python and for kernels, which know no `round(x, n)`."""
    scale = 10.0**digits
    return round(value * scale) / scale


def points_to_money(points: Number, lots: Number, instrument: Instrument) -> Number:
    """A price difference in points as money in the instrument's quote currency; one, or columns of them."""
    return points * instrument.contract_size * lots / 10.0**instrument.digits


def ratio(part: Floats, whole: Floats, otherwise: float = 0.0) -> Floats:
    """`part / whole` where the whole is positive, something else where it is not, shape (n,)."""
    if (whole[0] if whole.size == 1 else whole.min()) > 0:  # nearly always, and much quicker
        return part / whole
    return np.divide(part, whole, out=np.full_like(part, otherwise), where=whole > 0)


def lots_for_risk(risk_money: Floats, loss_per_lot: Floats, instrument: Instrument) -> Floats:
    """The largest tradable volumes whose loss at the stop does not exceed the risk, shape (n,).

    Args:
        risk_money: account currency.
        loss_per_lot: account currency, positive, costs included; a volume is 0 where it is not, or not finite.
    """
    return floor_to_steps(ratio(risk_money, loss_per_lot), instrument)  # a loss without limit leaves nothing
