"""`bitten.backtest`: from keyword arguments or a file to a run folder that is whole or not there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import bitten
from bitten.backtesting import run_config
from bitten.barpattern import BarPattern
from bitten.config import read_config
from bitten.errors import BittenError
from bitten.journal.schema import TABLES
from bitten.manager import Manager
from bitten.runfolder import run_name, staged
from bitten.tracker import Tracker
from tests.laws.test_containment import Nothing
from tests.replay import settings


class EveryHour(BarPattern):
    """Buys each hour, 300 points of stop and target."""

    def on_bar(self, bar, window):
        if bar.time % 3_600_000_000_000 == 0:
            return self.buy(stop=bar.close - 0.003, target=bar.close + 0.003, confidence=60)
        return None


def frame(n: int = 4_000, start: str = "2024-05-06 00:00") -> pd.DataFrame:
    rng = np.random.default_rng(3)
    bid = 1.1 + np.cumsum(rng.normal(0, 3e-5, n))
    return pd.DataFrame({"bid": bid, "ask": bid + 8e-5}, index=pd.date_range(start, periods=n, freq="15s", tz="UTC"))


def test_run_folder_is_complete(tmp_path: Path) -> None:
    run = bitten.backtest(settings(), output=tmp_path, name="one")
    assert sorted(path.name for path in run.folder.iterdir()) == sorted(
        ["manifest.json", "summary.json", "report.html", *(f"{name}.parquet" for name in (*TABLES, "performance"))]
    )
    for name, schema in TABLES.items():
        assert pq.read_schema(run.folder / f"{name}.parquet").equals(schema), name
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert manifest["feed"]["synthetic"] is True
    assert manifest["quotes"] == sum(manifest["quotes_by_symbol"].values()) > 10_000
    assert visible(tmp_path) == ["one"]


def test_money_adds_up(tmp_path: Path) -> None:
    run = bitten.backtest(settings(), output=tmp_path)
    trades = run.trades
    assert run.folder.name == "backtest-0001"
    assert (trades["gross"] + trades["commission"] + trades["swap"] - trades["profit"]).abs().max() < 1e-9
    assert (trades["commission"] - (-7.0 * trades["lots"]).round(2)).abs().max() < 1e-9
    for account, start in (("main", 10_000.0), ("euro", 2_500.0)):
        rows = run.equity[run.equity["account"] == account]
        own = trades[trades["account"] == account]
        assert rows["balance"].iloc[-1] == pytest.approx(start + own["profit"].sum(), abs=0.005)
        assert rows["equity"].iloc[-1] == rows["balance"].iloc[-1]
        assert rows["time"].is_monotonic_increasing
    usd = trades[(trades["account"] == "main") & (trades["symbol"] == "XAUUSD")]
    assert np.allclose(usd["gross"], (usd["pips"] * 0.1 * 100 * usd["lots"]).round(2), atol=0.0101)


def test_leverage_is_told(tmp_path: Path) -> None:
    gates, accounts = [{"use": "fixed_lots", "lots": 2.0}], [{"balance": 1_000.0}]
    run = bitten.backtest(
        data={"EURUSD": frame(300)}, patterns=[EveryHour], gates=gates, accounts=accounts, output=tmp_path
    )
    first = run.trades.iloc[0]
    balance, times = 1_000.0, []
    for trade in run.trades.itertuples():
        times.append(200_000 * trade.open_price / balance)
        balance += trade.profit
    assert first["lots"] == 2.0
    assert any(f"{max(times):.0f} times its account's balance" in line for line in run.manifest["costs"])


def test_risk_is_what_was_configured(tmp_path: Path) -> None:
    run = bitten.backtest(settings(["EURUSD"], accounts=[{"risk_percent": 1.0}]), output=tmp_path)
    trades = run.trades
    risk = (trades["open_price"] - trades["stop"]).abs() * 100_000 * trades["lots"]
    assert len(trades) > 10
    # 1 % of 10,000 at the quote that was decided on; the fill may lie some points beyond it, lots are rounded down
    assert 60 < risk.median() < 101
    assert risk.max() < 200


def test_frames_and_pattern_classes_in_a_notebook(tmp_path: Path) -> None:
    run = bitten.backtest(
        data={"EURUSD": frame()}, patterns=[EveryHour], gates=[{"use": "fixed_lots", "lots": 0.2}], output=tmp_path
    )
    assert run.manifest["quotes"] == 4_000
    assert len(run.signals) == 17
    assert set(run.signals["pattern"]) == {"every_hour"}
    assert (run.trades["lots"] == 0.2).all()
    assert "<iframe" in run._repr_html_()


@pytest.mark.parametrize(("start", "held"), [("2024-05-06 02:00", False), ("2024-05-06 19:50", True)])
def test_a_run_over_a_rollover_says_that_swap_is_not_charged(tmp_path: Path, start: str, held: bool) -> None:
    gates = [{"use": "fixed_lots", "lots": 0.2}]
    run = bitten.backtest(data={"EURUSD": frame(400, start)}, patterns=[EveryHour], gates=gates, output=tmp_path)
    assert any("Swap is NOT charged yet: 1 position " in line for line in run.manifest["costs"]) == held


def test_sections_replace_those_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bitten.toml"
    path.write_text('[feed]\nuse = "synthetic"\nsymbols = ["EURUSD"]\nfrom = 2024-04-08\nto = 2024-04-09\n')
    run = bitten.backtest(path, patterns=[{"use": "bb_scalp", "params": {"max_adx": 40.0}}])
    assert run.folder == tmp_path / "runs" / "backtest-0001" or run.folder.parent.name == "runs"
    written = run.manifest["config"]["patterns"][0]
    assert written["params"]["max_adx"] == 40.0
    assert written["params"]["period"] == 20  # defaults are filled in
    assert run.manifest["config"]["executor"]["latency_ms"] == 0.0


def test_an_existing_name_is_refused_and_left_alone(tmp_path: Path) -> None:
    first = bitten.backtest(settings(["EURUSD"]), output=tmp_path, name="keep")
    before = (first.folder / "manifest.json").read_bytes()
    with pytest.raises(BittenError, match="keep exists: choose another --name, or --overwrite"):
        bitten.backtest(settings(["EURUSD"]), output=tmp_path, name="keep")
    assert (first.folder / "manifest.json").read_bytes() == before
    bitten.backtest(settings(["XAUUSD"], accounts=[{}]), output=tmp_path, name="keep", overwrite=True)
    assert visible(tmp_path) == ["keep"]
    assert json.loads((first.folder / "manifest.json").read_text())["symbols"] == ["XAUUSD"]


def test_no_quotes_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    source = settings(["EURUSD"])
    source["feed"] |= {"from": "2024-04-13", "to": "2024-04-14"}  # a Saturday
    with pytest.raises(BittenError, match="the feed gave no quotes"):
        bitten.backtest(source, output=tmp_path / "runs")
    assert visible(tmp_path / "runs") == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals to children work otherwise there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_no_half_folder(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "bitten.toml").write_text(
        '[feed]\nuse = "synthetic"\nsymbols = ["EURUSD"]\nfrom = 2024-04-08\nto = 2027-04-08\n'
        'quotes_per_day = 400_000\n[[patterns]]\nuse = "bb_scalp"\n'
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "bitten", "backtest"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    runs = tmp_path / "runs"
    for _ in range(600):
        if runs.exists() and list(runs.iterdir()):
            break
        time.sleep(0.05)
    time.sleep(0.3)
    os.kill(child.pid, how)
    _, complaint = child.communicate(timeout=60)
    if how == signal.SIGINT:
        assert child.returncode == 130
        assert "the unfinished run was not kept, earlier runs are untouched" in complaint
        assert [path.name for path in runs.iterdir()] == [".lock"]
    assert visible(runs) == []
    bitten.backtest(settings(["EURUSD"]), output=runs)  # clears up what the killed one left
    assert sorted(path.name for path in runs.iterdir()) == [".lock", "backtest-0001"]


def test_two_runs_at_once_never_share_a_name(tmp_path: Path) -> None:
    with staged(tmp_path, None) as first, staged(tmp_path, None) as second:
        assert (run_name(first), run_name(second)) == ("backtest-0001", "backtest-0002")
        busy = pytest.raises(BittenError, match=r"another run is writing .*backtest-0001 at this moment")
        with busy, staged(tmp_path, "backtest-0001"):
            pass
    assert visible(tmp_path) == ["backtest-0001", "backtest-0002"]


def test_a_run_that_a_kill_hid_while_it_was_replaced_comes_back(tmp_path: Path) -> None:
    (tmp_path / ".old-run.old").mkdir()
    (tmp_path / ".old-run.old" / "summary.json").write_text("{}")
    with staged(tmp_path, "new-run"):
        pass
    assert visible(tmp_path) == ["new-run", "old-run"]


class Clumsy(Tracker):
    Config = Nothing

    def finish(self) -> None:
        raise OSError("no room left")


class ClumsyPlugin:
    @bitten.hookimpl
    def bitten_trackers(self) -> dict[str, type]:
        return {"clumsy": Clumsy}


def test_a_tracker_that_cannot_finish_costs_no_run(tmp_path: Path) -> None:
    manager = Manager(extra={"clumsy": ClumsyPlugin()})
    config, manager = read_config(settings(["EURUSD"], trackers=[{"use": "clumsy"}]), manager)
    run = run_config(config, manager, output=tmp_path)
    assert run.manifest["failures"] == {"tracker clumsy.finish": 1}
    assert "tracker clumsy" not in manager.plugins


def test_silence_is_explained(tmp_path: Path) -> None:
    run = bitten.backtest(data={"EURUSD": frame(200)}, patterns=["bb_scalp"], output=tmp_path)
    assert "No signals: bb_scalp on EURUSD M1 saw 49 bars, it is silent for the first 179." in run.manifest["notes"]
    run = bitten.backtest(data={"EURUSD": frame(200)}, patterns=[], output=tmp_path)
    assert "No signals: no pattern is configured; add [[patterns]]." in run.manifest["notes"]


def test_yen_accounts_have_no_cents(tmp_path: Path) -> None:
    accounts = [{"currency": "JPY", "balance": 1_000_000.0}]
    run = bitten.backtest(settings(["EURUSD", "USDJPY"], accounts=accounts), output=tmp_path)
    assert len(run.trades) > 5
    for column in ("gross", "commission", "profit"):
        assert (run.trades[column] % 1 == 0).all()
    assert (run.equity["equity"] % 1 == 0).all()


def test_bars_cannot_be_cut_finer(tmp_path: Path) -> None:
    bars = frame(4_000)["bid"].resample("1h").ohlc()
    with pytest.raises(BittenError, match="bb_scalp wants M1 bars of EURUSD, but the feed replays H1 bars"):
        bitten.backtest(data={"EURUSD": bars}, feed={"bars": "H1"}, patterns=["bb_scalp"], output=tmp_path)


def test_one_frame_needs_a_symbol_column(tmp_path: Path) -> None:
    with pytest.raises(BittenError, match="data is one frame without a symbol column"):
        bitten.backtest(data=frame(), patterns=["bb_scalp"], output=tmp_path)
    run = bitten.backtest(data=frame().assign(symbol="EURUSD"), patterns="bb_scalp", output=tmp_path)
    assert run.manifest["symbols"] == ["EURUSD"]


def test_two_classes_of_one_name_are_refused(tmp_path: Path) -> None:
    other = type("EveryHour", (EveryHour,), {})
    with pytest.raises(BittenError, match="two different pattern classes are called EveryHour"):
        bitten.backtest(data={"EURUSD": frame()}, patterns=[EveryHour, other], output=tmp_path)


def test_a_class_may_shadow_an_installed_name(tmp_path: Path) -> None:
    mine = type("BbScalp", (EveryHour,), {})
    run = bitten.backtest(data={"EURUSD": frame()}, patterns=[mine], gates=[{"use": "fixed_lots"}], output=tmp_path)
    assert len(run.signals) == 17


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
