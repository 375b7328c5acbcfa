"""What each gate and shield was worth: the outcomes of what it refused beside those of what it let pass.

Every signal is followed to its own stop or target, fired or not, so that a refusal has an outcome too. A signal counts
once for a gate, however many accounts the gate refused it to; where it refused some accounts and let others pass, the
signal stands on both sides. What the end of the data cut off, and what never filled, counts on neither.

Money is what the accounts would have made: R times the risk percent of each, of its start balance, times the
multiplier of its tier. Sizes that a gate or a shield has cut are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from bitten.analysis.columns import Tables, table, words
from bitten.analysis.curves import AccountFacts
from bitten.analysis.fates import Fates, positions
from bitten.analysis.figures import counted, minus
from bitten.analysis.intervals import difference_interval, mean_interval
from bitten.analysis.measures import finite, money
from bitten.model.dtypes import Bools, Floats, Ints

REFUSED: Final = 0
PASSED: Final = 1
_SIDES: Final = ("refused", "passed")
_ORDERS: Final = "executor"  # no gate: orders that ended unfilled
_FIRST: Final = "expiry"  # asked before any configured gate
_LAST: Final = "sizing"  # and after all of them


class _Asked(NamedTuple):
    """Of each gate, side and signal: how many accounts, and their money at risk; shape (gates, 2, signals)."""

    accounts: Ints
    stake: Floats


def attribution(
    tables: Tables, fates: Fates, accounts: Sequence[AccountFacts], chain: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """By gate, in the order of the chain as far as it is known: `refused`, `passed`, `difference`, `by_pattern` and
    `by_symbol`; keys documented in docs/run-folder.md.

    Args:
        tables: decisions and missions are looked at.
        fates: of the signals of the same tables.
        accounts: every account of the run; money is None unless all have one currency and a known risk.
        chain: configured names of gates and shields, in order. With it, what passed is known even where only refusals
            were kept.
    """
    decisions = table(tables, "decisions")
    gate, found = words(decisions, "gate")
    order = [name for name in (_FIRST, *chain, _LAST) if name in found]
    order += [name for name in found if name not in order and name != _ORDERS]
    if not order or not fates.size:
        return {}
    stakes = _stakes(accounts)
    asked = _asked(tables, fates, order, chain, (gate, found), stakes)
    cells, priced = _cells(asked, fates), stakes is not None
    overall = _Sides(cells, len(order), np.zeros(fates.size, np.int64), 1, priced)
    by_pattern = _Sides(cells, len(order), fates.pattern, len(fates.patterns), priced)
    by_symbol = _Sides(cells, len(order), fates.symbol, len(fates.symbols), priced)
    return {
        name: {
            **overall.pair(g, 0),
            "by_pattern": by_pattern.rows(g, fates.patterns),
            "by_symbol": by_symbol.rows(g, fates.symbols),
        }
        for g, name in enumerate(order)
    }


def _stakes(accounts: Sequence[AccountFacts]) -> Mapping[str, float] | None:
    """Money at risk per account; None where it cannot be added up."""
    stakes = {account.id: account.stake for account in accounts if account.stake is not None}
    same = len({account.currency for account in accounts}) == 1
    return stakes if same and len(stakes) == len(accounts) else None


def _asked(
    tables: Tables,
    fates: Fates,
    order: Sequence[str],
    chain: Sequence[str],
    gates: tuple[Ints, list[str]],
    stakes: Mapping[str, float] | None,
) -> _Asked:
    decisions = table(tables, "decisions")
    verdict, verdicts = words(decisions, "verdict")
    signal, known = positions(decisions["signal_id"], fates.ids)
    place = np.array([order.index(name) if name in order else -1 for name in gates[1]], np.int64)[gates[0]]
    side = np.array([REFUSED if word == "refused" else PASSED for word in verdicts], np.int64)[verdict]
    stake = _of_accounts(decisions, stakes)
    used = known & (place >= 0)
    shape = (len(order), 2, fates.size)
    cells = ((place * 2 + side) * fates.size + signal)[used]
    size = int(np.prod(shape))
    counts: Ints = np.bincount(cells, minlength=size).reshape(shape)
    money_at_risk: Floats = np.bincount(cells, stake[used], size).astype(np.float64).reshape(shape)
    if "passed" not in verdicts and chain and "missions" in tables:
        refused = used & (side == REFUSED)
        _add_passed(tables, fates, (counts, money_at_risk), (decisions, signal, place, refused), stakes)
    return _Asked(counts, money_at_risk)


def _add_passed(
    tables: Tables,
    fates: Fates,
    asked: tuple[Ints, Floats],
    refusals: tuple[Any, Ints, Ints, Bools],
    stakes: Mapping[str, float] | None,
) -> None:
    """Only refusals were kept: whoever accepted a mission passed every gate before the one that refused it."""
    decisions, signal, place, refused = refusals
    missions = table(tables, "missions")
    answer, answers = words(missions, "answer")
    accepted = np.array([word == "accepted" for word in answers], np.bool_)[answer]
    of_signal, known = positions(missions["signal_id"], fates.ids)
    taker, names = words(missions, "account")
    account, others = words(decisions, "account")
    code = {name: i for i, name in enumerate(names)}
    mine = np.array([code.get(name, -1) for name in others], np.int64)[account]
    refused = refused & (mine >= 0)
    keys, reached = signal[refused] * len(names) + mine[refused], place[refused]
    first = np.argsort(keys, kind="stable")
    pairs = of_signal * len(names) + taker
    at = np.minimum(np.searchsorted(keys[first], pairs), max(0, keys.size - 1))
    gates = asked[0].shape[0]
    stopped = np.full(pairs.size, gates)
    if keys.size:
        hit = keys[first][at] == pairs
        stopped[hit] = reached[first][at][hit]
    stake = _of_accounts(missions, stakes)
    asked[0][:, PASSED], asked[1][:, PASSED] = 0, 0.0
    for gate in range(gates):
        rows = accepted & known & (stopped > gate)
        asked[0][gate, PASSED] = np.bincount(of_signal[rows], minlength=fates.size)
        asked[1][gate, PASSED] = np.bincount(of_signal[rows], stake[rows], fates.size)


def _of_accounts(source: Any, stakes: Mapping[str, float] | None) -> Floats:
    """The money at risk of each row's account; 0 where it is not known."""
    account, names = words(source, "account")
    values: Floats = np.array([(stakes or {}).get(name, 0.0) for name in names], np.float64)[account]
    return values


class _Cells(NamedTuple):
    """Signals that a gate was asked about, once for each gate and side; columns of shape (n,)."""

    place: Ints  # gate * 2 + side
    signal: Ints
    accounts: Ints
    told: Bools  # whether it has R
    made: Floats  # R, 0 where it has none
    earned: Floats  # money


def _cells(asked: _Asked, fates: Fates) -> _Cells:
    cell = np.flatnonzero(asked.accounts)
    place, signal = np.divmod(cell, fates.size)
    r = fates.r[signal]
    told = np.isfinite(r)
    made = np.where(told, r, 0.0)
    return _Cells(place, signal, asked.accounts.reshape(-1)[cell], told, made, made * asked.stake.reshape(-1)[cell])


_COUNTS: Final = ("signals", "accounts", "resolved", "unresolved")


class _Sides:
    """Figures of groups of signals, by gate and side: arrays of shape (gates, 2, groups)."""

    def __init__(self, cells: _Cells, gates: int, codes: Ints, groups: int, has_money: bool) -> None:
        shape = (gates, 2, groups)
        group = cells.place * groups + codes[cells.signal]

        def total(values: Any) -> Any:
            return np.bincount(group, values, int(np.prod(shape))).reshape(shape)

        signals, self.told = total(None).astype(np.int64), total(cells.told).astype(np.int64)
        self.sums = total(cells.made), total(cells.made**2)
        counts = (signals, total(cells.accounts).astype(np.int64), self.told, signals - self.told)
        self.counts: dict[str, Any] = dict(zip(_COUNTS, counts, strict=True))
        some = np.where(self.told > 0, self.told, np.nan)
        mean, low, high = mean_interval(self.told, *self.sums)
        money_told = some if has_money else np.full(shape, np.nan)
        earned = mean_interval(money_told, total(cells.earned), total(cells.earned**2))
        self.figures: dict[str, Floats] = {
            "mean_r": mean, "mean_r_low": low, "mean_r_high": high,
            "r": mean * some, "r_low": low * some, "r_high": high * some,
            "money": earned[0] * some, "money_low": earned[1] * some, "money_high": earned[2] * some,
        }  # fmt: skip

    def worth(self, at: tuple[int, int, int]) -> dict[str, Any]:
        """What one side of a gate made, or would have made."""
        counts = {name: int(values[at]) for name, values in self.counts.items()}
        return {**counts, **{name: money(float(values[at])) for name, values in self.figures.items()}}

    def pair(self, gate: int, group: int) -> dict[str, Any]:
        """Both sides of a gate, and what passed less what was refused."""
        total, squares = self.sums
        passed, refused = (
            (int(self.told[gate, k, group]), float(total[gate, k, group]), float(squares[gate, k, group]))
            for k in (PASSED, REFUSED)
        )
        low, high = difference_interval(passed, refused)
        better = passed[1] / passed[0] - refused[1] / refused[0] if passed[0] and refused[0] else None
        sides = {name: self.worth((gate, k, group)) for k, name in enumerate(_SIDES)}
        return {**sides, "difference": better, "difference_low": finite(low), "difference_high": finite(high)}

    def rows(self, gate: int, names: Sequence[str]) -> list[dict[str, Any]]:
        """The pairs of all groups of which the gate was asked."""
        asked = self.counts["signals"][gate].sum(axis=0)
        return [{"key": names[i], **self.pair(gate, i)} for i in np.flatnonzero(asked).tolist()]


def sentence(gate: str, worth: Mapping[str, Any]) -> str:
    """What a gate refused, in words: "spread refused 41 signals worth −12.3 R (−18.9 … −5.1)".

    Args:
        gate: its name.
        worth: its `refused`.
    """
    text = f"{gate} refused {counted(worth['signals'], 'signal')}"
    if worth["r"] is None:
        return text + (", none of which has a result in R" if worth["signals"] else "")
    total, low, high = (None if worth[key] is None else minus(f"{worth[key]:.1f}") for key in ("r", "r_low", "r_high"))
    text += f" worth {total} R" + ("" if low is None else f" ({low} … {high})")
    return text + (f", {worth['unresolved']:,} of them unresolved" if worth["unresolved"] else "")
