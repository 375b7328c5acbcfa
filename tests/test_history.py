"""A history is the same from a store, from raw files, and from its middle; and says what it cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitten.clock import iso
from bitten.errors import DataError
from bitten.history import History, Wanted, open_history
from bitten.manager import Manager
from bitten.model.dtypes import Records
from bitten.testing import random_bars


def write_bars(path: Path, count: int, timeframe: str = "M1", seed: int = 3) -> Path:
    """Random bars as a vendor might write them."""
    bars = random_bars(np.random.default_rng(seed), count, timeframe)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        ",".join([iso(int(bar["time"]), 0), *(f"{bar[name] / 1e5:.5f}" for name in ("open", "high", "low", "close"))])
        for bar in bars
    ]
    rows = [f"{line},{bar['ticks']}" for line, bar in zip(lines, bars, strict=True)]
    path.write_text("\n".join(["time,open,high,low,close,volume", *rows]) + "\n")
    return path


def closes(history: History, start: int | None = None, end: int | None = None) -> Records:
    parts = [piece.quotes[history.symbol] for piece in history.slices(start, end)]
    return np.stack([np.concatenate([quotes.ts for quotes in parts]), np.concatenate([quotes.bid for quotes in parts])])


def test_raw_files_and_the_store_made_of_them_are_one_history(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "EURUSD_M5.csv", 300, "M5")
    with open_history(Wanted((path,), clock="UTC"), Manager()) as history:
        assert (history.symbol, history.timeframe, history.bars, history.synthetic) == ("EURUSD", "M5", "M5", False)
        assert history.source == "EURUSD_M5.csv"
        whole = closes(history)
        assert whole.shape == (2, 1200)
        start, end = int(whole[0, 400]), int(whole[0, 800])
        part = closes(history, start, end)
        assert part.tolist() == whole[:, 400:800].tolist()
    assert history.store is not None and not history.store.exists(), "a store of raw files lives as long as it is open"


def test_bars_are_looked_at_in_multiples_of_their_own_timeframe(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "EURUSD_M5.csv", 300, "M5")
    with open_history(Wanted((path,), "eurusd", "M15", "UTC"), Manager()) as history:
        assert (history.timeframe, history.bars) == ("M15", "M5")
    message = "EURUSD comes as M5 bars, of which no M1 bars can be made: possible are M5, M10, M15"
    with pytest.raises(DataError, match=message), open_history(Wanted((path,), None, "M1", "UTC"), Manager()):
        pass


def test_without_data_the_market_is_made_up_and_says_so() -> None:
    with open_history(Wanted(symbol="XAUUSD"), Manager()) as history:
        assert (history.symbol, history.timeframe, history.synthetic, history.store) == ("XAUUSD", "M1", True, None)
        assert "SYNTHETIC" in history.source
        first = closes(history, None, 1_712_523_600_000_000_000 + 3 * 3600 * 10**9)
        assert first.tolist() == closes(history, None, 1_712_523_600_000_000_000 + 3 * 3600 * 10**9).tolist()
        assert first.shape[1] > 50


def test_what_only_an_import_can_be_told_is_passed_on(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "EURUSD_M5.csv", 300, "M5")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:100], lines[50], *lines[100:]]) + "\n")
    with pytest.raises(DataError) as caught, open_history(Wanted((path,), clock="UTC"), Manager()):
        pass
    assert "--backward sort" in str(caught.value)
    assert "make a store with it, and give that with --data" in str(caught.value)


def test_files_keep_their_own_symbols_and_others_are_told_one(tmp_path: Path) -> None:
    write_bars(tmp_path / "files" / "EURUSD_M5.csv", 300, "M5")
    write_bars(tmp_path / "files" / "GBPUSD_M5.csv", 300, "M5", seed=4)
    with open_history(Wanted((tmp_path / "files",), "gbpusd", clock="UTC"), Manager()) as history:
        assert (history.symbol, history.others) == ("GBPUSD", ("EURUSD",))
    nameless = write_bars(tmp_path / "export.csv", 300, "M5")
    with open_history(Wanted((nameless,), "GBPUSD", clock="UTC"), Manager()) as history:
        assert (history.symbol, history.others) == ("GBPUSD", ())
