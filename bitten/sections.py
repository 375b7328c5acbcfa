"""The sections of bitten.toml: keys, types, bounds, defaults. A test holds docs/configuration.md against them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

FireMode = Literal["auto", "manual"]
Moment = Any  # a TOML date or date-time, or text in ISO 8601; msgspec takes no union of them


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all sections: immutable, unknown keys refused."""


class RunSection(Section, frozen=True):
    """`[run]`: where results go and what they are called."""

    name: str | None = None
    output: str = "runs"
    seed: int = 0
    equity_minutes: Annotated[int, Meta(ge=1, le=1440)] = 60
    decisions: Annotated[str, Meta(pattern="^(all|refused)$")] = "all"  # or only those that refused or resized
    day: str = "UTC"  # the clock by which H2 to D1 bars start, e.g. "NY+7"


class PluginsSection(Section, frozen=True):
    """`[plugins]`: switch-offs."""

    disabled: tuple[str, ...] = ()


class FeedSection(Section, frozen=True, rename={"start": "from", "end": "to"}, kw_only=True):
    """`[feed]`: bitten's own keys; the rest are the feed's."""

    use: str = "parquet"
    symbols: Annotated[tuple[str, ...], Meta(min_length=1)]
    start: Moment = None
    end: Moment = None
    intrabar: Annotated[str, Meta(pattern="^(pessimistic|path)$")] = "pessimistic"


class ExitSection(Section, frozen=True):
    """`[patterns.exit]`: how positions are led; replaces what the pattern itself proposes, key by key."""

    breakeven_r: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    trail_points: Annotated[int, Meta(ge=0, le=10**9)] = 0
    trail_atr: Annotated[float, Meta(ge=0, le=1000)] = 0.0  # multiples of the ATR at the signal
    time_stop_bars: Annotated[int, Meta(ge=0, le=10**6)] | None = None  # 0 switches the pattern's own time stop off
    time_stop_minutes: Annotated[float, Meta(ge=0, le=5_000_000)] = 0.0
    expiry_minutes: Annotated[float, Meta(ge=0, le=5_000_000)] | None = None  # after the decision; 0 for never


class PatternSection(Section, frozen=True, kw_only=True):
    """`[[patterns]]`."""

    use: str
    name: str | None = None  # in results; the plugin's name by default
    timeframe: str | None = None
    timeframes: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()  # all of the feed's by default
    params: dict[str, Any] = {}
    per_symbol: dict[str, dict[str, Any]] = {}  # parameters that differ from those on single symbols
    exit: ExitSection = ExitSection()


class TierSection(Section, frozen=True, kw_only=True):
    """`[[tiers]]`: classes of accounts."""

    name: Annotated[str, Meta(min_length=1)]
    slots: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    risk_multiplier: Annotated[float, Meta(gt=0, le=100)] = (
        1.0  # of each account's risk_percent; their product is capped
    )
    modes: Annotated[tuple[FireMode, ...], Meta(min_length=1)] = ("auto", "manual")


class AccountSection(Section, frozen=True):
    """`[[accounts]]`: one account, or a file of many."""

    id: Annotated[str, Meta(min_length=1)] = "main"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    balance: Annotated[float, Meta(gt=0, le=1e12)] = 10_000.0
    tier: str | None = None  # of [[tiers]]
    mode: FireMode = "auto"  # "manual": a person accepts each mission
    slots: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None  # the tier's (10 without one)
    band: tuple[float, float] | None = None  # lowest and highest confidence, in place of the band gate's own
    risk_percent: Annotated[float, Meta(gt=0, le=5)] = 1.0
    file: str | None = None  # CSV or JSON with one account per row, in place of all other keys


class MissionsSection(Section, frozen=True):
    """`[missions]`: how long signals are offered, and the person who answers for MANUAL accounts in a replay."""

    life_minutes: Annotated[float, Meta(gt=0, le=100_000)] = 60.0  # where the signal does not expire sooner
    human: Annotated[str, Meta(pattern="^(never|always|file)$")] = "never"
    after_seconds: Annotated[float, Meta(ge=0, le=1e6)] = 30.0  # with human = "always"
    answers: str | None = None  # with human = "file": CSV of signal_id, account, answer, time or after_seconds


class CostsSection(Section, frozen=True):
    """`[costs]`."""

    commission_per_lot: Annotated[float, Meta(ge=0, le=1e6)] = 0.0  # account currency, per lot and side
