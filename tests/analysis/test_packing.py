import base64
import gzip
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.analysis.candles import LADDER
from bitten.analysis.packing import Packer
from bitten.analysis.payload import Blocks, pack_trades, within_budget
from tests.analysis.made_run import START, make_run, trades_table

DTYPES = {1: "<i1", 2: "<i2", 4: "<i4", 8: "<f8"}


def unpack(packer: Packer) -> dict[str, np.ndarray]:
    return decode(gzip.decompress(base64.b64decode(packer.text())), packer.meta)


def decode(raw: bytes, meta: list[dict]) -> dict[str, np.ndarray]:
    """What assets/unpack.js does."""
    columns, offset = {}, 0
    for column in meta:
        size = column["width"] * column["count"]
        stored = np.frombuffer(raw[offset : offset + size], DTYPES[column["width"]]).astype(np.float64)
        offset += size
        if column.get("running"):
            columns[column["name"]] = column["first"] + np.cumsum(stored * column["unit"])
            continue
        absent = np.isnan(stored) if column["width"] == 8 else stored == -(2 ** (8 * column["width"] - 1))
        columns[column["name"]] = np.where(absent, np.nan, stored / column.get("scale", 1))
    assert offset == len(raw)
    return columns


@given(st.lists(st.integers(-(2**50), 2**50), max_size=40), st.integers(1, 90))
def test_running_columns_come_back(values, unit):
    packer = Packer()
    packer.running("a", np.array(values, np.int64) // 2**20 * unit)
    packer.running("b", np.array(values, np.int64))
    found = unpack(packer)
    assert found["a"].tolist() == [value // 2**20 * unit for value in values]
    assert found["b"].tolist() == pytest.approx(values, abs=0.5)


@given(st.lists(st.none() | st.integers(-(2**31), 2**33), max_size=40))
def test_scaled_columns_come_back_with_their_nulls(values):
    packer = Packer()
    packer.scaled("a", np.array([np.nan if value is None else value / 100 for value in values], np.float64), 100)
    found = unpack(packer)["a"]
    assert [None if np.isnan(x) else round(x * 100) for x in found] == values


def test_whole_minutes_take_a_byte_or_two():
    made = make_run(trades=2, bars=10_000, symbols=1).candles["EURUSD"]
    packer = Packer()
    packer.running("time", made.time // 10**9)
    assert packer.meta[0]["width"] == 2
    assert unpack(packer)["time"][0] == START // 10**9


def test_equal_columns_give_equal_text():
    def text() -> str:
        packer = Packer()
        packer.plain("a", np.arange(1000))
        return packer.text()

    assert text() == text()


def test_a_budget_coarsens_the_largest_first():
    made = make_run(trades=2, bars=3000, symbols=2).candles
    made["small"] = made["EURUSD"].__class__(5, LADDER[0], *(made["EURUSD"].time[:10],) * 5)
    kept = within_budget(made, 2000)
    assert sum(candles.size for candles in kept.values()) <= 2000
    assert kept["small"].timeframe_ns == LADDER[0]
    assert within_budget(made, 10**9) == made


def test_a_budget_that_nothing_can_meet_ends_at_d1():
    made = make_run(trades=2, bars=3000, symbols=2).candles
    assert {candles.timeframe_ns for candles in within_budget(made, 1).values()} == {LADDER[-1]}


def packed_trades(rows: list[dict], instruments: dict, candles: dict | None = None) -> tuple[dict, dict]:
    """The facts about the trades and their columns."""
    blocks = Blocks()
    facts = pack_trades(blocks, trades_table(rows), {"instruments": instruments}, candles or {})
    raw = re.search(rf'id="{facts["block"]["id"]}">([^<]*)<', blocks.html())[1]
    return facts, decode(gzip.decompress(base64.b64decode(raw)), facts["block"]["columns"])


ROW = {"open_price": 1.1, "stop": 1.0985, "close_price": 1.1021, "pips": 21.0, "symbol": "EURUSD"}


def test_trades_are_packed_in_points_from_their_entry():
    facts, columns = packed_trades([ROW], {"EURUSD": {"digits": 5, "pip": 0.0001}})
    assert facts["digits"] == [5]
    found = {name: columns[name].tolist() for name in ("open", "stop", "close", "risk", "r")}
    assert found == {"open": [110000.0], "stop": [-150.0], "close": [210.0], "risk": [15.0], "r": [1.4]}
    assert np.isnan(columns["target"][0])


def test_digits_and_pips_that_nobody_states_are_read_off_the_trades():
    facts, columns = packed_trades([ROW, {**ROW, "open_price": 1.10005, "pips": 20.5}], {})
    assert facts["digits"] == [5]
    assert columns["risk"][0] == pytest.approx(15.0)


def test_digits_come_from_the_candles_before_they_are_guessed():
    candles = {"EURUSD": make_run(trades=2, bars=3000, symbols=1).candles["EURUSD"]}
    assert packed_trades([{**ROW, "open_price": 1.0}], {}, candles)[0]["digits"] == [5]


def test_prices_with_endless_decimals_keep_eight():
    assert packed_trades([{**ROW, "open_price": 1 / 3}], {})[0]["digits"] == [8]
