"""What importing dropped or mended, from the counts that are stored beside the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from bitten.store.columns import Source

_SHARE: Final = 1e-3  # of the imported rows; less than this is told by `bitten data list` only
_WORDS: Final[Mapping[str, str]] = {
    "absent": "lacked a price and were dropped",
    "zero": "had a price of zero or less and were dropped",
    "late": "were older than rows before them and were dropped",
    "bad_ohlc": "had open or close outside low and high and were dropped",
    "duplicates": "repeated others and were dropped",
    "crossed": "had bid above ask and were dropped",
}


def dropped_rows(are_ticks: bool, source: Source) -> dict[str, int]:
    """Rows of a source that were dropped, by reason; only reasons that there were."""
    names = ["absent", "zero", "late", "bad_ohlc", "filler"]
    if source.rules.get("duplicates") == "drop":
        names.append("duplicates")
    if are_ticks and source.rules.get("crossed") == "drop":
        names.append("crossed")  # a bar only loses its spread by it
    return {name: source.counts[name] for name in names if source.counts.get(name)}


def repair_note(symbol: str, are_ticks: bool, sources: Iterable[Source]) -> str | None:
    """One sentence about what was dropped or mended where that was a share worth knowing, else None.

    The flat bars with which a vendor fills closed hours are no loss and are not told.
    """
    rows, counts = 0, dict[str, int]()
    for source in sources:
        rows += source.counts.get("rows", 0)
        for text, count in _repairs(are_ticks, source):
            counts[text] = counts.get(text, 0) + count
    parts = [
        f"{count:,} {f'of {rows:,} imported rows ' if i == 0 else ''}({100 * count / rows:.1f} %) {text}"
        for i, (text, count) in enumerate((text, count) for text, count in counts.items() if count >= _SHARE * rows)
    ]
    return f"{symbol}: {', '.join(parts)}" if parts else None


def _repairs(are_ticks: bool, source: Source) -> Iterator[tuple[str, int]]:
    for name, count in dropped_rows(are_ticks, source).items():
        if name in _WORDS:
            yield _WORDS[name], count
    crossed = source.counts.get("crossed", 0)
    if crossed and source.rules.get("crossed") == "mid":
        yield "had bid above ask and were set to their mid" if are_ticks else "had a negative spread, now 0", crossed
    elif crossed and not are_ticks:
        yield "had a negative spread and lost it", crossed
    if source.rules.get("backward") == "sort" and source.counts.get("backward"):
        yield "stepped back in time and were put in order", source.counts["backward"]
