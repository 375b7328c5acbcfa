"""`bitten backtest` and `bitten init` as a person types them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def bitten(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bitten", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_init_then_backtest(tmp_path: Path) -> None:
    assert bitten(tmp_path, "init").returncode == 0
    text = (tmp_path / "bitten.toml").read_text(encoding="utf-8")
    (tmp_path / "bitten.toml").write_text(text.replace("# to = 2024-05-05", "to = 2024-04-10"), encoding="utf-8")
    done = bitten(tmp_path, "backtest", "--name", "first")
    assert done.returncode == 0, done.stderr
    assert "SYNTHETIC" in done.stdout
    assert "Win rate" in done.stdout
    assert str(tmp_path / "runs" / "first" / "report.html") in done.stdout
    assert (tmp_path / "runs" / "first" / "report.html").exists()
    assert bitten(tmp_path, "backtest", "--quiet").stdout.strip() == str(tmp_path / "runs" / "backtest-0001")


def test_init_leaves_a_file_alone(tmp_path: Path) -> None:
    (tmp_path / "bitten.toml").write_text("mine")
    done = bitten(tmp_path, "init")
    assert (done.returncode, done.stdout) == (2, "")
    assert "exists and was left alone; --force replaces it" in done.stderr
    assert (tmp_path / "bitten.toml").read_text() == "mine"


def test_init_takes_the_symbols_of_the_store(tmp_path: Path) -> None:
    quotes = "time,bid,ask\n" + "".join(f"2024-05-06T10:00:{i:02d}Z,1.1000{i % 9},1.1002{i % 9}\n" for i in range(60))
    (tmp_path / "EURUSD.csv").write_text(quotes)
    imported = bitten(tmp_path, "data", "import", "EURUSD.csv", "--clock", "UTC")
    assert imported.returncode == 0, imported.stderr
    bitten(tmp_path, "init")
    text = (tmp_path / "bitten.toml").read_text(encoding="utf-8")
    assert 'use = "parquet"' in text
    assert 'symbols = ["EURUSD"]' in text
    done = bitten(tmp_path, "backtest")
    assert done.returncode == 0, done.stderr
    assert "No signals: kalman_quickfire on EURUSD M1 saw 0 bars" in done.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("EURUSD", "EURUSX"), 'bitten.toml:12: symbol "EURUSX" is unknown: did you mean "EURUSD"?'),
        (('use = "synthetic"', 'use = "parquet"'), "bitten.toml:10: the store"),
        (("[[accounts]]", "[[acounts]]"), 'unknown section "acounts": did you mean "accounts"?'),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    bitten(tmp_path, "init")
    path = tmp_path / "bitten.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(*change, 1), encoding="utf-8")
    done = bitten(tmp_path, "backtest")
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()
