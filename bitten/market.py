"""What is known at an instant: the last quotes of every symbol, and currency conversion from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from bitten.errors import ConfigError, DataError
from bitten.kernels.exits import Path
from bitten.model.dtypes import Bools, Floats, Ints
from bitten.model.instrument import Instrument
from bitten.model.quotes import QUOTES_PER_BAR, Quotes, Slice

_NOTHING: Ints = np.empty(0, np.int64)


class Quote(NamedTuple):
    """One quote, in points."""

    time: int
    bid: int
    ask: int


class Leg(NamedTuple):
    """One step of a conversion: through the quotes of `symbol`, upwards (base to quote) or downwards."""

    symbol: str
    upwards: bool


class Market:
    """Read-only view of the quotes so far. `begin` hands it the next slice.

    Args:
        instruments: the symbols of the feed, in configured order.
        rates: configured conversion rates by pair, as `{"GBPUSD": 1.25}`; used where no quotes convert.
    """

    def __init__(self, instruments: Mapping[str, Instrument], rates: Mapping[str, float]) -> None:
        self.instruments = dict(instruments)
        self._rates = dict(rates)
        self.facts: Mapping[str, Instrument] = MappingProxyType(self.instruments)
        self._last: dict[str, Quote] = {}
        self._seen: dict[str, tuple[int, Quote | None]] = {}  # the last look-up of each symbol
        self._paths: dict[str, Path] = {}
        self._routes: dict[tuple[str, str], tuple[Leg | float, ...]] = {}

    def begin(self, piece: Slice) -> None:
        """Take over a slice; what was the current one becomes the past."""
        for symbol, path in self._paths.items():
            if path.ts.size:
                self._last[symbol] = Quote(int(path.ts[-1]), int(path.bid[-1]), int(path.ask[-1]))
        self._paths = {symbol: quotes_path(quotes) for symbol, quotes in piece.quotes.items()}
        self._seen.clear()

    def path(self, symbol: str) -> Path | None:
        """The current slice's quotes of a symbol, None where it has none."""
        return self._paths.get(symbol)

    def quote(self, symbol: str, time: int) -> Quote | None:
        """The last quote of a symbol at or before an instant of the current slice, None before the first."""
        seen = self._seen.get(symbol)
        if seen is not None and seen[0] == time:  # gates of one decision ask for the same
            return seen[1]
        quote = self._last.get(symbol)
        path = self._paths.get(symbol)
        if path is not None:
            i = int(path.ts.searchsorted(time, "right")) - 1
            if i >= 0:
                quote = Quote(int(path.ts[i]), int(path.bid[i]), int(path.ask[i]))
        self._seen[symbol] = (time, quote)
        return quote

    def quotes(self, symbol: str, times: Ints) -> tuple[Ints, Ints, Bools]:
        """(bid, ask, whether there was one) at many instants of the current slice: the last quotes, shape (n,)."""
        last = self._last.get(symbol)
        bid = np.full(times.size, last.bid if last else 0, np.int64)
        ask = np.full(times.size, last.ask if last else 0, np.int64)
        known = np.full(times.size, last is not None)
        path = self._paths.get(symbol)
        if path is not None:
            rows = path.ts.searchsorted(times, "right") - 1
            here = rows >= 0
            bid[here], ask[here], known[here] = path.bid[rows[here]], path.ask[rows[here]], True
        return bid, ask, known

    def convert(self, amount: float, currency: str, into: str, time: int) -> float:
        """An amount of one currency in another at an instant, always at the side that is worse for its owner.

        Raises:
            DataError: the cross that converts has no quote yet.
        """
        if currency == into or amount == 0.0:
            return amount
        for step in self.route(currency, into):
            amount = self._step(amount, step, time)
        return amount

    def _step(self, amount: float, step: Leg | float, time: int) -> float:
        if isinstance(step, float):
            return amount * step
        quote = self.quote(step.symbol, time)
        if quote is not None:
            # an owner of a positive amount sells it, an owner of a loss buys what he owes
            use_bid = (amount > 0) == step.upwards
            price = self.instruments[step.symbol].price(quote.bid if use_bid else quote.ask)
            return amount * price if step.upwards else amount / price
        return amount * self._instead(step)

    def _instead(self, leg: Leg) -> float:
        """The configured rate for a leg whose symbol has no quote yet."""
        rate = self.fixed_rate(leg)
        if rate is None:
            base, quote = self._pair(leg)
            raise DataError(f"{leg.symbol} is needed to turn {base} into {quote} and has no quote yet")
        return rate

    def fixed_rate(self, leg: Leg) -> float | None:
        """The configured rate of a leg, None where there is none."""
        return self._configured(*self._pair(leg))

    def _pair(self, leg: Leg) -> tuple[str, str]:
        facts = self.instruments[leg.symbol]
        return (facts.base, facts.quote) if leg.upwards else (facts.quote, facts.base)

    def convert_many(self, amounts: Floats, currency: str, into: str, times: Ints) -> Floats:
        """`convert` of many amounts, each at its own instant of the current slice, shape (n,)."""
        if currency == into:
            return amounts
        for step in self.route(currency, into):
            amounts = self._step_many(amounts, step, times)
        return amounts

    def _step_many(self, amounts: Floats, step: Leg | float, times: Ints) -> Floats:
        if isinstance(step, float):
            return amounts * step
        bid, ask, known = self.quotes(step.symbol, times)
        prices = np.where((amounts > 0) == step.upwards, bid, ask) / 10 ** self.instruments[step.symbol].digits
        prices[~known] = 1.0
        turned: Floats = amounts * prices if step.upwards else amounts / prices
        missing = ~known & (amounts != 0.0)
        if missing.any():
            turned[missing] = amounts[missing] * self._instead(step)
        return turned

    def route(self, currency: str, into: str) -> tuple[Leg | float, ...]:
        """How one currency becomes another: by the cross, or through USD; each step by quotes or a configured rate.

        Raises:
            ConfigError: nothing converts; names the symbol that would.
        """
        key = (currency, into)
        if key not in self._routes:
            self._routes[key] = self._find_route(currency, into)
        return self._routes[key]

    def _find_route(self, currency: str, into: str) -> tuple[Leg | float, ...]:
        direct = self._one_step(currency, into)
        if direct is not None:
            return (direct,)
        if "USD" not in (currency, into):
            first, second = self._one_step(currency, "USD"), self._one_step("USD", into)
            if first is not None and second is not None:
                return (first, second)
        pair = f"{currency}{into}"
        raise ConfigError(
            f"profits in {currency} cannot be turned into the account currency {into}: add {pair} or "
            f"{into}{currency} to the feed's symbols, or its rate under [rates]: {pair} = the {into} for 1 {currency}"
        )

    def _one_step(self, currency: str, into: str) -> Leg | float | None:
        return self._leg(currency, into) or self._configured(currency, into)

    def _leg(self, currency: str, into: str) -> Leg | None:
        for symbol, instrument in self.instruments.items():
            if (instrument.base, instrument.quote) == (currency, into):
                return Leg(symbol, True)
            if (instrument.base, instrument.quote) == (into, currency):
                return Leg(symbol, False)
        return None

    def _configured(self, currency: str, into: str) -> float | None:
        if currency + into in self._rates:
            return self._rates[currency + into]
        if into + currency in self._rates:
            return 1.0 / self._rates[into + currency]
        return None


class MarketView:
    """The market as it is known at one instant: what gates and shields may look at."""

    __slots__ = ("_market", "now")

    def __init__(self, market: Market, now: int) -> None:
        self._market = market
        self.now = now

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Facts of the feed's symbols, in configured order."""
        return self._market.facts

    def quote(self, symbol: str) -> Quote | None:
        """The last quote of a symbol, None before the first."""
        return self._market.quote(symbol, self.now)

    def convert(self, amount: float, currency: str, into: str) -> float:
        """An amount of one currency in another, at the side that is worse for its owner; see `Market.convert`."""
        return self._market.convert(amount, currency, into, self.now)

    def convert_many(self, amounts: Floats, currency: str, into: str) -> Floats:
        """`convert` of a column of amounts, shape (n,)."""
        if currency == into:
            return amounts
        return self._market.convert_many(amounts, currency, into, np.full(amounts.size, self.now))


def quotes_path(quotes: Quotes) -> Path:
    """A symbol's quotes as the exit kernel reads them."""
    return Path(
        quotes.ts,
        quotes.bid,
        quotes.ask,
        quotes.bid if quotes.long_exit is None else quotes.long_exit,
        quotes.ask if quotes.short_exit is None else quotes.short_exit,
        QUOTES_PER_BAR if quotes.bar_ns else 0,
    )


def check_conversions(market: Market, symbols: Sequence[str], currency: str) -> None:
    """Raise `ConfigError` at start-up rather than at the first trade if a profit could not be converted."""
    for symbol in symbols:
        if market.instruments[symbol].quote != currency:
            market.route(market.instruments[symbol].quote, currency)
