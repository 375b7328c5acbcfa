"""Plugins: entry points, switch-offs, registries by name, and the guard around every fact hook."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pluggy

from bitten import hookspecs
from bitten.errors import BittenError, PluginError, did_you_mean

GROUP: Final = "bitten"
hookimpl = pluggy.HookimplMarker(GROUP)

KINDS: Final = ("feeds", "importers", "patterns", "shields", "gates", "executors", "trackers", "commands")
FACTS: Final = ("signal", "mission", "answer", "decision", "fire", "fill", "unfilled", "close", "outcome", "alert")

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a plugin offers."""

    kind: str
    name: str
    plugin: str  # the plugin that offers it, as "name (distribution version)"
    target: Any  # a class, or "module:Class"

    def load(self) -> Any:
        """Import what stands behind the name.

        Raises:
            PluginError: the reference cannot be imported.
        """
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f'{self.kind[:-1]} "{self.name}" of plugin {self.plugin} is declared as "{self.target}", '
                f"which cannot be imported: {error}"
            ) from error


class Manager:
    """The plugins of one process.

    Args:
        disabled: entry-point names that are not loaded (`[plugins] disabled` in the configuration).
        extra: plugin objects that come without an entry point (tests, notebooks), by name.
    """

    def __init__(self, disabled: Iterable[str] = (), extra: Mapping[str, object] | None = None) -> None:
        self._pm = pluggy.PluginManager(GROUP)
        self._pm.add_hookspecs(hookspecs)
        self._labels: dict[str, str] = {}
        self._registries: dict[str, dict[str, Entry]] = {}
        self._load_entry_points(frozenset(disabled))
        for name, plugin in (extra or {}).items():
            self.register(plugin, name)

    @property
    def plugins(self) -> Mapping[str, str]:
        """Loaded plugins: entry-point name to "name (distribution version)"."""
        return dict(self._labels)

    def register(self, plugin: object, name: str, label: str | None = None) -> None:
        """Add a plugin object; its fact hooks are heard from now on, its registries at their next look-up."""
        self._check_hooks(plugin, label or name)
        self._pm.register(plugin, name)
        self._labels[name] = label or name
        self._registries.clear()

    def unregister(self, name: str) -> None:
        """Forget a plugin object that `register` added."""
        self._pm.unregister(name=name)
        self._labels.pop(name, None)
        self._registries.clear()

    def registry(self, kind: str) -> Mapping[str, Entry]:
        """All entries of one of `KINDS`, by name.

        Raises:
            PluginError: two plugins offer one name, a name is not lower_snake, or a plugin's hook failed.
        """
        if kind not in self._registries:
            self._registries[kind] = self._collect(kind)
        return self._registries[kind]

    def find(self, kind: str, name: str) -> Entry:
        """The entry of that name, or an error that lists what there is."""
        return self.find_among((kind,), name)

    def find_among(self, kinds: Sequence[str], name: str) -> Entry:
        """The entry of that name of one of several kinds (gates and shields stand in one list)."""
        found = [registry[name] for kind in kinds if name in (registry := self.registry(kind))]
        if len(found) > 1:
            raise PluginError(f'"{name}" is offered as {" and ".join(f"{e.kind[:-1]} by {e.plugin}" for e in found)}')
        if found:
            return found[0]
        known = [name for kind in kinds for name in self.registry(kind)]
        words = " or ".join(kind[:-1] for kind in kinds)
        raise PluginError(f'{words} "{name}" is unknown{did_you_mean(name, known)}')

    def listeners(self, fact: str) -> list[tuple[str, Callable[..., object]]]:
        """Who hears a fact: (plugin name, function), in the order of registration."""
        hook = getattr(self._pm.hook, f"bitten_{fact}")
        return [(impl.plugin_name, impl.function) for impl in hook.get_hookimpls()]

    def _load_entry_points(self, disabled: frozenset[str]) -> None:
        points: dict[str, tuple[importlib.metadata.EntryPoint, str]] = {}
        for point in importlib.metadata.entry_points(group=GROUP):
            label = f"{point.name} ({point.dist.name} {point.dist.version})" if point.dist else point.name
            other = points.get(point.name)
            if other is not None and other[1] != label:
                raise PluginError(f"two distributions bring a plugin named {point.name}: {other[1]} and {label}")
            points[point.name] = (point, label)
        for name in sorted(disabled - points.keys()):
            raise PluginError(
                f'plugin "{name}" cannot be switched off, it is not installed{did_you_mean(name, points)}'
            )
        for name, (point, label) in sorted(points.items()):
            if name in disabled:
                continue
            try:
                plugin = point.load()
            except Exception as error:
                raise PluginError(
                    f"plugin {label} failed to load: {type(error).__name__}: {error}; "
                    f'switch it off with disabled = ["{name}"] under [plugins]'
                ) from error
            self.register(plugin, name, label)

    def _check_hooks(self, plugin: object, label: str) -> None:
        known = [name for name in vars(hookspecs) if name.startswith("bitten_")]
        for attribute in dir(plugin):
            marker = getattr(getattr(plugin, attribute, None), f"{GROUP}_impl", None)
            if marker is not None and attribute not in known:
                raise PluginError(
                    f"plugin {label} implements {attribute}, which is no hook{did_you_mean(attribute, known)}"
                )

    def _collect(self, kind: str) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for impl in getattr(self._pm.hook, f"bitten_{kind}").get_hookimpls():
            label = self._labels.get(impl.plugin_name, impl.plugin_name)
            try:
                offered = dict(impl.function())
            except BittenError:
                raise
            except Exception as error:
                raise PluginError(f"plugin {label} failed in bitten_{kind}: {type(error).__name__}: {error}") from error
            for name, target in offered.items():
                if not isinstance(name, str) or not _NAME.match(name):
                    raise PluginError(
                        f"plugin {label} offers {kind[:-1]} {name!r}; names are lower_snake, as my_{kind[:-1]}"
                    )
                if name in entries:
                    raise PluginError(f'{kind[:-1]} "{name}" is offered by both {entries[name].plugin} and {label}')
                entries[name] = Entry(kind, name, label, target)
        return dict(sorted(entries.items()))
