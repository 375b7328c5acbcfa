"""What the figures are held against: one row per goal, judged from the figures that the parts have written."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from benchmarks.accounts import worst_of_hundred
from benchmarks.onbar import EMPTY, bars_per_second
from benchmarks.positions import MEASURES, growth
from benchmarks.report import Sheet
from benchmarks.stores import ALL, EVERY, LONG, STARTER

Figures = Mapping[str, Any]
Verdict = tuple[str, bool | None]  # what was measured; whether the goal is reached, None where that cannot be said

HALF: Final = 0.5  # of pyarrow's rate
HUNDRED_MILLION: Final = 100_000_000  # smaller sizes are not held against the goals: start-up would decide
BILLION: Final = 1_000_000_000
BILLION_SECONDS: Final = 40
BILLION_MIB: Final = 1024
NO_GROWTH: Final = 1.1  # a quote more may seem to cost so much more at greater length: the machine's noise
POSITIONS_PERCENT: Final = 20
HELP_SECONDS: Final = 0.3
DAY_SECONDS: Final = 1.5
COLD_SECONDS: Final = 15
JOB_SECONDS: Final = {"A": 1.5, "B": 2.0, "C": 2.5}
EVENT_DRIVEN: Final = 50
SWEEP_SECONDS: Final = 60
SWEEP: Final = (1_000, 10_000_000)  # combinations, ticks each
BARS_PER_SECOND: Final = 300_000  # and core, empty body
ACCOUNTS: Final = 5_000
CHAIN_SECONDS: Final = 0.010
KEPT: Final = "refusals"  # what a table of thousands keeps of its decisions


class Goal(NamedTuple):
    """One row of the summary."""

    part: str
    what: str
    goal: str
    judge: Callable[[Figures], Verdict]


def _ticks(name: str) -> Callable[[Figures], Verdict]:
    def judge(figures: Figures) -> Verdict:
        ratio = figures["ratios"][name]
        reached = ratio >= HALF if figures["quotes"] >= HUNDRED_MILLION else None
        return f"{ratio:.2f} of it over {figures['quotes']:,} quotes", reached

    return judge


def _billion_time(name: str) -> Callable[[Figures], Verdict]:
    def judge(figures: Figures) -> Verdict:
        longest = figures["strategies"][name]["lengths"][-1]
        wall = statistics.median(longest["wall"])
        reached = wall < BILLION_SECONDS if longest["quotes"] >= BILLION else None
        return f"{wall:.1f} s for {longest['quotes']:,} quotes, {len(longest['wall'])} runs", reached

    return judge


def _billion_memory(figures: Figures) -> Verdict:
    longest = [one["lengths"][-1] for one in figures["strategies"].values()]
    peak = max(one["peak"] for one in longest)
    reached = peak < BILLION_MIB if min(one["quotes"] for one in longest) >= BILLION else None
    return f"{peak:.0f} MiB", reached


def _billion_growth(name: str) -> Callable[[Figures], Verdict]:
    def judge(figures: Figures) -> Verdict:
        before, after = figures["strategies"][name]["further"]
        whole = figures["strategies"][name]["lengths"][-1]["quotes"] >= BILLION
        return f"{before:.1f}, then {after:.1f} ns per quote more", after <= before * NO_GROWTH if whole else None

    return judge


def _positions(name: str) -> Callable[[Figures], Verdict]:
    def judge(figures: Figures) -> Verdict:
        percent = growth(figures, name)
        return f"{percent:+.0f} %", percent < POSITIONS_PERCENT

    return judge


def _process(name: str, limit: float | None) -> Callable[[Figures], Verdict]:
    def judge(figures: Figures) -> Verdict:
        one = figures["processes"].get(name)
        if one is None:
            return "", None
        wall = statistics.median(one["wall"])
        return f"{wall:.2f} s", None if limit is None else wall < limit

    return judge


def _sweep(figures: Figures) -> Verdict:
    wall = statistics.median(figures["wall"])
    size = (figures["combinations"], figures["quotes"])
    whole = size[0] >= SWEEP[0] and size[1] >= SWEEP[1]
    return f"{wall:.1f} s for {size[0]:,} on {size[1]:,} ticks", wall < SWEEP_SECONDS if whole else None


def _peers(job: str) -> Callable[[Figures], Verdict]:
    """bitten's time against the fastest other framework's on as many rows; the bare kernel is no framework."""

    def judge(figures: Figures) -> Verdict:
        cases = [case for case in figures["cases"] if case["job"] == job]
        rivals = [
            case for case in cases if case["variant"] != "bare kernel" and case["package"] != "bitten"
            and case["times_bitten"] is not None
        ]  # fmt: skip
        if not rivals:
            return "", None
        most = max(case["rows"] for case in rivals)  # with little data every process is mostly start-up
        best = min((case for case in rivals if case["rows"] == most), key=lambda case: case["times_bitten"])
        text = f"bitten is {best['times_bitten']:.2f} times as fast as the fastest other, {best['engine']}"
        driven: dict[str, tuple[int, float]] = {}  # by engine, on the most rows that it was given
        for case in rivals:
            if case["event_driven"]:
                name = case["engine"].partition(",")[0]
                driven[name] = max(driven.get(name, (0, 0.0)), (case["rows"], case["times_bitten"]))
        if driven:
            times = [ratio for _, ratio in driven.values()]
            text += f"; {min(times):,.0f} to {max(times):,.0f} times as fast as the event-driven ones"
        return text, best["times_bitten"] >= 1

    return judge


def _job(job: str, limit: float) -> Callable[[Figures], Verdict]:
    """bitten's own whole process on a job's full data."""

    def judge(figures: Figures) -> Verdict:
        own = [case for case in figures["cases"] if case["job"] == job and case["package"] == "bitten"]
        if not own:
            return "", None
        wall = max(own, key=lambda case: case["rows"])["wall"]
        return f"{wall:.2f} s", wall < limit

    return judge


def _event_driven(figures: Figures) -> Verdict:
    """Rates of whole processes, each engine on the most ticks that it was given."""
    most: dict[str, Any] = {}
    for case in figures["cases"]:
        if case["job"] == "B" and case["event_driven"] and case["wall"]:
            name = case["engine"].partition(",")[0]
            most[name] = max(most.get(name, case), case, key=lambda one: one["rows"])
    own = [case for case in figures["cases"] if case["job"] == "B" and case["package"] == "bitten" and case["wall"]]
    if not most or not own:
        return "", None
    rate = max(own, key=lambda case: case["rows"])["rate"]
    times = {name: rate / case["rate"] for name, case in most.items()}
    text = ", ".join(f"{name} {times[name]:.0f} ({case['rows']:,} ticks)" for name, case in most.items())
    return text, min(times.values()) >= EVENT_DRIVEN


def _on_bar(figures: Figures) -> Verdict:
    rate = bars_per_second(figures, EMPTY, "cpu")
    return f"{rate:,.0f} bars/s and core", rate >= BARS_PER_SECOND


def _chain(take: Callable[[Sequence[float]], float], kept: str) -> Callable[[Figures], Verdict]:
    def judge(figures: Figures) -> Verdict:
        wall = take(figures["decisions"][kept]["seconds"])
        reached = wall < CHAIN_SECONDS if figures["accounts"] >= ACCOUNTS else None
        return f"{1000 * wall:.1f} ms for {figures['accounts']:,} accounts", reached

    return judge


GOALS: Final = (
    Goal(
        "ticks", "whole backtest of ticks, as `bitten init` writes it", f"at least {HALF} of pyarrow's rate",
        _ticks(STARTER),
    ),
    Goal("ticks", "the same, every signal fires", f"at least {HALF} of pyarrow's rate", _ticks(EVERY)),
    Goal("ticks", "the same gates, all bundled patterns", f"at least {HALF} of pyarrow's rate", _ticks(ALL)),
    *(
        Goal("billion", f"a billion quotes, {name}", f"under {BILLION_SECONDS} s", _billion_time(name))
        for name in LONG
    ),
    Goal("billion", "their peak memory", f"under {BILLION_MIB} MiB", _billion_memory),
    *(
        Goal("billion", f"a quote's cost with length, {name}", "does not grow (10 % for noise)", _billion_growth(name))
        for name in LONG
    ),
    *(
        Goal("positions", f"1 to 10,000 positions, {words}", f"under +{POSITIONS_PERCENT} %", _positions(name))
        for name, words in MEASURES.items()
    ),
    Goal("startup", "`bitten --help`", f"under {HELP_SECONDS} s", _process("help", HELP_SECONDS)),
    Goal("startup", "backtest of a day, whole process", f"under {DAY_SECONDS} s", _process("day", DAY_SECONDS)),
    Goal("startup", "the same with nothing compiled", f"under {COLD_SECONDS} s", _process("cold", COLD_SECONDS)),
    Goal("sweeps", f"{SWEEP[0]:,} combinations on {SWEEP[1]:,} ticks", f"under {SWEEP_SECONDS} s", _sweep),
    *(
        Goal("peers", f"job {job}, whole process", f"under {limit} s", _job(job, limit))
        for job, limit in JOB_SECONDS.items()
    ),
    Goal("peers", "job A: bars", "faster than any other framework", _peers("A")),
    Goal("peers", "job B: ticks", "faster than any other framework", _peers("B")),
    Goal("peers", "job C: sweep", "faster than any other framework", _peers("C")),
    Goal("peers", "ticks, against event-driven ones", f"at least {EVENT_DRIVEN} times as fast", _event_driven),
    Goal("onbar", "plain Python pattern, empty body", f"at least {BARS_PER_SECOND:,} bars/s and core", _on_bar),
    Goal(
        "accounts", f"a signal through the whole chain, {ACCOUNTS:,} accounts, refusals kept: median",
        f"under {1000 * CHAIN_SECONDS:.0f} ms", _chain(statistics.median, KEPT),
    ),
    Goal(
        "accounts", "the same, nothing kept: 99 of 100 signals", f"under {1000 * CHAIN_SECONDS:.0f} ms",
        _chain(worst_of_hundred, "nothing"),
    ),
)  # fmt: skip


def summary(parts: Mapping[str, Figures]) -> Sheet:
    """Every goal, what was measured, and whether it is reached.

    Args:
        parts: figures by part, as the parts write them; a part that is not there was not measured.
    """
    rows = []
    for goal in GOALS:
        figures = parts.get(goal.part)
        measured, reached = goal.judge(figures) if figures else ("", None)
        said = {True: "yes", False: "NO", None: ""}[reached]
        rows.append([goal.part, goal.what, goal.goal, measured or "not measured", said])
    return Sheet("Summary", ("part", "what", "goal", "measured", "reached?"), rows)
