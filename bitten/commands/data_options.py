"""What the data commands have in common: the store, ranges of time, and a console for tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bitten.errors import DataError
from bitten.instants import instant

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.store.tickstore import TickStore

PLAIN_WIDTH: Final = 200  # columns where the output is no terminal


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """A date or time in UTC, as int64 ns: `2014-05-01`, `2014-05-01T12:30`, `2014-05-01 12:30:00+02:00`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse; a time without a zone is UTC."""
        if isinstance(value, int):
            return value
        try:
            return instant(value)
        except DataError as error:
            self.fail(str(error), param, ctx)


STORE = click.option(
    "--store",
    default=Path("data"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the store.",
)
FROM = click.option("--from", "start", type=Moment(), help="First instant, UTC: 2014-05-01 or 2014-05-01T12:30.")
TO = click.option("--to", "end", type=Moment(), help="First instant no longer wanted, UTC.")


def check_range(start: int | None, end: int | None) -> None:
    """Refuse a range that ends before it starts."""
    if start is not None and end is not None and start >= end:
        raise click.BadParameter("--from is not before --to", param_hint="--from")


def plain_console() -> Console:
    """A console that prints texts as they are, wide where nobody's terminal limits it."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=PLAIN_WIDTH)


def existing_store(path: Path) -> TickStore:
    """Open a store that is to be read.

    Raises:
        DataError: there is none; the message says how to make it.
    """
    from bitten.store.tickstore import TickStore

    if not path.exists():
        raise DataError(
            f"there is no store {path}: name another with --store, or bring quotes in with "
            f"`bitten data import FILES --store {path}`"
        )
    return TickStore(path)
