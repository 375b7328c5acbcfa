"""The chain of gates and shields: asks them in configured order, keeps to the law that a decision has its reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np

from bitten.clock import iso
from bitten.gate import NEVER, Gate, Part, Score, Shield, Situation, Verdict
from bitten.journal.decisions import PASSED, REFUSED, RESIZED, Answers, Number, literal
from bitten.ledger import Ledger, frozen
from bitten.market import Market, MarketView
from bitten.model.dtypes import NS_PER_SECOND, Floats, Ints, Records
from bitten.model.facts import Alert, Outcome, Signal
from bitten.model.quotes import Quotes
from bitten.publisher import Publisher
from bitten.rule import PASS, Rule
from bitten.screening import Offers, Screened, as_screened, make_offers
from bitten.sizing import floor_to_steps
from bitten.verdictform import VerdictForm

_WORTHWHILE: Final = 4  # signals of a slice from which on columns are cheaper than questions


class Step(NamedTuple):
    """A gate or shield under its configured name."""

    name: str
    part: Gate | Shield


class Approved(NamedTuple):
    """The accounts that fire; columns of equal length."""

    rows: Ints
    lots: Floats
    risk: Floats  # account currency lost at the stop; 0 where no gate worked it out
    sizing: Mapping[str, Number]  # how the lots came about: columns over ALL accounts, or one for all


_NOBODY: Final = Approved(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), {})


class GateChain:
    """Decides signals for accounts. Fails closed: a part that raises or answers nonsense refuses."""

    def __init__(self, steps: Sequence[Step], ledger: Ledger, market: Market, publisher: Publisher) -> None:
        self.steps = tuple(steps)
        self._ledger = ledger
        self._market = market
        self._publisher = publisher
        self._asked = [(step, step.part if isinstance(step.part, Gate) else None) for step in self.steps]
        self._no_screens: list[Screened | None] = [None] * len(self.steps)
        self._screens = self._no_screens
        self._places: dict[str, int] = {}  # of the slice's signals in the screens
        self._rows: Ints = np.zeros(0, np.int64)  # whom they are for
        self._first: list[tuple[Answers, ...]] = []  # per signal, what the chain's first steps have said already
        self._size = len(ledger.ids)
        self._unsized: Floats = frozen(np.zeros(self._size))
        self._form = VerdictForm(self._size)
        self._broken: dict[str, str] = {}  # parts that failed while they were told something: they refuse from then on
        self._learners = _overriding(self.steps, "learn")
        self._observers = _overriding(self.steps, "observe")
        self._sleepers = _overriding(self.steps, "wake")
        self._watchers = [step for step in self.steps if step.part.watches]
        self._wakes: dict[str, int] = {}
        self.next_wake = NEVER

    def rules(self) -> list[Rule] | None:
        """The whole chain as rules that kernels know; None where it is more than that."""
        rules = [step.part.rule() if isinstance(step.part, Gate) else None for step in self.steps]
        known = [rule for rule in rules if rule is not None]
        return [rule for rule in known if rule.kind != PASS] if len(known) == len(rules) else None

    def beyond_rules(self) -> list[str]:
        """Names of the steps that are more than rules."""
        return [step.name for step in self.steps if not isinstance(step.part, Gate) or step.part.rule() is None]

    # -- what parts are told ------------------------------------------------------------------------------------------

    def observe(self, symbol: str, quotes: Quotes, bars: Mapping[str, Records]) -> None:
        """A slice of one symbol, before anything in it is decided."""
        for step in self._observers:
            self._tell(step, lambda part: part.observe(symbol, quotes, bars), int(quotes.ts[-1]) if len(quotes) else 0)

    def learn(self, outcome: Outcome) -> None:
        """A signal has met its fate."""
        for step in self._learners:
            self._tell(step, lambda part: part.learn(outcome), outcome.close_time)

    def start(self, first: int) -> None:
        """The first quote has come: ask when parts want to be woken."""
        for step in self._sleepers:
            self._ask_wake(step, first - 1)
        self._set_wake()

    def wake(self, time: int) -> None:
        """The instant of `next_wake` has come."""
        for step in self._sleepers:
            if self._wakes.get(step.name) == time:
                self._tell(step, lambda part: part.mark(MarketView(self._market, time), self._ledger), time)
                self._ask_wake(step, time)
        self._set_wake()

    def watch(self, time: int) -> None:
        """Equity is being recorded."""
        for step in self._watchers:
            self._tell(step, lambda part: part.mark(MarketView(self._market, time), self._ledger), time)

    def _ask_wake(self, step: Step, after: int) -> None:
        def ask(part: Part) -> None:
            wanted = part.wake(after)
            if not isinstance(wanted, int) or wanted <= after:
                raise ValueError(f"wake({after}) answered {wanted!r}, must be a later instant")
            self._wakes[step.name] = wanted

        self._wakes[step.name] = NEVER
        self._tell(step, ask, after)

    def _set_wake(self) -> None:
        self.next_wake = min(self._wakes.values(), default=NEVER)

    def _tell(self, step: Step, call: Callable[[Part], None], time: int) -> None:
        """Let a part take something in; one that raises can no longer be trusted and refuses everything."""
        if step.name in self._broken:
            return
        try:
            call(step.part)
        except (Exception, SystemExit) as error:
            text = f"{step.name} failed, so it refuses from here on: {type(error).__name__}: {error}"
            self._broken[step.name] = text
            self._publisher.publish(Alert(time, step.name, text))

    # -- decisions ----------------------------------------------------------------------------------------------------

    def screen(self, signals: Sequence[Signal], rows: Ints) -> None:
        """Let gates say once of all signals of a slice what they can; `decide` takes it from there for these rows."""
        self._places = {}
        if len(signals) < _WORTHWHILE:
            return
        offers = make_offers(signals, self._market)
        self._screens = [None if gate is None else self._screened(gate, offers) for _, gate in self._asked]
        self._places = {signal.id: place for place, signal in enumerate(signals)}
        self._rows, self._first = rows, self._pass_first(len(signals), rows)

    def _pass_first(self, size: int, rows: Ints) -> list[tuple[Answers, ...]]:
        """Per signal, the passes of the chain's first steps, up to the first that has to be asked."""
        passed, columns = [], []
        for (step, _), screen in zip(self._asked, self._screens, strict=True):
            if screen is None:
                break
            passed.append(screen.passed)
            cells = (repeat(step.name), repeat(rows), repeat(PASSED), repeat(""), screen.measured, screen.limit)
            columns.append(map(Answers._make, zip(*cells, repeat(0.0), strict=False)))  # as many as there are signals
        if not columns:
            return [()] * size
        counts = np.logical_and.accumulate(np.array(passed)).sum(axis=0).tolist()
        return [answers[:count] for answers, count in zip(zip(*columns, strict=True), counts, strict=True)]

    def _screened(self, gate: Gate, offers: Offers) -> Screened | None:
        """What a gate says of many signals; one that cannot is asked for each, and fails closed there if it must."""
        try:
            screen = gate.screen(offers, self._ledger)
            return None if screen is None else as_screened(screen, len(offers.signals))
        except (Exception, SystemExit):
            return None

    def decide(self, signal: Signal, time: int, rows: Ints) -> Approved:
        """Decide a signal at an instant for the accounts in these rows of the ledger; all answers are published."""
        given: list[Answers] = []
        approved = self._decide(signal, time, rows, given)
        self._publisher.decisions(signal, time, given)
        return approved

    def _decide(self, signal: Signal, time: int, alive: Ints, given: list[Answers]) -> Approved:
        if 0 < signal.expiry <= time:
            text = f"it had expired at {iso(signal.expiry)} UTC, before it could be acted upon"
            given.append(_flat("expiry", alive, REFUSED, literal(text), (time - signal.expiry) / NS_PER_SECOND, 0.0))
            return _NOBODY
        view = MarketView(self._market, time)
        lots = self._unsized
        situation = Situation(signal, view, self._ledger, lots)
        working: dict[str, Number] = {}
        loss: Floats | None = None
        place = self._places.pop(signal.id, None) if time == signal.time and alive is self._rows else None
        screens = self._no_screens if place is None else self._screens
        if place is not None and not self._broken:
            given += self._first[place]
        asked = len(given)
        for (step, gate), screen in zip(self._asked[asked:], screens[asked:], strict=True):
            try:
                if self._broken and step.name in self._broken:
                    raise _AlreadyTold(self._broken[step.name])
                if place is not None and screen is not None and screen.passed[place] and situation.calibrated is None:
                    numbers = screen.measured[place], screen.limit[place], self._volume(lots, alive)
                    given.append(Answers(step.name, alive, PASSED, "", *numbers))
                    continue
                if gate is None:
                    situation, left = self._shielded(step, situation, alive, given)
                    lots = situation.lots
                else:
                    verdict = gate.decide(situation)
                    self._form.check(verdict)
                    before = lots
                    if verdict.lots is not None:
                        lots = floor_to_steps(self._form.sizes("lots are", verdict.lots), signal.instrument)
                        working |= self._form.working(verdict)
                        if verdict.loss_per_lot is not None:
                            loss = self._form.sizes("the loss of a lot is", verdict.loss_per_lot)
                        situation = situation.resized(lots, loss)
                    left = self._answered(step.name, alive, verdict, before, lots, given)
            except (Exception, SystemExit) as error:
                given.append(_flat(step.name, alive, REFUSED, self._failure(step, signal, time, error), 0.0, 0.0))
                return _NOBODY
            if not left.size:
                return _NOBODY
            alive = left
        return self._approved(signal, alive, lots, loss, working | {"scale": situation.scale}, given)

    def _approved(
        self, signal: Signal, alive: Ints, lots: Floats, loss: Floats | None, working: Mapping[str, Number],
        given: list[Answers],
    ) -> Approved:  # fmt: skip
        sized = lots[alive] > 0
        if not sized.all():
            text, least = "no gate gave it a volume", signal.instrument.volume_min
            given.append(_flat("sizing", alive[~sized], REFUSED, text, 0.0, least))
            alive = alive[sized]
        mine = lots[alive]
        return Approved(alive, mine, np.zeros(mine.size) if loss is None else loss[alive] * mine, working)

    def _failure(self, step: Step, signal: Signal, time: int, error: BaseException) -> str:
        if isinstance(error, _AlreadyTold):
            return literal(str(error))
        kind = "shield" if isinstance(step.part, Shield) else "gate"
        text = f"{kind} {step.name} failed, so it refuses: {type(error).__name__}: {error}"
        self._publisher.publish(Alert(time, step.name, text))
        return literal(text)

    def _shielded(self, step: Step, situation: Situation, alive: Ints, given: list[Answers]) -> tuple[Situation, Ints]:
        """The situation after a shield, and who is left."""
        signal, shield = situation.signal, step.part
        assert isinstance(shield, Shield)
        score = shield.score(signal, situation.market)
        if not isinstance(score, Score) or not (score.veto is None or isinstance(score.veto, str)):
            raise TypeError(f"answered {score!r} instead of a Score")
        if not (1 <= float(score.score) <= 10 and 0 <= score.scale < math.inf):
            raise ValueError(f"score {score.score}, scale {score.scale}")
        if score.veto is not None and not score.veto.strip():
            raise ValueError("it vetoes without a reason")
        if score.confidence is not None and not 0 <= score.confidence <= 100:
            raise ValueError(f"confidence {score.confidence}, must be 0 to 100")
        self._publisher.score(signal, situation.time, step.name, score)
        before = situation.lots
        after = situation.shielded(score)
        if score.veto is not None:
            reason = literal(score.veto)
            given.append(_flat(step.name, alive, REFUSED, reason, score.score, 1.0, self._volume(before, alive)))
            return after, alive[:0]
        verdict = RESIZED if score.scale != 1.0 else PASSED
        reason = f"score {score.score:.1f}: size times {score.scale:g}"
        given.append(_flat(step.name, alive, verdict, reason, score.score, 1.0, self._volume(after.lots, alive)))
        return after, alive

    def _answered(
        self, name: str, alive: Ints, verdict: Verdict, before: Floats, lots: Floats, given: list[Answers]
    ) -> Ints:
        """Keep what a gate said of the accounts it was asked for; who is left."""
        passed, measured, limit = verdict.passed, verdict.measured, verdict.limit
        if type(measured) is not float:
            measured = self._of(measured, alive)
        if type(limit) is not float:
            limit = self._of(limit, alive)
        if self._size == 1:
            decided = PASSED if passed[0] else REFUSED
            if lots is not before and decided == PASSED and 0 < before[0] > lots[0]:
                decided = RESIZED
            given.append(Answers(name, alive, decided, verdict.reason, measured, limit, self._volume(lots, alive)))
            return alive[:0] if decided == REFUSED else alive
        mine = passed[alive]
        everyone = bool(mine.all())
        verdicts: Ints | int = PASSED if everyone else np.where(mine, PASSED, REFUSED)
        if lots is not before:
            shrunk = mine & (before[alive] > 0) & (lots[alive] < before[alive])
            if shrunk.any():
                verdicts = np.where(mine, np.where(shrunk, RESIZED, PASSED), REFUSED)
        given.append(Answers(name, alive, verdicts, verdict.reason, measured, limit, self._volume(lots, alive)))
        return alive if everyone else alive[mine]

    def _volume(self, lots: Floats, rows: Ints) -> Number:
        """Lots of some accounts."""
        return 0.0 if lots is self._unsized else self._of(lots, rows)

    def _of(self, value: Number, rows: Ints) -> Number:
        """A copy of some rows of a column; a single number as it is. Most runs have one account: numbers do for it."""
        if type(value) is float:
            return value
        value = self._form.number(value)
        if not isinstance(value, np.ndarray):
            return value
        return value[rows] if self._size > 1 else value.item()


class _AlreadyTold(Exception):  # noqa: N818  # no error of its own: what made the part fail was published then
    """The part had failed before."""


def _overriding(steps: Sequence[Step], method: str) -> list[Step]:
    return [step for step in steps if getattr(type(step.part), method) is not getattr(Part, method)]


def _flat(
    name: str, rows: Ints, verdict: int, reason: str, measured: float, limit: float, lots: Number = 0.0
) -> Answers:
    """The same answer for all."""
    return Answers(name, rows, verdict, reason, measured, limit, lots)
