"""Plugins: clashes, switch-offs, misspelt hooks, broken plugins, and the order in which facts are heard."""

from __future__ import annotations

import importlib.metadata
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bitten import hookimpl
from bitten.errors import PluginError
from bitten.manager import FACTS, KINDS, Manager

BUNDLED = {"brokers", "feeds", "plugins"}


class Gates:
    def __init__(self, **gates: object) -> None:
        self.gates = gates

    @hookimpl
    def bitten_gates(self) -> Mapping[str, object]:
        return self.gates


@dataclass
class Point:
    """A stand-in for an installed entry point."""

    name: str
    plugin: object
    dist: Any

    def load(self) -> object:
        if isinstance(self.plugin, Exception):
            raise self.plugin
        return self.plugin


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretend that these plugins, and no others, are installed: (name, distribution, object or error)."""

    def install(*plugins: tuple[str, str, object]) -> None:
        points = [Point(n, p, types.SimpleNamespace(name=d, version="1.0")) for n, d, p in plugins]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)

    return install


def test_bundled_plugins_load_through_their_entry_points() -> None:
    manager = Manager()
    assert set(manager.plugins) >= BUNDLED
    assert manager.plugins["feeds"].startswith("feeds (bitten ")
    assert "parquet" in manager.registry("feeds")


def test_every_bundled_part_can_be_imported_and_is_documented() -> None:
    manager = Manager()
    for kind in KINDS:
        for entry in manager.registry(kind).values():
            part = entry.load()
            assert vars(part).get("__doc__"), f"{kind} {entry.name} has no docstring"


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_each_bundled_plugin_can_be_switched_off(name: str) -> None:
    manager = Manager(disabled=[name])
    assert name not in manager.plugins
    assert not [e for kind in KINDS for e in manager.registry(kind).values() if e.plugin.startswith(f"{name} (")]


def test_switching_off_what_is_not_installed_suggests() -> None:
    with pytest.raises(
        PluginError, match=r'"feds" cannot be switched off, it is not installed: did you mean "feeds"\?'
    ):
        Manager(disabled=["feds"])


def test_two_plugins_with_one_name_for_a_part_are_named() -> None:
    manager = Manager(extra={"one": Gates(mine="a:B"), "two": Gates(mine="c:D")})
    with pytest.raises(PluginError, match=r'gate "mine" is offered by both (one and two|two and one)'):
        manager.registry("gates")


def test_a_stranger_cannot_take_a_bundled_name() -> None:
    manager = Manager(extra={"stranger": Gates(risk="a:B")})
    with pytest.raises(PluginError, match=r'gate "risk" is offered by both .*plugins \(bitten .*'):
        manager.registry("gates")


def test_two_distributions_with_one_plugin_name_are_named(installed: Any) -> None:
    installed(("mine", "first", Gates()), ("mine", "second", Gates()))
    with pytest.raises(PluginError, match=r"mine \(first 1\.0\) and mine \(second 1\.0\)"):
        Manager()


def test_one_distribution_seen_twice_is_one(installed: Any) -> None:
    plugin = Gates(mine="a:B")
    installed(("mine", "first", plugin), ("mine", "first", plugin))
    assert list(Manager().registry("gates")) == ["mine"]


def test_a_plugin_that_does_not_load_is_an_error_with_the_remedy(installed: Any) -> None:
    installed(("broken", "dist", ImportError("no module named x")), ("good", "other", Gates(mine="a:B")))
    with pytest.raises(PluginError) as caught:
        Manager()
    text = str(caught.value)
    assert text.startswith("plugin broken (dist 1.0) failed to load: ImportError: no module named x")
    assert text.endswith('switch it off with disabled = ["broken"] under [plugins]')
    assert list(Manager(disabled=["broken"]).registry("gates")) == ["mine"]


def test_a_plugin_that_raises_in_a_registry_hook_is_named() -> None:
    class Raises:
        @hookimpl
        def bitten_gates(self) -> Mapping[str, object]:
            raise RuntimeError("oops")

    manager = Manager(extra={"raises": Raises()})
    with pytest.raises(PluginError, match=r"plugin raises failed in bitten_gates: RuntimeError: oops"):
        manager.registry("gates")
    assert manager.registry("feeds"), "other registries still work"


def test_a_registry_hook_that_returns_nonsense_is_named() -> None:
    class Nonsense:
        @hookimpl
        def bitten_gates(self) -> Any:
            return 3

    with pytest.raises(PluginError, match=r"plugin nonsense failed in bitten_gates: TypeError"):
        Manager(extra={"nonsense": Nonsense()}).registry("gates")


def test_a_misspelt_hook_is_refused_with_the_right_name() -> None:
    class Misspelt:
        @hookimpl
        def bitten_patern(self) -> Mapping[str, object]:
            return {}

    with pytest.raises(PluginError, match=r'implements bitten_patern, .*did you mean "bitten_patterns"\?'):
        Manager(extra={"misspelt": Misspelt()})


@pytest.mark.parametrize("name", ["My_gate", "my-gate", "1st", "", "gate!"])
def test_names_are_lower_snake(name: str) -> None:
    manager = Manager(extra={"stranger": Gates(**{name: "a:B"})})
    with pytest.raises(PluginError, match="names are lower_snake"):
        manager.registry("gates")


@pytest.mark.parametrize("target", ["no_such_module_here:Gate", "bitten.errors:NoSuchGate", "bitten.errors"])
def test_a_reference_that_cannot_be_imported_is_explained(target: str) -> None:
    entry = Manager(extra={"stranger": Gates(mine=target)}).find("gates", "mine")
    with pytest.raises(PluginError, match=rf'gate "mine" of plugin stranger is declared as "{target}"'):
        entry.load()


def test_an_unknown_name_lists_or_suggests() -> None:
    manager = Manager()
    with pytest.raises(PluginError, match=r'gate "rissk" is unknown: did you mean "risk"\?'):
        manager.find("gates", "rissk")
    with pytest.raises(PluginError, match=r"allowed are .*band.*slots"):
        manager.find("gates", "zzzzzz")


def test_registries_are_sorted_by_name_not_by_registration() -> None:
    one = Manager(extra={"a": Gates(zeta="a:B"), "b": Gates(alpha="a:B")}).registry("gates")
    other = Manager(extra={"b": Gates(alpha="a:B"), "a": Gates(zeta="a:B")}).registry("gates")
    assert list(one) == list(other) == sorted(one)


def test_listeners_hear_in_the_order_of_registration() -> None:
    class Hears:
        @hookimpl
        def bitten_signal(self, signal: object) -> None:
            """Nothing to do."""

    manager = Manager(extra={"first": Hears(), "second": Hears()})
    manager.register(Hears(), "third")
    assert [name for name, _ in manager.listeners("signal")] == ["first", "second", "third"]
    manager.unregister("second")
    assert [name for name, _ in manager.listeners("signal")] == ["first", "third"]
    assert "second" not in manager.plugins
    assert all(manager.listeners(fact) == [] for fact in FACTS if fact != "signal")


def test_a_part_registered_later_is_found() -> None:
    manager = Manager()
    assert "late" not in manager.registry("gates")
    manager.register(Gates(late="a:B"), "latecomer")
    assert manager.find("gates", "late").plugin == "latecomer"
