"""`bitten demo`: from nothing, or from the user's files, to a report; what is made up says so everywhere."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bitten import cli, demonstration
from bitten.commands import demo as command
from bitten.config import read_config
from bitten.demonstration import Choice, choose, configuration
from bitten.errors import DataError
from bitten.model.instruments import load_instruments
from bitten.run import Run
from bitten.store.columns import Source
from bitten.store.tickstore import Holding, TickStore


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A week of few quotes, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demonstration, "WEEKS", 1)
    monkeypatch.setattr(demonstration, "QUOTES_PER_DAY", 5_000)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["demo", "--no-open", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def write_own(path: Path, rows: int = 4_000) -> Path:
    """A vendor's file: half a day of EURGBP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.datetime64("2024-04-08T06:00:00") + np.arange(rows) * np.timedelta64(10, "s")
    bids = 0.85 + np.round(0.002 * np.sin(np.arange(rows) / 60), 5)
    lines = [f"{time}Z,{bid:.5f},{bid + 0.0001:.5f}" for time, bid in zip(times, bids, strict=True)]
    path.write_text("time,bid,ask\n" + "\n".join(lines) + "\n")
    return path


def holding(symbol: str, kind: str) -> Holding:
    source = Source("columns", (f"{symbol}.csv",), "UTC")
    return Holding(symbol, kind, 5, 10, 0, 1, 1, 100, 0, (source,), "x")


def test_from_nothing_to_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert code == 0
    assert [line for line in err.splitlines() if not line.startswith("compiling kernels")] == []  # on a fresh machine
    folder = Path("demo")
    for place in ("quotes", "data", "bitten.toml", "runs/demo", "runs/demo/report.html"):
        assert (folder / place).exists()
        assert str(folder / place) in out
    finished = Run.open(folder / "runs" / "demo")
    assert finished.manifest["symbols"] == ["EURUSD", "USDJPY", "XAUUSD"]
    assert set(finished.signals["pattern"]) == {"kalman_quickfire", "bb_scalp"}
    assert set(finished.signals["timeframe"]) == {"M1", "M5"}


def test_what_is_made_up_says_so_wherever_it_appears(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys)
    folder = Path("demo")
    assert all("SYNTHETIC" in path.name for path in (folder / "quotes").iterdir())
    holdings = TickStore(folder / "data").describe()
    assert len(holdings) == 3
    assert all(holding.synthetic for holding in holdings)
    finished = Run.open(folder / "runs" / "demo")
    assert finished.manifest["feed"]["synthetic"] is True
    assert "SYNTHETIC" in repr(finished)
    assert "SYNTHETIC" in finished.report.read_text(encoding="utf-8")
    about = [line for line in out.splitlines() if line.startswith(("quotes ", "store ")) or ": columns, " in line]
    assert len(about) == 5
    assert all("SYNTHETIC" in line for line in about)
    assert "SYNTHETIC DATA" in out


def test_the_files_are_what_a_vendor_would_send(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys)
    text = gzip.decompress(Path("demo/quotes/USDJPY_SYNTHETIC_2024-04.csv.gz").read_bytes()).decode()
    heading, first, *_ = text.splitlines()
    assert heading == "time,bid,ask"
    stamp, bid, ask = first.split(",")
    assert stamp.startswith("2024-04-07 21:")
    assert stamp.endswith("Z")
    assert 90 < float(bid) < float(ask) < 220


def test_again_is_the_same_and_adds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def state() -> dict[str, bytes]:
        kept = [path for top in ("quotes", "data") for path in Path("demo", top).rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in kept} | {
            path.name: path.read_bytes() for path in Path("demo/runs/demo").glob("*.parquet")
        }

    run(capsys)
    before = state()
    code, _, _ = run(capsys)
    assert code == 0
    assert state() == before
    assert not list(Path("demo").rglob("*.part*"))


def test_a_changed_configuration_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys)
    path = Path("demo/bitten.toml")
    path.write_text(path.read_text().replace("balance = 10000.0", "balance = 5000.0"))
    code, out, _ = run(capsys)
    assert code == 0
    assert "was changed since the last demo and is used as it is" in out
    assert Run.open("demo/runs/demo").manifest["accounts"][0]["balance"] == 5000.0


def test_the_users_own_files(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_own(Path("mine/eurgbp.csv"))
    code, out, err = run(capsys, "--data", str(path))
    assert (code, err) == (0, "")
    assert "SYNTHETIC" not in out
    assert "EURGBP ticks: columns, eurgbp.csv" in out
    assert "4,000 new rows in demo/own/data" in out
    finished = Run.open("demo/own/runs/demo")
    assert finished.manifest["feed"]["synthetic"] is False
    assert finished.manifest["quotes"] == 4_000
    assert finished.manifest["accounts"][0]["currency"] == "GBP", "profits in GBP cannot become USD without quotes"


def test_own_files_whose_symbol_is_stated(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_own(Path("mine/export.csv"))
    assert run(capsys, "--data", str(path))[0] == 2
    code, out, _ = run(capsys, "--data", str(path), "--symbol", "EURGBP")
    assert code == 0
    assert "EURGBP ticks: columns, export.csv" in out


def test_options_that_only_the_import_command_has(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_own(Path("mine/eurgbp.csv"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:100], lines[50], *lines[100:]]) + "\n")
    code, _, err = run(capsys, "--data", str(path))
    assert code == 2
    assert "--backward sort" in err
    assert err.endswith("such options has `bitten data import`, then `bitten init`\n")


def test_ctrl_c_says_what_was_kept(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demonstration, "ingest", interrupted)
    code, _, err = run(capsys)
    assert code == 130
    assert err.strip() == "interrupted: demo keeps what was finished; the same command again does the rest"
    assert len(list(Path("demo/quotes").glob("*.csv.gz"))) == 3
    assert not list(Path("demo").rglob("*.parquet"))


@pytest.mark.parametrize("synthetic_first", [True, False])
def test_made_up_and_real_quotes_never_mix(capsys: pytest.CaptureFixture[str], synthetic_first: bool) -> None:
    own = ["--data", str(write_own(Path("mine/eurgbp.csv"))), "--folder", "one"]
    made = ["--folder", "one"]
    first, second = (made, own) if synthetic_first else (own, made)
    assert run(capsys, *first)[0] == 0
    code, _, err = run(capsys, *second)
    assert code == 2
    assert "choose another --folder" in err


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--data", "nowhere"], "nowhere: there is no such file or folder"),
        (["--clock", "UTC"], "name them with --data PATH"),
        (["--dta", "x"], "--data"),
    ],
)
def test_mistakes_are_explained(capsys: pytest.CaptureFixture[str], words: list[str], found: str) -> None:
    code, _, err = run(capsys, *words)
    assert code == 2
    assert found in err
    assert not Path("demo").exists() or not list(Path("demo").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("held", "choice"),
    [
        ([("EURUSD", "ticks"), ("EURUSD", "M1"), ("GBPUSD", "H1")], Choice(("EURUSD",), None, "USD", ("GBPUSD",))),
        ([("EURUSD", "H1"), ("USDJPY", "M5")], Choice(("USDJPY",), "M5", "USD", ("EURUSD",))),
        ([("EURGBP", "M1"), ("EURUSD", "M1")], Choice(("EURGBP", "EURUSD"), "M1", "USD", ())),
        ([("EURGBP", "M1")], Choice(("EURGBP",), "M1", "GBP", ())),
    ],
)
def test_what_is_replayed(held: list[tuple[str, str]], choice: Choice) -> None:
    assert choose([holding(*one) for one in held], load_instruments()) == choice


def test_nothing_to_replay_is_an_error() -> None:
    with pytest.raises(DataError, match="no quotes came out"):
        choose([], load_instruments())


@pytest.mark.parametrize(
    ("bars", "timeframes"), [(None, ("M1", "M5")), ("M1", ("M1", "M5")), ("M5", ("M5", "M10")), ("D1", ("D1",))]
)
def test_the_configuration_is_valid(bars: str | None, timeframes: tuple[str, ...], tmp_path: Path) -> None:
    choice = Choice(("EURGBP",), bars, "GBP", ())
    (tmp_path / "bitten.toml").write_text(configuration(choice), encoding="utf-8")
    config, _ = read_config(tmp_path / "bitten.toml")
    assert config.feed.use == "parquet"
    assert config.feed.symbols == ("EURGBP",)
    assert config.feed_part.config.bars == bars
    assert [pattern.timeframes for pattern in config.patterns] == [timeframes, timeframes]
    assert [account.currency for account in config.accounts] == ["GBP"]


def test_an_account_in_yen_is_not_a_hundred_times_too_small(tmp_path: Path) -> None:
    (tmp_path / "bitten.toml").write_text(configuration(Choice(("CADJPY",), None, "JPY", ())), encoding="utf-8")
    config, _ = read_config(tmp_path / "bitten.toml")
    assert [(account.currency, account.balance) for account in config.accounts] == [("JPY", 1_500_000.0)]


@pytest.mark.parametrize(
    ("variables", "terminal", "expected"),
    [({"DISPLAY": ":0"}, True, True), ({}, True, False), ({"DISPLAY": ":0"}, False, False), ({"CI": "1"}, True, False)],
)
def test_a_browser_opens_only_where_somebody_looks(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], terminal: bool, expected: bool
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(command.sys, "platform", "linux")
    monkeypatch.setattr(command.sys.stdout, "isatty", lambda: terminal, raising=False)
    assert command._has_desktop() is expected
