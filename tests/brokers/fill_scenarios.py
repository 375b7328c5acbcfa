"""Every fill rule as a worked case: quotes, one order decided at t = 0, what must come of it.

Times are seconds, prices points. `quotes` is (time, bid, ask), `order` the fields of the signal and its plan,
`executor` the assumptions; `end` is (kind, time, price, reason) of the last report, `fill` (time, price) of the entry.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Scenario(NamedTuple):
    rule: str
    quotes: list[tuple[float, int, int]]
    order: dict[str, Any]
    fill: tuple[float, int] | None
    end: tuple[str, float, int, str]
    executor: dict[str, Any] = {}  # noqa: RUF012 - never changed
    stops_level: int = 0


CALM = [(0, 100, 102), (1, 100, 102), (2, 101, 103), (3, 100, 102)]
BUY = {"side": 1, "stop": 90, "target": 120}
SELL = {"side": -1, "stop": 112, "target": 80}

SCENARIOS = [
    Scenario("a buy fills at the ask of the first quote after the decision, not at the one that caused it",
             CALM, BUY, (1, 102), ("CLOSED", 3, 100, "end")),
    Scenario("a sell fills at the bid and ends at the ask", CALM, SELL, (1, 100), ("CLOSED", 3, 102, "end")),
    Scenario("a quote at exactly decision plus latency does not fill, the next one does",
             CALM, BUY, (2, 103), ("CLOSED", 3, 100, "end"), {"latency_ms": 1000.0}),
    Scenario("slippage is adverse on the entry of a buy", CALM, BUY, (1, 105), ("CLOSED", 3, 100, "end"),
             {"slippage_points": 3}),
    Scenario("slippage is adverse on the entry of a sell", CALM, SELL, (1, 97), ("CLOSED", 3, 102, "end"),
             {"slippage_points": 3}),
    Scenario("a long stops at the bid that touches, which a gap leaves beyond the stop",
             [(0, 100, 102), (1, 100, 102), (2, 85, 87)], BUY, (1, 102), ("CLOSED", 2, 85, "stop")),
    Scenario("a touch is enough: bid equal to the stop", [(0, 100, 102), (1, 100, 102), (2, 90, 92)], BUY, (1, 102),
             ("CLOSED", 2, 90, "stop")),
    Scenario("one point above the stop is none", [(0, 100, 102), (1, 100, 102), (2, 91, 93)], BUY, (1, 102),
             ("CLOSED", 2, 91, "end")),
    Scenario("slippage is adverse on a stop", [(0, 100, 102), (1, 100, 102), (2, 90, 92)], BUY, (1, 105),
             ("CLOSED", 2, 87, "stop"), {"slippage_points": 3}),
    Scenario("a long's target fills at the target though the bid is beyond it",
             [(0, 100, 102), (1, 100, 102), (2, 125, 127)], BUY, (1, 102), ("CLOSED", 2, 120, "target")),
    Scenario("target_fill = quote gives the better quote", [(0, 100, 102), (1, 100, 102), (2, 125, 127)], BUY,
             (1, 102), ("CLOSED", 2, 125, "target"), {"target_fill": "quote"}),
    Scenario("slippage never touches a target", [(0, 100, 102), (1, 100, 102), (2, 120, 122)], BUY, (1, 105),
             ("CLOSED", 2, 120, "target"), {"slippage_points": 3}),
    Scenario("a short looks at the ask only: the bid reaching its target is nothing",
             [(0, 100, 102), (1, 100, 102), (2, 79, 81)], SELL, (1, 100), ("CLOSED", 2, 81, "end")),
    Scenario("a short's target at the ask", [(0, 100, 102), (1, 100, 102), (2, 77, 79)], SELL, (1, 100),
             ("CLOSED", 2, 80, "target")),
    Scenario("a short stops at the ask that touches", [(0, 100, 102), (1, 100, 102), (2, 113, 115)], SELL, (1, 100),
             ("CLOSED", 2, 115, "stop")),
    Scenario("the filling quote itself never closes: the spread alone would have stopped it",
             [(0, 100, 102), (1, 100, 130), (2, 100, 102)], {"side": -1, "stop": 131, "target": 80}, (1, 100),
             ("CLOSED", 2, 102, "end")),
    Scenario("a stop on the wrong side of the bid is rejected", CALM, {"side": 1, "stop": 101, "target": 120}, None,
             ("REJECTED", 1, 0, "")),
    Scenario("a stop equal to the close side is rejected", CALM, {"side": 1, "stop": 100, "target": 120}, None,
             ("REJECTED", 1, 0, "")),
    Scenario("a target already reached is rejected", CALM, {"side": 1, "stop": 90, "target": 100}, None,
             ("REJECTED", 1, 0, "")),
    Scenario("a stop nearer than the stops level is rejected", CALM, {"side": 1, "stop": 95, "target": 120}, None,
             ("REJECTED", 1, 0, ""), {}, 6),
    Scenario("a stop at exactly the stops level is taken", CALM, {"side": 1, "stop": 94, "target": 120}, (1, 102),
             ("CLOSED", 3, 100, "end"), {}, 6),
    Scenario("distances are measured from the fill price",
             [(0, 100, 102), (1, 100, 102), (2, 95, 97), (3, 94, 96)],
             {"side": 1, "stop": 8, "target": 20, "relative": True}, (1, 102), ("CLOSED", 3, 94, "stop")),
    Scenario("an order without a quote in time expires at its expiry",
             [(0, 100, 102), (10, 100, 102)], {**BUY, "expiry": 5}, None, ("EXPIRED", 5, 0, "")),
    Scenario("a quote at the expiry still fills", [(0, 100, 102), (5, 100, 102)], {**BUY, "expiry": 5}, (5, 102),
             ("CLOSED", 5, 100, "end")),
    Scenario("break-even: after one R the stop is the entry price",
             [(0, 100, 102), (1, 100, 102), (2, 114, 116), (3, 102, 104)], {**BUY, "breakeven_r": 1.0}, (1, 102),
             ("CLOSED", 3, 102, "breakeven")),
    Scenario("break-even: a point less than one R moves nothing",
             [(0, 100, 102), (1, 100, 102), (2, 113, 115), (3, 102, 104)], {**BUY, "breakeven_r": 1.0}, (1, 102),
             ("CLOSED", 3, 102, "end")),
    Scenario("trailing follows the best bid and never steps back",
             [(0, 100, 102), (1, 100, 102), (2, 110, 112), (3, 106, 108), (4, 104, 106)], {**BUY, "trail": 5},
             (1, 102), ("CLOSED", 4, 104, "trailing")),
    Scenario("a new best moves the stop from the next quote on, not at its own",
             [(0, 100, 102), (1, 100, 102), (2, 118, 120), (3, 113, 115)], {**BUY, "trail": 5}, (1, 102),
             ("CLOSED", 3, 113, "trailing")),
    Scenario("a time stop in minutes ends at the first quote at or after it",
             [(0, 100, 102), (1, 100, 102), (60, 101, 103), (61, 99, 101), (70, 98, 100)], {**BUY, "hold": 60},
             (1, 102), ("CLOSED", 61, 99, "time")),
    Scenario("a time stop of one bar ends at the first quote of the next bar",
             [(0, 100, 102), (1, 100, 102), (59, 101, 103), (63, 99, 101)], {**BUY, "bars": 1}, (1, 102),
             ("CLOSED", 63, 99, "time")),
    Scenario("bars without quotes do not count", [(0, 100, 102), (1, 100, 102), (3600, 99, 101), (3660, 98, 100)],
             {**BUY, "bars": 2}, (1, 102), ("CLOSED", 3660, 98, "time")),
    Scenario("slippage is adverse on a time stop", [(0, 100, 102), (1, 100, 102), (61, 99, 101)],
             {**BUY, "hold": 60}, (1, 104), ("CLOSED", 61, 97, "time"), {"slippage_points": 2}),
    Scenario("where a quote meets stop and time, the stop is the reason",
             [(0, 100, 102), (1, 100, 102), (61, 90, 92)], {**BUY, "hold": 60}, (1, 102), ("CLOSED", 61, 90, "stop")),
    Scenario("without stop and target it stays open to the end",
             [(0, 100, 102), (1, 100, 102), (2, 1, 2), (3, 900, 902)], {"side": 1}, (1, 102),
             ("CLOSED", 3, 900, "end")),
]  # fmt: skip


class BarScenario(NamedTuple):
    rule: str
    bars: list[tuple[int, int, int, int]]  # open, high, low, close of successive minutes; spread 2
    order: dict[str, Any]  # decided at the close of the first bar
    intrabar: str
    end: tuple[str, float, int, str]  # time in seconds from the start of the first bar
    executor: dict[str, Any] = {}  # noqa: RUF012 - never changed


FIRST = (100, 101, 99, 100)
BAR_SCENARIOS = [
    BarScenario("stop and target in one bar: the stop, at the stop",
                [FIRST, (100, 130, 80, 125)], BUY, "pessimistic", ("CLOSED", 80, 90, "stop")),
    BarScenario("on its own path a rising bar visits the low first", [FIRST, (100, 130, 80, 125)], BUY, "path",
                ("CLOSED", 80, 90, "stop")),
    BarScenario("on its own path a falling bar visits the high first", [FIRST, (100, 130, 80, 85)], BUY, "path",
                ("CLOSED", 80, 120, "target")),
    BarScenario("pessimistic: the falling bar too ends at the stop", [FIRST, (100, 130, 80, 85)], BUY, "pessimistic",
                ("CLOSED", 80, 90, "stop")),
    BarScenario("a short mirrors it", [FIRST, (100, 130, 70, 125)], SELL, "pessimistic",
                ("CLOSED", 80, 112, "stop")),
    BarScenario("a bar that opens beyond the stop fills at its open", [FIRST, (100, 101, 99, 100), (85, 95, 80, 90)],
                BUY, "pessimistic", ("CLOSED", 120, 85, "stop")),
    BarScenario("a bar that opens beyond the target fills at the target",
                [FIRST, (100, 101, 99, 100), (125, 130, 121, 126)], BUY, "pessimistic",
                ("CLOSED", 120, 120, "target")),
    BarScenario("target_fill = quote takes that open", [FIRST, (100, 101, 99, 100), (125, 130, 121, 126)], BUY,
                "pessimistic", ("CLOSED", 120, 125, "target"), {"target_fill": "quote"}),
]  # fmt: skip
