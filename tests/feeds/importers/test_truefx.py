"""TrueFX: rows as downloaded and re-headed, one pair a file, always UTC."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitten.errors import DataError
from tests.store.importing import one, read_ticks, run, texts, write

ROWS = "EUR/USD,20200101 22:00:00.065,1.12120,1.12172\nEUR/USD,20200101 22:00:10.447,1.12121,1.12192\n"


def test_downloaded_rows_name_their_pair(tmp_path: Path) -> None:
    file = write(tmp_path, "march.csv", ROWS)
    imported = one(file)
    assert (imported.symbol, imported.source.format, imported.source.clock) == ("EURUSD", "truefx", "UTC")
    raw = read_ticks(file, "truefx")
    assert texts(raw.time) == ["2020-01-01 22:00:00.065", "2020-01-01 22:00:10.447"]
    assert raw.bid.tolist() == [1.12120, 1.12121]
    assert raw.ask.tolist() == [1.12172, 1.12192]


def test_reheaded_rows_with_mixed_fractions(tmp_path: Path) -> None:
    rows = (
        "timestamp,bid,ask\n2013-01-01 22:00:00.295000+00:00,86.655,86.728\n2013-01-01 22:02:36+00:00,86.657,86.728\n"
    )
    file = write(tmp_path, "usdjpy-ticks.csv", rows)
    imported = one(file)
    assert (imported.symbol, imported.source.format) == ("USDJPY", "truefx")
    assert texts(read_ticks(file, "truefx").time) == ["2013-01-01 22:00:00.295", "2013-01-01 22:02:36.000"]


def test_second_pair_in_a_file_is_refused_at_its_line(tmp_path: Path) -> None:
    file = write(tmp_path, "two.csv", ROWS + "GBP/USD,20200101 22:00:11.000,1.3,1.4\n")
    with pytest.raises(DataError, match=r'two\.csv:3: pair changes from "EUR/USD" to "GBP/USD"'):
        run(file)
