"""Why a signal was fired or not, as facts: everything that a run folder holds of it, in the order in which it happened.

Pure functions of the rows of a run folder; what a person reads is made of these facts in `explain_words`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bitten.analysis.explain_facts import (
    NOT_ASKED,
    NOT_KEPT,
    AccountStory,
    FireFacts,
    GateFacts,
    MissionFacts,
    OutcomeFacts,
    ShieldFacts,
    SignalFacts,
    Story,
    Tally,
    TradeFacts,
)
from bitten.clock import iso
from bitten.errors import BittenError, did_you_mean
from bitten.model.dtypes import NS_PER_SECOND

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]

EXECUTOR: Final = "executor"  # the name under which orders that never filled stand among the decisions
_UNDONE: Final = {"accepted": "undecided", "declined": "declined", "expired": "unanswered", "open": "waiting"}
_MOST_TELLING: Final = ("fired", "open", "rejected", "expired")  # what is told of many accounts where any has it


def collect(
    rows: Rows,
    manifest: Mapping[str, Any],
    account: str | None = None,
    shields: Sequence[ShieldFacts] = (),
    prices: Sequence[str] | None = None,
) -> Story:
    """Tell a signal's story.

    Args:
        rows: the rows of one signal by table, times as ns UTC; a missing table counts as empty.
        manifest: of its run.
        account: whose part is told; of many the most telling one where it is None.
        shields: as `scored` and `explain_plugins.with_sentences` make them.
        prices: which of the evidence are prices; judged by their values where it is None.

    Raises:
        BittenError: the run has no such account.
    """
    signal = rows["signals"][0]
    by_account = _by_account(rows, [str(one["id"]) for one in manifest.get("accounts") or ()])
    known = {str(one["id"]) for one in manifest.get("accounts") or ()} | by_account.keys()
    if account is not None and account not in known:
        raise BittenError(f'the run has no account "{account}"{did_you_mean(account, known)}')
    fates = {name: _fate(mine) for name, mine in by_account.items()}
    telling = account if account is not None else _most_telling(fates, rows, manifest)
    instrument = (manifest.get("instruments") or {}).get(signal["symbol"]) or {}
    outcome = next(iter(rows.get("outcomes") or ()), None)
    digits = int(instrument.get("digits", 5))
    return Story(
        run=str(manifest.get("name", "")),
        synthetic=bool((manifest.get("feed") or {}).get("synthetic")),
        signal=_signal(signal, prices, digits),
        digits=digits,
        pip=float(instrument.get("pip", 0.0)) or None,
        accounts=max(len(fates), 1),
        chosen=account is not None,
        fates=dict(Counter(fate for fate, _ in fates.values()).most_common()),
        refused_by=dict(Counter(gate for fate, gate in fates.values() if fate == "refused").most_common()),
        tallies=_tallies(rows, manifest),
        shields=_at_decision(shields, by_account.get(telling, {})),
        account=_account(telling, by_account.get(telling, {}), fates.get(telling, ("undecided", "")), manifest),
        outcome=None if outcome is None else _outcome(outcome, signal),
    )


def _by_account(rows: Rows, ids: Sequence[str]) -> dict[str, dict[str, list[Row]]]:
    """The rows of each account by table, accounts in configured order."""
    found: dict[str, dict[str, list[Row]]] = {}
    for name in ("missions", "decisions", "fires", "trades"):
        for row in rows.get(name) or ():
            found.setdefault(row["account"], {}).setdefault(name, []).append(row)
    return {name: found[name] for name in dict.fromkeys((*ids, *found)) if name in found}


def _fate(mine: Mapping[str, Sequence[Row]]) -> tuple[str, str]:
    """(what became of the signal for an account, the gate that refused it)."""
    if mine.get("trades"):
        return ("open" if mine["trades"][-1]["close_reason"] == "end" else "fired"), ""
    refusals = [row for row in mine.get("decisions", ()) if row["verdict"] == "refused"]
    if refusals and refusals[-1]["gate"] == EXECUTOR:
        return ("rejected" if str(refusals[-1]["reason"]).startswith("REJECTED") else "expired"), ""
    if mine.get("fires"):
        return "open", ""
    if refusals:
        return "refused", str(refusals[-1]["gate"])
    missions = mine.get("missions")
    return (_UNDONE.get(missions[-1]["answer"], "undecided") if missions else "undecided"), ""


def _most_telling(fates: Mapping[str, tuple[str, str]], rows: Rows, manifest: Mapping[str, Any]) -> str:
    """The first account that fired; else the first of those to whom what is most frequent happened, a later gate
    before an earlier one.
    """
    for wanted in _MOST_TELLING:
        for name, (fate, _) in fates.items():
            if fate == wanted:
                return name
    if not fates:
        accounts = manifest.get("accounts") or ()
        return str(accounts[0]["id"]) if accounts else "main"
    order = {name: i for i, name in enumerate(_chain(rows, manifest))}
    counts = Counter(fates.values())
    most = max(counts, key=lambda one: (counts[one], order.get(one[1], -1)))
    return next(name for name, one in fates.items() if one == most)


def _chain(rows: Rows, manifest: Mapping[str, Any]) -> list[str]:
    """The names of gates and shields in the order in which they are asked, those without a configuration included."""
    configured = [str(one["name"]) for one in _section(manifest, "gates") if "name" in one]
    answered = dict.fromkeys(row["gate"] for row in rows.get("decisions") or () if row["gate"] != EXECUTOR)
    others = [name for name in answered if name not in configured]
    before = ["expiry"] if "expiry" in others else []  # a stale signal is refused before any gate is asked
    return [*before, *configured, *(name for name in others if name not in before)]


def _tallies(rows: Rows, manifest: Mapping[str, Any]) -> tuple[Tally, ...]:
    counts = Counter((row["gate"], row["verdict"]) for row in rows.get("decisions") or ())
    return tuple(
        Tally(name, *(counts[name, verdict] for verdict in ("passed", "resized", "refused")))
        for name in _chain(rows, manifest)
    )


def _signal(row: Row, prices: Sequence[str] | None, digits: int) -> SignalFacts:
    names = ("pattern", "symbol", "timeframe", "side", "time", "anchor", "reference", "stop", "target", "confidence")
    evidence = _numbers(row.get("evidence"))
    return SignalFacts(
        id=row["signal_id"],
        **{name: row[name] for name in names},
        relative=bool(row["relative"]),
        expiry=row.get("expiry"),
        atr=row.get("atr"),
        evidence=evidence,
        evidence_prices=tuple(
            name for name, value in evidence.items()
            if (_like_price(value, row["reference"], digits) if prices is None else name in prices)
        ),
    )  # fmt: skip


def _like_price(value: float, reference: float | None, digits: int) -> bool:
    """Whether a number lies near the market, on the grid of its prices, and is no whole number."""
    near = bool(reference) and abs(value - float(reference or 0)) < 0.05 * float(reference or 0)
    return near and round(value, digits) == value and value != round(value)


def scored(rows: Iterable[Row]) -> tuple[ShieldFacts, ...]:
    """Rows of scores.parquet, without sentences."""
    return tuple(
        ShieldFacts(
            row["shield"], row["time"], row["score"], row["scale"], row["confidence"], row["veto"],
            _numbers(row["evidence"]),
        )
        for row in rows
    )  # fmt: skip


def _at_decision(shields: Sequence[ShieldFacts], mine: Mapping[str, Sequence[Row]]) -> tuple[ShieldFacts, ...]:
    """The scores of the account's own decision: a mission that is answered later is scored anew."""
    times = {row["time"] for name in ("decisions", "fires") for row in mine.get(name, ())}
    first = min((shield.time for shield in shields), default=0)
    return tuple(shield for shield in shields if shield.time in times) or tuple(
        shield for shield in shields if shield.time == first
    )


def _account(
    name: str, mine: Mapping[str, Sequence[Row]], fate: tuple[str, str], manifest: Mapping[str, Any]
) -> AccountStory:
    configured: Mapping[str, Any] = next((one for one in _section(manifest, "accounts") if one.get("id") == name), {})
    listed: Mapping[str, Any] = next((one for one in manifest.get("accounts") or () if one.get("id") == name), {})
    mission = next(iter(mine.get("missions", ())), None)
    decisions = mine.get("decisions", ())
    trade = next(iter(mine.get("trades", ())), None)
    return AccountStory(
        id=name,
        currency=str(listed.get("currency", configured.get("currency", ""))),
        mode=str(mission["mode"] if mission else configured.get("mode", "")),
        tier=str(configured.get("tier", "")),
        risk_percent=configured.get("risk_percent"),
        risk_multiplier=configured.get("risk_multiplier"),
        fate=fate[0],
        refused_by=fate[1] or None,
        gates=_gates(decisions, fate[0] in _UNDONE.values(), manifest),
        mission=None if mission is None else _mission(mission),
        fire=_fire(mine, trade),
        trade=None if trade is None else _trade(trade),
        unfilled=next((row["reason"] for row in decisions if row["gate"] == EXECUTOR), None),
        unfilled_at=next((row["time"] for row in decisions if row["gate"] == EXECUTOR), None),
    )


def _gates(decisions: Sequence[Row], unasked: bool, manifest: Mapping[str, Any]) -> tuple[GateFacts, ...]:
    """What each gate of the chain said; those behind a refusal were not asked, nor any for a mission not accepted."""
    answers = {row["gate"]: row for row in decisions if row["gate"] != EXECUTOR}
    all_kept = (manifest.get("config") or {}).get("run", {}).get("decisions", "all") == "all"
    found: list[GateFacts] = []
    over = unasked
    for name in _chain({"decisions": decisions}, manifest):
        if name in answers:
            row = answers[name]
            columns = (row[key] for key in ("verdict", "reason", "measured", "limit", "lots", "time"))
            found.append(GateFacts(name, *columns))
            over = over or row["verdict"] == "refused"
        else:
            found.append(GateFacts(name, NOT_ASKED if over or all_kept else NOT_KEPT))
    return tuple(found)


def _mission(row: Row) -> MissionFacts:
    return MissionFacts(row["mission_id"], row["mode"], row["offered"], row["expiry"], row["answered"], row["answer"])


def _fire(mine: Mapping[str, Sequence[Row]], trade: Row | None) -> FireFacts | None:
    """The order; of an old run folder without fires as far as its trade tells it."""
    for row in mine.get("fires", ()):
        return FireFacts(row["fire_id"], row["time"], row["lots"], row["risk"], _numbers(row["sizing"]))
    return None if trade is None else FireFacts(trade["fire_id"], trade["open_time"], trade["lots"], None, {})


def _trade(row: Row) -> TradeFacts:
    names = (
        "lots", "open_time", "open_price", "stop", "target", "close_time", "close_price", "close_reason", "pips",
        "gross", "commission", "swap", "profit", "mae_pips", "mfe_pips",
    )  # fmt: skip
    sign = 1 if row["side"] == "buy" else -1
    risk = None if row["stop"] is None else abs(row["open_price"] - row["stop"])
    r = sign * (row["close_price"] - row["open_price"]) / risk if risk else None
    return TradeFacts(
        **{name: row[name] for name in names}, r=None if r is None else round(r, 9), seconds=_seconds(row)
    )


def _outcome(row: Row, signal: Row) -> OutcomeFacts:
    names = (
        "result", "fired", "open_time", "open_price", "close_time", "close_price", "pips", "r", "mae_pips", "mfe_pips",
    )  # fmt: skip
    r_pips = row["pips"] / row["r"] if row["pips"] and row["r"] else None  # pips that one R is
    mae_r, mfe_r = (round(row[name] / r_pips, 9) if r_pips and row[name] is not None else None for name in names[-2:])
    return OutcomeFacts(**{name: row[name] for name in names}, mae_r=mae_r, mfe_r=mfe_r, seconds=_seconds(row))


def _seconds(row: Row) -> float | None:
    if row["open_time"] is None or row["close_time"] is None:
        return None
    return float(row["close_time"] - row["open_time"]) / NS_PER_SECOND


def _numbers(text: str | None) -> dict[str, float]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _section(manifest: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return (manifest.get("config") or {}).get(name) or ()


def plain(story: Story) -> dict[str, Any]:
    """The facts as plain dicts and lists, ready for JSON: times as text in UTC, absent ones None."""
    import msgspec

    def told(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            free = name in ("evidence", "sizing")
            return {key: inner if free else told(inner, key) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [told(inner) for inner in value]
        return iso(value, 9) if name in _TIMES and isinstance(value, int) else value

    facts: dict[str, Any] = told(msgspec.to_builtins(story))
    return facts


_TIMES: Final = frozenset(("time", "anchor", "expiry", "offered", "answered", "open_time", "close_time", "unfilled_at"))
