"""Trade at some hours only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from bitten.clock import check_clock, utc_offset_ns
from bitten.errors import ConfigError, DataError
from bitten.gate import GateContext, Insight, Score, Shield
from bitten.market import MarketView
from bitten.model.dtypes import NS_PER_MINUTE
from bitten.model.facts import Signal
from bitten.store.tradingweek import pauses_daily
from bitten_plugins.shields.sessions import DAY_NS, open_sessions

Name = Literal["rollover", "sunday_open", "friday_late", "quiet", "tokyo", "london", "new_york", "overlap"]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_DAYS: Final[tuple[Day, ...]] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)\Z")


class SessionFilterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When signals may pass; what is left empty allows everything."""

    sessions: Annotated[
        tuple[Name, ...], Meta(description='one of these must be open, by its own clock, as ["london", "new_york"]')
    ] = ()
    avoid: Annotated[tuple[Name, ...], Meta(description='none of these, as ["rollover", "friday_late"]')] = ()
    hours: Annotated[
        tuple[str, ...], Meta(description='within one of these, as ["08:00-11:30", "22:00-02:00"], by `zone`')
    ] = ()
    weekdays: Annotated[tuple[Day, ...], Meta(description='on these only, by `zone`, as ["monday"]')] = ()
    zone: Annotated[str, Meta(description="clock of hours and weekdays: UTC, NY+7, Europe/London ...")] = "UTC"

    def __post_init__(self) -> None:
        if not (self.sessions or self.avoid or self.hours or self.weekdays):
            raise ValueError('nothing says when to trade, as sessions = ["london", "new_york"]')
        for text in self.hours:
            minutes(text)


class SessionFilter(Shield):
    """Vetoes signals outside the configured sessions, hours and weekdays."""

    Config = SessionFilterConfig

    def __init__(self, config: SessionFilterConfig, context: GateContext) -> None:
        super().__init__(config, context)
        try:
            check_clock(config.zone)
        except DataError as error:
            raise ConfigError(f"zone: {error}") from error
        self._spans = [minutes(text) for text in config.hours]

    def score(self, signal: Signal, market: MarketView) -> Score:
        """10, or a veto with the reason."""
        local = market.now + utc_offset_ns(self.config.zone, market.now)
        minute, weekday = local % DAY_NS / NS_PER_MINUTE, (local // DAY_NS + 3) % 7  # day 0 was a Thursday
        veto = self._veto(open_sessions(market.now, pauses_daily(signal.instrument)), minute, weekday)
        evidence = {"minute": float(minute), "weekday": float(weekday)}
        return Score(10.0 if veto is None else 1.0, veto=veto, evidence=evidence)

    def _veto(self, now: frozenset[str], minute: float, weekday: int) -> str | None:
        config = self.config
        if config.weekdays and _DAYS[weekday] not in config.weekdays:
            return f"it was {_DAYS[weekday].title()} ({config.zone}), allowed are {', '.join(config.weekdays)}"
        if self._spans and not any(_within(minute, span) for span in self._spans):
            return f"it was {_clock(minute)} ({config.zone}), allowed are {', '.join(config.hours)}"
        avoided = sorted(now.intersection(config.avoid))
        if avoided:
            return f"it was {', '.join(avoided)}, which is avoided"
        if config.sessions and not now.intersection(config.sessions):
            return f"it was {', '.join(sorted(now))}, allowed are {', '.join(config.sessions)}"
        return None

    def insights(self, evidence: Mapping[str, float], signal: Mapping[str, Any]) -> Sequence[Insight]:
        """The time that was judged."""
        day = _DAYS[int(evidence["weekday"])].title()
        return (Insight("session", 1.0, 0.0, f"It was {day}, {_clock(evidence['minute'])} ({self.config.zone})."),)


def minutes(text: str) -> tuple[int, int]:
    """`08:00-11:30` as minutes of the day; the end may lie after midnight.

    Raises:
        ValueError: it is no such span.
    """
    match = _SPAN.match(text.replace(" ", ""))
    start, end = (0, 0) if match is None else (int(match[i]) * 60 + int(match[i + 1]) for i in (1, 3))
    if match is None or start == end or max(start, end) > 24 * 60:
        raise ValueError(f'hours "{text}" is no span of a day: write 08:00-11:30, or 22:00-02:00 over midnight')
    return start, end


def _within(minute: float, span: tuple[int, int]) -> bool:
    start, end = span
    return start <= minute < end if start < end else minute >= start or minute < end


def _clock(minute: float) -> str:
    return f"{int(minute) // 60:02d}:{int(minute) % 60:02d}"
