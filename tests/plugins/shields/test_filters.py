"""Session filter and spread filter on hand-made markets."""

from __future__ import annotations

from typing import Any

import pytest

from bitten.errors import ConfigError
from bitten.instants import instant
from tests.plugins.shields.made import bars, flat, quotes, shield, signal, view


@pytest.mark.parametrize(
    ("config", "when", "veto"),
    [
        ({"sessions": ("london", "new_york")}, "2024-04-10 07:00", None),
        ({"sessions": ("london", "new_york")}, "2024-04-10 06:59", "it was quiet, allowed are london, new_york"),
        ({"sessions": ("overlap",)}, "2024-03-13 12:00", None),
        ({"sessions": ("overlap",)}, "2024-04-10 11:59", "it was london, allowed are overlap"),
        ({"sessions": ("new_york",)}, "2024-04-12 19:30", None),
        ({"sessions": ("new_york",), "avoid": ("friday_late",)}, "2024-04-12 19:30",
         "it was friday_late, which is avoided"),
        ({"avoid": ("rollover",)}, "2024-04-10 21:00", "it was rollover, which is avoided"),
        ({"hours": ("08:00-11:30",), "zone": "Europe/London"}, "2024-04-10 07:00", None),
        ({"hours": ("08:00-11:30",), "zone": "Europe/London"}, "2024-01-10 07:00",
         "it was 07:00 (Europe/London), allowed are 08:00-11:30"),
        ({"hours": ("08:00-11:30",), "zone": "Europe/London"}, "2024-04-10 10:30",
         "it was 11:30 (Europe/London), allowed are 08:00-11:30"),
        ({"hours": ("22:00-02:00",)}, "2024-04-10 23:00", None),
        ({"hours": ("22:00-02:00",)}, "2024-04-10 01:59", None),
        ({"hours": ("22:00-02:00",)}, "2024-04-10 02:00", "it was 02:00 (UTC), allowed are 22:00-02:00"),
        ({"weekdays": ("monday",), "zone": "NY+7"}, "2024-04-14 22:00", None),
        ({"weekdays": ("monday",)}, "2024-04-14 22:00", "it was Sunday (UTC), allowed are monday"),
    ],
)  # fmt: skip
def test_session_filter(config: dict[str, Any], when: str, veto: str | None) -> None:
    now = instant(when)
    of = shield("session_filter", **config)
    score = of.score(signal(time=now), view(quotes(now=now), now))
    assert (score.veto, score.score, score.scale) == (veto, 10.0 if veto is None else 1.0, 1.0)
    assert when[-5:-3] in of.insights(score.evidence, {})[0].text or "zone" in config


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "nothing says when to trade"),
        ({"hours": ("8-11",)}, 'hours "8-11" is no span of a day'),
        ({"hours": ("08:00-25:00",)}, "is no span of a day"),
        ({"hours": ("08:00-08:00",)}, "is no span of a day"),
    ],
)
def test_session_filter_refuses(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        shield("session_filter", **config)


def test_session_filter_refuses_a_clock_that_is_none() -> None:
    with pytest.raises(ConfigError, match='zone: clock "Londn" is unknown'):
        shield("session_filter", weekdays=("monday",), zone="Londn")


@pytest.mark.parametrize(
    ("spread", "score", "veto"),
    [
        (8, 10.0, None), (16, 7.0, None), (24, 4.0, None),
        (25, 1.0, "spread was 25 points, limit is 3 times the usual 8.0"),
    ],
)  # fmt: skip
def test_spread_filter(spread: int, score: float, veto: str | None) -> None:
    of = shield("spread_filter")
    last = quotes(spread=spread)
    of.observe("EURUSD", last, {"M1": bars(flat(), spread=8), "M5": bars(flat(), spread=50, minutes=5)})
    said = of.score(signal(), view(last))
    assert (said.score, said.veto) == (score, veto)
    assert "usual for this hour are 8.0 (the median of 80 bars)" in of.insights(said.evidence, {})[0].text


def test_spread_filter_without_observations() -> None:
    of = shield("spread_filter", times=2.0, default_spread={"EURUSD": 4})
    last = quotes(spread=9)
    said = of.score(signal(), view(last))
    assert said.veto == "spread was 9 points, limit is 2 times the usual 4.0"
    assert "assumed" in of.insights(said.evidence, {})[0].text
