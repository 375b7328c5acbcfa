"""`bitten explain`: why a signal was fired or not, from what the pattern saw to how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bitten.commands.runs_folder import RUNS_DIR, check_given, open_run, run_names

if TYPE_CHECKING:
    from rich.console import Console

    from bitten.explanation import Explanation

_PLAIN_WIDTH: Final = 120  # columns where the output is no terminal
_FATES: Final = {"fired": ("fired",), "refused": ("refused",), "expired": ("expired", "unanswered")}


@click.command()
@click.argument("id", metavar="[SIGNAL_ID|FIRE_ID]", required=False)
@click.option("--run", "run", help="Name of a run or path of its folder; the newest that holds the id by default.")
@click.option("--account", help="Whose part is told; of many the most telling one by default.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@click.option("--list", "listing", is_flag=True, help="List signals with their fate, the newest last.")
@click.option("--fired", "fate", flag_value="fired", help="List those that were fired and filled.")
@click.option("--refused", "fate", flag_value="refused", help="List those that gates refused.")
@click.option("--expired", "fate", flag_value="expired", help="List orders unfilled and missions unanswered in time.")
@click.option("--pattern", help="List those of one pattern.")
@click.option("--symbol", help="List those of one symbol.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Most signals to list.")
@RUNS_DIR
def explain(
    id: str | None, run: str | None, account: str | None, page: Path | None, as_json: bool, listing: bool,
    fate: str | None, pattern: str | None, symbol: str | None, limit: int, runs_dir: Path,
) -> None:  # fmt: skip
    """Tell why a signal was fired or not: pattern and evidence, shields, gates, size, mission, fill, exit, outcome.

    The first line is the answer. An id may be shortened to a beginning or an end that no other has; fires are named as
    SIGNAL@ACCOUNT.

    \b
    Examples:
      bitten explain --list --refused --symbol EURUSD
      bitten explain bb_scalp-EURUSD-M5-buy-20240408T102000
      bitten explain 20240408T102000@main --html why.html
    """
    if id is None:
        if not (listing or fate or pattern or symbol):
            raise click.UsageError("name a signal or a fire, or list them with --list")
        _list(run, runs_dir, fate, pattern, symbol, limit)
        return
    if listing or fate or pattern or symbol:
        raise click.UsageError("an id is explained, --list and its filters look for ids: leave one of them out")
    found = _find(id, run, account, runs_dir)
    if page is not None:
        _write(page, found)
    if as_json:
        click.echo(json.dumps(found.facts, indent=2, ensure_ascii=False, allow_nan=False))
    elif page is not None:
        click.echo(f"{found.headline}\n{page}")
    else:
        from bitten.analysis.explain_terminal import print_story

        print_story(_console(), found.story, found.bars)


def _find(wanted: str, run: str | None, account: str | None, runs_dir: Path) -> Explanation:
    """The story of an id, from the run that is named or the newest that holds it.

    Raises:
        BittenError: there is none.
    """
    from bitten.analysis.signal_rows import HOW_TO_LIST, near_misses
    from bitten.errors import BittenError
    from bitten.explanation import explain

    looked: list[Path] = []
    for folder, manifest in _runs(run, runs_dir):
        if (found := explain(folder, manifest, wanted, account)) is not None:
            return found
        looked.append(folder)
    if not looked:
        raise BittenError(_no_run(runs_dir))
    where = f"run {looked[0].name}" if len(looked) == 1 else f"any of {len(looked)} runs of {runs_dir}"
    hint = near_misses(looked[0], wanted)
    raise BittenError(f'no signal or fire "{wanted}" in {where}{hint or ";"} {HOW_TO_LIST}')


def _runs(run: str | None, runs_dir: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folder and manifest of the run that is named, or of every readable one, the newest first."""
    from bitten.errors import BittenError
    from bitten.run import read_manifest

    if run is not None:
        opened = open_run(run, runs_dir)
        yield opened.folder, dict(opened.manifest)
        return
    check_given(runs_dir)
    found = []
    for name in run_names(runs_dir):
        try:
            manifest = read_manifest(runs_dir / name)
        except BittenError as error:
            click.echo(f"passed over: {error}", err=True)
            continue
        if manifest.get("kind") != "sweep":
            found.append((str(manifest.get("created", "")), name, manifest))
    for _, name, manifest in sorted(found, key=lambda one: one[:2], reverse=True):
        yield runs_dir / name, manifest


def _write(page: Path, found: Explanation) -> None:
    from bitten.store.disk import writing_to

    with writing_to(page.parent, "name another file with --html"):
        page.write_text(found.html, encoding="utf-8")


def _list(
    run: str | None, runs_dir: Path, fate: str | None, pattern: str | None, symbol: str | None, limit: int
) -> None:
    from bitten.analysis.fatelist import list_fates, print_fates
    from bitten.errors import BittenError

    folder = next((folder for folder, _ in _runs(run, runs_dir)), None)
    if folder is None:
        raise BittenError(_no_run(runs_dir))
    fates = [one for one in list_fates(folder, pattern, symbol) if fate is None or one.fate in _FATES[fate]]
    print_fates(_console(), fates[-limit:], len(fates), folder.name)


def _no_run(runs_dir: Path) -> str:
    return f"{runs_dir} holds no finished run; `bitten backtest` makes one, --run or --runs-dir look elsewhere"


def _console() -> Console:
    """As wide as the terminal; wide enough for a page into a pipe or file."""
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, width=_PLAIN_WIDTH)
