"""Every real file imports with the rows and times of its README, or is refused with a reason that is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitten.clock import to_utc
from bitten.errors import BittenError, DataError
from bitten.store.columns import NO_SPREAD, BarColumns
from bitten.store.discovery import NO_TICKS
from bitten.store.tickstore import TickStore
from tests.store.importing import one, run, texts
from tests.store.shared_files import EMPTY, GOOD, NO_QUOTES, REFUSED, Good, Refused

pytestmark = pytest.mark.shared


def _utc_ms(local: str, clock: str) -> int:
    stamp = np.array([local], "datetime64[ns]").astype(np.int64)
    return int(to_utc(stamp, clock)[0]) // 1_000_000


@pytest.mark.parametrize("case", GOOD, ids=lambda case: " ".join((case.files[0], *map(str, case.options.values()))))
def test_file_has_the_rows_and_times_of_its_readme(case: Good, shared_data: Path) -> None:
    paths = [path for pattern in case.files for path in sorted(shared_data.glob(pattern))]
    imported = one(*paths, **case.options)

    counts = dict(imported.source.counts)
    gaps = counts.pop("gaps")
    assert (imported.symbol, imported.kind, imported.source.clock) == (case.symbol, case.kind, case.clock)
    assert counts.pop("rows") == case.rows
    assert {name: count for name, count in counts.items() if count} == case.counts
    assert imported.passed == (case.rows if case.passed is None else case.passed)
    assert imported.first // 1_000_000 == _utc_ms(case.first, case.clock)
    assert imported.last // 1_000_000 == _utc_ms(case.last, case.clock)
    assert gaps <= imported.passed / 200


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: " ".join((case.file, *map(str, case.options.values()))))
def test_file_is_refused_with_its_reason(case: Refused, shared_data: Path) -> None:
    with pytest.raises(BittenError) as refusal:
        run(shared_data / case.file, **case.options)
    assert [words for words in case.reason if words not in str(refusal.value)] == []
    assert "\n" not in str(refusal.value)


def test_an_empty_hour_alone_is_nothing_to_import(shared_data: Path) -> None:
    with pytest.raises(DataError, match=rf"1 of 1 files skipped, nothing imported: .*{NO_TICKS}"):
        run(shared_data / EMPTY)


def test_every_file_has_its_case(shared_data: Path) -> None:
    covered = {path for case in GOOD for pattern in case.files for path in shared_data.glob(pattern)}
    covered |= {shared_data / case.file for case in REFUSED}
    covered |= {shared_data / name for name in (EMPTY, *NO_QUOTES)}
    assert sorted({path for path in shared_data.rglob("*") if path.is_file()} - covered) == []


def test_folder_is_walked_and_other_files_are_skipped(shared_data: Path) -> None:
    report = run(shared_data / "lean")
    series = [(one.symbol, one.kind, one.source.clock) for one in report.imported]
    assert series == [
        ("EURUSD", "M1", "EST"), ("EURUSD", "ticks", "EST"), ("EURUSD", "ticks", "UTC"), ("NZDUSD", "ticks", "EST"),
        ("XAUUSD", "H1", "UTC"), ("XAUUSD", "M1", "UTC"), ("XAUUSD", "ticks", "UTC"),
    ]  # fmt: skip
    assert [skipped.path.name for skipped in report.skipped] == ["symbol-properties-database.csv.gz"]


def test_two_vendors_do_not_end_up_in_one_series(shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BittenError, match="EURUSD ticks overlap"):
        run(shared_data / "lean", store=tmp_path / "store")
    assert TickStore(tmp_path / "store").symbols() == ()


def test_again_is_nothing_new(shared_data: Path, tmp_path: Path) -> None:
    store, file = tmp_path / "store", shared_data / "lean/oanda/tick/eurusd"
    first, again = one(file, store=store), one(file, store=store)
    assert first.added is not None
    assert (first.added.new, first.added.same) == (99861, 0)
    assert again.added is not None
    assert (again.added.new, again.added.same) == (0, 99861)
    assert TickStore(store).holding("EURUSD").rows == 99861


def test_mt5_export_is_the_bi5_ticks_it_was_made_of(shared_data: Path, tmp_path: Path) -> None:
    hours = sorted((shared_data / "dukascopy_bi5/EURUSD/2019/01/04").glob("*h_ticks.bi5"))
    export = shared_data / "mt5_export/EURUSD_201902040200_201902050159_ticks_CONVERTED.csv.gz"
    one(*hours, store=tmp_path / "bi5")
    one(export, clock="NY+7", store=tmp_path / "mt5")
    ticks, filled = TickStore(tmp_path / "bi5").read("EURUSD"), TickStore(tmp_path / "mt5").read("EURUSD")
    changed = np.flatnonzero((np.diff(ticks.bid, prepend=0) != 0) | (np.diff(ticks.ask, prepend=0) != 0))
    np.testing.assert_array_equal(filled.ts, ticks.ts[changed])
    np.testing.assert_array_equal(filled.bid, ticks.bid[changed])
    np.testing.assert_array_equal(filled.ask, ticks.ask[changed])


def test_spread_of_a_two_digit_broker_is_in_our_points(shared_data: Path, tmp_path: Path) -> None:
    one(shared_data / "mt5_python/XAUUSD_M1_2026.csv.gz", store=tmp_path / "store")
    bars = TickStore(tmp_path / "store").read("XAUUSD", kind="M1")
    assert isinstance(bars, BarColumns)
    assert np.median(bars.spread) == 120  # 12 of the broker's points of 0.01 are 120 of 0.001
    assert bars.spread.max() == 190
    assert (bars.open[0], bars.close[0]) == (4_381_490, 4_386_670)


def test_spread_of_joined_files_is_ask_less_bid(shared_data: Path, tmp_path: Path) -> None:
    one(*sorted((shared_data / "fxcm").glob("gbpusd*")), store=tmp_path / "store")
    bars = TickStore(tmp_path / "store").read("GBPUSD", kind="M1")
    assert isinstance(bars, BarColumns)
    assert bars.spread[:3].tolist() == [9, 9, 9]
    assert (bars.spread == NO_SPREAD).sum() == 347
    assert texts(bars.time[[0, -1]], 0) == ["2012-02-01 00:00:00", "2012-03-01 00:00:00"]


def test_integer_points_of_ejtrader_are_prices(shared_data: Path, tmp_path: Path) -> None:
    imported = one(shared_data / "misc/XAUUSD_H1_ejtrader.csv.gz", store=tmp_path / "store")
    assert "divided by 100" in imported.source.rules["prices"]
    bars = TickStore(tmp_path / "store").read("XAUUSD", kind="H1")
    assert isinstance(bars, BarColumns)
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (1_547_590, 1_553_840, 1_547_400, 1_552_950)


def test_hst_prices_lose_their_float32_residue(shared_data: Path, tmp_path: Path) -> None:
    one(shared_data / "mt4/GOLD1440_v400.hst", symbol="XAUUSD", clock="EET", store=tmp_path / "store")
    bars = TickStore(tmp_path / "store").read("XAUUSD", kind="D1")
    assert isinstance(bars, BarColumns)
    assert (np.concatenate([bars.open, bars.high, bars.low, bars.close]) % 10 == 0).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()


def test_server_clock_shows_payrolls_at_their_hour(shared_data: Path, tmp_path: Path) -> None:
    """The ticks of Friday 2022-01-07 multiply at 13:30 UTC, stamped 10:00 by the fixed UTC-03:30 of the file."""
    one(shared_data / "mt5_python/EURUSD_M1_2022.tsv.gz", store=tmp_path / "store")
    bars = TickStore(tmp_path / "store").read("EURUSD", kind="M1")
    assert isinstance(bars, BarColumns)
    friday = (bars.time // 86_400_000_000_000) == 18999
    times, ticks = bars.time[friday], bars.volume[friday]
    busy = np.flatnonzero(ticks[1:] - ticks[:-1] == (ticks[1:] - ticks[:-1]).max()) + 1
    assert texts(times[busy], 0) == ["2022-01-07 13:30:00"]


def test_stated_clock_that_the_weekends_deny_is_warned_of(shared_data: Path) -> None:
    file = shared_data / "mt5_export/EURUSD_H1_202401020000_202503282300.csv"
    assert "fit NY+7" in one(file, clock="EET").warnings[0]
    assert one(file, clock="NY+7").warnings == ()
