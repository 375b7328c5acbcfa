"""CITADEL on hand-made markets: the whole score, every veto, sizes, sentences and queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitten.config import read_config
from bitten.errors import BittenError, ConfigError
from bitten.gate import Score
from bitten.instants import instant
from bitten.manager import Manager
from bitten.model.dtypes import NO_PRICE, NS_PER_MINUTE, NS_PER_SECOND
from bitten.model.facts import Signal
from tests.markets import instrument
from tests.plugins.shields.made import CALM, bars, flat, quotes, shield, signal, view
from tests.replay import settings

CALENDAR = """time,currency,impact,event
2024-04-10 13:30,USD,high,CPI
2024-04-12 08:00,JPY,high,Something in Tokyo
2024-04-16 00:00,USD,medium,Nothing much
2024-04-17 00:00,EUR,high,ECB
"""


def seen(of: Signal, closes: list[int] | None = None, made: Any = None, **options: Any) -> tuple[Any, Score]:
    """Score a signal after a calm hour of bars; `options` are of the quotes, `config` of CITADEL."""
    config = options.pop("config", {})
    citadel = shield("citadel", **config)
    now = options.setdefault("now", of.time)
    last = quotes(**options)
    citadel.observe("EURUSD", last, {"M1": bars(flat() if closes is None else closes, now) if made is None else made})
    return citadel, citadel.score(of, view(last, now))


def test_a_calm_market() -> None:
    _, score = seen(signal(), spread=6)
    # nothing has been swept and no pool lies about: 4 x 0.4 is all it costs
    assert score.score == score.evidence["score"] == pytest.approx(8.4)
    assert (score.scale, score.veto, score.confidence) == (1.0, None, None)
    # a spread of 8 is 0.2 ATR, of which up to 0.15 are free
    assert seen(signal(), spread=8)[1].score == pytest.approx(8.4 - 4 * (0.2 - 0.15) / 0.35)


def test_evidence_is_complete_and_ready_for_json() -> None:
    _, score = seen(signal(), spread=6)
    names = {
        "sweep", "spread", "spread_normal", "spread_observations", "spread_ratio", "spread_atr", "spread_r",
        "volatility", "range_atr", "session", "drift_adverse", "drift_favourable", "quote_age", "crossed_share",
        "steps_back", "f_sweep", "f_spread", "f_volatility", "f_session", "f_drift", "f_quotes", "score", "size",
    }  # fmt: skip
    assert set(score.evidence) == names
    json.dumps(score.evidence, allow_nan=False)
    assert score.evidence["spread_ratio"] == 0.75
    assert score.evidence["spread_atr"] == pytest.approx(6 / 40)
    assert score.evidence["spread_r"] == pytest.approx(6 / 100)


def sweep_of_lows(after: int) -> Any:
    """A low 30 bars ago, taken and given back by a bar after which as many follow."""
    closes = flat(90)
    made = bars(closes)
    made["low"][50] -= 30
    taken = 89 - after
    made["low"][taken] = made["low"][50] - 20
    return made


@pytest.mark.parametrize(
    ("side", "after", "kind", "factor"),
    [(1, 0, 2, 1.0), (1, 9, 2, 1.0), (1, 10, 0, 0.6), (-1, 0, -2, 0.0), (-1, 4, -2, 0.0), (-1, 5, 0, 0.6)],
)
def test_sweeps(side: int, after: int, kind: int, factor: float) -> None:
    # a pool that swept levels leave behind would lie before the stop of later signals: a near stop
    of = signal(side, stop_points=110_000 - side * 15, target_points=110_000 + side * 60, atr_points=0.0)
    _, score = seen(of, made=sweep_of_lows(after), spread=4)
    assert (score.evidence["sweep"], score.evidence["f_sweep"]) == (kind, factor)
    if kind:
        assert score.evidence["level"] == pytest.approx(1.09950)
        assert score.evidence["sweep_bars"] == after
    assert score.score <= (4.0 if factor == 0.0 else 10.0)


@pytest.mark.parametrize(("depth", "kind"), [(30, -1), (108, -1), (140, 0)])
def test_pool_before_the_stop(depth: int, kind: int) -> None:
    """Also a little behind it: within 0.3 ATR."""
    made = bars(flat(90))
    made["low"][70] = 110_000 - depth
    _, score = seen(signal(), made=made, spread=4)
    assert score.evidence["sweep"] == kind
    if kind:
        assert score.evidence["level"] == pytest.approx(1.1 - depth / 1e5)
    mirrored = bars(flat(90))
    mirrored["high"][70] = 110_000 + depth
    assert seen(signal(-1), made=mirrored, spread=4)[1].evidence["sweep"] == kind


@pytest.mark.parametrize(
    ("options", "changes", "text"),
    [
        ({"age": 30.5}, {}, "the last quote was 30.5 s old, limit is 30 s"),
        ({"spread": 19}, {"half": 10}, "spread was 19 points, 0.950 ATR; limit is 0.5 ATR"),
        ({"spread": 49}, {}, "spread was 49 points, 6.1 times the usual 8.0; limit is 6 times"),
        ({"bid": 109_900}, {}, "price lies beyond the stop, 100 % of the way from the signal's price to it"),
        ({"bid": 110_200}, {}, "price lies beyond the target, 100 % of the way from the signal's price to it"),
        ({"now": instant("2024-04-13T12:00")}, {}, "the market is closed for the weekend"),
    ],
)
def test_vetoes(options: dict[str, Any], changes: dict[str, Any], text: str) -> None:
    now = options.get("now", CALM)
    made = bars(flat(), now, half=changes.get("half", 100))
    _, score = seen(signal(time=now), made=made, **options)
    assert (score.score, score.veto) == (1.0, text)
    assert score.evidence["score"] == 1.0


@pytest.mark.parametrize(
    ("side", "bid", "spread", "beyond"),
    [(-1, 109_796, 4, "target"), (-1, 109_797, 4, None), (-1, 110_096, 4, "stop"), (-1, 110_095, 4, None)],
)
def test_a_sell_closes_at_the_ask(side: int, bid: int, spread: int, beyond: str | None) -> None:
    _, score = seen(signal(side), made=bars(flat(), half=100), bid=bid, spread=spread)
    if beyond:
        assert score.veto is not None and f"beyond the {beyond}" in score.veto
    else:
        assert score.veto is None or "beyond" not in score.veto


def test_levels_that_move_with_the_fill_are_not_passed() -> None:
    of = signal(relative=True, stop_points=100, target_points=200)
    _, score = seen(of, bid=109_850)
    assert score.evidence["drift_adverse"] == 1.5
    assert score.veto is None or "beyond" not in score.veto


def test_drift_counts_from_the_signal_however_late() -> None:
    """A person accepts later: the market is looked at again as it is then."""
    citadel, first = seen(signal(), spread=4)
    later = CALM + 3 * NS_PER_MINUTE
    moved = quotes(110_070, 4, later, count=150)
    citadel.observe("EURUSD", moved, {"M1": bars(flat(3), later)})
    second = citadel.score(signal(), view(moved, later))
    assert first.evidence["f_drift"] == 1.0
    assert second.evidence["drift_favourable"] == 0.35
    assert second.evidence["f_drift"] == pytest.approx(1 - (0.7 - 0.3) / 0.7)
    assert second.score < first.score


def test_without_levels_drift_is_not_measured() -> None:
    _, score = seen(signal(stop_points=NO_PRICE, target_points=NO_PRICE))
    assert "f_drift" not in score.evidence
    assert "spread_r" not in score.evidence


def test_before_there_are_bars_only_what_is_known_counts() -> None:
    citadel = shield("citadel")
    last = quotes()
    citadel.observe("EURUSD", last, {"M1": bars([])})
    score = citadel.score(signal(), view(last))
    assert {"f_volatility", "range_atr"}.isdisjoint(score.evidence)
    assert score.evidence["spread_observations"] == 0
    assert score.evidence["spread_atr"] == pytest.approx(8 / 40)  # of the signal's own ATR
    texts = [one.text for one in citadel.insights(score.evidence, {"symbol": "EURUSD", "side": "buy"})]
    assert any("assumed, too few have been seen" in text for text in texts)
    assert any("Fewer than 50 bars" in text for text in texts)


def test_a_symbol_without_quotes_is_vetoed() -> None:
    score = shield("citadel").score(signal(), view(quotes(), CALM - 3600 * NS_PER_SECOND))
    assert score.veto == "EURUSD has no quote yet"


@pytest.mark.parametrize(
    ("spread", "scale", "refused"),
    [(8, 1.0, False), (20, 0.75, False), (26, 0.5, False), (32, 0.5, False)],
)
def test_sizes(spread: int, scale: float, refused: bool) -> None:
    _, score = seen(signal(), made=bars(flat(), half=200), spread=spread)
    assert (score.scale, score.veto is not None) == (scale, refused)


def test_a_low_score_refuses_with_what_costs_most() -> None:
    made = bars(flat(), instant("2024-04-10T21:30"), half=200)
    _, score = seen(signal(time=instant("2024-04-10T21:30")), made=made, spread=30)
    assert score.score == pytest.approx(10 - 3 - 4 * (3.75 - 1.25) / 2.75 - 1.6)
    assert score.veto == "protection score 1.8 of 10, stand down: spread costs 3.6, session costs 3.0, sweep costs 1.6"
    lenient = {"sizes": ((8, 1.0), (1, 0.25))}
    assert seen(signal(time=instant("2024-04-10T21:30")), made=made, spread=30, config=lenient)[1].scale == 0.25


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    (tmp_path / "news.csv").write_text(CALENDAR)
    return tmp_path


@pytest.mark.parametrize(
    ("minutes", "factor", "veto"),
    [
        (-60, 1.0, False), (-25, 0.8, False), (-3, 0.0, False), (-2, 0.0, True), (2, 0.0, True), (3, 0.0, False),
        (20, 0.5, False),
    ],
)  # fmt: skip
def test_news(calendar: Path, minutes: int, factor: float, veto: bool) -> None:
    now = CALM + minutes * NS_PER_MINUTE
    _, score = seen(signal(time=now), spread=4, config={"calendar": "news.csv", "folder": calendar})
    assert score.evidence["news_minutes"] == -minutes
    assert score.evidence["f_news"] == pytest.approx(factor)
    assert (score.veto is not None and "CPI" in score.veto) == veto
    if factor == 0.0:
        assert score.score <= 4.0


def test_news_in_words(calendar: Path) -> None:
    now = CALM - 12 * NS_PER_MINUTE
    citadel, score = seen(signal(time=now), config={"calendar": "news.csv", "folder": calendar})
    (news,) = (one for one in citadel.insights(score.evidence, {"symbol": "EURUSD"}) if one.factor == "news")
    assert news.text.startswith("CPI is due in 12 min: ")
    assert (news.weight, news.value) == (4.0, pytest.approx(7 / 25))
    assert citadel.notes() == ()


def test_a_calendar_that_does_not_reach_the_date(calendar: Path) -> None:
    now = CALM + 28 * 24 * 60 * NS_PER_MINUTE
    citadel, score = seen(signal(time=now), config={"calendar": "news.csv", "folder": calendar})
    assert "f_news" not in score.evidence
    assert citadel.notes() == ("the news calendar does not reach the time of 1 scores: news were not checked",)
    texts = [one.text for one in citadel.insights(score.evidence, {"symbol": "EURUSD"})]
    assert "The news calendar does not reach this date: not checked." in texts


def test_no_calendar_is_said() -> None:
    citadel, score = seen(signal())
    assert "no news calendar is loaded" in citadel.notes()[0]
    last = citadel.insights(score.evidence, {"symbol": "EURUSD"})[-1]
    assert last == ("news", 1.0, 0.0, "No news calendar is loaded: not checked.")


def test_a_calendar_that_is_missing_or_bad_is_an_error(calendar: Path) -> None:
    with pytest.raises(BittenError, match=r"none\.parquet cannot be read: No such file.*bitten data calendar import"):
        shield("citadel", calendar="none.parquet", folder=calendar)
    (calendar / "bad.csv").write_text("time,currency,impact,event\nsoon,USD,high,CPI\n")
    with pytest.raises(BittenError, match=r'bad\.csv:2: "soon" is no date and time'):
        shield("citadel", calendar="bad.csv", folder=calendar)


def test_sentences_have_their_numbers() -> None:
    citadel, score = seen(signal(), made=sweep_of_lows(3), bid=110_020, spread=14)
    texts = {one.factor: one.text for one in citadel.insights(score.evidence, {"symbol": "EURUSD", "side": "buy"})}
    assert set(texts) == {"sweep", "spread", "volatility", "session", "news", "drift", "quotes"}
    assert "Stops below 1.09950 were taken 3 bars ago" in texts["sweep"]
    assert "1.8 times its usual size for this hour" in texts["spread"] and "0.14 R" in texts["spread"]
    assert "10 % of the planned move" in texts["drift"]
    assert "London and New York are both open" in texts["session"]
    sold = {one.factor: one.text for one in citadel.insights({"sweep": -2.0, "level": 1.0995}, {"side": "sell"})}
    assert "swept the lows at 1.0995" in sold["sweep"]


def test_the_costliest_reason_comes_first() -> None:
    citadel, score = seen(signal(), spread=14)
    costs = [one.weight * (1 - one.value) for one in citadel.insights(score.evidence, {"symbol": "EURUSD"})]
    assert costs == sorted(costs, reverse=True) and costs[0] > 0


# -- queries -----------------------------------------------------------------------------------------------------------


def test_queries() -> None:
    citadel, score = seen(signal(), made=sweep_of_lows(2), spread=4)
    said = citadel.answer({"type": "score", "signal_id": "s1"})
    json.dumps(said, allow_nan=False)
    assert (said["score"], said["label"], said["size"], said["veto"]) == (10, "shielded", 1.0, None)
    assert said["exact"] == score.score
    assert {one["factor"] for one in said["factors"]} >= {"sweep", "spread", "news"}
    state = citadel.answer({"type": "state", "symbol": "EURUSD"})
    json.dumps(state, allow_nan=False)
    assert (state["session"], state["spread"], state["spread_normal"]) == ("overlap", 4, 8.0)
    assert state["charts"]["M1"]["bars"] == 90 and state["news_checked"] is False
    levels = citadel.answer({"type": "levels", "symbol": "EURUSD"})
    json.dumps(levels, allow_nan=False)
    assert levels["levels"] == []  # the only swing has been swept
    made = bars(flat(90))
    made["low"][70] -= 30
    citadel, _ = seen(signal(), made=made)
    (pool,) = citadel.answer({"type": "levels", "symbol": "EURUSD"})["levels"]
    assert (pool["kind"], pool["timeframe"], pool["level"]) == ("pool_low", "M1", 1.0995)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({}, 'unknown type "None": allowed are levels, score, state'),
        ({"type": "scores"}, 'unknown type "scores": did you mean "score"?'),
        ({"type": ["state"]}, "unknown type \"['state']\""),
        ({"type": "score", "signal_id": "s9"}, 'no score of a signal "s9" is remembered'),
        ({"type": "score", "signal_id": []}, "no score of a signal"),
        ({"type": "state", "symbol": "EURUSB"}, 'no quotes of "EURUSB" have been seen: did you mean "EURUSD"?'),
        ({"type": "levels"}, 'no quotes of "None" have been seen'),
        (["state"], "a query is an object with a type, not list"),
    ],
)
def test_queries_that_cannot_be_answered(query: Any, error: str) -> None:
    citadel, _ = seen(signal())
    said = citadel.answer(query)
    assert list(said) == ["error"]
    assert error in said["error"]


def test_scores_are_forgotten_in_the_end() -> None:
    citadel, _ = seen(signal())
    last = quotes()
    for number in range(1100):
        citadel.score(signal(id=f"n{number}"), view(last))
    assert len(citadel.given) == 1000
    assert "error" in citadel.answer({"type": "score", "signal_id": "s1"})


# -- configuration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"weights": {"swep": 1.0}}, 'unknown key "swep" in gates.weights: did you mean "sweep"?'),
        ({"weights": {"news": -1.0}}, "news"),
        ({"sizes": [[4, 0.5], [8, 1.0]]}, "sizes name the scores [4, 8], must go down"),
        ({"sizes": [[8, 0.5], [4, 1.0]]}, "a lower score must not trade more"),
        ({"calender": "x"}, 'unknown key "calender" in gates: did you mean "calendar"?'),
    ],
)
def test_configuration_errors(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(settings(gates=[{"use": "citadel", **table}, {"use": "risk"}]))
    assert words in str(error.value)


def test_a_default_spread_for_a_symbol_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="default_spread names GBPUSD"):
        shield("citadel", default_spread={"GBPUSD": 10})


def test_default_spread_is_used_until_there_are_observations() -> None:
    _, score = seen(signal(), flat(59), config={"default_spread": {"EURUSD": 4}})
    assert (score.evidence["spread_normal"], score.evidence["spread_ratio"]) == (4.0, 2.0)


def test_switched_off_news_weigh_and_veto_nothing(calendar: Path) -> None:
    from bitten_plugins.shields.citadel import Weights

    config = {"calendar": "news.csv", "folder": calendar, "weights": Weights(news=0.0)}
    _, score = seen(signal(), spread=4, config=config)
    assert score.veto is None and "f_news" not in score.evidence


def test_every_parameter_is_described() -> None:
    for name in ("citadel", "session_filter", "spread_filter", "calibrator"):
        from msgspec.inspect import Metadata, type_info

        info = type_info(Manager().find("shields", name).load().Config)
        for field in info.fields:  # type: ignore[attr-defined]
            assert isinstance(field.type, Metadata) and (field.type.extra_json_schema or {}).get("description"), (
                name, field.name,
            )  # fmt: skip


def test_liquidity_table() -> None:
    made = bars(flat(90))
    made["low"][50], made["low"][70] = 109_950, 109_940
    citadel, _ = seen(signal(), made=made)
    rows = [row for row in citadel.tables()["liquidity"].to_pylist() if row["kind"].startswith("pool")]
    assert [(row["kind"], row["level"], row["swept"] is None, row["ended"] is None) for row in rows] == [
        ("pool_low", 1.0995, False, False), ("pool_low", 1.0994, True, True),
    ]  # fmt: skip
    assert rows[0]["swept"].value == int(made["known"][70])
    assert rows[0]["since"].value == int(made["time"][50])
    assert shield("citadel", map_rows=0).tables() == {}


def test_other_instruments_have_their_own_watch() -> None:
    gold = instrument("XAUUSD", digits=3, base="XAU", default_spread=300)
    citadel = shield("citadel", {"XAUUSD": gold})
    last = quotes(1_300_000, 310, symbol="XAUUSD")
    citadel.observe("XAUUSD", last, {"M1": bars(flat(price=1_300_000), spread=300, half=1500)})
    of = signal(instrument=gold, reference_points=1_300_000, stop_points=1_297_000, target_points=1_306_000)
    score = citadel.score(of, view(last, facts=gold))
    assert score.evidence["spread_ratio"] == pytest.approx(310 / 300)
    assert np.isfinite(list(score.evidence.values())).all()
