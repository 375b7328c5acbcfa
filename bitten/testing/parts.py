"""The contracts of gates and shields, each as laws that show their first counter-example.

A part of the chain is led through a random market with signals in it, as the pipeline leads it: it observes slices, is
woken, learns outcomes, and is asked at each signal. What it answers may depend on what was known then, and on nothing
else; not on how the market was cut, nor on how often it was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from bitten.gate import Gate, GateContext, Part, Shield
from bitten.screening import Offers, Screen, as_screened, make_offers
from bitten.testing.answers import Answer, ask_gate, ask_shield
from bitten.testing.contracts import configured
from bitten.testing.kit import BROKEN, KEPT, Ruling, named
from bitten.testing.partmarket import ACCOUNTS, PartMarket, Question
from bitten.testing.trial import LawBroken, attempt

_MARKETS: Final = 3
_SIGNALS: Final = 12  # in each market


class PartTrial(NamedTuple):
    """A gate or a shield on trial, on some markets."""

    kind: type[Part]
    config: Any
    context: GateContext
    markets: tuple[PartMarket, ...]
    seed: int

    def new(self) -> Part:
        """A fresh instance."""
        return self.kind(self.config, self.context)

    def whole(self, market: PartMarket, often: int = 1) -> list[Answer]:
        """Its answers where the market comes in one piece."""
        return market.lead(self.new(), _asker(self.kind), [market.end], often=often)


Check = Callable[[PartTrial], str]


class PartLaw(NamedTuple):
    """One law of parts of the chain."""

    name: str
    check: Check


def check_gate(kind: type[Gate], config: Any = None, *, context: GateContext | None = None, seed: int = 0) -> int:
    """Try a gate in random situations; the number of accounts it refused in them.

    A verdict is complete, the same when asked again, leaves the situation as it was, is for each account what it would
    be if that account were alone, or in another row, is what a screen of many signals says, and follows from what was
    known at its instant however the market is cut.

    Raises:
        LawBroken: with the situation's number and what is wrong.
    """
    trial = part_trial(kind, config, context, seed)
    _require(part_rulings(trial))
    return sum(int((~answer.told.passed).sum()) for market in trial.markets for answer in trial.whole(market))


def check_shield(kind: type[Shield], config: Any = None, *, context: GateContext | None = None, seed: int = 0) -> int:
    """Try a shield on random signals; the number of them that it vetoed.

    A score is complete (finite, 1 to 10, reasons in words), the same when asked again, and follows from what was known
    at its instant however the market is cut.

    Raises:
        LawBroken: with the signal's number and what is wrong.
    """
    trial = part_trial(kind, config, context, seed)
    _require(part_rulings(trial))
    return sum(answer.told.veto is not None for market in trial.markets for answer in trial.whole(market))


def part_trial(kind: type[Part], config: Any = None, context: GateContext | None = None, seed: int = 0) -> PartTrial:
    """A gate or a shield on random markets of EURUSD ticks."""
    markets = tuple(PartMarket.random(np.random.default_rng([seed, number]), _SIGNALS) for number in range(_MARKETS))
    context = context or GateContext()
    if not context.instruments:
        context = GateContext(
            context.slippage_points, context.commission_per_lot, context.name, context.folder, markets[0].instruments
        )
    return PartTrial(kind, configured(kind, config), context, markets, seed)


def part_rulings(trial: PartTrial, only: tuple[str, ...] = ()) -> Iterator[Ruling]:
    """Try a gate or a shield under its laws, one ruling after the other.

    Raises:
        ValueError: a law is unknown.
    """
    for law in named(GATE_LAWS if issubclass(trial.kind, Gate) else SHIELD_LAWS, only):
        try:
            yield Ruling(law.name, KEPT, law.check(trial))
        except LawBroken as broken:
            yield Ruling(law.name, BROKEN, str(broken).splitlines()[0], str(broken))


def _require(found: Iterator[Ruling]) -> None:
    for ruling in found:
        if ruling.verdict == BROKEN:
            raise LawBroken(ruling.example)


def _asker(kind: type[Part]) -> Callable[..., Answer]:
    return ask_gate if issubclass(kind, Gate) else ask_shield


def _complete(trial: PartTrial) -> str:
    """Answers have every part that they need, and what was asked about is left as it was."""
    answers = [answer for market in trial.markets for answer in trial.whole(market)]
    for answer in answers:
        if answer.wrong:
            raise LawBroken(f"{answer.where}: {answer.wrong}")
    return f"{len(answers)} answers"


def _same_again(trial: PartTrial) -> str:
    """Asking is no event: a second question at the same instant has the same answer."""
    for market in trial.markets:
        once = trial.whole(market)
        twice = trial.whole(market, often=3)
        for number, answer in enumerate(once):
            for again in twice[3 * number : 3 * number + 3]:
                again.compare(answer, "asked again")
    return ""


def _by_themselves(trial: PartTrial) -> str:
    """An account's verdict does not depend on which others are asked about, nor on their order."""
    everybody = tuple(range(ACCOUNTS))
    for market in trial.markets:
        whole = trial.whole(market)
        orders = [("accounts in reverse order", everybody[::-1])]
        orders += [(f"account {row} alone", (row,)) for row in everybody]
        for how, rows in orders:
            found = market.lead(trial.new(), ask_gate, [market.end], rows=rows)
            for answer, expected in zip(found, whole, strict=True):
                answer.compare(expected, how)
    return ""


def _deterministic(trial: PartTrial) -> str:
    """Another instance answers the same, also while a third sees another market."""
    for market, other in zip(trial.markets, trial.markets[1:] + trial.markets[:1], strict=True):
        whole = trial.whole(market)
        trial.whole(other)
        for answer, expected in zip(trial.whole(market), whole, strict=True):
            answer.compare(expected, "another instance, after another market")
    return ""


def _cut_anywhere(trial: PartTrial) -> str:
    """How the market is cut into slices changes no answer."""
    for number, market in enumerate(trial.markets):
        rng = np.random.default_rng([trial.seed, number])
        whole = trial.whole(market)
        for share in (0.01, 0.3):
            cuts = [*market.instants[rng.random(market.instants.size) < share].tolist(), market.end]
            found = market.lead(trial.new(), _asker(trial.kind), cuts)
            for answer, expected in zip(found, whole, strict=True):
                answer.compare(expected, f"market cut at {len(cuts)} instants")
    return ""


def _causal(trial: PartTrial) -> str:
    """What comes after an answer, in the slice that it has been shown already, does not matter."""
    for number, market in enumerate(trial.markets):
        rng = np.random.default_rng([trial.seed, number])
        whole = trial.whole(market)
        for at in rng.choice(len(whole), 4, replace=False).tolist():
            instant = market.decided[at]
            for how, changed in (("ended", market.until(instant)), ("poisoned", market.poisoned(instant, rng))):
                found = changed.lead(trial.new(), _asker(trial.kind), [max(changed.end, instant)])
                for answer, expected in zip(found[: at + 1], whole[: at + 1], strict=True):
                    answer.compare(expected, f"with the market {how} after it")
    return ""


def _screens(trial: PartTrial) -> str:
    """What a gate says of many signals at once is what it says of each when it is asked.

    Accounts of each question are others, so a gate that looks at what changes of them is found out.
    """
    passed = 0
    for market in trial.markets:
        prompt = market.prompt()
        offers = make_offers(prompt.signals, prompt.quoted())

        def both(part: Part, question: Question, offers: Offers = offers) -> tuple[Screen | None, Answer]:
            assert isinstance(part, Gate)
            screen = attempt(lambda: part.screen(offers, question.ledger), "screen raised")
            return screen, ask_gate(part, question)

        for number, (screen, answer) in enumerate(prompt.lead(trial.new(), both, [prompt.end])):
            if screen is None:
                continue
            screened = attempt(lambda: as_screened(screen, len(prompt.signals)), "screen")  # noqa: B023  # called at once
            if screened.passed[number]:
                passed += 1
                answer.screened(screened.measured[number], screened.limit[number])
    return f"{passed} passed at once"


SHIELD_LAWS: Final = (
    PartLaw("complete answers", _complete),
    PartLaw("same when asked again", _same_again),
    PartLaw("determinism", _deterministic),
    PartLaw("batch-size invariance", _cut_anywhere),
    PartLaw("causality", _causal),
)
GATE_LAWS: Final = (
    *SHIELD_LAWS[:2],
    PartLaw("accounts by themselves", _by_themselves),
    PartLaw("many signals at once", _screens),
    *SHIELD_LAWS[2:],
)
