"""MetaTrader 4: History Center CSV and .hst of both versions."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from bitten.errors import BittenError, DataError
from bitten.store.tickstore import TickStore
from bitten_feeds.importers.mt4 import float32_decimals
from tests.store.importing import one, read_bars, run, texts, write

HOUR = 3600
MONDAY = 1_577_923_200  # 2020-01-02 00:00


def header(version: int, symbol: str = "EURUSD", period: int = 60, digits: int = 5) -> bytes:
    return struct.pack("<i64s12sii60x", version, b"(C)opyright", symbol.encode(), period, digits)


def v400(*rows: tuple[float, ...], **head: object) -> bytes:
    """Rows of time, open, high, low, close, volume; on disk low stands before high."""
    packed = [struct.pack("<iddddd", int(t), o, low, high, c, v) for t, o, high, low, c, v in rows]
    return header(400, **head) + b"".join(packed)  # type: ignore[arg-type]


def v401(*rows: tuple[float, ...], **head: object) -> bytes:
    packed = [struct.pack("<qddddqiq", int(t), o, high, low, c, int(v), int(s), 0) for t, o, high, low, c, v, s in rows]
    return header(401, **head) + b"".join(packed)  # type: ignore[arg-type]


def test_history_center_csv(tmp_path: Path) -> None:
    rows = "2012.05.01,00:00,80.91950,80.93400,80.89500,80.89600,313\r\n2012.05.01,00:01,80.8,80.9,80.7,80.8,65\r\n"
    file = write(tmp_path, "CADJPY1.csv", rows)
    raw = read_bars(file, "mt4_csv")
    assert texts(raw.time, 0) == ["2012-05-01 00:00:00", "2012-05-01 00:01:00"]
    assert (raw.open[0], raw.high[0], raw.low[0], raw.close[0], raw.volume[0]) == (80.9195, 80.934, 80.895, 80.896, 313)
    imported = one(file, clock="NY+7", timeframe="M1")
    assert (imported.symbol, imported.source.format, imported.source.counts["rounded"]) == ("CADJPY", "mt4_csv", 1)
    assert "more than 3 decimals and were rounded; to keep them set digits" in imported.warnings[0]


def test_v400_has_low_before_high(tmp_path: Path) -> None:
    file = write(tmp_path, "x.hst", v400((MONDAY, 1.1, 1.3, 1.0, 1.2, 7), (MONDAY + HOUR, 1.2, 1.25, 1.15, 1.2, 8)))
    raw = read_bars(file, "mt4_hst")
    assert [raw.open[0], raw.high[0], raw.low[0], raw.close[0], raw.volume[0]] == [1.1, 1.3, 1.0, 1.2, 7]
    imported = one(file, clock="UTC")
    assert (imported.symbol, imported.kind, imported.passed) == ("EURUSD", "H1", 2)
    assert texts([imported.first], 0) == ["2020-01-02 00:00:00"]


def test_v400_residue_is_rounded_away(tmp_path: Path) -> None:
    prices = [1079.99, 1074.94, 1082.5, 1071.03]
    through_float32 = [round(float(np.float32(price)), 4) for price in prices]
    assert through_float32 != prices
    opening, close, high, low = through_float32
    file = write(tmp_path, "x.hst", v400((MONDAY, opening, high, low, close, 1), symbol="XAUUSD", digits=1))
    imported = one(file, clock="UTC", store=tmp_path / "store")
    assert "residue" in imported.source.rules["prices"]
    assert "rounded" not in imported.source.counts
    bars = TickStore(tmp_path / "store").read("XAUUSD", kind="H1")
    assert [bars.open[0], bars.close[0], bars.high[0], bars.low[0]] == [1_079_990, 1_074_940, 1_082_500, 1_071_030]


def test_float32_decimals_keeps_what_is_really_there() -> None:
    assert float32_decimals(np.array([1079.99, 1074.9399])) == 2
    assert float32_decimals(np.array([1079.99, 1074.945])) == 3
    assert float32_decimals(np.array([1.12345, 1.1])) == 5


def test_v401_has_a_spread(tmp_path: Path) -> None:
    file = write(
        tmp_path, "x.hst", v401((MONDAY, 1.10001, 1.3, 1.0, 1.2, 7, 12), (MONDAY + HOUR, 1.2, 1.3, 1.1, 1.2, 8, 0))
    )
    one(file, clock="UTC", store=tmp_path / "store")
    bars = TickStore(tmp_path / "store").read("EURUSD", kind="H1")
    assert bars.spread.tolist() == [12, -1]


@pytest.mark.parametrize(("period", "word"), [(43200, "monthly"), (10080, "weekly"), (7, "7-minute")])
def test_periods_without_a_timeframe_are_refused(tmp_path: Path, period: int, word: str) -> None:
    with pytest.raises(DataError, match=f"holds {word} bars, allowed are M1, "):
        run(write(tmp_path, "x.hst", v401((MONDAY, 1, 1, 1, 1, 1, 1), period=period)))


def test_cut_file_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "x.hst", v400((MONDAY, 1.1, 1.3, 1.0, 1.2, 7))[:-3])
    with pytest.raises(DataError, match=r"middle of a record \(41 of 44 bytes\)"):
        run(file, clock="UTC")


def test_unknown_symbol_of_the_header_says_how_to_go_on(tmp_path: Path) -> None:
    file = write(tmp_path, "x.hst", v400((MONDAY, 1.1, 1.3, 1.0, 1.2, 7), symbol="GOLD"))
    with pytest.raises(BittenError, match=r'"GOLD" is unknown.*instruments\.GOLD.*--symbol'):
        run(file, clock="UTC")
    assert one(file, clock="UTC", symbol="XAUUSD").symbol == "XAUUSD"


def test_stated_format_without_a_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no header of an \.hst file"):
        run(write(tmp_path, "x.hst", b"x" * 200), format="mt4_hst")
    with pytest.raises(DataError, match="MT4 rows have 7 columns"):
        run(write(tmp_path, "EURUSD.csv", "2012.05.01,00:00,80.9\n"), format="mt4_csv")
