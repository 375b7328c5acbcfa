"""Accounts and tiers from tables and files; mistakes name the file and the line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bitten.config import read_config
from bitten.errors import ConfigError
from bitten.ledger import Account
from tests.replay import settings

TIERS = [
    {"name": "NIBBLER", "slots": 2, "risk_multiplier": 0.5, "modes": ["manual"]},
    {"name": "COMMANDER", "slots": 10, "risk_multiplier": 2.0},
]


def accounts(**sections: Any) -> tuple[Account, ...]:
    return read_config(settings(**sections))[0].accounts


def test_an_account_gets_what_its_tier_allows() -> None:
    small, large = accounts(
        tiers=TIERS,
        accounts=[
            {"id": "a", "tier": "NIBBLER", "mode": "manual"},
            {"id": "b", "tier": "COMMANDER", "slots": 4, "band": [80.0, 89.0], "risk_percent": 1.5},
        ],
    )
    assert (small.slots, small.mode, small.risk_multiplier, small.tier) == (2, "manual", 0.5, "NIBBLER")
    assert math.isnan(small.band_low)
    assert (large.slots, large.risk_multiplier, large.risk_percent, large.band_high) == (4, 2.0, 1.5, 89.0)


def test_a_csv_of_accounts_stands_for_many(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("id,currency,balance,band_low,band_high,mode\nx,EUR,500,70,85,\ny,,,,,manual\n")
    rows = accounts(accounts=[{"id": "first"}, {"file": str(path)}])
    assert [row.id for row in rows] == ["first", "x", "y"]
    assert (rows[1].currency, rows[1].balance, rows[1].band_low, rows[1].mode) == ("EUR", 500.0, 70.0, "auto")
    assert (rows[2].currency, rows[2].mode) == ("USD", "manual")


def test_user_configurations_of_the_older_system(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text(
        '[{"user_id": "7", "tier": "COMMANDER", "auto_fire_enabled": true, "confidence_range": [80.0, 89.0],'
        ' "max_auto_slots": 10, "current_slots_used": 4, "risk_percentage": 5.0}]'
    )
    (row,) = accounts(tiers=TIERS, accounts=[{"file": str(path)}])
    assert (row.id, row.mode, row.slots, row.risk_percent, row.band_low) == ("7", "auto", 10, 5.0, 80.0)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"id": "a", "tier": "NIBLER", "mode": "manual"}], 'tier "NIBLER" is no tier: did you mean "NIBBLER"'),
        ([{"id": "a", "tier": "NIBBLER"}], 'mode is "auto", tier NIBBLER allows manual'),
        ([{"id": "a", "tier": "NIBBLER", "mode": "manual", "slots": 3}], "slots is 3, tier NIBBLER allows at most 2"),
        ([{"id": "a"}, {"id": "a"}], 'two named "a"'),
        ([{"id": "a", "risk_percent": 50}], "risk_percent is 50: expected float <= 5"),
        ([{"id": "a", "slots": -1}], "slots is -1: expected int >= 1"),
        ([{"id": "a", "band": [89.0, 80.0]}], r"band is \[89, 80\].*perhaps \[80, 89\]"),
        ([{"file": "absent.csv"}], "absent.csv cannot be read"),
        ([{"file": "x.csv", "slots": 3}], "stands beside slots: those keys belong into the file"),
        ([], "accounts is empty"),
    ],
)
def test_mistakes_in_tables(rows: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        accounts(tiers=TIERS, accounts=rows)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.csv", "name\nx\n", r'a.csv:1: unknown column "name"'),
        ("a.csv", "currency\nUSD\n", r"a.csv:1: lacks the column id"),
        ("a.csv", "id,balance\nx,5\ny,lots\n", r'a.csv:3: balance is "lots": expected a number'),
        ("a.csv", "id,band_low,band_high\nx,80,\n", r"a.csv:2: band_low and band_high go together"),
        ("a.csv", "id\nx,1\n", r"a.csv:2: has more cells than the 1 columns"),
        ("a.csv", "id,tier\nx,GOLD\n", r'a.csv:2: accounts.tier "GOLD" is no tier'),
        ("a.csv", "id\nx\nx\n", r'a.csv:3: accounts has two named "x"'),
        ("a.csv", "id\n" + "x" * 200_000 + "\n", r"a.csv:2: this is no CSV"),
        (
            "a.json",
            '[{"user_id": "1", "auto_fire_enabled": "false"}]',
            r"auto_fire_enabled is 'false': expected true or",
        ),
        ("a.json", "{", r"a.json: is no JSON"),
        ("a.json", "[1]", r"a.json: holds no list of accounts"),
        ("a.json", '[{"user_id": "1", "tear": "x"}]', r'account 1: unknown key "tear": did you mean "tier"'),
    ],
)
def test_mistakes_in_files(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=problem):
        accounts(accounts=[{"file": str(tmp_path / name)}])
