from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from bitten.errors import ConfigError, UnknownSymbolError
from bitten.model.instruments import load_instruments, project_instruments

NEW = {
    "digits": 1,
    "base": "BTC",
    "quote": "USD",
    "contract_size": 1,
    "pip": 1.0,
    "volume_min": 0.01,
    "volume_step": 0.01,
    "volume_max": 10,
    "default_spread": 150,
}


def test_every_bundled_instrument_is_consistent() -> None:
    bundled = load_instruments()
    assert {"EURUSD", "USDJPY", "CADJPY", "EURGBP", "USDCNH", "XAUUSD", "XAGUSD", "NAS100", "GER40"} <= set(bundled)
    # laying a table of its own facts over each puts every one of them through the checks that a project's pass
    own = {
        symbol: {key: getattr(bundled[symbol], key) for key in (*NEW, "stops_level", "description")}
        for symbol in bundled
    }
    again = load_instruments(own)
    for symbol in bundled:
        assert again[symbol] == bundled[symbol]
        if len(symbol) == 6 and symbol.isalpha():
            assert bundled[symbol].base + bundled[symbol].quote == symbol


def test_pip_and_contract_give_the_money_of_the_table() -> None:
    bundled = load_instruments()
    for symbol, money in {"EURUSD": 10.0, "USDJPY": 1000.0, "XAUUSD": 10.0, "USDCNH": 10.0}.items():
        assert bundled[symbol].pip * bundled[symbol].contract_size == pytest.approx(money)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "symbol"),
    [("lean/oanda/tick/xauusd", "XAUUSD"), ("lean/oanda/tick/eurusd", "EURUSD"), ("lean/fxcm/tick/nzdusd", "NZDUSD")],
)
def test_digits_lose_nothing_of_real_ticks(shared_data: Path, folder: str, symbol: str) -> None:
    path = sorted((shared_data / folder).glob("*.zip"))[0]
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    decimals = {len(cell.partition(".")[2].rstrip("0")) for line in text.splitlines() for cell in line.split(",")[1:3]}
    assert max(decimals) == load_instruments()[symbol].digits


@pytest.mark.shared
def test_digits_hold_the_index_bars(shared_data: Path) -> None:
    with gzip.open(shared_data / "mt5_python" / "NAS100_M5_2026.csv.gz", "rt") as file:
        cells = [cell for line in file.readlines()[1:] for cell in line.split(",")[1:5]]
    assert max(len(cell.partition(".")[2].rstrip("0")) for cell in cells) <= load_instruments()["NAS100"].digits


def test_single_keys_of_a_bundled_symbol_can_change() -> None:
    changed = load_instruments({"EURUSD": {"stops_level": 20, "volume_max": 5}})
    assert changed["EURUSD"].stops_level == 20
    assert changed["EURUSD"].volume_max == 5.0
    assert changed["EURUSD"].digits == 5
    assert changed["GBPUSD"] == load_instruments()["GBPUSD"]


def test_fewer_digits_keep_the_default_spread_as_a_price() -> None:
    gold = load_instruments({"XAUUSD": {"digits": 2}})["XAUUSD"]
    assert (gold.digits, gold.default_spread, gold.pip_points) == (2, 12, 10)
    fine = load_instruments({"XAUUSD": {"digits": 5}})["XAUUSD"]
    assert fine.price(fine.default_spread) == pytest.approx(0.12)
    assert load_instruments({"XAUUSD": {"digits": 2, "default_spread": 40}})["XAUUSD"].default_spread == 40


def test_a_new_symbol_is_described_fully() -> None:
    assert load_instruments({"BTCUSD": NEW})["BTCUSD"].default_spread == 150
    partly = {key: value for key, value in NEW.items() if key not in ("pip", "quote")}
    with pytest.raises(ConfigError, match=r"instruments.BTCUSD describes .* lacks quote, pip"):
        load_instruments({"BTCUSD": partly})


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"digits": 99}, "EURUSD.digits is 99: a price has 0 to 10"),
        ({"digits": 2.5}, "EURUSD.digits is 2.5: expected a whole number"),
        ({"digits": True}, "expected a whole number"),
        ({"digits": 3}, "EURUSD.pip is 0.0001, no whole number of points: with digits 3 a point is 0.001"),
        ({"volume_step": 0}, "volume_step is 0: expected more than 0"),
        ({"volume_step": 500.0}, "volume_step is 500, more than volume_max 100"),
        ({"volume_min": 500.0}, "volume_min is 500, more than volume_max 100"),
        ({"contract_size": float("nan")}, "contract_size is nan: expected more than 0"),
        ({"contract_size": "big"}, "contract_size is 'big': expected a number"),
        ({"default_spread": -1}, "default_spread is -1: expected 0 or more points"),
        ({"base": " "}, "base is empty"),
        ({"spread": 3}, 'EURUSD.spread is no key of an instrument: did you mean "default_spread"'),
    ],
)
def test_nonsense_is_refused_with_what_is_allowed(table: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_instruments({"EURUSD": table})
    assert text in str(caught.value)


def test_an_unknown_symbol_names_the_keys_and_the_near_miss() -> None:
    bundled = load_instruments()
    with pytest.raises(UnknownSymbolError) as caught:
        bundled["EURUSDm"]
    for part in ('did you mean "EURUSD"', "[instruments.EURUSDm]", "contract_size", "default_spread"):
        assert part in str(caught.value)
    with pytest.raises(UnknownSymbolError) as strange:
        bundled["WHEAT"]
    assert "did you mean" not in str(strange.value)
    assert "WHEAT" not in bundled
    assert bundled.get("WHEAT") is None


def test_a_project_reads_only_its_instruments(tmp_path: Path) -> None:
    assert project_instruments(tmp_path)["EURUSD"].stops_level == 0
    (tmp_path / "bitten.toml").write_text("[feed]\nuse = 3\n\n[instruments.EURUSD]\nstops_level = 7\n", "utf-8")
    assert project_instruments(tmp_path)["EURUSD"].stops_level == 7


def test_a_project_error_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bitten.toml"
    path.write_text("[instruments.EURUSD]\nstops_level = 7\ndigits = 40\n", "utf-8")
    with pytest.raises(ConfigError, match=r"bitten\.toml:3: instruments\.EURUSD\.digits is 40"):
        project_instruments(tmp_path)
    path.write_text("instruments = 3\n", "utf-8")
    with pytest.raises(ConfigError, match=r"bitten\.toml:1: instruments is 3"):
        project_instruments(tmp_path)
    path.write_text("[instruments]\nEURUSD = 3\n", "utf-8")
    with pytest.raises(ConfigError, match=r"bitten\.toml:2: instruments\.EURUSD is 3: expected a table"):
        project_instruments(tmp_path)
