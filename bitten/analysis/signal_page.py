"""What a pattern sees, as one page that holds all it shows: examples on candles, with the numbers behind each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from bitten.analysis.figures import ABSENT, counted, minus, show_duration
from bitten.analysis.report import asset
from bitten.analysis.sections import text
from bitten.analysis.signal_picture import Mark, SignalPicture, signal_svg, zones
from bitten.clock import iso
from bitten.model.dtypes import NO_PRICE, NS_PER_SECOND
from bitten.model.facts import Outcome, side_name
from bitten.model.instrument import Instrument
from bitten.pattern import Pattern
from bitten.sightings import Sighting, Sightings

_FARTHEST: Final = 500  # bars before the first candle at which an anchor is still one

PART: Final = "_factor"  # how the evidence names the parts of a confidence, each 0 to 1

_ENDS: Final = {
    "target": "reached the target",
    "stop": "stopped out",
    "time": "ended by the time stop",
    "end": "still open when the data ended",
    "expired": "expired unfilled",
    "rejected": "rejected at the fill",
}


def sightings_page(sightings: Sightings, name: str, description: str, parameters: str) -> str:
    """A page without scripts, light and dark by the reader's own setting. Equal input gives equal text.

    Args:
        sightings: what the pattern saw.
        name: of the pattern.
        description: a sentence on it.
        parameters: those that differ from the defaults, in words.
    """
    history = sightings.history
    heading = f"{text(name)}: what it sees in {text(history.symbol)} {text(history.timeframe)}"
    examples = "".join(_example(number, one, sightings.kind) for number, one in enumerate(sightings.examples, 1))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{heading}</title><style>{asset('signals.css')}</style></head><body><main>"
        f"<header><h1>{heading}</h1>{_lead(sightings, description, parameters)}</header>"
        f"{examples}{_footer()}</main></body></html>\n"
    )


def _lead(sightings: Sightings, description: str, parameters: str) -> str:
    history = sightings.history
    facts = [
        f"{iso(sightings.first, 0)[:16]} to {iso(sightings.last, 0)[:16]} UTC",
        f"{sightings.bars:,} bars",
        history.source if not history.synthetic or history.store else "synthetic market",
        f"parameters: {parameters}",
    ]
    ends = ", ".join(f"{count:,} {_ENDS.get(reason, reason)}" for reason, count in sightings.reasons.items())
    shown = f"{len(sightings.examples)} of them are shown, spread over the history"
    notices = ["SYNTHETIC: these quotes are made up, nothing follows from them for any market."] * history.synthetic
    notices += list(sightings.alerts)[:3]
    return (
        f'<p class="lead">{text(description)}</p>'
        f'<p class="facts">{"".join(f"<span>{text(fact)}</span>" for fact in facts)}</p>'
        f'<p class="lead"><strong>{counted(sightings.signals, "signal")}</strong>: {text(ends)}. {shown}.</p>'
        + "".join(f'<p class="notice">{text(notice)}</p>' for notice in notices)
    )


def _example(number: int, one: Sighting, kind: type[Pattern]) -> str:
    signal, outcome = one.signal, one.outcome
    result = _result(outcome)
    css = "quiet" if not _filled(outcome) or outcome.reason == "end" else "gain" if _gain(outcome) > 0 else "loss"
    sides = f"{signal_svg(signal_picture(one, kind))}<aside>{_aside(one, kind)}</aside>"
    return (
        f'<article><div class="head"><h2>{number}. {side_name(signal.side)}, {iso(signal.time, 0)} UTC</h2>'
        f'<span class="why">{text(one.why)}</span><span class="end {css}">{text(result)}</span></div>'
        f'<div class="example">{sides}</div></article>'
    )


def signal_picture(one: Sighting, kind: type[Pattern]) -> SignalPicture:
    """What is drawn of a signal and its outcome."""
    signal, outcome = one.signal, one.outcome
    bands, levels = zones(signal.evidence, kind.evidence_prices, signal.instrument.digits)
    words = f"{signal.symbol} {signal.timeframe}, {side_name(signal.side)} at {iso(signal.time, 0)} UTC"
    earliest = int(one.candles.time[0]) - _FARTHEST * one.candles.timeframe_ns
    return SignalPicture(
        candles=one.candles,
        side=signal.side,
        time=signal.time,
        anchor=signal.anchor if earliest <= signal.anchor <= signal.time else None,
        stop=_level(outcome, signal.stop_points, -1),
        target=_level(outcome, signal.target_points, 1),
        entry=Mark(outcome.open_time, outcome.open_points) if _filled(outcome) else None,
        exit=Mark(outcome.close_time, outcome.close_points, _short(outcome)) if _filled(outcome) else None,
        won=_filled(outcome) and _gain(outcome) > 0,
        bands=bands,
        levels=levels,
        title=f"{words}: {_result(outcome)}",
    )


def _level(outcome: Outcome, points: int, direction: int) -> int | None:
    """A signal's stop (direction -1) or target (1) as a price; one that is a distance counts from the fill."""
    signal = outcome.signal
    if points == NO_PRICE:
        return None
    if not signal.relative:
        return points
    base = outcome.open_points if _filled(outcome) else signal.reference_points
    return None if base == NO_PRICE else base + direction * signal.side * points


def _filled(outcome: Outcome) -> bool:
    return outcome.open_points != NO_PRICE


def _gain(outcome: Outcome) -> int:
    """Points won, negative for lost."""
    return outcome.signal.side * (outcome.close_points - outcome.open_points)


def _r(outcome: Outcome) -> str:
    """The gain in multiples of the first risk, "" where there was no stop."""
    risk = 0 if outcome.stop_points == NO_PRICE else abs(outcome.open_points - outcome.stop_points)
    return minus(f"{_gain(outcome) / risk:+.2f}") + " R" if risk else ""


def _short(outcome: Outcome) -> str:
    return f"{outcome.reason} {_r(outcome)}".strip()


def _result(outcome: Outcome) -> str:
    """What became of it, in a few words."""
    words = _ENDS.get(outcome.reason, outcome.reason)
    if not _filled(outcome):
        return words
    pips = minus(f"{outcome.signal.instrument.pips(_gain(outcome)):+,.1f}")
    lasted = show_duration((outcome.close_time - outcome.open_time) / NS_PER_SECOND)
    end = f"still open {lasted} later, when the data ended" if outcome.reason == "end" else f"{words} after {lasted}"
    return ", ".join(filter(None, [end, _r(outcome), f"{pips} pips"]))


def _aside(one: Sighting, kind: type[Pattern]) -> str:
    """Confidence with its parts, levels, and the other evidence."""
    signal = one.signal
    parts = {name: value for name, value in signal.evidence.items() if name.endswith(PART)}
    rest = {name: value for name, value in signal.evidence.items() if name not in parts}
    confidence = f'<p class="confidence">{signal.confidence:.1f} <small>of 100</small></p>'
    bars = "".join(_part(name, value) for name, value in parts.items())
    return f"<h3>Confidence</h3>{confidence}{bars}<h3>Prices</h3>{_list(_prices(one))}" + (
        f"<h3>Evidence</h3>{_list(_numbers(rest, kind, signal.instrument))}" if rest else ""
    )


def _part(name: str, value: float) -> str:
    share = min(max(value, 0.0), 1.0)
    label = text(name.removesuffix(PART).replace("_", " "))
    return (
        f'<div class="part"><span class="quiet">{label}</span><i><b style="width:{share * 100:.1f}%"></b></i>'
        f"<span>{value:.2f}</span></div>"
    )


def _prices(one: Sighting) -> Iterator[tuple[str, str]]:
    outcome, instrument = one.outcome, one.signal.instrument
    levels = {
        "target": _level(outcome, one.signal.target_points, 1),
        "entry": outcome.open_points if _filled(outcome) else None,
        "stop": _level(outcome, one.signal.stop_points, -1),
        "exit": outcome.close_points if _filled(outcome) else None,
    }
    for name, points in levels.items():
        yield name, ABSENT if points is None else f"{instrument.price(points):.{instrument.digits}f}"


def _numbers(evidence: Mapping[str, float], kind: type[Pattern], instrument: Instrument) -> Iterator[tuple[str, str]]:
    for name, value in evidence.items():
        price = name in kind.evidence_prices
        shown = (f"{value:.{instrument.digits}f}" if value else ABSENT) if price else minus(f"{value:.4g}")
        yield name.replace("_", " "), shown


def _list(rows: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{text(name)}</dt><dd>{text(value)}</dd>' for name, value in rows)}</dl>"


_FOOT: Final = (
    "A picture shows bid candles. The line across marks the instant of the signal, the dotted one its anchor, the bar "
    "that it is about. Zones begin at the anchor. The triangle is the entry, at the first quote after the signal: a "
    "buy at the ask, a sale at the bid. A sale's stop and target are touched by the ask, a spread above these candles.",
    "Confidence says how fully the rules of the pattern are met. It is no probability, and examples prove nothing.",
)


def _footer() -> str:
    return f"<footer>{''.join(f'<p>{line}</p>' for line in _FOOT)}</footer>"
