"""Every hook does what docs/hooks.md says of it; a hook without a section or without a test of its name fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
import pytest

from bitten import cli, hookimpl, hookspecs
from bitten.executor import Executor, ExecutorContext, Report
from bitten.feed import Feed, FeedContext, FeedFacts
from bitten.gate import Gate, Score, Shield, Situation, Verdict
from bitten.kernels.exits import FillRules
from bitten.manager import FACTS, KINDS, Manager
from bitten.market import MarketView
from bitten.model.dtypes import REJECTED
from bitten.model.facts import Fire, Signal
from bitten.model.quotes import Quotes, Slice
from bitten.run import Run
from bitten.store.importer import FileFacts, Importer, ImportOptions, RawTicks, detect_format
from bitten.tracker import Tracker
from tests.hook_plugins import EveryTenth, Hears, Nothing, Offers, replay

HOOKS = [name for name in vars(hookspecs) if name.startswith("bitten_")]
PAGE = (Path(__file__).resolve().parent.parent / "docs" / "hooks.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hears, Run]:
    ears = Hears()
    patterns = [{"use": "every_tenth"}, {"use": "raises"}]
    return ears, replay(tmp_path_factory.mktemp("heard"), {"parts": Offers({}), "ears": ears}, patterns=patterns)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_an_example(hook: str) -> None:
    (section,) = re.findall(rf"^## {hook}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert "**Called**" in section
    assert "**Returns**" in section
    (example,) = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert f"def {hook}(" in example
    for argument in getattr(hookspecs, hook).__code__.co_varnames[: getattr(hookspecs, hook).__code__.co_argcount]:
        assert f"**Argument** `{argument}`" in section


def test_no_section_is_about_a_hook_that_is_not_there() -> None:
    assert set(re.findall(r"^## (bitten_\w+)$", PAGE, re.MULTILINE)) == set(HOOKS)


def test_every_hook_has_a_test_that_uses_it() -> None:
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    tests = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for hook in HOOKS:
        assert f"test_{hook}" in tests, f"tests/test_hooks.py lacks test_{hook}"
        node = tests[f"test_{hook}"]
        assert any(isinstance(part, ast.Assert) for part in ast.walk(node)), f"test_{hook} asserts nothing"
        short = hook.removeprefix("bitten_")
        words = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        assert short in words, f"test_{hook} does not use the hook"


def test_registries_and_facts_are_all_hooks() -> None:
    assert [f"bitten_{name}" for name in (*KINDS, *FACTS)] == HOOKS


def test_bitten_feeds(tmp_path: Path) -> None:
    class Ramp(Feed):
        Config = Nothing

        def __init__(self, config: Nothing, context: FeedContext) -> None:
            self.seed = context.seed

        def facts(self) -> FeedFacts:
            return FeedFacts(notes=(f"seed {self.seed}",))

        def slices(self) -> Iterator[Slice]:
            ts = np.arange(1000, dtype=np.int64) * 10**9 + 10**18
            yield Slice(int(ts[-1]), {"EURUSD": Quotes("EURUSD", ts, ts % 7 + 110_000, ts % 7 + 110_009)})

    plugin = Offers({"feeds": {"ramp": Ramp}})
    run = replay(tmp_path, {"p": plugin}, feed={"use": "ramp", "symbols": ["EURUSD"]}, run={"seed": 5})
    assert run.manifest["quotes"] == 1000
    assert run.manifest["notes"] == ["seed 5"]


def test_bitten_importers(tmp_path: Path) -> None:
    class Mine(Importer):
        name = "mine"

        def detect(self, path: Path, head: bytes) -> str | None:
            return "its first word" if head.startswith(b"mine") else None

        def describe(self, path: Path, head: bytes, options: ImportOptions) -> FileFacts:
            return FileFacts("ticks")

        def read(self, path: Path, options: ImportOptions) -> Iterator[RawTicks]:
            yield RawTicks(np.zeros(1, np.int64), np.ones(1), np.ones(1))

    registry = Manager(extra={"p": Offers({"importers": {"mine": Mine}})}).registry("importers")
    importers = {name: entry.load()() for name, entry in registry.items()}
    importer, proof = detect_format(tmp_path / "quotes.txt", b"mine 1 2\n", importers, None)
    assert (importer.name, proof) == ("mine", "its first word")


def test_bitten_patterns(heard: tuple[Hears, Run]) -> None:
    assert Manager(extra={"p": Offers({})}).find("patterns", "every_tenth").load() is EveryTenth
    assert set(heard[1].signals["pattern"]) == {"every_tenth", "raises"}


def test_bitten_shields(tmp_path: Path) -> None:
    class Vetoes(Shield):
        Config = Nothing

        def score(self, signal: Signal, market: MarketView) -> Score:
            return Score(9.0, scale=0.5) if signal.side > 0 else Score(2.0, veto="sells are not liked")

    run = replay(tmp_path, {"p": Offers({"shields": {"vetoes": Vetoes}})}, gates=[{"use": "vetoes"}, {"use": "risk"}])
    refused = run.decisions[run.decisions["verdict"] == "refused"]
    vetoed = refused[refused["gate"] == "vetoes"]
    assert set(vetoed["reason"]) == {"sells are not liked"}
    assert len(vetoed) == (run.signals["side"] == "sell").sum() > 0
    assert set(run.trades["side"]) == {"buy"}
    without = replay(tmp_path, {"p": Offers({})})
    assert run.trades["lots"].iloc[0] < 0.6 * without.trades["lots"].iloc[0]


def test_bitten_gates(tmp_path: Path) -> None:
    class SellsOnly(Gate):
        Config = Nothing

        def decide(self, situation: Situation) -> Verdict:
            accounts = len(situation.ledger.ids)
            is_sell = situation.signal.side < 0
            return Verdict(np.full(accounts, is_sell), 1.0, 0.0, "{account} sells only")

    gates = [{"use": "sells_only", "name": "mood"}, {"use": "risk"}]
    run = replay(tmp_path, {"p": Offers({"gates": {"sells_only": SellsOnly}})}, gates=gates)
    refused = run.decisions[run.decisions["verdict"] == "refused"]
    assert set(refused.loc[refused["gate"] == "mood", "reason"]) == {"main sells only"}
    assert set(run.trades["side"]) == {"sell"}


def test_bitten_executors(tmp_path: Path) -> None:
    class NoMarket(Executor):
        Config = Nothing

        def __init__(self, config: Nothing, context: ExecutorContext) -> None:
            self.waiting: list[Fire] = []

        def fill_rules(self, symbol: str) -> FillRules:
            return FillRules()

        def begin(self, foreseen: object) -> None:
            self.slices = True

        def place(self, fire: Fire) -> None:
            self.waiting.append(fire)

        def advance(self, until: int) -> Sequence[Report]:
            reports = [Report(fire.number, REJECTED, 0, fire.time, 0, 0, 0, 0, 0) for fire in self.waiting]
            self.waiting = []
            return reports

        def finish(self) -> Sequence[Report]:
            return self.advance(0)

    ears = Hears()
    plugin = Offers({"executors": {"no_market": NoMarket}})
    run = replay(tmp_path, {"p": plugin, "ears": ears}, executor={"use": "no_market"})
    assert len(run.trades) == 0
    assert len(ears.of("unfilled")) == len(ears.of("fire")) > 10


def test_bitten_trackers(tmp_path: Path) -> None:
    finished = []

    class Counts(Tracker):
        Config = Nothing
        closes = 0

        @hookimpl
        def bitten_close(self, close: object) -> None:
            self.closes += 1

        def finish(self) -> None:
            (self.context.folder / "closes.txt").write_text(str(self.closes))
            finished.append(self.closes)

    manager_plugins = {"p": Offers({"trackers": {"counts": Counts}})}
    run = replay(tmp_path, manager_plugins, trackers=[{"use": "counts"}])
    assert finished == [len(run.trades)]
    assert (run.folder / "closes.txt").read_text() == str(len(run.trades))


def test_bitten_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plugin = Offers({"commands": {"greet": click.Command("greet", callback=lambda: click.echo("hello"))}})
    monkeypatch.setattr(cli, "Manager", lambda: Manager(extra={"p": plugin}))
    assert cli.main(["greet"]) == 0
    assert capsys.readouterr().out == "hello\n"


def test_bitten_signal(heard: tuple[Hears, Run]) -> None:
    ears, run = heard
    signals = ears.of("signal")
    assert [signal.id for signal in signals] == list(run.signals["signal_id"])
    order = [(name, fact.id if name == "signal" else fact.signal.id) for name, fact in ears.facts if name in _DECIDING]
    for name, signal in order:
        assert name == "signal" or order.index(("signal", signal)) < order.index((name, signal))


_DECIDING = ("signal", "decision", "fire")


def test_bitten_mission(tmp_path: Path) -> None:
    ears = Hears()
    accounts = [{"id": "machine"}, {"id": "person", "mode": "manual"}]
    replay(tmp_path, {"p": Offers({}), "ears": ears}, accounts=accounts, missions={"human": "always"})
    missions = ears.of("mission")
    assert [(m.signal.id, m.account, m.mode) for m in missions] == [
        (signal.id, account, mode)
        for signal in ears.of("signal")
        for account, mode in (("machine", "auto"), ("person", "manual"))
    ]
    assert {fire.id for fire in ears.of("fire")} < {mission.id for mission in missions}


def test_bitten_answer(tmp_path: Path) -> None:
    ears = Hears()
    accounts = [{"id": "machine"}, {"id": "person", "mode": "manual"}]
    run = replay(tmp_path, {"p": Offers({}), "ears": ears}, accounts=accounts, missions={"human": "always"})
    answers = {a.mission.id: a for a in ears.of("answer")}
    assert answers.keys() == {mission.id for mission in ears.of("mission")}
    waited = {(a.mission.mode, a.time - a.mission.time) for a in answers.values() if a.answer == "accepted"}
    assert waited == {("auto", 0), ("manual", 30_000_000_000)}
    assert set(run.trades["account"]) == {"machine", "person"}


def test_bitten_decision(heard: tuple[Hears, Run]) -> None:
    ears, run = heard
    decisions = ears.of("decision")
    table = run.decisions[run.decisions["gate"] != "executor"]
    assert [(d.signal.id, d.gate, d.refusal is None) for d in decisions] == list(
        zip(table["signal_id"], table["gate"], table["verdict"] != "refused", strict=True)
    )
    refused = [d for d in decisions if d.refusal is not None]
    assert refused and all(d.refusal.reason and d.refusal.by == d.gate for d in refused)


def test_bitten_fire(heard: tuple[Hears, Run]) -> None:
    fires = heard[0].of("fire")
    assert len({fire.id for fire in fires}) == len(fires) > 10
    assert len(fires) == len(heard[0].of("fill")) + len(heard[0].of("unfilled"))


def test_bitten_fill(heard: tuple[Hears, Run]) -> None:
    ears, run = heard
    fills = {fill.fire.id: fill for fill in ears.of("fill")}
    assert set(fills) == set(run.trades["fire_id"])
    for fire_id, price in zip(run.trades["fire_id"], run.trades["open_price"], strict=True):
        fill = fills[fire_id]
        assert fill.fire.signal.instrument.price(fill.price_points) == price
        assert fill.time > fill.fire.time


def test_bitten_unfilled(heard: tuple[Hears, Run]) -> None:
    unfilled = heard[0].of("unfilled")
    assert unfilled
    assert {(u.status, u.reason) for u in unfilled} == {("REJECTED", "invalid stops")}


def test_bitten_close(heard: tuple[Hears, Run]) -> None:
    ears, run = heard
    closes = ears.of("close")
    assert [close.profit for close in closes] == list(run.trades["profit"])
    assert {close.reason for close in closes} <= {"target", "stop", "end"}


def test_bitten_outcome(heard: tuple[Hears, Run]) -> None:
    ears, _ = heard
    assert sorted(o.signal.id for o in ears.of("outcome")) == sorted(s.id for s in ears.of("signal"))


def test_bitten_alert(heard: tuple[Hears, Run]) -> None:
    (alert,) = heard[0].of("alert")
    assert alert.source == "raises"
    assert "RuntimeError: the hundredth bar" in alert.text


def test_a_listener_that_raises_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    class Broken:
        @hookimpl
        def bitten_close(self, close: object) -> None:
            raise ValueError("no room left")

    ears = Hears()
    run = replay(tmp_path, {"p": Offers({}), "broken": Broken(), "ears": ears})
    assert len(ears.of("close")) == len(run.trades) > 5
    assert run.manifest["failures"] == {"broken.bitten_close": len(run.trades)}
    (alert,) = run.manifest["alerts"]
    assert "broken.bitten_close raised ValueError: no room left" in alert


def test_a_registry_hook_without_a_return_is_an_error() -> None:
    class Forgets:
        @hookimpl
        def bitten_gates(self) -> None:
            """No return."""

    with pytest.raises(Exception, match="plugin p failed in bitten_gates: TypeError"):
        Manager(extra={"p": Forgets()}).registry("gates")
