"""Numbers, prices, money and times of a signal's story as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from bitten.analysis.figures import ABSENT, minus
from bitten.clock import iso


def moment(ns: int | None, near: int | None = None) -> str:
    """`2024-04-08 10:20:00`, with milliseconds where there are any; without the date where it is that of `near`."""
    if ns is None:
        return ABSENT
    day, _, clock = iso(ns, 3).removesuffix(".000").partition(" ")
    return clock if near is not None and iso(near, 0).startswith(day) else f"{day} {clock}"


def price(value: float | None, digits: int) -> str:
    """A price, or a difference of prices, with all its decimals."""
    return ABSENT if value is None else minus(f"{value:.{digits}f}")


def number(value: float | None) -> str:
    """Up to four decimals, four figures of what is smaller; a dash for none."""
    if value is None or math.isnan(value):
        return ABSENT
    if not 1e-2 <= abs(value) < 1e12:
        return minus(f"{value:.4g}")
    return minus(f"{value:,.4f}".rstrip("0").removesuffix("."))


def lots(value: float | None) -> str:
    """A volume with at least two decimals."""
    return ABSENT if value is None else f"{value:.2f}" if round(value, 2) == value else f"{value:g}"


def money(value: float, currency: str = "") -> str:
    """Money, its currency behind it."""
    return f"{minus(f'{value:,.2f}')} {currency}".strip()


def signed(value: float | None, decimals: int) -> str:
    """A gain with its plus, a loss with its minus."""
    if value is None:
        return ABSENT
    return ("+" if value > 0 else "") + minus(f"{value:,.{decimals}f}")


def signed_r(value: float | None) -> str:
    """`−1.02 R`."""
    return ABSENT if value is None else f"{signed(value, 2)} R"


def in_ascii(text: str) -> str:
    """The same for a terminal that has nothing else."""
    for mark, plain in _PLAIN:
        text = text.replace(mark, plain)
    return text.encode("ascii", "replace").decode("ascii")


_PLAIN: Final[Sequence[tuple[str, str]]] = (("−", "-"), ("–", "-"), ("×", "x"), ("÷", "/"), ("·", "."), ("†", "*"))
