"""Law 3: truncated and poisoned futures change no past."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitten.model.quotes import Quotes, Slice
from tests.markets import between, merge
from tests.replay import replay, rows, synthetic_slices
from tests.replay import settings as strategy


def past(tables: dict, until: int) -> dict[str, list]:
    """What had happened by an instant; ends that the end of the data itself caused are no past."""

    def before(name: str, column: str) -> list:
        chosen = []
        for row in rows(tables, name):
            if row[column].value <= until and row.get("close_reason") != "end" and row.get("result") != "end":
                chosen.append(row)
        return chosen

    decided = [row for row in before("decisions", "time") if row["gate"] != "executor"]
    return {
        "signals": before("signals", "time"),
        "decisions": decided,
        "trades": before("trades", "close_time"),
        "outcomes": [row for row in before("outcomes", "close_time") if row["open_time"] is not None],
    }


@pytest.fixture(scope="module")
def whole() -> dict:
    return replay(synthetic_slices(), strategy())[0]


@given(share=st.floats(0.3, 0.95))
@settings(max_examples=6)
def test_truncated_future(whole: dict, share: float) -> None:
    everything = merge(list(synthetic_slices()))
    first = min(int(q.ts[0]) for q in everything.quotes.values())
    until = first + int(share * (everything.horizon - first))
    piece = Slice(until, {s: between(q, -1, until) for s, q in everything.quotes.items()})
    tables, _ = replay([piece], strategy())
    assert past(tables, until) == past(whole, until)


@given(share=st.floats(0.3, 0.95), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6)
def test_poisoned_future(whole: dict, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    everything = merge(list(synthetic_slices()))
    first = min(int(q.ts[0]) for q in everything.quotes.values())
    until = first + int(share * (everything.horizon - first))
    poisoned = {}
    for symbol, quotes in everything.quotes.items():
        later = quotes.ts > until
        bid = np.where(later, rng.integers(1, 2 * int(quotes.bid.max()), len(quotes)), quotes.bid)
        spread = np.where(later, rng.integers(0, 5_000, len(quotes)), quotes.ask - quotes.bid)
        poisoned[symbol] = Quotes(symbol, quotes.ts, bid, bid + spread)
    tables, _ = replay([Slice(everything.horizon, poisoned)], strategy())
    assert past(tables, until) == past(whole, until)
    assert rows(tables, "outcomes") != rows(whole, "outcomes")  # the poison did reach what came after
