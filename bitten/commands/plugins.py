"""`bitten plugins`: what is installed, what each part can be told, and whether it keeps the laws of its kind."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Collection
from typing import Any, Final

import click

from bitten.commands.plugins_check import check_plugin
from bitten.errors import BittenError, PluginError, did_you_mean
from bitten.manager import GROUP, KINDS, Entry, Manager

_WIDE: Final = 110  # columns from which there is room for the plugin's name
_PLACES: Final = {
    "feeds": '[feed]\nuse = "{name}"',
    "patterns": '[[patterns]]\nuse = "{name}"\nparams = {{ }}  # the keys below',
    "shields": '[[gates]]\nuse = "{name}"',
    "gates": '[[gates]]\nuse = "{name}"',
    "executors": '[executor]\nuse = "{name}"',
    "trackers": '[[trackers]]\nuse = "{name}"',
}


@click.group()
def plugins() -> None:
    """List what is installed, show the parameters of each part, check that it keeps the laws."""


plugins.add_command(check_plugin)


class _Kind(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """A kind of part, one or many, in any case: gate, gates, Gates."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The kind as the manager names it."""
        word = str(value).lower()
        found = next((kind for kind in KINDS if word in (kind, kind[:-1])), None)
        if found is None:
            self.fail(f'there is no kind "{value}"{did_you_mean(word, KINDS)}', param, ctx)
        return found


@plugins.command("list", short_help="List every part by name.")
@click.option("--kind", type=_Kind(), help=f"Only this kind: {', '.join(kind[:-1] for kind in KINDS)}.")
def list_plugins(kind: str | None) -> None:
    """List every feed, importer, pattern, shield, gate, executor, tracker and command by name.

    A terminal of less than 110 columns leaves out which plugin a part is from; `bitten plugins show NAME` says it.
    """
    from rich.table import Table

    manager, problems = _examine()
    console = _console()
    wide = console.width >= _WIDE
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("kind", "name", *(["plugin"] if wide else [])):
        table.add_column(heading, no_wrap=True)
    table.add_column("what it does", overflow="fold")
    for wanted in KINDS if kind is None else (kind,):
        for entry in manager.registry(wanted).values():
            try:
                line = _first_sentence(_load(entry))
            except PluginError as error:
                problems.append(str(error))
                line = "cannot be loaded, see below"
            table.add_row(wanted[:-1], entry.name, *([entry.plugin] if wide else []), line)
    console.print(table)
    _report(problems)


@plugins.command("show", short_help="Show what a part does and its parameters.")
@click.argument("name")
def show_plugin(name: str) -> None:
    """Show what a part does, and every parameter with its type, default, bounds and meaning.

    \b
    Examples:
      bitten plugins show kalman_quickfire
      bitten plugins show risk
    """
    manager, problems = _examine()
    name = name.lower()
    found = [entry for kind in KINDS if (entry := manager.registry(kind).get(name)) is not None]
    if not found:
        _report(problems, fatal=False)
        names = {entry for kind in KINDS for entry in manager.registry(kind)}
        raise PluginError(f'no part is named "{name}"{_suggestion(name, names)}')
    for entry in found:
        _show(entry)
    _report(problems)


def _suggestion(name: str, names: Collection[str]) -> str:
    """Names that begin with what was typed, else names that hold it, else near misses."""
    hits = sorted(n for n in names if n.startswith(name)) or sorted(n for n in names if name in n)
    if not name or not hits:
        return did_you_mean(name, names)
    return f": did you mean {' or '.join(_quoted(hit) for hit in hits)}?"


def _quoted(word: str) -> str:
    return f'"{word}"'


def _examine() -> tuple[Manager, list[str]]:
    """A manager of every plugin that works alone, and what is wrong with the others."""
    names = {point.name for point in importlib.metadata.entry_points(group=GROUP)}
    problems: dict[str, str] = {}
    for name in sorted(names):
        try:
            alone = Manager(disabled=names - {name})
            for kind in KINDS:
                alone.registry(kind)
        except BittenError as error:
            problems[name] = str(error)
    return Manager(disabled=problems), list(problems.values())


def _load(entry: Entry) -> Any:
    """What stands behind an entry; whatever its module raises is its plugin's fault, not ours."""
    try:
        return entry.load()
    except BittenError:
        raise
    except Exception as error:
        what = f"{entry.kind[:-1]} {entry.name} of plugin {entry.plugin}"
        raise PluginError(f"{what} fails on import of {entry.target}: {type(error).__name__}: {error}") from error


def _report(problems: list[str], fatal: bool = True) -> None:
    """Say on stderr what is broken; the exit code then says so too."""
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems and fatal:
        raise click.exceptions.Exit(2)


def _show(entry: Entry) -> None:
    from rich.table import Table

    from bitten.parameters import parameters

    target = _load(entry)
    console = _console()
    console.print(f"{entry.name}, {entry.kind[:-1]} of plugin {entry.plugin}", style="bold")
    console.print(f"{target.__module__}:{getattr(target, '__qualname__', entry.name)}\n", style="dim")
    console.print(_documentation(target))
    if evidence := getattr(target, "evidence", ()):
        console.print(f"\nEvidence with each signal: {', '.join(evidence)}")
    if entry.kind in _PLACES:
        console.print(f"\nIn bitten.toml:\n\n{_PLACES[entry.kind].format(name=entry.name)}\n")
    config = getattr(target, "Config", None)
    listed = parameters(config) if config is not None else []
    if listed:
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("parameter", no_wrap=True)
        for heading in ("type", "default", "allowed", "meaning"):
            table.add_column(heading)
        for item in listed:
            table.add_row(item.name, item.type, item.default, item.allowed, item.description)
        console.print(table)
    elif config is not None:
        console.print("It has no parameters.")
    console.print()


def _documentation(target: Any) -> str:
    """A part's own docstring; not one inherited from its base, which says nothing of it."""
    if isinstance(target, click.Command):
        return target.help or "(undocumented)"
    own = vars(target).get("__doc__") if inspect.isclass(target) else target.__doc__
    return inspect.cleandoc(own) if own else "(undocumented)"


def _first_sentence(target: Any) -> str:
    paragraph = " ".join(_documentation(target).split("\n\n")[0].split())
    return paragraph.split(". ")[0].removesuffix(".")


def _console() -> Any:
    """Tables as wide as the terminal; into a pipe or file wide enough that lines stay whole."""
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, width=200)
