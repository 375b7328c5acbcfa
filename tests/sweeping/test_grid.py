"""Keys lead to their place in the configuration; what cannot be is refused with the axis that says it."""

from __future__ import annotations

import pytest

from bitten.backtesting import build_pipeline
from bitten.errors import ConfigError
from bitten.manager import Manager
from tests.sweeping.made import SOURCE, grid_of

MANAGER = Manager()


def values_at(key: str, *path: object, text: str = "3,4") -> list[object]:
    """What stands at an attribute path of each combination's configuration."""
    grid = grid_of(f"{key}={text}")
    found = []
    for i in range(len(grid)):
        value: object = grid.config(i, MANAGER)[0]
        for step in path:
            value = value[step] if isinstance(step, int) else getattr(value, str(step))
        found.append(value)
    return found


def test_keys_of_every_kind_of_section() -> None:
    assert values_at("executor.latency_ms", "executor", "config", "latency_ms") == [3, 4]
    assert values_at("costs.commission_per_lot", "costs", "commission_per_lot") == [3, 4]
    assert values_at("run.seed", "run", "seed") == [3, 4]
    assert values_at("patterns.bb_scalp.period", "patterns", 0, "part", "config", "period") == [3, 4]
    assert values_at("patterns.slow.period", "patterns", 1, "part", "config", "period") == [3, 4]
    assert values_at("patterns.1.params.period", "patterns", 1, "part", "config", "period") == [3, 4]
    assert values_at("patterns.slow.exit.breakeven_r", "patterns", 1, "exit", "breakeven_r") == [3, 4]
    assert values_at("patterns.slow.timeframe", "patterns", 1, "timeframes", text="M15,M30") == [("M15",), ("M30",)]
    assert values_at("feed.intrabar", "feed", "intrabar", text="path,pessimistic") == ["path", "pessimistic"]


def test_keys_of_tables_that_the_configuration_leaves_out() -> None:
    """The default gates and the default account are there to be swept."""
    assert values_at("gates.band.low", "gates", 0, "config", "low") == [3, 4]
    assert values_at("accounts.main.slots", "accounts", 0, "slots") == [3, 4]
    grid = grid_of("accounts.0.band=[80, 90],[70, 75]")
    assert [grid.config(i, MANAGER)[0].accounts[0].band_low for i in (0, 1)] == [80, 70]


def test_the_last_axis_is_the_fastest() -> None:
    grid = grid_of("patterns.slow.period=10,20", "costs.commission_per_lot=0,1,2")
    assert [grid.values(i) for i in range(len(grid))] == [(10, 0), (10, 1), (10, 2), (20, 0), (20, 1), (20, 2)]
    config = grid.config(4, MANAGER)[0]
    assert (config.patterns[1].part.config.period, config.costs.commission_per_lot) == (20, 1)
    assert config.patterns[0].part.config.warm_up == 30  # what is not swept stays


def test_the_source_stays_as_it_is() -> None:
    grid_of("patterns.bb_scalp.period=10,20").config(1, MANAGER)
    assert "period" not in SOURCE["patterns"][0]["params"]


MISTAKES = [
    ("period=1,2", '"period" is no key: write section.key'),
    ("x.=4", '"x." is no key'),
    ("pattern.bb_scalp.period=1", 'unknown section "pattern": did you mean "patterns"?'),
    ("patterns.bb_scal.period=1", 'there is no "bb_scal" among patterns: did you mean "bb_scalp"?'),
    ("patterns.2.period=1", 'there is no "2" among patterns'),
    ("patterns.bb_scalp=4", '"patterns.bb_scalp" lacks the key'),
    ("patterns.bb_scalp.perid=10", 'unknown key "perid" in patterns.params: did you mean "period"?'),
    ("patterns.bb_scalp.period=20,1", "patterns.params.period is 1: expected int >= 2"),
    ("patterns.bb_scalp.period=1.5:3:0.5", "patterns.params.period is 1.5: expected int, got float"),
    ("patterns.bb_scalp.use=bb_scal", 'pattern "bb_scal" is unknown: did you mean "bb_scalp"?'),
    ("accounts.mian.slots=1", 'there is no "mian" among accounts: did you mean "main"?'),
    ("accounts.main.slots=1,0", "accounts.slots is 0: expected int >= 1"),
    ("accounts.main.currency=XXX", "cannot be turned into the account currency XXX"),
    ("gates.band.lo=1", 'unknown key "lo" in gates: did you mean "low"?'),
    ("gates.band.low=inf", "gates.low is inf: expected a finite number"),
    ("executor.latency_ms=slow", "executor.latency_ms is 'slow': expected float, got str"),
    ("feed.symbols=[EURUSX]", "feed.symbols is '[EURUSX]'"),
    ("feed.from=2024-05-08", "is not before feed.to"),
    ("run.seed.x=1", "run.seed is {'x': 1}: expected int"),
    ("run.name=a,b", "run.name cannot be swept: a sweep has one folder"),
    ("plugins.disabled=feeds", "plugins cannot be swept"),
    ("trackers.jsonl.x=1", "trackers cannot be swept"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes_name_the_axis(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        grid = grid_of(text)
        for i in range(len(grid)):
            build_pipeline(grid.config(i, MANAGER)[0], MANAGER)
    found = str(caught.value)
    assert found.startswith(f"--grid {text}: ")
    assert "\n" not in found
    assert message in found


def test_an_ambiguous_name_lists_the_indexes() -> None:
    twins = {**SOURCE, "gates": [{"use": "spread", "name": "a"}, {"use": "spread", "name": "b"}, {"use": "risk"}]}
    with pytest.raises(ConfigError, match=r'2 of gates are called "spread": write gates\.0 or gates\.1, or name them'):
        grid_of("gates.spread.points=5", source=twins)
    assert grid_of("gates.b.points=5", source=twins).axes[0].path == ("gates", 1, "points")


def test_a_table_in_place_of_a_list() -> None:
    with pytest.raises(ConfigError, match=r"patterns is a single table: write \[\[patterns\]\]"):
        grid_of("patterns.a.b=5", source={**SOURCE, "patterns": {"use": "bb_scalp"}})


@pytest.mark.parametrize(
    "second", ["patterns.0.period=5,6", "patterns.0.params.period=5", "patterns.bb_scalp.params=5"]
)
def test_a_key_swept_twice(second: str) -> None:
    with pytest.raises(ConfigError, match=r"is swept twice, also by --grid patterns\.bb_scalp\.period=1,2"):
        grid_of("patterns.bb_scalp.period=1,2", second)


def test_absurd_sizes() -> None:
    with pytest.raises(ConfigError, match=r"1,000 × 101 are 101,000 combinations, at most 100,000: use a coarser grid"):
        grid_of("costs.commission_per_lot=1:1000:1", "run.seed=0:100:1")


def test_an_error_between_two_axes_says_the_combination() -> None:
    grid = grid_of("patterns.slow.min_rank=0.1,0.5", "patterns.slow.max_rank=0.4,0.9")
    with pytest.raises(ConfigError) as caught:
        grid.config(2, MANAGER)
    assert "max_rank was 0.4, must be above min_rank (0.5)" in str(caught.value)
    assert str(caught.value).endswith("(with patterns.slow.min_rank=0.5, patterns.slow.max_rank=0.4)")


def test_an_error_of_the_configuration_itself_does_not_blame_the_grid() -> None:
    broken = {**SOURCE, "costs": {"comission_per_lot": 1}}
    with pytest.raises(ConfigError) as caught:
        grid_of("patterns.slow.period=10", source=broken).config(0, MANAGER)
    assert str(caught.value) == (
        'the configuration: unknown key "comission_per_lot" in costs: did you mean "commission_per_lot"?'
    )
