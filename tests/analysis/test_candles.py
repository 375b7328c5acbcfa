import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bitten.analysis.candles import LADDER, CandleSet, CandleSketch, coarsen, coarser
from bitten.model.dtypes import BAR, NS_PER_MINUTE


def bars(minutes: list[int], seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.zeros(len(minutes), BAR)
    rows["time"] = np.array(minutes, np.int64) * NS_PER_MINUTE
    for name in ("open", "close"):
        rows[name] = rng.integers(1000, 1100, len(minutes))
    rows["high"] = np.maximum(rows["open"], rows["close"]) + rng.integers(0, 9, len(minutes))
    rows["low"] = np.minimum(rows["open"], rows["close"]) - rng.integers(0, 9, len(minutes))
    return rows


def sketched(rows: np.ndarray, cuts: list[int], limit: int) -> CandleSet:
    sketch = CandleSketch(limit)
    for part in np.split(rows, cuts):
        sketch.add("EURUSD", part, timeframe_ns=NS_PER_MINUTE, digits=5)
    return sketch.sets()["EURUSD"]


def columns(candles: CandleSet) -> list[list[int]]:
    return [getattr(candles, name).tolist() for name in ("time", "open", "high", "low", "close")]


GAPS = st.lists(st.sampled_from([1, 1, 1, 1, 2, 7, 60, 3000]), min_size=1, max_size=200)


@given(GAPS, st.lists(st.integers(0, 200), max_size=12), st.integers(1, 60))
def test_cuts_do_not_matter(gaps, cuts, limit):
    rows = bars(np.cumsum(gaps).tolist())
    whole = sketched(rows, [], limit)
    cut = sketched(rows, sorted(min(c, len(gaps)) for c in cuts), limit)
    single = sketched(rows, list(range(1, len(gaps))), limit)
    assert columns(whole) == columns(cut) == columns(single)
    assert whole.timeframe_ns == cut.timeframe_ns == single.timeframe_ns


@given(GAPS, st.integers(1, 60))
def test_the_finest_timeframe_that_fits_is_kept(gaps, limit):
    minutes = np.cumsum(gaps)
    found = sketched(bars(minutes.tolist()), [], limit)
    fitting = [step for step in LADDER if np.unique(minutes * NS_PER_MINUTE // step).size <= limit]
    assert found.timeframe_ns == (fitting[0] if fitting else LADDER[-1])


def test_candles_carry_first_highest_lowest_and_last():
    rows = bars(list(range(10)))
    found = sketched(rows, [], 2)
    assert found.timeframe_ns == 5 * NS_PER_MINUTE
    assert found.time.tolist() == [0, 5 * NS_PER_MINUTE]
    for k, part in enumerate((rows[:5], rows[5:])):
        assert found.open[k] == part["open"][0]
        assert found.high[k] == part["high"].max()
        assert found.low[k] == part["low"].min()
        assert found.close[k] == part["close"][-1]


def test_within_the_limit_bars_stay_as_they_were_made():
    rows = bars([3, 4, 9])
    rows["time"] += 7  # bars of another clock do not start on whole UTC periods
    found = sketched(rows, [1], 10)
    assert found.time.tolist() == rows["time"].tolist()


def test_a_timeframe_only_grows_into_whole_multiples():
    names = {step // NS_PER_MINUTE: step for step in LADDER}
    assert coarser(NS_PER_MINUTE) == names[5]
    assert coarser(2 * NS_PER_MINUTE) == names[60]
    assert coarser(names[1440]) is None


def test_thousands_of_bars_are_all_kept_however_they_come():
    rows = bars(list(range(5000)))
    whole = sketched(rows, [], 10_000)
    assert columns(whole) == columns(sketched(rows, list(range(0, 5000, 37)), 10_000))
    assert whole.close.tolist() == rows["close"].tolist()


def test_symbols_are_kept_apart():
    sketch = CandleSketch(5)
    sketch.add("A", bars(list(range(20))), timeframe_ns=NS_PER_MINUTE, digits=5)
    sketch.add("B", bars([1, 2]), timeframe_ns=NS_PER_MINUTE, digits=2)
    sets = sketch.sets()
    assert list(sets) == ["A", "B"]
    assert (sets["A"].size, sets["A"].timeframe_ns, sets["B"].size, sets["B"].digits) == (4, LADDER[1], 2, 2)


@given(GAPS)
def test_coarsening_later_is_coarsening_at_once(gaps):
    fine = sketched(bars(np.cumsum(gaps).tolist()), [], 10_000)
    stepwise = coarsen(coarsen(fine, LADDER[1]), LADDER[3])
    assert columns(stepwise) == columns(coarsen(fine, LADDER[3]))


def test_no_candles_stay_none():
    none = np.zeros(0, np.int64)
    assert coarsen(CandleSet(5, LADDER[0], none, none, none, none, none), LADDER[1]).size == 0
