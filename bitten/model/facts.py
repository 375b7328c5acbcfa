"""The sparse facts of a run: frozen values, born with a signal. Each is journalled, and told to trackers, once.

Points are inside, decimal prices are what people see: every price field ends in `_points` and has a decimal twin.

They are made by the ten thousand and never part of a cycle, so the garbage collector is not told of them (`gc=False`).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from bitten.model.dtypes import BUY, NO_PRICE
from bitten.model.instrument import Instrument
from bitten.sizing import rounded


def side_name(side: int) -> str:
    """`buy` or `sell`."""
    return "buy" if side == BUY else "sell"


class ExitPlan(Struct, frozen=True, gc=False):
    """How a position is led after its fill; zero switches a rule off. Distances are in points."""

    breakeven_r: float = 0.0  # move the stop to the entry price after this many R in favour
    trail_points: int = 0
    time_stop_bars: int = 0  # bars of the signal's timeframe
    time_stop_ns: int = 0


class Signal(Struct, frozen=True, gc=False):
    """What a pattern proposes. `stop` and `target` are prices, or distances from the fill where `relative` is set."""

    id: str
    pattern: str
    instrument: Instrument
    timeframe: str
    timeframe_ns: int
    side: int
    time: int  # ns UTC: the decision
    anchor: int
    reference_points: int
    stop_points: int
    target_points: int
    relative: bool
    confidence: float
    expiry: int  # ns UTC, 0 never
    plan: ExitPlan
    bar_shift: int = 0  # ns by which the clock that its bars start by is ahead of UTC
    atr_points: float = 0.0
    evidence: Mapping[str, float] = field(default_factory=dict)

    @property
    def symbol(self) -> str:
        """The instrument's name."""
        return self.instrument.symbol

    @property
    def reference(self) -> float | None:
        """Bid the pattern reasoned from."""
        return self._price(self.reference_points)

    @property
    def stop(self) -> float | None:
        """Stop as a decimal price (or distance, if `relative`); None without one."""
        return self._price(self.stop_points)

    @property
    def target(self) -> float | None:
        """Target as a decimal price (or distance, if `relative`); None without one."""
        return self._price(self.target_points)

    def stop_distance(self, entry_points: int) -> int | None:
        """Points from an entry price to the stop, positive on the losing side; None without a stop."""
        if self.stop_points == NO_PRICE:
            return None
        return self.stop_points if self.relative else self.side * (entry_points - self.stop_points)

    def _price(self, points: int) -> float | None:
        return None if points == NO_PRICE else self.instrument.price(points)


class Refused(Struct, frozen=True, gc=False):
    """A gate said no. Journalled like a fill, so that the report can price every refusal."""

    by: str  # the gate's configured name
    reason: str  # "confidence was 92.0, band is 80.0 to 89.0"
    measured: float
    limit: float


class Decision(Struct, frozen=True, gc=False):
    """What one gate said of one signal for one account; `refusal` is None where it passed or was resized."""

    signal: Signal
    account: str
    gate: str
    lots: float  # after this gate; 0 before any gate has sized
    measured: float
    limit: float
    refusal: Refused | None
    time: int = 0  # of the decision, ns UTC: the signal's, or that of a person's answer
    reason: str | None = None  # why it was refused or resized; None where it simply passed


class Mission(Struct, frozen=True, gc=False):
    """A signal offered to one account until it expires. `id` is that of the fire which comes of it, if one does."""

    id: str
    signal: Signal
    account: str
    mode: str  # "auto", accepted at once, or "manual", by a person
    time: int
    expiry: int  # ns UTC: an answer after this instant comes too late


class Answer(Struct, frozen=True, gc=False):
    """How a mission ended: "accepted", "declined", "expired", or "open" where the data ended first."""

    mission: Mission
    time: int
    answer: str


class Fire(Struct, frozen=True, gc=False):
    """One order for one account. `id` is unique forever."""

    id: str
    number: int  # the run's running number, the key executors use
    signal: Signal
    account: str
    lots: float
    time: int
    price: float = 0.0  # at which it would have filled at the decision; 0 where that is not known
    risk: float = 0.0  # account currency lost at the stop, as the gates saw it; 0 where no gate worked it out
    sizing: Mapping[str, float] = field(default_factory=dict)  # how the lots came about, for people


class Fill(Struct, frozen=True, gc=False):
    """A fire became a position; the levels are those that hold from here on."""

    fire: Fire
    time: int
    price_points: int
    stop_points: int
    target_points: int


class Unfilled(Struct, frozen=True, gc=False):
    """A fire ended without a position: `status` is REJECTED or EXPIRED."""

    fire: Fire
    time: int
    status: str
    reason: str


class Close(Struct, frozen=True, gc=False):
    """A position ended. Money is in the account's currency, rounded once to its digits."""

    fill: Fill
    time: int
    price_points: int
    reason: str
    gross: float
    commission: float
    swap: float
    mae_points: int  # largest adverse excursion of the close-side price, never negative
    mfe_points: int

    @property
    def profit(self) -> float:
        """Gross less all costs."""
        return rounded(self.gross + self.commission + self.swap, 2)


class Outcome(Struct, frozen=True, gc=False):
    """How a signal ended at its own stop or target, fired or not."""

    signal: Signal
    open_time: int  # 0 where it never filled
    open_points: int
    close_time: int
    close_points: int
    reason: str  # a close reason, or "rejected" or "expired"
    stop_points: int  # at the fill
    mae_points: int
    mfe_points: int


class Alert(Struct, frozen=True, gc=False):
    """Something a person should know: a plugin that failed, a conversion that was missing."""

    time: int
    source: str
    text: str
