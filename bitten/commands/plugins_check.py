"""`bitten plugins check`: a part is held to the laws of its kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from bitten.commands.part_options import CLOCK, DATA, PARAMS, part_config
from bitten.errors import ConfigError, DataError, PluginError, did_you_mean
from bitten.manager import Entry, Manager

if TYPE_CHECKING:
    from bitten.testing import Recording, Ruling

_CHECKED: Final = ("patterns", "shields", "gates", "feeds", "executors")
_STYLES: Final = {"kept": "green", "broken": "bold red", "not applicable": "dim"}
_STORE: Final = Path("data")  # where --symbol looks without --data


class _Wish(NamedTuple):
    """What was asked for on the command line."""

    paths: tuple[Path, ...]
    symbol: str | None
    timeframe: str | None
    clock: str | None
    bars: int | None
    only: tuple[str, ...]
    seed: int
    mirror: bool
    scale: bool


@click.command("check", short_help="Hold a part to the laws of its kind.")
@click.argument("name")
@DATA
@click.option("--symbol", help="Which symbol of the data; without --data, of the store in data/.")
@click.option("--timeframe", help="Bars that a pattern is tried on.  [default: M1, or what the data are]")
@CLOCK
@click.option("--bars", type=click.IntRange(min=50), help="How many.  [default: 3000 random ones, or 20000 real ones]")
@PARAMS
@click.option("--only", multiple=True, metavar="LAW", help="Try this law only; may be repeated.")
@click.option("--seed", default=1, show_default=True, help="Of random markets, cuts and poisons.")
@click.option("--mirror/--no-mirror", default=True, help="Whether sells claim to mirror buys.")
@click.option("--scale/--no-scale", default=True, help="Whether only ratios of prices claim to matter.")
def check_plugin(name: str, params: tuple[str, ...], **wish: Any) -> None:
    """Try a pattern, shield, gate, feed or executor under every law of its kind and say which it keeps.

    A pattern is tried on three random markets, or on real bars: --data takes a store or files of any vendor, --symbol
    alone looks into the store in data/. NAME may also be module:Class, for one that is not installed. Ends with exit
    code 0 where every law is kept or does not apply, 1 where one is broken.

    \b
    Examples:
      bitten plugins check kalman_quickfire
      bitten plugins check bb_scalp --params period=30 --data XAUUSD_M1.csv
      bitten plugins check my_package.my_module:MyPattern --only causality --only "mirror symmetry"
    """
    entry = _find(name, Manager())
    config = part_config(entry, params)
    asked = _Wish(**wish)
    try:
        found = list(_shown(_rulings(entry, config, asked), name))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--only") from error
    _print(entry, found)
    if any(ruling.verdict == "broken" for ruling in found):
        raise click.exceptions.Exit(1)


def _find(name: str, manager: Manager) -> Entry:
    if ":" in name:
        sys.path.insert(0, str(Path.cwd()))  # a module beside the author's files, as `python -m` finds it
        return _classified(Entry("patterns", name, "this folder", name))
    name = name.lower()
    for kind in _CHECKED:
        entry = manager.registry(kind).get(name)
        if entry is not None:
            return entry
    names = {known for kind in _CHECKED for known in manager.registry(kind)}
    raise PluginError(f'no {", ".join(kind[:-1] for kind in _CHECKED)} is named "{name}"{did_you_mean(name, names)}')


def _classified(entry: Entry) -> Entry:
    """An entry that was named by its class, under the kind of part that the class is."""
    from bitten.executor import Executor
    from bitten.feed import Feed
    from bitten.gate import Gate, Shield
    from bitten.pattern import Pattern

    bases = dict(zip(_CHECKED, (Pattern, Shield, Gate, Feed, Executor), strict=True))
    target = entry.load()
    for kind, base in bases.items():
        if isinstance(target, type) and issubclass(target, base):
            return Entry(kind, entry.name, entry.plugin, target)
    raise PluginError(f"{entry.name} is none of {', '.join(base.__name__ for base in bases.values())}")


def _rulings(entry: Entry, config: Any, wish: _Wish) -> Iterator[Ruling]:
    from bitten.gate import GateContext
    from bitten.testing.parts import part_rulings, part_trial

    if entry.kind == "patterns":
        return _pattern(entry.load(), config, wish)
    if wish.paths or wish.symbol or wish.timeframe:
        raise ConfigError(
            f"{entry.name} is a {entry.kind[:-1]}: only patterns are tried on --data, --symbol, --timeframe"
        )
    if entry.kind in ("shields", "gates"):
        context = GateContext(name=entry.name, folder=Path.cwd())
        return part_rulings(part_trial(entry.load(), config, context, wish.seed), wish.only)
    return _contract(entry, config, wish)


def _pattern(kind: Any, config: Any, wish: _Wish) -> Iterator[Ruling]:
    from bitten.testing.kit import Options, rulings

    options = Options(wish.mirror, wish.scale, True, wish.only, wish.seed, Path.cwd())
    return rulings(kind, _markets(kind, config, wish), config, options)


def _markets(kind: Any, config: Any, wish: _Wish) -> Sequence[Recording]:
    from rich.console import Console

    from bitten.commands.data_import import _progress
    from bitten.history import Wanted, open_history
    from bitten.testing import random_markets
    from bitten.testing.kit import BARS, SEEDS
    from bitten.testing.recorder import BARS as REAL_BARS
    from bitten.testing.recorder import record

    paths = wish.paths
    if not paths and wish.symbol:
        paths = (_STORE,)
        if not _STORE.exists():
            raise DataError(f"there is no store {_STORE} here to find {wish.symbol} in: name yours with --data PATH")
    if not paths:
        timeframe = wish.timeframe or "M1"
        return random_markets(kind, config, timeframe, wish.seed, SEEDS, wish.bars or BARS, Path.cwd())
    wanted = Wanted(paths, wish.symbol, wish.timeframe, wish.clock)
    with _progress(Console(stderr=True)) as progress, open_history(wanted, Manager(), progress) as history:
        return [record(history, kind, wish.bars or REAL_BARS)]


def _contract(entry: Entry, config: Any, wish: _Wish) -> Iterator[Ruling]:
    """Feeds and executors have one contract, which is kept or broken as a whole."""
    from bitten.feed import FeedContext
    from bitten.model.instruments import project_instruments
    from bitten.testing import LawBroken, Ruling, check_executor, check_feed

    kind = entry.load()
    try:
        if entry.kind == "executors":
            note = f"{check_executor(lambda context: kind(config, context), seed=wish.seed):,} positions"
        else:
            context = FeedContext(("EURUSD",), project_instruments(Path()), None, None, Path.cwd(), wish.seed)
            note = f"{check_feed(kind, context, config):,} quotes"
        yield Ruling("contract", "kept", note)
    except LawBroken as broken:
        yield Ruling("contract", "broken", str(broken).splitlines()[0], str(broken))


def _shown(rulings: Iterator[Ruling], name: str) -> Iterator[Ruling]:
    """The rulings, while a person at a terminal sees how many there are so far."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(f"holding {name} to its laws ...") as status:
        for number, ruling in enumerate(rulings, 1):
            status.update(f"holding {name} to its laws ... {number}, {ruling.law}: {ruling.verdict}")
            yield ruling


def _print(entry: Entry, found: Sequence[Ruling]) -> None:
    from rich.table import Table
    from rich.text import Text

    from bitten.commands.data_options import plain_console

    console = plain_console()
    console.print(f"{entry.name}, {entry.kind[:-1]} of plugin {entry.plugin}\n", style="bold")
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("law", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what was found", overflow="fold")
    for ruling in found:
        table.add_row(ruling.law, Text(ruling.verdict, _STYLES[ruling.verdict]), ruling.note)
    console.print(table)
    for ruling in found:
        if ruling.example:
            console.print(f"\n{ruling.law}, the first counter-example:", style="bold")
            console.print(ruling.example, soft_wrap=True)
    counts = {verdict: sum(ruling.verdict == verdict for ruling in found) for verdict in _STYLES}
    console.print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
