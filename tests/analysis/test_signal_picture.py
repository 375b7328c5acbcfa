"""The picture of a signal: what it shows lies where it belongs, names are escaped, labels do not cover each other."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from msgspec.structs import replace as altered

from bitten.analysis.candles import CandleSet
from bitten.analysis.signal_page import sightings_page, signal_picture
from bitten.analysis.signal_picture import Band, Level, Mark, SignalPicture, signal_svg, zones
from bitten.history import History
from bitten.manager import Manager
from bitten.model.dtypes import NO_PRICE
from bitten.model.facts import ExitPlan, Outcome, Signal
from bitten.pattern import Pattern
from bitten.sightings import Sighting, Sightings, choose
from bitten.testing import INSTRUMENT, random_bars
from bitten.testing.markets import START

MINUTE = 60 * 10**9


def candles(count: int = 60) -> CandleSet:
    bars = random_bars(np.random.default_rng(2), count, gaps=0.0)
    columns = (np.ascontiguousarray(bars[name]) for name in ("time", "open", "high", "low", "close"))
    return CandleSet(5, MINUTE, *columns)


def picture(**changes: object) -> SignalPicture:
    base = SignalPicture(
        candles(), 1, START + 30 * MINUTE, START + 20 * MINUTE, 109_800, 110_400,
        Mark(START + 30 * MINUTE + 10**9, 110_000), Mark(START + 44 * MINUTE, 110_400, "target +2.00 R"), True,
        [Band("zone", 109_850, 109_950)], [Level("level", 110_100)], "EURUSD <M1>",
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def one(svg: str, tag: str, css: str) -> dict[str, str]:
    (found,) = [element for element in parsed(svg).iter(tag) if css in element.get("class", "").split()]
    return dict(found.attrib)


def test_everything_lies_where_it_belongs() -> None:
    svg = signal_svg(picture())
    zone, hope, risk = (one(svg, "rect", css) for css in ("zone", "hope", "risk"))
    stop, target, level = (one(svg, "line", css) for css in ("stop", "target", "level"))
    assert float(target["y1"]) < float(level["y1"]) < float(zone["y"]) < float(stop["y1"]), "y grows downwards"
    assert float(zone["x"]) < float(hope["x"]) == float(risk["x"])
    assert float(hope["y"]) == float(target["y1"])
    assert float(hope["y"]) + float(hope["height"]) == pytest.approx(float(risk["y"]), abs=0.2)
    assert float(one(svg, "circle", "exit")["cy"]) == float(target["y1"])
    assert float(level["x1"]) == float(zone["x"])
    drawn = [element for element in parsed(svg).iter("rect") if element.get("class") in ("up", "down")]
    assert len(drawn) == 60
    words = [element.text for element in parsed(svg).iter("text")]
    assert {"target 1.10400", "entry 1.10000", "stop 1.09800", "level 1.10100", "zone", "buy", "anchor"} <= set(words)
    assert "target +2.00 R" in words


def test_a_signal_without_fill_anchor_or_levels_is_drawn() -> None:
    svg = signal_svg(picture(anchor=None, stop=None, target=None, entry=None, exit=None, bands=(), levels=()))
    assert not list(parsed(svg).iter("circle"))
    assert "anchor" not in [element.text for element in parsed(svg).iter("text")]


def test_labels_keep_their_distance() -> None:
    crowd = [Level(f"level {number}", 110_000 + number) for number in range(6)]
    svg = signal_svg(picture(levels=crowd))
    heights = sorted(
        float(element.get("y", "0"))
        for element in parsed(svg).iter("text")
        if element.get("class") in ("level", "target", "stop", "entry", "zone")
    )
    assert len(heights) == 10
    assert min(np.diff(heights)) > 12


def test_a_far_level_does_not_squeeze_the_candles() -> None:
    plain = [element.get("y1") for element in parsed(signal_svg(picture(levels=()))).iter("line")]
    far = [element.get("y1") for element in parsed(signal_svg(picture(levels=[Level("far", 200_000)]))).iter("line")]
    assert plain == far


def test_titles_and_names_are_escaped() -> None:
    svg = signal_svg(picture(bands=[Band('<b onload="x">', 109_850, 109_950)]))
    assert "<b" not in svg and "EURUSD &lt;M1&gt;" in svg


def test_no_candle_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs candles"):
        signal_svg(picture(candles=CandleSet(5, MINUTE, *([np.zeros(0, np.int64)] * 5))))


def test_zones_are_pairs_of_prices_and_levels_the_others() -> None:
    evidence = {"zone_low": 1.1, "zone_high": 1.2, "level": 1.15, "pool_high": 1.3, "gone": 0.0, "z": 2.5}
    prices = ("zone_low", "zone_high", "level", "pool_high", "gone")
    bands, levels = zones(evidence, prices, 5)
    assert bands == [Band("zone", 110_000, 120_000)]
    assert levels == [Level("level", 115_000), Level("pool high", 130_000)]


def outcome(number: int, confidence: float, reason: str = "target") -> Outcome:
    time = START + (30 + number) * MINUTE
    evidence = {"zone_low": 1.099, "zone_high": 1.0995, "calm_factor": 0.25}
    signal = Signal(
        f"s{number}", "fades", INSTRUMENT, "M1", MINUTE, 1, time, START + 20 * MINUTE, 110_000, 109_800, 110_300, False,
        confidence, 0, ExitPlan(), evidence=evidence,
    )  # fmt: skip
    if reason == "rejected":
        return Outcome(signal, 0, NO_PRICE, signal.time + 1, NO_PRICE, reason, NO_PRICE, 0, 0)
    close = {"target": 110_300, "stop": 109_800, "end": 110_100}[reason]
    return Outcome(signal, signal.time + 1, 110_000, signal.time + 9 * MINUTE, close, reason, 109_800, 0, 0)


def test_examples_are_first_last_best_worst_and_some_between() -> None:
    outcomes = [outcome(number, 50.0 + (number * 7) % 40) for number in range(20)]
    chosen = choose(outcomes, 6)
    assert [(int(one.signal.id[1:]), why) for one, why in chosen] == [
        (0, "the first signal, the lowest confidence"),
        (3, "one between"),
        (9, "one between"),
        (15, "one between"),
        (17, "the highest confidence"),
        (19, "the last signal"),
    ]
    assert chosen == choose(outcomes, 6)
    assert [one.signal.time for one, _ in chosen] == sorted(one.signal.time for one, _ in chosen)
    assert len(choose(outcomes, 1)) == 1 and len(choose(outcomes, 60)) == 20
    assert choose(outcomes[:1], 6) == [
        (outcomes[0], "the first signal, the last signal, the highest confidence, the lowest confidence")
    ]


class Fades(Pattern):
    evidence = ("zone_low", "zone_high", "calm_factor")
    evidence_prices = ("zone_low", "zone_high")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("target", "reached the target after 9 min, +1.50 R, +30.0 pips"),
        ("stop", "stopped out after 9 min, −1.00 R, −20.0 pips"),
        ("end", "still open 9 min later, when the data ended, +0.50 R, +10.0 pips"),
        ("rejected", "rejected at the fill"),
    ],
)
def test_the_page_tells_what_became_of_each(reason: str, words: str) -> None:
    history = History(INSTRUMENT, "M1", "<files> & more", False, (), Manager(), None, "M1")
    shown = Sighting(outcome(0, 61.2, reason).signal, outcome(0, 61.2, reason), "the first signal", candles())
    sightings = Sightings(history, Fades, START, START + 60 * MINUTE, 60, 1, {reason: 1}, ["<b>alert</b>"], [shown])
    page = sightings_page(sightings, "<fades>", "Fades & more.", "defaults")
    assert f">{words}</span>" in page
    assert "&lt;fades&gt;: what it sees in EURUSD M1" in page and "&lt;files&gt; &amp; more" in page
    assert "&lt;b&gt;alert" in page
    assert '<span class="quiet">calm</span>' in page and "width:25.0%" in page
    assert "<dt>zone low</dt><dd>1.09900</dd>" in page
    assert re.search(r"61\.2 <small>of 100", page)
    assert "<script" not in page and "default-src 'none'" in page


def test_a_distance_counts_from_the_fill() -> None:
    filled = outcome(0, 50.0, "stop")
    relative = replace_signal(filled, stop_points=200, target_points=300, relative=True)
    drawn = signal_picture(Sighting(relative.signal, relative, "", candles()), Fades)
    assert (drawn.stop, drawn.target) == (109_800, 110_300)


def replace_signal(one: Outcome, **changes: object) -> Outcome:
    return altered(one, signal=altered(one.signal, **changes))
