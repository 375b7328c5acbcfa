"""One combination led by kernels: what its account did, as columns, and its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from bitten.analysis.columns import Trades, r_multiples
from bitten.analysis.curves import Curve
from bitten.analysis.statistics import key_figures
from bitten.arrow import from_numpy
from bitten.config import Config
from bitten.errors import ConfigError, DataError
from bitten.kernels.lane import end_lane, lead
from bitten.kernels.lanestate import (
    ACCOUNT,
    CANDIDATE,
    DOWN_LEG,
    FIRE,
    FIXED_LEG,
    UP_LEG,
    Broker,
    Lane,
    Log,
    Tape,
)
from bitten.market import Leg, Market
from bitten.model.dtypes import AT_END, EVENT, NO_PRICE, NS_PER_MINUTE, TICKET, WATCH, Floats, Ints, Records
from bitten.model.instrument import to_prices
from bitten.pipeline import Pipeline
from bitten.rule import BAND, Rule
from bitten.sizing import currency_digits, decimals
from bitten.sweeping.scanner import Scanner

_NO_CANDIDATES: Final[Records] = np.zeros(0, CANDIDATE)


def rules_of(config: Config, pipeline: Pipeline) -> list[Rule] | None:
    """The combination's gates as rules, if kernels can lead it; None if it needs the pipeline itself."""
    account = config.accounts[0]
    patterns = [detector.pattern for some in pipeline.parts.detectors.values() for detector in some]
    if (
        len(config.accounts) != 1
        or config.trackers
        or not pipeline.executor.simulated
        or pipeline.publisher.heard
        or any(hasattr(pattern, "external_ids") for pattern in patterns)
        or account.mode != "auto"
        or account.risk_multiplier != 1.0
    ):
        return None
    rules = pipeline.chain.rules()
    if rules is None or math.isnan(account.band_low):
        return rules
    own = Rule(BAND, account.band_low, account.band_high)  # goes before the gate's
    return [own if rule.kind == BAND else rule for rule in rules]


class LaneRun:
    """One combination.

    Args:
        rules: its gates, in order.
        scanners: its patterns' scanners, ordered by (pattern, symbol, rank): among equals the earlier goes first.
    """

    def __init__(self, config: Config, pipeline: Pipeline, rules: Sequence[Rule], scanners: Sequence[Scanner]) -> None:
        account = config.accounts[0]
        self.grid_ns = config.run.equity_minutes * NS_PER_MINUTE
        self._config = config
        self._account = account
        self._scanners = list(scanners)
        self._broker = _broker(config, pipeline.market, pipeline)
        symbols = len(config.instruments)
        self._lane = Lane(
            account=np.zeros(1, ACCOUNT),
            rules=np.array([tuple(rule) for rule in rules], np.float64).reshape(-1, 3),
            limits=np.array([account.slots, account.risk_percent], np.float64),
            fires=np.zeros(16, FIRE),
            open=np.zeros(16, TICKET),
            waiting=np.zeros(16, TICKET),
            watch=np.zeros(16, WATCH),
            held=np.zeros(symbols, np.int64),
            cursor=np.zeros(symbols, np.int64),
            events=np.zeros(4, EVENT),
        )
        self._lane.account[0]["balance"] = account.balance
        self._trades: list[Records] = []
        self._equity: list[tuple[Ints, Floats, Floats]] = []

    def start(self, first: int) -> None:
        """The first quote has come."""
        self._lane.account[0]["noted"] = first
        balance = np.array([self._account.balance])
        self._equity.append((np.array([first]), balance, balance))

    def step(self, tape: Tape, marks: tuple[Ints, Ints]) -> None:
        """Lead it through a slice whose candidates its scanners hold."""
        candidates = self._merged()
        live = int(self._lane.account[0]["live"])
        self._make_room(live + candidates.size + 1)
        log = _log(live + candidates.size + 1, live + candidates.size + marks[0].size + 1)
        self._keep(log, lead(tape, self._broker, self._lane, candidates, *marks, log))

    def finish(self, tape: Tape, last_times: Ints) -> None:
        """The data has ended."""
        log = _log(int(self._lane.account[0]["live"]) + 1, 2)
        self._keep(log, end_lane(tape, self._broker, self._lane, last_times, log))

    def figures(self, span: tuple[int, int]) -> dict[str, Any]:
        """Its key figures, as `bitten.analysis.statistics.summarise` gives them, and the number of its alerts."""
        account = self._lane.account[0]
        times, balance, equity = (np.concatenate(columns) for columns in zip(*self._equity, strict=True))
        curve = Curve(self._account.balance, times, balance, equity)
        return {
            "currency": self._account.currency,
            **key_figures(self.trades(), curve, span),
            "signals": sum(scanner.signals for scanner in self._scanners),
            "signals_fired": int(account["fired"]),
            "alerts": int(account["alerts"]) + sum(scanner.alerts for scanner in self._scanners),
        }

    def trades(self) -> Trades:
        """Its trades in the order in which they closed."""
        rows = np.concatenate([np.zeros(0, FIRE), *self._trades])
        rows = rows[np.argsort(rows["ended"], kind="stable")]
        digits = np.array([one.digits for one in self._config.instruments.values()])[rows["symbol"]]
        names = (("open_price", "open_price"), ("stop", "stop"), ("close_price", "close_price"))
        prices = {name: _prices(rows[column], digits) for name, column in names}
        return Trades(
            fire_id=from_numpy(np.arange(rows.size)),
            account=np.zeros(rows.size, np.int64),
            accounts=[self._account.id],
            opened=rows["filled"].copy(),
            closed=rows["ended"].copy(),
            gross=rows["gross"].copy(),
            commission=rows["commission"].copy(),
            swap=np.zeros(rows.size),
            profit=np.rint((rows["gross"] + rows["commission"]) * 100.0) / 100.0,
            r=r_multiples(rows["side"].astype(np.float64), prices),
            open_at_end=rows["reason"] == AT_END,
        )

    def _merged(self) -> Records:
        parts = [scanner.candidates for scanner in self._scanners if scanner.candidates.size]
        if len(parts) <= 1:
            return parts[0] if parts else _NO_CANDIDATES
        merged = np.concatenate(parts)
        return merged[np.argsort(merged["time"], kind="stable")]

    def _make_room(self, fires: int) -> None:
        if self._lane.fires.size < fires:
            more = 2 * fires
            lane = self._lane
            grown = {name: _grown(getattr(lane, name), more) for name in ("fires", "open", "waiting", "watch")}
            self._lane = lane._replace(**grown)

    def _keep(self, log: Log, written: tuple[int, int]) -> None:
        trades, notes = written
        if self._lane.account[0]["no_rate"]:
            raise DataError("a conversion is needed whose symbol has no quote yet; set its rate under [rates]")
        if trades:
            self._trades.append(log.trades[:trades].copy())
        if notes:
            self._equity.append((log.times[:notes], log.balance[:notes], log.equity[:notes]))


def _log(trades: int, notes: int) -> Log:
    return Log(np.empty(trades, FIRE), np.empty(notes, np.int64), np.empty(notes), np.empty(notes))


def _grown(records: Records, size: int) -> Records:
    grown: Records = np.zeros(size, records.dtype)
    grown[: records.size] = records
    return grown


def _prices(points: Ints, digits: Ints) -> Floats:
    """Decimal prices of columns whose rows have digits of their own; NaN for none."""
    prices = np.full(points.size, np.nan)
    for count in np.unique(digits).tolist():
        rows = (digits == count) & (points != NO_PRICE)
        prices[rows] = to_prices(points[rows], count)
    return prices


def _broker(config: Config, market: Market, pipeline: Pipeline) -> Broker:
    symbols = list(config.instruments.values())
    position = {one.symbol: i for i, one in enumerate(symbols)}
    account = config.accounts[0]
    legs: Ints = np.zeros((len(symbols), 2, 2), np.int64)
    rates = np.full((len(symbols), 2), np.nan)
    for i, route in enumerate(_routes(market, [one.quote for one in symbols], account.currency)):
        for k, leg in enumerate(route):
            if isinstance(leg, float):
                legs[i, k], rates[i, k] = (FIXED_LEG, 0), leg
            else:
                legs[i, k] = UP_LEG if leg.upwards else DOWN_LEG, position[leg.symbol]
                rate = market.fixed_rate(leg)
                rates[i, k] = math.nan if rate is None else rate
    fills = [pipeline.executor.fill_rules(one.symbol) for one in symbols]
    volume = [(one.volume_min, one.volume_step, one.volume_max, decimals(one.volume_step)) for one in symbols]
    return Broker(
        rules=np.array([tuple(map(int, rule)) for rule in fills], np.int64),
        scale=np.array([10.0**one.digits for one in symbols]),
        contract=np.array([one.contract_size for one in symbols], np.float64),
        volume=np.array(volume, np.float64),
        legs=legs,
        leg_rates=rates,
        money_scale=10.0 ** currency_digits(account.currency),
        commission=float(config.costs.commission_per_lot),
    )


def _routes(market: Market, currencies: Sequence[str], into: str) -> list[tuple[Leg | float, ...]]:
    """How each currency becomes the account's; nothing where it already is, or where the symbol is not traded."""
    routes: list[tuple[Leg | float, ...]] = []
    for currency in currencies:
        try:
            routes.append(() if currency == into else market.route(currency, into))
        except ConfigError:  # checked when the pipeline was built, for every symbol that is traded
            routes.append(())
    return routes
