"""`bitten runs export`: a run for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from bitten.commands.runs_folder import RUNS_DIR, open_run


@click.command("export", short_help="Write the signals of a run as tracking events.")
@click.argument("name")
@click.option(
    "--events",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="The file: one JSON object per line and signal; - for the terminal.",
)
@RUNS_DIR
def export_run(name: str, events: Path, runs_dir: Path) -> None:
    """Write every signal of the run NAME, fired or not, with its outcome.

    The keys: signal_id, symbol, direction, pattern_type, confidence, outcome (WIN, LOSS, FLAT, OPEN, REJECTED,
    EXPIRED), pips_result, timestamp and datetime of the signal, trade_duration_minutes, opened and closed (ns UTC).
    The file appears when it is complete.

    \b
    Examples:
      bitten runs export backtest-0001 --events backtest-0001.jsonl
      bitten runs export backtest-0001 --events - | head
    """
    import json

    from bitten.analysis.tracking import tracking_events
    from bitten.errors import BittenError
    from bitten.store.disk import writing_to

    lines = (json.dumps(event, allow_nan=False) for event in tracking_events(open_run(name, runs_dir).tables))
    if str(events) == "-":
        for line in lines:
            click.echo(line)
        return
    unfinished = events.with_name(f".{events.name}.part")
    count = 0
    try:
        with writing_to(events, "name another file with --events"), unfinished.open("w", encoding="utf-8") as file:
            for count, line in enumerate(lines, 1):  # noqa: B007  # how many there were
                file.write(line + "\n")
            file.flush()
            unfinished.replace(events)
    except BittenError:
        unfinished.unlink(missing_ok=True)
        raise
    click.echo(f"{count:,} events in {events}")
