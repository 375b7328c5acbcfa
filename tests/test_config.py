"""bitten.toml: every mistake is named with its line, what was found, what is allowed, what was probably meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bitten.backtesting import build_pipeline
from bitten.config import read_config
from bitten.errors import BittenError, ConfigError
from tests.replay import settings

GOOD = """\
[feed]
use = "synthetic"
symbols = ["EURUSD", "XAUUSD"]
from = 2024-04-08
to = "2024-04-09T12:00:00"

[[patterns]]
use = "bb_scalp"
timeframe = "M5"
[patterns.params]
max_adx = 25.0

[[gates]]
use = "band"
low = 80.0
high = 89.0

[[gates]]
use = "risk"

[[accounts]]
id = "main"
risk_percent = 1.0
band = [80.0, 89.0]
"""


def read(tmp_path: Path, text: str):
    path = tmp_path / "bitten.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)[0]


def test_a_good_file(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert config.feed.symbols == ("EURUSD", "XAUUSD")
    assert (config.end - config.start) / 3.6e12 == 36  # hours
    assert [gate.name for gate in config.gates] == ["band", "risk"]
    assert config.patterns[0].timeframes == ("M5",)
    assert config.accounts[0].band_high == 89.0
    assert config.folder == tmp_path


MISTAKES = [
    ('use = "synthetic"', 'use = "synthetik"', r":2: feed \"synthetik\" is unknown: did you mean \"synthetic\"\?"),
    (
        'symbols = ["EURUSD", "XAUUSD"]',
        'symbol = ["EURUSD"]',
        r":3: unknown key \"symbol\" in feed: did you mean \"symbols\"",
    ),
    ('"XAUUSD"]', '"XAUUSDX"]', r":3: symbol \"XAUUSDX\" is unknown: did you mean \"XAUUSD\""),
    ('"XAUUSD"]', '"EURUSD"]', r":3: feed.symbols names EURUSD twice"),
    ("to = ", "till = ", r":5: unknown key \"till\" in feed"),
    ('"2024-04-09T12:00:00"', '"2024-13-09"', r":5: \"2024-13-09\" is no date: write 2024-05-01|:5: .*is no date"),
    ('"2024-04-09T12:00:00"', '"2024-04-01"', r":4: feed.from .* is not before feed.to"),
    ('use = "bb_scalp"', 'use = "bb_scapl"', r":8: pattern \"bb_scapl\" is unknown: did you mean \"bb_scalp\""),
    (
        'timeframe = "M5"',
        'timeframe = "M6"',
        r":9: timeframe \"M6\" is unknown: did you mean \"M5\"|:9: timeframe \"M6\"",
    ),
    ('timeframe = "M5"', "timeframe = 5", r":9: patterns.timeframe is 5: expected str"),
    ("max_adx = 25.0", 'max_adx = "high"', r":11: patterns.params.max_adx is 'high': expected float, got str"),
    (
        "max_adx = 25.0",
        "max_adxx = 25.0",
        r":11: unknown key \"max_adxx\" in patterns.params: did you mean \"max_adx\"",
    ),
    ("low = 80.0", "low = 101.0", r":15: gates.low is 101.0: expected float <= 100.0"),
    ("low = 80.0", "low = 95.0", r":13: gates .*low = 95 is above high = 89; perhaps low = 89, high = 95"),
    ("low = 80.0", "lo = 80.0", r":15: unknown key \"lo\" in gates: did you mean \"low\""),
    ('use = "risk"', 'use = "slots"', r":13: no gate decides the lots: add \[\[gates\]\] with use = \"risk\""),
    ("risk_percent = 1.0", "risk_percent = 7.5", r":23: accounts.risk_percent is 7.5: expected float <= 5.0"),
    ("risk_percent = 1.0", "risk_percent = -1.0", r":23: accounts.risk_percent is -1.0: expected float > 0.0"),
    ("band = [80.0, 89.0]", "band = [89.0, 80.0]", r":24: accounts.band is \[89, 80\].*perhaps \[80, 89\]"),
    ("[[accounts]]", "[accounts]", r":21: accounts is a single table: write \[\[accounts\]\]"),
    ("[[accounts]]", "[[acounts]]", r":21: unknown section \"acounts\": did you mean \"accounts\""),
    ("[feed]", "[feed", r":1: not valid TOML: .*in `\[feed`; texts stand in quotes"),
    ("from = 2024-04-08", "from = 08.04.2024", r":4: not valid TOML: .*dates are written 2014-05-01"),
    ('timeframe = "M5"', 'timeframes = ["M5", "M5"]', r":9: patterns.timeframes names M5 twice"),
    (
        'timeframe = "M5"',
        'timeframes = "M5"',
        r":9: patterns.timeframes is 'M5': expected array, got str: write \[\"M5\"\]",
    ),
    ('timeframe = "M5"', 'timeframe = "M5"\ntimeframes = ["M1"]', r":9: patterns has both timeframe and timeframes"),
    (
        'timeframe = "M5"',
        'timeframe = "M5"\nsymbols = ["XAUUSD", "XAUUSD"]',
        r":10: patterns.symbols names XAUUSD twice",
    ),
    ("risk_percent = 1.0", "balance = inf", r":23: accounts.balance is inf: expected a finite number"),
    ("risk_percent = 1.0", 'currency = "usd"', r":23: accounts.currency is 'usd': expected three capital letters"),
    (
        'use = "synthetic"',
        'use = "synthetic"\nintrabar = "worst"',
        r":3: feed.intrabar is 'worst': expected one of \"pessimistic\", \"path\"",
    ),
    ("[[accounts]]", "[rates]\nEURUS = 1.1\n[[accounts]]", r":22: rates.EURUS: a pair is two currencies"),
    (
        '[[gates]]\nuse = "risk"',
        '[[gates]]\nuse = "risk"\n[[gates]]\nuse = "fixed_lots"',
        r":13: risk and fixed_lots both decide the lots",
    ),
    (
        '[[gates]]\nuse = "risk"',
        '[[gates]]\nuse = "risk"\n[[gates]]\nuse = "risk"',
        r":20: gates has two named \"risk\"",
    ),
    ('[[gates]]\nuse = "risk"', "[[gates]]\npercent = 1.0", r":18: gates lacks the key \"use\""),
]


@pytest.mark.parametrize(("found", "instead", "message"), MISTAKES)
def test_mistakes_are_named(tmp_path: Path, found: str, instead: str, message: str) -> None:
    assert found in GOOD
    with pytest.raises(BittenError, match=r"bitten\.toml" + "(?:" + message + ")") as caught:
        read(tmp_path, GOOD.replace(found, instead, 1))
    assert "\n" not in str(caught.value)


def test_values_over_several_lines_do_not_confuse_the_line_numbers(tmp_path: Path) -> None:
    text = GOOD.replace('symbols = ["EURUSD", "XAUUSD"]', 'symbols = [\n  "EURUSD",\n  "XAUUSD",\n]')
    with pytest.raises(BittenError, match=r"bitten\.toml:18: gates.low is 101.0"):
        read(tmp_path, text.replace("low = 80.0", "low = 101.0"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BittenError, match=r"nothing\.toml does not exist; `bitten init` writes a commented starter"):
        read_config(tmp_path / "nothing.toml")


def test_an_account_currency_that_nothing_converts_is_refused_at_start(tmp_path: Path) -> None:
    from bitten.backtesting import build_pipeline

    config, manager = read_config(
        {"feed": {"use": "synthetic", "symbols": ["EURUSD"]}, "patterns": [{"use": "bb_scalp"}],
         "accounts": [{"currency": "PLN"}]}
    )  # fmt: skip
    with pytest.raises(BittenError, match="profits in USD cannot be turned into the account currency PLN: add USDPLN"):
        build_pipeline(config, manager)


def test_the_starter_file_is_valid(tmp_path: Path) -> None:
    from importlib.resources import files

    config = read(tmp_path, files("bitten.commands").joinpath("starter.toml").read_text(encoding="utf-8"))
    assert [gate.name for gate in config.gates] == [
        "kill_switch", "data_validity", "duplicate", "age_drift", "band", "citadel", "price_collar", "slots",
        "one_per_symbol", "risk", "open_risk", "order_rate", "max_volume", "loss_stop",
    ]  # fmt: skip


def test_parameters_of_single_symbols() -> None:
    pattern = {
        "use": "bb_scalp",
        "params": {"period": 30, "max_adx": 30.0},
        "per_symbol": {"XAUUSD": {"period": 14}},
    }
    config, manager = read_config(settings(patterns=[pattern]))
    (part,) = config.patterns
    assert (part.config("EURUSD").period, part.config("XAUUSD").period) == (30, 14)
    assert part.config("XAUUSD").max_adx == 30.0
    detectors = build_pipeline(config, manager)[0].parts.detectors
    assert detectors["XAUUSD"][0].pattern.config.period == 14
    assert detectors["EURUSD"][0].pattern.config.period == 30


@pytest.mark.parametrize(
    ("per_symbol", "problem"),
    [
        ({"XAGUSD": {"period": 14}}, 'patterns.per_symbol names "XAGUSD", which is not in the pattern.s symbols'),
        ({"XAUUSD": {"perod": 14}}, 'unknown key "perod"'),
        ({"XAUUSD": {"period": 1}}, "period is 1: expected int >= 2"),
    ],
)
def test_mistakes_in_parameters_of_single_symbols(per_symbol: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_config(settings(patterns=[{"use": "bb_scalp", "per_symbol": per_symbol}]))


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"accounts": [{"mode": "manuel"}]},
         'accounts.mode is .manuel.: expected one of "auto", "manual": did you mean "manual"'),
        ({"gates": [{"use": "kill_switch", "state": "HALTED"}, {"use": "risk"}]},
         'expected one of .*"halted": did you mean "halted"'),
        ({"gates": [{"use": "session_filter", "sessions": ["lodon"]}, {"use": "risk"}]}, 'expected one of .*"london"'),
        ({"tiers": [{"name": "a", "modes": ["autos"]}]}, 'expected one of "auto", "manual": did you mean "auto"'),
    ],
)  # fmt: skip
def test_words_that_are_none_of_those_allowed(sections: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_config(settings(**sections))
