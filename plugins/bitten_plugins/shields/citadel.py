"""CITADEL: a protection score from 1 to 10 for every signal, its reasons in sentences, and a size to match.

It protects from bad conditions: a wide spread, a release that is due, a market that sleeps or breaks, stops in plain
sight. It does not predict how a trade ends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from bitten.errors import ConfigError
from bitten.gate import GateContext, Insight, Score, Shield
from bitten.market import MarketView
from bitten.model.dtypes import NS_PER_SECOND, Records
from bitten.model.facts import Signal, side_name
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten_plugins.shields import factors, sentences
from bitten_plugins.shields.news import load_calendar
from bitten_plugins.shields.sessions import CLOSED
from bitten_plugins.shields.watch import Watch, beyond, measure

if TYPE_CHECKING:
    import pyarrow as pa

REMEMBERED: Final = 1000  # scores that queries can ask for, the newest

_EVIDENCE: Final = {name: f"f_{name}" for name in factors.NAMES}  # factors by the names they are kept under

Weight = Annotated[float, Meta(ge=0, le=10)]


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each factor costs at its worst, in points of the score; 0 leaves a factor and its cap out."""

    sweep: Annotated[Weight, Meta(description="stops that were swept, or lie before yours")] = 4.0
    spread: Annotated[Weight, Meta(description="the spread in usual spreads and in ATR")] = 4.0
    volatility: Annotated[Weight, Meta(description="ranges of late against those before")] = 3.0
    session: Annotated[Weight, Meta(description="who is trading at this hour")] = 3.0
    news: Annotated[Weight, Meta(description="the nearest release of the calendar")] = 4.0
    drift: Annotated[Weight, Meta(description="what price has done since the signal")] = 4.0
    quotes: Annotated[Weight, Meta(description="age and soundness of the quotes")] = 3.0


Size = tuple[Annotated[int, Meta(ge=1, le=10)], Annotated[float, Meta(ge=0, le=1)]]


class CitadelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights, sizes and limits of CITADEL."""

    weights: Annotated[
        Weights, Meta(description="points of the score that each factor costs at its worst, as {news = 4.0}")
    ] = Weights()
    sizes: Annotated[
        tuple[Size, ...], Meta(description="[least displayed score, factor on size] from high to low; 0 refuses")
    ] = ((8, 1.0), (6, 0.75), (4, 0.5), (1, 0.0))
    calendar: Annotated[
        str | None, Meta(description="news calendar: the store's calendar.parquet, or CSV or ICS; none by default")
    ] = None
    impacts: Annotated[
        tuple[str, ...], Meta(min_length=1, description='impacts of releases that count, as ["high", "medium"]')
    ] = ("high",)
    default_spread: Annotated[
        dict[str, Annotated[int, Meta(ge=1)]],
        Meta(description="points by symbol, usual until 60 bars have been seen; the instrument's own otherwise"),
    ] = {}
    veto_spread: Annotated[float, Meta(gt=1, le=100, description="vetoes above this many usual spreads")] = 6.0
    veto_spread_atr: Annotated[float, Meta(gt=0, le=10, description="vetoes a spread above this many ATR")] = 0.5
    veto_age: Annotated[float, Meta(gt=0, le=3600, description="vetoes when the last quote is older, seconds")] = 30.0
    veto_news: Annotated[float, Meta(ge=0, le=120, description="vetoes this near to a release, minutes")] = 2.0
    map_rows: Annotated[
        int, Meta(ge=0, le=1_000_000, description="rows of the liquidity map per symbol and timeframe, the newest")
    ] = 5000

    def __post_init__(self) -> None:
        least = [score for score, _ in self.sizes]
        if least != sorted(set(least), reverse=True):
            raise ValueError(f"sizes name the scores {least}, must go down, as [[8, 1.0], [6, 0.75], [4, 0.5]]")
        factor = [size for _, size in self.sizes]
        if factor != sorted(factor, reverse=True):
            raise ValueError(f"sizes grow as the score falls ({factor}): a lower score must not trade more")

    def size(self, shown: int) -> float:
        """The factor on size of a displayed score; 0 below the last row."""
        return next((size for least, size in self.sizes if shown >= least), 0.0)


class Citadel(Shield):
    """Scores a signal by seven factors, scales its size by the score, and vetoes what nobody should trade."""

    Config = CitadelConfig

    def __init__(self, config: CitadelConfig, context: GateContext) -> None:
        super().__init__(config, context)
        self.weights: Mapping[str, float] = msgspec.structs.asdict(config.weights)
        self.calendar = None
        if config.calendar is not None:
            self.calendar = load_calendar(context.folder / config.calendar, config.impacts)
        for symbol in config.default_spread:
            if context.instruments and symbol not in context.instruments:
                raise ConfigError(f"default_spread names {symbol}, which is not among the feed's symbols")
        self.watches_of: dict[str, Watch] = {}
        self.given: OrderedDict[str, tuple[Signal, int, Score]] = OrderedDict()
        self._uncovered = 0
        self._sizes = [config.size(shown) for shown in range(11)]  # by displayed score

    # -- what it is told ----------------------------------------------------------------------------------------------

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """Let kernels take in a slice of one symbol."""
        watch = self.watches_of.get(symbol)
        if watch is None:
            watch = self._watch(symbol)
        watch.observe(quotes, bars)

    def _watch(self, symbol: str) -> Watch:
        instrument = self.context.instruments[symbol]
        default = self.config.default_spread.get(symbol, instrument.default_spread)
        self.watches_of[symbol] = watch = Watch(instrument, default, self.config.map_rows)
        return watch

    # -- the score ----------------------------------------------------------------------------------------------------

    def score(self, signal: Signal, market: MarketView) -> Score:
        """The score as conditions are at `market.now`."""
        symbol, now = signal.symbol, market.now
        watch, quote = self.watches_of.get(symbol), market.quote(symbol)
        if watch is None or quote is None:
            return self._keep(signal, now, Score(1.0, veto=f"{symbol} has no quote yet"))
        found = measure(signal, now, quote, watch, self.calendar)
        self._uncovered += "news_uncovered" in found
        if self.weights["news"] == 0.0:
            found.pop("f_news", None)
        marks = _factors(signal, found)
        for name, value in marks.items():
            found[_EVIDENCE[name]] = value
        score = factors.protection(marks, self.weights)
        veto = self._veto(found, beyond(signal, quote), signal.instrument)
        if veto is not None:
            score = factors.LOWEST
        scale = self._sizes[factors.displayed(score)]
        if veto is None and scale == 0.0:
            veto = f"protection score {score:.1f} of 10, {factors.label(score)}: {self._worst(marks)}"
        found["score"], found["size"] = score, scale
        return self._keep(signal, now, Score(score, 1.0 if veto else scale, veto, found))

    def _keep(self, signal: Signal, now: int, score: Score) -> Score:
        """Remember it for queries."""
        self.given[signal.id] = (signal, now, score)
        self.given.move_to_end(signal.id)
        if len(self.given) > REMEMBERED:
            self.given.popitem(last=False)
        return score

    def _release(self, instrument: Instrument, found: Mapping[str, float]) -> str | None:
        """The name of the release that evidence speaks of."""
        if self.calendar is None or "news_at" not in found:
            return None
        return self.calendar.name_at(instrument, round(found["news_at"]) * NS_PER_SECOND)

    def _veto(self, found: Mapping[str, float], passed: str | None, instrument: Instrument) -> str | None:
        """Why nobody should trade this now, whatever else speaks for it."""
        config = self.config
        if found["session"] == CLOSED:
            return "the market is closed for the weekend"
        if found.get("quote_age", 0.0) > config.veto_age:
            return f"the last quote was {found['quote_age']:.1f} s old, limit is {config.veto_age:g} s"
        if found.get("spread_ratio", 0.0) > config.veto_spread:
            return (
                f"spread was {found['spread']:.0f} points, {found['spread_ratio']:.1f} times the usual "
                f"{found['spread_normal']:.1f}; limit is {config.veto_spread:g} times"
            )
        if found.get("spread_atr", 0.0) > config.veto_spread_atr:
            return (
                f"spread was {found['spread']:.0f} points, {found['spread_atr']:.3f} ATR; "
                f"limit is {config.veto_spread_atr:g} ATR"
            )
        if passed is not None:
            drift = max(found.get("drift_favourable", 0.0), found.get("drift_adverse", 0.0))
            return f"price lies beyond the {passed}, {100 * drift:.0f} % of the way from the signal's price to it"
        if self.weights["news"] > 0.0 and abs(found.get("news_minutes", 1e9)) <= config.veto_news:
            minutes, name = found["news_minutes"], self._release(instrument, found) or "a release"
            when = f"{name} in {minutes:.1f} min" if minutes >= 0 else f"{name} {-minutes:.1f} min ago"
            return f"{when}, limit is {config.veto_news:g} min on both sides"
        return None

    def _worst(self, marks: Mapping[str, float]) -> str:
        costs = sorted(((self.weights[name] * (1.0 - value), name) for name, value in marks.items()), reverse=True)
        return ", ".join(f"{name} costs {cost:.1f}" for cost, name in costs[:3] if cost > 0.0)

    # -- what it says -------------------------------------------------------------------------------------------------

    def insights(self, evidence: Mapping[str, float], signal: Mapping[str, Any]) -> Sequence[Insight]:
        """One reason per factor, the costliest first; what could not be measured comes last, with weight 0."""
        instrument = self.context.instruments.get(str(signal.get("symbol")))
        digits = None if instrument is None else instrument.digits
        reasons = []
        for name in factors.NAMES:
            measured = f"f_{name}" in evidence
            if name == "news":
                event = None if instrument is None else self._release(instrument, evidence)
                text = sentences.news(evidence, signal, event)
            else:
                text = sentences.SENTENCES[name](evidence, signal, digits)
            weight = self.weights[name] if measured else 0.0
            reasons.append(Insight(name, evidence.get(f"f_{name}", 1.0), weight, text))
        return sorted(reasons, key=lambda one: (-one.weight * (1.0 - one.value), one.weight == 0.0))

    def answer(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a query wants to know, ready for JSON; see `bitten_plugins.shields.queries`."""
        from bitten_plugins.shields.queries import answer

        return answer(self, query)

    def tables(self) -> Mapping[str, pa.Table]:
        """The liquidity map."""
        from bitten_plugins.shields.liquidity import liquidity_table

        return {"liquidity": liquidity_table(self.watches_of)} if self.config.map_rows else {}

    def notes(self) -> Sequence[str]:
        """Whether news were checked."""
        if self.calendar is None:
            return ('no news calendar is loaded, so news were not checked: calendar = "data/calendar.parquet"',)
        if self._uncovered:
            return (f"the news calendar does not reach the time of {self._uncovered:,} scores: news were not checked",)
        return ()


def signal_row(signal: Signal) -> dict[str, Any]:
    """A signal as its row of signals.parquet, as far as sentences need it."""
    return {
        "signal_id": signal.id, "symbol": signal.symbol, "pattern": signal.pattern, "timeframe": signal.timeframe,
        "side": side_name(signal.side), "stop": signal.stop, "target": signal.target, "reference": signal.reference,
    }  # fmt: skip


def _factors(signal: Signal, found: Mapping[str, float]) -> dict[str, float]:
    """The factors that can be worked out."""
    get, instrument = found.get, signal.instrument
    marks = {"session": factors.session_factor(int(found["session"]), instrument.base, instrument.quote)}
    if (sweep := get("sweep")) is not None:
        marks["sweep"] = factors.sweep_factor(int(sweep))
    if (ratio := get("spread_ratio")) is not None:
        marks["spread"] = factors.spread_factor(ratio, get("spread_atr"))
    if (volatility := get("volatility")) is not None:
        marks["volatility"] = factors.volatility_factor(volatility, found["range_atr"])
    if (news := get("f_news")) is not None:
        marks["news"] = news
    favourable, adverse = get("drift_favourable"), get("drift_adverse")
    if favourable is not None or adverse is not None:
        marks["drift"] = factors.drift_factor(favourable or 0.0, adverse or 0.0)
    if (age := get("quote_age")) is not None:
        marks["quotes"] = factors.quotes_factor(age, found["crossed_share"], int(found["steps_back"]))
    return marks
