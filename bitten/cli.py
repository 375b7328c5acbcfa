"""The command line: finds commands without importing them, and turns expected errors into one line, here only."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import click

from bitten.errors import BittenError, PluginError, did_you_mean
from bitten.manager import Entry, Manager
from bitten.version import VERSION

INTERRUPTED: Final = 130  # what shells report for Ctrl-C
PIPE_CLOSED: Final = 1  # what click and rich use as well


class BuiltIn(NamedTuple):
    """Where a built-in command lives, and its line in `bitten --help`."""

    target: str
    line: str


BUILT_IN: Final[Mapping[str, BuiltIn]] = {
    "demo": BuiltIn("bitten.commands.demo:demo", "A backtest of a synthetic history, or of your files, in one go."),
    "init": BuiltIn("bitten.commands.init:init", "Write a commented bitten.toml to start from."),
    "data": BuiltIn("bitten.commands.data:data", "Import, list, check, fetch and export quotes."),
    "backtest": BuiltIn(
        "bitten.commands.backtest:backtest", "Run the configured strategy over stored quotes, tick by tick."
    ),
    "sweep": BuiltIn("bitten.commands.sweep:sweep", "Run it once for each combination of a grid over any of its keys."),
    "explain": BuiltIn(
        "bitten.commands.explain:explain", "Tell why a signal was fired or not, from pattern to outcome."
    ),
    "runs": BuiltIn("bitten.commands.runs:runs", "List, show and compare finished runs."),
    "patterns": BuiltIn("bitten.commands.patterns:patterns", "List patterns, and draw examples of what they see."),
    "plugins": BuiltIn("bitten.commands.plugins:plugins", "List what is installed, show parameters, check the laws."),
}


def plugin_commands() -> Mapping[str, Entry]:
    """Commands that plugins offer, by name; nothing of them is imported yet.

    Raises:
        PluginError: a plugin does not load, two clash, or one takes a built-in name.
    """
    entries = Manager().registry("commands")
    for name, entry in entries.items():
        if name in BUILT_IN:
            raise PluginError(
                f'plugin {entry.plugin} offers the command "{name}", which is built in and cannot be taken'
            )
    return entries


class Commands(click.Group):
    """The top-level group: built-in commands first, then those of plugins; each is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name; a plugin that does not load costs its own commands only."""
        try:
            return [*BUILT_IN, *plugin_commands()]
        except BittenError:
            return list(BUILT_IN)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or None if there is none of that name."""
        if cmd_name in BUILT_IN:
            module, _, attribute = BUILT_IN[cmd_name].target.partition(":")
            command: Any = getattr(importlib.import_module(module), attribute)
        else:
            entry = plugin_commands().get(cmd_name)
            if entry is None:
                return None
            command = entry.load()
            if not isinstance(command, click.Command):
                found = type(command).__name__
                raise PluginError(f'command "{cmd_name}" of plugin {entry.plugin} is a {found}, not a click command')
        found_command: click.Command = command
        return found_command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; a mistyped one gets a suggestion."""
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f'no command "{word}"{did_you_mean(word, self.list_commands(ctx))}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command table of `bitten --help`, from names and lines that are known without an import."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.line) for name, command in BUILT_IN.items()])
        try:
            entries = plugin_commands()
        except BittenError as error:
            with formatter.section("Commands of plugins are not available"):
                formatter.write_text(str(error))
            return
        if entries:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, f"from plugin {entry.plugin}") for name, entry in entries.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="bitten", message="%(prog)s %(version)s")
def bitten() -> None:
    """Backtest FX and metals strategies on real ticks, with every part a plugin.

    Start with `bitten demo`, or with `bitten data import FILES` and `bitten init`.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 2 for expected errors, 130 after Ctrl-C.

    Anything unexpected is raised: a bug keeps its traceback.
    """
    _prepare_streams()
    _spare_the_collector()
    try:
        result = bitten.main(args=arguments, prog_name="bitten", standalone_mode=False)
        sys.stdout.flush()
    except BittenError as error:
        _complain(str(error) if error.exit_code == INTERRUPTED else f"error: {error}")
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        _complain(f"error: {_usage(error)}")
        return 2
    except (click.Abort, KeyboardInterrupt) as error:
        return _interrupted(error)
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED
    return result if isinstance(result, int) else 0


def _prepare_streams() -> None:
    """Make table lines and signs like − printable: UTF-8 on Windows, replacements where a locale has less."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None or stream.encoding.lower().replace("-", "") == "utf8":
            continue
        if os.name == "nt":
            reconfigure(encoding="utf-8", errors="replace")
        else:
            reconfigure(errors="replace")


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking, again and again, a hundred thousand objects of numba that stay.

    At numba's import and first call, and at the end, when the system takes everything back anyway: together a fifth of
    the time of a short backtest. Files never wait for the collector here: they close where they were opened. A plugin's
    library made with nanobind (duckdb, for one) may report at the end that objects were not collected: so it is.
    """
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)


def _complain(text: str) -> None:
    """One line on stderr, whatever the message holds."""
    click.echo(" ".join(text.split("\n")), err=True)


def _usage(error: click.ClickException) -> str:
    """A usage error in our own style: what is wrong, and whose help says more."""
    words = error.format_message().strip().removesuffix(".")
    if words[:2].istitle():
        words = words[0].lower() + words[1:]
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return words
    return f"{words}{'' if words.endswith('?') else ';'} `{context.command_path} --help` says more"


def _interrupted(error: BaseException) -> int:
    """Ctrl-C, or the end of the input at a question. A command that was interrupted may say what it kept."""
    cause = error.__cause__ if isinstance(error, click.Abort) else error
    kept = str(cause) if isinstance(cause, KeyboardInterrupt) else ""
    _complain(f"interrupted: {kept}" if kept else "interrupted")
    return INTERRUPTED


def _silence_stdout() -> None:
    """The reader of our output has gone: let the interpreter's own flush at exit go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
