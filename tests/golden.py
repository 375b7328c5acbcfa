"""Digests of the trades that real files gave once: they change only with a reason, which the commit states.

After a wanted change: `BITTEN_GOLDEN=write pytest tests/test_real_quotes.py`, and say in the commit what moved and why.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

_FILE = Path(__file__).with_name("golden.json")
_TABLES = ("signals", "trades", "outcomes")


def digest(table: pa.Table) -> str:
    """Of every value of a table: times to the nanosecond, prices and money as they print."""
    columns = []
    for name in table.column_names:
        column = table[name]
        columns.append(column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column)
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return hashlib.sha256("\n".join(repr(row) for row in rows).encode()).hexdigest()[:16]


def check_golden(case: str, tables: Mapping[str, pa.Table]) -> None:
    """The tables are what they were when the golden digests were written."""
    found = {name: f"{tables[name].num_rows} rows {digest(tables[name])}" for name in _TABLES}
    known = json.loads(_FILE.read_text(encoding="utf-8"))
    if os.environ.get("BITTEN_GOLDEN") == "write":
        _FILE.write_text(json.dumps(known | {case: found}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    assert found == known[case], f"{case}: the tables of these real quotes are not what they were"
