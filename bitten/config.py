"""bitten.toml: one file that says what a run is. Read with tomllib, checked with msgspec, errors name their line.

Sections that configure a plugin (`[feed]`, `[[gates]]`, ...) hold the plugin's own keys beside bitten's; the plugin's
`Config` struct checks them, so that an unknown key is refused wherever it stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from bitten.accounts import read_accounts, read_tiers
from bitten.clock import check_clock
from bitten.errors import BittenError, ConfigError, did_you_mean
from bitten.instants import instant
from bitten.ledger import Account, Tier
from bitten.manager import Entry, Manager
from bitten.missions import Human, make_human
from bitten.model.instrument import Instrument
from bitten.model.timeframe import timeframe_ns
from bitten.sections import (
    CostsSection,
    ExitSection,
    FeedSection,
    MissionsSection,
    PatternSection,
    PluginsSection,
    RunSection,
)
from bitten.tomlfile import KeyPath, TomlFile

DEFAULT_TABLES: Final[Mapping[str, list[dict[str, Any]]]] = {
    "gates": [{"use": "band", "low": 0.0, "high": 100.0}, {"use": "slots"}, {"use": "risk"}],
    "accounts": [{}],
}
"""What stands for a list of tables that the configuration leaves out."""


@dataclass(frozen=True, slots=True)
class Part:
    """A configured plugin part: its entry, its name in results, its checked configuration."""

    entry: Entry
    name: str
    config: Any


@dataclass(frozen=True, slots=True)
class PatternPart:
    """A configured pattern and where it works."""

    part: Part
    timeframes: tuple[str, ...]
    symbols: tuple[str, ...]
    exit: ExitSection
    per_symbol: Mapping[str, Any] = field(
        default_factory=dict
    )  # configurations of single symbols, in place of the part's

    def config(self, symbol: str) -> Any:
        """The pattern's configuration on a symbol."""
        return self.per_symbol.get(symbol, self.part.config)


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration, every plugin found and its keys valid."""

    run: RunSection
    feed: FeedSection
    feed_part: Part
    start: int | None  # ns UTC
    end: int | None
    instruments: Mapping[str, Instrument]  # of the feed's symbols, in configured order
    patterns: tuple[PatternPart, ...]
    gates: tuple[Part, ...]  # and shields, in the order of the chain
    executor: Part
    trackers: tuple[Part, ...]
    tiers: tuple[Tier, ...]
    accounts: tuple[Account, ...]
    missions: MissionsSection
    human: Human
    costs: CostsSection
    rates: Mapping[str, float]
    folder: Path
    file: TomlFile  # for errors that are found later


def read_config(
    source: Path | Mapping[str, Any],
    manager: Manager | None = None,
    sections: Mapping[str, Any] | None = None,
    patterns: Mapping[str, type] | None = None,
) -> tuple[Config, Manager]:
    """Read and check a configuration: a file, or the same as a mapping (notebooks).

    Args:
        source: a path, or nested dicts.
        manager: plugins to check against; those that are installed by default.
        sections: whole sections that replace the source's.
        patterns: pattern classes that come without an installed plugin, by name; they may shadow installed names.

    Returns:
        The configuration and the plugin manager it was checked against.

    Raises:
        ConfigError: with `file:line`, what was found, what is allowed, what was probably meant.
    """
    file, folder = open_document(source, sections)
    return check_document(file, folder, manager, patterns)


def open_document(source: Path | Mapping[str, Any], sections: Mapping[str, Any] | None = None) -> tuple[TomlFile, Path]:
    """A configuration that is not checked yet, and the folder where its relative paths start. See `read_config`."""
    if isinstance(source, Path):
        file = TomlFile.read(source)
        folder = source.resolve().parent
    else:
        file = TomlFile("", "the configuration")
        file.lay_over(source)
        folder = Path.cwd()
    file.lay_over(sections or {})
    return file, folder


def check_document(
    file: TomlFile, folder: Path, manager: Manager | None = None, patterns: Mapping[str, type] | None = None
) -> tuple[Config, Manager]:
    """Check what `open_document` has read. See `read_config`."""
    return _Reader(file, folder, manager, patterns or {}).config()


class _Reader:
    """Turns one document into a Config, section by section."""

    _SECTIONS = (
        "run", "plugins", "feed", "patterns", "gates", "executor", "trackers", "tiers", "accounts", "missions", "costs",
        "rates", "instruments", "sweep",
    )  # fmt: skip

    def __init__(self, file: TomlFile, folder: Path, manager: Manager | None, patterns: Mapping[str, type]) -> None:
        self.file = file
        self.folder = folder
        self.data = file.data
        self.patterns = patterns
        file.check_numbers()
        for key in self.data:
            if key not in self._SECTIONS:
                raise file.error((key,), f'unknown section "{key}"{did_you_mean(key, self._SECTIONS)}')
        plugins = file.convert(self.data.get("plugins", {}), PluginsSection, ("plugins",))
        self.manager = manager or self._checked(("plugins", "disabled"), Manager, plugins.disabled)

    def config(self) -> tuple[Config, Manager]:
        run = self.file.convert(self.data.get("run", {}), RunSection, ("run",))
        self._checked(("run", "day"), check_clock, run.day)
        if "feed" not in self.data:
            raise ConfigError(f"{self.file.name}: lacks the section [feed]; `bitten init` writes a commented starter")
        feed, feed_part = self._feed()
        start = self._moment(feed.start, ("feed", "from"))
        end = self._moment(feed.end, ("feed", "to"))
        if start is not None and end is not None and start >= end:
            raise self.file.error(("feed", "from"), f"feed.from {feed.start} is not before feed.to {feed.end}")
        tiers = read_tiers(self.file, self._list("tiers"))
        missions = self.file.convert(self.data.get("missions", {}), MissionsSection, ("missions",))
        config = Config(
            run=run,
            feed=feed,
            feed_part=feed_part,
            start=start,
            end=end,
            instruments=self._instruments(feed.symbols),
            patterns=self._patterns(feed.symbols),
            gates=self._gates(),
            executor=self._part(("executors",), self._with_default("executor", "simulated"), ("executor",)),
            trackers=self._parts("trackers", ("trackers",)),
            tiers=tiers,
            accounts=read_accounts(self.file, self._list("accounts"), tiers, self.folder),
            missions=missions,
            human=self._human(missions),
            costs=self.file.convert(self.data.get("costs", {}), CostsSection, ("costs",)),
            rates=self._rates(),
            folder=self.folder,
            file=self.file,
        )
        return config, self.manager

    def _feed(self) -> tuple[FeedSection, Part]:
        table = self._table(self.data["feed"], ("feed",))
        own = {field.encode_name for field in msgspec.structs.fields(FeedSection)}
        entry = self._entry(("feeds",), table.get("use", "parquet"), ("feed", "use"))
        rest = {key: value for key, value in table.items() if key not in own}
        config = self.file.convert(rest, self._struct(entry), ("feed",), tuple(own))
        feed = self.file.convert({k: v for k, v in table.items() if k in own}, FeedSection, ("feed",))
        self._once(feed.symbols, ("feed", "symbols"))
        return feed, Part(entry, entry.name, config)

    def _rates(self) -> Mapping[str, float]:
        rates = self.file.convert(self.data.get("rates", {}), dict[str, Annotated[float, Meta(gt=0)]], ("rates",))
        for pair in rates:
            if not (len(pair) == 6 and pair.isalpha() and pair.isupper()):
                raise self.file.error(("rates", pair), f'rates.{pair}: a pair is two currencies, as "GBPUSD"')
        return rates

    def _with_default(self, key: str, use: str) -> dict[str, Any]:
        return {"use": use, **self._table(self.data.get(key, {}), (key,))}

    def _patterns(self, symbols: tuple[str, ...]) -> tuple[PatternPart, ...]:
        parts = []
        for i, table in enumerate(self._list("patterns")):
            path: KeyPath = ("patterns", i)
            section = self.file.convert(table, PatternSection, path)
            entry = self._pattern_entry(section.use, (*path, "use"))
            config = self.file.convert(section.params, self._struct(entry), (*path, "params"))
            if section.timeframe and section.timeframes:
                raise self.file.error(
                    (*path, "timeframe"), "patterns has both timeframe and timeframes: keep one of them"
                )
            timeframes = section.timeframes or ((section.timeframe,) if section.timeframe else ("M1",))
            self._once(timeframes, (*path, "timeframes"))
            self._once(section.symbols, (*path, "symbols"))
            for timeframe in timeframes:
                self._checked((*path, "timeframe" if section.timeframe else "timeframes"), timeframe_ns, timeframe)
            own = section.symbols or symbols
            self._among(section.symbols, symbols, (*path, "symbols"), "feed.symbols")
            self._among(section.per_symbol, own, (*path, "per_symbol"), "the pattern's symbols")
            special = {
                symbol: self.file.convert(
                    {**section.params, **params}, self._struct(entry), (*path, "per_symbol", symbol)
                )
                for symbol, params in section.per_symbol.items()
            }
            part = Part(entry, section.name or entry.name, config)
            parts.append(PatternPart(part, timeframes, own, section.exit, special))
        self._unique([pattern.part.name for pattern in parts], "patterns")
        return tuple(parts)

    def _pattern_entry(self, name: str, path: KeyPath) -> Entry:
        if name in self.patterns:
            return Entry("patterns", name, "this notebook", self.patterns[name])
        return self._entry(("patterns",), name, path)

    def _gates(self) -> tuple[Part, ...]:
        """Gates and shields, which stand in one list."""
        parts = self._parts("gates", ("gates", "shields"))
        sizing = [part.name for part in parts if getattr(part.entry.load(), "sizes", False)]
        if not sizing:
            raise self.file.error(
                ("gates",), 'no gate decides the lots: add [[gates]] with use = "risk" or "fixed_lots"'
            )
        if len(sizing) > 1:
            raise self.file.error(("gates",), f"{' and '.join(sizing)} both decide the lots: keep one of them")
        return parts

    def _parts(self, kind: str, registries: tuple[str, ...]) -> tuple[Part, ...]:
        parts = tuple(self._part(registries, table, (kind, i)) for i, table in enumerate(self._list(kind)))
        self._unique([part.name for part in parts], kind)
        return parts

    def _part(self, registries: tuple[str, ...], table: Any, path: KeyPath) -> Part:
        table = self._table(table, path)
        if "use" not in table:
            raise self.file.error(path, f'{".".join(str(k) for k in path if isinstance(k, str))} lacks the key "use"')
        entry = self._entry(registries, table["use"], (*path, "use"))
        rest = {key: value for key, value in table.items() if key not in ("use", "name")}
        config = self.file.convert(rest, self._struct(entry), path, ("use", "name"))
        return Part(entry, str(table.get("name", entry.name)), config)

    def _human(self, missions: MissionsSection) -> Human:
        key = ("missions", "answers" if missions.answers is not None else "human")
        human: Human = self._checked(
            key, lambda one: make_human(one.human, one.after_seconds, one.answers, self.folder), missions
        )
        return human

    def _instruments(self, symbols: tuple[str, ...]) -> Mapping[str, Instrument]:
        from bitten.model.instruments import load_instruments

        table = self._table(self.data.get("instruments", {}), ("instruments",))
        known = load_instruments(table, lambda keys: self.file.where(("instruments", *keys)))
        return {symbol: self._checked(("feed", "symbols"), known.__getitem__, symbol) for symbol in symbols}

    def _entry(self, registries: tuple[str, ...], name: Any, path: KeyPath) -> Entry:
        if not isinstance(name, str):
            raise self.file.error(path, f'"use" is {name!r}: expected the name of a plugin, as in use = "..."')
        entry: Entry = self._checked(path, lambda wanted: self.manager.find_among(registries, wanted), name)
        return entry

    def _struct(self, entry: Entry) -> type[msgspec.Struct]:
        config = getattr(entry.load(), "Config", None)
        if not (isinstance(config, type) and issubclass(config, msgspec.Struct)):
            raise ConfigError(f"{entry.kind[:-1]} {entry.name} of {entry.plugin} has no Config struct (msgspec.Struct)")
        return config

    def _moment(self, value: Any, path: KeyPath) -> int | None:
        if value is None:
            return None
        found: int = self._checked(path, instant, value if isinstance(value, dt.date) else str(value))
        return found

    def _list(self, key: str) -> list[Any]:
        value = self.data.get(key, DEFAULT_TABLES.get(key, []))
        if not isinstance(value, list):
            raise self.file.error((key,), f"{key} is a single table: write [[{key}]], one block for each")
        return value

    def _table(self, value: Any, path: KeyPath) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.file.error(path, f"{path[0]} is {value!r}: expected a table")
        return dict(value)

    def _once(self, names: tuple[str, ...], path: KeyPath) -> None:
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise self.file.error(path, f"{path[0]}.{path[-1]} names {', '.join(doubles)} twice")

    def _among(self, names: Iterable[str], allowed: tuple[str, ...], path: KeyPath, where: str) -> None:
        for name in names:
            if name not in allowed:
                label = ".".join(str(key) for key in path if isinstance(key, str))
                raise self.file.error(
                    path, f'{label} names "{name}", which is not in {where}{did_you_mean(name, allowed)}'
                )

    def _unique(self, names: list[str], kind: str) -> None:
        for i, name in enumerate(names):
            if name in names[:i]:
                raise self.file.error((kind, i), f'{kind} has two named "{name}": give one of them another name')

    def _checked(self, path: KeyPath, check: Any, value: Any) -> Any:
        try:
            return check(value)
        except BittenError as error:
            raise self.file.error(path, str(error)) from error
