"""A signal's story in words: the sentence that comes first, then the lines of each step; for terminal and page."""

from __future__ import annotations

import math
from typing import Final

from bitten.analysis.explain_facts import AccountStory, GateFacts, ShieldFacts, SignalFacts, Story, TradeFacts
from bitten.analysis.explain_numbers import lots, moment, money, number, price, signed, signed_r
from bitten.analysis.figures import ABSENT, minus, show_duration
from bitten.model.dtypes import NS_PER_SECOND

_CLOSED_BY: Final = {
    "target": "target", "stop": "stop", "trailing": "trailing stop", "breakeven": "stop at break-even",
    "time": "time stop", "signal": "a counter-signal", "manual": "a person", "stopout": "the broker's stop-out",
    "end": "the end of the data",
}  # fmt: skip
_MISSIONS: Final = {
    "declined": "declined", "unanswered": "unanswered until it expired", "waiting": "unanswered when the data ended",
    "undecided": "without a decision on record",
}  # fmt: skip
_PAST: Final = {
    "fired": "fired",
    "open": "still open at the end",
    "expired": "expired unfilled",
    "rejected": "rejected",
}
_MOST_GATES: Final = 3


# -- the first line ---------------------------------------------------------------------------------------------------


def headline(story: Story) -> str:
    """What became of the signal, in one sentence."""
    if story.accounts == 1 or story.chosen:
        return one_account(story, named=story.accounts > 1)
    fired = sum(story.fates.get(word, 0) for word in ("fired", "open"))
    rest = _others(story)
    if fired:
        began = f"fired for {fired:,} of {story.accounts:,} accounts"
        return f"{began}{f' ({rest})' if rest else ''}; {one_account(story)}"
    if list(story.fates) == ["refused"]:
        gate, count = next(iter(story.refused_by.items()))
        everyone = f"not fired: refused for all {story.accounts:,} accounts"
        which = "all of them" if count == story.accounts else f"{count:,} of them"
        return f"{everyone}, {which} by gate {gate}: {_reason(story.account)}"
    none = "no position" if story.account.fire else "not fired"
    return f"{none} for any of {story.accounts:,} accounts ({rest}); {one_account(story)}"


def one_account(story: Story, named: bool = True) -> str:
    """What became of it for the account that is told of; `named` says whose it is where that is not needed."""
    account = story.account
    whose = f" for account {account.id}" if named else ""
    order = f"fired {lots(account.fire.lots)} lots{whose}" if account.fire else f"fired{whose}"
    if account.trade is not None:
        return f"{order} at {price(account.trade.open_price, story.digits)}, {_ended(account.trade, story.digits)}"
    if account.fate == "expired":
        return f"expired unfilled{whose}: {_no_fill(story)}"
    if account.fate == "rejected":
        return f"{order}, rejected: {_no_fill(story)}"
    if account.fate == "open":
        return f"{order}, without a fill or an end on record"
    if account.fate == "refused":
        return f"refused for account {account.id} by gate {account.refused_by}: {_reason(account)}"
    return f"not fired for account {account.id}: {_mission_sentence(story)}"


def _ended(trade: TradeFacts, digits: int) -> str:
    r = f", {signed_r(trade.r)}" if trade.r is not None else ""
    if trade.close_reason == "end":
        return f"still open when the data ended, valued at {price(trade.close_price, digits)}{r}"
    return f"closed by {closed_by(trade.close_reason)}{r}"


def _others(story: Story) -> str:
    """What became of it for accounts that did not fire."""
    parts = []
    for fate, count in story.fates.items():
        if fate == "refused":
            gates = list(story.refused_by.items())
            parts += [f"{number:,} refused by {gate}" for gate, number in gates[:_MOST_GATES]]
            if more := sum(number for _, number in gates[_MOST_GATES:]):
                parts.append(f"{more:,} by other gates")
        elif fate not in ("fired", "open"):
            parts.append(f"{count:,} {_PAST.get(fate) or _MISSIONS.get(fate, fate)}")
    return ", ".join(parts)


def _reason(account: AccountStory) -> str:
    gate = next((one for one in reversed(account.gates) if one.verdict == "refused"), None)
    return (gate.reason if gate is not None else None) or "no reason is on record"


def _no_fill(story: Story) -> str:
    account, reason = story.account, _short_reason(story.account)
    if account.fate == "expired" and story.signal.expiry:
        return f"{reason}, the order was good until {moment(story.signal.expiry)}"
    return reason


def _short_reason(account: AccountStory) -> str:
    return (account.unfilled or "").removeprefix("EXPIRED ").removeprefix("REJECTED ") or "no quote in time"


def _mission_sentence(story: Story) -> str:
    account, mission = story.account, story.account.mission
    if mission is None or account.fate == "undecided":
        return "no decision is on record"
    if account.fate == "declined":
        return f"a person declined after {_after(mission.offered, mission.answered)}"
    if account.fate == "waiting":
        return f"nobody had answered when the data ended; the mission ran until {moment(mission.expiry)}"
    if mission.answered is not None and mission.answered < mission.expiry:
        return f"accepted after {_after(mission.offered, mission.answered)}, too late: {_over(story)}"
    return f"nobody answered until the mission expired at {moment(mission.expiry)}"


def _over(story: Story) -> str:
    outcome = story.outcome
    if outcome is None or outcome.close_time is None:
        return "the signal was over"
    return f"the signal had ended by {closed_by(outcome.result)} at {moment(outcome.close_time)}"


def _after(start: int, end: int | None) -> str:
    return ABSENT if end is None else show_duration((end - start) / NS_PER_SECOND)


# -- one step after the other -----------------------------------------------------------------------------------------


def signal_lines(signal: SignalFacts, digits: int) -> list[str]:
    """What was proposed, and when."""
    what = f"{signal.side} {signal.symbol} on {signal.timeframe} by {signal.pattern}"
    levels = [f"bid {price(signal.reference, digits)}"] if signal.reference is not None else []
    for name, level in (("stop", signal.stop), ("target", signal.target)):
        away = " away" if signal.relative and level is not None else ""
        levels.append(f"{name} {price(level, digits)}{away}" if level is not None else f"no {name}")
    if signal.atr is not None:
        levels.append(f"ATR {price(signal.atr, digits)}")
    expiry = f", order good until {moment(signal.expiry, signal.time)}" if signal.expiry else ""
    return [f"{what}, {moment(signal.time)} UTC, confidence {signal.confidence:.1f}{expiry}", "  ".join(levels)]


def evidence_pairs(signal: SignalFacts, digits: int) -> list[tuple[str, str]]:
    """The numbers behind it."""
    prices = signal.evidence_prices
    return [
        (name, price(value, digits) if name in prices else number(value)) for name, value in signal.evidence.items()
    ]


def shield_line(shield: ShieldFacts) -> str:
    """A score in one line."""
    parts = [f"score {shield.score:.1f} of 10", f"size × {shield.scale:g}"]
    if shield.confidence is not None:
        parts.append(f"confidence now {shield.confidence:.1f}")
    if shield.veto is not None:
        parts.append(f"VETO: {shield.veto}")
    return ", ".join(parts)


def cost_of(value: float, weight: float) -> str:
    """Points of the score that a factor took; empty for one that has none to take."""
    return "" if weight == 0 else minus(f"{-weight * (1 - value):.2f}")


def accounts_line(story: Story) -> str:
    """What became of it for all accounts, and whose part is told."""
    done = sum(story.fates.get(word, 0) for word in ("fired", "open"))
    parts = [f"{done:,} fired"] if done else []
    rest = _others(story)
    told = f"told below is {story.account.id}"
    return f"{story.accounts:,}: {', '.join([*parts, *([rest] if rest else [])])}; {told}"


def gate_note(gate: GateFacts) -> str:
    """What stands behind a gate's numbers."""
    if gate.reason is not None:
        return gate.reason
    return f"{lots(gate.lots)} lots" if gate.lots else ""


def mission_lines(story: Story) -> list[str]:
    """How it was offered and what was answered."""
    mission = story.account.mission
    if mission is None:
        return []
    offered = f"offered {moment(mission.offered, story.signal.time)}, until {moment(mission.expiry, story.signal.time)}"
    if mission.answer == "accepted":
        waited = _after(mission.offered, mission.answered)
        who = "at once (AUTO)" if mission.mode == "auto" else f"by a person after {waited} (MANUAL)"
        return [f"{offered}; accepted {who}"]
    return [f"{offered} ({mission.mode.upper()}); {_mission_sentence(story)}"]


def size_lines(account: AccountStory) -> list[str]:
    """The arithmetic of the lots."""
    fire = account.fire
    if fire is None:
        return []
    known = dict(fire.sizing)
    taken = {name: known.pop(name, None) for name in _SIZED}
    equity, percent, risked, points, loss, exact = (taken[name] for name in _SIZED)
    scale = known.pop("scale", 1.0)
    lines = []
    if equity is not None and percent is not None and risked is not None:
        share = f"{money(equity, account.currency)} equity × {percent:g} %{_share_note(account, percent)}"
        scaled = f" × {scale:g} by shields" if scale != 1.0 else ""
        lines.append(f"{share}{scaled} = {money(risked, account.currency)} at risk")
    if risked is not None and loss and exact is not None:
        away = f", {points:,.0f} points to the stop and costs" if points is not None else ""
        lines.append(f"one lot loses {money(loss, account.currency)} at the stop{away}")
        lines.append(f"{money(risked)} ÷ {money(loss)} = {exact:.4f} lots, rounded down and ordered {lots(fire.lots)}")
    elif not lines:
        lines.append(f"{lots(fire.lots)} lots{f', × {scale:g} by shields' if scale != 1.0 else ''}")
    if known:
        lines.append("  ".join(f"{name} {number(value)}" for name, value in known.items()))
    if fire.risk is not None:
        of = f", {fire.risk / equity * 100:.2f} % of equity" if equity else ""
        lines.append(f"{lots(fire.lots)} lots lose {money(fire.risk, account.currency)} at the stop{of}")
    resized = [f"{gate.name} to {lots(gate.lots)}" for gate in account.gates if gate.verdict == "resized" and gate.lots]
    if resized:
        lines.append(f"resized by {', '.join(resized)}")
    return lines


_SIZED: Final = ("equity", "percent", "risk_money", "stop_points", "loss_per_lot", "exact_lots")


def _share_note(account: AccountStory, percent: float) -> str:
    """Where the percentage is from, if a tier had a hand in it."""
    own, times = account.risk_percent, account.risk_multiplier
    if own is None or times in (None, 1.0) or account.tier == "":
        return ""
    product = own * float(times or 1.0)
    capped = ", capped" if percent < product - 1e-9 else ""
    if not capped and not math.isclose(percent, product):
        return f" (tier {account.tier} × {times:g})"
    return f" (own {own:g} % × {times:g} of tier {account.tier}{capped})"


def fill_lines(story: Story) -> list[str]:
    """The fill, or why there was none."""
    fire, trade, signal = story.account.fire, story.account.trade, story.signal
    if fire is None and story.account.unfilled is None:
        return []
    if trade is None:
        at = f" at {moment(story.account.unfilled_at, story.signal.time)}" if story.account.unfilled_at else ""
        return [f"none: {_short_reason(story.account)}{f'; the order ended{at}' if at else ''}"]
    levels = [
        f"{name} {price(level, story.digits)}" for name, level in (("stop", trade.stop), ("target", trade.target))
    ]
    later = trade.open_time - (fire.time if fire is not None else signal.time)
    waited = show_duration(later / NS_PER_SECOND) if later >= NS_PER_SECOND else f"{later / 1e6:,.0f} ms"
    at = f"{lots(trade.lots)} lots at {price(trade.open_price, story.digits)}, {moment(trade.open_time, signal.time)}"
    return [f"{at}, {waited} after the order", "  ".join(levels)]


def exit_lines(story: Story) -> list[str]:
    """The exit and what it brought."""
    trade, currency = story.account.trade, story.account.currency
    if trade is None:
        return []
    word = "still open at the end, valued" if trade.close_reason == "end" else f"by {closed_by(trade.close_reason)}"
    first = f"{word} at {price(trade.close_price, story.digits)}, {moment(trade.close_time, story.signal.time)}"
    costs = [
        f"{name} {money(value)}" for name, value in (("commission", trade.commission), ("swap", trade.swap)) if value
    ]
    result = [signed_r(trade.r), f"{signed(trade.pips, 1)} pips", f"{signed(trade.profit, 2)} {currency}".strip()]
    return [
        f"{first}, after {show_duration(trade.seconds)}",
        "  ".join([*result, *([f"(gross {money(trade.gross)}, {', '.join(costs)})"] if costs else [])]),
    ]


def closed_by(reason: str) -> str:
    """What a close reason means, as in "closed by ..."."""
    return _CLOSED_BY.get(reason, reason)


def outcome_lines(story: Story) -> list[str]:
    """How the signal itself ended, at its own stop or target, whoever fired it."""
    outcome = story.outcome
    if outcome is None:
        return ["none on record"]
    if outcome.open_time is None:
        when = f" at {moment(outcome.close_time, story.signal.time)}" if outcome.close_time else ""
        return [f"never filled: {outcome.result}{when}"]
    how = "open at the end, no result" if outcome.result == "end" else f"{closed_by(outcome.result)}"
    moves = f", {price(outcome.open_price, story.digits)} to {price(outcome.close_price, story.digits)}"
    excursions = [
        f"{name} {number(pips)} pips{f' ({r:.2f} R)' if r is not None else ''}"
        for name, pips, r in (("MAE", outcome.mae_pips, outcome.mae_r), ("MFE", outcome.mfe_pips, outcome.mfe_r))
    ]
    measured = [signed_r(outcome.r), f"{signed(outcome.pips, 1)} pips", *excursions]
    return [f"{how} after {show_duration(outcome.seconds)}{moves}", "  ".join(measured)]
