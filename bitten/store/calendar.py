"""The news calendar: scheduled releases as one Parquet file beside the quotes, `STORE/calendar.parquet`.

Columns are `time` (UTC), `currency`, `impact` (high, medium, low, holiday, none) and `event`. A release is one row per
time, currency and event; a file that states it again with another impact has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bitten.arrow import from_numpy, from_texts, read_parquet, to_numpy
from bitten.errors import DataError
from bitten.model.dtypes import Ints
from bitten.store.commit import commit, recover, writing
from bitten.store.disk import writing_to

NAME: Final = "calendar.parquet"
IMPACTS: Final = ("high", "medium", "low", "holiday", "none")
EVERYWHERE: Final = "ALL"
"""Stands for a currency where a release concerns them all."""

SCHEMA: Final = pa.schema(
    [
        ("time", pa.timestamp("ns", tz="UTC")),
        ("currency", pa.string()),
        ("impact", pa.string()),
        ("event", pa.string()),
    ]
)


class Event(NamedTuple):
    """A scheduled release."""

    time: int  # ns UTC
    currency: str
    impact: str
    event: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the events of an import."""

    new: int
    duplicates: int  # were there already, or stood in the files more than once
    changed: int  # were there with another impact
    total: int  # that the calendar holds now


def merge(held: Iterable[Event], added: Iterable[Event]) -> tuple[list[Event], Merged]:
    """All events by time, currency and name, each once."""
    events = {(event.time, event.currency, event.event): event for event in held}
    before = len(events)
    duplicates = changed = 0
    for event in added:
        key = (event.time, event.currency, event.event)
        if key in events:
            duplicates += events[key].impact == event.impact
            changed += events[key].impact != event.impact
        events[key] = event
    counts = Merged(len(events) - before, duplicates, changed, len(events))
    return [events[key] for key in sorted(events)], counts


def add_events(store: Path, events: Sequence[Event]) -> Merged:
    """Merge events into a store's calendar, which is replaced as a whole or stays as it is.

    Raises:
        DataError: another import is under way, the stored calendar is damaged, or the disk refuses.
    """
    recover(store)
    with writing(store) as staging:
        path = store / NAME
        merged, counts = merge(read_events(path) if path.exists() else (), events)
        draft = staging / "new" / NAME
        with writing_to(draft, "choose another folder with --store"):
            draft.parent.mkdir(parents=True)
            pq.write_table(_table(merged), draft, compression="zstd")
            commit(store, [draft])
    return counts


def read_events(path: Path) -> list[Event]:
    """The events of a stored calendar, by time.

    Raises:
        DataError: it is not there, or no calendar.
    """
    try:
        table = read_parquet(path)
        columns = [table.column(name) for name in SCHEMA.names]
        if columns[0].type != SCHEMA.field("time").type:
            raise KeyError("time")
    except FileNotFoundError as error:
        raise DataError(
            f"there is no calendar {path}: make it with `bitten data calendar import FILE --store {path.parent}`"
        ) from error
    except (pa.ArrowInvalid, KeyError, OSError) as error:
        raise DataError(
            f"{path} is no calendar of bitten, or damaged: import CSV or ICS with `bitten data calendar import FILE`"
        ) from error
    times: Ints = to_numpy(columns[0])[0]
    texts = (column.to_pylist() for column in columns[1:])
    return [Event(*row) for row in zip(times.tolist(), *texts, strict=True)]


def _table(events: Sequence[Event]) -> pa.Table:
    times = np.array([event.time for event in events], np.int64)
    columns = zip(*(event[1:] for event in events), strict=True) if events else ((), (), ())
    texts = [from_texts(column) for column in columns]
    return pa.Table.from_arrays([from_numpy(times, SCHEMA.field("time").type), *texts], schema=SCHEMA)
