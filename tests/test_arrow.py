"""Columns made by their buffers are those that pyarrow makes of the same values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitten.arrow import from_numpy, to_numpy
from bitten.journal.columns import make_batch
from bitten.journal.schema import TABLES


def values_of(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_timestamp(kind) or pa.types.is_integer(kind):
        return st.none() | st.integers(-(2**62), 2**62)
    if pa.types.is_boolean(kind):
        return st.none() | st.booleans()
    if pa.types.is_floating(kind):
        return st.none() | st.floats()
    return st.none() | st.sampled_from(["", "buy", "sell", "größer", "高い", "a\0b"])


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
def test_a_batch_holds_what_its_rows_say(name: str, data: st.DataObject) -> None:
    schema = TABLES[name]
    rows = data.draw(st.lists(st.tuples(*(values_of(field.type) for field in schema)), max_size=20))
    batch = make_batch([cell for row in rows for cell in row], schema)
    batch.validate(full=True)
    for values, field, column in zip(zip(*rows, strict=True), schema, batch.columns, strict=False):
        word = pa.types.is_dictionary(field.type)
        wanted = pa.array(values, pa.string() if word else field.type)
        found = column.cast(pa.string()) if word else column
        assert repr(found.to_pylist()) == repr(wanted.to_pylist())  # NaN is no null
        assert found.null_count == wanted.null_count
        if word:
            assert column.dictionary.to_pylist() == sorted({value for value in values if value is not None})


@pytest.mark.parametrize("kind", [np.bool_, np.int32, np.int64, np.float64])
@pytest.mark.parametrize("start", [0, 3, 20])
def test_there_and_back(kind: type, start: int) -> None:
    values = (np.arange(20) % 3).astype(kind)
    known = np.arange(20) % 5 != 0
    found, there = to_numpy(pa.chunked_array([from_numpy(values, known=known)]).slice(start))
    np.testing.assert_array_equal(found, values[start:])
    assert found.dtype == kind
    np.testing.assert_array_equal(np.ones(20 - start, np.bool_) if there is None else there, known[start:])
    assert to_numpy(from_numpy(values))[1] is None
