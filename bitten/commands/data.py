"""`bitten data`: the store and what goes in and out of it. Each command is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

import click

from bitten.errors import did_you_mean

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "import": ("bitten.commands.data_import:import_", "Import quote files of any common format."),
    "list": ("bitten.commands.data_list:list_", "Show what the store holds, and where it is from."),
    "check": ("bitten.commands.data_check:check", "Examine gaps, spreads, outliers and the clock of stored quotes."),
    "fetch": ("bitten.commands.data_fetch:fetch", "Download quotes and import them."),
    "export": (
        "bitten.commands.data_export:export",
        "Write stored quotes as CSV, Parquet or Arrow, with decimal prices.",
    ),
    "calendar": ("bitten.commands.data_calendar:calendar", "Import and list scheduled news."),
}


class _DataCommands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: Any = getattr(importlib.import_module(module), attribute)
        found: click.Command = command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f'no command "{args[0]}"{did_you_mean(args[0], COMMANDS)}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_DataCommands)
def data() -> None:
    """Import, list, check, fetch and export quotes, and keep a calendar of news.

    The store is a folder of Parquet files, one per symbol and month; docs/data.md describes it.
    """
