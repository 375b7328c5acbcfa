"""The kit itself: markets to try a pattern on, and a ruling for every law."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from bitten.errors import BittenError, PluginError, did_you_mean
from bitten.model.dtypes import Records
from bitten.model.instrument import Instrument
from bitten.model.quotes import Quotes
from bitten.model.timeframe import timeframe_ns
from bitten.pattern import Pattern, PatternContext
from bitten.testing.laws import LAWS, Law
from bitten.testing.markets import (
    INSTRUMENT,
    bars_as_quotes,
    longer_bars,
    quotes_as_bars,
    random_bars,
    random_quotes,
)
from bitten.testing.replay import BEGINNING, Replay
from bitten.testing.trial import LawBroken, NotApplicable, Recording, Trial, run

KEPT: Final = "kept"
BROKEN: Final = "broken"
NOT_APPLICABLE: Final = "not applicable"

SEEDS: Final = 3  # random markets
BARS: Final = 3000  # in each
QUOTES: Final = 62_000  # in each, where the pattern reads quotes: some 1,500 minutes
_PAUSE_MS: Final = 1500  # between them


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came of one law."""

    law: str
    verdict: str  # KEPT, BROKEN or NOT_APPLICABLE
    note: str = ""  # what was measured, or the reason why it does not apply
    example: str = ""  # the first counter-example, several lines


def recorded_bars(
    name: str,
    kind: type[Pattern],
    bars: Records,
    timeframe: str = "M1",
    instrument: Instrument = INSTRUMENT,
    quotes: Quotes | None = None,
) -> Recording:
    """A market of bars (dtype BAR), the context bars that a pattern wants, and quotes made of them if none come."""
    market = {timeframe: bars}
    market |= {name: longer_bars(bars, name) for name in kind.context_timeframes if name != timeframe}
    if quotes is None:
        quotes = bars_as_quotes(bars, timeframe, instrument.symbol)
    return Recording(name, Replay(market, quotes), instrument, timeframe)


def recorded_quotes(
    name: str, kind: type[Pattern], quotes: Quotes, timeframe: str = "M1", instrument: Instrument = INSTRUMENT
) -> Recording:
    """A market of quotes, and the bars that they complete."""
    bars = quotes_as_bars(quotes, (timeframe, *kind.context_timeframes))
    return Recording(name, Replay(bars, quotes), instrument, timeframe)


def random_markets(
    kind: type[Pattern],
    config: Any,
    timeframe: str = "M1",
    seed: int = 1,
    count: int = SEEDS,
    bars: int = BARS,
    folder: Path = Path(),
) -> list[Recording]:
    """Seeded random markets, made of quotes where the pattern reads quotes, else of bars."""
    probe = random_quotes(np.random.default_rng(seed), QUOTES, pause_ms=_PAUSE_MS)
    ticks = recorded_quotes(f"seed {seed}", kind, probe, timeframe)
    seeds = range(seed, seed + count)
    if reads_quotes(kind, config, ticks, folder):
        rest = (random_quotes(np.random.default_rng(one), QUOTES, pause_ms=_PAUSE_MS) for one in seeds[1:])
        names = (f"seed {one}" for one in seeds[1:])
        return [ticks, *(recorded_quotes(name, kind, one, timeframe) for name, one in zip(names, rest, strict=True))]
    made = (random_bars(np.random.default_rng(one), bars, timeframe) for one in seeds)
    return [recorded_bars(f"seed {one}", kind, rows, timeframe) for one, rows in zip(seeds, made, strict=True)]


def reads_quotes(kind: type[Pattern], config: Any, market: Recording, folder: Path = Path()) -> bool:
    """Whether a pattern finds something else where it is given no quotes."""
    trial = _trial(kind, config, market, 0, folder)
    try:
        with_quotes = run(trial.new(), market.replay, [trial.end])
    except LawBroken:
        return False  # to be told of it under the laws
    try:
        without = run(trial.new(), market.replay.without_quotes(), [trial.end])
    except LawBroken:
        return True
    return with_quotes.tobytes() != without.tobytes()


@dataclass(frozen=True, slots=True)
class Options:
    """How a pattern is tried."""

    mirror: bool = True  # False leaves out the mirror, as does the class's `symmetries`
    scale: bool = True  # likewise
    processes: bool = True  # whether to run it in fresh processes, too
    only: tuple[str, ...] = ()  # names of laws, to try no others
    seed: int = 0  # of cuts and poisons
    folder: Path = Path()  # where relative paths of its configuration start


def rulings(
    kind: type[Pattern], markets: Sequence[Recording], config: Any, options: Options = Options()
) -> Iterator[Ruling]:
    """Try a pattern under every law, one ruling after the other.

    Args:
        kind: its class, importable by its name.
        markets: to try it on, in this order; the first counter-example counts.
        config: its configuration, a struct of its `Config`.
        options: what to try.

    Raises:
        PluginError: it is no pattern, or refuses the feed of bars that a market was recorded from.
        ValueError: a law is unknown.
    """
    chosen = named(LAWS, options.only)
    if not (isinstance(kind, type) and issubclass(kind, Pattern)):
        raise PluginError(f"{getattr(kind, '__name__', kind)} is no subclass of bitten.pattern.Pattern")
    trials = [_trial(kind, config, market, options.seed, options.folder) for market in markets]
    for trial in trials:
        _refuse_bars(trial)
    wanted = {
        "mirror symmetry": options.mirror,
        "scale": options.scale,
        "blind to hash order": options.processes,
    }
    for law in chosen:
        if wanted.get(law.name, True):
            yield _ruling(law, trials)
        else:
            yield Ruling(law.name, NOT_APPLICABLE, "left out as you asked")


class Named(Protocol):
    """Whatever has a name."""

    @property
    def name(self) -> str:
        """Of the law."""


L = TypeVar("L", bound=Named)


def named(laws: Iterable[L], only: Iterable[str]) -> list[L]:
    """The laws of these names, all of them for none.

    Raises:
        ValueError: a name is unknown.
    """
    laws, wanted = tuple(laws), tuple(only)
    names = [law.name for law in laws]
    for name in wanted:
        if name not in names:
            raise ValueError(f'law "{name}" is unknown{did_you_mean(name, names)}')
    return [law for law in laws if not wanted or law.name in wanted]


def _trial(kind: type[Pattern], config: Any, market: Recording, seed: int, folder: Path) -> Trial:
    symbols = (market.instrument.symbol,)
    period = timeframe_ns(market.timeframe)
    context = PatternContext(market.instrument, market.timeframe, period, folder, symbols)
    return Trial(kind, config, context, market.replay, seed, market.name)


def _refuse_bars(trial: Trial) -> None:
    """Tell a person at once where a pattern that wants ticks is given bars."""
    if not trial.replay.source_ns:
        return
    first = int(trial.replay.instants[0])
    try:
        trial.new().scan(trial.replay.batch(BEGINNING, first))
    except BittenError as error:
        raise PluginError(f"{trial.kind.__name__} refuses feeds of bars: {error}") from error
    except Exception:  # noqa: S110  # any other fault of the pattern is a law's matter
        pass


def _ruling(law: Law, trials: Sequence[Trial]) -> Ruling:
    """One law on every market: the first counter-example, else what was measured, else why it says nothing."""
    notes: dict[str, str] = {}
    reasons: list[str] = []
    for trial in trials:
        if law.once and notes:
            break
        try:
            if not law.alone and (unfit := _unfit(trial)):
                raise NotApplicable(unfit)
            notes[trial.name] = law.check(trial)
        except NotApplicable as reason:
            reasons.append(str(reason))
        except LawBroken as broken:
            where = f"{trial.name}: " if len(trials) > 1 else ""
            return Ruling(law.name, BROKEN, f"{where}{str(broken).splitlines()[0].rstrip(':')}", str(broken))
    if notes:
        return Ruling(law.name, KEPT, _joined(notes))
    return Ruling(law.name, NOT_APPLICABLE, reasons[0] if reasons else "there is no market to try it on")


def _unfit(trial: Trial) -> str:
    """Why nothing can be proved with a pattern on this market, "" where it can."""
    try:
        return "" if trial.whole.size else "the pattern gave no signal on this market"
    except LawBroken:
        return "it raises on this market, see valid signals"


def _joined(notes: dict[str, str]) -> str:
    """One note for all markets where they say the same, else each with its market."""
    said = {name: note for name, note in notes.items() if note}
    if len(set(said.values())) <= 1:
        return next(iter(said.values()), "")
    return "; ".join(f"{name}: {note}" for name, note in said.items())
